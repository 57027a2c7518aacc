"""Learning curves."""

import math
from collections.abc import Mapping
from typing import Any

from helpers.plots.canvas import look, new_figure, show


def curves(
    runs: Mapping[str, Any],
    in_words: str,
    *,
    metric: str = "accuracy",
    heading: str = "",
    boundary: int | None = None,
    classes: int | None = None,
) -> None:
    """Draw learning curves: loss and a metric, training and validation, of one or more runs.

    Args:
        runs: Name of each run and what ``fit`` returned, or its ``history`` dictionary.
        metric: The metric beside the loss.
        boundary: Number of epochs after which fine-tuning began; drawn as an upright line.
        classes: How many classes there are: draws what guessing evenly among them would reach.

    Raises:
        KeyError: A run has no such metric; the message lists what it has.
    """
    histories = {name: getattr(run, "history", run) for name, run in runs.items()}
    figure, axes = new_figure(9, 3.6, ncols=2)
    for axis, name in zip(axes, ("loss", metric), strict=True):
        for number, (run, history) in enumerate(histories.items()):
            if name not in history:
                raise KeyError(f"run {run!r} has no {name!r}; it has {', '.join(history)}")
            prefix = f"{run}, " if len(histories) > 1 else ""
            hollow = look(number) | {"linestyle": "--", "markerfacecolor": "white"}
            both = {name: ("training", hollow), f"val_{name}": ("validation", look(number))}
            for key, (part, style) in both.items():
                if key in history:
                    epochs = range(1, len(history[key]) + 1)
                    axis.plot(epochs, history[key], label=prefix + part, **style)
        if classes is not None:
            guessing = math.log(classes) if name == "loss" else 1 / classes
            axis.axhline(guessing, color="black", linestyle=":", label="guessing evenly")
        if boundary is not None:
            axis.axvline(boundary + 0.5, color="black", linestyle=":")
            at = axis.get_xaxis_transform()  # epochs to the right, share of the panel upwards
            axis.text(boundary + 0.5, 1.01, "fine-tuning", transform=at, va="bottom", fontsize=10)
        axis.set(xlabel="epoch", ylabel=name + " (share correct)" * (name == "accuracy"))
        axis.xaxis.get_major_locator().set_params(integer=True)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 3))
    if heading:
        figure.suptitle(heading, fontsize=12)
    show(figure, in_words)
