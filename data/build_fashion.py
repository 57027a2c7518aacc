"""Take a class-balanced subset of Fashion-MNIST, small enough to live in the repository.

Run once, from the repository's root; the result is committed:

    python data/build_fashion.py /usr/share/datasets/fashion-mnist

The argument is the folder that Debian's package `dataset-fashion-mnist` installs. Training and
validation images come from the original training file (never the same image twice), test images
from the original test file. Needs NumPy only.
"""

from __future__ import annotations

import argparse
import gzip
import io
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np

SEED = 20_221_122
PER_CLASS = {"train": 600, "val": 100, "test": 200}
CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
RESULT = Path(__file__).resolve().parent / "fashion" / "fashion_subset.npz"


def read_idx(path: Path) -> np.ndarray:
    """Read a gzipped IDX file of bytes, the format of MNIST; returns uint8 in the file's shape.

    Raises:
        ValueError: the file does not start as an IDX file of unsigned bytes does.
    """
    data = gzip.decompress(path.read_bytes())
    zeros, kind, dimensions = struct.unpack(">HBB", data[:4])
    if zeros != 0 or kind != 0x08:
        raise ValueError(f"{path} is no IDX file of unsigned bytes")
    shape = struct.unpack(f">{dimensions}I", data[4 : 4 + 4 * dimensions])
    return np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def _read(folder: Path, prefix: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the images and labels of one of the two original files."""
    images = read_idx(folder / f"{prefix}-images-idx3-ubyte.gz")
    labels = read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz")
    return images, labels


def subset(folder: Path, seed: int = SEED) -> dict[str, np.ndarray]:
    """Draw the subset.

    Returns:
        x_train, x_val, x_test: (n, 28, 28) uint8, 0 is background. y_...: (n,) uint8, 0..9.
        index_...: (n,) uint16, the row in the original file. class_names: (10,) str.
    """
    train_images, train_labels = _read(folder, "train")
    test_images, test_labels = _read(folder, "t10k")
    rng = np.random.default_rng(seed)
    rows: dict[str, list[np.ndarray]] = {"train": [], "val": [], "test": []}
    for label in range(10):
        drawn = rng.permutation(np.flatnonzero(train_labels == label))
        rows["train"].append(drawn[: PER_CLASS["train"]])
        rows["val"].append(drawn[PER_CLASS["train"] :][: PER_CLASS["val"]])
        drawn = rng.permutation(np.flatnonzero(test_labels == label))
        rows["test"].append(drawn[: PER_CLASS["test"]])
    result: dict[str, np.ndarray] = {}
    for split, parts in rows.items():
        index = rng.permutation(np.concatenate(parts))
        images, labels = (
            (test_images, test_labels) if split == "test" else (train_images, train_labels)
        )
        result[f"x_{split}"] = images[index]
        result[f"y_{split}"] = labels[index]
        result[f"index_{split}"] = index.astype(np.uint16)
    result["class_names"] = np.array(CLASS_NAMES)
    return result


def save(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Write a compressed .npz without the time of day in it: the same arrays give the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(2022, 11, 22, 0, 0, 0))
            archive.writestr(entry, buffer.getvalue(), zipfile.ZIP_DEFLATED, 9)


def main(arguments: list[str] | None = None) -> int:
    """Build the file; the command line's entry point."""
    parser = argparse.ArgumentParser(description="Build data/fashion/fashion_subset.npz.")
    parser.add_argument("folder", nargs="?", type=Path, default=DEBIAN_FOLDER)
    parser.add_argument("--target", type=Path, default=RESULT)
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        print(f"No folder {options.folder}: install dataset-fashion-mnist or name the folder.")
        return 1
    arrays = subset(options.folder)
    save(arrays, options.target)
    counts = {split: len(arrays[f"y_{split}"]) for split in PER_CLASS}
    print(f"{options.target.name}: {counts}, {options.target.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
