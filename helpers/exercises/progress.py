"""What the learner has tried and passed, in one small local file."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from helpers.session import personal_folder


def progress_file() -> Path:
    """Return the file that holds the progress; it may not exist yet."""
    return personal_folder() / "progress.json"


def statuses(exercise_ids: Iterable[str]) -> dict[str, str]:
    """Return "passed", "wrong" or "untouched" for each exercise."""
    record = _read()
    return {e: record.get(e, {}).get("status", "untouched") for e in exercise_ids}


def remember(exercise_id: str, status: str, hint_code: str = "") -> None:
    """Note an attempt. What was passed once stays passed; an untouched stub is no attempt."""
    if status == "untouched":
        return
    record = _read()
    entry = record.setdefault(exercise_id, {"status": status, "attempts": 0, "hints": {}})
    entry["attempts"] += 1
    if status == "passed":
        entry["status"] = status
    if hint_code:
        entry["hints"][hint_code] = entry["hints"].get(hint_code, 0) + 1
    _write(record)


def reset() -> None:
    """Start over. The old record is kept as progress.json.old."""
    file = progress_file()
    if file.is_file():
        os.replace(file, file.with_name(file.name + ".old"))


def _read() -> dict[str, dict]:
    file = progress_file()
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
    return isinstance(value, dict) and value.keys() >= {"status", "attempts", "hints"}


def _write(record: dict[str, dict]) -> None:
    """Write to a new file first and swap, so that a killed kernel never leaves half a record."""
    file = progress_file()
    draft = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        draft.write_text(json.dumps(record, indent=1, sort_keys=True), encoding="utf-8")
        os.replace(draft, file)
    except OSError as problem:
        with contextlib.suppress(OSError):
            draft.unlink()
        print(
            f"Progress could not be saved in {file} ({problem.strerror}); the answer itself is "
            "fine. Free some space and run the check again."
        )
