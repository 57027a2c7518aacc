"""The LiteRT engine: Keras's numbers, kept between lessons, and never in the way."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from helpers import engine
from helpers.backbones import EfficientNetLite0
from helpers.engine import engine_for
from helpers.freezing import split_at

IMAGES = np.random.default_rng(0).uniform(0, 255, (6, 32, 32, 3)).astype("float32")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A learner's folder without engines; what was said once may be said again."""
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    engine._say.cache_clear()
    return tmp_path / "home" / "engines"


def small(seed: int = 1, **names: str) -> keras.Model:
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((None, None, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Conv2D(4, 3, activation="relu", **names)(x)
    x = layers.Dropout(0.5)(layers.BatchNormalization()(x))
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def run(model: keras.Model, images: np.ndarray = IMAGES, **how) -> np.ndarray:
    return engine_for(model, images, len(images), **{"engine": "litert"} | how)(images)


def by_keras(model: keras.Model, images: np.ndarray = IMAGES) -> np.ndarray:
    return model.predict(images, verbose=0)


@pytest.fixture(scope="module")
def lite0() -> keras.Model:
    return EfficientNetLite0(include_top=False, input_shape=(None, None, 3))


@pytest.mark.parametrize("kind", ["flat", "around", "sequential", "front", "mobilenet", "vgg"])
def test_an_engine_gives_what_keras_gives(kind: str, lite0, home: Path, capfd) -> None:
    if kind == "mobilenet":
        model = keras.applications.MobileNetV2((64, 64, 3), include_top=False, weights=None)
    elif kind == "vgg":
        model = keras.applications.VGG16(False, None, input_shape=(64, 64, 3), pooling="avg")
    elif kind == "front":
        model, _ = split_at(lite0, "block2b_add")
    elif kind == "sequential":
        model = keras.Sequential([keras.Input((64, 64, 3)), lite0, layers.Flatten()])
    elif kind == "around":
        inputs = keras.Input((64, 64, 3))
        x = layers.GlobalAveragePooling2D()(lite0(inputs, training=False))
        model = keras.Model(inputs, x)
    else:
        model = lite0
    images = np.random.default_rng(1).uniform(0, 255, (3, 64, 64, 3)).astype("float32")
    expected = by_keras(model, images)
    found = run(model, images)
    assert len(list(home.glob("*.tflite"))) == 1, "Keras computed this"
    assert (found.shape, found.dtype) == (expected.shape, np.float32)
    np.testing.assert_allclose(found, expected, atol=1e-4 * max(1, np.abs(expected).max()))
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "")


def test_one_engine_takes_every_size_of_batch_and_image(home: Path) -> None:
    model = small()
    computes = engine_for(model, IMAGES, 6, engine="litert")
    for shape in ((6, 32, 32, 3), (2, 32, 32, 3), (5, 48, 40, 3), (6, 32, 32, 3)):
        images = np.random.default_rng(2).uniform(0, 255, shape).astype("float32")
        np.testing.assert_allclose(computes(images), by_keras(model, images), atol=1e-5)
    whole_numbers = IMAGES.astype("uint8")
    np.testing.assert_allclose(
        computes(whole_numbers), by_keras(model, whole_numbers.astype("float32")), atol=1e-5
    )
    assert len(list(home.iterdir())) == 1


def test_a_kept_engine_is_opened_and_not_made_again(monkeypatch) -> None:
    first = run(small())
    monkeypatch.setattr(engine, "convert", lambda model: pytest.fail("converted again"))
    np.testing.assert_array_equal(run(small(name="another_name")), first)
    np.testing.assert_array_equal(run(small(), engine="auto"), first)


def test_other_weights_get_another_engine(home: Path) -> None:
    run(small(1))
    np.testing.assert_allclose(run(small(2)), by_keras(small(2)), atol=1e-5)
    assert len(list(home.iterdir())) == 2


@pytest.mark.parametrize("damage", ["half", "flipped", "empty", "folder"])
def test_a_damaged_engine_is_noticed_and_made_again(damage: str, home: Path) -> None:
    expected = run(small())
    (file,) = home.iterdir()
    content = file.read_bytes()
    if damage == "folder":
        file.unlink()
        file.mkdir()
    else:
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        file.write_bytes({"half": content[:middle], "empty": b"", "flipped": flipped}[damage])
    np.testing.assert_array_equal(run(small()), expected)
    if damage != "folder":
        seal, model = file.read_bytes()[:32], file.read_bytes()[32:]
        assert hashlib.sha256(model).digest() == seal


def test_an_engine_with_other_numbers_is_not_used(monkeypatch, capsys) -> None:
    real, other = engine.convert, small(2)
    monkeypatch.setattr(engine, "convert", lambda model: real(other))
    model = small(1)
    np.testing.assert_array_equal(run(model), model.predict_on_batch(IMAGES))
    assert "LiteRT cannot run" in capsys.readouterr().out
    run(small(1))
    assert capsys.readouterr().out.count("LiteRT cannot run") <= 1


def test_what_cannot_be_converted_is_run_by_keras(monkeypatch, capsys) -> None:
    def refuse(model):
        raise RuntimeError("no such operation")

    monkeypatch.setattr(engine, "convert", refuse)
    model = small()
    for _ in range(2):
        np.testing.assert_array_equal(run(model), model.predict_on_batch(IMAGES))
    shown = capsys.readouterr().out
    assert shown == (
        f"LiteRT cannot run {model.name} as Keras does, so Keras computes its features.\n"
    )


def test_without_the_package_keras_computes_and_says_so_once(monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    for model in (small(1), small(2)):
        np.testing.assert_array_equal(run(model), model.predict_on_batch(IMAGES))
    assert capsys.readouterr().out.count("The package ai-edge-litert is missing") == 1


def test_a_full_disk_costs_the_keeping_and_nothing_else(monkeypatch, home: Path, capsys) -> None:
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    np.testing.assert_allclose(run(small()), by_keras(small()), atol=1e-5)
    assert list(home.iterdir()) == []
    assert capsys.readouterr().out == ""


def test_few_images_are_not_worth_a_conversion(monkeypatch) -> None:
    monkeypatch.setattr(engine, "convert", lambda model: pytest.fail("converted"))
    np.testing.assert_allclose(run(small(), engine="auto"), by_keras(small()), atol=1e-5)


def test_many_images_are(monkeypatch, home: Path) -> None:
    monkeypatch.setattr(engine, "WORTH_IT", -np.inf)
    run(small(), engine="auto")
    assert len(list(home.iterdir())) == 1


def test_a_graphics_card_needs_no_engine(monkeypatch, home: Path) -> None:
    monkeypatch.setattr(engine, "WORTH_IT", -np.inf)
    monkeypatch.setattr(engine, "graphics_card", lambda: "a graphics card computes here")
    run(small(), engine="auto")
    assert not home.exists()


def test_the_oldest_engines_go(monkeypatch, home: Path) -> None:
    monkeypatch.setattr(engine, "MOST_KEPT", 2)
    for seed in (1, 2, 3):
        run(small(seed))
        for file in home.iterdir():  # files of one second are told apart
            os.utime(file, ns=(0, file.stat().st_mtime_ns - 10**9))
    assert len(list(home.iterdir())) == 2


def test_a_model_with_its_inputs_in_a_list_is_called_without_a_warning(recwarn) -> None:
    model = small()
    listed = keras.Model(model.inputs, model.layers[2].output)
    run(listed, engine="auto")
    run(listed)
    assert [str(warning.message) for warning in recwarn] == []


def test_dropout_is_off(home: Path) -> None:
    np.testing.assert_array_equal(run(small()), run(small()))
