"""Run folders, the curves in them, and a real TensorBoard that shows them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import keras
import nbformat
import numpy as np
import pytest
from keras import layers

from helpers import callbacks
from helpers.callbacks import OneLineAnEpoch, new_run, runs_folder
from helpers.session import COURSE_ROOT

EPOCHS = 2


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    return tmp_path


def fit_small(run: Path, *more: keras.callbacks.Callback) -> keras.callbacks.History:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = np.random.default_rng(0).normal(size=(16, 3)).astype("float32"), np.arange(16) % 2
    board = keras.callbacks.TensorBoard(log_dir=str(run))
    return model.fit(
        x, y, epochs=EPOCHS, validation_data=(x, y), verbose=0, callbacks=[board, *more]
    )


# --- Folders -----------------------------------------------------------------------------------


def test_a_run_has_a_dated_folder_below_lesson_and_experiment(home) -> None:
    run = new_run("02", "frozen, seed 42")
    assert run.is_dir()
    assert (
        run.parent == home / "runs" / "02" / "frozen, seed 42" == runs_folder("02") / run.parts[-2]
    )
    age = datetime.now() - datetime.strptime(run.name[:19], "%Y-%m-%d %H.%M.%S")
    assert abs(age.total_seconds()) < 60


def test_runs_that_begin_within_one_second_get_folders_of_their_own(home, monkeypatch) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 11, 22, 14, 5, 9)

    monkeypatch.setattr(callbacks, "datetime", Stopped)
    names = [new_run("02", "frozen").name for _ in range(3)]
    first = "2026-11-22 14.05.09"
    assert names == [first, f"{first} (2)", f"{first} (3)"]


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a\\b", "/", "..", "."])
def test_names_that_are_no_folder_are_refused(home, name: str) -> None:
    with pytest.raises(ValueError, match="needs a name without slashes"):
        new_run("02", name)
    assert not list(home.rglob("*"))


def of_lesson_02(function: str):
    """A function that lesson 02 defines in a cell of its own."""
    lesson = nbformat.read(COURSE_ROOT / "notebooks" / "02_feature_extraction.ipynb", as_version=4)
    code = [cell.source for cell in lesson.cells if cell.cell_type == "code"]
    imports = [line for text in code for line in text.splitlines() if "import" in line]
    namespace: dict = {}
    exec("\n".join(line for line in imports if "tensorboard" in line), namespace)
    exec(next(text for text in code if text.startswith(f"def {function}(")), namespace)
    return namespace[function]


# --- Curves ------------------------------------------------------------------------------------


def test_curves_come_back_as_fit_returned_them(home) -> None:
    run = new_run("02", "frozen")
    history = fit_small(run).history
    read_curve = of_lesson_02("read_curve")
    for part, prefix in {"train": "", "validation": "val_"}.items():
        for name in ("loss", "accuracy"):
            curve = read_curve(run / part, f"epoch_{name}")
            np.testing.assert_allclose(curve, history[prefix + name], rtol=1e-5)


def test_one_line_an_epoch(home, capsys) -> None:
    fit_small(new_run("02", "frozen"), OneLineAnEpoch())
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == EPOCHS
    assert lines[0].startswith("epoch 1 of 2, ")
    for name in ("loss", "accuracy", "val loss", "val accuracy"):
        assert f" {name} 0." in lines[-1]


class Places(keras.metrics.Metric):
    """A metric that is a matrix."""

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        pass

    def result(self):
        return keras.ops.eye(2) / 2


@pytest.mark.parametrize(
    ("metric", "shown"),
    [
        (keras.metrics.F1Score(name="f1"), "f1 [0."),
        (keras.metrics.FBetaScore(beta=2.0, name="f_2"), "f 2 [0."),
        (Places(name="places"), "places [[0.500, 0.000], [0.000, 0.500]]"),
        (keras.metrics.F1Score(average="macro", name="f1"), "f1 0."),
    ],
    ids=["a vector", "another", "a matrix", "a number"],
)
def test_a_metric_of_any_shape_is_shown_in_the_line(capsys, metric, shown) -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=[metric])
    x, y = np.random.default_rng(0).normal(size=(12, 4)), np.eye(2)[np.arange(12) % 2]
    model.fit(x, y, validation_data=(x, y), epochs=2, verbose=0, callbacks=[OneLineAnEpoch()])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    for word in (f" {shown}", f" val {shown}", " loss ", " val loss "):
        assert word in lines[-1]


def test_what_cannot_be_a_number_does_not_end_a_fit(capsys) -> None:
    line = OneLineAnEpoch()
    line.set_params({"epochs": 3})
    line.on_epoch_begin(0)
    values = {"a": None, "b": "x", "c": 3, "d": np.float32(0.5), "e": float("nan"), "f": [1, 0.25]}
    line.on_epoch_end(0, values)
    assert ": a None, b 'x', c 3, d 0.500, e nan, f [1.000, 0.250]" in capsys.readouterr().out


@pytest.mark.parametrize("same_callback", [True, False])
def test_a_folder_of_two_fits_is_said_where_curves_are_looked_at(
    home, capsys, same_callback
) -> None:
    once, twice = new_run("02", "once"), new_run("02", "twice")
    fit_small(once)
    assert runs_folder("02") == home / "runs" / "02"
    assert capsys.readouterr().out == ""
    if same_callback:
        board = keras.callbacks.TensorBoard(log_dir=str(twice))
        for _ in range(2):
            fit_small(home / "elsewhere", board)
    else:
        fit_small(twice)
        fit_small(twice)
    runs_folder("02")
    said = capsys.readouterr().out
    assert said.startswith(f"2 fits wrote into {twice}: one curve is drawn over another")
    assert "new_run(...)" in said and said.count("\n") == 1
    new_run("02", "third")
    assert runs_folder("05") and capsys.readouterr().out == ""


# --- TensorBoard -------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def server(home) -> Iterator[str]:
    """The address of a real TensorBoard on two runs; stopped afterwards."""
    for experiment in ("frozen", "fine-tuned"):
        fit_small(new_run("02", experiment))
    port = free_port()
    command = [sys.executable, "-m", "tensorboard.main", "--load_fast=false", "--host=127.0.0.1"]
    with open(home / "server.log", "w") as log:
        process = subprocess.Popen(
            [*command, f"--port={port}", f"--logdir={runs_folder('02')}"], stdout=log, stderr=log
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def ask(address: str, path: str):
    with urllib.request.urlopen(address + path, timeout=5) as answer:
        return json.load(answer)


def test_tensorboard_serves_the_curves_of_both_runs(server: str, home: Path) -> None:
    runs: dict[str, list[str]] = {}
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and len(runs) < 4:  # it reads the folder bit by bit
        try:
            runs = ask(server, "/data/plugin/timeseries/tags")["scalars"]["runTagInfo"]
        except (OSError, KeyError):
            pass
        time.sleep(0.2)
    assert len(runs) == 4, (runs, (home / "server.log").read_text())
    for experiment in ("frozen", "fine-tuned"):
        for part in ("train", "validation"):
            (run,) = (r for r in runs if r.startswith(experiment) and r.endswith(part))
            assert {"epoch_loss", "epoch_accuracy"} <= set(runs[run])
