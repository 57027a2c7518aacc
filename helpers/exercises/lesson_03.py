"""Checks of lesson 03: where to augment, shared photographs, the honest epoch, digits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

import keras
import numpy as np
import tensorflow as tf

from helpers.exercises.judging import Exercise, Hint
from helpers.exercises.probes import described, hint_if_known, require_number


class _Marking(keras.layers.Layer):
    """Behaves as Keras's augmentation layers do: adds random numbers unless training is False."""

    def __init__(self) -> None:
        super().__init__(name="augment")
        self.generator = keras.random.SeedGenerator(3)

    def call(self, images, training=True):
        if not training:
            return images
        return images + keras.random.uniform(keras.ops.shape(images), 1, 9, seed=self.generator)


def check_pipelines(answer: Callable[..., tuple[tf.data.Dataset, tf.data.Dataset]]) -> None:
    """03.a: cache both datasets, augment the training images after the cache."""
    # Each image is filled with 100 times its label, so that pairs can be checked after shuffling
    # and augmenting.
    labels = np.arange(12, dtype="int32")
    images = np.broadcast_to(100 * labels[:, None, None, None], (12, 1, 1, 3)).astype("float32")
    train, train_reads = _counted(images, labels)
    val, val_reads = _counted(images, labels)
    result = answer(train, val, _Marking())
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Hint(
            "not-two",
            f"Return two datasets, training and validation; this is {described(result)}.",
        )
    if not all(isinstance(part, tf.data.Dataset) for part in result):
        kinds = " and ".join(described(part) for part in result)
        raise Hint(
            "no-datasets", f"Both returned things should be tf.data datasets; they are {kinds}."
        )
    (first, found), (second, _) = _pass(result[0]), _pass(result[0])
    (val_images, val_labels), _ = _pass(result[1]), _pass(result[1])
    if first.shape != images.shape or val_images.shape != images.shape:
        raise Hint(
            "images-lost",
            "12 images went in, and other numbers or shapes come out. Map each batch to a batch "
            "of the same size, and leave the batches as they are.",
        )
    if not (_paired(first, found, labels) and _paired(val_images, val_labels, labels)):
        raise Hint("labels", "Labels got lost or mixed up. Pass each label on beside its image.")
    if not np.array_equal(val_images, images):
        raise Hint(
            "validation-changed",
            "The validation images were augmented too. They stand for the images that the model "
            "will meet, so they stay as they are; only training images change.",
        )
    if np.array_equal(first, images):
        raise Hint(
            "nothing-changes",
            "The training images come out as they went in: no augmentation, or one that was told "
            "training=False. Map the training dataset through augment(images, training=True).",
        )
    if np.array_equal(first, second):
        raise Hint(
            "cached-too-late",
            "Two epochs bring the very same training images: the cache keeps what was augmented "
            "in the first. Cache first, augment after it.",
        )
    if train_reads.numpy() > len(labels):
        raise Hint(
            "not-cached",
            "Augmentation is right, but two epochs read every training image twice. Cache the "
            "training images before you augment them, so that files are read once.",
        )
    if val_reads.numpy() > len(labels):
        raise Hint(
            "validation-not-cached",
            "The training images are right, but every epoch reads the validation images from "
            "their files again. Cache them too: nothing changes in them.",
        )


def _counted(images: np.ndarray, labels: np.ndarray) -> tuple[tf.data.Dataset, tf.Variable]:
    """Batches of four, and how many images were read for them so far."""
    reads = tf.Variable(0, dtype="int64")

    def read(image, label):
        reads.assign_add(1)
        return image, label

    return tf.data.Dataset.from_tensor_slices((images, labels)).map(read).batch(4), reads


LONGEST_PASS = 100  # elements; 12 images make at most 12


def _pass(dataset: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """All images and labels of one pass by label, whether in batches or one by one.

    Raises:
        Hint: ``"endless"`` if the pass has no end.
    """
    endless = dataset.cardinality() == tf.data.INFINITE_CARDINALITY
    elements = [] if endless else list(islice(dataset, LONGEST_PASS + 1))
    if endless or len(elements) > LONGEST_PASS:
        raise Hint(
            "endless",
            "One of your datasets never ends: repeat() without a number begins again for ever, so "
            "fit would not know where an epoch ends. Leave it away: fit itself begins again in "
            "every epoch.",
        )
    pairs = [(np.asarray(images), np.asarray(labels)) for images, labels in elements]
    join = np.stack if pairs and pairs[0][1].ndim == 0 else np.concatenate
    images, labels = join([x for x, _ in pairs]), join([y for _, y in pairs])
    if labels.ndim == 1 and len(images) == len(labels):
        order = np.argsort(labels, kind="stable")  # a shuffled pass is as good
        return images[order], labels[order]
    return images, labels


def _paired(images: np.ndarray, found: np.ndarray, labels: np.ndarray) -> bool:
    """Whether all labels are there, each beside its own image, augmented or not."""
    shown = images[:, 0, 0, 0] // 100
    # Only an image that is there in full can have been given to another label.
    swapped = np.array_equal(np.sort(shown), labels) and not np.array_equal(shown, labels)
    return np.array_equal(found, labels) and not swapped


def check_leaked(answer: Callable[[Sequence, Sequence, Mapping], int]) -> None:
    """03.b: how many test files show a photograph that training files show too."""
    photograph = {"a1": "cat", "a2": "cat", "a3": "cat", "b1": "owl", "b2": "owl"}
    photograph |= {"c1": "cod", "d1": "fox", "d2": "fox", "d3": "fox", "e1": "elk"}
    train, test = ["a1", "b1", "c1", "e1", "b2"], ["a2", "d1", "a3", "d2", "d3"]
    result = require_number(answer(list(train), list(test), dict(photograph)), "one whole number")
    if result == 2:  # a2 and a3
        again = answer(test, train, photograph)
        if again == 1:  # a1
            return
        raise Hint(
            "by-luck",
            f"With the two lists exchanged one image leaks, but you count {again}. Look up the "
            "photographs of one list, then go through the files of the other.",
        )
    if result == 0:
        raise Hint(
            "files",
            "You found none, because no file has the same name twice. Two files can be made from "
            "one photograph: compare photograph[file], not the files.",
        )
    if result == 1 and answer(test, train, photograph) == 2:
        raise Hint(
            "wrong-side",
            "You count training images whose photograph is also in the test. It is the other way "
            "round: the test images are the ones whose answers cannot be trusted.",
        )
    if result == 1:
        raise Hint(
            "photographs",
            "You count the photograph that both lists share. Count the test images made from it: "
            "one shared photograph can spoil several.",
        )
    if result == 3:
        raise Hint(
            "clean",
            "You count the test images whose photograph is new. Count the others, those whose "
            "photograph the training files show as well.",
        )
    raise Hint(
        "miscounted",
        f"For two leaked images among five you count {result}. Count a test image once, however "
        "many training files share its photograph.",
    )


def check_honest(answer: Callable[[Sequence[float], Sequence[float]], float]) -> None:
    """03.c: the test accuracy at the epoch with the best validation accuracy."""
    val = [0.31, 0.42, 0.55, 0.48, 0.50, 0.47]
    test = [0.40, 0.63, 0.57, 0.66, 0.61, 0.59]
    result = require_number(answer(list(val), list(test)), "one accuracy")
    mistakes = {
        "best-on-test": (
            max(test),
            "This is the highest test accuracy. Choosing by it is what this lesson warns of: the "
            "test then reports its own luck. Validation chooses, the test is only read.",
        ),
        "last-epoch": (
            test[-1],
            "This is the last epoch's test accuracy. Take the epoch where validation accuracy is "
            "highest.",
        ),
        "lowest": (
            test[0],
            "This is the epoch where validation accuracy is lowest. A loss is best when it is "
            "low, an accuracy when it is high.",
        ),
        "one-too-early": (
            test[1],
            "This is one epoch before the best one. Python counts places from 0, and so does "
            "argmax: use what it returns as it is.",
        ),
        "other-epoch": (
            test[4],
            "This is the test accuracy of the epoch with the second best validation accuracy. Take "
            "the best one.",
        ),
        "validation": (
            max(val),
            "This is the best validation accuracy. It was used to choose, so it flatters as well. "
            "Read the test accuracy of that same epoch.",
        ),
    }
    if abs(result - 0.57) < 1e-6:
        if abs(float(answer(val[::-1], test[::-1])) - 0.57) > 1e-6:
            raise Hint("fixed-epoch", "The epoch is the same for every history. Find it in val.")
        return
    hint_if_known(result, mistakes)
    if result in (2, 3):
        raise Hint("epoch", "This is the number of the epoch. Return the test accuracy there.")
    raise Hint(
        "other",
        "This number is not the test accuracy of any single epoch. Find the place of the best "
        "validation accuracy, and read the test accuracy at that place.",
    )


LARGEST_TURN = 50  # degrees; the exercise asks for at most 45


def check_digits(answer: Callable[[], keras.Layer]) -> None:
    """03.d: a layer that changes digits but neither mirrors nor turns them far."""
    layer = answer()
    if isinstance(layer, list | tuple):
        raise Hint(
            "list",
            "You returned several layers. Put them into one with keras.Sequential([...]).",
        )
    if not isinstance(layer, keras.Layer):
        raise Hint("no-layer", f"Return a Keras layer; this is {described(layer)}.")
    card = _three_dots()
    batch = np.repeat(card[None], 96, axis=0)
    out = np.asarray(layer(batch, training=True))
    if out.shape != batch.shape:
        raise Hint(
            "shape",
            f"Images of shape {card.shape} come out with shape {out.shape[1:]}; an augmentation "
            "keeps the size.",
        )
    if np.allclose(out, batch, atol=1e-3):
        raise Hint(
            "nothing-changes",
            "96 copies of a picture come out as they went in, in training mode. Add at least one "
            "layer that varies them.",
        )
    if out.max() < 0.1 * card.max():
        raise Hint(
            "black",
            "The pictures come out almost black. Their values go from 0 to 255: tell the layer "
            "so, with value_range=(0, 255), and do not rescale.",
        )
    corners = [_orientation(picture) for picture in out]
    turns, mirrored = zip(*[found for found in corners if found] or [(0.0, False)], strict=True)
    if any(mirrored):
        far = any(abs(turn) > 90 for turn, flipped in zip(turns, mirrored, strict=True) if flipped)
        how = "upside down" if far else "left to right"
        raise Hint(
            "mirrored-" + ("vertical" if far else "horizontal"),
            f"Some pictures come out mirrored {how}. No digit but 0, 1 and 8 survives that: leave "
            "the flip away.",
        )
    if max(map(abs, turns)) > LARGEST_TURN:
        raise Hint(
            "turned",
            f"One picture was turned by {max(map(abs, turns)):.0f} degrees. Far enough, a 6 is a "
            "9. The factor of RandomRotation is a share of a full turn: 0.1 is 36 degrees to "
            "either side.",
        )
    if not np.allclose(layer(batch[:4], training=False), batch[:4], atol=1e-3):
        raise Hint(
            "always-on",
            "The pictures also change with training=False. Use layers whose names begin with "
            "Random and leave `training` to whoever calls them.",
        )


def _three_dots() -> np.ndarray:
    """A picture that shows how it was turned: a red dot, a green one to its right, blue below."""
    rows, columns = np.mgrid[:64, :64]
    dots = [(24, 24), (24, 40), (40, 24)]
    return np.stack(
        [220.0 * (np.hypot(rows - r, columns - c) < 4) for r, c in dots], axis=-1
    ).astype("float32")


def _orientation(picture: np.ndarray) -> tuple[float, bool] | None:
    """Degrees by which the picture of dots was turned, and whether it was mirrored."""
    light = np.clip(picture - np.median(picture, axis=(0, 1)), 0, None)
    mass = light.sum(axis=(0, 1))
    if mass.min() < 800:  # a dot has left the picture
        return None
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    y = (light * rows[..., None]).sum(axis=(0, 1)) / mass
    x = (light * columns[..., None]).sum(axis=(0, 1)) / mass
    right, down = (x[1] - x[0], y[1] - y[0]), (x[2] - x[0], y[2] - y[0])
    mirrored = right[0] * down[1] - right[1] * down[0] < 0
    # The way from red to blue points down: it keeps its direction in a flip left to right.
    return float(np.degrees(np.arctan2(-down[0], down[1]))), bool(mirrored)


EXERCISES = {
    "03.a": Exercise("Only the training images", check_pipelines),
    "03.b": Exercise("One photograph, two splits", check_leaked),
    "03.c": Exercise("The honest epoch", check_honest),
    "03.d": Exercise("An augmentation for digits", check_digits),
}
