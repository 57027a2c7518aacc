"""Answers to the exercises of lesson 00: the stub, right ones, and a wrong one for each hint."""

import numpy as np


# --- a: the most probable label ----------------------------------------------------------------
def a_stub(probabilities, labels):
    return ...


def a_right(probabilities, labels):
    return labels[int(np.argmax(probabilities[0]))]


def a_right_in_plain_python(probabilities, labels):
    best = max(zip(probabilities[0], labels, strict=True))
    return best[1]


def a_right_by_sorting(probabilities, labels):
    return np.array(labels)[np.argsort(-probabilities, axis=1)][0, 0]


def a_returns_nothing(probabilities, labels):
    print(labels[np.argmax(probabilities)])


def a_index(probabilities, labels):
    return np.argmax(probabilities)


def a_probability(probabilities, labels):
    return probabilities.max()


def a_least_probable(probabilities, labels):
    return labels[np.argsort(probabilities[0])[0]]


def a_list(probabilities, labels):
    return [labels[i] for i in np.argmax(probabilities, axis=1)]


def a_batch_axis(probabilities, labels):
    best = 0
    for i in range(len(labels)):
        if probabilities[i] > probabilities[best]:
            best = i
    return labels[best]


def a_batch_axis_of_a_list(probabilities, labels):
    return labels[list(probabilities).index(max(probabilities))]


def a_always_the_same(probabilities, labels):
    return labels[np.argmax(probabilities, axis=0)[0]]


def a_another_label(probabilities, labels):
    return sorted(labels)[np.argmax(probabilities)]


def a_not_a_label(probabilities, labels):
    return f"{labels[np.argmax(probabilities)]} {np.max(probabilities):.0%}"


def a_raises(probabilities, labels):
    return labels[np.argmax(probability)]  # noqa: F821


# --- b: accuracy by hand -----------------------------------------------------------------------
def b_stub(true_labels, predicted_labels):
    return ...


def b_right(true_labels, predicted_labels):
    hits = 0
    for true, predicted in zip(true_labels, predicted_labels, strict=True):
        if true == predicted:
            hits = hits + 1
    return hits / len(true_labels)


def b_right_with_numpy(true_labels, predicted_labels):
    return np.mean(np.array(true_labels) == np.array(predicted_labels))


def b_right_as_an_array(true_labels, predicted_labels):
    agree = np.equal(np.array(true_labels), np.array(predicted_labels))
    return np.array(agree.sum() / agree.size, dtype="float32")


def b_returns_nothing(true_labels, predicted_labels):
    print(b_right(true_labels, predicted_labels))


def b_compares_lists(true_labels, predicted_labels):
    return true_labels == predicted_labels


def b_compares_lists_and_takes_the_mean(true_labels, predicted_labels):
    return np.mean(true_labels == predicted_labels)


def b_sums_what_is_no_list(true_labels, predicted_labels):
    return sum(true_labels == predicted_labels) / len(true_labels)


def b_whole_division(true_labels, predicted_labels):
    return b_count(true_labels, predicted_labels) // len(true_labels)


def b_one_for_each(true_labels, predicted_labels):
    return [t == p for t, p in zip(true_labels, predicted_labels, strict=True)]


def b_count(true_labels, predicted_labels):
    return sum(t == p for t, p in zip(true_labels, predicted_labels, strict=True))


def b_percent(true_labels, predicted_labels):
    return 100 * b_right(true_labels, predicted_labels)


def b_error_rate(true_labels, predicted_labels):
    return np.mean(np.array(true_labels) != np.array(predicted_labels))


def b_mean_of_labels(true_labels, predicted_labels):
    return sum(predicted_labels) / len(predicted_labels)


def b_only_here(true_labels, predicted_labels):
    return b_count(true_labels, predicted_labels) / 8


def b_another_number(true_labels, predicted_labels):
    common = set(true_labels) & set(predicted_labels)
    return len(common) / len(true_labels)


def b_not_a_number(true_labels, predicted_labels):
    return f"{b_right(true_labels, predicted_labels):.0%}"


# --- c: which kind fits ------------------------------------------------------------------------
C_STUB = {"album": ..., "mushrooms": ..., "x-rays": ...}
C_RIGHT = {"album": "as is", "mushrooms": "feature extraction", "x-rays": "fine-tuning"}


def in_place(**choices):
    """The right answer with some choices changed; x_rays stands for x-rays."""
    return C_RIGHT | {name.replace("_", "-"): choice for name, choice in choices.items()}


CATALOGUE = {
    "00.a": {
        "stub": a_stub,
        "right": [a_right, a_right_in_plain_python, a_right_by_sorting],
        "wrong": {
            "not-a-function": "hen",
            "returns-nothing": a_returns_nothing,
            "index": a_index,
            "probability": a_probability,
            "least-probable": a_least_probable,
            "list": a_list,
            "batch-axis": a_batch_axis_of_a_list,
            "always-the-same": a_always_the_same,
            "another-label": a_another_label,
            "not-a-label": a_not_a_label,
            "raises": a_raises,
        },
    },
    "00.b": {
        "stub": b_stub,
        "right": [b_right, b_right_with_numpy, b_right_as_an_array],
        "wrong": {
            "not-a-function": 0.75,
            "returns-nothing": b_returns_nothing,
            "compares-lists": b_sums_what_is_no_list,
            "whole-division": b_whole_division,
            "one-for-each": b_one_for_each,
            "count": b_count,
            "percent": b_percent,
            "error-rate": b_error_rate,
            "mean-of-labels": b_mean_of_labels,
            "only-here": b_only_here,
            "another-number": b_another_number,
            "not-a-number": b_not_a_number,
        },
    },
    "00.c": {
        "stub": C_STUB,
        "right": [
            C_RIGHT,
            {"album": "As is", "mushrooms": " Feature extraction", "x-rays": "fine tuning"},
        ],
        "wrong": {
            "not-a-dict": ["as is", "feature extraction", "fine-tuning"],
            "missing": {"album": "as is", "mushrooms": "feature extraction"},
            "unknown-kind": in_place(album="transfer learning"),
            "album-feature-extraction": in_place(album="feature extraction"),
            "album-fine-tuning": in_place(album="fine-tuning"),
            "mushrooms-as-is": in_place(mushrooms="as is"),
            "mushrooms-fine-tuning": in_place(mushrooms="fine-tuning"),
            "x-rays-as-is": in_place(x_rays="as is"),
            "x-rays-feature-extraction": in_place(x_rays="feature extraction"),
        },
    },
}
