"""What the learner has tried and passed: kept in one small local file, shown on a card."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from helpers.cards import Card
from helpers.files import whole
from helpers.session import personal_folder

PATIENCE = 3.0
"""Seconds to wait while another kernel writes; then the answer counts for more than the record."""


def show_progress() -> None:
    """Show which exercises of which lessons are done."""
    # Only here: else every lesson would depend on the ids and titles of all others.
    from helpers.exercises.registry import EXERCISES

    rows = []
    for lesson, exercises in EXERCISES.items():
        states = statuses(exercises)
        signs = {"passed": "✓", "wrong": "✗"}
        # Wide spaces, because a page makes one of several narrow ones.
        marks = "\u2003".join(f"{signs.get(states[e], '○')} {e}" for e in exercises)
        done = sum(state == "passed" for state in states.values())
        rows.append(f"Lesson {lesson}: {done} of {len(exercises)}\u2003{marks}")
    Card(
        "Your progress",
        "✓ passed, ✗ tried, ○ not tried yet. Start over with reset_progress().",
        rows,
    ).show()


def reset_progress() -> None:
    """Forget all progress; the old file is kept beside the new one with the ending .old."""
    reset()
    show_progress()


def progress_file() -> Path:
    """Return the file that holds the progress; it may not exist yet."""
    return personal_folder() / "progress.json"


def statuses(exercise_ids: Iterable[str]) -> dict[str, str]:
    """Return "passed", "wrong" or "untouched" for each exercise."""
    record = _read(progress_file())
    return {e: record.get(e, {}).get("status", "untouched") for e in exercise_ids}


def remember(exercise_id: str, status: str, hint_code: str = "") -> bool:
    """Note an attempt, and return whether that worked; if not, a sentence has said why.

    What was passed once stays passed; an untouched stub is no attempt.
    """
    if status == "untouched":
        return True
    file = progress_file()
    with _locked(file):
        record = _read(file)
        entry = record.setdefault(exercise_id, {"status": status, "attempts": 0, "hints": {}})
        entry["attempts"] += 1
        if status == "passed":
            entry["status"] = status
        if hint_code:
            entry["hints"][hint_code] = entry["hints"].get(hint_code, 0) + 1
        return _write(file, record)


def reset() -> None:
    """Start over. The old record is kept as progress.json.old."""
    file = progress_file()
    with _locked(file):
        if file.is_file():
            os.replace(file, file.with_name(file.name + ".old"))


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Keep other kernels from changing the record meanwhile. Never raises because of the lock.

    The operating system takes the lock from a kernel that is killed.
    """
    with contextlib.ExitStack() as held:
        # None is to be had in a folder that is read-only, on a disk that knows no locks, where
        # another kernel hangs, or on Colab if it ever stops bringing filelock along. Go on without;
        # whoever cannot write there will say so.
        with contextlib.suppress(OSError, NotImplementedError, ImportError):
            from filelock import FileLock

            lock = FileLock(f"{file}.lock")
            held.enter_context(lock.acquire(timeout=PATIENCE, poll_interval=0.005))
        yield


def _read(file: Path) -> dict[str, dict]:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(record, dict) or not all(map(_is_entry, record.values())):
            raise ValueError("it holds something else")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        broken = file.with_name(file.name + ".broken")
        with contextlib.suppress(OSError):  # whatever the disk says, the lesson goes on
            os.replace(file, broken)
        kept = f"was kept as {broken.name}" if broken.is_file() else "stays where it is"
        print(f"{file} could not be read ({problem}); it {kept}, and progress starts afresh.")
        return {}
    return record


def _is_entry(value: object) -> bool:
    match value:
        case {"status": str(), "attempts": int(), "hints": dict(hints)}:
            return all(isinstance(count, int) for count in hints.values())
    return False


def _write(file: Path, record: dict[str, dict]) -> bool:
    """Save the record; return whether that worked, and say so if not."""
    try:
        with whole(file) as draft:
            draft.write_text(json.dumps(record, indent=1, sort_keys=True), encoding="utf-8")
        return True
    except OSError as problem:
        print(
            f"Progress could not be saved in {file} ({problem.strerror}); the answer itself is "
            "fine. Free some space and run the check again."
        )
        return False
