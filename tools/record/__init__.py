"""Recordings, which lessons quote: `python -m tools record NAME`.

A recording is a table of squares in data/recorded/. It grows by a row at a time, and the file is
written anew whole with every row: a recording that was stopped goes on where it was.
"""

from __future__ import annotations

import csv
import datetime
import importlib
import io
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from helpers.files import whole
from helpers.session import COURSE_ROOT, personal_folder, silenced_stderr

RECORDINGS = {"fine-tuning": "fine_tuning"}
"""Name of each recording, and of its module and file."""


def record(name: str, only: str = "") -> Iterator[str]:
    """Run the squares of a recording that its file does not have yet.

    Args:
        name: One of `RECORDINGS`.
        only: One of its problems, if not all: two of them can then be recorded side by side.

    Yields:
        A line for each square, once its row is on disk.

    Raises:
        KeyError: There is no such recording; the message lists them.
    """
    if name not in RECORDINGS:
        raise KeyError(f"no recording {name!r}; there are {', '.join(RECORDINGS)}")
    with silenced_stderr():
        module = importlib.import_module(f"tools.record.{RECORDINGS[name]}")
    # Keras 3.15 says so in every fit on a tf.data.Dataset, also where nobody passed shuffle.
    warnings.filterwarnings("ignore", message="`shuffle=True` was passed, but will be ignored")
    file = COURSE_ROOT / "data" / "recorded" / f"{RECORDINGS[name]}.csv"
    rows = read(file)
    yield f"{file.name}: {len(rows)} squares known"
    for square in module.plan(rows, only):
        if square.key not in {key(row, module.KEY) for row in rows}:
            row = {name: str(value) for name, value in module.run(square).items()}
            with FileLock(personal_folder() / f"{file.name}.lock"):
                rows[:] = [*read(file), row]  # somebody may have recorded others meanwhile
                write(file, rows, heading(name, module.__doc__))
            yield module.line(row)


def key(row: dict[str, str], columns: tuple[str, ...]) -> tuple[str, ...]:
    """What tells a row from all others."""
    return tuple(row[column] for column in columns)


def read(file: Path) -> list[dict[str, str]]:
    """Return the rows of a recording, all values as text; none where nothing is recorded yet."""
    if not file.is_file():
        return []
    with open(file, newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def write(file: Path, rows: list[dict[str, str]], comments: list[str]) -> None:
    """Write a recording: lines that begin with #, then a table with a heading."""
    text = io.StringIO()
    text.writelines(f"# {line}".rstrip() + "\n" for line in comments)
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    with whole(file) as draft:
        draft.write_text(text.getvalue(), encoding="utf-8")


def heading(name: str, about: str) -> list[str]:
    """What stands above a recording: what it is, its command, versions, machine and date."""
    import keras
    import tensorflow as tf

    cards = len(tf.config.list_physical_devices("GPU"))
    return [
        *about.strip().splitlines(),
        "",
        f"Made by: python -m tools record {name}",
        f"Versions: Keras {keras.__version__}, TensorFlow {tf.__version__}",
        f"Machine: {os.cpu_count()} processor cores, {cards or 'no'} graphics cards",
        f"Last row: {datetime.date.today().isoformat()}",
    ]
