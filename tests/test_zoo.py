"""Lesson 07's own functions: what a network costs is counted right, and the choice is as promised.

They are taken from the lesson's cells, as a learner runs them.
"""

from __future__ import annotations

import ast
import gc
import itertools
import math
from collections import namedtuple
from collections.abc import Callable

import keras
import pytest
from keras import layers

from helpers.backbones import EfficientNetLite0, table
from tools.lessons import lessons, read

WITHIN = 0.01
ZOO = [name for name, row in table().items() if row["year"]]


def from_the_lesson(name: str) -> Callable:
    """A function as one of lesson 07's cells defines it."""
    (path,) = lessons(["07"])
    for cell in read(path).cells:
        if cell.cell_type == "code" and f"def {name}(" in cell.source:
            (found,) = [
                node
                for node in ast.parse(cell.source).body
                if isinstance(node, ast.FunctionDef) and node.name == name
            ]
            known = {"layers": layers, "math": math}
            exec(compile(ast.Module([found], []), str(path), "exec"), known)
            return known[name]
    raise AssertionError(f"{path.name} defines no {name} any more")


multiply_adds = from_the_lesson("multiply_adds")
to_try = from_the_lesson("to_try")


# --- against what is published -----------------------------------------------------------------


@pytest.fixture(scope="session")
def costs() -> dict[str, dict[str, float]]:
    """Each network with its 1000-class top, built once: what it costs, and what its top does."""
    found = {}
    for name in ZOO:
        build = EfficientNetLite0 if name == "EfficientNetLite0" else None
        build = build or getattr(keras.applications, name)
        size = int(table()[name]["size"])
        whole = build(weights=None, input_shape=(size, size, 3))
        assert whole.output_shape == (None, 1000)
        places = layers.Flatten if name == "VGG16" else layers.GlobalAveragePooling2D
        end = max(i for i, layer in enumerate(whole.layers) if isinstance(layer, places))
        base = keras.Model(whole.input, whole.layers[end - 1].output)
        norms = [one for one in whole.layers if isinstance(one, layers.BatchNormalization)]
        found[name] = {
            "counted": multiply_adds(whole),
            "of the top": multiply_adds(whole) - multiply_adds(base),
            "parameters": whole.count_params(),
            "learned": sum(math.prod(weight.shape) for weight in whole.trainable_weights),
            "top's parameters": sum(layer.count_params() for layer in whole.layers[end:]),
            "normalised": sum(math.prod(layer.output.shape[1:]) for layer in norms),
        }
        del whole, base, norms
        keras.utils.clear_session()
        gc.collect()
    return found


@pytest.mark.parametrize("name", ZOO)
def test_counts_agree_with_the_published_figures(name: str, costs) -> None:
    """Top included; and the table's widths of the top are its cost, exactly."""
    row, cost = table()[name], costs[name]
    assert cost["counted"] == pytest.approx(float(row["multiply_adds"]), rel=WITHIN)
    compared = cost["parameters" if row["moving_statistics"] == "yes" else "learned"]
    assert compared == pytest.approx(float(row["parameters"]), rel=WITHIN)
    steps = list(itertools.pairwise(map(int, row["top_widths"].split())))
    assert cost["of the top"] == sum(a * b for a, b in steps)
    assert cost["top's parameters"] == sum(a * b + b for a, b in steps)


def test_the_announced_figure_of_lite0_counts_more_than_convolutions(costs) -> None:
    """407 million were announced. What the convolutions lack is per-element work after them."""
    lite0 = costs["EfficientNetLite0"]
    missing = 407e6 - lite0["counted"]
    assert 0.05 < missing / 407e6 < 0.06
    assert 3 < missing / lite0["normalised"] < 3.5


# --- counting ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.Conv2D(8, 3, padding="same"), 10 * 12 * 9 * 4 * 8),
        (layers.Conv2D(8, (3, 1), padding="valid", use_bias=False), 8 * 12 * 3 * 4 * 8),
        (layers.Conv2D(8, 3, strides=2, padding="same"), 5 * 6 * 9 * 4 * 8),
        (layers.Conv2D(8, 3, dilation_rate=2, padding="same"), 10 * 12 * 9 * 4 * 8),
        (layers.Conv2D(8, 3, groups=2, padding="same"), 10 * 12 * 9 * 2 * 8),
        (layers.DepthwiseConv2D(3, padding="same"), 10 * 12 * 9 * 4),
        (layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"), 10 * 12 * 9 * 4 * 2),
        (layers.Dense(7), 10 * 12 * 4 * 7),
        (layers.BatchNormalization(), 0),
        (layers.MaxPooling2D(), 0),
        (layers.Rescaling(1 / 255), 0),
    ],
)
def test_one_layer(layer, expected) -> None:
    inputs = keras.Input((10, 12, 4))
    assert multiply_adds(keras.Model(inputs, layer(inputs))) == expected
    assert multiply_adds(keras.Sequential([inputs, layer])) == expected


def test_dense_after_flatten() -> None:
    model = keras.Sequential([keras.Input((4, 4, 3)), layers.Flatten(), layers.Dense(5)])
    assert multiply_adds(model) == 48 * 5


def test_operations_without_weights_cost_nothing() -> None:
    inputs = keras.Input((8, 8, 3))
    flipped = keras.ops.multiply(inputs[..., ::-1], 2.0)
    model = keras.Model(inputs, layers.Conv2D(4, 1)(flipped))
    assert multiply_adds(model) == 64 * 12


# --- choosing ----------------------------------------------------------------------------------

Candidate = namedtuple("Candidate", "name milliseconds megabytes top1")
SMALL = Candidate("small", 10, 9, 0.70)
LEVEL = Candidate("level", 30, 20, 0.75)
MIDDLE = Candidate("middle", 20, 20, 0.75)
LARGE = Candidate("large", 80, 90, 0.78)


def names(**budget: float) -> list[str]:
    return [one.name for one in to_try([SMALL, LEVEL, LARGE, MIDDLE], **budget)]


def test_accuracy_decides_and_of_equals_the_quicker_comes_first() -> None:
    assert names() == ["large", "middle", "level", "small"]


def test_budgets_come_first() -> None:
    assert names(milliseconds=20) == ["middle", "small"]
    assert names(megabytes=20) == ["middle", "level", "small"]
    assert names(milliseconds=50, megabytes=15) == ["small"]
    assert names(milliseconds=1) == []
    assert to_try([]) == []


def test_within_the_margin_the_quicker_comes_first() -> None:
    assert names(margin=0.03) == ["middle", "level", "large", "small"]
    assert names(margin=0.2) == ["small", "middle", "level", "large"]
    assert names(margin=0.03, milliseconds=15) == ["small"]
    exactly = [Candidate("a", 9, 9, 0.787), Candidate("b", 5, 9, 0.767)]
    assert to_try(exactly, margin=0.02)[0].name == "b"  # the border belongs to the margin
