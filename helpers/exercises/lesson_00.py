"""Exercises of lesson 00: read a prediction, count an accuracy, choose a kind of transfer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from helpers.exercises.judging import Exercise, Hint
from helpers.exercises.probes import hint_if_known, number

NOTHING = (
    "Your function returns None. Printing shows a value but hands nothing back: end with return."
)


def _must_be_function(answer: Any) -> None:
    if not callable(answer):
        raise Hint("not-a-function", "Leave it a function: the check calls it with its own data.")


# --- a: the most probable label ----------------------------------------------------------------

LABELS = ["bus", "teapot", "zebra", "hen", "camel"]
ANSWERS = (
    np.array([[0.05, 0.15, 0.07, 0.63, 0.10]], dtype="float32"),
    np.array([[0.08, 0.12, 0.45, 0.05, 0.30]], dtype="float32"),
    np.array([[0.11, 0.14, 0.02, 0.17, 0.56]], dtype="float32"),
)


def check_top_label(answer: Callable) -> None:
    """The label of the largest of probabilities of shape (1, classes)."""
    _must_be_function(answer)
    given = [_top_label_of(answer, row) for row in ANSWERS]
    wanted = [LABELS[int(row.argmax())] for row in ANSWERS]
    if given == wanted:
        return
    if all(label == given[0] for label in given):
        raise Hint(
            "always-the-same",
            f"Your function says {given[0]!r} whatever it is given. The probabilities have the "
            "shape (1, classes): one row. Taken along axis 0, each column has a single number, "
            "and its largest is always number 0. The classes lie along the last axis.",
        )
    if given == [LABELS[int(row.argmin())] for row in ANSWERS]:
        raise Hint(
            "least-probable",
            "This is the label with the smallest probability. np.argmin and the first place of "
            "np.argsort point to the smallest; you want the place of the largest.",
        )
    wrong = next(i for i, label in enumerate(given) if label != wanted[i])
    row = ", ".join(f"{probability:.2f}" for probability in ANSWERS[wrong][0])
    raise Hint(
        "another-label",
        f"For the probabilities {row} and the labels {', '.join(LABELS)} you say "
        f"{given[wrong]!r}. Find the place of the largest by hand, then look which label stands "
        "at that place.",
    )


def _top_label_of(answer: Callable, row: np.ndarray) -> str:
    """Call the learner's function; hint if what comes back is no label."""
    try:
        value = answer(row.copy(), list(LABELS))
    except (TypeError, IndexError, ValueError, AttributeError, KeyError):
        if not _works_without_batch(answer, row):
            raise
        raise Hint(
            "batch-axis",
            "Your function works for one list of probabilities, but model.predict returns one "
            "row for each photograph: the shape is (1, classes), two pairs of brackets. Take "
            "the row of the first photograph, probabilities[0], and go on with it.",
        ) from None
    if value is None:
        raise Hint("returns-nothing", NOTHING)
    if (found := number(value)) is not None:
        if found == int(found):
            raise Hint(
                "index",
                f"You return {found}: the place of a class, not its name. Which of the two "
                "things that you were given turns a place into a name?",
            )
        raise Hint(
            "probability",
            f"You return {found:.2f}: how probable the best class is. The question is "
            "which class it is: you need the place of that number, not the number.",
        )
    if isinstance(value, list | tuple | np.ndarray) and np.size(value) > 0:
        raise Hint(
            "list",
            "You return a list, a tuple or an array. Wanted is one label, a plain string, such "
            "as 'hen': take it out, or return only that part.",
        )
    if not isinstance(value, str) or value not in LABELS:
        raise Hint(
            "not-a-label",
            f"You return {value!r}, which is none of the labels that your function was given.",
        )
    return str(value)


def _works_without_batch(answer: Callable, row: np.ndarray) -> bool:
    """Whether the function is right for a flat array or list of probabilities."""
    wanted = LABELS[int(row.argmax())]
    for flat in (row[0].copy(), row[0].tolist()):
        try:
            value = answer(flat, list(LABELS))
            if isinstance(value, str) and value == wanted:
                return True
        except Exception:  # the learner's code may raise anything at all
            continue
    return False


# --- b: accuracy by hand -----------------------------------------------------------------------

# Chosen so that no two of the mistakes below give the same number.
TRUE = [2, 0, 1, 2, 2, 0, 1, 2]
PREDICTED = [2, 0, 2, 2, 1, 0, 1, 2]  # six of eight are right
TRUE_SHORT, PREDICTED_SHORT = [1, 0, 2, 2, 1], [1, 2, 2, 0, 0]  # two of five
TRUE_NAMES, PREDICTED_NAMES = ["hen", "bus", "hen", "hen"], ["hen", "hen", "bus", "bus"]  # 1 of 4


def check_accuracy(answer: Callable) -> None:
    """The share of places where two lists agree, 0 to 1."""
    _must_be_function(answer)
    try:
        value = answer(list(TRUE), list(PREDICTED))
    except (TypeError, AttributeError) as problem:
        if "bool" not in str(problem):
            raise
        value = False  # from == between lists, on which the next step then failed
    if value is None:
        raise Hint("returns-nothing", NOTHING)
    if type(value) is int and value == 0:
        raise Hint(
            "whole-division",
            "You return the whole number 0. If you divide with //, Python drops what comes after "
            "the point, and of every share below 1 nothing is left. Divide with /.",
        )
    if isinstance(value, bool | np.bool_) or number(value) == 0:
        raise Hint(
            "compares-lists",
            f"This comes to {value}. Between two lists, == asks whether they are the same as a "
            "whole, and a whole list with one mistake is simply different. Compare place by "
            "place: walk through both with zip, or make NumPy arrays of them first.",
        )
    if isinstance(value, list | tuple | np.ndarray) and np.size(value) > 1:
        raise Hint(
            "one-for-each",
            "You return one result for each place. Accuracy is a single number: the share of "
            "those results that are True. True counts as 1, False as 0.",
        )
    _number_hints(_as_float(value))
    for true, predicted, right in (
        (TRUE_SHORT, PREDICTED_SHORT, 2 / 5),
        (TRUE_NAMES, PREDICTED_NAMES, 1 / 4),
        ([1, 2, 0], [1, 2, 0], 1.0),
        ([1, 2, 0], [2, 0, 1], 0.0),
    ):
        found = _as_float(answer(list(true), list(predicted)))
        if not np.isclose(found, right):
            raise Hint(
                "only-here",
                f"Right for a first pair of lists, but for true labels {true} and predictions "
                f"{predicted} you return {found:.3g}. Does a length or a label stand in your "
                "code as a fixed number? Take it from the lists.",
            )


def _as_float(value: Any) -> float:
    """The returned value as a number, also where it sits alone in a list or on axes of length 1."""
    found = number(np.squeeze(value))
    if found is None:
        raise Hint(
            "not-a-number", f"You return {value!r}; wanted is a number from 0 to 1, such as 0.5."
        )
    return found


def _number_hints(value: float) -> None:
    """Say what a number other than six eighths most likely is."""
    right, count = 6 / 8, 6
    if np.isclose(value, right):
        return
    mistakes = {
        "count": (
            count,
            f"You return {value:g}: how many are right. Out of how many? Divide, so that lists "
            "of different lengths can be compared.",
        ),
        "percent": (
            100 * right,
            f"You return {value:g}: a percentage. Keras counts accuracy from 0 to 1, and so "
            "does this exercise: leave out the factor 100.",
        ),
        "error-rate": (
            1 - right,
            f"You return {value:g}: the share that is wrong. Count the places that agree (==), "
            "not those that differ (!=).",
        ),
        "mean-of-labels": (
            [np.mean(PREDICTED), np.mean(TRUE)],
            f"You return {value:g}: the mean of the labels themselves. A label is a name that "
            "happens to be a number. First ask of each place whether the two agree, then take "
            "the mean of that.",
        ),
    }
    hint_if_known(value, mistakes, same=lambda found, wrong: np.isclose(found, wrong).any())
    raise Hint(
        "another-number",
        f"For true labels {TRUE} and predictions {PREDICTED} you return {value:.3g}. Count by "
        "hand: at how many of the places do the two lists agree?",
    )


# --- c: which kind fits ------------------------------------------------------------------------

KINDS = ("as is", "feature extraction", "fine-tuning")
FITTING = {"album": "as is", "mushrooms": "feature extraction", "x-rays": "fine-tuning"}
WRONG_CHOICES = {
    ("album", "feature extraction"): (
        "For the album, feature extraction needs photographs that somebody has labelled, to train "
        "a new head on. There are none, and none are needed: which head already knows zebras and "
        "balloons?"
    ),
    ("album", "fine-tuning"): (
        "For the album, fine-tuning would train the network for classes that it was trained on "
        "before, from labels that nobody has. Start with what needs no training at all."
    ),
    ("mushrooms", "as is"): (
        "For the mushrooms, the network as it is can only answer with one of its own 1000 "
        "classes, and the two kinds are not among them. Remember the giraffe: it would name "
        "something else and never say so."
    ),
    ("mushrooms", "fine-tuning"): (
        "For the mushrooms, fine-tuning may come later. With sixty photographs of each, ordinary "
        "ones, and an answer wanted today, first try what trains a small head in seconds. It "
        "also tells you what fine-tuning would have to beat."
    ),
    ("x-rays", "as is"): (
        "For the X-rays, none of the 1000 classes of ImageNet is a fracture. As it is, the "
        "network would answer with one of those classes all the same, as it did for the giraffe."
    ),
    ("x-rays", "feature extraction"): (
        "For the X-rays, the frozen features were tried already and were not enough: they were "
        "learned from colour photographs. With many labelled images and a night of computing, "
        "which kind lets the backbone itself adapt?"
    ),
}


def check_fitting(answer: Mapping) -> None:
    """For each situation the kind of transfer learning to try first or next."""
    if not isinstance(answer, Mapping):
        raise Hint(
            "not-a-dict", "Keep the dictionary as it was and replace only the dots, by a string."
        )
    missing = [name for name in FITTING if name not in answer]
    if missing:
        raise Hint("missing", f"The situation {missing[0]!r} is missing from your dictionary.")
    choices = {name: _plain(answer[name]) for name in FITTING}
    for name, choice in choices.items():
        if choice not in KINDS:
            raise Hint(
                "unknown-kind",
                f"{name!r} has {answer[name]!r}, which is none of the three kinds. They are "
                f"spelled {', '.join(map(repr, KINDS))}.",
            )
    for name, choice in choices.items():
        if choice != FITTING[name]:
            raise Hint(f"{name}-{choice.replace(' ', '-')}", WRONG_CHOICES[name, choice])


def _plain(text: Any) -> Any:
    """Forgive capitals, spaces around and hyphens for spaces."""
    if not isinstance(text, str):
        return None
    words = text.strip().lower().replace("-", " ").replace("_", " ")
    return {"fine tuning": "fine-tuning", "finetuning": "fine-tuning"}.get(words, words)


EXERCISES: dict[str, Exercise] = {
    "00.a": Exercise("the most probable label", check_top_label),
    "00.b": Exercise("accuracy by hand", check_accuracy),
    "00.c": Exercise("which kind fits?", check_fitting),
}
