"""What a network costs is counted right, agrees with what is published, and ranks as promised."""

import gc
import math

import keras
import numpy as np
import pytest
from keras import layers

from helpers import zoo
from helpers.backbones import FILES, INPUTS, preprocessing_for
from helpers.zoo import Candidate, best_seconds, multiply_adds, rank, resolution, top_cost

WITHIN = 0.01


@pytest.fixture(autouse=True)
def forget():
    yield
    keras.utils.clear_session()
    gc.collect()


# --- against what is published -----------------------------------------------------------------


def test_the_zoo_is_the_eight_families_oldest_first():
    assert set(zoo.FAMILIES) == {
        "VGG16", "ResNet50V2", "InceptionV3", "MobileNetV2", "MobileNetV3Large",
        "EfficientNetB0", "EfficientNetV2B0", "EfficientNetLite0",
    }  # fmt: skip
    years = [family.year for family in zoo.FAMILIES.values()]
    assert years == sorted(years)


@pytest.mark.parametrize("name", zoo.FAMILIES)
def test_counts_agree_with_the_published_figures(name):
    """The whole network, 1000-class top included; and base plus `top` is the whole, exactly."""
    family = zoo.FAMILIES[name]
    shape = (family.size, family.size, 3)
    whole = zoo.builder(name)(weights=None, input_shape=shape)
    assert whole.input_shape[1:] == shape and whole.output_shape == (None, 1000)
    counted, parameters = multiply_adds(whole), whole.count_params()
    learned = sum(math.prod(weight.shape) for weight in whole.trainable_weights)
    assert counted == pytest.approx(family.multiply_adds.value, rel=WITHIN)
    compared = parameters if family.moving_statistics else learned
    assert compared == pytest.approx(family.parameters.value, rel=WITHIN)

    del whole
    gc.collect()
    base = zoo.builder(name)(include_top=False, weights=None, input_shape=shape)
    top_multiply_adds, top_parameters = top_cost(family.top)
    assert multiply_adds(base) + top_multiply_adds == counted
    assert base.count_params() + top_parameters == parameters


def test_the_announced_figure_of_lite0_counts_more_than_convolutions():
    """407 million were announced. What the convolutions lack is per-element work after them."""
    lite0 = zoo.builder("EfficientNetLite0")(weights=None)
    normalised = sum(
        math.prod(layer.output.shape[1:])
        for layer in lite0.layers
        if isinstance(layer, layers.BatchNormalization)
    )
    missing = 407e6 - multiply_adds(lite0)
    assert 0.05 < missing / 407e6 < 0.06
    assert 3 < missing / normalised < 3.5


@pytest.mark.parametrize("name", zoo.FAMILIES)
def test_every_figure_has_a_source_and_every_family_its_input_and_file(name):
    family = zoo.FAMILIES[name]
    for figure in (family.multiply_adds, family.parameters, family.top1):
        assert len(figure.source) > 10
    assert "arXiv:" in family.paper or "blog" in family.paper
    assert 0.7 < family.top1.value < 0.8
    assert name in INPUTS and preprocessing_for(name)
    assert name in FILES or name == "EfficientNetLite0"


def test_an_unknown_family_is_named():
    with pytest.raises(KeyError, match="no 'VGG61'; it has VGG16, "):
        zoo.builder("VGG61")


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
        (layers.SeparableConv2D(8, 3, padding="same"), 10 * 12 * (9 * 4 + 4 * 8)),
        (layers.Dense(7), 10 * 12 * 4 * 7),
        (layers.BatchNormalization(), 0),
        (layers.MaxPooling2D(), 0),
        (layers.Rescaling(1 / 255), 0),
    ],
)
def test_one_layer(layer, expected):
    inputs = keras.Input((10, 12, 4))
    assert multiply_adds(keras.Model(inputs, layer(inputs))) == expected
    assert multiply_adds(keras.Sequential([inputs, layer])) == expected


def test_dense_after_flatten():
    model = keras.Sequential([keras.Input((4, 4, 3)), layers.Flatten(), layers.Dense(5)])
    assert multiply_adds(model) == 48 * 5
    assert top_cost((48, 5)) == (48 * 5, 48 * 5 + 5)
    assert model.count_params() == 48 * 5 + 5


def small_base(size):
    inputs = keras.Input((size, size, 3))
    x = layers.Conv2D(4, 3, padding="same")(inputs)
    x = layers.DepthwiseConv2D(3, strides=2, padding="same")(x)
    return keras.Model(inputs, x, name="small_base")


def cost(side):
    return side * side * 27 * 4 + math.ceil(side / 2) ** 2 * 9 * 4


@pytest.mark.parametrize("built_for", [8, None])
def test_a_model_inside_is_counted_at_the_size_it_is_used_at(built_for):
    base = small_base(built_for)
    inputs = keras.Input((8, 8, 3))
    pooled = layers.GlobalAveragePooling2D()(base(inputs))
    assert multiply_adds(keras.Model(inputs, layers.Dense(2)(pooled))) == cost(8) + 8


def test_a_layer_used_twice_counts_twice():
    base = small_base(8)
    one, other = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    both = layers.Concatenate()([base(one), base(other)])
    assert multiply_adds(keras.Model([one, other], both)) == 2 * cost(8)


def test_operations_without_weights_cost_nothing():
    inputs = keras.Input((8, 8, 3))
    flipped = keras.ops.multiply(inputs[..., ::-1], 2.0)
    model = keras.Model(inputs, layers.Conv2D(4, 1)(flipped))
    assert multiply_adds(model) == 64 * 12


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match=r"open size .* fixed input_shape"):
        multiply_adds(small_base(None))
    inputs = keras.Input((8, 3))
    with pytest.raises(ValueError, match="no rule to count GRU"):
        multiply_adds(keras.Model(inputs, layers.GRU(4)(inputs)))
    with pytest.raises(ValueError, match="no graph of layers"):
        multiply_adds(keras.Sequential([layers.Dense(3)]))


# --- measuring and choosing --------------------------------------------------------------------


def test_timing_warms_up_and_takes_the_quickest(monkeypatch):
    clock = iter([0.0, 5.0, 10.0, 12.0])
    monkeypatch.setattr(zoo.time, "perf_counter", lambda: next(clock))
    calls = []
    assert best_seconds(calls.append, "batch") == 2.0
    assert calls == ["batch"] * 3


def test_timing_calls_a_quick_function_more_often(monkeypatch):
    clock = iter([0.0, 0.25, 1.0, 1.125, 2.0, 2.25])
    monkeypatch.setattr(zoo.time, "perf_counter", lambda: next(clock))
    calls = []
    assert best_seconds(calls.append, "batch", at_least=0.5) == 0.125
    assert calls == ["batch"] * 4


SMALL = Candidate("small", 10, 9, 0.70)
MIDDLE = Candidate("middle", 20, 20, 0.75)
LARGE = Candidate("large", 80, 90, 0.78)
ALL = [LARGE, SMALL, MIDDLE]


def names(**budget):
    return [row.name for row in rank(ALL, **budget)]


def test_with_many_images_accuracy_decides():
    assert names(images=1_000_000) == ["large", "middle", "small"]


def test_with_few_images_the_quicker_of_equals_comes_first():
    assert resolution(200) > 0.08
    assert names(images=200) == ["small", "middle", "large"]


def test_what_can_be_told_apart_is():
    assert 0.03 < resolution(5_000) < 0.06
    assert names(images=5_000) == ["middle", "large", "small"]


def test_budgets_come_first_and_reasons_are_given():
    rows = rank(ALL, milliseconds=50, megabytes=15, images=1_000_000)
    assert [(row.name, row.fits, row.reason) for row in rows] == [
        ("small", True, "as good as your images can tell"),
        ("large", False, "too slow and too large"),
        ("middle", False, "too large"),
    ]
    assert rank(ALL, milliseconds=20, images=10)[-1] == ("large", False, "too slow")
    assert not any(row.fits for row in rank(ALL, milliseconds=1, images=10))
    assert rank([], images=10) == []


def test_resolution_shrinks_with_the_root_of_the_images():
    assert resolution(400) == pytest.approx(resolution(100) / 2)
    rng = np.random.default_rng(0)  # two equal models on 200 test images: how often so far apart?
    first, second = rng.binomial(200, 0.75, (2, 20_000)) / 200
    assert np.mean(np.abs(first - second) > resolution(1_000)) < 0.06
    with pytest.raises(ValueError, match="at least 1"):
        rank(ALL, images=0)
