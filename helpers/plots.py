"""Every figure of the course: readable, safe for colour-blind readers, and said in words.

Each function draws one figure, shows it, and prints the same message as a sentence below it.
The sentence travels with every export, is the picture's alternative text, and is what a screen
reader says.
"""

from __future__ import annotations

import html
import io
from collections.abc import Mapping, Sequence

import keras
import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d00", "#56b4e9", "#000000")
"""Okabe and Ito's colours, told apart by colour-blind readers; the yellow is darkened to show
on white."""
LINE_STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

STYLE = {
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}


def new_figure(width: float = 7.0, height: float = 4.0, **subplots) -> tuple[Figure, np.ndarray]:
    """Make a figure in the course's style, for drawing that no function here does.

    Args:
        width: Width in inches; 7 fills a notebook's column.
        height: Height in inches.
        subplots: Passed on to Matplotlib's ``Figure.subplots``, e.g. ``ncols=2``.

    Returns:
        The figure, and its axes as an array (also where there is only one).
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(squeeze=False, **subplots)
    return figure, axes.ravel()


def show(figure: Figure, in_words: str) -> None:
    """Show a figure and, below it, what it shows in words.

    Args:
        figure: A Matplotlib figure; a legend outside the axes is kept.
        in_words: One or two sentences that say what there is to see.

    Raises:
        ValueError: `in_words` is empty: a figure without a sentence is lost on some readers.
    """
    from IPython import get_ipython
    from IPython.display import display

    if not in_words.strip():
        raise ValueError("say in a sentence what the figure shows (in_words)")
    png = io.BytesIO()
    FigureCanvasAgg(figure)
    with mpl.rc_context(STYLE):
        # No date and no version in the file: the same figure is then the same bytes.
        figure.savefig(png, format="png", metadata={"Software": None, "Description": in_words})
    if get_ipython() is None:
        print(f"[figure] {in_words}")
        return
    display(
        {"image/png": png.getvalue(), "text/plain": f"Figure: {in_words}"},
        metadata={"image/png": {"alt": in_words}},
        raw=True,
    )
    caption = f'<p style="max-width:46em"><strong>In words.</strong> {html.escape(in_words)}</p>'
    display({"text/html": caption, "text/plain": f"In words. {in_words}"}, raw=True)


def images(
    pictures: np.ndarray | Sequence[np.ndarray],
    titles: Sequence[str],
    in_words: str,
    *,
    columns: int = 5,
    heading: str = "",
    cell: float = 1.5,
) -> None:
    """Show pictures in a grid, each with a title.

    Args:
        pictures: Arrays of shape (height, width, 3) or (height, width), values 0..255.
        titles: One for each picture.
        in_words: The sentence below.
        columns: Pictures a row.
        heading: Title of the whole figure.
        cell: Side of one picture, in inches.

    Raises:
        ValueError: There are not as many titles as pictures.
    """
    if len(pictures) != len(titles):
        raise ValueError(f"{len(pictures)} pictures need as many titles, not {len(titles)}")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    lines = 1 + max((title.count("\n") for title in titles), default=0)
    height = rows * (cell + 0.22 * lines) + (0.3 if heading else 0)
    figure, axes = new_figure(columns * cell, height, nrows=rows, ncols=columns)
    for axis in axes:
        axis.set_axis_off()
    for axis, picture, title in zip(axes, pictures, titles, strict=False):
        picture = np.clip(np.asarray(picture), 0, 255).astype("uint8")
        axis.imshow(picture, cmap="gray" if picture.ndim == 2 else None)
        axis.set_title(title, fontsize=10)
    if heading:
        figure.suptitle(heading, fontsize=12)
    show(figure, in_words)


def probabilities(
    rows: Sequence[tuple[str, float]],
    in_words: str,
    *,
    heading: str,
    picture: np.ndarray | None = None,
) -> None:
    """Show a model's answer as bars, with the picture it was given beside them.

    Args:
        rows: ``(label, probability)``, the probability in 0..1, in the order to show.
        in_words: The sentence below.
        heading: Title of the figure.
        picture: The picture, shape (height, width, 3), values 0..255; left out if None.
    """
    count = 1 if picture is None else 2
    widths = [1] if picture is None else [1, 2]
    figure, axes = new_figure(
        7, max(2.2, 0.38 * len(rows) + 1), ncols=count, gridspec_kw={"width_ratios": widths}
    )
    if picture is not None:
        axes[0].imshow(np.clip(picture, 0, 255).astype("uint8"))
        axes[0].set_axis_off()
    bars = axes[-1]
    labels, values = [label for label, _ in rows], [value for _, value in rows]
    places = np.arange(len(rows))[::-1]
    bars.barh(places, values, color=PALETTE[0])
    bars.set_yticks(places, labels)
    bars.set_xlim(0, 1.12)
    bars.set_xticks(np.linspace(0, 1, 6))
    bars.set_xlabel("probability")
    bars.grid(False, axis="y")
    for place, value in zip(places, values, strict=True):
        bars.text(value + 0.01, place, f"{value:.0%}", va="center", fontsize=10)
    figure.suptitle(heading, fontsize=12)
    show(figure, in_words)


def curves(
    runs: Mapping[str, keras.callbacks.History | Mapping[str, Sequence[float]]],
    in_words: str,
    *,
    metric: str = "accuracy",
    heading: str = "",
    boundary: int | None = None,
) -> None:
    """Draw learning curves: loss and a metric, training and validation, of one or more runs.

    Args:
        runs: Name of each run and what ``fit`` returned, or its ``history`` dictionary.
        in_words: The sentence below.
        metric: The metric beside the loss.
        heading: Title of the figure.
        boundary: Number of epochs after which fine-tuning began; drawn as an upright line.

    Raises:
        KeyError: A run has no such metric; the message lists what it has.
    """
    histories = {name: getattr(run, "history", run) for name, run in runs.items()}
    figure, axes = new_figure(9, 3.6, ncols=2)
    for axis, name in zip(axes, ("loss", metric), strict=True):
        for number, (run, history) in enumerate(histories.items()):
            if name not in history:
                raise KeyError(f"run {run!r} has no {name!r}; it has {', '.join(history)}")
            _curve(axis, history, name, run if len(histories) > 1 else "", number)
        if boundary is not None:
            axis.axvline(boundary + 0.5, color="black", linestyle=":")
            axis.text(boundary + 0.55, axis.get_ylim()[1], "fine-tuning", va="top", fontsize=10)
        axis.set_xlabel("epoch")
        axis.set_ylabel(name + (" (share correct)" if name == "accuracy" else ""))
        axis.xaxis.get_major_locator().set_params(integer=True)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 3))
    if heading:
        figure.suptitle(heading, fontsize=12)
    show(figure, in_words)


def _curve(axis: Axes, history: Mapping[str, Sequence[float]], name: str, run: str, number: int):
    """Draw training (hollow points, dashed) and validation (filled, solid) of one run."""
    colour, marker = PALETTE[number % len(PALETTE)], MARKERS[number % len(MARKERS)]
    epochs = np.arange(1, len(history[name]) + 1)
    prefix = f"{run}, " if run else ""
    axis.plot(
        epochs,
        history[name],
        "--",
        marker=marker,
        color=colour,
        markerfacecolor="white",
        label=f"{prefix}training",
    )
    if f"val_{name}" in history:
        axis.plot(
            epochs,
            history[f"val_{name}"],
            "-",
            marker=marker,
            color=colour,
            label=f"{prefix}validation",
        )


def seeds(
    results: Mapping[str, Sequence[float]],
    in_words: str,
    *,
    heading: str,
    label: str,
    chance: float | None = None,
    percent: bool = True,
) -> None:
    """Compare methods: a dot for each seed and a bar at their mean. A ladder of results.

    Args:
        results: For each method its values, one a seed.
        in_words: The sentence below.
        heading: Title of the figure.
        label: Label of the axis, with its unit.
        chance: Draw a line where guessing would be.
        percent: Values are shares in 0..1, shown as percent; else they are shown as they are.
    """
    scale, unit = (100, " %") if percent else (1, "")
    figure, (axis,) = new_figure(7, 0.62 * len(results) + 1.3)
    places = np.arange(len(results))[::-1]
    for number, (place, values) in enumerate(zip(places, results.values(), strict=True)):
        values = scale * np.asarray(values, dtype=float)
        colour = PALETTE[number % len(PALETTE)]
        axis.barh(place, values.mean(), height=0.6, color=colour, alpha=0.25)
        spread = np.linspace(-0.15, 0.15, len(values)) if len(values) > 1 else np.zeros(1)
        axis.plot(
            values,
            place + spread,
            linestyle="none",
            color=colour,
            marker=MARKERS[number % len(MARKERS)],
        )
        text = f"  {values.mean():.3g}{unit}"
        axis.text(max(values), place, text, va="center", fontsize=10)
    if chance is not None:
        axis.axvline(scale * chance, color="black", linestyle=":", label="chance")
        axis.legend(loc="lower right", bbox_to_anchor=(1, 1))
    axis.set_yticks(places, list(results))
    axis.set_xlim(0, 100 if percent else 1.15 * max(np.max(v) for v in results.values()))
    axis.set_xlabel(f"{label} (a dot is one seed, the bar their mean)")
    axis.grid(False, axis="y")
    axis.set_title(heading, loc="left")
    show(figure, in_words)


def model_graph(
    model: keras.Model, in_words: str, *, heading: str = "", highlight: Sequence[str] = ()
) -> None:
    """Draw a model's layers as boxes and what flows between them as arrows.

    Made for models of up to some twenty layers; needs nothing but Matplotlib.

    Args:
        model: A built Sequential or functional model.
        in_words: The sentence below.
        heading: Title of the figure; the model's name if empty.
        highlight: Names of layers to draw with a thick frame.

    Raises:
        ValueError: The model is not built yet, or has more than thirty layers.
    """
    if not model.built or not getattr(model, "operations", None):
        raise ValueError("the model is not built yet; give it a keras.Input first")
    if len(model.operations) > 30:
        raise ValueError(f"{len(model.operations)} layers are too many to draw; use layer_table")
    edges = _edges(model)
    depth: dict[str, int] = {}
    for operation in model.operations:  # they come in the order in which data flows
        depth[operation.name] = 1 + max(
            (depth[source] for source, target in edges if target == operation.name), default=-1
        )
    rows: dict[int, list[str]] = {}
    for name, row in depth.items():
        rows.setdefault(row, []).append(name)
    place = {
        name: ((column - (len(names) - 1) / 2) * 2.9, -row * 1.0)
        for row, names in rows.items()
        for column, name in enumerate(names)
    }
    figure, (axis,) = new_figure(
        max(4.5, 2.9 * max(map(len, rows.values()))), 0.85 * len(rows) + 0.5
    )
    axis.set_axis_off()
    for source, target in edges:
        (x0, y0), (x1, y1) = place[source], place[target]
        axis.add_patch(
            FancyArrowPatch(
                (x0, y0 - 0.27),
                (x1, y1 + 0.27),
                arrowstyle="-|>",
                mutation_scale=12,
                color="#444444",
                shrinkA=0,
                shrinkB=0,
            )
        )
    for operation in model.operations:
        _box(axis, *place[operation.name], operation, operation.name in highlight)
    xs, ys = zip(*place.values(), strict=True)
    axis.set_xlim(min(xs) - 1.5, max(xs) + 1.5)
    axis.set_ylim(min(ys) - 0.5, max(ys) + 0.5)
    figure.suptitle(heading or model.name, fontsize=12)
    show(figure, in_words)


def _edges(model: keras.Model) -> list[tuple[str, str]]:
    """Return which layer's output flows into which layer of this model."""
    inside = {operation.name for operation in model.operations}
    edges = []
    for operation in model.operations:
        for node in operation._inbound_nodes:  # Keras offers no public way to walk the graph
            for tensor in node.input_tensors:
                source = tensor._keras_history.operation.name
                if source in inside and (source, operation.name) not in edges:
                    edges.append((source, operation.name))
    return edges


def _box(axis: Axes, x: float, y: float, operation: keras.Operation, strong: bool) -> None:
    """Draw one layer: its name, and below it type and output shape."""
    output = operation.output
    output = output[0] if isinstance(output, list | tuple) else output
    shape = " × ".join(str(n) for n in output.shape[1:]) or "one number"
    axis.add_patch(
        FancyBboxPatch(
            (x - 1.3, y - 0.25),
            2.6,
            0.5,
            boxstyle="round,pad=0.02",
            facecolor="#eaf3f9",
            edgecolor=PALETTE[1 if strong else 0],
            linewidth=2.5 if strong else 1,
        )
    )
    axis.text(x, y + 0.1, operation.name, ha="center", va="center", fontsize=10, weight="bold")
    axis.text(
        x, y - 0.12, f"{type(operation).__name__}, {shape}", ha="center", va="center", fontsize=9
    )
