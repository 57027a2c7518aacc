"""Checks of lesson 04: a checkpoint, the value to beat, an order, a model at its best."""

from __future__ import annotations

import inspect
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import keras
import numpy as np
from keras import layers

from helpers.exercises import open_task
from helpers.exercises.judging import Exercise, Hint
from helpers.exercises.open_task import Pair
from helpers.exercises.probes import (
    ask,
    close,
    described,
    hint_if_known,
    number,
    require_model,
    require_number,
)

LOGS = {  # what fit reports after each of six epochs; each way to choose leads to another one
    "loss": (0.9, 0.8, 0.7, 0.6, 0.3, 0.5),
    "accuracy": (0.5104, 0.6042, 0.6458, 0.7083, 0.9479, 0.8021),
    "val_loss": (1.0, 1.2, 0.8, 1.1, 1.3, 0.9),
    "val_accuracy": (0.5052, 0.7031, 0.5521, 0.4010, 0.6146, 0.5938),
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
        if checkpoint.save_freq != "epoch":
            raise Hint(
                "by-batches",
                f"save_freq={checkpoint.save_freq} counts batches. In the middle of an epoch "
                "there is no validation accuracy to compare; leave it at 'epoch'.",
            )
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
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
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
    if any("is unknown" in str(one.message) for one in said):
        raise Hint(
            "no-such-mode",
            "Keras does not know that mode, says so in a warning and guesses. The modes are 'min', "
            "'max' and 'auto'.",
        )
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
    try:
        given = ask(answer, history, what="history")
    except KeyError as problem:
        raise Hint(
            "no-such-key", f"The history has no {problem}; it has {', '.join(LOGS)}."
        ) from None
    if isinstance(given, str) and given in LOGS:
        raise Hint(
            "key",
            f"You return the name {given!r}: max() of a dictionary is the last of its keys by the "
            'alphabet. Take the list first, history["val_accuracy"].',
        )
    result = require_number(given)
    accuracy = LOGS["val_accuracy"]
    if close(result, max(accuracy)):
        turned = {name: values[::-1] for name, values in history.items()}
        if not close(require_number(answer(turned)), max(accuracy)):
            raise Hint(
                "only-here",
                "Right for a history whose best epoch is the second, and not where another one is "
                "the best. Look for the largest value, not for a place.",
            )
        return
    if close(result, max(accuracy), atol=0.006) or result == int(max(accuracy)):
        raise Hint(
            "rounded",
            f"The best accuracy is {max(accuracy)}, and you return {result:g}: rounded, or with "
            "something added. An epoch a little below would beat it, or one a little above would "
            "not. Return the value as it stands in the history.",
        )
    mistakes = {
        "epoch": (
            accuracy.index(max(accuracy)),
            "This is the number of an epoch. The checkpoint compares accuracies, so return the "
            "accuracy of that epoch.",
        ),
        "last": (
            accuracy[-1],
            "This is the accuracy of the last epoch. If an earlier one was better, phase two could "
            "overwrite it with something worse.",
        ),
        "lowest": (
            min(accuracy),
            "This is the lowest validation accuracy. Almost any epoch would beat it.",
        ),
        "training-accuracy": (
            max(LOGS["accuracy"]),
            "This is the highest accuracy on training images. A checkpoint that monitors "
            "val_accuracy would hardly ever reach it, and phase two would save nothing.",
        ),
        "loss": (
            min(LOGS["val_loss"]),
            "This is the lowest validation loss. The checkpoint monitors an accuracy, so it needs "
            "an accuracy to compare with.",
        ),
        "first": (
            accuracy[0],
            "This is the accuracy of the first epoch. Does a return stand inside the loop?",
        ),
        "of-the-lowest-loss": (
            accuracy[LOWEST_LOSS - 1],
            "This is the accuracy in the epoch of the lowest loss. A checkpoint that monitors "
            "val_accuracy compares accuracies only.",
        ),
        "percent": (
            100 * max(accuracy),
            "This is the best accuracy in percent. Keras reports shares between 0 and 1, so "
            "nothing would ever beat it.",
        ),
    }
    hint_if_known(result, mistakes)
    if close(result, max(map(max, LOGS.values()))):
        raise Hint(
            "of-all",
            f"{result:g} is the largest number of the whole history, a loss. Take the list of "
            "validation accuracies first.",
        )
    if max(accuracy) < result < 1:
        raise Hint(
            "more-than-the-best",
            f"You return {result:g}, more than the best accuracy, {max(accuracy)}. A checkpoint "
            "saves only what is better than its threshold, so do not add to it.",
        )
    kinds = {
        "error, one minus the best": 1 - max(accuracy),
        "mean": np.mean(accuracy),
        "mean of the last epochs": np.mean(accuracy[-3:]),
        "median": np.median(accuracy),
    }
    kind = next((kind for kind, value in kinds.items() if close(result, value)), "")
    raise Hint(
        "other-value",
        f"For validation accuracies {list(accuracy)} the value to beat is the best single one, not "
        f"{f'their {kind}, ' if kind else ''}{result:.4g}.",
    )


COUNT = 50


def check_order_of(answer: Callable[[int, int, int], Sequence[int]]) -> None:
    """04.c: a permutation that is a function of count, seed and epoch."""

    def order(seed: int, epoch: int, count: int = COUNT) -> list[int]:
        result = answer(count, seed, epoch)
        if result is None or isinstance(result, str) or np.ndim(result) != 1:
            raise Hint(
                "no-list",
                f"Return an array or list of {count} numbers; this is {described(result)}.",
            )
        places = [number(place) for place in np.asarray(result)]
        if not all(isinstance(place, int) for place in places):
            raise Hint(
                "not-whole",
                "The places are to be whole numbers: they say where an example lies.",
            )
        return places

    state, python_state = np.random.get_state(), random.getstate()
    try:
        # Later epochs first: a resumed run asks for epoch 4 without having asked for epoch 0.
        late = order(42, 4)
        first = order(42, 0)
        _check_is_permutation(first)
        again = order(42, 0)
        np.random.seed(99)  # as other code in a program may do between two epochs
        random.seed(99)
        if not first == again == order(42, 0) or late != order(42, 4):
            raise Hint(
                "depends-on-calls",
                "Asked again for the same epoch, you gave another order: yours depends on what was "
                "drawn before. After a kill nothing was drawn before. Make a generator inside the "
                "function, from seed and epoch.",
            )
    finally:
        np.random.set_state(state)
        random.setstate(python_state)
    with mock.patch("builtins.hash", _hash_of_another_process):
        elsewhere = order(42, 4)
    if late != elsewhere or _in_another_process(answer, (COUNT, 42, 4)) not in (None, late):
        raise Hint(
            "differs-between-processes",
            "Another process got another order, and a resumed run is another process. Python's "
            "hash of a text differs from one to the next, and so do the order of a set of texts "
            "and os.getpid. Give the generator the numbers themselves: [seed, epoch].",
        )
    if first == sorted(first):
        raise Hint("sorted", "Epoch 0 is not shuffled at all: it comes in the order 0, 1, 2, ...")
    orders = {epoch: order(42, epoch) for epoch in (*range(12), 500)}
    if first == orders[1]:
        raise Hint(
            "same-every-epoch",
            "Two epochs came in the same order. It can be repeated, but the data are no longer "
            "shuffled anew. Let the epoch take part.",
        )
    for (at, one), (later, other) in itertools.combinations(orders.items(), 2):
        if one == other:
            raise Hint(
                "some-epochs-alike",
                f"Epochs {at} and {later} came in the same order, others in another: the epoch "
                "takes part, but only as a remainder, or up to a largest. Use all of it.",
            )
        if _neighbours(one) & _neighbours(other):
            raise Hint(
                "one-order-turned",
                "The orders of two epochs are one order, rolled or reversed: the same examples "
                "follow each other. Draw a new permutation for each epoch.",
            )
    if order(7, 3) == order(8, 3):
        raise Hint("ignores-seed", "Seeds 7 and 8 gave the same order. Let the seed take part.")
    for one, other in (((42, 1), (43, 0)), ((2, 3), (3, 2)), ((1, 11), (11, 1))):
        if order(*one) == order(*other):
            raise Hint(
                "collision",
                f"Seed {one[0]} in epoch {one[1]} and seed {other[0]} in epoch {other[1]} share an "
                "order: you made one number of the two. Runs with other seeds then see each "
                "other's orders. Give the generator both numbers, as a list.",
            )
    for place, here in enumerate(zip(*orders.values(), strict=True)):
        if len(set(here)) == 1:
            raise Hint(
                "some-stay",
                f"Place {place} holds the same example in each of {len(here)} epochs: a part is "
                "left out of the shuffle. Permute all of them.",
            )
    _check_is_permutation(order(42, 1, 7), 7)


def _in_another_process(answer: Callable, asked: tuple[int, ...]) -> list[int] | None:
    """What a function returns in another process; None if it cannot be brought there.

    Its own source goes there, and the modules that it names. TensorFlow and Keras stay here: to
    import them takes seconds.
    """
    try:
        source = textwrap.dedent(inspect.getsource(answer))
        named = set(answer.__code__.co_names)
        modules = {
            name: one.__name__
            for name, one in answer.__globals__.items()
            if name in named and isinstance(one, ModuleType)
        }
        if {"keras", "tensorflow"} & {name.split(".")[0] for name in modules.values()}:
            return None
        script = "\n".join(f"import {module} as {name}" for name, module in modules.items())
        script += f"\nimport json\n{source}\nplaces = {answer.__name__}{asked}\n"
        script += "print(json.dumps([int(place) for place in places]))"
        seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            timeout=20,
        )
        return json.loads(done.stdout)
    except (AttributeError, OSError, TypeError, ValueError, subprocess.SubprocessError):
        return None


def _hash_of_another_process(thing: Any, hash_here: Callable[[Any], int] = hash) -> int:
    """What ``hash`` says in another process: of numbers the same, of texts something else."""
    parts = thing if isinstance(thing, tuple) else (thing,)
    has_text = any(isinstance(part, str | bytes) for part in parts)
    return hash_here(("another process", thing)) if has_text else hash_here(thing)


def _neighbours(order: list[int]) -> set[frozenset[tuple[int, int]]]:
    """The pairs of examples that follow each other in a circle, forwards and backwards."""
    pairs = list(zip(order, order[1:] + order[:1], strict=True))
    return {frozenset(pairs), frozenset((b, a) for a, b in pairs)}


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


PIXELS, CUT, LIMIT = 96, 404, 60.0
TARGET = 1.38
"""The loss to reach on the hidden images."""
MARKS = {
    "guessing evenly": 2.30,
    "a single epoch": 1.82,
    "the last of forty epochs": 1.46,
    "the reference answer": 1.27,
}
"""Losses of recorded answers on the hidden images; tests/test_open_task.py runs them again."""


def check_best_head(answer: Callable[[Pair, Pair], keras.Model]) -> str:
    """04.d: a head at its best, by its loss on photographs that it has not seen."""
    parts = open_task.dealt_features(PIXELS, CUT)
    model = require_model(open_task.in_time(answer, LIMIT, parts["train"], parts["val"]))
    features, labels = parts["hidden"]
    probabilities = open_task.probabilities_of(model, features)
    loss, score = open_task.score(probabilities, labels, MARKS)
    if loss <= TARGET:
        return score
    if _scaled_outside(model, parts, loss):
        raise Hint(
            "scaled-outside",
            "Your function scales the features before training, and the model expects them so: "
            "whoever uses it passes them as they come. Put the scaling into the model, as a layer "
            f"such as Normalization. {score}",
        )
    code, reason = open_task.commonest_reason(model, parts)
    raise Hint(code, f"{reason} {score} To reach: {TARGET:.2f}.")


def _scaled_outside(model: keras.Model, parts: dict[str, Pair], loss: float) -> bool:
    """Whether the model does better on features that were scaled before it gets them."""
    (train, _), (hidden, labels) = parts["train"], parts["hidden"]
    mean, spread = train.mean(axis=0), train.std(axis=0) + 1e-7
    share = float(np.mean(model.predict(hidden, verbose=0).argmax(axis=1) == labels))
    for scaled in ((hidden - mean) / spread, hidden / train.max(), hidden - mean):
        found = open_task.probabilities_of(model, scaled)
        more = float(np.mean(found.argmax(axis=1) == labels)) - share
        if open_task.loss_of(found, labels) < loss - 0.2 and more > 0.02:
            return True
    return False


EXERCISES = {
    "04.a": Exercise("Keep the most accurate", check_most_accurate),
    "04.b": Exercise("The value to beat", check_value_to_beat),
    "04.c": Exercise("An order for each epoch", check_order_of),
    "04.d": Exercise("The model at its best", check_best_head, open_task.SECONDS),
}
