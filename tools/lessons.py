"""The lessons as files: which there are, what is in them, what the course is called."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from helpers.session import COURSE_ROOT

NOTEBOOKS = COURSE_ROOT / "notebooks"


def lessons(numbers: list[str] | None = None) -> list[Path]:
    """Return the notebooks of the course in order, or only those with the given numbers.

    Raises:
        ValueError: A number belongs to no lesson.
    """
    found = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    if not numbers:
        return found
    unknown = set(numbers) - {path.name[:2] for path in found}
    if unknown:
        raise ValueError(f"no lesson {', '.join(sorted(unknown))} in {NOTEBOOKS}")
    return [path for path in found if path.name[:2] in numbers]


def tags(cell: NotebookNode) -> list[str]:
    """Return a cell's tags."""
    return cell.metadata.get("tags", [])


def read(path: Path) -> NotebookNode:
    """Return a notebook, read once as long as its file stays the same; copy it to change it."""
    state = path.stat()
    return _read(path, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=64)
def _read(path: Path, _changed: int, _size: int) -> NotebookNode:
    return nbformat.read(path, as_version=4)


@functools.cache
def course_title() -> str:
    """Return the course's title: the heading of its README."""
    readme = (COURSE_ROOT / "README.md").read_text(encoding="utf-8")
    return re.search(r"^# (.+)$", readme, re.MULTILINE)[1]
