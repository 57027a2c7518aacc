"""Checks of lesson 04: a checkpoint by accuracy, the value to beat, an order for each epoch."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
from keras import layers

from helpers.exercises import Exercise, Hint, described

LOGS = {  # what fit reports after each of six epochs; each way to choose leads to another one
    "loss": (0.9, 0.8, 0.7, 0.6, 0.3, 0.5),
    "accuracy": (0.50, 0.60, 0.65, 0.70, 0.95, 0.80),
    "val_loss": (1.0, 1.2, 0.8, 1.1, 1.3, 0.9),
    "val_accuracy": (0.50, 0.70, 0.60, 0.40, 0.55, 0.60),
}
MOST_ACCURATE, LOWEST_LOSS, LEAST_ACCURATE, BEST_IN_TRAINING, LAST = 2, 3, 4, 5, 6


def check_most_accurate(answer: Callable[[Path], keras.callbacks.ModelCheckpoint]) -> None:
    """04.a: keep only the weights of the epoch with the highest validation accuracy."""
    with tempfile.TemporaryDirectory() as name:
        where = Path(name)
        checkpoint = _checkpoint_from(answer, where)
        if not checkpoint.save_weights_only:
            raise Hint(
                "whole-model",
                "This saves the whole model. For the weights alone, say so with an argument; the "
                "name of the file has to fit it.",
            )
        if not Path(checkpoint.filepath).is_relative_to(where):
            raise Hint(
                "elsewhere",
                "This writes to another place than the folder `where`. Put the path together from "
                "`where` and a name: where / 'some_name'.",
            )
        _check_monitor(checkpoint.monitor)
        _play_epochs(checkpoint)
        files = [path for path in where.rglob("*") if path.is_file()]
        if not files:
            raise Hint(
                "nothing-saved",
                "After six epochs, the best of them 70 % right, no file was there. Is there a "
                "threshold that no epoch reached?",
            )
        if len(files) > 1:
            raise Hint(
                "many-files",
                f"After six epochs there were {len(files)} files, and one was asked for. A "
                "{place} in the name makes a file for each epoch that is saved.",
            )
        kept = _epoch_in(files[0])
    if kept == LAST:
        raise Hint(
            "last",
            "The file held the last of six epochs, though the second was the most accurate: each "
            "epoch overwrote the one before. Only the best is to be saved.",
        )
    if kept == LEAST_ACCURATE:
        raise Hint(
            "mode",
            "The file held the epoch with the LOWEST validation accuracy. For an accuracy, more is "
            "better: set the mode.",
        )
    if kept != MOST_ACCURATE:
        raise Hint(
            "other-epoch",
            f"The file held epoch {kept} of six, and the second had the highest validation "
            "accuracy.",
        )


def _checkpoint_from(answer: Callable, where: Path) -> keras.callbacks.ModelCheckpoint:
    try:
        checkpoint = answer(where)
    except ValueError as problem:
        if "must end in" not in str(problem):
            raise
        raise Hint(
            "ending",
            "Keras refuses the file's name: a file of weights has to end in .weights.h5.",
        ) from None
    if not isinstance(checkpoint, keras.callbacks.ModelCheckpoint):
        raise Hint("no-checkpoint", f"Return a ModelCheckpoint; this is {described(checkpoint)}.")
    return checkpoint


def _check_monitor(monitor: str) -> None:
    if monitor == "val_loss":
        raise Hint(
            "loss",
            "This monitors val_loss, which is what Keras does when you do not say otherwise. The "
            "lowest loss and the highest accuracy can be different epochs.",
        )
    if monitor == "accuracy":
        raise Hint(
            "training-accuracy",
            "This monitors the accuracy on training images, which says how well the model "
            "remembers. Names of validation metrics begin with val_.",
        )
    if monitor != "val_accuracy":
        raise Hint(
            "no-such-metric",
            f"fit reports nothing called {monitor!r}. With metrics=['accuracy'] the names are "
            f"{', '.join(LOGS)}.",
        )


def _play_epochs(checkpoint: keras.callbacks.ModelCheckpoint) -> None:
    """Tell the callback of six epochs; the model's only weight is the epoch's number."""
    model = _one_weight()
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    for index in range(LAST):
        model.set_weights([np.full((1, 1), index + 1.0)])
        checkpoint.on_epoch_begin(index)
        checkpoint.on_epoch_end(index, {name: values[index] for name, values in LOGS.items()})


def _one_weight() -> keras.Model:
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False)])
    model.compile("sgd", "mse", metrics=["accuracy"])
    model.optimizer.build(model.trainable_variables)
    # One step, or Keras would not know its metrics yet.
    model.train_on_batch(np.zeros((1, 1)), np.zeros((1, 1)))
    return model


def _epoch_in(file: Path) -> int:
    model = _one_weight()
    model.load_weights(file)
    return round(float(model.get_weights()[0][0, 0]))


def check_value_to_beat(answer: Callable[[Mapping[str, Sequence[float]]], float]) -> None:
    """04.b: the highest validation accuracy of phase one."""
    history = {name: list(values) for name, values in LOGS.items()}
    result = answer(history)
    if isinstance(result, bool | np.bool_) or np.ndim(result) != 0 or result is None:
        raise Hint("not-a-number", f"Return one number; this is {described(result)}.")
    result = float(result)
    accuracy = history["val_accuracy"]
    if np.isclose(result, max(accuracy)):  # float32 has 0.7 as 0.69999999
        return
    mistakes = {
        accuracy.index(max(accuracy)): (
            "epoch",
            "This is the number of an epoch. The checkpoint compares accuracies, so return the "
            "accuracy of that epoch.",
        ),
        accuracy[-1]: (
            "last",
            "This is the accuracy of the last epoch. If an earlier one was better, phase two could "
            "overwrite it with something worse.",
        ),
        min(accuracy): (
            "lowest",
            "This is the lowest validation accuracy. Almost any epoch would beat it.",
        ),
        max(history["accuracy"]): (
            "training-accuracy",
            "This is the highest accuracy on training images. A checkpoint that monitors "
            "val_accuracy would hardly ever reach it, and phase two would save nothing.",
        ),
        min(history["val_loss"]): (
            "loss",
            "This is the lowest validation loss. The checkpoint monitors an accuracy, so it needs "
            "an accuracy to compare with.",
        ),
    }
    for value, (code, sentence) in mistakes.items():
        if np.isclose(result, value):
            raise Hint(code, sentence)
    raise Hint(
        "other-value",
        f"For validation accuracies {accuracy} the value to beat is the best, not {result}.",
    )


COUNT = 50


def check_order_of(answer: Callable[[int, int, int], Sequence[int]]) -> None:
    """04.c: a permutation that is a function of count, seed and epoch."""

    def order(seed: int, epoch: int, count: int = COUNT) -> list[int]:
        result = answer(count, seed, epoch)
        if result is None or np.ndim(result) != 1:
            raise Hint(
                "no-list",
                f"Return an array or list of {count} numbers; this is {described(result)}.",
            )
        return [int(place) for place in np.asarray(result)]

    state = np.random.get_state()
    try:
        first = order(42, 0)
        _check_is_permutation(first)
        again = order(42, 0)
        np.random.seed(99)  # as other code in a program may do between two epochs
        if not first == again == order(42, 0):
            raise Hint(
                "depends-on-calls",
                "Asked twice for the same epoch, you gave two orders: yours depends on what was "
                "drawn before. After a kill nothing was drawn before. Make a generator inside the "
                "function, from seed and epoch.",
            )
    finally:
        np.random.set_state(state)
    if first == sorted(first):
        raise Hint("sorted", "Epoch 0 is not shuffled at all: it comes in the order 0, 1, 2, ...")
    if order(42, 0) == order(42, 1) or order(42, 4) == order(42, 5):
        raise Hint(
            "same-every-epoch",
            "Two epochs came in the same order. It can be repeated, but the data are no longer "
            "shuffled anew. Let the epoch take part.",
        )
    if order(7, 3) == order(8, 3):
        raise Hint("ignores-seed", "Seeds 7 and 8 gave the same order. Let the seed take part.")
    if order(42, 1) == order(43, 0) or order(2, 3) == order(3, 2):
        raise Hint(
            "collision",
            "Seed 42 in epoch 1 and seed 43 in epoch 0, or seeds 2 and 3 in epochs 3 and 2, share "
            "an order: you made one number of the two. Runs with neighbouring seeds then see each "
            "other's orders. Give the generator both numbers, as a list.",
        )
    _check_is_permutation(order(42, 1, 7), 7)


def _check_is_permutation(order: list[int], count: int = COUNT) -> None:
    if len(order) != count:
        raise Hint("length", f"For {count} examples you gave {len(order)} places.")
    if len(set(order)) < count:
        raise Hint(
            "repeats",
            "Some examples come twice in an epoch and others not at all. Each place has to come "
            "once.",
        )
    if sorted(order) != list(range(count)):
        raise Hint("range", f"The places run from 0 to {count - 1}; yours from {min(order)}.")


EXERCISES = {
    "04.a": Exercise("Keep the most accurate", check_most_accurate),
    "04.b": Exercise("The value to beat", check_value_to_beat),
    "04.c": Exercise("An order for each epoch", check_order_of),
}
