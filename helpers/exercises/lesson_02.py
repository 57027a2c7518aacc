"""Checks of lesson 02: pooling by hand, passing the rescaled image on, one pass, what changed."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers.exercises.judging import Exercise, Hint
from helpers.exercises.probes import close, described, require_model, require_number


def check_pool_by_hand(answer: Callable[[np.ndarray], np.ndarray]) -> None:
    """02.a: the mean over height and width of maps of shape (images, height, width, features)."""
    maps = np.random.default_rng(2).normal(size=(2, 3, 4, 5)).astype("float32")
    returned = answer(maps.copy())
    result = np.asarray(returned)
    if not np.issubdtype(result.dtype, np.number):
        raise Hint("no-array", f"Return an array of numbers; this is {described(returned)}.")
    right = maps.mean(axis=(1, 2))
    if result.shape == (2, 5) and np.allclose(result, right, atol=1e-5):
        return
    if result.shape == ():
        raise Hint(
            "all-axes",
            "You got one single number. Averaging over every axis also mixes images and features; "
            "keep one number for each image and feature by naming the axes to average over.",
        )
    if result.shape == (2, 5) and np.allclose(result, maps.max(axis=(1, 2))):
        raise Hint(
            "max",
            "These are the largest values, which is GlobalMaxPooling2D. Average pooling takes the "
            "mean.",
        )
    if result.shape == (2, 5) and np.allclose(result, maps.sum(axis=(1, 2)), atol=1e-4):
        raise Hint(
            "sum",
            "This is the sum over all places; it grows with the size of the image. Divide by the "
            "number of places, or take the mean.",
        )
    if result.shape == (2, 5):
        raise Hint(
            "other-values",
            f"The shape is right, the numbers are not: for the first image's first feature you "
            f"give {result[0, 0]:.3g}, and the average of its twelve places is {right[0, 0]:.3g}. "
            "Which function makes one number of the places?",
        )
    if result.shape == (4, 5):
        raise Hint(
            "batch-axis",
            "Axis 0 counts the images, and you averaged over it: two different photographs became "
            "one. Height and width are the next two axes.",
        )
    if result.shape == (2, 3, 4):
        raise Hint(
            "feature-axis",
            "You averaged over the features and kept the places. It is the other way round: keep "
            "the features, average over the places.",
        )
    if result.shape == (2, 60):
        raise Hint(
            "flatten",
            "You put all places side by side, which is what Flatten does. Pooling makes one number "
            "of all places of a feature.",
        )
    raise Hint(
        "shape",
        f"For maps of shape (2, 3, 4, 5) the result should have the shape (2, 5), one number for "
        f"each image and feature; yours has {result.shape}.",
    )


def check_wire(answer: Callable[[keras.Model, layers.Layer], keras.Model]) -> None:
    """02.b: image -> scale -> frozen base -> average over places."""
    base, scale = _small_base(), layers.Rescaling(1 / 127.5, offset=-1)
    model = require_model(answer(base, scale))
    images = np.random.default_rng(3).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    maps = {
        "right": base(scale(images), training=False),
        "thrown-away": base(images, training=False),
        "twice": base(scale(scale(images)), training=False),
    }
    result = np.asarray(model(images, training=False))
    if result.ndim == 4:
        raise Hint(
            "no-pool",
            f"The output still has height and width: its shape is {result.shape}. Average over the "
            "places with GlobalAveragePooling2D.",
        )
    pooled = {kind: np.mean(value, axis=(1, 2)) for kind, value in maps.items()}
    if close(result, pooled["thrown-away"], 1e-4):
        raise Hint(
            "thrown-away",
            "The base got the image as it came, 0 to 255: what the rescaling returned was thrown "
            "away. Give the base the rescaled tensor, not the inputs.",
        )
    if close(result, pooled["twice"], 1e-4):
        raise Hint("twice", "The image is rescaled twice, so almost nothing is left of it.")
    if close(result, np.max(maps["right"], axis=(1, 2)), 1e-4):
        raise Hint("max", "This pools with the maximum. Use the average over the places.")
    if not close(result, pooled["right"], 1e-4):
        raise Hint(
            "other-output",
            "The model's output is not the pooled output of the base for the rescaled image. "
            "Follow the chain in your code: inputs, scale, base, pooling.",
        )
    # Not base.trainable: who freezes layer by layer leaves that flag True, and nothing to train.
    if model.trainable_weights or any(weight.trainable for weight in base.weights):
        raise Hint(
            "not-frozen",
            "The outputs are right, but the base can still be trained. Freeze it before you call "
            "it.",
        )


def _small_base() -> keras.Model:
    """A base of two convolutions, from (32, 32, 3) to (3, 3, 6)."""
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=4, activation="relu", kernel_initializer=_fixed())(inputs)
    x = layers.Conv2D(6, 3, strides=2, activation="relu", kernel_initializer=_fixed())(x)
    return keras.Model(inputs, x, name="small_base")


def _fixed() -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=0.2, seed=7)


def check_collect(answer: Callable[..., tuple[np.ndarray, np.ndarray]]) -> None:
    """02.c: features and labels of a shuffled dataset, gathered in one pass."""
    # Each image is filled with its own label, so that pairs can be checked after any shuffling.
    labels = np.arange(40, dtype="int32")
    images = np.broadcast_to(labels[:, None, None, None], (40, 4, 4, 3)).astype("float32")
    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(40, seed=5).batch(16)
    inputs = keras.Input((4, 4, 3))
    pooled = layers.GlobalAveragePooling2D()(inputs)
    extractor = keras.Model(inputs, layers.Dropout(0.5)(pooled))

    result = answer(extractor, dataset)
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Hint(
            "not-two", f"Return two things, features and labels; this is {described(result)}."
        )
    if any(isinstance(part, list) for part in result):
        raise Hint(
            "list",
            "You return lists of batches. Join each list into one array with np.concatenate.",
        )
    features, found = (np.asarray(part) for part in result)
    if len(features) == 16:
        raise Hint(
            "first-batch",
            "These are the features of the first batch only. Collect those of every batch.",
        )
    if features.shape != (40, 3) or found.shape != (40,):
        raise Hint(
            "shape",
            f"For 40 images and 3 features the shapes should be (40, 3) and (40,); they are "
            f"{features.shape} and {found.shape}.",
        )
    zeroed = np.mean(features == 0)
    if zeroed > 0.2:
        raise Hint(
            "training-mode",
            "Many features are zero: the extractor has a Dropout layer, and it was at work. "
            "Call the extractor with training=False.",
        )
    if not np.array_equal(np.sort(found), labels):
        raise Hint(
            "labels", "Some labels are missing or appear twice. Collect them batch by batch."
        )
    if not np.allclose(features[:, 0], found):
        raise Hint(
            "two-passes",
            "Features and labels do not belong together: the dataset is shuffled, and every pass "
            "over it comes in another order. Take both from the same pass.",
        )


def check_changed_arrays(answer: Callable[[list, list], int]) -> None:
    """02.d: how many arrays of two lists differ in at least one number."""
    before = [np.zeros(3), np.ones((2, 2)), np.arange(4.0)]
    tiny = [before[0].copy(), before[1] + 1e-9, before[2].copy()]
    two = [before[0] + 1, before[1].copy(), before[2] * np.array([1, 1, 1, 2])]
    result = answer([a.copy() for a in before], [a.copy() for a in before])
    if isinstance(result, bool | np.bool_):
        raise Hint("bool", "Return how many arrays changed, a whole number, not only whether any.")
    result = require_number(result, "one whole number")
    if result == 3:
        raise Hint(
            "unchanged",
            "For two equal lists you count 3: either you count the arrays that stayed equal, or "
            "you compare the arrays with `is`, which asks whether they are the same object.",
        )
    if result != 0:
        raise Hint("not-zero", f"For two lists of equal arrays the answer is 0, not {result}.")
    counted = answer(before, two)
    if counted == 4:
        raise Hint("numbers", "You count numbers that changed. Count arrays: here two changed.")
    if counted != 2:
        raise Hint(
            "miscounted",
            f"Two of three arrays differ, in one number or in several, but you count {counted}. "
            "An array has changed as soon as one of its numbers has.",
        )
    if answer(before, tiny) != 1:
        raise Hint(
            "tolerance",
            "A change of 0.000000001 went unnoticed. np.allclose forgives small changes; to prove "
            "that nothing changed, compare exactly.",
        )


EXERCISES = {
    "02.a": Exercise("Average pooling by hand", check_pool_by_hand),
    "02.b": Exercise("Pass it on", check_wire),
    "02.c": Exercise("One pass", check_collect),
    "02.d": Exercise("What changed?", check_changed_arrays),
}
