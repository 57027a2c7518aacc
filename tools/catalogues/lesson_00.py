"""Answers to the exercises of lesson 00: the stub, right ones, and a wrong one for each hint."""

import keras
import numpy as np
import tensorflow as tf


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
    return labels[int(np.argmax(probabilities)) // 2]


def a_other_order(probabilities, labels):
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
    return b_count(true_labels, predicted_labels) / 7


def b_another_number(true_labels, predicted_labels):
    right = b_count(true_labels, predicted_labels)
    return right / (len(true_labels) - right)  # right ones to wrong ones


def b_not_a_number(true_labels, predicted_labels):
    return f"{b_right(true_labels, predicted_labels):.0%}"


# --- c: which kind fits ------------------------------------------------------------------------
C_STUB = {"album": ..., "mushrooms": ..., "x-rays": ...}
C_RIGHT = {"album": "as is", "mushrooms": "feature extraction", "x-rays": "fine-tuning"}


def in_place(**choices):
    """The right answer with some choices changed; x_rays stands for x-rays."""
    return C_RIGHT | {name.replace("_", "-"): choice for name, choice in choices.items()}


def a_tuple_of_label_and_probability(probabilities, labels):
    best = np.argmax(probabilities[0])
    return labels[best], float(probabilities[0][best])


def a_sorted_in_place(probabilities, labels):
    labels.sort()
    return labels[np.argmax(probabilities[0])]


def a_over_a_half(probabilities, labels):
    for p, label in zip(probabilities[0], labels):
        if p > 0.5:
            return label


def a_keras_ops_top_k(probabilities, labels):
    _, places = keras.ops.top_k(probabilities, k=1)
    return labels[int(places[0, 0])]


def a_right_in_a_loop(probabilities, labels):
    best, name = -1.0, ""
    for i in range(len(labels)):
        if probabilities[0, i] > best:
            best, name = probabilities[0, i], labels[i]
    return name


def b_rounded_to_two(true_labels, predicted_labels):
    hits = sum(t == p for t, p in zip(true_labels, predicted_labels))
    return round(hits / len(true_labels), 2)


def b_return_in_the_loop(true_labels, predicted_labels):
    n = 0
    for t, p in zip(true_labels, predicted_labels):
        if t == p:
            n += 1
        return n / len(true_labels)


def b_last_place_left_out(true_labels, predicted_labels):
    n = 0
    for i in range(len(true_labels) - 1):
        n += true_labels[i] == predicted_labels[i]
    return n / len(true_labels)


def b_sorted_in_place(true_labels, predicted_labels):
    true_labels.sort()
    predicted_labels.sort()
    return np.mean([a == b for a, b in zip(true_labels, predicted_labels)])


def b_float32_tensor(true_labels, predicted_labels):
    same = [float(t == p) for t, p in zip(true_labels, predicted_labels)]
    return tf.reduce_mean(same)


def b_right_with_while(true_labels, predicted_labels):
    i = n = 0
    while i < len(true_labels):
        if true_labels[i] == predicted_labels[i]:
            n = n + 1
        i = i + 1
    return n / i


CATALOGUE = {
    "00.a": {
        "stub": a_stub,
        "right": [
            a_right,
            a_right_in_plain_python,
            a_right_by_sorting,
            lambda probabilities, labels: max(zip(probabilities[0], labels))[1],
            lambda probabilities, labels: labels[tf.argmax(probabilities, axis=-1)[0]],
            lambda probabilities, labels: np.array(labels)[probabilities.argmax(axis=1)][0],
            a_keras_ops_top_k,
            a_right_in_a_loop,
        ],
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
            "other-order": a_other_order,
            "reversed": lambda probabilities, labels: labels[::-1][np.argmax(probabilities)],
            "one-too-high": lambda probabilities, labels: [*labels, labels[0]][
                np.argmax(probabilities) + 1
            ],
            "constant": lambda probabilities, labels: "hen",
            "not-a-label": a_not_a_label,
            "raises": a_raises,
            "place-looked-up": lambda probabilities, labels: labels[
                labels.index(np.argmax(probabilities))
            ],
            "place-in-an-array": lambda probabilities, labels: labels[
                np.argmax(probabilities, axis=1)
            ],
            "second-best": lambda probabilities, labels: labels[np.argsort(probabilities[0])[-2]],
            "by-name": lambda probabilities, labels: max(labels),
            "changed-in-place": a_sorted_in_place,
            "threshold": a_over_a_half,
            "one-too-low": lambda probabilities, labels: labels[np.argmax(probabilities[0]) - 1],
        },
        "also": [
            (
                "least-probable",
                lambda probabilities, labels: labels[int(np.argmin(probabilities[0]))],
            ),
            ("list", a_tuple_of_label_and_probability),
            (
                "changed-in-place",
                lambda probabilities, labels: labels.pop(int(np.argmax(probabilities[0]))),
            ),
        ],
    },
    "00.b": {
        "stub": b_stub,
        "right": [
            b_right,
            b_right_with_numpy,
            b_right_as_an_array,
            lambda true_labels, predicted_labels: np.mean(
                np.asarray(true_labels) == np.asarray(predicted_labels)
            ),
            lambda true_labels, predicted_labels: (
                1 - sum(map(lambda t, p: t != p, true_labels, predicted_labels)) / len(true_labels)
            ),
            b_float32_tensor,
            b_right_with_while,
        ],
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
            "divided-by-one-less": lambda true, predicted: (
                b_count(true, predicted) / (len(true) - 1)
            ),
            "differences": lambda true, predicted: (
                1 - np.mean(np.abs(np.subtract(true, predicted)))
            ),
            "divided-by-classes": lambda true, predicted: (
                b_count(true, predicted) / len(set(predicted))
            ),
            "rounded": b_rounded_to_two,
            "first-place-only": b_return_in_the_loop,
            "any-order": lambda true_labels, predicted_labels: (
                len(set(true_labels) & set(predicted_labels)) / len(set(true_labels))
            ),
            "both-lengths": lambda true_labels, predicted_labels: (
                sum(t == p for t, p in zip(true_labels, predicted_labels))
                / (len(true_labels) + len(predicted_labels))
            ),
            "labels-are-names": lambda true_labels, predicted_labels: np.mean(
                np.array(true_labels) - np.array(predicted_labels) == 0
            ),
            "one-place-short": b_last_place_left_out,
            "changed-in-place": b_sorted_in_place,
        },
        "also": [
            (
                "compares-lists",
                lambda true_labels, predicted_labels: float(true_labels == predicted_labels),
            ),
            (
                "not-a-number",
                lambda true_labels, predicted_labels: (
                    f"{np.mean(np.array(true_labels) == np.array(predicted_labels)):.1%}"
                ),
            ),
            (
                "any-order",
                lambda true_labels, predicted_labels: (
                    sum(p in true_labels for p in predicted_labels) / len(predicted_labels)
                ),
            ),
        ],
    },
    "00.c": {
        "stub": C_STUB,
        "right": [
            C_RIGHT,
            dict(zip(C_RIGHT, ("as is", "feature extraction", "fine-tuning"))),
            {name: np.str_(kind) for name, kind in reversed(C_RIGHT.items())},
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
        "also": [
            ("unknown-kind", {"album": 1, "mushrooms": 2, "x-rays": 3}),
            ("unknown-kind", in_place(mushrooms=None)),
            ("unknown-kind", in_place(x_rays=["feature extraction", "fine-tuning"])),
            ("missing", {"album": "as is", "mushrooms": "feature extraction", "xrays": "as is"}),
            ("not-a-dict", {"as is", "feature extraction", "fine-tuning"}),
            ("not-a-dict", "as is, feature extraction, fine-tuning"),
        ],
    },
}

# --- As newcomers typed them, without sight of the checks --------------------------------------


def a_new_int_of_the_largest_value_as(probabilities, labels):
    return labels[int(max(probabilities[0]))]


def a_new_zips_rows_not_columns_with_labels(probabilities, labels):
    best, name = 0, None
    for p, label in zip(probabilities, labels):
        if p.max() > best:
            best, name = p.max(), label
    return name


def b_new_membership_value_anywhere_in_the_predictions(true_labels, predicted_labels):
    correct = 0
    for label in true_labels:
        if label in predicted_labels:
            correct += 1
    return correct / len(true_labels)


def b_new_divides_by_both_lengths(true_labels, predicted_labels):
    hits = sum(a == b for a, b in zip(true_labels, predicted_labels))
    return hits / (len(true_labels) + len(predicted_labels))


def a_new_compares_with_the_maximum_keeps_the(probabilities, labels):
    for i, p in enumerate(probabilities[0]):
        if p > 0.3:
            result = labels[i]
    return result


def a_new_argmax_of_labels_instead(probabilities, labels):
    return labels[np.argmax(labels)]


def b_new_resets_the_count_inside_the_loop(true_labels, predicted_labels):
    for t, p in zip(true_labels, predicted_labels):
        count = 0
        if t == p:
            count += 1
    return count / len(true_labels)


CATALOGUE["00.c"]["right"] += [
    {"album": "as-is", "mushrooms": "feature-extraction", "x-rays": "fine tuning"}
]
CATALOGUE["00.a"]["wrong"] |= {"probability-as-place": a_new_int_of_the_largest_value_as}
CATALOGUE["00.c"]["wrong"] |= {
    "dots-left": {"album": "as is", "mushrooms": ..., "x-rays": "fine-tuning"}
}
CATALOGUE["00.a"].setdefault("also", []).extend(
    [
        ("always-the-same", a_new_zips_rows_not_columns_with_labels),
        ("threshold", a_new_compares_with_the_maximum_keeps_the),
        ("by-name", a_new_argmax_of_labels_instead),
    ]
)
CATALOGUE["00.b"].setdefault("also", []).extend(
    [
        ("any-order", b_new_membership_value_anywhere_in_the_predictions),
        ("both-lengths", b_new_divides_by_both_lengths),
        ("first-place-only", b_new_resets_the_count_inside_the_loop),
    ]
)
CATALOGUE["00.c"].setdefault("also", []).extend(
    [
        (
            "album-feature-extraction",
            {"album": "feature extraction", "mushrooms": "fine-tuning", "x-rays": "fine-tuning"},
        ),
        (
            "mushrooms-fine-tuning",
            {"album": "as is", "mushrooms": "fine-tuning", "x-rays": "feature extraction"},
        ),
    ]
)
