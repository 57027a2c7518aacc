"""Checks of lesson 02: pooling by hand, passing the rescaled image on, what changed.

And an open one: a head, trained on some photographs and judged on others.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import keras
import numpy as np
from keras import layers

from helpers.exercises import open_task
from helpers.exercises.judging import Exercise, Hint
from helpers.exercises.open_task import Pair
from helpers.exercises.probes import (
    ask,
    close,
    described,
    hint_if_flag_unknown,
    hint_if_known,
    require_model,
    require_number,
)

AXES = ("images", "height", "width", "features")


def check_pool_by_hand(answer: Callable[[np.ndarray], np.ndarray]) -> None:
    """02.a: the mean over height and width of maps of shape (images, height, width, features)."""
    maps = np.random.default_rng(2).normal(size=(2, 3, 4, 5)).astype("float32")
    returned = ask(answer, maps, what="maps")
    if isinstance(returned, list | tuple):
        raise Hint(
            "list",
            "You return a list. Wanted is an array, which has a shape and is fast: leave out "
            "tolist(), or make one with np.array.",
        )
    result = np.asarray(returned)
    if not np.issubdtype(result.dtype, np.number):
        raise Hint("no-array", f"Return an array of numbers; this is {described(returned)}.")
    right, summed = maps.mean(axis=(1, 2)), maps.sum(axis=(1, 2))
    if close(result, right, 1e-5):
        return
    _hint_at_other_axes(result, maps)
    places = summed[0, 0] / result.flat[0] if result.size and result.flat[0] else 1.0
    mistakes = {
        "max": (
            maps.max(axis=(1, 2)),
            "These are the largest values, which is GlobalMaxPooling2D. Average pooling takes the "
            "mean.",
        ),
        "sum": (
            summed,
            "This is the sum over all places; it grows with the size of the image. Divide by the "
            "number of places, or take the mean.",
        ),
        "other-size": (
            summed / places,
            f"You divided the sum of the places by {places:.3g}; these maps have 3 x 4 = 12 "
            "places. Take the number from maps.shape, height times width, or take the mean.",
        ),
        "mixed": (
            maps.reshape(2, 5, 12).mean(axis=2),
            "You reshaped to (images, features, places). That does not move an axis, it only "
            "counts the same row of numbers anew, so places and features are mixed. The features "
            "are last: reshape to (images, places, features), or name two axes.",
        ),
        "one-image": (
            right[0],
            "This is the average of the first image alone. Keep axis 0: one row for each image.",
        ),
        "transposed": (
            right.T,
            "These are the right numbers with the axes exchanged: wanted is (images, features).",
        ),
        "keepdims": (
            right[:, None, None],
            f"The right numbers, but of shape {result.shape}: height and width are still there, "
            "as axes of length 1. Leave keepdims away.",
        ),
        "flatten": (
            maps.reshape(2, -1),
            "You put all places side by side, which is what Flatten does. Pooling makes one number "
            "of all places of a feature.",
        ),
    }
    hint_if_known(result, mistakes, lambda found, wrong: close(found, wrong, 1e-4))
    if close(result, right, 0.06):
        raise Hint(
            "rounded",
            "These are the averages, rounded. Return them as they are: a head would learn from "
            "what you cut off.",
        )
    if result.shape == (2, 5) and np.isin(result, maps).all():
        raise Hint(
            "one-place",
            "Every number of yours stands in the maps as it is: you took one place of each, such "
            "as the first or the middle one, where the mean of all places is wanted.",
        )
    if result.shape == (2, 5):
        raise Hint(
            "other-values",
            f"The shape is right, the numbers are not: for the first image's first feature you "
            f"give {result[0, 0]:.3g}, and the average of its twelve places is {right[0, 0]:.3g}. "
            "Which function makes one number of the places?",
        )
    raise Hint(
        "shape",
        f"For maps of shape (2, 3, 4, 5) the result should have the shape (2, 5), one number for "
        f"each image and feature; yours has {result.shape}.",
    )


def _hint_at_other_axes(result: np.ndarray, maps: np.ndarray) -> None:
    """Raise Hint if these are averages over other axes than height and width."""
    if close(result, np.mean(maps), 1e-5):
        raise Hint(
            "all-axes",
            "You got one single number. Averaging over every axis also mixes images and features; "
            "keep one number for each image and feature by naming the axes to average over.",
        )
    for axes in [axes for count in (1, 2, 3) for axes in combinations(range(4), count)]:
        for kept in (False, True):
            if not close(result, maps.mean(axis=axes, keepdims=kept), 1e-5) or axes == (1, 2):
                continue
            over = " and ".join(AXES[axis] for axis in axes)
            code, why = "one-axis", "Of the places, only one direction is gone."
            if 0 in axes:
                code, why = "batch-axis", "So different photographs become one."
            elif axes == (1, 3):
                code = "shifted-axis"
                why = "After a mean over axis 1 there is one axis fewer: what was axis 3 is axis 2."
            elif 3 in axes:
                code, why = "feature-axis", "Keep the features."
            raise Hint(
                code,
                f"You averaged over {over}. {why} Average over height and width, the axes 1 and 2 "
                "of (images, height, width, features).",
            )


def check_wire(answer: Callable[[keras.Model, layers.Layer], keras.Model]) -> None:
    """02.b: image -> scale -> frozen base -> average over places."""
    base, scale = _small_base(), layers.Rescaling(1 / 127.5, offset=-1)
    try:
        model = require_model(answer(base, scale))
    except ValueError as problem:
        if "not connected" not in str(problem):
            raise
        raise Hint(
            "not-connected",
            "What leaves your model does not come from its inputs. base.output comes from the "
            "base's own input: call the base on the rescaled tensor, base(x), and go on with what "
            "it returns.",
        ) from None
    images = np.random.default_rng(3).uniform(0, 255, (2, 32, 32, 3)).astype("float32")

    def maps(x: np.ndarray) -> np.ndarray:
        return np.asarray(base(x, training=False))

    right = maps(scale(images))
    result = np.asarray(model(images, training=False))
    if result.ndim == 4:
        raise Hint(
            "no-pool",
            f"The output still has height and width: its shape is {result.shape}. Average over the "
            "places with GlobalAveragePooling2D.",
        )
    if result.shape == (2, right[0].size):
        raise Hint(
            "flatten",
            f"Each image gives {right[0].size} numbers: Flatten keeps every place. Average over "
            "the places, and 6 features are left.",
        )
    if result.shape == (2, 10):
        raise Hint(
            "head",
            "There is a head on it already: ten numbers come out. This exercise ends at the "
            "features, after the pooling.",
        )
    mean = {"axis": (1, 2)}
    mistakes = {
        "thrown-away": (
            maps(images).mean(**mean),
            "The base got the image as it came, 0 to 255: what the rescaling returned was thrown "
            "away. Give the base the rescaled tensor, not the inputs.",
        ),
        "twice": (
            maps(scale(scale(images))).mean(**mean),
            "The image is rescaled twice, so almost nothing is left of it.",
        ),
        "scaled-before": (
            maps(scale(images / 255)).mean(**mean),
            "The image is divided by 255 and then rescaled again, so almost nothing is left of it. "
            "`scale` does all that the base wants: call it on the inputs.",
        ),
        "other-scale": (
            maps(images / 255).mean(**mean),
            "The base got values from 0 to 1, from a division of your own. It wants -1 to 1, and "
            "`scale`, which you were given, makes that.",
        ),
        "scaled-after": (
            np.asarray(scale(maps(images))).mean(**mean),
            "You rescaled what leaves the base. It is the image that has to be rescaled, before "
            "the base sees it.",
        ),
        "max": (right.max(**mean), "This pools with the maximum. Use the average over the places."),
        "sum": (right.sum(**mean), "This is the sum over the places. Take their average."),
    }
    hint_if_known(result, mistakes, lambda found, wrong: close(found, wrong, 1e-4))
    if result.shape != (2, 6):
        raise Hint(
            "other-shape",
            f"For two images your model gives an array of shape {result.shape}; wanted is (2, 6), "
            "one row of features for each image. Average over height and width only.",
        )
    if not close(result, right.mean(**mean), 1e-4):
        raise Hint(
            "other-output",
            "The model's output is not the pooled output of the base for the rescaled image. "
            "Follow the chain in your code: inputs, scale, base, pooling.",
        )
    hint_if_flag_unknown(model)
    # Not base.trainable: who freezes layer by layer leaves that flag True, and nothing to train.
    left = [weight for weight in base.weights if weight.trainable]
    if [*model.trainable_weights, *left]:
        raise Hint(
            "not-frozen",
            f"The outputs are right, but the base can still be trained: {len(left)} of its "
            f"{len(base.weights)} arrays of weights are trainable. Freeze all of it: "
            "base.trainable = False.",
        )
    if not close(np.asarray(model(images)), result, 1e-5):
        raise Hint(
            "training-true",
            "The same image gives other features each time: the base runs as in training, with its "
            "Dropout at work. Call it as in prediction: base(x, training=False).",
        )


def _small_base() -> keras.Model:
    """A base of two convolutions, from (32, 32, 3) to (3, 3, 6)."""
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=4, activation="relu", kernel_initializer=_fixed())(inputs)
    x = layers.Dropout(0.5)(x)  # so that training=True can be seen
    x = layers.Conv2D(6, 3, strides=2, activation="relu", kernel_initializer=_fixed())(x)
    return keras.Model(inputs, x, name="small_base")


def _fixed() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=0.2, seed=7)


# Two numbers exchanged, nothing, all lower, the last higher, nothing, two exchanged, the last
# higher, all higher, the last higher, the first higher, the last higher: nine of eleven differ.
# Chosen so that no two of the mistakes below count the same.
BEFORE = [np.arange(size, dtype="float32") for size in (4, 3, 2, 4, 2, 4, 2, 5, 3, 3, 4)]
CHANGES = (
    *([1, -1, 0, 0], 0, [-1, -2], [0, 0, 0, 2], 0, [2, 0, -2, 0], [0, 3], 1, [0, 0, 1]),
    *([5, 0, 0], [0, 0, 0, 1]),
)
AFTER = [a + np.array(change, "float32") for a, change in zip(BEFORE, CHANGES, strict=True)]
EQUAL = [array.copy() for array in BEFORE]  # as get_weights gives them: equal, not the same
TINY = [BEFORE[0] + np.array([1e-9, 0, 0, 0], "float32"), *EQUAL[1:]]
TRIALS = ((BEFORE, EQUAL), (BEFORE, AFTER), (AFTER, BEFORE))


def _counts(differ: Callable[[np.ndarray, np.ndarray], bool | int]) -> list[int]:
    """What a rule for two arrays counts in each of the trials."""
    return [sum(int(differ(a, b)) for a, b in zip(*lists, strict=True)) for lists in TRIALS]


_SIGN = (
    "A number may also have become {other}, and you count only arrays with a {this} one. Compare "
    "with !=, or take np.abs of the difference first."
)
MISCOUNTS = {
    "unchanged": (
        _counts(np.array_equal),
        "You count the arrays that stayed equal. Count the others.",
    ),
    "is": (
        [11, 11, 11],
        "For two equal lists you count all arrays: `is` asks whether two arrays are the same "
        "object, not whether they hold the same numbers.",
    ),
    "numbers": (
        _counts(lambda a, b: (a != b).sum()),
        "You count numbers that changed. Count arrays: once, however many of its numbers changed.",
    ),
    "all": (
        _counts(lambda a, b: (a != b).all()),
        "You count arrays of which every number changed. An array has changed as soon as one of "
        "its numbers has: any, not all.",
    ),
    "cancelled": (
        _counts(lambda a, b: a.sum() != b.sum()),
        "You compare sums, means, lengths or the largest, and changes can cancel: all these "
        "are the same of [0, 1] and [1, 0]. Compare number by number.",
    ),
    "first-number": (
        _counts(lambda a, b: a[0] != b[0]),
        "You compare the first number of each array only. Any of its numbers may have changed.",
    ),
    "last-number": (
        _counts(lambda a, b: a[-1] != b[-1]),
        "You compare the last number of each array only. Any of its numbers may have changed.",
    ),
    "higher-only": (
        _counts(lambda a, b: (b > a).any()),
        _SIGN.format(other="lower", this="higher"),
    ),
    "lower-only": (
        _counts(lambda a, b: (b < a).any()),
        _SIGN.format(other="higher", this="lower"),
    ),
    "one-short": (
        [0, 8, 8],
        "You count one array too few: the first or the last is left out. range(n) counts from 0 to "
        "n - 1 by itself.",
    ),
    "first-array": (
        [0, 1, 1],
        "You count 1 where nine arrays differ. Does return stand inside the loop? Then it ends "
        "the function in its first round. Or is the count set to 1 rather than raised by 1?",
    ),
    "always-none": (
        [0, 0, 0],
        "You count 0 where nine arrays differ. Compare the arrays themselves, pair by pair: the "
        "lists have one length and the arrays one shape before and after.",
    ),
    "share": (
        [0, 9 / 11, 9 / 11],
        "You return the share of arrays that changed. Wanted is how many they are.",
    ),
}


def check_changed_arrays(answer: Callable[[list, list], int]) -> None:
    """02.c: how many arrays of two lists differ in at least one number."""
    found = []
    for lists in (*TRIALS, (BEFORE, TINY)):
        try:
            result = ask(answer, *lists, what="arrays")
        except ValueError as problem:
            if "broadcast" not in str(problem):
                raise
            raise Hint(
                "truth-values-added",
                "a != b compares two arrays number by number, so it is an array, and arrays of "
                "different shapes cannot be added up. Make one yes or no of each pair first: "
                "(a != b).any(), or not np.array_equal(a, b).",
            ) from None
        if isinstance(result, bool | np.bool_):
            raise Hint(
                "bool", "Return how many arrays changed, a whole number, not only whether any."
            )
        found.append(require_number(result, "one whole number"))
    if found == [0, 9, 9, 1]:
        return
    hint_if_known(found[:3], MISCOUNTS, lambda mine, wrong: np.allclose(mine, wrong))
    if found[0] != 0:
        raise Hint("not-zero", f"For two lists of equal arrays the answer is 0, not {found[0]}.")
    if found[:3] == [0, 9, 9]:
        raise Hint(
            "tolerance",
            "A change of 0.000000001 went unnoticed. np.allclose forgives small changes, and so "
            "does any limit; to prove that nothing changed, compare exactly.",
        )
    raise Hint(
        "miscounted",
        f"Nine of eleven arrays differ, in one number or in several, but you count {found[1]}. An "
        "array has changed as soon as one of its numbers has.",
    )


PIXELS, CUT, LIMIT = 96, 202, 60.0
TARGET = 1.70
"""The loss to reach on the hidden images."""
MARKS = {"guessing evenly": 2.30, "a wide head, forty epochs": 2.33, "the reference answer": 1.27}
"""Losses of recorded answers on the hidden images; tests/test_open_task.py runs them again."""


def check_head_of_your_own(answer: Callable[[Pair, Pair], keras.Model]) -> str:
    """02.d: a head on frozen features, by its loss on photographs that it has not seen."""
    parts = open_task.dealt_features(PIXELS, CUT)
    model = require_model(open_task.in_time(answer, LIMIT, parts["train"], parts["val"]))
    features, labels = parts["hidden"]
    if len(model.inputs) != 1 or tuple(model.inputs[0].shape) != (None, 1280):
        raise Hint(
            "other-input",
            "The model has to take what your function gets: 1,280 features an image. Begin with "
            "keras.Input(shape=(1280,)).",
        )
    probabilities = open_task.probabilities_of(model, features)
    loss, score = open_task.score(probabilities, labels, MARKS)
    if loss <= TARGET:
        return score
    code, reason = open_task.commonest_reason(model, parts)
    raise Hint(code, f"{reason} {score} To reach: {TARGET:.2f}.")


EXERCISES = {
    "02.a": Exercise("Average pooling by hand", check_pool_by_hand),
    "02.b": Exercise("Pass it on", check_wire),
    "02.c": Exercise("What changed?", check_changed_arrays),
    "02.d": Exercise("A head of your own", check_head_of_your_own, open_task.SECONDS),
}
