"""What the learner has tried and passed: kept in one small local file, shown on a card."""

from __future__ import annotations

from collections.abc import Iterable

from helpers.cards import Card
from helpers.kept import Kept


def _is_entry(value: object) -> bool:
    match value:
        case {"status": str(), "attempts": int(), "hints": dict(hints)}:
            return all(isinstance(count, int) for count in hints.values())
    return False


KEPT = Kept("progress.json", "Progress", _is_entry)


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
    KEPT.reset()
    show_progress()


def statuses(exercise_ids: Iterable[str]) -> dict[str, str]:
    """Return "passed", "wrong" or "untouched" for each exercise."""
    record = KEPT.read()
    return {e: record.get(e, {}).get("status", "untouched") for e in exercise_ids}


def remember(exercise_id: str, status: str, hint_code: str = "") -> bool:
    """Note an attempt, and return whether that worked; if not, a sentence has said why.

    What was passed once stays passed; an untouched stub is no attempt.
    """
    if status == "untouched":
        return True

    def note(record: dict[str, dict]) -> None:
        entry = record.setdefault(exercise_id, {"status": status, "attempts": 0, "hints": {}})
        entry["attempts"] += 1
        if status == "passed":
            entry["status"] = status
        if hint_code:
            entry["hints"][hint_code] = entry["hints"].get(hint_code, 0) + 1

    return KEPT.change(note)
