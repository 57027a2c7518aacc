"""What a class answered: per exercise how many passed, and which wrong answers were given.

The command is ``python -m tools gather FOLDER [--seconds NUMBER] [--jobs NUMBER]``; `run` is all
of it but the parsing. Nothing runs but what an answer needs (`tools.classroom.slicing`), and that
in a kernel of its own (`tools.classroom.room`).
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nbformat

from helpers.exercises import find
from helpers.session import silenced_stderr
from tools.classroom.room import Outcome, Room
from tools.classroom.slicing import answers

SECONDS = 60.0  # for an answer
LARGEST = 50_000_000  # bytes of a notebook
PACKED = set(".zip .tar .gz .tgz .bz2 .xz .7z .rar".split())


def run(folder: Path, seconds: float = SECONDS, jobs: int = 2) -> Iterator[str]:
    """Gather a class's answers; yield the report's lines, and say on stderr how far it is.

    Args:
        folder: As for `gather`, and so are `seconds` and `jobs`.
        seconds: Limit for each answer.
        jobs: How many kernels at a time.

    Raises:
        SystemExit: There is no such folder.
    """
    if not folder.is_dir():
        raise SystemExit(f"there is no folder {folder}")
    for stream in (sys.stdout, sys.stderr):  # a learner's file name may be no text
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")
    # What nbformat and Python remark on learners' files is of no use to whoever reads the report.
    logging.getLogger("traitlets").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    with silenced_stderr():  # most checks import it, and it talks when it starts
        importlib.import_module("keras")
    handed = []
    for item in gather(folder, seconds, jobs):
        handed.append(item)
        name = _printable(str(item.file.relative_to(folder)))
        print(f"{len(handed)}: {name}", file=sys.stderr, flush=True)
    yield from report(handed, folder).splitlines()


@dataclass(frozen=True)
class Handed:
    """One file that was handed in: its outcomes, or what is wrong with it."""

    file: Path
    outcomes: tuple[Outcome, ...] = ()
    problem: str = ""


def gather(folder: Path, seconds: float = SECONDS, jobs: int = 2) -> Iterator[Handed]:
    """Judge all notebooks below a folder, one after the other.

    Args:
        folder: With the learners' notebooks, in any subfolders and under any names that hold
            ``.ipynb``, such as ``Ann.IPYNB`` and ``ben.ipynb.txt``. Folders and files whose names
            begin with a dot are left out: they hold autosaves and the like.
        seconds: Limit for each answer.
        jobs: How many kernels at a time.
    """
    files = [file for file in _files(folder) if ".ipynb" in file.name.lower()]
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda file: judge(file, seconds), files)


def _files(folder: Path) -> list[Path]:
    """All files below a folder that nobody hid; a link to a folder, a device or nothing is none."""
    return [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]


def not_read(folder: Path) -> list[str]:
    """Name what was handed in and is no notebook: archives one by one, the rest by their ending."""
    others = [file for file in _files(folder) if ".ipynb" not in file.name.lower()]
    others = [file for file in others if file.name != "progress.json"]
    packed = [file for file in others if file.suffix.lower() in PACKED]
    lines = [f"  {file.relative_to(folder)} is an archive; unpack it here" for file in packed]
    rest: dict[str, list[str]] = {}
    for file in others:
        if file not in packed:
            rest.setdefault(file.suffix.lower(), []).append(str(file.relative_to(folder)))
    for ending, names in sorted(rest.items()):
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        lines.append(f"  {', '.join(names[:3])}{more}: no notebook ({ending or 'no ending'})")
    return lines


def judge(file: Path, seconds: float = SECONDS) -> Handed:
    """Judge one notebook. Never raises for what is in the file."""
    try:
        if file.stat().st_size > LARGEST:
            return Handed(file, problem=f"is larger than {LARGEST / 1e6:.0f} MB")
        # Some editors put a mark at the beginning, which JSON does not allow.
        lesson = nbformat.reads(file.read_text(encoding="utf-8-sig"), as_version=4)
        found = [answer for answer in answers(lesson) if _is_known(answer.exercise_id)]
    except Exception as problem:  # whatever a file holds, the others are still read
        return Handed(file, problem=f"is not a notebook ({type(problem).__name__})")
    if not found:
        return Handed(file, problem="has no check(...) of an exercise")
    outcomes = []
    with Room(seconds) as room:
        for answer in found:
            try:
                outcomes.append(room.judge(answer))
            except Exception as problem:  # a kernel that does not start, say
                says = f"{type(problem).__name__}: {problem}"[:200]
                outcomes.append(Outcome(answer.exercise_id, "not run", sentence=says))
    known = {outcome.exercise_id for outcome in outcomes}
    for exercise_id in _exercises_of({name[:2] for name in known}) - known:
        outcomes.append(Outcome(exercise_id, "not run", sentence="no cell checks it"))
    return Handed(file, tuple(sorted(outcomes, key=lambda outcome: outcome.exercise_id)))


def _is_known(exercise_id: str) -> bool:
    with contextlib.suppress(KeyError):
        find(exercise_id)
        return True
    return False


def _exercises_of(lessons: set[str]) -> set[str]:
    """All exercises of these lessons, each of which has some."""
    modules = [importlib.import_module(f"helpers.exercises.lesson_{lesson}") for lesson in lessons]
    return set().union(*(module.EXERCISES for module in modules))


def report(handed: list[Handed], folder: Path) -> str:
    """Say per exercise how many passed and which wrong answers were given, and what did not run."""
    lines = [f"{len(handed)} notebook{'s' * (len(handed) != 1)} in {folder}"]
    by_exercise: dict[str, list[tuple[Path, Outcome]]] = {}
    for item in handed:
        for outcome in item.outcomes:
            by_exercise.setdefault(outcome.exercise_id, []).append((item.file, outcome))
    for exercise_id, pairs in sorted(by_exercise.items()):
        counts = Counter(outcome.status for _, outcome in pairs)
        shown = ", ".join(
            f"{counts[status]} {word}"
            for status, word in (
                ("passed", f"of {len(pairs)} passed"),
                ("wrong", "wrong"),
                ("untouched", "not attempted"),
                ("not run", "could not be run"),
            )
            if counts[status] or status == "passed"
        )
        lines += ["", f"{exercise_id} · {find(exercise_id).title}: {shown}"]
        # A hint tells the mistake by its code; what was raised, only by its sentence.
        mistakes: dict[tuple[str, str], list[str]] = {}
        for _, outcome in pairs:
            if outcome.status == "wrong":
                differs = outcome.sentence if outcome.code == "raises" else ""
                mistakes.setdefault((outcome.code, differs), []).append(outcome.sentence)
        for (code, _), said in sorted(mistakes.items(), key=lambda item: -len(item[1])):
            lines.append(f"  {len(said)} × {code}: {said[0]}")
        lines += [
            f"  {file.relative_to(folder)}: {outcome.sentence}"
            for file, outcome in pairs
            if outcome.status == "not run"
        ]
    broken = [item for item in handed if item.problem]
    unread = [f"  {item.file.relative_to(folder)} {item.problem}" for item in broken]
    if unread := unread + not_read(folder):
        lines += ["", "Not read:", *unread]
    return "\n".join(map(_printable, lines + on_the_way(folder)))


def _printable(line: str) -> str:
    """A line without what would move the cursor, colour the terminal or be no text at all."""
    return "".join(letter if letter.isprintable() else " " for letter in line)


def on_the_way(folder: Path) -> list[str]:
    """Count the hints in progress files that were handed in too: also of mistakes since mended."""
    hints: Counter[tuple[str, str]] = Counter()
    for file in sorted(folder.rglob("progress.json")):
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
            for exercise_id, entry in record.items():
                for code, count in entry["hints"].items():
                    hints[str(exercise_id), str(code)] += int(count)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    if not hints:
        return []
    lines = [f"  {e}: {count} × {code}" for (e, code), count in sorted(hints.items())]
    return ["", "Hints given on the way, from the progress files:", *lines]
