"""Exercises of lesson 01: write a network functionally, count, cut, and join two inputs."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import keras
import numpy as np
from keras import layers

from helpers.exercises.judging import Exercise, Hint
from helpers.exercises.probes import ask, described, hint_if_known, number, require_model

CLASSES = 10


def _model(answer: Callable, *arguments: Any) -> keras.Model:
    """Call the learner's function; hint if what it returns is not a model."""
    if not callable(answer) or isinstance(answer, keras.Model):
        raise Hint("not-a-function", "Leave it a function that returns the model when called.")
    try:
        model = answer(*arguments)
    except ValueError as problem:
        _hint_at_wiring(str(problem))
        raise
    require_model(model)
    if not getattr(model, "inputs", None) or not model.outputs:
        raise Hint(
            "no-graph",
            "Keras does not know where this model begins and ends. Start with keras.Input and "
            "end with keras.Model(inputs, outputs).",
        )
    return model


def _hint_at_wiring(said: str) -> None:
    """Raise Hint if Keras's own words are those of a slip in tying layers together."""
    if "not connected" in said:
        raise Hint(
            "not-connected",
            "Keras finds no way from the inputs you gave keras.Model to its output. Either one "
            "keras.Input is not in that list, or a layer was called on another tensor than you "
            "meant, or the two changed places: inputs come first. A model that is there already "
            "begins at its own model.input.",
        )
    if "must be KerasTensors" in said and "built=False" in said:
        raise Hint(
            "never-called",
            "A layer was made and never called. The first brackets make it, the second ones hand "
            'it the tensor: layers.Dense(10, activation="softmax")(x).',
        )
    if "must be KerasTensors" in said:
        raise Hint(
            "no-tensor",
            "keras.Model ties tensors together, and got a layer or a name in place of one. "
            "model.get_layer(name) is a layer, and model.get_layer(name).output the tensor that "
            "leaves it.",
        )
    if "matching shapes" in said and ", 28" in said:
        raise Hint(
            "picture-not-flat",
            "Concatenate cannot join a picture, (batch, 28, 28), and a weight, (batch, 1): both "
            "need two axes. Flatten the picture first.",
        )
    if "matching shapes" in said:
        raise Hint(
            "joined-along-the-batch",
            "Concatenate was told to join along the batch, axis 0. Leave the axis away: it joins "
            "the numbers of one piece, along the last axis.",
        )


def _run(model: keras.Model, inputs: Any, training: bool = False) -> np.ndarray:
    """Call a model and return its first output."""
    with warnings.catch_warnings():  # Keras warns if a single input is or is not in a list
        warnings.simplefilter("ignore")
        output = model(inputs, training=training)
    return np.asarray(keras.tree.flatten(output)[0])


def _pictures(count: int = 8) -> np.ndarray:
    return np.random.default_rng(1).uniform(0, 255, (count, 28, 28)).astype("float32")


# --- a: the same network, functionally ---------------------------------------------------------


def _reference_network() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(16, activation="relu"),
            layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def _check_functional(answer: Callable) -> None:
    model = _model(answer)
    if isinstance(model, keras.Sequential):
        raise Hint(
            "sequential",
            "This is a Sequential model again. Begin with keras.Input, call each layer on what "
            "the layer before returned, and end with keras.Model(inputs, outputs).",
        )
    if len(model.inputs) != 1 or tuple(model.inputs[0].shape[1:]) != (28, 28):
        raise Hint(
            "input-shape",
            "The model has to take one picture of 28 x 28: keras.Input((28, 28)). The batch is "
            "not part of that shape; Keras adds it.",
        )
    reference = _reference_network()
    shapes = [weight.shape for weight in model.get_weights()]
    if shapes != [weight.shape for weight in reference.get_weights()]:
        _hint_at_structure(model)
    reference.set_weights(model.get_weights())
    pictures = _pictures()
    wanted, got = _run(reference, pictures), _run(model, pictures)
    if got.shape == wanted.shape and np.allclose(got, wanted, atol=1e-5):
        if not np.allclose(_run(model, pictures, training=True), wanted, atol=1e-5):
            raise Hint(
                "acts-in-training",
                "In use it is the same network, but not in training: there is a layer too many, "
                "such as Dropout, that acts only then. The description has none.",
            )
        return
    _hint_if_thrown_away(model)
    if np.allclose(_run(model, pictures / 255), wanted, atol=1e-5):
        raise Hint(
            "no-rescaling",
            "Everything fits but the pixels: yours go in as 0..255. The description divides "
            "them by 255 first, inside the model.",
        )
    _hint_at_other_rescaling(model, pictures)
    if not np.allclose(got.sum(axis=-1), 1, atol=1e-4):
        raise Hint(
            "no-softmax",
            "What comes out are not probabilities: a picture's ten numbers do not add up to 1. "
            "Look at the last layer's activation.",
        )
    raise Hint(
        "no-relu",
        "All layers are there, with the right numbers of units, and yet the same weights give "
        "other answers. Look at the activations of the two inner Dense layers: a Dense layer "
        "without one is only a weighted sum.",
    )


def _hint_at_other_rescaling(model: keras.Model, pictures: np.ndarray) -> None:
    """Raise Hint if the pixels reach the first Dense layer in another range than 0 to 1."""
    first = next((layer for layer in model.layers if isinstance(layer, layers.Dense)), None)
    if first is None:  # it is inside another model
        return
    reached = _run(keras.Model(model.inputs, first.input), pictures)
    low, high = pictures.min() / 255, pictures.max() / 255
    if not np.allclose((reached.min(), reached.max()), (low, high), atol=1e-4):
        raise Hint(
            "other-rescaling",
            f"The pixels reach your first Dense layer as numbers from {reached.min():.3g} to "
            f"{reached.max():.3g}, so the same weights give other answers. The description divides "
            "them by 255 and does nothing else, so they run from 0 to 1: look at Rescaling.",
        )


def _hint_at_structure(model: keras.Model) -> None:
    """Say why the weights do not have the shapes they should have. Always raises Hint."""
    if len(model.outputs[0].shape) > 2:
        raise Hint(
            "no-flatten",
            "What comes out has more than two axes: a Dense layer works on the last axis only, "
            "so it ran on each of the 28 rows on its own. Make one long row of the picture first.",
        )
    _hint_if_thrown_away(model)
    units = [int(weight.shape[-1]) for weight in model.weights if len(weight.shape) == 2]
    if len(units) != 3:
        raise Hint(
            "layer-count",
            f"Between input and output there are {len(units)} Dense layers with weights; the "
            "description has three.",
        )
    if units == [32, 16, CLASSES] and len(model.weights) < 6:
        raise Hint(
            "without-bias",
            "A Dense layer of yours has no bias; those of the description have one: leave "
            "use_bias=False away.",
        )
    if units == [32, 16, CLASSES]:
        raise Hint(
            "weights-too-many",
            "The Dense layers are right, but there are more weights than theirs: a layer too many, "
            "such as BatchNormalization. The description has none.",
        )
    raise Hint(
        "units",
        f"Your Dense layers have {', '.join(map(str, units))} units. Compare them with the "
        "description, in order.",
    )


def _hint_if_thrown_away(model: keras.Model) -> None:
    """Raise Hint if a layer was called on a tensor of this model and nothing used the result."""
    inside = {id(operation) for operation in model.operations}
    for operation in model.operations:
        for node in operation._outbound_nodes:  # the only way to see calls that led nowhere
            if id(node.operation) not in inside:
                kind = type(node.operation).__name__
                raise Hint(
                    "thrown-away",
                    f"You called a {kind} layer, but nothing uses what it returned, so it is "
                    "not part of the model. Keep its result in a variable, and call the next "
                    "layer on that one.",
                )


# --- b: parameters by hand ---------------------------------------------------------------------


def _count(sizes: list[int]) -> int:
    return sum(a * b + b for a, b in pairwise(sizes))


_MISCOUNTS: dict[str, tuple[Callable[[list[int]], int], str]] = {
    "no-bias": (
        lambda s: sum(a * b for a, b in pairwise(s)),
        "You counted one weight for every pair of input and unit. Each unit also adds a number "
        "of its own, whatever comes in.",
    ),
    "one-bias-a-layer": (
        lambda s: sum(a * b + 1 for a, b in pairwise(s)),
        "You gave each layer one bias. Every unit has its own.",
    ),
    "bias-per-input": (
        lambda s: sum(a * b + a for a, b in pairwise(s)),
        "You added a bias for each input of a layer. The bias belongs to what the layer gives "
        "out: one for each of its units.",
    ),
    "activations": (
        lambda s: sum(s),
        "You added up how many numbers flow between the layers: these are the activations. "
        "Parameters are what each layer multiplies and adds with.",
    ),
    "activations-in-layers": (
        lambda s: sum(s[1:]),
        "You counted the units: each gives out one activation. Parameters are what a unit "
        "multiplies its inputs with, and what it adds.",
    ),
    "all-multiplied": (
        lambda s: int(np.prod(s, dtype=object)),
        "You multiplied all the sizes with each other. A layer only meets the one before it: "
        "count each neighbouring pair on its own, then add up.",
    ),
    "inputs-get-bias": (
        lambda s: _count(s) + s[0],
        "Too many, by as many as there are inputs: the pixels are no layer and have no bias.",
    ),
    "first-layer-only": (
        lambda s: s[0] * s[1] + s[1],
        "You counted the first layer only. Go on through all neighbouring pairs.",
    ),
    "last-layer-missing": (
        lambda s: _count(s[:-1]),
        "The last layer is missing: three layers lie between four sizes.",
    ),
    "last-layer-only": (
        lambda s: s[-2] * s[-1] + s[-1],
        "You counted the last layer only. Is the sum set to 0 inside the loop, or replaced rather "
        "than added to?",
    ),
    "always-from-the-inputs": (
        lambda s: sum(s[0] * n + n for n in s[1:]),
        "You gave every layer the inputs of the first one. A later layer is fed by the units of "
        "the layer before it.",
    ),
    "in-thousands": (
        lambda s: round(_count(s) / 1000, 1),
        "This is the number in thousands. Return it in full; round where you print.",
    ),
    "bias-of-the-first-only": (
        lambda s: sum(a * b for a, b in pairwise(s)) + s[1],
        "Only the first layer's biases are counted. Every layer has one for each of its units.",
    ),
    "bias-of-the-last-only": (
        lambda s: sum(a * b for a, b in pairwise(s)) + s[-1],
        "Only the last layer's biases are counted. Every layer has one for each of its units.",
    ),
    "bias-of-the-hidden-only": (
        lambda s: sum(a * b for a, b in pairwise(s)) + sum(s[1:-1]),
        "The last layer's biases are missing: its units have one each, as all others.",
    ),
    "largest-layer-only": (
        lambda s: max(a * b + b for a, b in pairwise(s)),
        "This is the largest layer alone. Add up all of them.",
    ),
    "mean-of-layers": (
        lambda s: _count(s) / (len(s) - 1),
        "This is the mean of the layers. Add them up.",
    ),
    "added-not-multiplied": (
        lambda s: sum(a + b for a, b in pairwise(s)),
        "You added inputs and units of each layer. Every unit has a weight for every input, so "
        "multiply them; then add a bias for each unit.",
    ),
    "in-bytes": (
        lambda s: 4 * _count(s),
        "Four times too many: each parameter takes four bytes, but they were to be counted.",
    ),
    "first-layer-missing": (
        lambda s: _count(s[1:]),
        "The first layer, by far the largest, is missing: it lies between the pixels and the "
        "first units.",
    ),
}


def _check_count(answer: Callable) -> None:
    if not callable(answer):
        raise Hint("not-a-function", "Leave it a function that takes sizes and returns a number.")
    trials = [[784, 64, 64, 10], [3, 4, 5, 2], [300, 7, 11, 13, 3], [6, 5]]
    answers = [_asked(answer, sizes, first=sizes is trials[0]) for sizes in trials]
    if any(one is None for one in answers):
        raise Hint("returns-nothing", "Your function returns None: its last line must return.")
    got = [number(one) for one in answers]
    if None in got:
        raise Hint(
            "not-a-number",
            "Return one number for the whole network, no list and no text; this is "
            f"{described(answers[got.index(None)])}.",
        )
    wanted = [_count(sizes) for sizes in trials]
    if got == wanted:
        return
    hint_if_known(got[:3], _MISCOUNTS, lambda found, how: found == [how(s) for s in trials[:3]])
    if got[0] == wanted[0]:
        raise Hint("one-network-only", ONE_NETWORK)
    if got[3] != wanted[3]:
        raise Hint(
            "miscounted",
            f"For one layer of 5 units on 6 inputs you say {got[3]}; it is 35. Draw it: six arrows "
            "lead into each unit, and each unit adds one number.",
        )
    raise Hint(
        "miscounted-between",
        f"One layer you count rightly, several not: for {trials[1]} you say {got[1]}; it is 16 + "
        "25 + 12 = 53. Which size is a layer's number of inputs, and which its number of units?",
    )


ONE_NETWORK = (
    "Right for the lesson's network and wrong for another one: use the sizes that come in, "
    "however many there are."
)


def _asked(answer: Callable, sizes: list[int], first: bool) -> Any:
    """What the function says of sizes; a hint if it only takes as many as the lesson's."""
    try:
        return ask(answer, sizes, what="list of sizes")
    except (ValueError, IndexError):
        if first:
            raise
        raise Hint("one-network-only", ONE_NETWORK) from None


# --- c: cut a model ----------------------------------------------------------------------------


def _whole() -> keras.Model:
    """A model to cut, with weights that no fresh layer has by chance."""
    inputs = keras.Input((28, 28))
    x = layers.Flatten(name="flatten")(inputs)
    for name in ("first", "second", "third"):
        x = layers.Dense(6, activation="tanh", bias_initializer="random_normal", name=name)(x)
    return keras.Model(inputs, layers.Dense(CLASSES, name="last")(x))


def _check_cut(answer: Callable) -> None:
    pictures = _pictures() / 255
    for name in ("second", "first"):
        whole = _whole()
        before, count = _run(whole, pictures), len(whole.layers)
        stages = {
            layer.name: _run(keras.Model(whole.input, layer.output), pictures)
            for layer in whole.layers[1:]
        }
        try:
            cut = _model(answer, whole, name)
        except ValueError as problem:
            if "No such layer" not in str(problem):
                raise
            raise Hint(
                "fixed-name",
                f"Asked to cut a model at {name!r}, your function looks for another name. Use the "
                "layer_name that comes in.",
            ) from None
        if not all(layer.trainable for layer in whole.layers):
            raise Hint(
                "frozen",
                "Your function also freezes: the cut has the whole model's own layers, so they are "
                "frozen there as well. The exercise only asks for the cut.",
            )
        if len(whole.layers) != count or not np.array_equal(_run(whole, pictures), before):
            raise Hint(
                "changed-original",
                "After your function the whole model is no longer what it was. A cut leaves it "
                "alone: make a second model that ends earlier.",
            )
        _judge_cut(cut, whole, name, pictures, stages)


def _judge_cut(
    cut: keras.Model,
    whole: keras.Model,
    name: str,
    pictures: np.ndarray,
    stages: dict[str, np.ndarray],
) -> None:
    if cut is whole:
        raise Hint(
            "whole",
            "You returned the whole model: its output is still the last layer's. (model.layers is "
            "a copy of the list; popping from it changes nothing.)",
        )
    inside = {id(layer) for layer in cut.layers}
    if id(whole.layers[-1]) in inside and id(whole.layers[1]) not in inside:
        raise Hint(
            "the-rest",
            "This is the part after the named layer, up to the end. Wanted is the part before it: "
            "from the model's input to the layer's output.",
        )
    if len(cut.inputs) != 1 or cut.inputs[0].shape != whole.inputs[0].shape:
        raise Hint(
            "other-input",
            "The cut model does not begin where the whole one does: give keras.Model the whole "
            "model's own input.",
        )
    if len(cut.outputs) != 1:
        raise Hint("more-outputs", "Give it one output: what leaves the named layer.")
    got = _run(cut, pictures)
    wanted = stages[name]
    if got.shape == wanted.shape and np.allclose(got, wanted, atol=1e-6):
        whole.get_layer("first").set_weights(
            [0.5 * weight for weight in whole.get_layer("first").get_weights()]
        )
        if np.allclose(_run(cut, pictures), wanted, atol=1e-6):
            raise Hint(
                "copied-weights",
                "The same numbers come out, but from a copy: when the whole model is trained "
                "further, your cut stays behind. Use the whole model's own layers.",
            )
        return
    for other, stage in stages.items():
        if got.shape == stage.shape and np.allclose(got, stage, atol=1e-6):
            raise Hint(
                "wrong-layer",
                f"Asked to cut at {name!r}, your model gives what leaves {other!r}. The layer's "
                "output belongs to the cut, what follows it does not.",
            )
    raise Hint(
        "fresh-weights",
        f"The numbers are not those that leave {name!r}: a layer in your model has new, random "
        "weights. Make no new layer and no clone; ask the whole model for the layer it has, and "
        "take that layer's output.",
    )


# --- d: two inputs -----------------------------------------------------------------------------


def _check_two_inputs(answer: Callable) -> None:
    model = _model(answer)
    if len(model.inputs) != 2:
        raise Hint(
            "one-input",
            f"keras.Model was given {len(model.inputs)} input(s). Make two keras.Input, and hand "
            "both to keras.Model in a list.",
        )
    shapes = [tuple(tensor.shape[1:]) for tensor in model.inputs]
    if sorted(shapes, key=len) != [(1,), (28, 28)]:
        raise Hint(
            "input-shape",
            f"The inputs have the shapes {shapes[0]} and {shapes[1]}; wanted are (28, 28) for "
            "the picture and (1,) for the weight. The batch is no part of them.",
        )
    if len(model.outputs) != 1:
        raise Hint(
            "more-outputs",
            f"The model has {len(model.outputs)} outputs. Wanted are ten probabilities that depend "
            "on both inputs: join the two before the last layer.",
        )
    given = tuple(model.outputs[0].shape[1:])
    if len(given) > 1:
        raise Hint(
            "not-flat",
            f"For each picture ten numbers should come out; yours gives {given}. Flatten the "
            "picture before you join it with the weight.",
        )
    if given != (CLASSES,):
        raise Hint(
            "output-shape",
            f"For each picture ten numbers should come out; yours gives {given}. End with a single "
            "Dense(10), after the two inputs are joined.",
        )
    pictures, weights = _pictures(), np.linspace(0, 300, 8, dtype="float32")[:, None]

    # A little at a time: a saturated softmax would hide that an input is used.
    small = _run_both(model, pictures / 255, weights / 300)
    real = _run_both(model, pictures, weights)  # bins of grams, say, see no small ones
    if np.allclose(small.sum(axis=0), 1, atol=1e-4):
        raise Hint(
            "softmax-over-the-batch",
            "The ten numbers of a picture do not add up to 1; those of one class, over all "
            "pictures, do. Softmax belongs on the last axis: leave axis=0 away.",
        )
    if any(
        isinstance(layer, layers.Dense)
        and layer.units == 1
        and layer.activation is keras.activations.softmax
        for layer in model.layers
    ):
        raise Hint(
            "softmax-of-one",
            "Softmax makes numbers add up to 1. Of a single unit it always makes 1, whatever comes "
            "in, so this input tells the model nothing. Take another activation there, or none.",
        )
    if np.array_equal(small, _run_both(model, pictures / 255, 1 - weights / 300)) and (
        np.array_equal(real, _run_both(model, pictures, 300 - weights))
    ):
        raise Hint(
            "weight-unused",
            "Whatever the weight, the answer stays the same: this input is handed to "
            "keras.Model, but nothing between it and the output uses it. Keras does not "
            "complain. Join it with the flattened picture: layers.Concatenate.",
        )
    if np.array_equal(small, _run_both(model, 1 - pictures / 255, weights / 300)):
        raise Hint(
            "picture-unused",
            "Whatever the picture, the answer stays the same: nothing between this input and "
            "the output uses it.",
        )
    if not np.allclose(small.sum(axis=-1), 1, atol=1e-4) or small.min() < 0:
        raise Hint(
            "no-softmax",
            "Both inputs are used, but what comes out are not probabilities: the ten numbers of "
            "a picture do not add up to 1. Look at the last layer's activation.",
        )


def _run_both(model: keras.Model, pictures: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Call a model of two inputs, whether it takes them in a list or by name, in any order."""
    values = [pictures if len(tensor.shape) == 3 else weights for tensor in model.inputs]
    # Keras keeps the inputs' structure under `input`; `inputs` is the same, flattened.
    return _run(model, keras.tree.pack_sequence_as(model.input, values))


EXERCISES: dict[str, Exercise] = {
    "01.a": Exercise("the same network, functionally", _check_functional),
    "01.b": Exercise("parameters by hand", _check_count),
    "01.c": Exercise("cut a model at a layer", _check_cut),
    "01.d": Exercise("a picture and a number", _check_two_inputs),
}
