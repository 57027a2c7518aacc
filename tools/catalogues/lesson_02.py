"""Answers to lesson 02's exercises: the stub, right ones, and wrong ones with their hint codes."""

import keras
import numpy as np
from keras import layers


def pool_stub(maps): ...


def wire_stub(base, scale):
    inputs = keras.Input(shape=(32, 32, 3))
    ...


def wire(base, scale, *, freeze=True, order="right", pool="mean", give="model"):
    base.trainable = not freeze
    inputs = keras.Input(shape=(32, 32, 3))
    x = scale(inputs)
    if order == "twice":
        x = scale(x)
    x = base(inputs if order == "thrown away" else x, training=False)
    if pool == "mean":
        x = layers.GlobalAveragePooling2D()(x)
    elif pool == "max":
        x = layers.GlobalMaxPooling2D()(x)
    if give == "tensor":
        return x
    if give == "nothing":
        return None
    return keras.Model(inputs, x)


def wire_with_ops(base, scale):
    inputs = keras.Input(shape=(32, 32, 3))
    maps = base(scale(inputs), training=False)
    base.trainable = False
    return keras.Model(inputs, keras.ops.mean(maps, axis=(1, 2)))


def wire_frozen_layer_by_layer(base, scale):
    for layer in base.layers:
        layer.trainable = False
    inputs = keras.Input(shape=(32, 32, 3))
    maps = base(scale(inputs), training=False)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(maps))


def wire_frozen_as_a_whole(base, scale):
    model = wire(base, scale, freeze=False)
    model.trainable = False
    return model


def collect_stub(extractor, dataset):
    features, labels = [], []
    for images, batch_labels in dataset:
        ...
    return np.concatenate(features), np.concatenate(labels)


def collect(extractor, dataset):
    features, labels = [], []
    for images, batch_labels in dataset:
        features.append(extractor(images, training=False))
        labels.append(batch_labels)
    return np.concatenate(features), np.concatenate(labels)


def collect_with_predict(extractor, dataset):
    pairs = [(extractor.predict(x, verbose=0), y.numpy()) for x, y in dataset]
    features, labels = zip(*pairs, strict=True)
    return np.vstack(features), np.hstack(labels)


def collect_in_two_passes(extractor, dataset):
    features = extractor.predict(dataset, verbose=0)
    labels = np.concatenate([batch_labels for _, batch_labels in dataset])
    return features, labels


def collect_in_training_mode(extractor, dataset):
    pairs = [(extractor(x, training=True), y) for x, y in dataset]
    features, labels = zip(*pairs, strict=True)
    return np.concatenate(features), np.concatenate(labels)


def collect_first_batch(extractor, dataset):
    for images, labels in dataset:
        return np.asarray(extractor(images)), np.asarray(labels)


def collect_lists(extractor, dataset):
    pairs = [(extractor(x), y) for x, y in dataset]
    return [x for x, _ in pairs], [y for _, y in pairs]


def changed_stub(before, after): ...


def changed_with_is(before, after):
    return sum(a is not b for a, b in zip(before, after, strict=True))


CATALOGUE = {
    "02.a": {
        "stub": pool_stub,
        "right": [
            lambda maps: maps.mean(axis=(1, 2)),
            lambda maps: np.average(maps.reshape(len(maps), -1, maps.shape[-1]), axis=1),
            lambda maps: layers.GlobalAveragePooling2D()(maps),
        ],
        "wrong": {
            "all-axes": lambda maps: maps.mean(),
            "max": lambda maps: maps.max(axis=(1, 2)),
            "sum": lambda maps: maps.sum(axis=(1, 2)),
            "batch-axis": lambda maps: maps.mean(axis=(0, 1)),
            "feature-axis": lambda maps: maps.mean(axis=-1),
            "flatten": lambda maps: maps.reshape(len(maps), -1),
            "shape": lambda maps: maps.mean(axis=1),
            "other-values": lambda maps: maps.min(axis=(1, 2)),
            "no-array": lambda maps: None,
        },
    },
    "02.b": {
        "stub": wire_stub,
        "right": [wire, wire_with_ops, wire_frozen_layer_by_layer, wire_frozen_as_a_whole],
        "wrong": {
            "thrown-away": lambda base, scale: wire(base, scale, order="thrown away"),
            "twice": lambda base, scale: wire(base, scale, order="twice"),
            "no-pool": lambda base, scale: wire(base, scale, pool=None),
            "max": lambda base, scale: wire(base, scale, pool="max"),
            "not-frozen": lambda base, scale: wire(base, scale, freeze=False),
            "tensor": lambda base, scale: wire(base, scale, give="tensor"),
            "no-model": lambda base, scale: wire(base, scale, give="nothing"),
        },
    },
    "02.c": {
        "stub": collect_stub,
        "right": [collect, collect_with_predict],
        "wrong": {
            "two-passes": collect_in_two_passes,
            "training-mode": collect_in_training_mode,
            "first-batch": collect_first_batch,
            "list": collect_lists,
            "not-two": lambda extractor, dataset: extractor.predict(dataset, verbose=0),
        },
    },
    "02.d": {
        "stub": changed_stub,
        "right": [
            lambda before, after: sum(
                not np.array_equal(a, b) for a, b in zip(before, after, strict=True)
            ),
            lambda before, after: len(
                [1 for a, b in zip(before, after, strict=True) if (a != b).any()]
            ),
        ],
        "wrong": {
            "tolerance": lambda before, after: sum(
                not np.allclose(a, b) for a, b in zip(before, after, strict=True)
            ),
            "unchanged": changed_with_is,
            "bool": lambda before, after: any(
                not np.array_equal(a, b) for a, b in zip(before, after, strict=True)
            ),
            "numbers": lambda before, after: sum(
                int((a != b).sum()) for a, b in zip(before, after, strict=True)
            ),
            "miscounted": lambda before, after: sum(
                bool((a != b).all()) for a, b in zip(before, after, strict=True)
            ),
        },
    },
}
