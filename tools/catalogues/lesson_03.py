"""Answers to lesson 03's exercises: the stub, right ones, and wrong ones with their hint codes."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def pipelines_stub(train, val, augment):
    ...
    return train, val


def changed(augment, training=True):
    return lambda images, labels: (augment(images, training=training), labels)


def pipelines(train, val, augment):
    return train.cache().map(changed(augment)), val.cache()


def pipelines_in_steps(train, val, augment):
    train = train.unbatch().cache().batch(4)
    train = train.map(lambda x, y: (augment(x), y)).prefetch(2)
    return [train, val.cache()]


def pipelines_shuffled(train, val, augment):
    train = train.cache().shuffle(3).map(changed(augment))
    return train, val.unbatch().cache().shuffle(12).batch(5)


def pipelines_with_labels_swapped(train, val, augment):
    train = train.cache().map(lambda x, y: (augment(x, training=True), tf.reverse(y, [0])))
    return train, val


def leaked_stub(train_files, test_files, photograph): ...


def leaked(train_files, test_files, photograph):
    known = {photograph[file] for file in train_files}
    return sum(photograph[file] in known for file in test_files)


def leaked_with_numpy(train_files, test_files, photograph):
    train = [photograph[file] for file in train_files]
    return np.isin([photograph[file] for file in test_files], train).sum()


def shared_photographs(train_files, test_files, photograph):
    return len({photograph[f] for f in train_files} & {photograph[f] for f in test_files})


def pairs_of_files(train_files, test_files, photograph):
    train_files = [*train_files, "a1"]
    return sum(photograph[a] == photograph[b] for a in train_files for b in test_files)


def honest_stub(val_accuracy, test_accuracy): ...


def honest(val_accuracy, test_accuracy):
    return test_accuracy[int(np.argmax(val_accuracy))]


def honest_with_zip(val_accuracy, test_accuracy):
    return max(zip(val_accuracy, test_accuracy, strict=True))[1]


def digits_stub(): ...


def digits():
    return keras.Sequential(
        [
            layers.RandomRotation(0.05, fill_mode="nearest"),
            layers.RandomZoom((-0.1, 0.1)),
            layers.RandomContrast(0.3, value_range=(0, 255)),
        ]
    )


def digits_moved():
    return layers.RandomTranslation(0.1, 0.1, fill_mode="constant")


CATALOGUE = {
    "03.a": {
        "stub": pipelines_stub,
        "right": [pipelines, pipelines_in_steps, pipelines_shuffled],
        "wrong": {
            "cached-too-late": lambda train, val, augment: (
                train.map(changed(augment)).cache(),
                val.cache(),
            ),
            "validation-changed": lambda train, val, augment: tuple(
                split.cache().map(changed(augment)) for split in (train, val)
            ),
            "nothing-changes": lambda train, val, augment: (
                train.cache().map(changed(augment, training=False)),
                val.cache(),
            ),
            "not-cached": lambda train, val, augment: (train.map(changed(augment)), val),
            "validation-not-cached": lambda train, val, augment: (
                train.cache().map(changed(augment)),
                val,
            ),
            "endless": lambda train, val, augment: (
                train.cache().repeat().map(changed(augment)),
                val.cache(),
            ),
            "labels": pipelines_with_labels_swapped,
            "not-two": lambda train, val, augment: train.cache().map(changed(augment)),
            "no-datasets": lambda train, val, augment: (list(train), list(val)),
            "images-lost": lambda train, val, augment: (
                train.cache().map(changed(augment)).take(2),
                val,
            ),
        },
    },
    "03.b": {
        "stub": leaked_stub,
        "right": [leaked, leaked_with_numpy],
        "wrong": {
            "files": lambda train, test, photograph: len(set(train) & set(test)),
            "photographs": shared_photographs,
            "wrong-side": lambda train, test, photograph: leaked(test, train, photograph),
            "clean": lambda train, test, photograph: len(test) - leaked(train, test, photograph),
            "not-a-number": lambda train, test, photograph: leaked(train, test, photograph) > 0,
            "miscounted": pairs_of_files,
            "by-luck": lambda train, test, photograph: 2,
        },
    },
    "03.c": {
        "stub": honest_stub,
        "right": [honest, honest_with_zip],
        "wrong": {
            "best-on-test": lambda val, test: max(test),
            "last-epoch": lambda val, test: test[-1],
            "lowest": lambda val, test: test[int(np.argmin(val))],
            "one-too-early": lambda val, test: test[int(np.argmax(val)) - 1],
            "validation": lambda val, test: max(val),
            "epoch": lambda val, test: int(np.argmax(val)),
            "other": lambda val, test: float(np.mean(test)),
            "not-a-number": lambda val, test: (np.argmax(val), test[np.argmax(val)]),
            "fixed-epoch": lambda val, test: test[2],
        },
    },
    "03.d": {
        "stub": digits_stub,
        "right": [digits, digits_moved],
        "wrong": {
            "mirrored-horizontal": lambda: layers.RandomFlip("horizontal"),
            "mirrored-vertical": lambda: layers.RandomFlip("vertical"),
            "turned": lambda: layers.RandomRotation(0.5),
            "nothing-changes": lambda: layers.RandomRotation(0.0),
            "black": lambda: layers.RandomContrast(0.3, value_range=(0, 1)),
            "list": lambda: [layers.RandomRotation(0.1), layers.RandomZoom(0.1)],
            "no-layer": lambda: "RandomRotation",
            "always-on": lambda: keras.Sequential([layers.Rescaling(0.5)]),
            "shape": lambda: layers.Resizing(32, 32),
        },
    },
}
