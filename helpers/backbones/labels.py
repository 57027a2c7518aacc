"""The files that come with the course, and the names of ImageNet's 1000 classes among them."""

import functools
from pathlib import Path

import numpy as np

from helpers.files import digest
from helpers.session import COURSE_ROOT

WEIGHTS_DIR = COURSE_ROOT / "data" / "weights"


class WeightsProblem(RuntimeError):
    """A weights file is missing or is not the file it should be; the message says what to do."""


def bundled(name: str, sha256: str = "") -> Path:
    """Return the path of the file `name` in data/weights/.

    Raises:
        WeightsProblem: it is missing, or its SHA-256 is not `sha256` (where one is given).
    """
    path = WEIGHTS_DIR / name
    way_out = f"Get it back with `git checkout -- data/weights/{name}`, or clone the course again."
    if not path.is_file():
        raise WeightsProblem(f"The bundled file {path} is missing. {way_out}")
    if sha256 and (found := digest(path)) != sha256:
        raise WeightsProblem(
            f"The bundled file {path} is altered or incomplete: expected SHA-256 "
            f"{sha256[:12]}..., found {found[:12]}... {way_out}"
        )
    return path


@functools.cache
def _labels() -> tuple[str, ...]:
    return tuple(bundled("imagenet_classes.txt").read_text(encoding="utf-8").splitlines())


def imagenet_labels() -> list[str]:
    """The readable names of ImageNet's 1000 classes, in the order of the models' outputs."""
    return list(_labels())


def decode_predictions(probabilities: np.ndarray, top: int = 5) -> list[list[tuple[str, float]]]:
    """The `top` most probable ImageNet classes of each image: lists of (label, probability).

    Unlike the function of this name in `keras.applications`, it downloads nothing.

    Raises:
        ValueError: `probabilities` are not of shape (images, 1000), an ImageNet top's output.
    """
    probabilities = np.asarray(probabilities)
    if probabilities.shape[1:] != (1000,):
        raise ValueError(
            f"probabilities have the shape (images, 1000), not {probabilities.shape}: "
            "these names belong to the 1000 classes of an ImageNet top."
        )
    return [
        [(_labels()[i], float(row[i])) for i in np.argsort(-row, kind="stable")[:top]]
        for row in probabilities
    ]
