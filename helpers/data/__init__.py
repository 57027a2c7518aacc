"""Images for the lessons: bundled ones, a folder of the learner's own, or any TFDS set.

    stamps = load("stamps", image_size=(128, 128))
    stamps.train, stamps.val, stamps.test, stamps.class_names
    cells = load("solar-cells")  # far from ImageNet; CC BY-NC-SA 4.0, from a package of its own

Images are float32 in 0..255, shape (batch, height, width, 3); labels are int32, shape (batch,).
Training batches are shuffled anew in every epoch, from the seed; the others never are.
"""

import importlib

_ROOMS = dict.fromkeys(("DATA", "SPLITS", "FilesOfSplit", "Splits", "load"), "loading")
_ROOMS |= dict.fromkeys(("DataProblem", "open_image", "to_rgb"), "images")
_ROOMS |= {"MODULE": "solar_cells"}
__all__ = sorted(_ROOMS)


def __getattr__(name: str) -> object:
    """Open a room only when one of its names is asked for (PEP 562)."""
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return __all__
