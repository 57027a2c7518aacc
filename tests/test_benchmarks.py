"""The benchmarks run; what they measure is for whoever runs them."""

from __future__ import annotations

import re
import subprocess

import keras
import pytest
from keras import layers

from tools import benchmarks


def test_the_unit_is_its_two_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    small = [keras.Input((32, 32, 3)), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()]
    monkeypatch.setattr(benchmarks, "EfficientNetLite0", lambda **_: keras.Sequential(small))
    lines = list(benchmarks.unit(batches=1, pixels=32))
    frozen, step, both = (float(re.search(r"([\d.]+) s$", line)[1]) for line in lines)
    assert both == pytest.approx(frozen + step, abs=0.15)
    assert "1 frozen batches of 32, 32 pixels" in lines[0]


def test_run_says_the_machine_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(benchmarks.BENCHMARKS, "unit", lambda: iter(["a line"]))
    first, second = benchmarks.run("unit")
    assert re.fullmatch(r"Keras \S+, TensorFlow \S+, \d+ processor cores, (no|\d+) .*", first)
    assert second == "a line"
    with pytest.raises(
        KeyError, match="no benchmark 'units'; there are cached-cut, engine, first-model, unit"
    ):
        next(benchmarks.run("units"))


def test_the_engine_is_timed_beside_keras_on_the_same_images(monkeypatch) -> None:
    def small(**_) -> keras.Model:
        keras.utils.set_random_seed(1)
        return keras.Sequential(
            [keras.Input((32, 32, 3)), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()]
        )

    monkeypatch.setattr(benchmarks, "EfficientNetLite0", small)
    title, *lines = benchmarks.engine(pixels=32, rounds=1, batches=2)
    assert title.startswith("64 images of 32 x 32 pixels")
    assert [line.split("  ")[0] for line in lines] == ["Keras", "engine, made now", "engine, kept"]
    assert "1.00 of Keras's time" in lines[0]
    assert "difference" in lines[2]


def test_the_first_model_is_reached_in_three_ways(monkeypatch) -> None:
    seen, took = [], iter([120, 60, 30])

    def run(command: list[str], **how):
        compile(command[2], "first_model", "exec")
        seen.append((command[2].splitlines()[0], how["env"]["COURSE_HOME"]))
        said = f"a line before\n{next(took):7.1f} s, 3 epochs, validation accuracy 61.0%\n"
        return subprocess.CompletedProcess(command, 0, stdout=said)

    monkeypatch.setattr(benchmarks.subprocess, "run", run)
    _, *lines = benchmarks.first_model(pixels=224, target=0.6)
    settings, homes = zip(*seen, strict=True)
    assert settings == tuple(
        f"CACHED, PIXELS, TARGET = {cached}, 224, 0.6" for cached in (False, True, True)
    )
    assert len(set(homes)) == 1, "the third way finds what the second has kept"
    assert [re.search(r"; ([\d.]+) times as fast", line)[1] for line in lines] == [
        "1.0",
        "2.0",
        "4.0",
    ]
