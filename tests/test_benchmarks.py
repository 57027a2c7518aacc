"""The benchmarks run; what they measure is for whoever runs them."""

from __future__ import annotations

import re

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
    with pytest.raises(KeyError, match="no benchmark 'units'; there are cached-cut, unit"):
        next(benchmarks.run("units"))
