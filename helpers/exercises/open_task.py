"""Open exercises: what an answer trains is judged on images that it has not seen.

The images are the training and validation images of stamps, cut anew by photograph. The test images
take no part: they are opened once, in lesson 07.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from helpers.exercises.deadline import OutOfTime, interrupted_after
from helpers.exercises.judging import Hint
from helpers.session import COURSE_ROOT, SEED

Pair = tuple[np.ndarray, np.ndarray]
SECONDS = 600.0
"""Of processor time, for an open exercise with all that its check computes."""
GRACE = 10.0
"""Seconds over its limit after which an answer is stopped, not only told so in the end."""
SHARES = {"hidden": 0.25, "val": 0.2}  # of the photographs of each class; the rest trains


@cache
def stamps_features(
    pixels: int, *, pooled: bool = True, layer: str = ""
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute what frozen EfficientNet-Lite0 says of the training and validation images of stamps.

    Args:
        pixels: Height and width of the images.
        pooled: Average over the places; else maps, of shape ``(950, rows, columns, 1280)``.
        layer: Name of a layer inside the base, for the maps that come out of it.

    Returns:
        Features, float32 of shape ``(950, 1280)``; labels, int32 of shape ``(950,)``; and the name
        of each image's photograph.
    """
    from helpers.backbones import EfficientNetLite0
    from helpers.features import extract_features

    images, _, photographs = stamps_images(pixels)
    base = EfficientNetLite0(include_top=False, weights="imagenet", input_shape=(pixels, pixels, 3))
    found = base.get_layer(layer).output if layer else base.output
    if pooled and not layer:
        found = keras.layers.GlobalAveragePooling2D()(found)
    return *extract_features(keras.Model(base.input, found), images), photographs


def stamps_images(pixels: int) -> tuple[tf.data.Dataset, np.ndarray, np.ndarray]:
    """Return the training and validation images of stamps, in the order of the manifest.

    Args:
        pixels: Height and width of the images.

    Returns:
        Batches of images and labels; the labels, int32 of shape ``(950,)``; and the name of each
        image's photograph.
    """
    folder = COURSE_ROOT / "data" / "stamps"
    with open(folder / "manifest.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] in ("train", "val")]
    _, labels = np.unique([row["class"] for row in rows], return_inverse=True)

    def read(path: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        return tf.image.resize(image, (pixels, pixels), antialias=True), label

    paths = [str(folder / row["file"]) for row in rows]
    images = tf.data.Dataset.from_tensor_slices((paths, labels.astype("int32")))
    batches = images.map(read, tf.data.AUTOTUNE).batch(32)
    return batches, labels.astype("int32"), np.array([row["source"] for row in rows])


def cut(labels: np.ndarray, photographs: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Cut images into three parts that share no photograph, each with every class.

    Args:
        labels: Shape ``(images,)``.
        photographs: The name of each image's photograph, shape ``(images,)``.
        seed: Of the cut.

    Returns:
        The places of the images of ``"train"``, ``"val"`` and ``"hidden"``.
    """
    rng = np.random.default_rng(seed)
    part_of = {}
    for label in np.unique(labels):
        names = rng.permutation(np.unique(photographs[labels == label]))
        ends = np.cumsum([max(1, round(share * len(names))) for share in SHARES.values()])
        for part, few in zip((*SHARES, "train"), np.split(names, ends), strict=True):
            part_of |= dict.fromkeys(few, part)
    parts = np.array([part_of[name] for name in photographs])
    return {part: np.flatnonzero(parts == part) for part in ("train", "val", "hidden")}


def dealt_features(pixels: int, seed: int) -> dict[str, Pair]:
    """Return features and labels of each part of a cut.

    The columns of the features are shuffled, so a head that was trained in the lesson, on images
    that are hidden here, knows nothing.
    """
    features, labels, photographs = stamps_features(pixels)
    columns = np.random.default_rng(seed).permutation(features.shape[1])
    places = cut(labels, photographs, seed)
    return {part: (features[at][:, columns], labels[at]) for part, at in places.items()}


def in_time(answer: Callable[..., Any], limit: float, *pairs: Pair) -> Any:
    """Run an answer on copies of its data, from the course's seed.

    Raises:
        Hint: ``"too-slow"``, if it took more than `limit` seconds of processor time;
            ``"changed-in-place"``, if it changed an array that it was given.
    """
    given = [tuple(array.copy() for array in pair) for pair in pairs]
    keras.utils.set_random_seed(SEED)
    began = time.process_time()  # not the clock on the wall: other programs may be running
    try:
        with interrupted_after(limit + GRACE):
            result = answer(*given)
        stopped = ""
    except OutOfTime:
        stopped = " when it was stopped"
    seconds = time.process_time() - began
    if stopped or seconds > limit:
        raise Hint(
            "too-slow",
            f"It took {seconds:.0f} s of processor time{stopped}, and {limit:.0f} s were allowed. "
            "Fewer epochs, or an early stop.",
        )
    for pair, mine in zip(pairs, given, strict=True):
        if not all(map(np.array_equal, pair, mine)):
            raise Hint(
                "changed-in-place",
                "Your function changes the arrays that it was given, so whoever called it has "
                "other data afterwards. Work on a copy, or put the change into the model.",
            )
    return result


def loss_of(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean cross-entropy of probabilities, shape ``(images, classes)``."""
    of_the_right = probabilities[np.arange(len(labels)), labels]
    return float(-np.mean(np.log(np.clip(of_the_right, 1e-7, 1))))


def place(value: float, marks: Mapping[str, float]) -> str:
    """Say between which recorded marks a loss lies: ``"1.32, between this 1.2 and that 1.6"``.

    Args:
        value: The loss that was reached.
        marks: What was recorded, name to loss, in any order.
    """
    ranked = sorted(marks.items(), key=lambda item: item[1])
    better = [f"{name} ({mark:.2f})" for name, mark in ranked if mark < value][-1:]
    worse = [f"{name} ({mark:.2f})" for name, mark in ranked if mark >= value][:1]
    if better and worse:
        return f"{value:.2f}, between {better[0]} and {worse[0]}"
    if better:
        return f"{value:.2f}, worse than {better[0]}"
    return f"{value:.2f}, better than {worse[0]}"


def best_temperature(probabilities: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return by what a model's logits should be divided for the lowest loss, and that loss.

    Above one, the model is surer than it should be.

    Source: Guo et al., On Calibration of Modern Neural Networks (2017), section 4.
    """
    logs = np.log(np.clip(probabilities, 1e-7, 1))

    def loss(temperature: float) -> float:
        scaled = np.exp(logs / temperature)
        return loss_of(scaled / scaled.sum(axis=1, keepdims=True), labels)

    steps: Sequence[float] = np.geomspace(0.25, 8, 41)
    best = min(steps, key=loss)
    return float(best), loss(best)


def between(share: float, marks: Mapping[str, float]) -> str:
    """Say between which recorded marks a share of right answers lies, best last."""
    below = [f"{name} ({mark:.0%})" for name, mark in marks.items() if mark <= share][-1:]
    above = [f"{name} ({mark:.0%})" for name, mark in marks.items() if mark > share][:1]
    if below and above:
        return f"above {below[0]} and below {above[0]}"
    return f"above {below[0]}" if below else f"below {above[0]}"


def probabilities_of(model: keras.Model, inputs: np.ndarray, classes: int = 10) -> np.ndarray:
    """Return what a model says of inputs, shape ``(images, classes)``.

    Raises:
        Hint: ``"shape"`` or ``"logits"``, if these are no probabilities of so many classes.
    """
    found = np.asarray(model.predict(inputs, verbose=0), dtype=float)
    if found.shape != (len(inputs), classes):
        raise Hint(
            "shape",
            f"For {len(inputs)} images your model gives an array of shape {found.shape}; it should "
            f"be {(len(inputs), classes)}: a probability for each class.",
        )
    if np.any(found < 0) or np.any(np.abs(found.sum(axis=1) - 1) > 1e-3):
        raise Hint(
            "logits",
            "What your model gives are no probabilities: a row does not sum to 1. End in "
            'activation="softmax".',
        )
    return found


def score(
    probabilities: np.ndarray, labels: np.ndarray, marks: Mapping[str, float]
) -> tuple[float, str]:
    """Return the loss on hidden images, and a sentence with it, its place and the share right."""
    loss, right = loss_of(probabilities, labels), np.mean(probabilities.argmax(axis=1) == labels)
    return loss, (
        f"Loss on {len(labels)} images that it has not seen: {place(loss, marks)}; {right:.0%} of "
        "them right."
    )


def commonest_reason(model: keras.Model, parts: Mapping[str, Pair]) -> tuple[str, str]:
    """Say why a model that was trained on ``"train"`` is not better: a hint's code and sentence."""
    found = {part: probabilities_of(model, inputs) for part, (inputs, _) in parts.items()}
    right = {p: np.mean(found[p].argmax(axis=1) == labels) for p, (_, labels) in parts.items()}
    if right["train"] < 0.2:
        return (
            "untrained",
            "Of the training images it knows no more than chance would: was this model trained, "
            "and on what the function was given?",
        )
    if right["val"] > right["hidden"] + 0.25:
        return (
            "trained-on-validation",
            f"It names {right['val']:.0%} of the validation images rightly: it has been trained "
            "on them. Then nothing is left to choose the epoch by.",
        )
    hidden, labels = found["hidden"], parts["hidden"][1]
    temperature, cooled = best_temperature(hidden, labels)
    if right["train"] > 0.8 and temperature > 1.1 and cooled < loss_of(hidden, labels) - 0.03:
        return (
            "overconfident",
            "It is surer than it is right: the mark of weights from an epoch after the best. Watch "
            "the validation loss, and go back to its best epoch: restore_best_weights=True, or "
            "load what a ModelCheckpoint kept. If it has done so: label smoothing, more dropout, a "
            "lower rate.",
        )
    return (
        "too-short",
        f"It names {right['train']:.0%} of the training images rightly and is not sure of itself: "
        "it was stopped before its best. Train until the validation loss turns.",
    )
