"""What the rooms of `helpers.data` say: counts that agree, lists that end, and `DataProblem`."""

from __future__ import annotations

from collections.abc import Iterable


class DataProblem(ValueError):
    """Images that cannot be used as they are; the message names the files and the way out."""


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number and its words: ``1 image lies``, ``2 images lie``, ``0 images lie``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(items: Iterable[object], most: int = 5) -> str:
    """Join names for a sentence, the first few and how many more."""
    names = [str(item) for item in items]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    shown = ", ".join(names[:most]) + more
    return shown.encode(errors="backslashreplace").decode()  # file names may not be UTF-8
