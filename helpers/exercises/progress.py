"""What the learner has tried and passed, in one small local file."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from helpers.session import personal_folder

LOCK_IS_STALE = 2.0
"""Seconds after which a lock belongs to a killed kernel; a living one holds it for milliseconds."""
PATIENCE = 3.0
"""Seconds to wait for the lock, then the answer counts for more than the record."""


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
    """Keep other kernels from changing the record meanwhile. Never raises because of the lock."""
    lock = file.with_name(file.name + ".lock")
    held = _take(lock)
    try:
        yield
    finally:
        if held:
            with contextlib.suppress(OSError):
                lock.unlink()


def _take(lock: Path) -> bool:
    """Make the lock's file, which only one can; return whether it is ours."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            return True
        except (FileExistsError, PermissionError):  # the latter on Windows, while it is deleted
            with contextlib.suppress(OSError):
                if time.time() - lock.stat().st_mtime > LOCK_IS_STALE:
                    lock.unlink()
            time.sleep(0.01)
        except OSError:
            return False  # no such folder, say; whoever writes there will tell
    return False


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
    """Save the record; return whether that worked, and say so if not.

    A new file is written first and takes the old one's place, so that a killed kernel never leaves
    half a record.
    """
    draft = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        draft.write_text(json.dumps(record, indent=1, sort_keys=True), encoding="utf-8")
        os.replace(draft, file)
        return True
    except OSError as problem:
        with contextlib.suppress(OSError):
            draft.unlink()
        print(
            f"Progress could not be saved in {file} ({problem.strerror}); the answer itself is "
            "fine. Free some space and run the check again."
        )
        return False
