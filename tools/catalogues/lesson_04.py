"""Answers to lesson 04's exercises: the stub, right ones, and wrong ones with their hint codes."""

import random

import numpy as np
import tensorflow as tf
from keras.callbacks import ModelCheckpoint


def most_accurate_stub(where):
    return ModelCheckpoint(where / ...)


def most_accurate(where, name="kept.weights.h5", **changed):
    arguments = {
        "monitor": "val_accuracy",
        "mode": "max",
        "save_best_only": True,
        "save_weights_only": True,
    }
    return ModelCheckpoint(where / name, **(arguments | changed))


def most_accurate_in_a_folder(where):
    return ModelCheckpoint(
        str(where / "deeper" / "best.weights.h5"), "val_accuracy", 0, True, save_weights_only=True
    )


def value_stub(history):
    return ...


def value_by_loop(history):
    best = 0.0
    for value in history["val_accuracy"]:
        best = max(best, value)
    return best


def order_stub(count, seed, epoch):
    return ...


def order_by_numpy(count, seed, epoch):
    return np.random.default_rng([seed, epoch]).permutation(count)


def order_by_python(count, seed, epoch):
    places = list(range(count))
    random.Random(f"{seed} {epoch}").shuffle(places)
    return places


def order_by_tensorflow(count, seed, epoch):
    return tf.random.experimental.stateless_shuffle(tf.range(count), seed=[seed, epoch])


def order_by_skipping(count, seed, epoch):
    generator = np.random.default_rng(seed)
    for _ in range(epoch + 1):
        order = generator.permutation(count)
    return order


def order_by_global_state(count, seed, epoch):
    return np.random.permutation(count)


generator = np.random.default_rng(42)


def order_by_shared_generator(count, seed, epoch):
    return generator.permutation(count)


CATALOGUE = {
    "04.a": {
        "stub": most_accurate_stub,
        "right": [
            most_accurate,
            most_accurate_in_a_folder,
            lambda where: most_accurate(where, mode="auto"),
        ],
        "wrong": {
            "mode": lambda where: most_accurate(where, mode="min"),
            "last": lambda where: most_accurate(where, save_best_only=False),
            "loss": lambda where: most_accurate(where, monitor="val_loss", mode="min"),
            "training-accuracy": lambda where: most_accurate(where, monitor="accuracy"),
            "no-such-metric": lambda where: most_accurate(where, monitor="val_acc"),
            "whole-model": lambda where: most_accurate(where, "x.keras", save_weights_only=False),
            "ending": lambda where: most_accurate(where, "best.ckpt"),
            "many-files": lambda where: most_accurate(where, "{epoch}.weights.h5"),
            "elsewhere": lambda where: most_accurate(where.parent),
            "no-checkpoint": lambda where: where / "best.weights.h5",
            "nothing-saved": lambda where: most_accurate(where, initial_value_threshold=0.9),
        },
    },
    "04.b": {
        "stub": value_stub,
        "right": [
            lambda history: max(history["val_accuracy"]),
            value_by_loop,
            lambda history: np.max(history["val_accuracy"]),
            lambda history: np.float32(max(history["val_accuracy"])),
            lambda history: tf.reduce_max(history["val_accuracy"]),
        ],
        "wrong": {
            "last": lambda history: history["val_accuracy"][-1],
            "lowest": lambda history: min(history["val_accuracy"]),
            "training-accuracy": lambda history: max(history["accuracy"]),
            "loss": lambda history: min(history["val_loss"]),
            "epoch": lambda history: np.argmax(history["val_accuracy"]),
            "not-a-number": lambda history: history["val_accuracy"],
            "other-value": lambda history: history["val_accuracy"][0],
        },
    },
    "04.c": {
        "stub": order_stub,
        "right": [order_by_numpy, order_by_python, order_by_tensorflow, order_by_skipping],
        "wrong": {
            "same-every-epoch": lambda count, seed, epoch: order_by_numpy(count, seed, 0),
            "depends-on-calls": order_by_global_state,
            "collision": lambda count, seed, epoch: order_by_numpy(count, 0, seed + epoch),
            "ignores-seed": lambda count, seed, epoch: order_by_numpy(count, 0, epoch),
            "repeats": lambda count, seed, epoch: np.random.default_rng([seed, epoch]).integers(
                count, size=count
            ),
            "sorted": lambda count, seed, epoch: np.arange(count),
            "range": lambda count, seed, epoch: 1 + order_by_numpy(count, seed, epoch),
            "length": lambda count, seed, epoch: order_by_numpy(count, seed, epoch)[:-1],
            "no-list": lambda count, seed, epoch: None,
        },
    },
}
