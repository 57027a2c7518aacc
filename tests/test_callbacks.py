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
