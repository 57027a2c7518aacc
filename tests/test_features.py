"""Features belong to their labels, and come from the base in inference mode."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from helpers.features import extract_features


def mean_of_image() -> keras.Model:
    inputs = keras.Input((4, 4, 3))
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(inputs))


def numbered_images(count: int) -> tf.data.Dataset:
    """Image i is filled with i and has label i."""
    images = np.arange(count, dtype="float32")[:, None, None, None] * np.ones((1, 4, 4, 3), "f")
    return tf.data.Dataset.from_tensor_slices((images, np.arange(count, dtype="int32")))


def test_labels_stay_with_their_images_in_a_dataset_that_reshuffles() -> None:
    dataset = numbered_images(50).shuffle(50, reshuffle_each_iteration=True).batch(8)
    features, labels = extract_features(mean_of_image(), dataset)
    assert sorted(labels) == list(range(50))
    assert list(labels) != list(range(50))
    np.testing.assert_allclose(features, np.repeat(labels[:, None], 3, axis=1), rtol=1e-6)


def test_the_order_of_the_dataset_is_kept() -> None:
    features, labels = extract_features(mean_of_image(), numbered_images(10).batch(4))
    assert list(labels) == list(range(10))
    assert (features.shape, features.dtype, labels.shape) == ((10, 3), np.float32, (10,))


def test_the_base_runs_in_inference_mode() -> None:
    inputs = keras.Input((4, 4, 3))
    x = layers.BatchNormalization(name="norm")(inputs)
    base = keras.Model(inputs, layers.Dropout(0.5)(x))
    dataset = numbered_images(16).batch(4)
    moving_mean = base.get_layer("norm").moving_mean.numpy()
    first, _ = extract_features(base, dataset)
    second, _ = extract_features(base, dataset)
    np.testing.assert_array_equal(first, second)
    images = np.concatenate([images for images, _ in dataset])
    np.testing.assert_allclose(first, base.predict(images, verbose=0), rtol=1e-5)
    np.testing.assert_array_equal(base.get_layer("norm").moving_mean.numpy(), moving_mean)


def test_a_smaller_last_batch_builds_no_second_graph() -> None:
    built = []

    class Counts(layers.Layer):
        def call(self, images):
            built.append(images.shape)
            return images

    inputs = keras.Input((4, 4, 3))
    base = keras.Model(inputs, layers.GlobalAveragePooling2D()(Counts()(inputs)))
    built.clear()  # it also ran when the model was put together
    for count in (10, 7, 3):  # the last with one batch only, and a small one
        features, labels = extract_features(base, numbered_images(count).batch(4), engine="keras")
        np.testing.assert_allclose(features[:, 0], np.arange(count), rtol=1e-6)
        assert list(labels) == list(range(count))
    assert len(built) == 2  # for batches of four, and for the dataset that has none


def test_one_hot_labels_pass_through() -> None:
    dataset = numbered_images(5).map(lambda x, y: (x, tf.one_hot(y, 5))).batch(2)
    _, labels = extract_features(mean_of_image(), dataset)
    np.testing.assert_array_equal(labels, np.eye(5))


def test_features_are_float32_also_under_mixed_precision() -> None:
    inputs = keras.Input((4, 4, 3))
    outputs = layers.GlobalAveragePooling2D(dtype="mixed_float16")(inputs)
    base = keras.Model(inputs, outputs)
    assert base.predict_on_batch(np.ones((1, 4, 4, 3))).dtype == np.float16
    features, _ = extract_features(base, numbered_images(5).batch(2))
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features[:, 0], np.arange(5))


def test_a_dataset_without_end_is_said() -> None:
    endless = numbered_images(5).batch(2).repeat()
    with pytest.raises(ValueError, match=r"repeats without end; leave out repeat\(\)"):
        extract_features(mean_of_image(), endless)


def test_an_empty_dataset_is_said() -> None:
    with pytest.raises(ValueError, match="the dataset is empty"):
        extract_features(mean_of_image(), numbered_images(5).take(0).batch(2))


def test_whole_arrays_are_taken_too() -> None:
    images, labels = next(iter(numbered_images(70).batch(70)))
    for given in ((images.numpy(), labels.numpy()), [images, labels]):
        features, found = extract_features(mean_of_image(), given)
        np.testing.assert_allclose(features[:, 0], np.arange(70), rtol=1e-6)
        assert list(found) == list(range(70))


@pytest.mark.parametrize("as_arrays", [True, False])
def test_sample_weights_are_left_out_and_that_is_said(capsys, as_arrays) -> None:
    weighted = numbered_images(5).map(lambda x, y: (x, y, 0.5)).batch(5)
    given = tuple(part.numpy() for part in next(iter(weighted))) if as_arrays else weighted
    features, labels = extract_features(mean_of_image(), given)
    np.testing.assert_array_equal(features[:, 0], labels)
    assert capsys.readouterr().out.startswith("Sample weights are left out")
    extract_features(mean_of_image(), numbered_images(5).batch(5))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "given",
    [
        np.ones((5, 4, 4, 3)),
        numbered_images(5).map(lambda x, y: x).batch(2),
        numbered_images(5).map(lambda x, y: {"image": x, "label": y}).batch(2),
        numbered_images(5).map(lambda x, y: (x, y, y, y)).batch(2),
        (np.ones((5, 4, 4, 3)),),
        keras.utils.PyDataset(),
    ],
    ids=["an array", "no labels", "a dictionary", "too many parts", "one array", "PyDataset"],
)
def test_what_has_no_images_and_labels_is_said(given) -> None:
    with pytest.raises(ValueError, match=r"give \(images, labels\), as two arrays or"):
        extract_features(mean_of_image(), given)


def test_a_dataset_without_batches_is_said() -> None:
    with pytest.raises(ValueError, match=r"images come one by one; add \.batch\(32\)"):
        extract_features(mean_of_image(), numbered_images(5))


def test_an_unknown_engine_is_said() -> None:
    with pytest.raises(ValueError, match='engine is "auto", "keras" or "litert", not \'onnx\''):
        extract_features(mean_of_image(), numbered_images(5).batch(2), engine="onnx")


def test_a_pass_that_takes_long_says_how_far_it_is_and_leaves_nothing(monkeypatch, capsys) -> None:
    monkeypatch.setattr("helpers.features.QUIET", 0.0)
    extract_features(mean_of_image(), numbered_images(10).batch(4))
    shown = capsys.readouterr().out
    assert "\rfeatures:   0%|" in shown and " 0/3 " in shown
    assert shown.endswith(" \r")
    monkeypatch.setattr("helpers.features.QUIET", 60.0)
    extract_features(mean_of_image(), numbered_images(10).batch(4))
    assert capsys.readouterr().out == ""
