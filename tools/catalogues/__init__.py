"""Answers to every exercise: the stub, right ones, a wrong one for each hint, and more wrong ones.

Tests give them to the checks, and the instructors' guide quotes what the wrong ones are told.
"""

from __future__ import annotations

import importlib


def catalogue(lesson: str) -> dict[str, dict]:
    """Return a lesson's catalogue.

    Args:
        lesson: The lesson's number, ``"00"`` to ``"11"``.

    Returns:
        ``{"stub": answer, "right": [answer, ...], "wrong": {hint code: answer, ...}}`` by exercise,
        and in some ``"also": [(hint code, answer), ...]``, other ways to make these mistakes.

    Raises:
        ModuleNotFoundError: The lesson has none.
    """
    return importlib.import_module(f"tools.catalogues.lesson_{lesson}").CATALOGUE
