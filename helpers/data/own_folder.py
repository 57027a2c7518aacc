"""A folder of the learner's own images: found, checked, split; what is wrong is said at once."""

import contextlib
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import PIL

from helpers.data.images import UNREADABLE, DataProblem, counted, decoded, listed, reason
from helpers.data.loading import SPLITS, FilesOfSplit
from helpers.files import digest, whole
from helpers.session import personal_folder

SPLIT_FOLDERS = {  # the names under which people keep them, in capitals or not
    "train": ("train", "training", "train_set", "training_set"),
    "val": ("val", "valid", "validation", "dev", "val_set", "validation_set"),
    "test": ("test", "testing", "test_set"),
}
SHARE = 0.15  # of the images, for each split that is taken out of training
SUFFIXES = set(".jpg .jpeg .jpe .jfif .png .gif .bmp .webp .tif .tiff .heic".split())


def own_folder(folder: Path, skip_unreadable: bool) -> dict[str, FilesOfSplit]:
    """Find splits, classes and readable images in a folder, as `load` says."""
    inside = {path.name.lower(): path for path in _folders_in(folder)}
    files = {}
    for split, names in SPLIT_FOLDERS.items():
        if named := [inside[name] for name in names if name in inside]:
            files[split] = _class_files(named[0], is_split=True)
    if files and "train" not in files:
        raise DataProblem(f"{folder} has folders for other splits, but none called 'train'")
    files = files or {"train": _class_files(folder, is_split=False)}
    _require_same_classes(folder, files)
    paths = [p for groups in files.values() for group in groups.values() for p in group]
    digests = _digests(folder, paths, skip_unreadable)
    for groups in files.values():
        groups |= {name: [p for p in group if p in digests] for name, group in groups.items()}
    share = SHARE
    for split in ("test", "val"):
        if split not in files:
            files[split] = _take_out(files["train"], share, digests)
            share /= 1 - SHARE  # of what is left
    if small := {c for groups in files.values() for c, group in groups.items() if not group}:
        raise DataProblem(f"{folder}: too few images of {listed(sorted(small))} to split; add some")
    _mention_images_in_two_splits(files, digests)
    return {split: files[split] for split in SPLITS}


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
    inside = [[p.name for p in _folders_in(path)] for path in classes]
    for names in inside:  # one folder in common is well: some keep CLASS/images/
        if len(names) > 1 < inside.count(names):
            alike = [c for c, own in zip(classes, inside, strict=True) if own == names]
            raise DataProblem(
                f"{listed(alike)} hold the same folders ({listed(names)}), as splits do; name "
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
        if lacks or more:
            differ = f"{split} lacks {listed(lacks)}; " * bool(lacks)
            differ += f"{split} has {listed(more)}, which train has not; " * bool(more)
            alike = "give every split the same folders, spelled alike"
            raise DataProblem(f"the classes of {folder} differ: {differ}{alike}")


def _digests(folder: Path, paths: list[Path], skip_unreadable: bool) -> dict[Path, str]:
    """Return the digest of every image that can be read; refuse the others, or name them.

    What was found out about a file holds as long as its size and time stay, and is kept in an
    index: a second load opens none. A full disk only costs this speed.
    """
    index, known, began = personal_folder() / "own_images.json", {}, time.time_ns()
    with contextlib.suppress(OSError, TypeError, ValueError):
        known = dict(json.loads(index.read_bytes()))
    with ThreadPoolExecutor() as pool:
        looks = pool.map(lambda path: _look_at(path, known.get(os.path.abspath(path))), paths)
        found = dict(zip(paths, looks, strict=True))
    broken = {path: why for path, why in found.items() if isinstance(why, str)}
    if broken and not skip_unreadable:
        shown = [f"{path.relative_to(folder)} ({why})" for path, why in broken.items()]
        raise DataProblem(
            f"{len(broken)} of {counted(len(found), 'image')} in {folder} cannot be read: "
            f"{listed(shown)}. Save them again from a picture program or move them away, or call "
            "load(..., skip_unreadable=True) to go on without them"
        )
    if broken:
        print(f"Left out as unreadable: {listed(broken)}.")
    good = {path: facts for path, facts in found.items() if path not in broken}
    # A file of the last two seconds could still change and keep its time and size.
    sure = {os.path.abspath(p): facts for p, facts in good.items() if facts[1] < began - 2e9}
    if known | sure != known:
        with contextlib.suppress(OSError), whole(index) as draft:
            draft.write_text(json.dumps(known | sure))
    return {path: facts[-1] for path, facts in good.items()}


def _look_at(path: Path, known: object) -> list | str:
    """Return a file's size, time, who read it, and digest; or its fault."""
    try:
        facts = [path.stat().st_size, path.stat().st_mtime_ns, f"Pillow {PIL.__version__}"]
        match known:
            case [*same, str(_)] if same == facts:
                return known
        decoded(path)  # to its end: a file that was cut off only shows there
        return [*facts, digest(path)]
    except UNREADABLE as problem:
        return reason(problem)


def _take_out(train: FilesOfSplit, share: float, digests: dict[Path, str]) -> FilesOfSplit:
    """Move a share of every class out of `train`, by content: equal files go the same way."""
    taken = {}
    for name, group in train.items():
        order = sorted({digests[path] for path in group})
        chosen = set(order[: max(1, round(share * len(order)))])
        taken[name] = [p for p in group if digests[p] in chosen]
        train[name] = [p for p in group if digests[p] not in chosen]
    return taken


def _mention_images_in_two_splits(files: dict[str, FilesOfSplit], digests: dict) -> None:
    """Print a sentence if the very same image lies in two splits: the test is then no test."""
    first: dict[str, str] = {}
    inside = [(split, p) for split in SPLITS for group in files[split].values() for p in group]
    seen = [(p, first.setdefault(digests[p], split), split) for split, p in inside]
    doubles = [f"{p.name} ({one} and {other})" for p, one, other in seen if one != other]
    if doubles:
        print(
            f"{counted(len(doubles), 'image lies', 'images lie')} in two splits: "
            f"{listed(doubles)}. A model is then tested on what it has seen; remove one of the two."
        )
