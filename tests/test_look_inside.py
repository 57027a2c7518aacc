"""Grad-CAM gives what the model gives, wherever its maps lie."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from helpers.backbones import EfficientNetLite0
from helpers.look_inside import grad_cam

BASES = {
    "Lite0": (EfficientNetLite0, "imagenet", 64),
    "InceptionV3": (keras.applications.InceptionV3, None, 75),
    "VGG16": (keras.applications.VGG16, None, 32),
}


def pictures(side: int, count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (count, side, side, 3)).astype("float32")


def with_head(base: keras.Model, nested: bool, units: int = 5, last: str = "softmax"):
    """A preprocessing, a base and a head; nested as one layer, or flat, layer by layer."""
    keras.utils.set_random_seed(1)
    if nested:
        inputs = keras.Input(base.input_shape[1:])
        x = base(layers.Rescaling(1.0)(inputs), training=False)
    else:
        inputs, x = base.input, base.output
    x = layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(units, activation=last)(x))


@pytest.fixture(params=BASES)
def base(request: pytest.FixtureRequest) -> keras.Model:
    keras.utils.set_random_seed(0)
    build, weights, side = BASES[request.param]
    found = build(include_top=False, weights=weights, input_shape=(side, side, 3))
    found.trainable = False
    return found


@pytest.mark.parametrize("nested", [True, False], ids=["nested", "flat"])
def test_outputs_are_the_models_and_heat_is_that_of_the_formula(base, nested: bool) -> None:
    model, images = with_head(base, nested), pictures(base.input_shape[1])
    heat, outputs = grad_cam(model, images)
    assert np.abs(outputs - np.asarray(model(images, training=False))).max() < 1e-5
    # Behind the maps lie a mean and a Dense layer: the gradient is the kernel over the places.
    maps, kernel = np.asarray(base(images, training=False)), model.layers[-1].kernel.numpy()
    places = maps.shape[1] * maps.shape[2]
    named = kernel[:, outputs.argmax(axis=1)]
    by_hand = np.maximum(np.einsum("nrck,kn->nrc", maps, named) / places, 0)
    assert heat.shape == maps.shape[:3]
    assert heat.max() > 0
    assert np.abs(heat - by_hand).max() < 1e-5 * max(1, by_hand.max())


def test_nested_and_flat_are_the_same_also_at_a_layer_inside(base) -> None:
    name = next(one.name for one in reversed(base.layers) if "conv" in one.name)
    images = pictures(base.input_shape[1])
    flat, nested = with_head(base, False), with_head(base, True)
    nested.set_weights(flat.get_weights())
    one, other = (grad_cam(model, images, [3, 3, 3], layer=name)[0] for model in (flat, nested))
    assert one.shape[1:] == base.get_layer(name).output.shape[1:3]
    assert np.abs(one - other).max() < 1e-5 * max(1, one.max())


def tiny(units: int = 4, last: str | None = "softmax") -> keras.Sequential:
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(6, 3, activation="relu")])
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(units, activation=last))
    return model


def test_by_default_the_class_named_is_explained() -> None:
    model, images = tiny(), pictures(8)
    named = model.predict(images, verbose=0).argmax(axis=1)
    assert np.array_equal(grad_cam(model, images)[0], grad_cam(model, images, named)[0])


def test_one_unit_explains_both_classes_by_its_sign() -> None:
    model, images = tiny(1, "sigmoid"), pictures(8)
    (yes, said), (no, _) = (grad_cam(model, images, [kind] * 3) for kind in (1, 0))
    assert said.shape == (3, 1)
    assert yes.max() > 0 or no.max() > 0
    assert np.minimum(yes, no).max() == 0  # never both
    named = (said[:, 0] > 0.5).astype(int)
    assert np.array_equal(grad_cam(model, images)[0], np.where(named[:, None, None], yes, no))


def test_a_sure_model_has_a_map_because_logits_are_explained() -> None:
    model, images = tiny(), pictures(8)
    model.layers[-1].kernel.assign(1000 * model.layers[-1].kernel)
    heat, outputs = grad_cam(model, images)
    assert outputs.max() == pytest.approx(1)
    assert (heat.max(axis=(1, 2)) > 0).any()


def test_the_model_is_afterwards_as_it_was() -> None:
    model, images = tiny(), pictures(8)
    before = model.predict(images, verbose=0)
    grad_cam(model, images)
    with pytest.raises(tf.errors.InvalidArgumentError):
        grad_cam(model, images, [0, 1])  # three images
    with pytest.raises(ValueError):
        grad_cam(model, images[:, 0])
    assert "call" not in vars(model.layers[0])
    assert model.layers[-1].activation is keras.activations.softmax
    assert np.array_equal(model.predict(images, verbose=0), before)


@pytest.mark.parametrize("layer", ["no_such", "dense"])
def test_a_layer_without_maps_is_named(layer: str) -> None:
    model = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(2)])
    model.layers[-1].name = "dense"
    with pytest.raises(ValueError, match=f"no layer '{layer}' with maps"):
        grad_cam(model, np.zeros((1, 4, 4, 1), "float32"), layer=layer)
