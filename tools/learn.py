"""A learner's own working copy of the lessons, in `my/`, and JupyterLab on it.

The lessons in `notebooks/` hold the outputs of a recorded run, which would answer each prediction
before anything is run, and git brings their newer versions. So a learner works on copies without
outputs, in a folder that git ignores. A copy is made once and then left alone; `--refresh` brings
what is newer in a lesson and keeps what the learner wrote: what it cannot bring along stays in the
old file, beside the new one.

A copy's metadata names the lesson's cells as they were then, each with a hash of its text, so what
the learner has changed or added since can be told apart.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from helpers.files import whole
from tools import lessons, normalise

FIRST = "00_start_here.ipynb"
BESIDE = ("GLOSSARY.md",)  # what lessons link to in their own folder
COPIED = "course_cells"  # where a copy's metadata keeps the id and the hash of each cell
PARTS = ("cell_type", "source", "attachments", "outputs", "execution_count")  # not: metadata
LAB_SETTINGS = Path(__file__).with_name("lab")


class CannotCopy(Exception):
    """The working copy cannot be made; the message says why in a sentence."""


@dataclass
class Merged:
    """A newer lesson with what a learner wrote in the older one.

    Attributes:
        content: The notebook.
        kept: How many of the learner's cells are in it.
        answers: The exercises whose text has changed since the learner answered them.
        lost: Whether something of the learner's is not in it.
    """

    content: NotebookNode
    kept: int = 0
    answers: list[str] = field(default_factory=list)
    lost: bool = False


def folder() -> Path:
    """Return where the working copy is: `my/`, beside notebooks/, so that links lead as there."""
    return lessons.COURSE_ROOT / "my"


def prepare(refresh: bool = False) -> Iterator[str]:
    """Make the copies that are not there yet; yield lines on what was done.

    Args:
        refresh: Also bring what is newer in a lesson into the copy of it.

    Raises:
        CannotCopy: A file cannot be read or written. What was there before is as it was.
    """
    made, older, said = 0, [], []
    try:
        for name in BESIDE:
            text, target = (lessons.NOTEBOOKS / name).read_bytes(), folder() / name
            if not target.is_file() or (refresh and target.read_bytes() != text):
                _write(target, text)
        for lesson in lessons.lessons():
            target, new = folder() / lesson.name, copy_of(lesson)
            if not target.exists():
                _write(target, new)
                made += 1
            elif (mine := _read(target)) is None:
                if refresh:
                    said.append(
                        f"my/{target.name} cannot be read as a notebook, and was left as it is. "
                        "Rename it, and the next start makes a new one."
                    )
            elif mine.metadata.get(COPIED) != new.metadata[COPIED]:
                older.append(lesson.name[:2])
                if refresh:
                    said.append(_refresh(mine, new, target))
    except OSError as problem:
        raise CannotCopy(
            f"{problem.filename or folder()} cannot be read or written ({problem.strerror}). What "
            "you wrote is as it was. Free some space, or move the course to a folder that you may "
            "write to, and run this again"
        ) from None
    if made:
        yield (
            f"my/ has {made} lesson{'s' * (made > 1)} more, without outputs. They are yours: git "
            "ignores them, and another start leaves them as they are."
        )
    if refresh:
        yield from said or ["my/ has the newest version of every lesson."]
    elif older:
        yield (
            f"notebooks/ has a newer version of {', '.join(older)} than my/. Start with --refresh "
            "to bring it there; what you wrote is kept."
        )


def copy_of(lesson: Path) -> NotebookNode:
    """Return a lesson without outputs, with a note of its cells."""
    content = nbformat.read(lesson, as_version=4)
    content.metadata.pop("course", None)  # it certified the outputs
    expected: set[str] = set()
    cells = {}
    for cell in content.cells:
        # A cell that somebody has edited here, without `tidy`, has the id of what it was. It shall
        # never pass for the course's own, or a refresh would drop an answer that was written here.
        own = normalise.stable_id(cell, expected) == cell.id
        cells[cell.id] = _hash(cell) if own else ""
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    content.metadata[COPIED] = cells
    return content


def _read(target: Path) -> NotebookNode | None:
    """Return a learner's notebook; None if it is none.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        return nbformat.read(target, as_version=4)
    except OSError:
        raise
    except Exception:  # not JSON, not a notebook, not yet one: nbformat has many for it
        return None


def _refresh(mine: NotebookNode, new: NotebookNode, target: Path) -> str:
    """Put a newer lesson in the place of a learner's copy; return a line on what became of it.

    Raises:
        OSError: A file cannot be written; the copy is as it was then.
    """
    merged = merge(mine, new)
    old = _keep(target) if merged.lost or merged.answers else ""
    _write(target, merged.content)
    said = f"my/{target.name} is the newer version"
    if merged.kept:
        said += f", with {merged.kept} of your cells" if merged.kept > 1 else ", with your own cell"
    if merged.answers:
        said += f"; exercise {', '.join(merged.answers)} has changed since you answered it"
    if merged.lost:
        said += "; not all that you wrote has a place in it"
    return f"{said}. Your old file is kept beside it: my/{old}" if old else f"{said}."


def merge(mine: NotebookNode, new: NotebookNode) -> Merged:
    """Put what a learner wrote in an older copy of a lesson into a newer one.

    A cell that is the same in both versions is the learner's, outputs included. An answer goes to
    its exercise, also where the stub has changed. A cell that the learner added stays behind the
    cell it followed.

    Args:
        mine: The learner's notebook.
        new: As `copy_of` returns it; changed in place.
    """
    before = mine.metadata.get(COPIED, {})
    if 2 * sum(cell.id in before for cell in mine.cells) <= len(before):
        return Merged(new, lost=True)  # cells lost their ids on the way: nothing can be told apart
    merged, last = Merged(new), new.cells[0]
    places = {cell.id: cell for cell in new.cells}
    answered, stubs = _exercises(mine), {name: stub for stub, name in _exercises(new).items()}
    for cell in mine.cells:
        is_mine = before.get(cell.id) != _hash(cell)
        place = places.get(cell.id)
        if place is None and is_mine and answered.get(cell.id) in stubs:
            place = places[stubs[answered[cell.id]]]
            merged.answers.append(answered[cell.id])
        if place is not None:
            last = place
            if is_mine or _hash(place) == _hash(cell):
                place.update({part: cell[part] for part in PARTS if part in cell})
                merged.kept += is_mine
        elif cell.id in before:
            merged.lost |= is_mine  # edited, and the newer lesson does not have it
        elif cell.source.strip():
            new.cells.insert(new.cells.index(last) + 1, cell)
            last = cell
            merged.kept += 1
    return merged


def _exercises(content: NotebookNode) -> dict[str, str]:
    """Return the exercise that each stub belongs to, by the cell's id: the check below says it."""
    found, stub = {}, ""
    for cell in content.cells:
        if "exercise" in lessons.tags(cell):
            stub = cell.id
        check = re.search(r"\bcheck\(\s*[\"'](\d\d\.[a-z])[\"']", cell.source)
        if stub and check and "check" in lessons.tags(cell):
            found[stub], stub = check[1], ""
    return found


def _keep(target: Path) -> str:
    """Copy a file to a free name beside it, and return that."""
    names = (f"{target.stem}-old{number}{target.suffix}" for number in ("", *range(2, 10_000)))
    name = next(name for name in names if not target.with_name(name).exists())
    _write(target.with_name(name), target.read_bytes())
    return name


def _write(target: Path, content: NotebookNode | bytes) -> None:
    if not isinstance(content, bytes):
        content = (nbformat.writes(content) + "\n").encode()
    with whole(target) as draft:
        draft.write_bytes(content)


def _hash(cell: NotebookNode) -> str:
    return hashlib.sha256(f"{cell.cell_type}{cell.source}".encode()).hexdigest()[:8]


def open_lab(arguments: list[str]) -> None:
    """Open JupyterLab on the working copy's first lesson; return when it was stopped.

    The server asks nobody for news: that is a default that the learner's own settings override.

    Args:
        arguments: For JupyterLab, such as ``["--no-browser"]``.
    """
    from jupyterlab.labapp import LabApp

    paths = (os.environ.get("JUPYTER_CONFIG_PATH"), str(LAB_SETTINGS))
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, paths))
    LabApp.launch_instance(
        [
            f"--ServerApp.root_dir={lessons.COURSE_ROOT}",
            f"--LabApp.default_url=/lab/tree/my/{FIRST}",
            *arguments,
        ]
    )
