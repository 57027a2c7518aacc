"""Look at a model's layers, and freeze or unfreeze them.

Three facts of Keras 3 stand behind this file, and lesson 05 shows them:

* ``base.trainable = True`` sets every layer inside as well, so the outer flag comes first. (On
  TensorFlow only where it changes the flag: said of a base that is trainable already, it does
  nothing, and layers inside that were frozen stay frozen.)
* While ``base.trainable`` is False, ``base.trainable_weights`` is empty, whatever was set inside;
  yet a model around the base trains the layers inside whose own flag is True. So the layer table
  asks the layers inside, and `unfreeze` leaves the base's flag at True.
* A BatchNormalization layer that is trainable updates its moving statistics during ``fit``,
  also where the base was called with ``training=False``. Only ``trainable = False`` stops it.
"""

from __future__ import annotations

import difflib
import html
import itertools
import math
from dataclasses import dataclass

import keras


@dataclass(frozen=True)
class LayerRow:
    """One layer as the table shows it."""

    index: int
    name: str
    kind: str
    output_shape: str
    trainable: str
    """``"yes"``, ``"frozen"``, ``"partly"`` (a model inside, of which a part is frozen), or
    ``"–"`` where there is nothing to train."""
    parameters: int

    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        return (
            str(self.index),
            self.name,
            self.kind,
            self.output_shape,
            self.trainable,
            f"{self.parameters:,}",
        )


@dataclass(frozen=True)
class LayerTable:
    """A compact table of layers that a notebook shows as HTML and a terminal as text."""

    rows: tuple[LayerRow | None, ...]
    """The rows to show; None where layers are left out."""
    hidden: int
    summary: str

    HEADINGS = ("#", "layer", "type", "output shape", "trainable", "parameters")
    NUMBERS = (0, 5)

    def _lines(self) -> list[tuple[str, ...]]:
        gap = ("…", f"({self.hidden} more layers)", "", "", "", "")
        return [gap if row is None else row.cells() for row in self.rows]

    def __str__(self) -> str:
        """The table as aligned text."""
        lines = [self.HEADINGS, *self._lines()]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.HEADINGS))]
        text = [
            "  ".join(
                cell.rjust(width) if i in self.NUMBERS else cell.ljust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in lines
        ]
        return "\n".join([*(line.rstrip() for line in text), self.summary])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The table as HTML; IPython calls this."""

        def line(cells: tuple[str, ...], tag: str) -> str:
            return (
                "<tr>"
                + "".join(
                    f'<{tag} style="text-align:{"right" if i in self.NUMBERS else "left"}">'
                    f"{html.escape(cell)}</{tag}>"
                    for i, cell in enumerate(cells)
                )
                + "</tr>"
            )

        body = "".join(line(cells, "td") for cells in self._lines())
        return (
            f"<table><thead>{line(self.HEADINGS, 'th')}</thead><tbody>{body}</tbody></table>"
            f"<div>{html.escape(self.summary)}</div>"
        )


def layer_table(model: keras.Model, first: int = 8, last: int = 12) -> LayerTable:
    """List a model's layers: index, name, type, output shape, trainable, parameters.

    Args:
        model: A built Keras model.
        first: How many layers to show from the start, if there are too many to show all.
        last: How many to show from the end.

    Returns:
        A table of at most ``first + last + 1`` rows; its last line counts all layers.
    """
    rows = [
        LayerRow(
            index,
            layer.name,
            type(layer).__name__,
            _output_shape(layer),
            _trainable(layer),
            layer.count_params(),
        )
        for index, layer in enumerate(model.layers)
    ]
    hidden = max(len(rows) - first - last, 0)
    shown = rows if hidden <= 1 else [*rows[:first], None, *rows[len(rows) - last :]]
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    summary = (
        f"{len(rows)} layers, {model.count_params():,} parameters, {trainable:,} of them trainable"
    )
    return LayerTable(tuple(shown), hidden, summary)


def unfreeze(base: keras.Model, *, last: int | None = None, start: str | None = None) -> list[str]:
    """Make the end of a base model trainable; everything before it and all BatchNorm stay frozen.

    Name exactly one of `last` and `start`. Compile the model again afterwards: without that,
    ``fit`` goes on with the old list of trainable weights and says nothing.

    Args:
        base: The base model; changed in place.
        last: How many layers to unfreeze, counted from the end (BatchNorm layers count too,
            though they stay frozen).
        start: Name of the first layer to unfreeze, e.g. ``"block7a_expand_conv"``.

    Returns:
        Names of the layers with weights that training will now change.

    Raises:
        ValueError: Neither or both arguments are given, `last` is not between 1 and the number
            of layers, or no layer is called `start`.
    """
    if (last is None) == (start is None):
        raise ValueError("say either last=10 or start='name of a layer', and not both")
    names = [layer.name for layer in base.layers]
    if start is not None:
        _require_layer(base, start)
        first_index = names.index(start)
    else:
        if not 1 <= last <= len(names):
            raise ValueError(f"last must be between 1 and {len(names)}, not {last}")
        first_index = len(names) - last

    base.trainable = False  # or the next line would do nothing to a base that was trainable
    base.trainable = True  # first the whole, because this resets every layer inside
    for index, layer in enumerate(base.layers):
        layer.trainable = index >= first_index
    for layer in base._flatten_layers():  # also those of a model within the model
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    return [layer.name for layer in base.layers if layer.trainable_weights]


def _require_layer(base: keras.Model, name: str) -> None:
    """Raise ValueError with names that are near, unless a layer of the base has that name."""
    names = [layer.name for layer in base.layers]
    if name not in names:
        near = difflib.get_close_matches(name, names)
        guess = f"; did you mean {' or '.join(near)}?" if near else "."
        raise ValueError(
            f"{base.name} has no layer {name!r}{guess} All names: "
            "[layer.name for layer in base.layers], where base is this model"
        )


def split_at(base: keras.Model, layer: str) -> tuple[keras.Model, keras.Model]:
    """Cut a base model behind one of its layers, into a front and a back part.

    The parts share the base's layers and weights: ``back(front(images))`` is what
    ``base(images)`` is, and what you train in the back is trained in the base. Keep the front
    frozen and its outputs can be computed once and kept.

    Args:
        base: A functional or Sequential base model, built.
        layer: Name of the last layer of the front part, e.g. ``"block6d_add"``.

    Returns:
        ``(front, back)``: from images to the cut, and from the cut to the base's output.

    Raises:
        ValueError: No layer has that name (the message says which names are near), it is the
            base's last, another path leads around it (a cut inside a residual block, say), or
            the base has no graph of layers.
    """
    if isinstance(base, keras.Sequential) and base.built:
        base = keras.Model(base.inputs[0], base.outputs[0], name=base.name)  # as a graph
    if not hasattr(base, "_nodes_by_depth"):
        raise ValueError(
            f"{base.name} has no graph of layers to cut: build it from keras.Input, as a "
            "functional or a Sequential model"
        )
    _require_layer(base, layer)
    at_cut = _output_within(base, base.get_layer(layer))
    if at_cut is base.output:
        raise ValueError(f"{layer!r} is the last layer of {base.name}: nothing comes after it")
    front = keras.Model(base.input, at_cut, name=f"{base.name}_front")
    try:
        back = keras.Model(at_cut, base.output, name=f"{base.name}_back")
    except ValueError:
        back = None
    # Where a path leads around the cut, Keras complains or lets the back begin at the images.
    if back is None or {one.name for one in back.layers} & {one.name for one in front.layers[:-1]}:
        raise ValueError(
            f"another path leads around {layer!r}, so {base.name} cannot be cut there; cut where "
            "all paths have come together, at the end of a block"
        )
    return front, back


def _output_within(model: keras.Model, layer: keras.layers.Layer) -> keras.KerasTensor:
    """Return what a layer yields in this model: `layer.output` may be that of another model."""
    nodes = itertools.chain.from_iterable(model._nodes_by_depth.values())
    return next(node.outputs[0] for node in nodes if node.operation is layer)


def _output_shape(layer: keras.layers.Layer) -> str:
    try:
        outputs = layer.output
    except AttributeError:  # never called, so it has none yet
        return "not built"
    return " and ".join(
        "("
        + ", ".join(
            "batch" if n is None and i == 0 else str(n or "any") for i, n in enumerate(output.shape)
        )
        + ")"
        for output in keras.tree.flatten(outputs)
    )


def _trainable(layer: keras.layers.Layer) -> str:
    """What the layer table says in its column "trainable"."""
    if not layer.weights:
        return "–"
    # Of a model inside, its layers decide: its own flag says nothing to the model around it.
    inside = {_trainable(part) for part in getattr(layer, "layers", ())} - {"–"}
    if not inside:
        return "yes" if layer.trainable else "frozen"
    return inside.pop() if len(inside) == 1 else "partly"
