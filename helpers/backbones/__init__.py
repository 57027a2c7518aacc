"""Where pretrained backbones and their weights come from, with or without a network.

The lessons call Keras themselves: these rooms only find files and check them. A room opens when
one of its names is first asked for.
"""

import importlib

_ROOMS = {
    "lite0": ("EfficientNetLite0",),
    "labels": ("WeightsProblem", "decode_predictions", "imagenet_labels"),
    "official": ("preprocessing_for", "table", "weights_for"),
}
__all__ = [name for names in _ROOMS.values() for name in names]


def __getattr__(name: str) -> object:
    for room, names in _ROOMS.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{room}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
