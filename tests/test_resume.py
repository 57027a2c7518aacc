"""Lesson 04's own cells: runs killed at the borders of an epoch, in mid-save and in a row.

What is tested is the text of the notebook. Children are forked from a server that has imported
TensorFlow once and run nothing yet, so a kill costs two seconds and not eight.
"""

from __future__ import annotations

import ast
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from keras.callbacks import LambdaCallback, LearningRateScheduler

from tools import lessons

SEED, EPOCHS, BATCHES, WIDTH = 42, 3, 4, 12
COUNT = 32 * BATCHES - 7  # the last batch is not full
TAKEN = (
    "batches in_order from_seed_and_epoch run_model rate checkpoints save_each_epoch train_on"
).split()
resource = pytest.importorskip("resource", reason="SIGKILL and forked children are not Windows's")

KILLS = multiprocessing.get_context("forkserver")
KILLS.set_forkserver_preload(["tensorflow", "keras"])


def source_of(names: list[str]) -> str:
    """The lesson's own functions, as its cells write them."""
    found = {}
    for cell in lessons.read(*lessons.lessons(["04"])).cells:
        if cell.cell_type == "code":
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.FunctionDef):
                    found[node.name] = ast.get_source_segment(cell.source, node)
    return "\n\n".join(found[name] for name in names)


def lesson(source: str, width: int = WIDTH) -> SimpleNamespace:
    """What these cells define, on small random features in place of the stamps'."""
    rng = np.random.default_rng(0)
    space = {
        "SEED": SEED,
        "features": rng.normal(size=(COUNT, width)).astype("float32"),
        "labels": rng.integers(10, size=COUNT).astype("int32"),
        "now": {"epoch": 0},
        **{"keras": keras, "layers": layers, "np": np, "tf": tf},
        **{"LambdaCallback": LambdaCallback, "LearningRateScheduler": LearningRateScheduler},
    }
    exec(compile(source, "lesson 04", "exec"), space)
    return SimpleNamespace(**space)


def train(cells: SimpleNamespace, model: keras.Model, folder: Path, *more, epochs: int = EPOCHS):
    """Train as the lesson's script does: start or resume, whatever is in the folder."""
    return cells.train_on(model, cells.checkpoints(model, folder), epochs, *more)


# --- Children that are killed ------------------------------------------------------------------


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def child(source: str, folder: str, how: str, step: int, told) -> None:
    """Train in a process of its own, and be killed in it."""
    cells = lesson(source)
    keras.utils.set_random_seed(SEED)
    model = cells.run_model()
    left = [step]

    def count(batch: int, logs: dict | None = None) -> None:
        left[0] -= 1
        if left[0] == 0:
            die()

    def limit(epoch: int, logs: dict | None = None) -> None:
        if epoch == 1:  # the kernel ends the process in the middle of the write that passes this
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (step, step))

    if how == "at step":
        more = LambdaCallback(on_train_batch_end=count)
    elif how == "at bytes":
        more = LambdaCallback(on_epoch_begin=limit)
    else:
        more = LambdaCallback(on_epoch_end=lambda epoch, logs: told.put(epoch))
    if how == "before the note":
        from tensorflow.python.checkpoint import checkpoint_management

        write = checkpoint_management.update_checkpoint_state_internal

        def write_or_die(*arguments, **named):
            last = named.get("model_checkpoint_path") or arguments[1]
            return die() if last.endswith(f"ckpt-{step}") else write(*arguments, **named)

        checkpoint_management.update_checkpoint_state_internal = write_or_die
    train(cells, model, Path(folder), more)


def killed(source: str, folder: Path, how: str, step: int, wait: Callable | None = None) -> None:
    """Run a child that has to end by a signal."""
    told = KILLS.Queue()
    process = KILLS.Process(target=child, args=(source, str(folder), how, step, told))
    process.start()
    if wait:
        wait(told)
        process.kill()
    process.join(200)
    assert process.exitcode in (-signal.SIGKILL, -signal.SIGXFSZ)


# --- What is compared --------------------------------------------------------------------------


def state(model: keras.Model) -> list[np.ndarray]:
    return [v.numpy() for v in [*model.variables, *model.optimizer.variables]]


def set_state(model: keras.Model, values: list[np.ndarray]) -> None:
    for v, value in zip([*model.variables, *model.optimizer.variables], values, strict=True):
        v.assign(value)


@pytest.fixture(scope="module")
def source() -> str:
    return source_of(TAKEN)


@pytest.fixture(scope="module")
def cells(source: str) -> SimpleNamespace:
    return lesson(source)


class Run:
    """One compiled model for all runs of this process, so that it is traced once."""

    def __init__(self, cells: SimpleNamespace, folder: Path) -> None:
        self.cells = cells
        keras.utils.set_random_seed(SEED)
        self.model = cells.run_model()
        self.first = state(self.model)
        train(cells, self.model, folder / "two epochs", epochs=2)
        self.two_epochs = folder / "two epochs"
        set_state(self.model, self.first)
        train(cells, self.model, folder / "whole")
        self.whole = state(self.model)

    def resume(self, folder: Path, *more, epochs: int = EPOCHS) -> list[int]:
        """Resume as a new process would: only the first weights are known. Return the epochs."""
        rng, values = np.random.default_rng(), self.first
        if tf.train.latest_checkpoint(folder):  # then not even those: what is not restored shows
            values = [rng.uniform(1, 4, v.shape).astype(v.dtype) for v in self.first]
        set_state(self.model, values)
        return train(self.cells, self.model, folder, *more, epochs=epochs).epoch

    def different(self) -> list[str]:
        """The arrays of model and optimizer that are not those of the undisturbed run."""
        variables = [*self.model.variables, *self.model.optimizer.variables]
        pairs = zip(variables, self.whole, strict=True)
        unequal = [v for v, wanted in pairs if not np.array_equal(v.numpy(), wanted)]
        # The states of random layers are in no file; each epoch sets them as it begins.
        return [v.path for v in unequal if v.name != "seed_generator_state"]


@pytest.fixture(scope="module")
def run(cells: SimpleNamespace, tmp_path_factory) -> Run:
    return Run(cells, tmp_path_factory.mktemp("runs"))


@pytest.fixture
def folder(run: Run, tmp_path: Path) -> Path:
    """A copy of the checkpoints of a run that has done two epochs; a test may damage it."""
    return Path(shutil.copytree(run.two_epochs, tmp_path / "run"))


def test_the_run_has_all_that_makes_resuming_hard(run: Run) -> None:
    names = [v.path for v in run.model.variables]
    assert sum("seed_generator_state" in name for name in names) == 2
    assert sum("moving_" in name for name in names) == 2
    assert len(run.whole) > 20


# --- Killed and resumed ------------------------------------------------------------------------

LAST = EPOCHS * BATCHES
STEPS = {1: 0, BATCHES - 1: 0, BATCHES: 0, BATCHES + 1: 1, 2 * BATCHES: 1, LAST: EPOCHS - 1}
"""The borders of epochs and their neighbours: after which step, and how many epochs are saved."""


@pytest.mark.parametrize("step", STEPS)
def test_killed_after_a_step_a_run_ends_with_the_same_bits(
    step: int, source: str, run: Run, tmp_path: Path
) -> None:
    killed(source, tmp_path, "at step", step)
    assert run.resume(tmp_path) == list(range(STEPS[step], EPOCHS))
    assert run.different() == []


def test_killed_several_times_in_a_row(source: str, run: Run, tmp_path: Path) -> None:
    for step in (BATCHES + 2, 1, BATCHES):  # steps of each process: epochs 1, 1 and 1
        killed(source, tmp_path, "at step", step)
    assert run.resume(tmp_path) == [1, 2]
    assert run.different() == []


def test_killed_in_the_middle_of_a_save(source: str, run: Run, tmp_path: Path) -> None:
    (data,) = run.two_epochs.glob("ckpt-2.data*")
    killed(source, tmp_path, "at bytes", data.stat().st_size // 2)
    left = [path.name for path in tmp_path.iterdir()]
    assert "ckpt-2_temp" in left  # nobody removes it, as the lesson says
    assert "ckpt-2.index" not in left
    assert run.resume(tmp_path) == [1, 2]
    assert run.different() == []


def test_killed_between_the_arrays_and_the_note(source: str, run: Run, tmp_path: Path) -> None:
    killed(source, tmp_path, "before the note", 2)
    assert (tmp_path / "ckpt-2.index").exists()
    assert tf.train.latest_checkpoint(tmp_path).endswith("ckpt-1")
    assert run.resume(tmp_path) == [1, 2]
    assert run.different() == []


def test_killed_from_outside_as_a_save_begins(source: str, run: Run, tmp_path: Path) -> None:
    def wait(told) -> None:
        while told.get(timeout=200) < 1:
            pass

    killed(source, tmp_path, "as told", 0, wait)
    assert run.resume(tmp_path)[-1:] in ([], [EPOCHS - 1])
    assert run.different() == []


@pytest.mark.parametrize("piece", ["order", "chance"])
def test_without_order_or_chance_from_the_epoch_the_bits_differ(
    piece: str, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = run.cells.from_seed_and_epoch
    space = run.cells.train_on.__globals__
    monkeypatch.setitem(space, right.__name__, lambda model: right(model, **{piece: False}))
    assert run.resume(folder) == [2]
    assert run.different() != []


def test_a_finished_run_does_nothing_and_can_be_made_longer(
    run: Run, tmp_path: Path, folder: Path
) -> None:
    assert run.resume(folder) == [2]
    assert run.resume(folder) == []
    assert run.different() == []
    assert run.resume(folder, epochs=EPOCHS + 1) == [EPOCHS]
    longer = state(run.model)
    run.resume(tmp_path / "straight", epochs=EPOCHS + 1)
    assert all(map(np.array_equal, state(run.model), longer))  # random states and all


# --- What goes wrong ---------------------------------------------------------------------------


@pytest.fixture
def disk() -> Iterator[None]:
    """Afterwards there is room again."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 3_000])
def test_a_full_disk_is_an_error_and_spoils_nothing(
    size: int, run: Run, folder: Path, disk
) -> None:
    def fill(epoch: int, logs: dict | None = None) -> None:
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    with pytest.raises(tf.errors.OpError):
        run.resume(folder, LambdaCallback(on_epoch_begin=fill))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    assert tf.train.latest_checkpoint(folder).endswith("ckpt-2")
    assert run.resume(folder) == [2]  # now there is room
    assert run.different() == []


@pytest.mark.parametrize("ending", ["data-00000-of-00001", "index"])
@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_a_flipped_byte_is_noticed_and_the_one_before_is_whole(
    ending: str, place: float, run: Run, folder: Path
) -> None:
    file = folder / f"ckpt-2.{ending}"
    content = bytearray(file.read_bytes())
    content[int(place * len(content))] ^= 1
    file.write_bytes(content)
    with pytest.raises((tf.errors.OpError, RuntimeError), match=r"(?i)checksum"):
        run.resume(folder)
    manager = run.cells.checkpoints(run.model, folder)
    manager.checkpoint.restore(manager.checkpoints[0]).assert_consumed()
    assert int(manager.checkpoint.done) == 1


def test_the_checkpoint_of_another_model_is_refused(source: str, run: Run, folder: Path) -> None:
    wider = lesson(source, width=WIDTH + 1)
    with pytest.raises(ValueError, match="incompatible tensor with shape"):
        train(wider, wider.run_model(), folder)


def test_the_checkpoint_of_another_optimizer_is_refused(run: Run, folder: Path) -> None:
    model = run.cells.run_model()
    model.compile("sgd", loss="sparse_categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    with pytest.raises(AssertionError, match="Unresolved object in checkpoint"):
        train(run.cells, model, folder)


def test_an_optimizer_that_is_not_built_is_noticed(run: Run, folder: Path) -> None:
    model = run.cells.run_model()
    model.compile("adam", loss="sparse_categorical_crossentropy")
    with pytest.raises(AssertionError, match="Unresolved object in checkpoint"):
        train(run.cells, model, folder)


# --- Order and chance --------------------------------------------------------------------------


def test_each_epoch_has_an_order_of_its_own_and_the_same_again(cells: SimpleNamespace) -> None:
    def served(epoch: int) -> list[int]:
        cells.now["epoch"] = epoch
        rows = np.concatenate([x for x, _ in cells.in_order().as_numpy_iterator()])
        return [int(np.flatnonzero((cells.features == row).all(axis=1))[0]) for row in rows]

    orders = [served(epoch) for epoch in (0, 1, 2, 0)]
    assert orders[0] == orders[3]
    assert len(set(map(tuple, orders))) == 3
    assert all(sorted(order) == list(range(COUNT)) for order in orders)


def test_every_random_layer_gets_a_state_of_its_own_in_each_epoch(run: Run) -> None:
    states = [v for v in run.model.variables if v.name == "seed_generator_state"]
    callback = run.cells.from_seed_and_epoch(run.model)
    seen = []
    for epoch in (0, 1, 2, 0):
        callback.on_epoch_begin(epoch, None)
        seen.append([tuple(v.numpy()) for v in states])
    assert seen[0] == seen[3]
    assert len({one for epoch in seen for one in epoch}) == 6
    assert {asked for epoch in seen for _, asked in epoch} == {0}
