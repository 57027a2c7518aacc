"""Resume a killed training run so that it ends bit for bit as if nothing had happened.

What a run is at the end of an epoch goes into a backup (`Backup`); whatever is random in an epoch
is computed from its seed and number (`EpochOrder`, `SeedEachEpoch`). Lesson 04 shows how.

Not covered: augmentation in ``tf.data`` (put it into the model), callbacks with a memory of their
own such as EarlyStopping, and bits on a graphics card or with another number of processor cores.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from helpers.files import digest

# What backup.json says, and the type of each.
RECORD = {
    "about": dict,
    "model": dict,
    "done": int,
    "finished": bool,
    "file": str,
    "sha256": str,
    "history": dict,
}


class ResumeProblem(RuntimeError):
    """A run that cannot be resumed exactly; the message says why, and the way out."""


class EpochOrder:
    """The order of the training data, as a function of seed and epoch.

    Args:
        count: Number of examples.
        seed: Any whole number from 0.

    Raises:
        ValueError: `count` is less than 1 or `seed` is negative.
    """

    def __init__(self, count: int, seed: int) -> None:
        if count < 1 or seed < 0:
            raise ValueError(f"count must be at least 1 and seed 0, not {count} and {seed}")
        self.count, self.seed = count, seed
        self.epoch = 0
        """The epoch whose order is served next; `SeedEachEpoch` sets it."""
        self.served: tuple[int, int] | None = None
        """The epoch whose order was given out last, and how many of its examples so far."""
        self.passes = 0
        """How often an order was begun since `SeedEachEpoch` last set the epoch: once is right."""
        self.steps: set[int] = set()
        """Batches in an epoch, for each batch size that was asked for."""

    def of(self, epoch: int) -> np.ndarray:
        """Return the order of one epoch: int64, shape ``(count,)``, each of 0..count-1 once."""
        return np.random.default_rng([self.seed, epoch]).permutation(self.count)

    def batches(self, batch_size: int) -> tf.data.Dataset:
        """Return a dataset of places in the data, int64 of shape ``(up to batch_size,)``.

        Map it to what ``fit`` needs. Each pass over it is the order of `epoch`. Reading and
        decoding may run in parallel (``map`` keeps the order); a ``cache()`` or ``repeat()``
        after it would freeze the order, and `SeedEachEpoch` then stops the run.
        """

        def places() -> Iterator[np.ndarray]:
            epoch = self.epoch
            self.passes += 1
            order = self.of(epoch)
            for start in range(0, self.count, batch_size):
                batch = order[start : start + batch_size]
                self.served = (epoch, start + len(batch))
                yield batch

        signature = tf.TensorSpec((None,), tf.int64)
        dataset = tf.data.Dataset.from_generator(places, output_signature=signature)
        number = -(-self.count // batch_size)
        self.steps.add(number)
        return dataset.apply(tf.data.experimental.assert_cardinality(number))


class SeedEachEpoch(keras.callbacks.Callback):
    """Make all that is random in an epoch a function of seed and epoch.

    At the beginning of each epoch, it tells `order` the epoch and sets the state of every
    ``keras.random.SeedGenerator`` in the model: those of Dropout, RandomFlip and their like,
    also in models within the model.

    Args:
        seed: Any whole number from 0.
        order: The order of the training data, if it is shuffled.
    """

    def __init__(self, seed: int, order: EpochOrder | None = None) -> None:
        super().__init__()
        self.seed, self.order = seed, order

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Check that an epoch of ``fit`` is the whole order; Keras calls this.

        Raises:
            ResumeProblem: ``fit`` takes another number of steps.
        """
        steps = self.params.get("steps")
        if self.order is not None and steps is not None and steps not in self.order.steps:
            raise ResumeProblem(
                f"fit takes {steps} steps an epoch, and the data has "
                f"{' or '.join(map(str, sorted(self.order.steps)))}: an epoch has to be one whole "
                "pass, or its order cannot be known. Pass no steps_per_epoch to fit."
            )

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Set the states; Keras calls this before it asks for the first batch."""
        if self.order is not None:
            self.order.epoch, self.order.served, self.order.passes = epoch, None, 0
        states = [v for v in self.model.non_trainable_variables if v.name == "seed_generator_state"]
        for number, state in enumerate(states):
            # The third number keeps layers apart from each other and from the order, which is 0.
            sequence = np.random.SeedSequence([self.seed, epoch, 1 + number])
            # A state is the generator's seed and how often it has been asked.
            state.assign([int(sequence.generate_state(1)[0]), 0])

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Check that the data came in this epoch's order; Keras calls this.

        Raises:
            ResumeProblem: It did not.
        """
        order = self.order
        if order is not None and (order.served != (epoch, order.count) or order.passes != 1):
            raise ResumeProblem(
                f"epoch {epoch} did not read all its data once, in its own order. Do not put "
                "cache() or repeat() behind EpochOrder.batches."
            )


class Backup(keras.callbacks.Callback):
    """Back a run up at the end of each epoch, so that a kill at any moment loses no more than that.

    Two ``.keras`` files take turns, and ``backup.json`` names the one that counts. It is swapped
    in one go when the new file is complete, so weights and epoch number always belong together.
    Put this callback last: what callbacks behind it change would be missing.

    Args:
        folder: A folder of this run's own; made when needed.
        epochs: How many epochs the whole run has, as passed to ``fit``.
        about: What makes this run itself, name to number or text: seed, batch size, data. A
            backup with other values is refused.
    """

    def __init__(
        self, folder: str | os.PathLike, epochs: int, about: Mapping[str, float | str] | None = None
    ) -> None:
        super().__init__()
        self.folder = Path(folder)
        # Through JSON and back, so that it compares equal to what a file gives; arrays are refused.
        self.about = json.loads(json.dumps({"epochs": epochs, **(about or {})}))
        self.epochs = epochs
        self.done: int | None = None
        """Number of finished epochs; None before `restore`."""
        self.history: dict[str, list[float]] = {}
        """What ``fit`` would have returned for all epochs so far, those before a kill included."""
        self._last: dict | None = None  # the content of backup.json

    def restore(self, model: keras.Model) -> int:
        """Bring a model and its optimizer to the state of the last backup.

        Args:
            model: The same model as in the killed run: built and compiled, weights of any value.

        Returns:
            The ``initial_epoch`` for ``fit``: 0 where there is no backup yet, and `epochs` where
            the run has finished, so that ``fit`` trains no further.

        Raises:
            ResumeProblem: The model is not compiled, or the backup is damaged, or of another
                model or another run. Model and backup are then as they were.
        """
        if getattr(model, "optimizer", None) is None or not model.built:
            raise ResumeProblem("build and compile the model before you restore a backup")
        if not model.optimizer.built:  # or load_weights would skip its variables
            model.optimizer.build(model.trainable_variables)
        record = self._read()
        if record is None:
            self._last, self.done, self.history = None, 0, {}
            return 0
        self._require_same(record, model)
        model.load_weights(self._intact(record))
        self._last, self.done, self.history = record, record["done"], record["history"]
        return self.epochs if record["finished"] else self.done

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Keep the first weights: they too are a part of the run. Keras calls this.

        Raises:
            ResumeProblem: `restore` was not called, or ``fit`` has another number of epochs.
        """
        if self.done is None:
            raise ResumeProblem("pass initial_epoch=backup.restore(model) to fit")
        if self.params["epochs"] != self.epochs:
            raise ResumeProblem(f"fit has epochs={self.params['epochs']}, not {self.epochs}")
        if self._last is None:
            self._save(finished=False)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Check that the run goes on where the backup is; Keras calls this.

        Raises:
            ResumeProblem: ``fit`` began at another epoch than the one that `restore` returned.
        """
        if epoch != self.done:
            raise ResumeProblem(
                f"fit is at epoch {epoch}, the backup at {self.done}: pass "
                "initial_epoch=backup.restore(model)"
            )

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Back up; Keras calls this."""
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        self.done = epoch + 1
        self._save(finished=False)

    def on_train_end(self, logs: dict | None = None) -> None:
        """Note that the run is finished, also where it stopped early; Keras calls this."""
        if not (self._last and self._last["finished"]):
            self._save(finished=True)

    @property
    def _pointer(self) -> Path:
        return self.folder / "backup.json"

    def _save(self, finished: bool) -> None:
        """Write a backup beside the last one, then swap. A full disk leaves the last one as is."""
        last = self._last
        file = self.folder / ("b.keras" if last and last["file"] == "a.keras" else "a.keras")
        draft = self._pointer.with_suffix(".new")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # Not save_weights: on a full disk HDF5 crashes the whole process (h5py 3.14). For a
            # .keras file Keras makes the HDF5 part in memory, and what fails is a plain OSError.
            self.model.save(file)
            content = {
                "about": self.about,
                "model": _shapes(self.model),
                "done": self.done,
                "finished": finished,
                "file": file.name,
                "sha256": digest(file),
                "history": self.history,
            }
            draft.write_text(json.dumps(content), encoding="utf-8")
            for written in (file, draft):
                _to_disk(written)
            os.replace(draft, self._pointer)
            self._last = content
        except OSError as problem:
            for unfinished in (file, draft):
                with contextlib.suppress(OSError):
                    unfinished.unlink(missing_ok=True)
            reason = problem.strerror or problem
            kept = f"the one after {last['done']} is kept" if last else "there is none yet"
            print(
                f"The backup after {self.done} epochs could not be written ({reason}); {kept}, "
                f"and training goes on. Free some space in {self.folder}."
            )

    def _read(self) -> dict | None:
        """Return what ``backup.json`` says; None if there is none."""
        try:
            record = json.loads(self._pointer.read_text(encoding="utf-8"))
            _require_complete(record)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError as problem:
            raise self._damaged(str(problem)) from None
        return record

    def _intact(self, record: dict) -> Path:
        """Return the file of a backup if it is as it was written."""
        file = self.folder / record["file"]
        if not file.is_file():
            raise self._damaged(f"{file.name} is missing")
        if digest(file) != record["sha256"]:
            raise self._damaged(f"{file.name} has changed since it was written")
        return file

    def _damaged(self, why: str) -> ResumeProblem:
        return ResumeProblem(
            f"the backup in {self.folder} is damaged ({why}); restore that folder from a copy, or "
            "delete it to start the run from the beginning"
        )

    def _require_same(self, record: dict, model: keras.Model) -> None:
        """Raise if a backup is of another run or another model."""
        other = f"the backup in {self.folder} is of another"
        way_out = "Use another folder, or delete this one to start from the beginning."
        for name in sorted(record["about"].keys() | self.about.keys()):
            its, mine = record["about"].get(name), self.about.get(name)
            if its != mine:
                raise ResumeProblem(
                    f"{other} run: its {name} is {its}, now it is {mine}. {way_out}"
                )
        for kind, mine in _shapes(model).items():
            its = record["model"][kind]
            if its != mine:
                raise ResumeProblem(
                    f"{other} model: {kind} {_first_difference(its, mine)}. {way_out}"
                )


def _require_complete(record: object) -> None:
    """Raise ValueError unless a backup's record holds all that it should, each of its type."""
    if type(record) is not dict:
        raise ValueError("backup.json holds something else")
    lists = [("model", "weights"), ("model", "optimizer")]
    wrong = [name for name, kind in RECORD.items() if type(record.get(name)) is not kind]
    if not wrong:
        lists += [("history", name) for name in record["history"]]
        wrong = [inner for outer, inner in lists if type(record[outer].get(inner)) is not list]
    if wrong:
        raise ValueError(f"in backup.json, this is missing or of another type: {', '.join(wrong)}")


def _shapes(model: keras.Model) -> dict[str, list[str]]:
    """Say what a model and its optimizer are made of; names are left out, as they change."""

    def listed(variables) -> list[str]:
        return [f"{v.dtype} {'x'.join(map(str, v.shape)) or 'number'}" for v in variables]

    kind = type(model.optimizer).__name__
    return {
        "weights": listed(model.weights),
        "optimizer": [kind, *listed(model.optimizer.variables)],
    }


def _first_difference(its: list[str], mine: list[str]) -> str:
    for place, (a, b) in enumerate(zip(its, mine, strict=False)):
        if a != b:
            return f"number {place} was {a} and is {b}"
    return f"were {len(its)} arrays and are {len(mine)}"


def _to_disk(file: Path) -> None:
    """Wait until the disk has a file, so that no name gets there before its content."""
    with open(file, "rb+") as opened:
        os.fsync(opened.fileno())
