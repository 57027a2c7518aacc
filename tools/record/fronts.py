"""What the frozen part of a base makes of every image, in several augmented versions, kept.

    images (uint8) -> block4c_add -> block5c_add -> block6d_add -> pooled features

Each step is computed once from the one before and kept on disk as float16, in a folder of the
maintainer's own, so that a recording which was stopped does not pay for it again.
"""

from __future__ import annotations

import csv
import functools
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers.backbones import EfficientNetLite0
from helpers.data import DATA, cells
from helpers.data.images import fit
from helpers.files import whole
from helpers.freezing import split_at
from helpers.session import personal_folder

CUTS = ("block4c_add", "block5c_add", "block6d_add")
IMAGES, FEATURES = "images", "pooled features"
VERSIONS = 4  # of every image that is trained on: itself, and three augmented ones
BATCH = 32
FOLDS = 5


class Images(NamedTuple):
    """All images of a problem, before they are read; the same place is the same image."""

    paths: list[Path]
    labels: np.ndarray  # shape (images,), int
    groups: np.ndarray  # shape (images,), the photograph or block that each belongs to
    fifths: np.ndarray  # shape (images,): 4 tested on, 3 validated on, else trained on

    def split(self, seed: int) -> dict[str, np.ndarray]:
        """Places of the images of each split; with solar cells each seed has splits of its own."""
        fifths = self.fifths
        if len(np.unique(fifths)) == FOLDS:
            fifths = (fifths + seed) % FOLDS
        parts = {"train": fifths < 3, "val": fifths == 3, "test": fifths == 4}
        return {name: np.flatnonzero(part) for name, part in parts.items()}


def stamps() -> Images:
    """The bundled stamps with their bundled splits, grouped by photograph."""
    with open(DATA / "stamps" / "manifest.csv", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["file"])
    names = sorted({row["class"] for row in rows})
    return Images(
        [DATA / "stamps" / row["file"] for row in rows],
        np.array([names.index(row["class"]) for row in rows]),
        np.array([row["source"] for row in rows]),
        np.array([{"train": 0, "val": 3, "test": 4}[row["split"]] for row in rows]),
    )


def solar_cells() -> Images:
    """Solar cells, grouped by block; defective (0) is a probability over one half."""
    known = cells()
    return Images(
        [cell.path for cell in known],
        np.array([int(cell.probability <= 0.5) for cell in known]),
        np.array([cell.block for cell in known]),
        np.array([cell.fifth for cell in known]),
    )


PROBLEMS = {"stamps": stamps, "solar cells": solar_cells}


@functools.cache
def images_of(problem: str) -> Images:
    """The images of a problem."""
    return PROBLEMS[problem]()


def augmentation(problem: str) -> keras.Sequential:
    """Flips and small rotations; what is turned into the picture is mirrored, never black.

    A stamp is never upside down, so it is mirrored left to right only.
    """
    both = "horizontal_and_vertical" if problem == "solar cells" else "horizontal"
    return keras.Sequential(
        [
            layers.RandomFlip(both, seed=1),
            layers.RandomRotation(0.03, fill_mode="reflect", seed=2),
            layers.RandomZoom((-0.1, 0.1), fill_mode="reflect", seed=3),
        ]
    )


def folder() -> Path:
    """Where the maintainer's own copies are kept."""
    return personal_folder() / "recording"


def kept(problem: str, pixels: int, level: str) -> np.ndarray:
    """Return what every version of every image is at one level of the base.

    Args:
        problem: ``"stamps"`` or ``"solar cells"``.
        pixels: Height and width of the images.
        level: `IMAGES`, one of `CUTS`, or `FEATURES`.

    Returns:
        Shape (versions, images, ...), uint8 for images and else float16, mapped from disk. Version
        0 is the image itself. Of images that are never trained on, the others are left out (zero).
    """
    file = folder() / f"{problem}-{pixels}-{level}.npy".replace(" ", "-")
    if not file.is_file():
        made = _images(problem, pixels) if level == IMAGES else _step(problem, pixels, level)
        with whole(file) as draft:
            np.save(draft, made)
    return np.load(file, mmap_mode="r")


def _images(problem: str, pixels: int) -> np.ndarray:
    known, augment = images_of(problem), augmentation(problem)
    found = np.zeros((VERSIONS, len(known.labels), pixels, pixels, 3), "uint8")
    for place, path in enumerate(known.paths):
        image = tf.io.decode_image(path.read_bytes(), channels=3, expand_animations=False)
        found[0, place] = np.round(fit(image, (pixels, pixels)))
    keras.utils.set_random_seed(1)
    used = trained_on(problem)
    for version in range(1, VERSIONS):
        for start in range(0, len(used), BATCH):
            places = used[start : start + BATCH]
            turned = augment(found[0, places].astype("float32"), training=True)
            found[version, places] = np.clip(np.round(turned), 0, 255)
    return found


def trained_on(problem: str) -> np.ndarray:
    """Places of the images that are in the training split of some seed."""
    fifths = images_of(problem).fifths
    return np.arange(len(fifths)) if len(set(fifths)) == FOLDS else np.flatnonzero(fifths < 3)


def _step(problem: str, pixels: int, level: str) -> np.ndarray:
    """Compute a level from the one before it."""
    order = (IMAGES, *CUTS, FEATURES)
    before = kept(problem, pixels, order[order.index(level) - 1])
    part = between(pixels, order[order.index(level) - 1], level)
    found = np.zeros((*before.shape[:2], *part.output_shape[1:]), "float16")
    used = trained_on(problem)
    for version in range(VERSIONS):
        places = used if version else np.arange(before.shape[1])
        for start in range(0, len(places), BATCH):
            some = places[start : start + BATCH]
            batch = np.zeros((BATCH, *before.shape[2:]), "float32")  # one shape, one graph
            batch[: len(some)] = before[version, some]
            found[version, some] = part.predict_on_batch(batch)[: len(some)]
    return found


def between(pixels: int, start: str, end: str) -> keras.Model:
    """The part of the base with ImageNet's weights that leads from one level to the next."""
    part = EfficientNetLite0(include_top=False, input_shape=(pixels, pixels, 3))
    if start != IMAGES:
        part = split_at(part, start)[1]
    if end != FEATURES:
        return split_at(part, end)[0]
    return keras.Model(part.input, layers.GlobalAveragePooling2D()(part.output))
