"""A folder of the learner's own images: found, checked, split; what is wrong is said at once."""

from __future__ import annotations

import contextlib
import json
import os
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import PIL
import tensorflow as tf
from PIL import Image

from helpers.data.images import UNREADABLE, reason, to_rgb
from helpers.data.loading import SPLITS, FilesOfSplit
from helpers.data.words import DataProblem, counted, listed
from helpers.files import digest, whole
from helpers.session import personal_folder

SPLIT_FOLDERS = {  # the names under which people keep them, in capitals or not
    "train": ("train", "training", "train_set", "training_set"),
    "val": ("val", "valid", "validation", "dev", "val_set", "validation_set"),
    "test": ("test", "testing", "test_set"),
}
SHARE = 0.15  # of the images, for each split that is taken out of training
SUFFIXES = set(".jpg .jpeg .jpe .jfif .png .gif .bmp .webp .tif .tiff .heic".split())
TENSORFLOW_READS = {"JPEG", "PNG", "GIF", "BMP"}
RULE = 2  # of what is converted and how; copies and findings by an older one are not used
CHECKED_BY = f"rule {RULE}, Pillow {PIL.__version__}, TensorFlow {tf.__version__}"


def own_folder(folder: Path, skip_unreadable: bool) -> dict[str, FilesOfSplit]:
    """Find splits, classes and images in a folder, as `load` says; converted copies included."""
    inside = {path.name.lower(): path for path in _folders_in(folder)}
    files = {}
    for split, names in SPLIT_FOLDERS.items():
        if named := [inside[name] for name in names if name in inside]:
            files[split] = _class_files(named[0], is_split=True)
    if files and "train" not in files:
        raise DataProblem(f"{folder} has folders for other splits, but none called 'train'")
    files = files or {"train": _class_files(folder, is_split=False)}
    _require_same_classes(folder, files)
    usable = _usable(folder, files, skip_unreadable)
    for groups in files.values():
        groups |= {name: [p for p in group if p in usable] for name, group in groups.items()}
    share = SHARE
    for split in ("test", "val"):
        if split not in files:
            files["train"], files[split] = _take_out(files["train"], share, usable)
            share /= 1 - SHARE  # of what is left
    too_small = sorted({c for groups in files.values() for c, group in groups.items() if not group})
    if too_small:
        raise DataProblem(f"{folder}: too few images of {listed(too_small)} to split; add some")
    _mention_images_in_two_splits(files, usable)
    return {
        split: {c: [usable[p][0] for p in group] for c, group in files[split].items()}
        for split in SPLITS
    }


def _folders_in(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _class_files(folder: Path, is_split: bool) -> FilesOfSplit:
    """List the images of every class folder, by name; refuse what is no folder of classes."""
    classes = _folders_in(folder)
    if is_split and not classes and any(_is_image(p, folder) for p in folder.iterdir()):
        raise DataProblem(
            f"{folder} holds images and no class folders, but {folder.name!r} is read as a split; "
            "rename the class if it is one, otherwise sort the images into class folders"
        )
    alike: dict[tuple[str, ...], list[Path]] = {}
    for path in classes:
        alike.setdefault(tuple(p.name for p in _folders_in(path)), []).append(path)
    for inside, paths in alike.items():  # one folder in common is well: some keep CLASS/images/
        if len(inside) > 1 and len(paths) > 1:
            raise DataProblem(
                f"{listed(paths)} hold the same folders ({listed(inside)}), as splits do; name "
                "splits train/CLASS/, val/CLASS/ and test/CLASS/, or join the folders of a class"
            )
    files = {c.name: sorted(p for p in c.rglob("*") if _is_image(p, c)) for c in classes}
    if empty := [folder / name for name, group in files.items() if not group]:
        raise DataProblem(f"no images in {listed(empty)}; add some, or delete the folder")
    return files


def _is_image(path: Path, below: Path) -> bool:
    """Whether a name is an image's: not a folder's, nor of what programs hide below a folder."""
    hidden = any(part.startswith(".") for part in path.relative_to(below).parts)
    return path.suffix.lower() in SUFFIXES and not hidden and not path.is_dir()


def _require_same_classes(folder: Path, files: dict[str, FilesOfSplit]) -> None:
    classes = files["train"].keys()
    if len(classes) < 2:
        few = f"{folder} holds {counted(len(classes), 'class folder')} to train on"
        raise DataProblem(f"{few}; put each class into a folder of its own, two or more")
    for split, groups in files.items():
        lacks, more = sorted(classes - groups.keys()), sorted(groups.keys() - classes)
        parts = [f"{split} lacks {listed(lacks)}"] * bool(lacks)
        parts += [f"{split} has {listed(more)}, which train has not"] * bool(more)
        if parts:
            differ = f"the classes of {folder} differ: {' and '.join(parts)}"
            raise DataProblem(f"{differ}; give every split the same folders, spelled alike")


def _usable(
    folder: Path, files: dict[str, FilesOfSplit], skip_unreadable: bool
) -> dict[Path, tuple[Path, str]]:
    """Return for every image the file to read (itself or a converted copy) and its digest.

    What was found out about a file holds as long as its size and time stay, and is kept in an
    index: a second load opens none. A full disk only costs this speed.
    """
    home = personal_folder()
    index, known, began = home / "own_images.json", {}, time.time_ns()
    with contextlib.suppress(OSError, ValueError):
        match json.loads(index.read_bytes()):
            case {"checked by": by, "files": dict(kept)} if by == CHECKED_BY:
                known = kept
    key = {p: os.path.abspath(p) for groups in files.values() for g in groups.values() for p in g}
    with warnings.catch_warnings(action="ignore"), ThreadPoolExecutor() as pool:
        looks = pool.map(lambda p: _look_at(p, known.get(key[p]), home / "converted"), key)
        found = dict(zip(key, looks, strict=True))
    broken = {path: why for path, why in found.items() if isinstance(why, str)}
    if broken and not skip_unreadable:
        shown = [f"{path.relative_to(folder)} ({why})" for path, why in broken.items()]
        raise DataProblem(
            f"{len(broken)} of {counted(len(found), 'image')} in {folder} cannot be read: "
            f"{listed(shown)}. Save them again from a picture program or move them away, or call "
            "load(..., skip_unreadable=True) to go on without them"
        )
    good = {path: facts for path, facts in found.items() if path not in broken}
    # A file of the last two seconds could still change and keep its time and size.
    sure = {key[path]: facts for path, facts in good.items() if facts[1] < began - 2e9}
    if known | sure != known:
        with contextlib.suppress(OSError), whole(index) as draft:
            draft.write_text(json.dumps({"checked by": CHECKED_BY, "files": known | sure}))
    if converted := [path.relative_to(folder) for path, facts in good.items() if facts[2]]:
        print(
            f"{len(converted)} of {counted(len(found), 'image')} "
            f"{'was' if len(converted) == 1 else 'were'} converted to plain RGB in a copy (CMYK, "
            "transparent, turned, a little damaged or of another format): "
            f"{listed(converted)}. Your files are unchanged."
        )
    if broken:
        print(f"Left out as unreadable: {listed(broken)}.")
    return {path: (Path(copy or path), sha) for path, (_, _, copy, sha) in good.items()}


def _look_at(path: Path, known: list | None, copies: Path) -> list | str:
    """Return a file's size, time, copy (or nothing) and digest of what is read; or its fault."""
    try:
        str(path).encode()
        facts = [path.stat().st_size, path.stat().st_mtime_ns]
        match known:
            case [*same, str(copy), str(_)] if same == facts and (not copy or Path(copy).is_file()):
                return known
        if _tensorflow_shows_it_right(path):
            return [*facts, "", digest(path)]
        copy = copies / f"{digest(path)[:32]}-{RULE}.png"
        if not copy.is_file():
            with Image.open(path) as image:
                _save(to_rgb(image), copy)
        return [*facts, str(copy), digest(copy)]
    except UnicodeEncodeError:  # TensorFlow cannot pass it on
        return "its name is not UTF-8; rename it"
    except DataProblem:  # about the disk, not about this image
        raise
    except UNREADABLE as problem:
        return reason(problem)


def _tensorflow_shows_it_right(path: Path) -> bool:
    """Whether TensorFlow shows an image as Pillow does; raises where Pillow shows none."""
    with Image.open(path) as image:
        upright = image.getexif().get(0x0112, 1) == 1
        opaque = image.mode in ("RGB", "L") and "transparency" not in image.info
        if not (upright and opaque and image.format in TENSORFLOW_READS):
            return False
        image.draft("RGB", (256, 256))  # a JPEG decodes faster when small
        image.load()  # a file that was cut off only shows here
    try:  # TensorFlow forgives less, such as a wrong CRC
        tf.io.decode_image(path.read_bytes(), channels=3, expand_animations=False)
    except tf.errors.InvalidArgumentError:
        return False
    return True


def _save(image: Image.Image, target: Path) -> None:
    try:
        with whole(target) as draft:
            image.save(draft, format="PNG")
    except OSError as problem:
        raise DataProblem(
            f"no room for converted copies in {target.parent} ({problem.strerror or problem}); "
            "free space there, or set COURSE_HOME to another folder"
        ) from problem


def _take_out(files: FilesOfSplit, share: float, usable: dict) -> tuple[FilesOfSplit, FilesOfSplit]:
    """Split every class in two by the content of its files; equal files go the same way."""
    kept, taken = {}, {}
    for name, group in files.items():
        order = sorted({usable[path][1] for path in group})
        chosen = set(order[: max(1, round(share * len(order)))])
        taken[name] = [p for p in group if usable[p][1] in chosen]
        kept[name] = [p for p in group if usable[p][1] not in chosen]
    return kept, taken


def _mention_images_in_two_splits(files: dict[str, FilesOfSplit], usable: dict) -> None:
    """Print a sentence if the very same image lies in two splits: the test is then no test."""
    seen: dict[str, str] = {}
    doubles = []
    for split in SPLITS:
        for path in (p for group in files[split].values() for p in group):
            first = seen.setdefault(usable[path][1], split)
            if first != split:
                doubles.append(f"{path.name} ({first} and {split})")
    if doubles:
        print(
            f"{counted(len(doubles), 'image lies', 'images lie')} in two splits: "
            f"{listed(doubles)}. A model is then tested on what it has seen; remove one of the two."
        )
