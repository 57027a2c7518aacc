"""Folders for TensorBoard's runs, and one line of progress an epoch."""

import contextlib
import itertools
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

import keras
import numpy as np

from helpers.session import personal_folder


def runs_folder(lesson: str) -> Path:
    """Return a lesson's folder of TensorBoard runs, and say where two fits wrote into one run."""
    folder = personal_folder() / "runs" / lesson
    fits = Counter(file.parents[1] for file in folder.rglob("train/events.*"))
    for run in (run for run in fits if fits[run] > 1):
        over = "one curve is drawn over another, unless each went on where the last ended"
        print(f"{fits[run]} fits wrote into {run}: {over}. Make a new_run(...) for each.")
    return folder


def new_run(lesson: str, experiment: str) -> Path:
    """Make a dated folder for one run: two runs in one folder are drawn as one tangled curve.

    Use it as ``keras.callbacks.TensorBoard(log_dir=new_run("02", "frozen"))``.

    Args:
        lesson: Number of the lesson, e.g. ``"02"``.
        experiment: What is being tried, e.g. ``"frozen, seed 42"``; ``/`` is not allowed.

    Returns:
        ``.course/runs/02/frozen, seed 42/2026-11-22 14.05.09``, freshly made.

    Raises:
        ValueError: The experiment's name is empty or contains a path separator.
    """
    if not experiment.strip(" .") or "/" in experiment or "\\" in experiment:
        raise ValueError(f"an experiment needs a name without slashes, not {experiment!r}")
    stamp = datetime.now().strftime("%Y-%m-%d %H.%M.%S")
    runs = personal_folder() / "runs" / lesson / experiment
    for attempt in itertools.count(1):  # two runs may begin within one second
        folder = runs / (stamp + f" ({attempt})" * (attempt > 1))
        with contextlib.suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder


class OneLineAnEpoch(keras.callbacks.Callback):
    """Print one line after each epoch, in place of Keras's animated bar.

    Use it with ``verbose=0``. Example: ``epoch 2 of 5, 1.4 s: loss 0.812, accuracy 0.741``.
    """

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Start the clock; Keras calls this."""
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Print the line; Keras calls this."""
        seconds = time.perf_counter() - self._began
        how = {"formatter": {"float_kind": "{:.3f}".format}, "separator": ", "}
        words = {k: np.array2string(np.asarray(v), 9_999, **how) for k, v in (logs or {}).items()}
        values = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in words.items()).replace("\n", "")
        print(f"epoch {epoch + 1} of {self.params['epochs']}, {seconds:.1f} s: {values}")
