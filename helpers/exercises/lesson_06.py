"""Checks of lesson 06: find a cut, cut and head, what a head weighs, half a base."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable

import keras
import numpy as np
from keras import layers

from helpers.exercises import open_task
from helpers.exercises.judging import Exercise, Hint
from helpers.exercises.probes import (
    described,
    hint_if_flag_unknown,
    hint_if_known,
    require_model,
    require_number,
)


def check_last_with_size(answer: Callable[[keras.Model, str, int], str]) -> None:
    """06.a: the last layer with a name of that kind and maps of at least that size."""
    model = _staircase()
    # The last of name "mixed" with at least so many rows and columns, for several sizes. Some
    # layer has exactly 16 rows and columns, and none has 14; mixed10 has 4 rows and 3 columns, and
    # would not be the last by the alphabet.
    right = {16: "mixed1", 14: "mixed1", 12: "mixed2", 8: "mixed9", 4: "mixed9", 3: "mixed10"}
    for side, name in right.items():
        result = _last_mixed(answer, model, side)
        if result is None or result == "":
            _judge_no_layer(answer, model, side, result)
        if isinstance(result, list | tuple):
            raise Hint("all-of-them", "You return several things. Return one name, the last.")
        if isinstance(result, layers.Layer):
            raise Hint("layer", "You return the layer itself. Return its name, layer.name.")
        if not isinstance(result, str):
            raise Hint("no-name", f"Return a name, a string; this is {described(result)}.")
        if result == name:
            continue
        wrong = f"For side={side} the answer is not {result!r}"
        if result not in [layer.name for layer in model.layers]:
            raise Hint(
                "no-such-layer",
                f"{wrong}: the model has no layer of that name. Return layer.name as it is.",
            )
        if "mixed" in result and not result.startswith("mixed"):
            raise Hint(
                "anywhere",
                f"{wrong}: 'mixed' stands in its name, but the name does not begin with it. Ask "
                "layer.name.startswith(prefix).",
            )
        if not result.startswith("mixed"):
            raise Hint(
                "prefix",
                f"{wrong}: its name does not begin with 'mixed'. Layers within a block have maps "
                "of the same size as its end; the prefix keeps them out.",
            )
        _, rows, columns, _ = model.get_layer(result).output.shape
        if columns < side <= rows:
            raise Hint(
                "rows-only",
                f"{wrong}: its output has {rows} rows, which is enough, and only {columns} "
                "columns. Look at both; the smaller of the two decides.",
            )
        if rows < side <= columns:
            if _last_mixed(answer, model, 8) == "mixed10":
                raise Hint(
                    "input",
                    f"{wrong}: one too far; {result} gets 16 rows and gives {rows}. Measure "
                    "layer.output.shape, and take that very layer, not the next.",
                )
            raise Hint(
                "columns-only",
                f"{wrong}: its output has {columns} columns, which is enough, and only {rows} "
                "rows. Look at both; the smaller of the two decides.",
            )
        if min(rows, columns) < side:
            raise Hint(
                "too-small",
                f"{wrong}: its output has {rows} rows and {columns} columns. Both have to be at "
                "least as many as asked for.",
            )
        if (result, name) == ("mixed9", "mixed10"):
            raise Hint(
                "alphabet",
                f"{wrong}: by the alphabet mixed9 comes after mixed10, in the network before it. "
                "Keep the order of model.layers.",
            )
        raise Hint(
            "not-last",
            f"{wrong}: it is large enough, but a later one is, too. Layers come in the order of "
            "the network; take the last that fits, also where no output has exactly that size.",
        )
    if answer(model, "stem", 3) != "stem_b":
        raise Hint(
            "fixed-prefix",
            "With the prefix 'stem' your answer is no layer of the stem. Use the prefix that is "
            "passed in.",
        )
    if answer(model, "step", 20) != "step_c":
        raise Hint(
            "stops-early",
            "Right as long as maps only shrink. A network may enlarge them again: step_a has 32 "
            "rows, step_b 16 and step_c 32, and the last with at least 20 is step_c. Go through "
            "all layers.",
        )


def _last_mixed(answer: Callable[[keras.Model, str, int], str], model: keras.Model, side: int):
    """Ask for the last "mixed" of a size; an empty name where the answer's own list is empty."""
    try:
        return answer(model, "mixed", side)
    except (IndexError, StopIteration) as problem:
        if "tuple" in str(problem):  # an index beyond a shape, not into an empty list
            raise
        return ""


def _judge_no_layer(
    answer: Callable[[keras.Model, str, int], str], model: keras.Model, side: int, result: object
) -> None:
    """Say why no layer is left for this side; `result` is "" where the answer raised."""
    mixed = [layer for layer in model.layers if layer.name.startswith("mixed")]
    sizes = [tuple(layer.output.shape[1:3]) for layer in mixed]
    if (side, side) in sizes:
        if _last_mixed(answer, model, side - 1) == "mixed1":
            raise Hint(
                "more-than",
                f"For side={side} no layer is left, although mixed1 has {side} rows and {side} "
                "columns. 'At least' is >=: the size itself counts.",
            )
    elif not any(side in size for size in sizes):
        raise Hint(
            "exactly",
            f"For side={side} no layer is left: no output has exactly {side} rows and columns. "
            "'At least' is >=.",
        )
    if result is None:
        raise Hint("no-name", f"Return a name, a string; this is {described(result)}.")
    raise Hint(
        "no-layer",
        f"For side={side} no layer is left. Ask name.startswith(prefix), and take "
        "rows and columns from output.shape, which is (batch, rows, columns, channels).",
    )


def _staircase() -> keras.Model:
    """Layers of 32 x 32 places down to 4 x 3; mixed1 repeats a size, later ones are not square."""
    inputs = keras.Input((32, 32, 3), name="image")
    x = layers.Conv2D(2, 3, padding="same", name="stem_a")(inputs)
    x = layers.Conv2D(2, 1, name="stem_b")(x)
    x = layers.Conv2D(2, 1, name="step_a")(x)
    x = layers.MaxPooling2D(2, name="step_b")(x)
    x = layers.UpSampling2D(2, name="step_c")(x)
    x = layers.MaxPooling2D(2, name="mixed0")(x)  # 16 x 16
    x = layers.Conv2D(2, 1, name="mixed1")(x)  # 16 x 16
    x = layers.ZeroPadding2D(((0, 0), (0, 2)), name="widen")(x)
    x = layers.AveragePooling2D((1, 1), name="inner_1")(x)  # 16 x 18
    x = layers.Conv2D(2, (4, 1), name="mixed2")(x)  # 13 x 18
    x = layers.Conv2D(2, (6, 9), name="mixed9")(x)  # 8 x 10
    x = layers.Conv2D(2, 1, name="inner_2")(x)
    x = layers.AveragePooling2D((2, 3), name="mixed10")(x)  # 4 x 3
    x = layers.Conv2D(2, 1, name="premixed")(x)
    return keras.Model(inputs, x)


def check_cut_and_head(answer: Callable[[keras.Model, str], keras.Model]) -> None:
    """06.b: frozen base, cut inside, average pooling, one sigmoid unit."""
    base = _small_base()
    try:
        result = answer(base, "block2")
    except (AttributeError, TypeError, ValueError) as problem:
        # Keras shows the layer that it got as <ReLU name=block2, built=True>.
        if "name=block2, built" not in str(problem) and "'ReLU' object" not in str(problem):
            raise
        raise Hint(
            "layer",
            "base.get_layer(cut) returns the layer itself. The tensor that comes out of it is "
            "base.get_layer(cut).output.",
        ) from None
    model = require_model(result)
    shape = tuple(model.output_shape)  # a Sequential has no .output
    if len(shape) == 4:
        raise Hint(
            "no-pool",
            f"The output still has rows and columns: its shape is {shape}. Average over the "
            "places before the unit that decides.",
        )
    inside = _inside(model)
    dense = [layer for layer in inside if isinstance(layer, layers.Dense)]
    if not dense:
        raise Hint(
            "no-head",
            f"The output has the shape {shape}, and no Dense layer makes it. Put one unit with a "
            "sigmoid on the averages: it decides between the two classes.",
        )
    if shape != (None, 1):
        raise Hint(
            "units",
            f"The output has the shape {shape}. For two classes one unit is enough: it gives the "
            "probability of class 1.",
        )
    if not any(layer is base.get_layer("block2_conv") for layer in inside):
        raise Hint(
            "copy",
            "Your model has none of the base's own layers up to the cut. A copy or another network "
            "has other numbers: go from base.input to base.get_layer(cut).output.",
        )
    got = dense[0].kernel.shape[0]
    if got == 7:
        raise Hint(
            "from-the-end",
            "The head sits on the output of the whole base: it gets 7 features, and the layer at "
            "the cut has 6. Use base.get_layer(cut).output.",
        )
    if got > 7:
        raise Hint(
            "flatten",
            f"The head gets {got} numbers for an image, all places of all maps. Average "
            "over the places, so that one number is left for each of the 6 maps.",
        )
    _, rows, columns, maps = base.get_layer("block2").output.shape
    if got in (rows, columns):
        raise Hint(
            "axes",
            f"The head gets {got} numbers for an image, and there are {maps} maps: averaged over "
            "the wrong axes. In (batch, rows, columns, channels), rows and columns are 1 and 2.",
        )
    if len(dense) != 1 or got != maps:
        raise Hint(
            "head",
            f"The head should be average pooling and one Dense layer of one unit, on the {maps} "
            "maps of the layer at the cut.",
        )
    _judge_output(model, base, dense[0])
    hint_if_flag_unknown(base)
    own = len(dense[0].weights)
    if len(model.trainable_weights) > own:
        raise Hint(
            "not-frozen",
            f"The outputs are right, but {len(model.trainable_weights)} arrays would be trained; "
            f"the head has {own}. Freeze the base.",
        )
    if len(model.trainable_weights) < own:
        raise Hint(
            "all-frozen",
            "Nothing would be trained, not even the head. Freeze the base and leave the new "
            "layers as they are.",
        )
    if any(weight.trainable for weight in base.weights):
        raise Hint(
            "behind-the-cut",
            "A part of the base can still be trained, behind the cut. It is not in your model, "
            "but the task says to freeze the whole base.",
        )


def _judge_output(model: keras.Model, base: keras.Model, unit: layers.Dense) -> None:
    """Raise a hint if the output is not the sigmoid of what the unit makes of the averages."""
    # Pale images and strong ones, and weights of the unit for which they lie on both sides of zero.
    images = np.random.default_rng(6).uniform(0, 1, (3, *base.input_shape[1:]))
    images *= np.reshape([0.2, 1.0, 3.0], (3, 1, 1, 1))

    def gathered(layer: str, gather: Callable = np.mean) -> np.ndarray:
        maps = keras.Model(base.input, base.get_layer(layer).output)(images)
        return gather(np.asarray(maps), axis=(1, 2))

    features = gathered("block2")
    unit.kernel.assign(np.linspace(1, 2, len(features[1]))[:, None] / features[1].sum())
    if unit.use_bias:
        unit.bias.assign([-1.5])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own remark on a softmax over one unit
        guesses = np.asarray(model(images, training=False))

    def decided(features: np.ndarray) -> np.ndarray:
        return np.asarray(features @ unit.kernel.numpy() + (unit.bias if unit.use_bias else 0))

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    def same(one: np.ndarray, other: np.ndarray) -> bool:
        return np.allclose(one, other, atol=1e-4)

    right = decided(features)
    if same(guesses, sigmoid(right)):
        return
    mistakes = {
        "softmax": (
            np.ones_like(right),
            "The probability is 1 for every image. Softmax makes the units of a layer add up to "
            "1, and here there is one unit; a single unit needs a sigmoid.",
        ),
        "no-sigmoid": (
            right,
            "The output is any number, not a probability: the last layer has no activation. Give "
            "it a sigmoid.",
        ),
        "tanh": (
            np.tanh(right),
            "The last activation is tanh, from -1 to 1. A probability lies between 0 and 1: that "
            "is the sigmoid.",
        ),
        "relu": (
            np.maximum(right, 0),
            "The last activation is ReLU: its output has no upper end. A probability lies between "
            "0 and 1: that is the sigmoid.",
        ),
        "largest": (
            sigmoid(decided(gathered("block2", np.max))),
            "The head gets the largest value of each map. The task asks for the average: "
            "GlobalAveragePooling2D.",
        ),
        "sum": (
            sigmoid(decided(gathered("block2", np.sum))),
            "The head gets the sum of each map. The task asks for the average.",
        ),
        "two-sigmoids": (
            sigmoid(sigmoid(right)),
            "A sigmoid of a sigmoid: such an output never falls below one half. Take one of them.",
        ),
        "before-the-cut": (
            sigmoid(decided(gathered("block2_conv"))),
            "The head sits on what goes into the layer at the cut. Take what comes out of it: "
            "base.get_layer(cut).output.",
        ),
    }
    hint_if_known(guesses, mistakes, same=same)
    raise Hint(
        "other-output",
        "The output is not the sigmoid of the averaged maps at the cut. Follow the chain: "
        "base.input, the layer's output, average pooling, one unit with a sigmoid.",
    )


def _inside(model: keras.Model) -> list[layers.Layer]:
    """All layers, those of models inside the model too: a head may be a Sequential."""
    found = []
    for layer in model.layers:
        found += _inside(layer) if isinstance(layer, keras.Model) else [layer]
    return found


def _small_base() -> keras.Model:
    """Three convolutions, of 4, 6 and 7 maps; the second ends in ReLU at `block2`, 5 x 4 places."""
    inputs = keras.Input((24, 20, 3))
    x = layers.Conv2D(4, 3, strides=2, activation="relu", kernel_initializer=_fixed())(inputs)
    x = layers.Conv2D(6, 3, strides=2, kernel_initializer=_fixed(), name="block2_conv")(x)
    x = layers.ReLU(name="block2")(x)
    x = layers.Conv2D(7, 3, activation="relu", kernel_initializer=_fixed(), name="block3")(x)
    return keras.Model(inputs, x, name="small_base")


def _fixed() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=0.4, seed=6)


def check_flatten_head_parameters(answer: Callable[[tuple, int], int]) -> None:
    """06.c: parameters of Flatten, Dense(units), Dense(1)."""
    for (rows, columns, channels), units in (((4, 6, 5), 9), ((7, 7, 768), 1024)):
        result = require_number(answer((rows, columns, channels), units), "one whole number")
        case = f"For maps of {rows} × {columns} × {channels} and {units} units"
        wrong = _wrong_counts(result, (rows, columns, channels), units)
        if wrong == []:
            continue
        if wrong is None:
            raise Hint(
                "miscounted",
                f"{case} you get {result:,}. A Dense layer has a weight for each pair of input and "
                "unit, and a bias for each unit; there are two such layers.",
            )
        code = "half" if wrong in (["first-biases", "last-bias"], ["no-second"]) else wrong[0]
        said = [COUNTS["half"]] if code == "half" else [COUNTS[one] for one in wrong]
        raise Hint(code, f"{case}: " + " ".join(said))


COUNTS = {
    "pooled": "You count as if the maps had been averaged. Flatten keeps every place of every map.",
    "one-map": "You count the places of one map, and there is one for each channel.",
    "sum": "You add the three sizes up. How many numbers there are is their product.",
    "square": "You count rows times rows: these maps are not square.",
    "no-rows": "The number of rows plays no part in your count.",
    "no-columns": "The number of columns plays no part in your count.",
    "lesson-shape": "You count maps of 7 × 7 × 768. Use the shape that is passed in.",
    "lesson-units": "You count 1,024 units. Use the units that are passed in.",
    # The weights of both layers without a bias happen to be as many as the first layer has.
    "half": "You count either the first Dense layer only, or the weights only and no bias. There "
    "are two layers, and each unit of both has a bias.",
    "no-first": "You count the last layer only. The first has the most.",
    "first-biases": "The units of the first layer have no bias in your count.",
    "one-bias": "You give the first layer one bias. Each of its units has one.",
    "bias-of-inputs": "You count a bias for each number that comes in. A bias belongs to a unit.",
    "no-second": "You leave the last layer out: it has a weight for each unit before it, and a "
    "bias.",
    "second-as-wide": "The last layer has one unit, not as many as the first.",
    "two-classes": "One unit decides between two classes; you count two.",
    "last-bias": "You are one short: the last unit has a bias, too.",
    "one-more": "You are one over: the last unit has one bias.",
    "flatten": "You count the numbers that Flatten passes on. It has no parameters.",
    "thousands": "You return thousands. Return the number itself.",
    "millions": "You return millions. Return the number itself.",
    "bytes": "You return bytes, four for each parameter. Return how many parameters.",
}
"""What is said of each part of a count that is not as it should be."""


def _wrong_counts(found: float, shape: tuple[int, int, int], units: int) -> list[str] | None:
    """Take a count apart: the fewest parts, two at most, that explain it; None if nothing does."""
    rows, columns, channels = shape
    numbers = {
        "": rows * columns * channels,
        "pooled": channels,
        "one-map": rows * columns,
        "sum": sum(shape),
        "square": rows**2 * channels,
        "no-rows": columns * channels,
        "no-columns": rows * channels,
        "lesson-shape": 7 * 7 * 768,
    }
    scales = {"": 1, "thousands": 1e-3, "millions": 1e-6, "bytes": 4}
    fits = []
    # A whole number of thousands or millions was rounded, up or down.
    rounded = {"thousands": 1.0, "millions": 1.0} if float(found).is_integer() else {}
    for (what, n), (wide, u), (unit, scale) in itertools.product(
        numbers.items(), {"": units, "lesson-units": 1024}.items(), scales.items()
    ):
        first = {
            "": (n + 1) * u,
            "no-first": 0,
            "first-biases": n * u,
            "one-bias": n * u + 1,
            "bias-of-inputs": n * u + n,
        }
        second = {
            "": u + 1,
            "no-second": 0,
            "second-as-wide": (u + 1) * u,
            "two-classes": 2 * u + 2,
            "last-bias": u,
            "one-more": u + 2,
        }
        for (one, a), (two, b), (more, c) in itertools.product(
            first.items(), second.items(), {"": 0, "flatten": n}.items()
        ):
            value = scale * (a + b + c)
            near = value > 1 and abs(found - value) < rounded.get(unit, 0)
            if near or math.isclose(found, value, rel_tol=1e-12):
                fits.append([code for code in (what, wide, one, two, more, unit) if code])
    return min((fit for fit in fits if len(fit) <= 2), key=len, default=None)


PIXELS, CUTS, LIMIT = 96, (601, 602, 603), 60.0
MOST_PARAMETERS, MOST_NUMBERS = 1_500_000, 5_000
TARGET = 0.61
"""The share of hidden images to name right, mean of three deals of the photographs."""
MARKS = {  # what cuts reach, in one run each
    "guessing": 0.10,
    "a cut behind block3b": 0.33,
    "the recipe's cut, behind block5c": 0.56,
    "the last cut in the budget, behind block6b": 0.64,
    "both of these side by side": 0.66,
}


def check_half_a_network(answer: Callable[[keras.Model], keras.Model]) -> str:
    """06.d: numbers from at most 1.5 million parameters, judged by a linear head on them."""
    from helpers.backbones import EfficientNetLite0

    base = EfficientNetLite0(include_top=False, weights="imagenet", input_shape=(PIXELS, PIXELS, 3))
    model = require_model(open_task.in_time(lambda: answer(base), LIMIT))
    _require_row_of_numbers(model, base)
    score = _linear_score(model)
    said = (
        f"{score:.0%} of the hidden images are named right, the mean of three deals: "
        f"{open_task.between(score, MARKS)}."
    )
    if score >= TARGET:
        return said
    said += f" To reach: {TARGET:.0%}. "
    if score < 0.15:
        raise Hint(
            "knows-nothing",
            said + "That is guessing. The commonest reason: layers with random numbers, or what "
            "comes out is the same for every image.",
        )
    if score < 0.50:
        raise Hint(
            "too-early",
            said + "The commonest reason: a cut near the images, where a network sees edges and "
            "textures only. Cut later; print how many parameters a cut leaves.",
        )
    raise Hint(
        "not-deep-enough",
        said + "The commonest reason: a cut well before the budget ends. Use what it allows, and "
        "keep an earlier output beside it.",
    )


def _require_row_of_numbers(model: keras.Model, base: keras.Model) -> None:
    """Raise a hint if it is no frozen model from the base's input to one row of numbers."""
    if len(model.inputs) != 1 or model.inputs[0] is not base.input:
        raise Hint(
            "other-input",
            "The model has to begin at base.input: it gets images of 96 × 96 pixels, 0 to 255, "
            "and the numbers of ImageNet are in the base.",
        )
    if len(model.outputs) != 1 or len(model.outputs[0].shape) != 2:
        shapes = ", ".join(str(tuple(output.shape)) for output in model.outputs)
        raise Hint(
            "maps",
            f"One row of numbers for each image is wanted, shape (None, numbers); yours is "
            f"{shapes}. Pool the maps, and put several outputs side by side with Concatenate.",
        )
    if model.count_params() > MOST_PARAMETERS:
        raise Hint(
            "over-budget",
            f"The model has {model.count_params():,} parameters; the budget is "
            f"{MOST_PARAMETERS:,}. Cut the base earlier.",
        )
    if model.outputs[0].shape[1] > MOST_NUMBERS:
        raise Hint(
            "too-wide",
            f"{model.outputs[0].shape[1]:,} numbers for an image: that is more than a linear head "
            "can learn from a few hundred images. Pool the maps in place of flattening them.",
        )
    if model.trainable_weights:
        raise Hint("not-frozen", "Its layers can still be trained. Freeze the base first.")


def _linear_score(model: keras.Model) -> float:
    """The share of hidden images that a linear head (ridge regression) on the numbers names."""
    from helpers.features import extract_features

    images, labels, photographs = open_task.stamps_images(PIXELS)
    numbers, _ = extract_features(model, images)
    shares = []
    for seed in CUTS:
        parts = open_task.cut(labels, photographs, seed)
        known, hidden = np.concatenate([parts["train"], parts["val"]]), parts["hidden"]
        middle, spread = numbers[known].mean(axis=0), numbers[known].std(axis=0) + 1e-6
        given, asked = (numbers[known] - middle) / spread, (numbers[hidden] - middle) / spread
        targets = np.eye(10)[labels[known]]
        penalty = max(numbers.shape[1], 1) * np.eye(len(given))
        weights = given.T @ np.linalg.solve(given @ given.T + penalty, targets - targets.mean(0))
        guessed = (asked @ weights + targets.mean(0)).argmax(axis=1)
        shares.append(np.mean(guessed == labels[hidden]))
    return float(np.mean(shares))


EXERCISES = {
    "06.a": Exercise("Find the cut by its size", check_last_with_size),
    "06.b": Exercise("Cut, freeze, and put a head on", check_cut_and_head),
    "06.c": Exercise("What the head will weigh", check_flatten_head_parameters),
    "06.d": Exercise("See with half a network", check_half_a_network, open_task.SECONDS),
}
