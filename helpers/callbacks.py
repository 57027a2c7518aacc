"""TensorBoard run folders, what was written to them, and one line of progress an epoch."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import keras

from helpers.session import personal_folder


def runs_folder(lesson: str) -> Path:
    """Return the folder that holds a lesson's TensorBoard runs, ``.course/runs/LESSON``."""
    return personal_folder() / "runs" / lesson


def new_run(lesson: str, experiment: str) -> Path:
    """Make a new, dated folder for one run of an experiment.

    Use it as ``keras.callbacks.TensorBoard(log_dir=new_run("02", "frozen"))``. A dated folder
    keeps runs apart: two runs in one folder are drawn as one tangled curve.

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
    parent = runs_folder(lesson) / experiment
    stamp = datetime.now().strftime("%Y-%m-%d %H.%M.%S")
    attempt = 1
    while True:  # two runs may begin within one second
        folder = parent / (stamp if attempt == 1 else f"{stamp} ({attempt})")
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            attempt += 1


def read_scalars(run: Path) -> dict[str, list[tuple[int, float]]]:
    """Read back the curves that Keras's TensorBoard callback wrote into a run's folder.

    Args:
        run: A folder from `new_run`.

    Returns:
        For each curve, such as ``"train/epoch_accuracy"`` or ``"validation/epoch_loss"``, its
        points ``(epoch from 0, value)``.

    Raises:
        FileNotFoundError: There are no event files below the folder.
    """
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    curves: dict[str, list[tuple[int, float]]] = {}
    for part in sorted({file.parent for file in run.rglob("events.out.tfevents.*")}):
        events = EventAccumulator(str(part), size_guidance={"tensors": 0})
        events.Reload()
        for tag in events.Tags()["tensors"]:
            if not tag.startswith("epoch_"):
                continue  # the callback also writes the model's graph and per-step curves
            curves[f"{part.name}/{tag}"] = [
                (event.step, float(make_ndarray(event.tensor_proto)))
                for event in events.Tensors(tag)
            ]
    if not curves:
        raise FileNotFoundError(f"no TensorBoard curves below {run}; has the run finished?")
    return curves


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
        values = ", ".join(
            f"{name.replace('_', ' ')} {value:.3f}" for name, value in (logs or {}).items()
        )
        print(f"epoch {epoch + 1} of {self.params['epochs']}, {seconds:.1f} s: {values}")
