"""Start a lesson: quiet logs, a fixed seed, and one line on what this machine has."""

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


_seed = os.environ.get("COURSE_SEED", "42")
if not _seed.isdecimal() or int(_seed) >= 2**32:  # what NumPy takes
    raise ValueError(
        f"the environment variable COURSE_SEED is {_seed!r}, and a seed is a whole number from 0 "
        f"to {2**32 - 1}: set it to one (42 is the default) or unset it, and start Python again"
    )
SEED = int(_seed)
"""The seed of every lesson. Set COURSE_SEED to another number to repeat a lesson with new luck."""

# TensorFlow reads this when it is first imported, so it has to be set before.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# The %tensorboard magic looks for a program on PATH, where it is missing if JupyterLab was
# started as .venv/bin/jupyter. It then lies beside this Python; on Colab it does not.
if _beside_python := shutil.which("tensorboard", path=str(Path(sys.executable).parent)):
    os.environ.setdefault("TENSORBOARD_BINARY", _beside_python)


def start(lesson: str) -> None:
    """Begin lesson ``"00"`` to ``"11"``: import TensorFlow quietly, fix seeds, say what is here."""
    with silenced_stderr():
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
    """Return words for a claim's ``unless=`` where a graphics card computes, else an empty text."""
    import tensorflow as tf

    return "a graphics card computes here" if tf.config.list_physical_devices("GPU") else ""


def personal_folder() -> Path:
    """Return the folder for what a learner makes: progress, runs, what is known of photographs.

    It is ``.course/`` beside the notebooks, or ``$COURSE_HOME``. Where that cannot be written, a
    temporary folder of this user alone takes its place, for child processes too, and one sentence
    says so. Where that cannot be made either, whoever saves meets the error.
    """
    wanted = Path(os.path.expanduser(os.environ.get("COURSE_HOME", COURSE_ROOT / ".course")))
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        # A full disk still takes an empty file, so a few bytes have to go in, past any buffer.
        with tempfile.TemporaryFile(dir=wanted, buffering=0) as probe:
            probe.write(b"is there room?")
    except OSError as problem:
        with contextlib.suppress(OSError):
            if wanted != (instead := _private_folder()):
                os.environ["COURSE_HOME"] = str(instead)
                print(
                    f"{wanted} cannot be written ({problem.strerror}); this session keeps its "
                    f"files in {instead}. Free some space or set COURSE_HOME to another folder to "
                    "keep them."
                )
            return instead
    return wanted


# One for the whole process, with a name that nobody can guess.
_private_folder = functools.cache(lambda: Path(tempfile.mkdtemp(prefix="course-")))


@contextlib.contextmanager
def silenced_stderr() -> Iterator[None]:
    """Hold back what libraries print on stderr; show it after all if the block fails.

    TensorFlow's C++ part writes to file descriptor 2, past Python's ``sys.stderr``.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held_back, os.fdopen(os.dup(2), "wb", 0) as stderr:
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        except BaseException:
            held_back.seek(0)
            stderr.write(held_back.read())
            raise
        finally:
            os.dup2(stderr.fileno(), 2)
