"""Killed runs, resumed: at every step, in a row, while a backup is written, and what goes wrong.

Children are forked from a server that has imported TensorFlow once and run nothing yet, so a kill
costs two seconds and not eight. They are killed with SIGKILL, which no code can catch.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from helpers.backbones import EfficientNetLite0
from helpers.freezing import unfreeze
from helpers.resume import RECORD, Backup, EpochOrder, ResumeProblem, SeedEachEpoch

SEED, EPOCHS, BATCHES, BATCH = 42, 4, 5, 8
COUNT = BATCHES * BATCH
ABOUT = {"seed": SEED, "images": COUNT}
Model = keras.Model
Weights = list[np.ndarray]
resource = pytest.importorskip("resource", reason="SIGKILL and forked children are not Windows's")

KILLS = multiprocessing.get_context("forkserver")
KILLS.set_forkserver_preload(["tensorflow", "keras", "helpers.resume", "helpers.freezing"])


# --- A run with all that makes resuming hard ---------------------------------------------------


def small_model(width: int = 4, optimizer: str = "adam") -> Model:
    """Augmentation, a model within the model, BatchNorm and Dropout."""
    inner = keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(width, 3), layers.Dropout(0.1)])
    inputs = keras.Input((8, 8, 3))
    x = layers.RandomFlip("horizontal")(inputs)
    x = layers.RandomTranslation(0.2, 0.2)(x)
    x = layers.BatchNormalization()(inner(x))
    x = layers.Dropout(0.3)(layers.Flatten()(x))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def lite0_model() -> Model:
    """EfficientNet-Lite0 with its last block unfrozen."""
    base = EfficientNetLite0(include_top=False, input_shape=(32, 32, 3))
    unfreeze(base, start="block7a_expand_conv")
    inputs = keras.Input((32, 32, 3))
    x = layers.RandomFlip("horizontal")(inputs)
    x = layers.RandomRotation(0.1)(x)
    x = layers.GlobalAveragePooling2D()(base(x))
    x = layers.Dropout(0.3)(x)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def images(model: Model) -> tuple[np.ndarray, np.ndarray]:
    shape = (COUNT, *model.input_shape[1:])
    pixels = np.random.default_rng(0).uniform(0, 255, shape).astype("float32")
    return pixels, np.arange(COUNT, dtype="int32") % 3


def data_of(model: Model, order: EpochOrder) -> tf.data.Dataset:
    x, y = images(model)
    return order.batches(BATCH).map(lambda at: (tf.gather(x, at), tf.gather(y, at)))


def rate(epoch: int) -> float:
    return 0.01 * 0.5**epoch


def train(model: Model, folder: Path, *more: keras.callbacks.Callback, epochs: int = EPOCHS):
    """Train as a script would: start or resume, whatever is in the folder."""
    order = EpochOrder(COUNT, SEED)
    backup = Backup(folder, epochs=epochs, about=ABOUT)
    history = model.fit(
        data_of(model, order),
        epochs=epochs,
        initial_epoch=backup.restore(model),
        verbose=0,
        callbacks=[
            SeedEachEpoch(SEED, order),
            keras.callbacks.LearningRateScheduler(rate),
            backup,
            *more,
        ],
    )
    return history, backup


# --- Children that are killed ------------------------------------------------------------------


class AtStep(keras.callbacks.Callback):
    """Do something after a number of steps of this process, counted from 1."""

    def __init__(self, step: int, action: Callable[[], None]) -> None:
        super().__init__()
        self.left, self.action = step, action

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.left -= 1
        if self.left == 0:
            self.action()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def child_killed_at_step(folder: str, step: int, build: Callable[[], Model]) -> None:
    keras.utils.set_random_seed(SEED)
    train(build(), Path(folder), AtStep(step, die))


def child_slow(folder: str) -> None:
    """Leave time to be killed from outside."""
    keras.utils.set_random_seed(SEED)
    started = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: (Path(folder, "alive").touch(), time.sleep(0.05))
    )
    train(small_model(), Path(folder), started)


MOMENTS = ("half the model", "whole model", "half the draft", "whole draft", "swapped")


def child_killed_while_saving(folder: str, moment: str) -> None:
    """Die at a moment within the third backup: the one after epoch 2."""
    keras.utils.set_random_seed(SEED)
    model = small_model()
    calls = {"save": 0}
    save, write, swap = model.save, Path.write_text, os.replace

    def save_and_die(file: Path) -> None:
        save(file)
        calls["save"] += 1
        if calls["save"] == 3 and moment == "half the model":
            os.truncate(file, file.stat().st_size // 2)
            die()
        if calls["save"] == 3 and moment == "whole model":
            die()

    def write_text(path: Path, text: str, **more) -> None:
        half = calls["save"] == 3 and moment == "half the draft"
        write(path, text[: len(text) // 2] if half else text, **more)
        if half or (calls["save"] == 3 and moment == "whole draft"):
            die()

    def replace(source: Path, target: Path) -> None:
        swap(source, target)
        if calls["save"] == 3 and moment == "swapped":
            die()

    object.__setattr__(model, "save", save_and_die)
    Path.write_text, os.replace = write_text, replace
    train(model, Path(folder))


def kill(target: Callable, *arguments) -> None:
    """Run a child that has to end by SIGKILL."""
    child = KILLS.Process(target=target, args=arguments)
    child.start()
    child.join(400)
    assert child.exitcode == -signal.SIGKILL


# --- What is compared --------------------------------------------------------------------------


def state(model: Model) -> Weights:
    return [v.numpy() for v in [*model.weights, *model.optimizer.variables]]


def assert_same_bits(one: Weights, other: Weights) -> None:
    assert len(one) == len(other)
    different = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if (a != b).any()]
    assert different == []


@pytest.fixture(scope="module")
def reusable() -> Model:
    """One compiled model for all resumed runs, so that it is traced once."""
    return small_model()


@pytest.fixture
def model(reusable: Model) -> Model:
    """The model with other numbers in all it has: whatever is not restored shows."""
    if not reusable.optimizer.built:
        reusable.optimizer.build(reusable.trainable_variables)
    rng = np.random.default_rng()
    for v in [*reusable.weights, *reusable.optimizer.variables]:
        v.assign(rng.uniform(0.5, 1.5, v.shape).astype(v.dtype) * 3)
    return reusable


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Weights:
    """How the uninterrupted run ends."""
    keras.utils.set_random_seed(SEED)
    model = small_model()
    train(model, tmp_path_factory.mktemp("whole"))
    return state(model)


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory) -> Path:
    """A folder with the backup of a run that died in its third epoch."""
    folder = tmp_path_factory.mktemp("backed up")
    kill(child_killed_at_step, str(folder), 2 * BATCHES + 2, small_model)
    return folder


@pytest.fixture
def folder(backed_up: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may damage."""
    return Path(shutil.copytree(backed_up, tmp_path / "run"))


# --- Killed and resumed ------------------------------------------------------------------------


@pytest.mark.parametrize("step", range(1, EPOCHS * BATCHES + 1))
def test_killed_after_any_step_a_run_ends_with_the_same_bits(
    step: int, tmp_path: Path, model: Model, whole: Weights
) -> None:
    kill(child_killed_at_step, str(tmp_path), step, small_model)
    history, backup = train(model, tmp_path)
    assert history.epoch == list(range((step - 1) // BATCHES, EPOCHS))
    assert_same_bits(state(model), whole)
    assert all(len(values) == EPOCHS for values in backup.history.values())


def test_killed_several_times_in_a_row(tmp_path: Path, model: Model, whole: Weights) -> None:
    for step in (3, 7, 4, 8, 1):  # steps of each process: epochs 0, 1, 1, 2 and 2
        kill(child_killed_at_step, str(tmp_path), step, small_model)
    history, _ = train(model, tmp_path)
    assert history.epoch == [2, 3]
    assert_same_bits(state(model), whole)


def test_killed_from_outside_at_a_random_moment(
    tmp_path: Path, model: Model, whole: Weights
) -> None:
    child = KILLS.Process(target=child_slow, args=(str(tmp_path),))
    child.start()
    deadline = time.monotonic() + 400
    while not (tmp_path / "alive").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(np.random.default_rng().uniform(0, EPOCHS * BATCHES * 0.05))
    child.kill()
    child.join(100)
    assert child.exitcode == -signal.SIGKILL
    train(model, tmp_path)
    assert_same_bits(state(model), whole)


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_while_a_backup_is_written(
    moment: str, tmp_path: Path, model: Model, whole: Weights
) -> None:
    kill(child_killed_while_saving, str(tmp_path), moment)
    history, _ = train(model, tmp_path)
    assert history.epoch == ([2, 3] if moment == "swapped" else [1, 2, 3])
    assert_same_bits(state(model), whole)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"a.keras", "b.keras", "backup.json"}


def test_a_real_backbone_ends_with_the_same_bits(tmp_path: Path) -> None:
    step, epochs = BATCHES + 2, 2
    kill(child_lite0, str(tmp_path / "killed"), step, epochs)
    keras.utils.set_random_seed(SEED)
    whole = lite0_model()
    train(whole, tmp_path / "whole", epochs=epochs)
    resumed = lite0_model()
    history, _ = train(resumed, tmp_path / "killed", epochs=epochs)
    assert history.epoch == [1]
    assert_same_bits(state(resumed), state(whole))


def child_lite0(folder: str, step: int, epochs: int) -> None:
    keras.utils.set_random_seed(SEED)
    train(lite0_model(), Path(folder), AtStep(step, die), epochs=epochs)


# --- Each piece is needed ----------------------------------------------------------------------


class Without:
    """What each piece does, taken away."""

    @staticmethod
    def optimizer(monkeypatch: pytest.MonkeyPatch) -> None:
        load = Model.load_weights

        def without_optimizer(self: Model, file: Path) -> None:
            before = [v.numpy() for v in self.optimizer.variables]
            load(self, file)
            for v, value in zip(self.optimizer.variables, before, strict=True):
                v.assign(value)

        monkeypatch.setattr(Model, "load_weights", without_optimizer)

    @staticmethod
    def order(monkeypatch: pytest.MonkeyPatch) -> None:
        of = EpochOrder.of
        monkeypatch.setattr(EpochOrder, "of", lambda self, epoch: of(self, 0))

    @staticmethod
    def chance(monkeypatch: pytest.MonkeyPatch) -> None:
        def order_only(self: SeedEachEpoch, epoch: int, logs: dict | None = None) -> None:
            self.order.epoch, self.order.passes = epoch, 0

        monkeypatch.setattr(SeedEachEpoch, "on_epoch_begin", order_only)

    @staticmethod
    def schedule(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(keras.callbacks.LearningRateScheduler, "on_epoch_begin", lambda *_: 0)

    @staticmethod
    def weights(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Model, "load_weights", lambda self, file: None)


@pytest.mark.parametrize("piece", ["optimizer", "order", "chance", "schedule", "weights"])
def test_without_one_piece_the_bits_differ(
    piece: str, folder: Path, model: Model, whole: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    getattr(Without, piece)(monkeypatch)
    train(model, folder)
    with pytest.raises(AssertionError):
        assert_same_bits(state(model), whole)


# --- Started again -----------------------------------------------------------------------------


def test_a_finished_run_started_again_changes_nothing(
    folder: Path, model: Model, whole: Weights
) -> None:
    _, first = train(model, folder)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    model.set_weights([np.ones_like(w) for w in model.get_weights()])
    history, again = train(model, folder)
    assert history.epoch == []
    assert_same_bits(state(model), whole)
    assert again.history == first.history
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files


def test_a_run_that_stopped_early_is_finished(tmp_path: Path, model: Model) -> None:
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            self.model.stop_training = epoch == 1

    history, _ = train(model, tmp_path, Stop())
    ended = state(model)
    assert history.epoch == [0, 1]
    model.set_weights([np.ones_like(w) for w in model.get_weights()])
    history, _ = train(model, tmp_path)
    assert history.epoch == []
    assert_same_bits(state(model), ended)


def test_history_and_curves_go_on_where_they_were(folder: Path, model: Model, tmp_path) -> None:
    _, resumed = train(model, folder)
    assert set(resumed.history) >= {"loss", "accuracy"}
    assert all(len(values) == EPOCHS for values in resumed.history.values())
    assert json.loads((folder / "backup.json").read_text())["history"] == resumed.history


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"initial_epoch": 0}, "fit is at epoch 0, the backup at 2"),
        ({"initial_epoch": 3}, "fit is at epoch 3, the backup at 2"),
        ({"epochs": 9}, "epochs=9, not 4"),
    ],
)
def test_a_fit_that_does_not_go_on_where_the_backup_is_stops(
    folder: Path, model: Model, changes: dict, said: str
) -> None:
    before = (folder / "backup.json").read_bytes()
    backup = Backup(folder, epochs=EPOCHS, about=ABOUT)
    arguments = {"initial_epoch": backup.restore(model), "epochs": EPOCHS} | changes
    with pytest.raises(ResumeProblem, match=said):
        model.fit(*images(model), verbose=0, callbacks=[backup], **arguments)
    assert (folder / "backup.json").read_bytes() == before


def test_a_fit_without_restore_stops_before_it_overwrites(folder: Path, model: Model) -> None:
    before = (folder / "backup.json").read_bytes()
    with pytest.raises(ResumeProblem, match=r"initial_epoch=backup\.restore\(model\)"):
        model.fit(
            *images(model), epochs=EPOCHS, verbose=0, callbacks=[Backup(folder, EPOCHS, ABOUT)]
        )
    assert (folder / "backup.json").read_bytes() == before


def test_a_model_that_is_not_compiled_is_refused(tmp_path: Path) -> None:
    bare = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    with pytest.raises(ResumeProblem, match="build and compile"):
        Backup(tmp_path, epochs=1).restore(bare)


# --- Backups that cannot be used ---------------------------------------------------------------


def kept_file(folder: Path) -> Path:
    return folder / json.loads((folder / "backup.json").read_text())["file"]


def flip_a_bit(folder: Path) -> None:
    content = bytearray(kept_file(folder).read_bytes())
    content[len(content) // 2] ^= 1
    kept_file(folder).write_bytes(content)


def rewrite(edited: Callable[[dict], dict]) -> Callable[[Path], None]:
    """Return what puts an edited record into a backup's note."""

    def damage(folder: Path) -> None:
        note = folder / "backup.json"
        note.write_text(json.dumps(edited(json.loads(note.read_text()))))

    return damage


def lose(name: str) -> Callable[[Path], None]:
    """Return what takes an entry out of a backup's note."""
    return rewrite(lambda record: {key: record[key] for key in record.keys() - {name}})


def change(**entries) -> Callable[[Path], None]:
    """Return what writes other entries into a backup's note."""
    return rewrite(lambda record: record | entries)


DAMAGE = {
    "a flipped bit": flip_a_bit,
    "half a file": lambda f: os.truncate(kept_file(f), 5_000),
    "no file": lambda f: kept_file(f).unlink(),
    "half a note": lambda f: os.truncate(f / "backup.json", 50),
    "an empty note": lambda f: (f / "backup.json").write_text(""),
    "another note": lambda f: (f / "backup.json").write_text("[1, 2]"),
    "bytes": lambda f: (f / "backup.json").write_bytes(b"\xff\xfe\x00"),
    **{f"a note without {name}": lose(name) for name in RECORD},
    "a list about the run": change(about=[]),
    "nothing about the model": change(model={}),
    "half about the model": change(model={"weights": []}),
    "epochs as text": change(done="2"),
    "finished as a number": change(finished=0),
    "a number for a file": change(file=3),
    "a list for history": change(history=[]),
    "a number for a curve": change(history={"loss": 0.5}),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_backup_is_said_and_left_alone(damage: str, folder: Path, model: Model) -> None:
    DAMAGE[damage](folder)
    before, files = state(model), sorted(path.name for path in folder.iterdir())
    with pytest.raises(ResumeProblem, match=r"is damaged \(.+\); restore .* or delete it"):
        train(model, folder)
    assert_same_bits(state(model), before)
    assert sorted(path.name for path in folder.iterdir()) == files


OTHERS = {
    "wider": lambda: small_model(width=5),
    "other optimizer": lambda: small_model(optimizer="sgd"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_backup_of_another_model_is_refused(other: str, folder: Path) -> None:
    model = OTHERS[other]()
    before = [w.copy() for w in model.get_weights()]
    with pytest.raises(ResumeProblem, match=r"is of another model: .* Use another folder"):
        train(model, folder)
    assert_same_bits(model.get_weights(), before)


def test_a_model_that_is_frozen_otherwise_is_another(folder: Path) -> None:
    model = small_model()
    model.layers[-1].trainable = False
    model.compile("adam", loss="sparse_categorical_crossentropy")
    with pytest.raises(ResumeProblem, match="is of another model: optimizer"):
        train(model, folder)


@pytest.mark.parametrize(
    ("epochs", "about", "said"),
    [
        (EPOCHS, ABOUT | {"seed": 7}, "its seed is 42, now it is 7"),
        (EPOCHS, {"seed": SEED}, "its images is 40, now it is None"),
        (EPOCHS, ABOUT | {"rate": 0.1}, "its rate is None, now it is 0.1"),
        (EPOCHS + 1, ABOUT, "its epochs is 4, now it is 5"),
    ],
)
def test_a_backup_of_another_run_is_refused(
    folder: Path, model: Model, epochs: int, about: dict, said: str
) -> None:
    before = state(model)
    with pytest.raises(ResumeProblem, match=f"of another run: {said}"):
        Backup(folder, epochs, about).restore(model)
    assert_same_bits(state(model), before)


# --- A full disk -------------------------------------------------------------------------------


class DiskFull(keras.callbacks.Callback):
    """From an epoch on, no file can grow beyond a number of bytes."""

    def __init__(self, from_epoch: int, size: int) -> None:
        super().__init__()
        self.from_epoch, self.size = from_epoch, size

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if epoch >= self.from_epoch:
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, hard))


@pytest.fixture
def disk() -> Iterator[None]:
    """Afterwards there is room again."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 3_000, 20_000])
def test_a_full_disk_costs_backups_and_nothing_else(
    size: int, tmp_path: Path, model: Model, whole: Weights, capsys, disk
) -> None:
    kill(child_killed_at_step, str(tmp_path), BATCHES + 1, small_model)
    train(model, tmp_path, DiskFull(2, size))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    said = capsys.readouterr().out
    assert "after 3 epochs could not be written (File too large); the one after 2 is kept" in said
    assert_same_bits(state(model), whole)
    assert json.loads((tmp_path / "backup.json").read_text())["done"] == 2
    model.set_weights([np.ones_like(w) for w in model.get_weights()])
    history, _ = train(model, tmp_path)
    assert history.epoch == [2, 3]
    assert_same_bits(state(model), whole)


def test_where_nothing_can_be_written_a_run_still_trains(
    tmp_path: Path, model: Model, capsys
) -> None:
    (tmp_path / "file").touch()
    history, _ = train(model, tmp_path / "file" / "run")
    assert len(history.epoch) == EPOCHS
    assert "there is none yet" in capsys.readouterr().out


# --- The order ---------------------------------------------------------------------------------


def test_an_order_is_a_function_of_seed_and_epoch() -> None:
    order = EpochOrder(100, seed=3)
    first = order.of(0)
    assert sorted(first) == list(range(100))
    order.of(5)
    np.random.seed(0)
    np.testing.assert_array_equal(order.of(0), first)
    np.testing.assert_array_equal(EpochOrder(100, seed=3).of(0), first)


def test_no_two_orders_are_alike() -> None:
    orders = {tuple(EpochOrder(50, seed).of(epoch)) for seed in range(6) for epoch in range(6)}
    assert len(orders) == 36


def test_batches_come_in_the_order_of_the_epoch() -> None:
    order = EpochOrder(10, seed=1)
    dataset = order.batches(4)
    assert dataset.cardinality() == 3
    for epoch in (0, 1, 0):
        order.epoch = epoch
        batches = [batch.numpy() for batch in dataset]
        assert [len(batch) for batch in batches] == [4, 4, 2]
        np.testing.assert_array_equal(np.concatenate(batches), order.of(epoch))
        assert order.served == (epoch, 10)


@pytest.mark.parametrize(("count", "seed"), [(0, 1), (-3, 1), (5, -1)])
def test_counts_and_seeds_that_make_no_sense_are_refused(count: int, seed: int) -> None:
    with pytest.raises(ValueError, match="count must be at least 1"):
        EpochOrder(count, seed)


# --- The random layers -------------------------------------------------------------------------


def states_in(model: Model, epoch: int, seed: int = SEED) -> list[tuple[int, int]]:
    """The states of all random layers as an epoch begins, whatever they were before."""
    generators = [v for v in model.non_trainable_variables if v.name == "seed_generator_state"]
    for number, v in enumerate(generators):
        v.assign([number, 77])
    callback = SeedEachEpoch(seed)
    callback.set_model(model)
    callback.on_epoch_begin(epoch)
    return [tuple(v.numpy()) for v in generators]


def test_every_random_layer_gets_a_state_of_its_own_in_each_epoch(model: Model) -> None:
    everything = [s for epoch in range(5) for seed in (1, 2) for s in states_in(model, epoch, seed)]
    assert len(states_in(model, 0)) == 4  # two augmentations, two Dropouts, one of them inside
    assert len(set(everything)) == len(everything) == 40
    assert {asked for _, asked in everything} == {0}
    assert states_in(model, 3) == states_in(model, 3)


@pytest.mark.parametrize("frozen_by", ["cache", "repeat"])
def test_data_that_do_not_follow_the_epoch_stop_the_run(model: Model, frozen_by: str) -> None:
    order = EpochOrder(COUNT, SEED)
    data = data_of(model, order)
    steps = int(data.cardinality())
    data = getattr(data, frozen_by)()
    with pytest.raises(ResumeProblem, match=r"did not read all its data once, in its own order"):
        model.fit(
            data,
            epochs=3,
            verbose=0,
            steps_per_epoch=steps if frozen_by == "repeat" else None,
            callbacks=[SeedEachEpoch(SEED, order)],
        )


def test_an_epoch_that_is_not_one_whole_pass_is_refused(model: Model) -> None:
    order = EpochOrder(COUNT, SEED)
    data = data_of(model, order)
    steps = int(data.cardinality())
    before = [weight.numpy() for weight in model.weights]
    for wrong in (steps - 1, 2 * steps):
        with pytest.raises(ResumeProblem, match=f"takes {wrong} steps an epoch, .* has {steps}:"):
            model.fit(
                data.repeat(),
                epochs=2,
                steps_per_epoch=wrong,
                verbose=0,
                callbacks=[SeedEachEpoch(SEED, order)],
            )
    assert all((a == b.numpy()).all() for a, b in zip(before, model.weights, strict=True))
    model.fit(
        data, epochs=2, steps_per_epoch=steps, verbose=0, callbacks=[SeedEachEpoch(SEED, order)]
    )
