"""Run a frozen base once over every image and keep what comes out."""

import keras
import numpy as np
import tensorflow as tf


def extract_features(base: keras.Model, dataset: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Compute a base model's output for every image of a dataset, in the dataset's order.

    Images and labels are collected in one pass: over a shuffled dataset, a second one would bring
    the labels in another order.

    Args:
        base: A model with one output, from a batch of images to a batch of features. It runs in
            inference mode, so Dropout and BatchNorm behave as in ``predict``.
        dataset: Batches of ``(images, labels)``, with an end.

    Returns:
        ``(features, labels)``: float32 of shape ``(images, *base.output_shape[1:])``, and the
        labels as they come, shape ``(images,)`` for integers.

    Raises:
        ValueError: The dataset is empty, or repeats without end.
    """
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError("the dataset repeats without end; leave out repeat()")
    features, labels, batch_size = [], [], 0
    for images, batch_labels in dataset:
        batch_size = batch_size or len(images)
        # For a smaller last batch Keras would build the graph anew, which takes seconds: fill it
        # up to the size of the first, and drop what comes out for the filling.
        missing = max(batch_size - len(images), 0)
        filled = tf.pad(images, [[0, missing], *[[0, 0]] * (images.shape.rank - 1)])
        outputs = base.predict_on_batch(filled)[: len(images)]
        features.append(outputs.astype("float32", copy=False))
        labels.append(batch_labels.numpy())
    if not features:
        raise ValueError("the dataset is empty: there is nothing to extract features from")
    return np.concatenate(features), np.concatenate(labels)
