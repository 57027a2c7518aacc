"""Checks of lesson 06: find a cut by its size, cut and head, a head's weight, names."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import keras
import numpy as np
from keras import layers

from helpers.exercises.judging import Exercise, Hint
from helpers.exercises.probes import described, hint_if_known, require_model, require_number


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
            raise Hint("all-of-them", "You return several. Return only the last of them.")
        if isinstance(result, layers.Layer):
            raise Hint("layer", "You return the layer itself. Return its name, layer.name.")
        if not isinstance(result, str):
            raise Hint("no-name", f"Return a name, a string; this is {described(result)}.")
        if result == name:
            continue
        wrong = f"For side={side} the answer is not {result!r}"
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
    if isinstance(model, keras.Sequential):
        # Its shapes may be known; but Keras 3 gives a Sequential no `.output` even then.
        raise Hint(
            "sequential",
            "A Sequential that was never called has no .output, and the lesson asks for it below. "
            "Write the steps functionally, each layer called on a tensor, and tie the ends: "
            "keras.Model(base.input, outputs).",
        )
    shape = tuple(model.output.shape)
    if len(shape) == 4:
        raise Hint(
            "no-pool",
            f"The output still has rows and columns: its shape is {shape}. Average over the "
            "places before the unit that decides.",
        )
    if shape != (None, 1):
        raise Hint(
            "units",
            f"The output has the shape {shape}. For two classes one unit is enough: it gives the "
            "probability of class 1.",
        )
    images = np.random.default_rng(6).uniform(0, 1, (5, 24, 24, 3)).astype("float32")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own remark on a softmax over one unit
        guesses = np.asarray(model(images, training=False))
    if np.allclose(guesses, 1):
        raise Hint(
            "softmax",
            "The probability is 1 for every image. Softmax makes the units of a layer add up to "
            "1, and here there is one unit; a single unit needs a sigmoid.",
        )
    dense = [layer for layer in _inside(model) if isinstance(layer, layers.Dense)]
    kernels = [layer.kernel.shape[0] for layer in dense]
    if kernels and kernels[0] == 7:
        raise Hint(
            "from-the-end",
            "The head sits on the output of the whole base: it gets 7 features, and the layer at "
            "the cut has 5. Use base.get_layer(cut).output.",
        )
    if kernels and kernels[0] > 7:
        raise Hint(
            "flatten",
            f"The head gets {kernels[0]} numbers for an image, all places of all maps. Average "
            "over the places, so that one number is left for each of the 5 maps.",
        )
    at_cut = keras.Model(base.input, base.get_layer("block2").output)(images)
    features = np.mean(at_cut, axis=(1, 2))
    if len(dense) != 1 or kernels != [5]:
        raise Hint(
            "head",
            "The head should be average pooling and one Dense layer of one unit, on the 5 maps of "
            "the layer at the cut.",
        )
    logits = features @ dense[0].kernel.numpy() + dense[0].bias.numpy()
    if np.allclose(guesses, logits, atol=1e-4):
        raise Hint(
            "no-sigmoid",
            "The output is any number, not a probability: the last layer has no activation. Give "
            "it a sigmoid.",
        )
    if not np.allclose(guesses, 1 / (1 + np.exp(-logits)), atol=1e-4):
        raise Hint(
            "other-output",
            "The output is not the sigmoid of the averaged maps at the cut. Follow the chain: "
            "base.input, the layer's output, average pooling, one unit with a sigmoid.",
        )
    if len(model.trainable_weights) > 2:
        raise Hint(
            "not-frozen",
            f"The outputs are right, but {len(model.trainable_weights)} arrays would be trained; "
            "the head has 2. Freeze the base.",
        )
    if len(model.trainable_weights) < 2:
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


def _inside(model: keras.Model) -> list[layers.Layer]:
    """All layers, those of models inside the model too: a head may be a Sequential."""
    found = []
    for layer in model.layers:
        found += _inside(layer) if isinstance(layer, keras.Model) else [layer]
    return found


def _small_base() -> keras.Model:
    """Three convolutions, of 4, 5 and 7 maps; the second ends in ReLU at `block2`."""
    inputs = keras.Input((24, 24, 3))
    x = layers.Conv2D(4, 3, strides=2, activation="relu", kernel_initializer=_fixed())(inputs)
    x = layers.Conv2D(5, 3, strides=2, kernel_initializer=_fixed(), name="block2_conv")(x)
    x = layers.ReLU(name="block2")(x)
    x = layers.Conv2D(7, 3, activation="relu", kernel_initializer=_fixed(), name="block3")(x)
    return keras.Model(inputs, x, name="small_base")


def _fixed() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=0.4, seed=6)


def check_flatten_head_parameters(answer: Callable[[tuple, int], int]) -> None:
    """06.c: parameters of Flatten, Dense(units), Dense(1)."""
    for (rows, columns, channels), units in (((3, 4, 5), 6), ((7, 7, 768), 1024)):
        result = require_number(answer((rows, columns, channels), units), "one whole number")
        numbers = rows * columns * channels
        right = (numbers + 1) * units + units + 1
        if result == right:
            continue
        case = f"For maps of {rows} × {columns} × {channels} and {units} units"
        mistakes = {
            # The weights of both layers without a bias happen to be just as many.
            "half": (
                (numbers + 1) * units,
                f"{case} you count either the first Dense layer only, or the weights only and no "
                "bias. There are two layers, and each unit of both has a bias.",
            ),
            "pooled": (
                (channels + 1) * units + units + 1,
                f"{case} you count as if the maps had been averaged to {channels} numbers. "
                "Flatten keeps every place of every map.",
            ),
            "last-bias": (
                (numbers + 1) * units + units,
                f"{case} you are one short: the last unit has a bias, too.",
            ),
            "one-map": (
                (rows * columns + 1) * units + units + 1,
                f"{case} you count the places of one map. There are {channels} maps.",
            ),
            "first-biases": (
                numbers * units + units + 1,
                f"{case} the {units} units of the first layer have no bias in your count.",
            ),
        }
        hint_if_known(result, mistakes)
        raise Hint(
            "miscounted",
            f"{case} you get {result:,}. A Dense layer has a weight for each pair of input and "
            "unit, and a bias for each unit; there are two such layers.",
        )


def check_to_names(answer: Callable[[np.ndarray, list[str]], list[str]]) -> None:
    """06.d: names of class 0 and class 1 from probabilities of class 1, shape (images, 1)."""
    probabilities = np.array([[0.1], [0.9], [0.55], [0.45], [0.999]], dtype="float32")
    right = ["cat", "dog", "dog", "cat", "dog"]
    try:
        result = answer(probabilities.copy(), ["cat", "dog"])
    except TypeError as problem:
        said = str(problem)
        if "array" in said:  # also in "ndarray"; NumPy has a message for each place
            raise Hint(
                "row",
                "Each row of `probabilities` is itself an array with one number in it. Take the "
                "number out first: row[0], or all at once with probabilities.ravel(). And a list "
                "wants a whole number as its index: int(p > 0.5).",
            ) from None
        if said.startswith("list indices must be"):
            raise Hint(
                "index",
                "A list wants a whole number as its index, and yours is of the type "
                f"{said.split()[-1]}. int makes it one: int(p > 0.5).",
            ) from None
        raise
    if isinstance(result, np.ndarray):
        result = result.tolist()
    if not isinstance(result, list | tuple):
        raise Hint("no-list", f"Return a list of names; this is {described(result)}.")
    result = list(result)
    if result == right:
        if list(answer(probabilities[:2].copy(), ["no", "yes"])) != ["no", "yes"]:
            raise Hint("fixed-names", "Take the names that are passed in, not names of your own.")
        return
    if result and all(isinstance(item, list | tuple | np.ndarray) for item in result):
        raise Hint(
            "nested",
            "Each entry of your list is a list itself: the probabilities have the shape "
            "(images, 1). Take the one number out of each row.",
        )
    if not all(isinstance(item, str) for item in result):
        raise Hint("numbers", "Your list holds numbers. Use them to pick from the names.")
    if len(result) != len(right):
        raise Hint("length", f"Five images need five names; your list has {len(result)}.")
    if set(result) == {"cat"}:
        raise Hint(
            "argmax",
            "Every image is a cat, whatever its probability. argmax looks for the largest column, "
            "and there is one column, so it always says 0. Compare with 0.5.",
        )
    if result == ["dog", "cat", "cat", "dog", "cat"]:
        raise Hint(
            "reversed",
            "All names are the wrong way round. A sigmoid gives the probability of class 1, the "
            "second name.",
        )
    raise Hint(
        "threshold",
        "Some names are right. The border between the two classes is a probability of 0.5: "
        "0.55 belongs to class 1, 0.45 to class 0.",
    )


EXERCISES = {
    "06.a": Exercise("Find the cut by its size", check_last_with_size),
    "06.b": Exercise("Cut, freeze, and put a head on", check_cut_and_head),
    "06.c": Exercise("What the head will weigh", check_flatten_head_parameters),
    "06.d": Exercise("From a probability to a name", check_to_names),
}
