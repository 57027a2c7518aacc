"""Faces: packages whose rooms open when one of their names is first asked for (PEP 562)."""

import importlib
from collections.abc import Callable


def face(package: str, **rooms: str) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for a package, from each room's names in one text."""
    room_of = {name: room for room, names in rooms.items() for name in names.split()}

    def open_room(name: str) -> object:
        if name not in room_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{room_of[name]}"), name)

    return open_room, lambda: sorted(room_of)
