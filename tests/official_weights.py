"""Files that look to Keras like its official weights: fixed numbers that know nothing.

`test_official_weights` puts them where an instructor would, or serves them as Keras's server
does. They hold as many numbers as the real ones, so they live in temporary folders only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import h5py
import keras
import numpy as np
from keras.src.legacy.saving import legacy_h5_format

from helpers.backbones.official import table
from helpers.files import digest as file_digest


def make(name: str, folder: Path) -> tuple[Path, str]:
    """Write `name`'s file without its top, under Keras's own name and in the official format.

    Returns:
        The file, and the digest of the weights in it (see `digest`).
    """
    keras.utils.set_random_seed(1)
    model = getattr(keras.applications, name)(
        include_top=False, weights=None, input_shape=(96, 96, 3)
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / table()[name]["file"]
    with h5py.File(path, "w") as file:  # the official files are older than `.weights.h5`
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    return path, digest(model.get_weights())


def digest(weights: Iterable[np.ndarray]) -> str:
    """One short text that stands for every number of a list of arrays."""
    summed = hashlib.sha256()
    for weight in weights:
        summed.update(np.ascontiguousarray(weight).tobytes())
    return summed.hexdigest()


def md5(path: Path) -> str:
    """The checksum that Keras compares."""
    return file_digest(path, "md5")


def expect(name: str, made: str) -> None:
    """Make Keras and the course take a made file's MD5 for the official one of `name`."""
    from keras.src.utils import file_utils

    official = table()[name]["md5"]
    table()[name]["md5"] = made  # the table is read once
    get_file = file_utils.get_file

    def get_made_file(*arguments, **options):
        if options.get("file_hash") == official:
            options["file_hash"] = made
        return get_file(*arguments, **options)

    file_utils.get_file = get_made_file
