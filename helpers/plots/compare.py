"""Results of several seeds: method beside method, and step by step."""

from collections.abc import Mapping, Sequence

import numpy as np

from helpers.plots.canvas import LINE_STYLES, look, new_figure, show


def seeds(
    results: Mapping[str, Sequence[float]],
    in_words: str,
    *,
    heading: str,
    label: str,
    chance: float | None = None,
    percent: bool = True,
) -> None:
    """Compare methods: `results` of each, one a seed, as dots, and a bar at their mean."""
    scale, unit = (100, " %") if percent else (1, "")
    figure, (axis,) = new_figure(7, 0.62 * len(results) + 1.3)
    places = np.arange(len(results))[::-1]
    for number, (place, values) in enumerate(zip(places, results.values(), strict=True)):
        values = scale * np.asarray(values, dtype=float)
        axis.barh(place, values.mean(), height=0.6, color=look(number)["color"], alpha=0.25)
        spread = np.linspace(-0.15, 0.15, len(values)) if len(values) > 1 else np.zeros(1)
        axis.plot(values, place + spread, linestyle="none", **look(number))
        axis.text(max(values), place, f"  {values.mean():.3g}{unit}", va="center", fontsize=10)
    if chance is not None:
        axis.axvline(scale * chance, color="black", linestyle=":", label="chance")
        figure.legend(loc="outside lower right")  # below the axes, where no title is
    axis.set_yticks(places, list(results))
    end = 100 if percent else 1.15 * max(np.max(v) for v in results.values())
    axis.set(xlim=(0, end), xlabel=f"{label} (a dot is one seed, the bar their mean)")
    axis.grid(False, axis="y")
    axis.set_title(heading, loc="left")
    show(figure, in_words)


def trend(
    steps: Sequence[float] | Sequence[str],
    results: Mapping[str, Sequence[Sequence[float]]],
    in_words: str,
    *,
    heading: str,
    steps_label: str,
    label: str,
    chance: float | None = None,
    percent: bool = True,
    logarithmic: bool = False,
    legend_title: str = "",
) -> None:
    """Draw how a result changes from step to step: a line through the means, a dot a seed.

    Args:
        steps: Numbers (images a class, say) or names (blocks of a network), left to right.
        results: For each method, for each step, its values, one a seed. Bars of error show their
            standard deviation, where there are at least two.
        steps_label: Label of the horizontal axis.
        logarithmic: Space numbers by their ratio.

    Raises:
        ValueError: A method has not as many entries as there are steps.
    """
    for name, values in results.items():
        if len(values) != len(steps):
            raise ValueError(f"{name!r} has {len(values)} entries for {len(steps)} steps")
    scale = 100 if percent else 1
    named = isinstance(steps[0], str)
    places = np.arange(len(steps)) if named else np.asarray(steps, dtype=float)
    figure, (axis,) = new_figure(8, 4)
    for number, (name, entries) in enumerate(results.items()):
        style = look(number) | {"linestyle": LINE_STYLES[number % len(LINE_STYLES)]}
        entries = [scale * np.asarray(values, dtype=float) for values in entries]
        shift = 0.06 * (number - (len(results) - 1) / 2)  # so that bars of error do not overlap
        x = places * (1 + shift) if logarithmic else places + shift * (places[-1] - places[0]) / 6
        means = [values.mean() for values in entries]
        errors = [values.std(ddof=1) if values.size > 1 else 0 for values in entries]
        axis.errorbar(x, means, yerr=errors, markersize=8, capsize=4, label=name, **style)
        for place, values in zip(x, entries, strict=True):
            axis.plot(np.full(values.size, place), values, ".", color=style["color"], alpha=0.6)
    if chance is not None:
        axis.axhline(scale * chance, color="black", linestyle=":", label="chance")
    if logarithmic:
        axis.set_xscale("log")
        axis.minorticks_off()
    long = named and max(map(len, steps)) > 8
    turned = {"rotation": 40, "ha": "right"} if long else {"rotation": 0, "ha": "center"}
    axis.set_xticks(places, [str(step) for step in steps], rotation_mode="anchor", **turned)
    axis.set_xlabel(steps_label)
    many = any(np.size(values) > 1 for entries in results.values() for values in entries)
    axis.set_ylabel(label + "\n(a dot is one seed,\na bar ± one standard deviation)" * many)
    axis.set_title(heading, loc="left")
    handles, names = axis.get_legend_handles_labels()
    place = {"loc": "outside lower center", "ncols": min(len(names), 3)}
    figure.legend(handles, names, title=legend_title, **place)
    show(figure, in_words)
