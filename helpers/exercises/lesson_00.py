"""Exercises of lesson 00: read a prediction, count an accuracy, choose a kind of transfer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from helpers.exercises.judging import Exercise, Hint
from helpers.exercises.probes import ask, hint_if_known, number

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


def _of_each_row(place: Callable[[np.ndarray], Any], labels: list[str] = LABELS) -> list[str]:
    """The labels at the places that a rule finds, one for each of the rows above."""
    return [labels[int(place(row[0])) % len(labels)] for row in ANSWERS]


# What each mistake answers for the three rows: no two alike.
MISTAKES = {
    "least-probable": (
        _of_each_row(np.argmin),
        "This is the label with the smallest probability. np.argmin and the first place of "
        "np.argsort point to the smallest; you want the place of the largest.",
    ),
    "second-best": (
        _of_each_row(lambda row: np.argsort(row)[-2]),
        "This is the label with the second largest probability. np.argsort puts the place of the "
        "largest last: [-1].",
    ),
    "one-too-low": (
        _of_each_row(lambda row: np.argmax(row) - 1),
        "This is the label before the right one. Places are counted from 0, by np.argmax and by "
        "lists alike: subtract nothing.",
    ),
    "one-too-high": (
        _of_each_row(lambda row: np.argmax(row) + 1),
        "This is the label after the right one. Places are counted from 0, by np.argmax and by "
        "lists alike: add nothing.",
    ),
    "other-order": (
        _of_each_row(np.argmax, sorted(LABELS)),
        "You looked the place up in labels of another order. Probability number 0 belongs to label "
        "number 0 as the list comes: do not sort it.",
    ),
    "reversed": (
        _of_each_row(np.argmax, LABELS[::-1]),
        "You looked the place up from the wrong end: probabilities and labels go in the same "
        "order.",
    ),
    "by-name": (
        [max(LABELS)] * len(ANSWERS),
        "You say 'zebra' whatever the probabilities are: max of the labels is the last one in the "
        "alphabet. Ask the probabilities for their largest, and the labels for its name.",
    ),
    "always-the-same": (
        [LABELS[0]] * len(ANSWERS),
        "Your function says 'bus' whatever it is given. The probabilities have the shape "
        "(1, classes): one row. Taken along axis 0, each column has a single number, and its "
        "largest is always number 0: the classes lie along the last axis. Or does return stand "
        "inside a loop, and end it in its first round?",
    ),
}


def check_top_label(answer: Callable) -> None:
    """The label of the largest of probabilities of shape (1, classes)."""
    _must_be_function(answer)
    given = [_top_label_of(answer, row) for row in ANSWERS]
    wanted = _of_each_row(np.argmax)
    if given == wanted:
        _require_no_limit(answer)
        return
    if None in given:
        silent = ANSWERS[given.index(None)].max()
        raise Hint(
            "threshold",
            f"Where the largest probability is {silent:.2f} your function returns None. The "
            "largest need not be over a half, or over any other limit: it is the largest.",
        )
    certain = np.array([[0.0, 0.0, 0.0, 1.0, 0.0]], dtype="float32")
    if set(given) == {LABELS[0]} and _top_label_of(answer, certain) == LABELS[1]:
        raise Hint(
            "probability-as-place",
            "You use the largest probability itself as a place: int() makes 0 of it, and number 0 "
            "is 'bus'. np.argmax gives the place at which it stands.",
        )
    hint_if_known(given, MISTAKES, same=lambda found, mistake: found == mistake)
    if all(label == given[0] for label in given):
        raise Hint(
            "constant",
            f"Your function says {given[0]!r} whatever it is given: the answer has to depend on "
            "the probabilities.",
        )
    wrong = next(i for i, label in enumerate(given) if label != wanted[i])
    row = ", ".join(f"{probability:.2f}" for probability in ANSWERS[wrong][0])
    raise Hint(
        "another-label",
        f"For the probabilities {row} and the labels {', '.join(LABELS)} you say "
        f"{given[wrong]!r}. Find the place of the largest by hand, then look which label stands "
        "at that place.",
    )


def _require_no_limit(answer: Callable) -> None:
    """Ask with probabilities that are all low: the largest is the largest wherever it lies."""
    row = np.array([[0.19, 0.20, 0.24, 0.18, 0.19]], dtype="float32")
    try:
        found = _top_label_of(answer, row)
    except NameError:  # a name that is set only where the limit is passed
        found = None
    if found != LABELS[2]:
        said = f"you say {found!r}" if found else "your function has no answer"
        raise Hint(
            "threshold",
            f"Right where one class is far ahead. Where the largest probability is 0.24 {said}. "
            "The largest need not be over a half, or over any other limit: it is the largest.",
        )


def _top_label_of(answer: Callable, row: np.ndarray) -> str | None:
    """Call the learner's function; hint if what comes back is neither a label nor None."""
    try:
        value = ask(answer, row, LABELS, what="labels or probabilities")
    except (TypeError, IndexError, ValueError, AttributeError, KeyError) as problem:
        if "scalar" in str(problem) and "ind" in str(problem):
            raise Hint(
                "place-in-an-array",
                "Your place stands in an array: along axis 1, np.argmax gives one place for each "
                "photograph, here an array of one. Take it out, [0], before you ask the labels.",
            ) from None
        if "is not in list" in str(problem):
            raise Hint(
                "place-looked-up",
                "labels.index looks for a label and gives its place. np.argmax gives a place "
                "already: labels[place] is the label that stands there.",
            ) from None
        if not _works_without_batch(answer, row):
            raise
        raise Hint(
            "batch-axis",
            "Your function works for one list of probabilities, but model.predict returns one "
            "row for each photograph: the shape is (1, classes), two pairs of brackets. Take "
            "the row of the first photograph, probabilities[0], and go on with it.",
        ) from None
    if value is None and row is ANSWERS[0]:  # where any limit is passed
        raise Hint("returns-nothing", NOTHING)
    if value is None:
        return None
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

# Chosen so that no two of the mistakes below give the same number, and no rounding the right one.
TRUE = [2, 0, 1, 2, 2, 0, 1]
PREDICTED = [2, 0, 9, 2, 1, 0, 1]  # five of seven are right
TRUE_SHORT, PREDICTED_SHORT = [1, 0, 2, 2, 1], [1, 2, 2, 0, 0]  # two of five
TRUE_NAMES, PREDICTED_NAMES = ["hen", "bus", "hen", "hen"], ["hen", "hen", "bus", "bus"]  # 1 of 4
LISTS = "lists of labels"


def check_accuracy(answer: Callable) -> None:
    """The share of places where two lists agree, 0 to 1."""
    _must_be_function(answer)
    try:
        value = ask(answer, TRUE, PREDICTED, what=LISTS)
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
            "the point, and of every share below 1 nothing is left; int() does the same. Divide "
            "with /.",
        )
    if isinstance(value, bool | np.bool_) or number(value) == 0:
        raise Hint(
            "compares-lists",
            f"This comes to {value}. Between two lists, == asks whether they are the same as a "
            "whole, and a whole list with one mistake is simply different. Compare place by "
            "place: walk through both with zip, or make NumPy arrays of them first.",
        )
    if isinstance(value, list | tuple | np.ndarray) and np.size(value) == len(TRUE):
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
        try:
            found = _as_float(ask(answer, true, predicted, what=LISTS))
        except (TypeError, ValueError):
            if true is not TRUE_NAMES:
                raise
            raise Hint(
                "labels-are-names",
                "Right for labels that are numbers, but labels may be names, such as 'hen' and "
                "'bus', and with those your function stops with an error. Two names are not "
                "subtracted or ordered, only compared: ==.",
            ) from None
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
    """Say what a number other than five sevenths most likely is."""
    right, count = 5 / 7, 5
    if np.isclose(value, right):
        return
    mistakes = {
        "count": (
            count,
            f"You return {value:g}: how many are right. Out of how many? Divide, so that lists "
            "of different lengths can be compared.",
        ),
        "percent": (
            [100 * right, *(round(100 * right, digits) for digits in range(4))],
            f"You return {value:.4g}: a percentage. Keras counts accuracy from 0 to 1, and so "
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
        "rounded": (
            [round(right, digits) for digits in range(1, 5)],
            f"You return {value:g}: the right share, rounded. Return it as it is and round where "
            "you print: a model that gains half a point would seem to gain nothing.",
        ),
        "first-place-only": (
            1 / 7,
            f"You return {value:.3g}: as if only the first place agreed. Does return stand inside "
            "the loop? Then it ends the function in its first round. Or is the count set to 1 "
            "each time, not raised by 1?",
        ),
        "one-place-short": (
            4 / 7,
            f"You return {value:.3g}, one agreement too few: the first or the last place is left "
            "out. range(n) counts from 0 to n - 1 by itself.",
        ),
        "divided-by-one-less": (
            5 / 6,
            f"You return {value:.3g}: divided by one less than there are places. len counts all of "
            "them, from the first to the last.",
        ),
        "both-lengths": (
            5 / 14,
            f"You return {value:.3g}: half of the share. The two lists describe the same "
            "photographs, so divide by the length of one of them.",
        ),
        "any-order": (
            [6 / 7, 1.0, 3 / 4, 3 / 7, 14 / 7],
            f"You return {value:.3g}: labels that occur in both lists, wherever they stand. `in`, "
            "set and sorted forget the place. Ask place by place whether the two agree.",
        ),
        "differences": (
            [1 - 9 / 7, 9 / 7],
            f"You return {value:.3g}: the labels' differences. A label is a name that happens to "
            "be a number, and 9 is no further from 1 than 2 is. Only ask whether the two agree.",
        ),
        "divided-by-classes": (
            [5 / 3, 5 / 4],
            f"You return {value:.3g}: the agreements, divided by how many different labels there "
            "are. Divide by the number of places.",
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
        other = [name for name in answer if name not in FITTING]
        raise Hint(
            "missing",
            f"The situation {missing[0]!r} is missing from your dictionary"
            + (f"; it has {other[0]!r}, which nobody asked for." if other else "."),
        )
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
