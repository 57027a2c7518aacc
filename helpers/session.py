"""Start a lesson: quiet logs, a fixed seed, and one line on what this machine has."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

COURSE_ROOT = Path(__file__).resolve().parents[1]
"""The folder that holds notebooks/, helpers/ and data/."""


def _seed() -> int:
    """The number in COURSE_SEED.

    Raises:
        ValueError: It is no seed; the message says which numbers are.
    """
    text = os.environ.get("COURSE_SEED", "42")
    with contextlib.suppress(ValueError):
        if 0 <= int(text) < 2**32:  # what NumPy takes
            return int(text)
    raise ValueError(
        f"the environment variable COURSE_SEED is {text!r}, and a seed is a whole number from 0 to "
        f"{2**32 - 1}: set it to one (42 is the default) or unset it, and start Python again"
    )


SEED = _seed()
"""The seed of every lesson. Set COURSE_SEED to another number to repeat a lesson with new luck."""

# TensorFlow reads this when it is first imported, so it has to be set before.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# The %tensorboard magic looks for a program on PATH, where it is missing if JupyterLab was
# started as .venv/bin/jupyter. It then lies beside this Python; on Colab it does not.
if _beside_python := shutil.which("tensorboard", path=str(Path(sys.executable).parent)):
    os.environ.setdefault("TENSORBOARD_BINARY", _beside_python)


def start(lesson: str) -> None:
    """Begin a lesson: import TensorFlow without its start-up messages and fix the seeds.

    Args:
        lesson: Number of the lesson, ``"00"`` to ``"11"``.

    Prints one line: versions, number of processor cores and graphics cards.
    """
    with _silenced_stderr():
        import keras
        import tensorflow as tf

        keras.utils.set_random_seed(SEED)
        gpus = len(tf.config.list_physical_devices("GPU"))
    # Notebooks show TensorFlow's remarks on its own tracing as a lesson's output.
    tf.get_logger().setLevel("ERROR")
    # Keras 3.15 says so in every fit on a tf.data.Dataset, also where nobody passed shuffle.
    warnings.filterwarnings("ignore", message="`shuffle=True` was passed, but will be ignored")
    cores = os.cpu_count()
    print(
        f"Lesson {lesson} on Keras {keras.__version__}, TensorFlow {tf.__version__}: "
        f"{cores} processor core{'s' * (cores != 1)}, "
        f"{gpus or 'no'} graphics card{'s' * (gpus != 1)}, seed {SEED}."
    )


def graphics_card() -> str:
    """Return words for a claim's ``unless=`` where a graphics card computes, else an empty text.

    For claims on seconds that were recorded without one: on a card the clock tells another story.
    """
    import tensorflow as tf

    return "a graphics card computes here" if tf.config.list_physical_devices("GPU") else ""


def personal_folder() -> Path:
    """Return the folder for what a learner makes: progress, runs, converted photographs.

    It is ``.course/`` beside the notebooks, or ``$COURSE_HOME``. Where that cannot be written
    (a read-only or full disk), a temporary folder takes its place and one sentence says so. Where
    that cannot be made either, the folder is the first one: whoever saves there meets the error.
    """
    wanted = Path(os.path.expanduser(os.environ.get("COURSE_HOME", COURSE_ROOT / ".course")))
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        # A full disk still takes an empty file, so a few bytes have to go in, past any buffer.
        with tempfile.TemporaryFile(dir=wanted, buffering=0) as probe:
            probe.write(b"is there room?")
        return wanted
    except OSError as problem:
        try:
            fallback = Path(tempfile.gettempdir()) / "course"
            fallback.mkdir(parents=True, exist_ok=True)
        except OSError:
            return wanted
        _say_once(
            f"{wanted} cannot be written ({problem.strerror}); this session keeps its files in "
            f"{fallback}. Free some space or set COURSE_HOME to another folder to keep them."
        )
        return fallback


@functools.cache
def _say_once(sentence: str) -> None:
    """Print a sentence the first time only."""
    print(sentence)


@contextlib.contextmanager
def _silenced_stderr() -> Iterator[None]:
    """Hold back what libraries print on stderr; show it after all if the block fails.

    TensorFlow's C++ part writes to file descriptor 2, past Python's ``sys.stderr``: only
    pointing the descriptor elsewhere for a moment keeps it out of a lesson.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        except BaseException:
            held_back.seek(0)
            os.write(saved, held_back.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
