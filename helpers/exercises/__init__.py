"""Exercises: attempt, check, adopt; and the learner's progress.

A lesson has three cells for each exercise: a stub to fill in, ``check("05.b", answer)``, and a
folded solution that ends in ``answer = adopt("05.b", answer, reference)``. The checks live in
one module a lesson, ``lesson_00.py`` and so on, each with a dictionary ``EXERCISES``.

============  ================================================================
room          what it holds
============  ================================================================
``judging``   `check`, `adopt` and what they rest on
``probes``    what several checks ask of an answer: is it a model, one number?
``progress``  what was tried and passed, and the card that shows it
``registry``  every exercise's id and title, as plain text
============  ================================================================

A room is opened when one of its names is asked for.
"""

from __future__ import annotations

import importlib
from typing import Any

_ROOMS = {
    **dict.fromkeys(("Exercise", "Hint", "Result", "adopt", "check", "evaluate"), "judging"),
    **dict.fromkeys(("find", "has_dots", "is_stub"), "judging"),
    **dict.fromkeys(("described", "require_model"), "probes"),
    **dict.fromkeys(("reset_progress", "show_progress"), "progress"),
}
__all__ = [*_ROOMS]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOMS})
