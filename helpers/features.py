"""Run a frozen base once over every image and keep what comes out."""

import sys

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from helpers.engine import engine_for

QUIET = 1.0
"""Seconds after which a pass says how far it is."""


def extract_features(
    base: keras.Model, dataset: tf.data.Dataset | tuple, *, engine: str = "auto"
) -> tuple[np.ndarray, np.ndarray]:
    """Compute a base model's output for every image of a dataset, in the dataset's order.

    Images and labels are collected in one pass: over a shuffled dataset, a second one would bring
    the labels in another order.

    Args:
        base: A model with one output, from a batch of images to a batch of features. It runs in
            inference mode, so Dropout and BatchNorm behave as in ``predict``.
        dataset: Batches of ``(images, labels)``, with an end; or those two as whole arrays.
            Sample weights, if there are any, are left out, and a sentence says so.
        engine: ``"auto"`` takes LiteRT (`helpers.engine`) where that saves time, ``"litert"``
            wherever it can run the base, ``"keras"`` never. The numbers agree to 1e-4.

    Returns:
        ``(features, labels)``: float32 of shape ``(images, *base.output_shape[1:])``, and the
        labels as they come, shape ``(images,)`` for integers.

    Raises:
        ValueError: The dataset is empty, repeats without end, has no labels or is not batched; or
            there is no such engine.
    """
    if engine not in ("auto", "keras", "litert"):
        raise ValueError(f'engine is "auto", "keras" or "litert", not {engine!r}')
    if isinstance(dataset, tuple | list):
        dataset = tf.data.Dataset.from_tensor_slices(tuple(dataset)).batch(32)
    parts = getattr(dataset, "element_spec", None)
    if not isinstance(parts, tuple) or len(parts) not in (2, 3):
        raise ValueError("give (images, labels), as two arrays or in the batches of a dataset")
    if len(parts[0].shape) == len(base.input_shape) - 1:
        raise ValueError("the dataset's images come one by one; add .batch(32)")
    if len(parts) == 3:
        print("Sample weights are left out of the features; take them from the dataset itself.")
    batches = int(dataset.cardinality())
    if batches == tf.data.INFINITE_CARDINALITY:
        raise ValueError("the dataset repeats without end; leave out repeat()")
    features, labels, run = None, [], None
    bar = {"total": max(batches, 0), "leave": False, "delay": QUIET, "file": sys.stdout}
    for images, batch_labels, *_ in tqdm(dataset.as_numpy_iterator(), "features", **bar):
        run = run or engine_for(base, images, batches * len(images), engine=engine)
        outputs = run(images)
        if features is None:
            features = np.empty((0, *outputs.shape[1:]), "float32")
        # Made longer in place: parts that are joined in the end lie in memory twice.
        features.resize((len(features) + len(outputs), *outputs.shape[1:]), refcheck=False)
        features[-len(outputs) :] = outputs
        labels.append(batch_labels)
    if features is None:
        raise ValueError("the dataset is empty: there is nothing to extract features from")
    return features, np.concatenate(labels)
