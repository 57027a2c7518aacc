"""Every figure of the course: readable, safe for colour-blind readers, and said in words.

Each function draws one figure, shows it, and prints the same message as a sentence below it.
The sentence travels with every export, is the picture's alternative text, and is what a screen
reader says.
"""

from __future__ import annotations

import html
import io
from collections.abc import Mapping, Sequence
from functools import cache

import keras
import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#5a2d00", "#8a2be2", "#000000")
"""Four of Okabe and Ito's colours, brown, violet and black: dark enough to show on white, and
told apart by readers with any kind of colour blindness (tests/test_plots.py measures both)."""
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
        ValueError: There are no pictures, or not as many titles as pictures.
    """
    if len(pictures) == 0:
        raise ValueError("there are no pictures to show: pass at least one")
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
        _picture(axis, picture)
        axis.set_title(title, fontsize=10)
    if heading:
        figure.suptitle(heading, fontsize=12)
    show(figure, in_words)


def _picture(axis: Axes, picture: np.ndarray) -> None:
    """Draw a picture with values 0..255."""
    picture = np.clip(np.asarray(picture), 0, 255).astype("uint8")
    # Without limits Matplotlib would stretch a grey picture from its own darkest to its brightest.
    axis.imshow(picture, cmap="gray" if picture.ndim == 2 else None, vmin=0, vmax=255)


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
        picture: The picture, shape (height, width, 3) or (height, width), values 0..255; left
            out if None.
    """
    count = 1 if picture is None else 2
    widths = [1] if picture is None else [1, 2]
    figure, axes = new_figure(
        7, max(2.2, 0.38 * len(rows) + 1), ncols=count, gridspec_kw={"width_ratios": widths}
    )
    if picture is not None:
        _picture(axes[0], picture)
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
            above = axis.get_xaxis_transform()  # epochs to the right, share of the panel upwards
            axis.text(
                boundary + 0.5, 1.01, "fine-tuning", transform=above, va="bottom", fontsize=10
            )
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
        figure.legend(loc="outside lower right")  # below the axes, where no title is
    axis.set_yticks(places, list(results))
    axis.set_xlim(0, 100 if percent else 1.15 * max(np.max(v) for v in results.values()))
    axis.set_xlabel(f"{label} (a dot is one seed, the bar their mean)")
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
        results: For each method, for each step, its values, one a seed.
        in_words: The sentence below.
        heading: Title of the figure.
        steps_label: Label of the horizontal axis.
        label: Label of the upright axis, with its unit.
        chance: Draw a line where guessing would be.
        percent: Values are shares in 0..1, shown as percent; else they are shown as they are.
        logarithmic: Space numbers by their ratio.
        legend_title: Title of the legend.

    The bars of error show the standard deviation over the seeds, where there are at least two.

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
        colour = PALETTE[number % len(PALETTE)]
        entries = [scale * np.asarray(values, dtype=float) for values in entries]
        shift = 0.06 * (number - (len(results) - 1) / 2)  # so that bars of error do not overlap
        x = places * (1 + shift) if logarithmic else places + shift * (places[-1] - places[0]) / 6
        axis.errorbar(
            x,
            [values.mean() for values in entries],
            yerr=[values.std(ddof=1) if values.size > 1 else 0 for values in entries],
            color=colour,
            linestyle=LINE_STYLES[number % len(LINE_STYLES)],
            marker=MARKERS[number % len(MARKERS)],
            markersize=8,
            capsize=4,
            label=name,
        )
        for place, values in zip(x, entries, strict=True):
            axis.plot(np.full(values.size, place), values, ".", color=colour, alpha=0.6)
    if chance is not None:
        axis.axhline(scale * chance, color="black", linestyle=":", label="chance")
    if logarithmic:
        axis.set_xscale("log")
        axis.minorticks_off()
    long = named and max(map(len, steps)) > 8
    axis.set_xticks(
        places,
        [str(step) for step in steps],
        rotation=40 if long else 0,
        ha="right" if long else "center",
        rotation_mode="anchor",
    )
    axis.set_xlabel(steps_label)
    many = any(np.size(values) > 1 for entries in results.values() for values in entries)
    axis.set_ylabel(
        f"{label}\n(a dot is one seed,\na bar ± one standard deviation)" if many else label
    )
    axis.set_title(heading, loc="left")
    handles, names = axis.get_legend_handles_labels()
    figure.legend(
        handles, names, title=legend_title, loc="outside lower center", ncols=min(len(names), 3)
    )
    show(figure, in_words)


def model_graph(
    model: keras.Model, in_words: str, *, heading: str = "", highlight: Sequence[str] = ()
) -> None:
    """Draw a model's layers as boxes and what flows between them as arrows.

    Made for models of up to some twenty layers; needs nothing but Matplotlib. Inputs, outputs
    and layers that are used more than once are marked.

    Args:
        model: A built Sequential or functional model.
        in_words: The sentence below.
        heading: Title of the figure; the model's name if empty.
        highlight: Names of layers to draw with a thick frame.

    Raises:
        ValueError: The model is not built yet, or has more than thirty layers.
    """
    edges, calls = _graph(model)
    if len(calls) > 30:
        raise ValueError(f"{len(calls)} layers are too many to draw; use layer_table")
    operations = {operation.name: operation for operation in calls}
    texts = {op.name: (op.name, _type_and_shape(op, count)) for op, count in calls.items()}
    names = list(dict.fromkeys([*(name for edge in edges for name in edge), *texts]))
    width = max(2.2, *(0.095 * len(line) + 0.2 for lines in texts.values() for line in lines))
    place = _places(edges, names, width + 0.3)
    xs, ys = zip(*place.values(), strict=True)
    bends = any(place[a][1] - place[b][1] > 1 for a, b in edges)
    left, right = min(xs) - width / 2 - 0.2, max(xs) + width / 2 + (1.0 if bends else 0.2)
    spare = max(0, 4.5 - (right - left)) / 2  # room for the heading where there is one column
    left, right = left - spare, right + spare
    figure, (axis,) = new_figure(right - left, 0.75 * (1 - min(ys)) + 0.4)
    axis.set_axis_off()
    for source, target in edges:
        _arrow(axis, place[source], place[target], width)
    for name, (x, y) in place.items():
        if name in operations:
            _box(axis, x, y, width, texts[name], name in highlight)
        else:
            axis.text(x, y + 0.2, name, ha="center", va="top", fontsize=10, style="italic")
    axis.set_xlim(left, right)
    axis.set_ylim(min(ys) - 0.1, 0.4)
    figure.suptitle(heading or model.name, fontsize=12)
    show(figure, in_words)


def _graph(model: keras.Model) -> tuple[list[tuple[str, str]], dict[keras.Operation, int]]:
    """Return what flows into what by name, and how often this model calls each layer.

    The model's outputs are at the end of an edge, as ``"output"`` or ``"output 'name'"``.
    """
    if isinstance(model, keras.Sequential) and model.built:
        model = keras.Model(model.inputs, model.outputs, name=model.name)  # as a graph
    if not hasattr(model, "operations"):
        raise ValueError("the model has no graph yet; give it a keras.Input first")
    edges: list[tuple[str, str]] = []
    calls: dict[keras.Operation, int] = dict.fromkeys(model.operations, 0)
    by_depth = model._nodes_by_depth  # Keras offers no public way to walk the graph
    for node in (node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]):
        calls[node.operation] += 1
        for tensor in node.input_tensors:
            edges.append((tensor._keras_history.operation.name, node.operation.name))
    outputs = model.output if isinstance(model.output, dict) else dict(enumerate(model.outputs, 1))
    for key, tensor in outputs.items():
        label = "output" if len(outputs) == 1 else f"output {key!r}"
        edges.append((tensor._keras_history.operation.name, label))
    return list(dict.fromkeys(edges)), calls


def _places(
    edges: Sequence[tuple[str, str]], names: Sequence[str], step: float
) -> dict[str, tuple[float, float]]:
    """Place layers in rows, each right above the first that needs it, below what it takes."""
    sources = {name: [a for a, b in edges if b == name] for name in names}
    targets = {name: [b for a, b in edges if a == name] for name in names}

    @cache
    def from_start(name: str) -> int:
        return 1 + max(map(from_start, sources[name]), default=-1)

    @cache
    def row(name: str) -> int:  # an output as high as it can be, all else right above its first use
        return min(map(row, targets[name])) - 1 if targets[name] else from_start(name)

    place: dict[str, tuple[float, float]] = {}
    for number in sorted(set(map(row, names))):
        members = [name for name in names if row(name) == number]
        members.sort(key=lambda name: not sources[name])  # an input goes to the right
        wanted: list[float] = []
        for name in members:
            above = [place[source][0] for source in sources[name]]
            beside = max(wanted) + step if wanted else 0.0
            wanted.append(sum(above) / len(above) if above else beside)
        xs: list[float] = []  # as wanted, but pushed apart where boxes would overlap
        for x in sorted(wanted):
            xs.append(max(x, xs[-1] + step) if xs else x)
        shift = (sum(wanted) - sum(xs)) / len(xs)
        by_wish = sorted(range(len(members)), key=wanted.__getitem__)
        for index, x in zip(by_wish, xs, strict=True):
            place[members[index]] = (x + shift, -float(number))
    return place


def _arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float], width: float) -> None:
    """Draw an arrow between two boxes, around the side where it skips a row."""
    (x0, y0), (x1, y1) = start, end
    skips = y0 - y1 > 1
    axis.add_patch(
        FancyArrowPatch(
            (x0 + width / 2, y0) if skips else (x0, y0 - 0.27),
            (x1 + width / 2, y1) if skips else (x1, y1 + 0.27),
            connectionstyle="arc3,rad=-0.4" if skips else "arc3",
            arrowstyle="-|>",
            mutation_scale=12,
            color="#444444",
            shrinkA=0,
            shrinkB=0,
        )
    )


def _type_and_shape(operation: keras.Operation, calls: int) -> str:
    """Say what a layer is and what comes out of it, e.g. ``"Dense, 64"``."""
    shapes = " and ".join(
        " × ".join(str(n or "any") for n in output.shape[1:]) or "one number"
        for output in keras.tree.flatten(operation.output)
    )
    return f"{type(operation).__name__}, {shapes}" + (f", used {calls} times" if calls > 1 else "")


def _box(
    axis: Axes, x: float, y: float, width: float, lines: tuple[str, str], strong: bool
) -> None:
    """Draw one layer: its name, and below it type and output shape."""
    axis.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - 0.25),
            width,
            0.5,
            boxstyle="round,pad=0.02",
            facecolor="#eaf3f9",
            edgecolor=PALETTE[1 if strong else 0],
            linewidth=2.5 if strong else 1,
        )
    )
    axis.text(x, y + 0.1, lines[0], ha="center", va="center", fontsize=10, weight="bold")
    axis.text(x, y - 0.12, lines[1], ha="center", va="center", fontsize=9)
