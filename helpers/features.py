"""Run a frozen base once over every image and keep what comes out.

A frozen base gives the same features for the same image in every epoch. Computing them once
and training only the head on them is the fastest form of feature extraction; what it gives up
is augmentation, which changes the image every time.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf


def extract_features(base: keras.Model, dataset: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Compute a base model's output for every image of a dataset, in the dataset's order.

    Images and labels are collected in one pass: a second pass over a shuffled dataset comes in
    another order, and labels would no longer belong to their images.

    Args:
        base: Any model from a batch of images to a batch of features. It runs in inference
            mode, so Dropout and BatchNorm behave as in ``predict``.
        dataset: Batches of ``(images, labels)``.

    Returns:
        ``(features, labels)``: float32 of shape ``(images, *base.output_shape[1:])`` and the
        labels as they come, shape ``(images,)`` for integer labels.

    Raises:
        ValueError: The dataset is empty.
    """
    features, labels = [], []
    for images, batch_labels in dataset:
        features.append(base.predict_on_batch(images))
        labels.append(batch_labels.numpy())
    if not features:
        raise ValueError("the dataset is empty: there is nothing to extract features from")
    return np.concatenate(features), np.concatenate(labels)
