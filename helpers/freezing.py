"""Look at a model's layers, and freeze or unfreeze them.

Three facts of Keras 3 stand behind this (lesson 05): a base's flag sets every layer inside, but
only where it changes; what is inside can be trained by a model around a base whose own flag is
False; and BatchNormalization moves during ``fit`` unless its own ``trainable`` is False.
"""

import difflib
import itertools
import math
from typing import NamedTuple

import keras

from helpers.cards import Table

HEADINGS = ("#", "layer", "type", "output shape", "trainable", "parameters")
SIDES = ("right", "left", "left", "left", "left", "right")


class LayerRow(NamedTuple):
    """One layer; `trainable` is "yes", "frozen", "partly", or "–" without weights."""

    index: int
    name: str
    kind: str
    output_shape: str
    trainable: str
    parameters: int

    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        return (*map(str, self[:-1]), f"{self.parameters:,}")


class LayerTable(NamedTuple):
    """Layers, as HTML or text; a row is None where some are left out."""

    rows: tuple[LayerRow | None, ...]
    hidden: int
    summary: str

    def _table(self) -> Table:
        gap = ("…", f"({self.hidden} more layers)", "", "", "", "")
        lines = [row.cells() if row else gap for row in self.rows]
        return Table(HEADINGS, lines, SIDES, self.summary)

    def __str__(self) -> str:
        return str(self._table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The table as HTML; IPython calls this."""
        return self._table()._repr_html_()


def layer_table(model: keras.Model, first: int = 8, last: int = 12) -> LayerTable:
    """List a built model's layers: index, name, type, output shape, trainable, parameters.

    At most `first` rows from the start and `last` from the end are shown; the last line counts all.
    """
    rows = [
        LayerRow(i, one.name, type(one).__name__, _shape(one), _trainable(one), one.count_params())
        for i, one in enumerate(model.layers)
    ]
    hidden = max(len(rows) - first - last, 0)
    shown = rows if hidden <= 1 else [*rows[:first], None, *rows[len(rows) - last :]]
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    counts = f"{model.count_params():,} parameters, {trainable:,} of them trainable"
    return LayerTable(tuple(shown), hidden, f"{len(rows)} layers, {counts}")


def unfreeze(base: keras.Model, *, last: int | None = None, start: str | None = None) -> list[str]:
    """Make the end of a base model trainable; everything before it and all BatchNorm stay frozen.

    Compile the model again afterwards: without that, ``fit`` goes on with the old list of trainable
    weights and says nothing.

    Args:
        base: The base model; changed in place.
        last: How many layers to unfreeze, counted from the end (BatchNorm layers count too).
        start: Or the name of the first layer to unfreeze, e.g. ``"block7a_expand_conv"``.

    Returns:
        Names of the layers with weights that training will now change.

    Raises:
        ValueError: Neither or both arguments are given, the base has no such layers, or this is
            a model around the base.
    """
    parts = base._flatten_layers(include_self=False)
    inside = [one for one in reversed(parts) if isinstance(one, keras.Model)]
    inner = max(inside, key=_depth, default=None)
    if inner and _depth(inner) > _depth(base) - sum(map(_depth, inside)):
        raise ValueError(
            f"{base.name} is a model around {inner.name!r}, the base; give the base itself: "
            f"unfreeze(model.get_layer({inner.name!r}), ...)"
        )
    if (last is None) == (start is None):
        raise ValueError("say either last=10 or start='name of a layer', and not both")
    count = len(base.layers)
    if last is None:
        last = count - _place(base, start)
    elif not 1 <= last <= count:
        raise ValueError(f"last must be between 1 and {count}, not {last}")

    base.trainable = False  # or the next line would do nothing to a base that was trainable
    base.trainable = True  # first the whole, because this resets every layer inside
    for index, layer in enumerate(base.layers):
        layer.trainable = index >= count - last
    for layer in base._flatten_layers():  # also those of a model within the model
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    return [layer.name for layer in base.layers if layer.trainable_weights]


def _depth(model: keras.layers.Layer) -> int:
    """How many layers with weights it has, at any depth."""
    return sum(bool(one.weights) and not one._layers for one in model._flatten_layers())


def split_at(base: keras.Model, layer: str) -> tuple[keras.Model, keras.Model]:
    """Cut a base model behind one of its layers, into a front and a back part.

    The parts share the base's layers and weights: ``back(front(images))`` is what
    ``base(images)`` is. Keep the front frozen and its outputs can be computed once and kept.

    Args:
        base: A functional or Sequential base model, built.
        layer: Name of the last layer of the front part, e.g. ``"block6d_add"``.

    Raises:
        ValueError: No layer has that name, it is the base's last, another path leads around it (a
            cut inside a residual block, say), or the base has no graph of layers.
    """
    if isinstance(base, keras.Sequential) and base.built:
        base = keras.Model(base.inputs[0], base.outputs[0], name=base.name)  # as a graph
    if not hasattr(base, "_nodes_by_depth"):
        way_out = "build it from keras.Input, as a functional or a Sequential model"
        raise ValueError(f"{base.name} has no graph of layers to cut: {way_out}")
    operation = base.layers[_place(base, layer)]
    nodes = itertools.chain.from_iterable(base._nodes_by_depth.values())
    # Not `layer.output`: that may be its output in another model.
    cut = next(node.outputs[0] for node in nodes if node.operation is operation)
    if cut is base.output:
        raise ValueError(f"{layer!r} is the last layer of {base.name}: nothing comes after it")
    front = keras.Model(base.input, cut, name=f"{base.name}_front")
    try:
        back = keras.Model(cut, base.output, name=f"{base.name}_back")
    except ValueError:
        back = None
    # Where a path leads around the cut, Keras complains or lets the back begin at the images.
    if back is None or {one.name for one in back.layers} & {one.name for one in front.layers[:-1]}:
        raise ValueError(
            f"another path leads around {layer!r}, so {base.name} cannot be cut there; cut where "
            "all paths have come together, at the end of a block"
        )
    return front, back


def _place(base: keras.Model, name: str) -> int:
    """Return a layer's index; ValueError with names that are near if the base has no such layer."""
    names = [layer.name for layer in base.layers]
    if name not in names:
        near = difflib.get_close_matches(name, names)
        guess = f"; did you mean {' or '.join(near)}?" if near else "."
        raise ValueError(
            f"{base.name} has no layer {name!r}{guess} All names: "
            "[layer.name for layer in base.layers], where base is this model"
        )
    return names.index(name)


def _shape(layer: keras.layers.Layer) -> str:
    """What the layer table says in its column "output shape"."""
    if not hasattr(layer, "output"):  # never called, so it has none yet
        return "not built"

    def words(shape: tuple[int | None, ...]) -> str:
        return ", ".join(str(n or ("any" if i else "batch")) for i, n in enumerate(shape))

    return " and ".join(f"({words(one.shape)})" for one in keras.tree.flatten(layer.output))


def _trainable(layer: keras.layers.Layer) -> str:
    """What the layer table says in its column "trainable"."""
    if not layer.weights:
        return "–"
    # Of a model or a wrapper, what it holds decides: its own flag says nothing to a model around.
    inside = {_trainable(part) for part in layer._flatten_layers(False, False)} - {"–"}
    inside |= {"yes" if one.trainable else "frozen" for one in layer._trainable_variables}
    if not inside:
        return "yes" if layer.trainable else "frozen"
    return inside.pop() if len(inside) == 1 else "partly"
