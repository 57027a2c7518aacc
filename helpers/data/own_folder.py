"""A folder of the learner's own images: found, checked, split; what is wrong is said at once."""

import contextlib
import json
import os
import re
import sys
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import PIL
from tqdm import tqdm

from helpers.data import images
from helpers.data.images import DataProblem, counted, decoded, listed
from helpers.data.loading import SPLITS, FilesOfSplit
from helpers.files import digest, whole
from helpers.session import personal_folder

SPLIT_FOLDERS = {  # the names under which people keep them, without what `_split_of` takes off
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "eval", "evaluation", "holdout"),
}
QUIET = 5.0  # seconds after which the check says how far it is
SHARE = 0.15  # of the images, for each split that is taken out of training
# A file of such a name is meant to be an image, and refused if it is none; others are left out.
SUFFIXES = set(".jpg .jpeg .jpe .jfif .png .gif .bmp .webp .tif .tiff .heic .avif .jp2".split())


def own_folder(folder: Path, skip_unreadable: bool) -> tuple[dict[str, FilesOfSplit], int]:
    """Find splits, classes and readable images in a folder, as `load` says, and their grey bits."""
    files, inside = {}, _folders_in(folder)
    for split in SPLITS:
        for path in (named := [path for path in inside if _split_of(path.name) == split]):
            if len(named) > 1:
                raise DataProblem(f"{listed(named)} are both read as {split}; rename or join them")
            files[split] = _class_files(path, is_split=True)
    if files and "train" not in files:
        raise DataProblem(f"{folder} has folders for other splits, but none called 'train'")
    for path in inside:
        alike = {c.name for c in _folders_in(path)} & {*files.get("train", ())}
        if alike and not _split_of(path.name):
            raise DataProblem(f"{path} has classes of 'train'; name it 'val' or 'test', or move it")
    made = ", ".join(files)
    files = files or {"train": _class_files(folder, is_split=False)}
    _require_same_classes(folder, files)
    digests, bits = _digests(folder, files, skip_unreadable)
    for groups in files.values():
        groups |= {name: [p for p in group if p in digests] for name, group in groups.items()}
    share = SHARE
    for split in ("test", "val"):
        if split not in files:
            files[split] = _take_out(files["train"], share, digests)
            share /= 1 - SHARE  # of what is left
    if made and made != ", ".join(SPLITS):
        print(f"{folder} has {made}; what is missing is taken out of train.")
    if small := {c for groups in files.values() for c, group in groups.items() if not group}:
        raise DataProblem(f"{folder}: too few images of {listed(sorted(small))} to split; add some")
    _mention_doubles(files, digests)
    return {split: files[split] for split in SPLITS}, bits


def _split_of(name: str) -> str | None:
    """Return the split that a folder is by its name: of "Test Set", "testing-set", "01_test"."""
    word = re.sub(r"[\W\d_]", "", name.lower())
    word = re.sub(r"^(?:data|images)|(?:data|set|images|imgs|split)+$", "", word)
    return next((split for split, names in SPLIT_FOLDERS.items() if word in names), None)


def _folders_in(folder: Path) -> list[Path]:
    """List the visible folders, by name as Keras does (paths compare otherwise on Windows)."""
    inside = [p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
    return sorted(inside, key=lambda path: path.name)


def _files_in(folder: Path) -> list[Path]:
    """List all visible files at any depth, also behind links to folders that lead not upwards."""

    def refuse(problem: OSError) -> None:
        raise DataProblem(f"the folder {problem.filename} cannot be opened ({problem.strerror})")

    found, up = [], {*folder.resolve().parents, folder.resolve()}
    for here, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        folders[:] = [n for n in folders if n[0] != "." and Path(here, n).resolve() not in up]
        up |= {Path(here, name).resolve() for name in folders}
        found += [Path(here, name) for name in names if name[0] != "."]
    return sorted(found, key=lambda path: path.parts)


def _class_files(folder: Path, is_split: bool) -> FilesOfSplit:
    """List the files of every class folder, by name; refuse what is no folder of classes."""
    classes = _folders_in(folder)
    if is_split and not classes and _files_in(folder):
        raise DataProblem(
            f"{folder} holds images and no class folders, but {folder.name!r} is read as a split; "
            "rename the class if it is one, otherwise sort the images into class folders"
        )
    inside = [[p.name for p in _folders_in(path)] for path in classes]
    for names in inside:  # one folder in common is well: some keep CLASS/images/
        if len(names) > 1 < inside.count(names) or any(map(_split_of, names)):
            alike = [c.name for c, own in zip(classes, inside, strict=True) if own == names]
            raise DataProblem(
                f"{listed(alike)} hold the same folders ({listed(names)}), as splits do; name "
                "splits train/CLASS/, val/CLASS/ and test/CLASS/, or join the folders of a class"
            )
    files: FilesOfSplit = {}
    for path in classes:  # one letter é may be written as two, which a Mac does
        files.setdefault(unicodedata.normalize("NFC", path.name), []).extend(_files_in(path))
    if empty := [folder / name for name, group in files.items() if not group]:
        raise DataProblem(f"no images in {listed(empty)}; add some, or delete the folder")
    return dict(sorted(files.items()))


def _require_same_classes(folder: Path, files: dict[str, FilesOfSplit]) -> None:
    classes = files["train"].keys()
    if len(classes) < 2:
        few = f"{folder} holds {counted(len(classes), 'class folder')} to train on"
        raise DataProblem(f"{few}; put each class into a folder of its own, two or more")
    for split, groups in files.items():
        lacks, more = sorted(classes - groups.keys()), sorted(groups.keys() - classes)
        differ = f"{split} lacks {listed(lacks)}; " * bool(lacks)
        if differ := differ + f"{split} has {listed(more)}, which train has not; " * bool(more):
            alike = "give every split the same folders, spelled alike"
            raise DataProblem(f"the classes of {folder} differ: {differ}{alike}")


def _digests(folder: Path, files: dict, skip_unreadable: bool) -> tuple[dict[Path, str], int]:
    """Return every readable image's digest, and the bits of the deepest grey; name other files.

    What was found out about a file holds as long as its size and time stay, and is kept in an
    index: a second load opens none. A full disk only costs this speed.
    """
    paths = [p for groups in files.values() for group in groups.values() for p in group]
    index, known, began = personal_folder() / "own_images.json", {}, time.time_ns()
    with contextlib.suppress(OSError, TypeError, ValueError):
        known = dict(json.loads(index.read_bytes()))
    bar = {"total": len(paths), "leave": False, "delay": QUIET, "file": sys.stdout}
    with ThreadPoolExecutor() as pool:
        looks = pool.map(lambda path: _look_at(path, known.get(os.path.abspath(path))), paths)
        found = dict(zip(paths, tqdm(looks, "checking images", **bar), strict=True))
    good = {path: facts for path, facts in found.items() if not isinstance(facts, str)}
    left_out = {path: found[path] for path in found if path not in good}
    broken = {p: why for p, why in left_out.items() if p.suffix.lower() in SUFFIXES}
    if broken and not skip_unreadable:
        total = counted(len(good) + len(broken), "image")
        raise DataProblem(
            f"{len(broken)} of {total} in {folder} cannot be read: {_by_reason(broken, folder)}. "
            "Save them again from a picture program or move them away, or call "
            "load(..., skip_unreadable=True) to go on without them"
        )
    left_out |= dict.fromkeys({*_files_in(folder)} - {*paths}, "in no class folder")
    if left_out:
        count = counted(len(left_out), "file")
        print(f"Left out of {folder}: {count}, {_by_reason(left_out, folder)}.")
    # A file of the last two seconds could still change and keep its time and size.
    sure = {os.path.abspath(p): facts for p, facts in good.items() if facts[1] < began - 2e9}
    if known | sure != known:
        with contextlib.suppress(OSError), whole(index) as draft:
            draft.write_text(json.dumps(known | sure))
    deep = [path for path, facts in good.items() if facts[3]]
    bits = max((good[path][3] for path in deep), default=0)
    images.mention_depth(listed(path.relative_to(folder) for path in deep), bits)
    return {path: facts[-1] for path, facts in good.items()}, bits


def _by_reason(files: dict[Path, str], folder: Path) -> str:
    groups: dict[str, list[Path]] = {}
    for path in sorted(files, key=lambda path: path.parts):
        groups.setdefault(files[path], []).append(path.relative_to(folder))
    return listed(f"{listed(paths)} ({why})" for why, paths in groups.items())


def _look_at(path: Path, known: object) -> list | str:
    """Return a file's size, time, who read it, its `grey_bits`, and digest; or its fault."""
    try:
        facts = [path.stat().st_size, path.stat().st_mtime_ns, f"Pillow {PIL.__version__}"]
        match known:
            case [*same, int(_), str(_)] if same == facts:
                return known
        if not path.is_file():
            return "no ordinary file"  # a pipe, say, that would be waited for
        decoded(path)  # to its end: a file that was cut off only shows there
        return [*facts, images.grey_bits(path), digest(path)]
    except Exception as problem:  # of damage, decoders raise whatever they like
        return images.reason(problem)


def _take_out(train: FilesOfSplit, share: float, digests: dict[Path, str]) -> FilesOfSplit:
    """Move a share of every class out of `train`, by content: equal files go the same way."""
    taken = {}
    for name, group in train.items():
        order = sorted({digests[path] for path in group})
        chosen = set(order[: max(1, round(share * len(order)))])
        taken[name] = [p for p in group if digests[p] in chosen]
        train[name] = [p for p in group if digests[p] not in chosen]
    return taken


def _mention_doubles(files: dict[str, FilesOfSplit], digests: dict[Path, str]) -> None:
    """Print a sentence if the very same image lies in two splits, or in two classes."""
    rows = [(s, c, p) for s in SPLITS for c, group in files[s].items() for p in group]
    harm = "A model is then tested on what it has seen", "One of the two names is then wrong"
    for at, what in enumerate(("splits", "classes")):
        first: dict[str, str] = {}
        seen = [(row[2], first.setdefault(digests[row[2]], row[at]), row[at]) for row in rows]
        if doubles := [f"{p.name} ({one} and {other})" for p, one, other in seen if one != other]:
            lie = counted(len(doubles), "image lies", "images lie")
            print(f"{lie} in two {what}: {listed(doubles)}. {harm[at]}; remove one of the two.")
