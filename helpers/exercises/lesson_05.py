"""Checks of lesson 05: the last n layers, the next fit's arguments, a schedule, a paired gain."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Sequence
from numbers import Real
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
from keras import layers

from helpers.exercises.judging import Exercise, Hint
from helpers.exercises.probes import close, described, hint_if_known, number


def check_unfreeze_last(answer: Callable[[keras.Model, int], Any]) -> None:
    """05.a: of a base, exactly the last n layers trainable, but no BatchNorm."""
    for begins, count in itertools.product(("frozen", "open"), (6, 5)):
        base = _small_base()
        base.trainable = begins == "open"
        answer(base, count)
        _judge_unfrozen(base, count)


def _judge_unfrozen(base: keras.Model, count: int) -> None:
    # As the base sees it: while its own flag is False, it has none, whatever its layers say.
    seen = {id(weight) for weight in base.trainable_weights}
    weighted = [layer for layer in base.layers if layer.weights]
    last = base.layers[-count:]
    found = {layer.name for layer in weighted if any(id(w) in seen for w in layer.weights)}
    norms = {one.name for one in weighted if isinstance(one, layers.BatchNormalization)}
    convolutions = [one.name for one in weighted if one.name not in norms]
    wanted = {one.name for one in last} & set(convolutions)
    if found == wanted:
        return
    if not found and not base.trainable:
        raise Hint(
            "outer-flag",
            "base.trainable is still False, so base.trainable_weights is empty, and training the "
            "base by itself would do nothing (although a model around it would train the layers "
            "that you set). Set it to True first.",
        )
    if not found:
        raise Hint("none", "No layer of the base is trainable afterwards.")
    if found == {one.name for one in weighted}:
        raise Hint(
            "all",
            "Every layer is trainable. base.trainable = True opens them all, also those that were "
            "frozen a line before: set the outer flag first, then freeze layer by layer.",
        )
    if found == {one.name for one in last if one.weights}:
        raise Hint(
            "batch-norm",
            "These are the right layers, but the BatchNormalization layers among them are "
            "trainable too: their moving statistics would change during fit. Freeze these by type.",
        )
    plain = found - norms
    if plain == set(convolutions):
        raise Hint(
            "all-but-norms",
            "BatchNorm is frozen and everything else is trainable: the first layers too. Freeze "
            "all but the last n layers.",
        )
    if plain and plain <= {one.name for one in base.layers[:count]}:
        raise Hint(
            "first",
            "You unfroze layers at the start of the base. The last n are base.layers[-n:].",
        )
    if plain == {one.name for one in base.layers[count:]} & set(convolutions):
        raise Hint(
            "counted-from-the-front",
            "You froze the first n layers and left the others open. Count from the end: freeze "
            "base.layers[:-n].",
        )
    raise Hint(
        "other-layers",
        f"With n = {count}, trainable should be {_listed(sorted(wanted))}; in your base it is "
        f"{_listed(sorted(found))}. Look at the slice of base.layers.",
    )


def _small_base() -> keras.Model:
    """A base of 16 layers: five convolutions, each with BatchNorm and an activation."""
    inputs = x = keras.Input((16, 16, 3))
    for block in range(1, 6):
        x = layers.Conv2D(4, 1, use_bias=False, name=f"conv{block}")(x)
        x = layers.BatchNormalization(name=f"norm{block}")(x)
        x = layers.Activation("relu", name=f"act{block}")(x)
    return keras.Model(inputs, x, name="small_base")


def check_continue_arguments(answer: Callable[[Any, int], dict[str, int]]) -> None:
    """05.b: epochs and initial_epoch for so many more epochs, after any fit."""
    first = _arguments(answer, [0, 1, 2, 3, 4], 3)
    later = _arguments(answer, [4, 5, 6], 2)
    if (first, later) == ((8, 5), (9, 7)):
        return
    if first[1] == 4 and later[1] == 6:
        raise Hint(
            "repeats",
            "The last epoch would run twice: Keras counts from 0, so after epochs 0 to 4 the next "
            "one is 5, and history.epoch[-1] is 4.",
        )
    if (first[0], later[0]) == (3, 2):
        raise Hint(
            "how-many-more",
            "epochs is where training ends, counted from the very first epoch, not how many more. "
            "With initial_epoch=5 and epochs=3, fit does nothing at all.",
        )
    if first == (8, 5) and later[1] == 3:
        raise Hint(
            "this-fit-only",
            "Right after a first fit. But a history knows only its own fit: after one that ran "
            "epochs 4, 5 and 6, its length is 3, and the next epoch is 7.",
        )
    if first[1] == 0 and later[1] == 0:
        raise Hint(
            "from-the-start",
            "With initial_epoch=0 the count begins anew, and so does every schedule that depends "
            "on it.",
        )
    if (first[1], later[1]) == (5, 7):
        raise Hint(
            "wrong-end",
            f"initial_epoch is right. After epochs 0 to 4, three more end at epochs=8; yours is "
            f"{first[0]}.",
        )
    raise Hint(
        "other-numbers",
        f"After epochs 0 to 4, three more are epochs=8 and initial_epoch=5; yours are "
        f"epochs={first[0]} and initial_epoch={first[1]}.",
    )


def _arguments(answer: Callable[[Any, int], Any], epochs: list[int], more: int) -> tuple[int, int]:
    """Ask for the arguments after a fit that ran these epochs; return epochs, initial_epoch."""
    result = answer(
        SimpleNamespace(epoch=list(epochs), history={"loss": [1.0] * len(epochs)}), more
    )
    if not isinstance(result, dict):
        raise Hint(
            "not-a-dict",
            f'Return a dictionary {{"epochs": ..., "initial_epoch": ...}}; this is '
            f"{described(result)}.",
        )
    if set(result) != {"epochs", "initial_epoch"}:
        raise Hint(
            "other-keys",
            f'The keys must be "epochs" and "initial_epoch", because fit gets them by these '
            f"names; yours are {_listed(map(str, result))}.",
        )
    given = (result["epochs"], result["initial_epoch"])
    values = tuple(map(number, given))
    if not all(isinstance(value, int) for value in values):
        raise Hint("not-whole", f"Both must be whole numbers; yours are {given[0]} and {given[1]}.")
    return values


HIGH, LOW = 1e-3, 1e-4


def check_rate(answer: Callable[..., float]) -> None:
    """05.c: 1e-3 in the epochs 0 to 4, 1e-4 from epoch 5 on."""
    rates, rate = [], HIGH
    for epoch in range(10):
        rate = _rate(answer, epoch, rate)
        rates.append(rate)
    if np.allclose(rates, [HIGH] * 5 + [LOW] * 5, rtol=1e-6, atol=0):
        if not np.isclose(_rate(answer, 7, HIGH), LOW, rtol=1e-6, atol=0):
            raise Hint(
                "needs-the-start",
                "From epoch 0 on this is right. But a run that goes on at epoch 7 gets the high "
                "rate: look at the epoch's number, not at whether it is exactly the sixth.",
            )
        return
    changes = [i for i in range(1, 10) if not np.isclose(rates[i], rates[i - 1], rtol=1e-6, atol=0)]
    if not changes:
        raise Hint("constant", f"The rate is {rates[0]:g} in every epoch. It should change once.")
    if len(changes) > 1:
        raise Hint(
            "again-and-again",
            f"The rate changes in {len(changes)} epochs and ends at {rates[-1]:g}. If you multiply "
            "the rate that was there before, you lower it anew in every epoch; return a fixed "
            "number instead.",
        )
    if np.allclose((rates[0], rates[-1]), (LOW, HIGH), rtol=1e-6, atol=0):
        raise Hint(
            "upside-down", "It begins low and ends high. The head may learn fast, the base may not."
        )
    if not np.allclose((rates[0], rates[-1]), (HIGH, LOW), rtol=1e-6, atol=0):
        raise Hint(
            "other-rates",
            f"The two rates should be {HIGH:g} and {LOW:g}; yours are {rates[0]:g} and "
            f"{rates[-1]:g}. A schedule returns the rate itself, not a factor.",
        )
    if changes[0] == 6:
        raise Hint(
            "one-late",
            "The rate falls one epoch late. Keras counts from 0: the first five epochs are 0 to 4, "
            "and epoch 5 is the first of the new phase.",
        )
    if changes[0] == 4:
        raise Hint(
            "one-early",
            "The rate falls one epoch early: epoch 4 is the fifth, the last with the high rate.",
        )
    raise Hint(
        "other-epoch", f"The rate falls at epoch {changes[0]}, counted from 0, instead of 5."
    )


def _rate(answer: Callable[..., Any], epoch: int, rate: float) -> float:
    """Call a schedule as Keras does: with the epoch and the rate, or with the epoch alone."""
    result = answer(epoch, rate) if _takes_both(answer) else answer(epoch)
    found = number(result)
    if found is None or not isinstance(result, Real):  # Keras takes no array and no tensor here
        raise Hint("not-a-number", f"Return the rate, a number; this is {described(result)}.")
    return float(found)


def _takes_both(answer: Callable[..., Any]) -> bool:
    """Whether it can be called with two arguments (what it raises when called says nothing)."""
    try:
        inspect.signature(answer).bind(0, HIGH)
    except TypeError:
        return False
    return True


def check_gain_interval(answer: Callable[..., Sequence[float]]) -> None:
    """05.d: mean paired gain plus and minus two standard errors."""
    control = np.array([0.52, 0.60, 0.55, 0.66, 0.58])
    tuned = np.array([0.55, 0.62, 0.59, 0.67, 0.60])
    result = answer(control.copy(), tuned.copy())
    try:
        found = np.asarray(result, dtype=float)
    except (TypeError, ValueError):
        raise Hint(
            "not-two", f"Return two numbers, low and high; this is {described(result)}."
        ) from None
    if found.shape != (2,):
        raise Hint(
            "not-two",
            "Return two numbers, the lower and the upper end; an array of the shape "
            f"{found.shape} is something else. The mean alone says nothing about noise.",
        )
    gain = tuned - control

    def interval(centre: float, half: float) -> tuple[float, float]:
        return centre - half, centre + half

    deviation, root = gain.std(ddof=1), np.sqrt(len(gain))
    unpaired = np.sqrt(control.var(ddof=1) + tuned.var(ddof=1)) / root
    if close(found, interval(gain.mean(), 2 * deviation / root)):
        return
    mistakes = {
        "sign": (
            interval(-gain.mean(), 2 * deviation / root),
            "The sign is turned round: a gain is fine-tuned minus control.",
        ),
        "high-low": (
            interval(gain.mean(), -2 * deviation / root),
            "Low and high are swapped.",
        ),
        "deviation": (
            interval(gain.mean(), 2 * deviation),
            "You used the standard deviation, which says how far single seeds lie apart. The mean "
            "of n seeds is steadier: divide by the square root of n.",
        ),
        "divided-by-n": (
            interval(gain.mean(), 2 * deviation / len(gain)),
            "You divided by n. The error of a mean falls with the square root of n.",
        ),
        "one-error": (
            interval(gain.mean(), deviation / root),
            "This is one standard error to each side, about two chances in three. Take two.",
        ),
        "population": (
            interval(gain.mean(), 2 * gain.std() / root),
            "np.std divides by n if not told otherwise, which is too small for a sample of few "
            "seeds. Look at its argument ddof.",
        ),
        "unpaired": (
            interval(gain.mean(), 2 * unpaired),
            "You treated the two lists as if their seeds had nothing to do with each other. Each "
            "pair began with the same head: take the difference seed by seed, then its spread.",
        ),
        "range": (
            (gain.min(), gain.max()),
            "This is the smallest and the largest gain. It grows with more seeds; an interval of "
            "the mean shrinks.",
        ),
    }
    hint_if_known(found, mistakes)
    raise Hint(
        "other-numbers",
        "These are not the mean gain plus and minus two standard errors. Compute the gain of each "
        "seed first; then its mean, its standard deviation with ddof=1, and divide that by the "
        "square root of the number of seeds.",
    )


def _listed(names: Any) -> str:
    return ", ".join(names) or "nothing"


EXERCISES = {
    "05.a": Exercise("The last n, without BatchNorm", check_unfreeze_last),
    "05.b": Exercise("Go on where it stopped", check_continue_arguments),
    "05.c": Exercise("A rate for each epoch", check_rate),
    "05.d": Exercise("More than noise?", check_gain_interval),
}
