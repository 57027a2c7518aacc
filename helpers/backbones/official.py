"""The official `keras.applications`: what they want as input, and where their weights are."""

import csv
import functools
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import h5py
import keras

from helpers.backbones.labels import WEIGHTS_DIR
from helpers.files import digest, whole
from helpers.network import reachable
from helpers.session import COURSE_ROOT


@functools.cache
def table() -> dict[str, dict[str, str]]:
    """The backbones that the course knows, by name: the rows of data/backbones.csv, all text.

    `md5` is empty where Keras checks none, `md5_top` where the check is left to it. Figures of
    `multiply_adds`, `parameters` and `top1` are published, for the 1000-class network.
    """
    with open(COURSE_ROOT / "data" / "backbones.csv", encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def _row(name: str) -> dict[str, str]:
    if name not in table():
        raise ValueError(f"The course knows no backbone {name!r}; it knows {', '.join(table())}.")
    return table()[name]


class Preprocessing(NamedTuple):
    """What a backbone wants as input: the range in words, and Keras's function that makes it.

    `function` takes RGB in 0..255, and may change a float NumPy array in place.
    """

    range: str
    function: Callable


def preprocessing_for(name: str) -> Preprocessing:
    """The input that the backbone `name` wants; ValueError if the course does not know it."""
    row = _row(name)
    return Preprocessing(row["input"], getattr(keras.applications, row["module"]).preprocess_input)


def weights_for(
    name: str, include_top: bool = False, size: int = 224, download: bool = True
) -> str | None:
    """What to pass as `weights=` to `keras.applications.<name>`, here and now, within 3 seconds.

    Looks into Keras's cache, into `data/weights/` (Keras's own file name, or `<name>.weights.h5`,
    `<name>.h5`, each with `_notop` where there is no top), and whether the server answers
    (COURSE_OFFLINE=1 skips that). A damaged file counts as absent.

    Args:
        name: a model in `keras.applications`, or "EfficientNetLite0" (always "imagenet").
        include_top: whether the model will have its 1000-class top.
        size: side of the input in pixels; only MobileNetV2 has a file a size.
        download: False looks only on this computer, and says nothing if there is nothing.

    Returns:
        "imagenet", the path of a file, or None after one sentence that says what this means.

    Raises:
        ValueError: a model the course does not know; the message names those it does.
    """
    row = _row(name)
    file, md5 = row["file"], row["md5"]
    if not file:
        return "imagenet"  # EfficientNetLite0, which comes with the course
    if include_top:
        file, md5 = re.sub(r"_no_?top(_v2)?", "", file), row["md5_top"]
    if name == "MobileNetV2" and size in (96, 128, 160, 192):  # as Keras chooses
        file = file.replace("_224", f"_{size}")
    cached = _keras_cache() / file
    if cached.is_file() and _is_whole(cached, md5):
        return "imagenet"
    end = "" if include_top else "_notop"
    names = (file, f"{name}{end}.weights.h5", f"{name}{end}.h5")
    found = [path for path in (WEIGHTS_DIR / one for one in names) if path.is_file()]
    for path in filter(_is_whole, found):
        if name == "EfficientNetB0" and _is_whole(path, md5):
            # Given a path, Keras builds it without a Rescaling layer that its weights need: it only
            # adds that for "imagenet". So let Keras find it where it would have put it.
            return "imagenet" if _copied(path, cached) else None
        return str(path)
    if not download:
        return None
    if reachable():
        return "imagenet"
    damaged = f" ({found[-1]} is there but damaged: copy it again)" if found else ""
    print(
        f"No ImageNet weights for {name} here{damaged}: weights=None builds it untrained; to get "
        f"them, run this cell once with a network, or put {file} into data/weights/."
    )
    return None


def _keras_cache() -> Path:
    """The folder in which `keras.applications` will look (see `keras.utils.get_file`)."""
    from keras.src.backend.config import keras_home  # Keras has no public name for it

    home = Path(keras_home()).expanduser()
    if not os.access(home, os.W_OK):
        home = Path("/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir()) / ".keras"
    return home / "models"


def _copied(path: Path, cached: Path) -> bool:
    """Copy a file of weights into Keras's cache; say so in a sentence where that fails."""
    try:
        with whole(cached) as draft:
            shutil.copyfile(path, draft)
        return True
    except OSError as problem:
        print(
            f"No ImageNet weights here: {path} could not be copied to {cached.parent} "
            f"({problem.strerror or problem}), so weights=None builds the model untrained; to get "
            "them, free some space there, or make it writable, and run this cell again."
        )
        return False


def _is_whole(path: Path, md5: str = "") -> bool:
    """Whether a file has this MD5 or, without one, opens as HDF5."""
    if md5:
        return digest(path, "md5") == md5
    try:
        with h5py.File(path) as file:
            return len(file) > 0
    except OSError:  # empty, cut short, or a web page saved under the name
        return False
