"""A model as boxes and arrows."""

from collections import Counter
from collections.abc import Sequence

import keras
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from helpers.plots.canvas import PALETTE, new_figure, show


def model_graph(
    model: keras.Model, in_words: str, *, heading: str = "", highlight: Sequence[str] = ()
) -> None:
    """Draw the layers of a built model as boxes, and what flows between them as arrows.

    Made for up to some twenty layers; those in `highlight` get a thick frame. Inputs, outputs and
    layers that are used more than once are marked.

    Raises:
        ValueError: The model is not built yet, or has more than thirty layers.
    """
    edges, texts = _graph(model)
    if len(texts) > 30:
        raise ValueError(f"{len(texts)} layers are too many to draw; use layer_table")
    longest = max(len(line) for lines in texts.values() for line in lines)
    width = max(2.2, 0.095 * longest + 0.2)
    place = _places(edges, width + 0.3)
    skips = [edge for edge in edges if place[edge[0]][1] - place[edge[1]][1] > 1]
    side = max(2.25, max(abs(x) for x, _ in place.values()) + width / 2 + (1.0 if skips else 0.2))
    lowest = min(y for _, y in place.values())
    figure, (axis,) = new_figure(2 * side, 0.75 * (1 - lowest) + 0.4)
    axis.set_axis_off()
    axis.set(xlim=(-side, side), ylim=(lowest - 0.1, 0.4))
    for edge in edges:
        (x0, y0), (x1, y1) = (place[name] for name in edge)
        ends, bend = ((x0, y0 - 0.27), (x1, y1 + 0.27)), "arc3"
        if edge in skips:  # around the side
            ends, bend = ((x0 + width / 2, y0), (x1 + width / 2, y1)), "arc3,rad=-0.4"
        how = {"arrowstyle": "-|>", "mutation_scale": 12, "color": "#444444"}
        axis.add_patch(FancyArrowPatch(*ends, connectionstyle=bend, shrinkA=0, shrinkB=0, **how))
    for name, (x, y) in place.items():
        if name not in texts:  # an output
            axis.text(x, y + 0.2, name, ha="center", va="top", fontsize=10, style="italic")
            continue
        strong = name in highlight
        frame = {"edgecolor": PALETTE[1 if strong else 0], "linewidth": 2.5 if strong else 1}
        frame |= {"boxstyle": "round,pad=0.02", "facecolor": "#eaf3f9"}
        axis.add_patch(FancyBboxPatch((x - width / 2, y - 0.25), width, 0.5, **frame))
        for line, up, look in zip(texts[name], (0.1, -0.12), ("bold", "normal"), strict=True):
            size = 10 if look == "bold" else 9
            axis.text(x, y + up, line, ha="center", va="center", fontsize=size, weight=look)
    figure.suptitle(heading or model.name, fontsize=12)
    show(figure, in_words)


def _graph(model: keras.Model) -> tuple[list[tuple[str, str]], dict[str, tuple[str, str]]]:
    """Return what flows into what by name, and for each layer the two lines of its box.

    The model's outputs are at the end of an edge, as ``"output"`` or ``"output 'name'"``.
    """
    if isinstance(model, keras.Sequential) and model.built:
        model = keras.Model(model.inputs, model.outputs, name=model.name)  # as a graph
    if not hasattr(model, "operations"):
        raise ValueError("the model has no graph yet; give it a keras.Input first")
    by_depth = model._nodes_by_depth  # Keras offers no public way to walk the graph
    nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    flows = [(t._keras_history.operation, n.operation.name) for n in nodes for t in n.input_tensors]
    outputs = model.output if isinstance(model.output, dict) else dict(enumerate(model.outputs, 1))
    for key, tensor in outputs.items():
        label = "output" if len(outputs) == 1 else f"output {key!r}"
        flows.append((tensor._keras_history.operation, label))
    uses = Counter(node.operation.name for node in nodes)
    texts = {one.name: (one.name, _kind_and_shape(one, uses[one.name])) for one in model.operations}
    return list(dict.fromkeys((source.name, target) for source, target in flows)), texts


def _kind_and_shape(operation: keras.Operation, uses: int) -> str:
    """Say what a layer is and what comes out of it, e.g. ``"Dense, 64"``."""
    shapes = " and ".join(
        " × ".join(str(n or "any") for n in output.shape[1:]) or "one number"
        for output in keras.tree.flatten(operation.output)
    )
    return f"{type(operation).__name__}, {shapes}" + f", used {uses} times" * (uses > 1)


def _places(edges: Sequence[tuple[str, str]], step: float) -> dict[str, tuple[float, float]]:
    """Place each layer in the row above the first that needs it; a row is spread about its middle.

    An output stands right below its layer, and an input that comes in late beside the others.
    """
    rows: dict[str, int] = {}
    for _, name in edges:  # in the order of the flow, so that sources are known
        rows[name] = 1 + max((rows.get(a, 0) for a, b in edges if b == name), default=-1)
    for name in dict.fromkeys(a for a, _ in edges):
        if name not in rows:
            rows[name] = min(rows[b] for a, b in edges if a == name) - 1
    members: dict[int, list[str]] = {}
    for name in sorted(rows, key=lambda one: all(one != b for _, b in edges)):  # inputs last
        members.setdefault(rows[name], []).append(name)
    return {
        name: (step * (index - (len(names) - 1) / 2), -float(row))
        for row, names in members.items()
        for index, name in enumerate(names)
    }
