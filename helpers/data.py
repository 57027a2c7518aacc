"""Images for the lessons: bundled ones, a folder of the learner's own, or any TFDS set.

    stamps = load("stamps", image_size=(128, 128))
    stamps.train, stamps.val, stamps.test, stamps.class_names
    cells = load("solar-cells")  # far from ImageNet; CC BY-NC-SA 4.0, from a package of its own

Images are float32 in 0..255, shape (batch, height, width, 3); labels are int32, shape (batch,).
Training batches are shuffled anew in every epoch, from the seed; the others never are.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import importlib.util
import itertools
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps, UnidentifiedImageError

from helpers import backbones
from helpers.session import COURSE_ROOT, SEED, personal_folder

DATA = COURSE_ROOT / "data"
SPLITS = ("train", "val", "test")
SPLIT_FOLDERS = {  # the names under which people keep them, in capitals or not
    "train": ("train", "training", "train_set", "training_set"),
    "val": ("val", "valid", "validation", "dev", "val_set", "validation_set"),
    "test": ("test", "testing", "test_set"),
}
VAL_SHARE = TEST_SHARE = 0.15
IMAGE_SUFFIXES = {
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".png",
    ".gif",
    ".bmp",
    ".webp",
    ".tif",
    ".tiff",
    ".heic",
}
TENSORFLOW_READS = {"JPEG", "PNG", "GIF", "BMP"}


class DataProblem(ValueError):
    """Images that cannot be used as they are; the message names the files and the way out."""


@dataclass(frozen=True)
class Splits:
    """Three datasets of ``(images, labels)`` batches that share no image."""

    name: str
    train: tf.data.Dataset
    val: tf.data.Dataset
    test: tf.data.Dataset
    class_names: tuple[str, ...]
    sizes: dict[str, int]
    """Number of images in each split."""

    def __repr__(self) -> str:
        """One line: name, classes, sizes."""
        sizes = ", ".join(f"{split} {self.sizes[split]:,}" for split in SPLITS)
        return f"{self.name}: {len(self.class_names)} classes; images: {sizes}"


def load(
    name: str | os.PathLike,
    *,
    image_size: tuple[int, int] = (224, 224),
    batch_size: int = 32,
    seed: int = SEED,
    cache: bool = False,
    train_per_class: int | None = None,
    skip_unreadable: bool = False,
) -> Splits:
    """Load images as training, validation and test datasets.

    Args:
        name: ``"stamps"`` (ten classes), ``"birds-or-mammals"`` (two of them), ``"fashion"``
            (28 x 28 drawings of clothes, grey, without the last axis), ``"solar-cells"``
            (defective or not), a folder of your own, or any TFDS image-classification set such
            as ``"food101"``.
            Your own folder holds ``train/CLASS/``, ``val/CLASS/`` and ``test/CLASS/`` (or
            ``Training/``, ``test_set/`` and the like); a missing ``val`` is taken out of
            ``train``, and a folder of plain ``CLASS/`` folders is split 70, 15 and 15 % by the
            content of the files, so equal files stay together.
        image_size: Height and width in pixels; other shapes are cut to this aspect ratio around
            their centre and then resized. Not used for ``"fashion"``.
        batch_size: Images a batch.
        seed: Seed of the shuffling.
        cache: Keep the decoded images in memory after the first epoch, which then is the only
            slow one. It takes 12 bytes a pixel: 110 kB for an image of 96 x 96. (``"fashion"``
            is in memory anyway.)
        train_per_class: Keep only so many training images of each class, drawn by `seed`; a
            smaller number keeps a part of what a larger one keeps. Refused for ``"fashion"``
            and TFDS sets.
        skip_unreadable: Leave out images that cannot be read, instead of stopping.

    Returns:
        `Splits`. Your own pictures that TensorFlow would misread (CMYK, transparent, 16-bit,
        turned by a camera's orientation mark, WebP) or refuse are converted in a copy; the
        originals are never changed, and one sentence says which.

    Raises:
        DataProblem: With the files it is about and what to do: unreadable images, a class
            folder without images, classes that differ between splits, folders of which it is not
            clear whether they are classes or splits, fewer training images than asked for, an
            argument that the set does not take, no room for converted copies, no such folder or
            set, or no network for a TFDS set.
    """
    _require_height_and_width("image_size", image_size)
    if name == "fashion":
        _require_no_subset(name, train_per_class)
        return _load_fashion(batch_size, seed)
    if name in ("stamps", "birds-or-mammals"):
        files = _bundled("stamps", ("bird", "mammal") if name == "birds-or-mammals" else None)
    elif name == "solar-cells":
        files = _solar_cells()
    elif Path(name).expanduser().is_dir():
        files = _own_folder(Path(name).expanduser(), skip_unreadable)
    elif os.sep in str(name) or "/" in str(name) or str(name).startswith("."):
        missing = Path(name).expanduser().resolve()
        raise DataProblem(f"there is no folder {missing}; check the spelling")
    else:
        return _load_tfds(str(name), image_size, batch_size, seed, cache, train_per_class)

    if train_per_class is not None:
        files["train"] = _some(files["train"], train_per_class, seed)
    class_names = tuple(files["train"])
    datasets = {
        split: _image_dataset(
            files[split], image_size, batch_size, seed if split == "train" else None, cache
        )
        for split in SPLITS
    }
    sizes = {split: sum(map(len, files[split].values())) for split in SPLITS}
    return Splits(str(name), **datasets, class_names=class_names, sizes=sizes)


def _require_height_and_width(argument: str, size: tuple[int, int]) -> None:
    if np.shape(size) != (2,) or min(size) < 1:
        raise DataProblem(f"{argument} is (height, width), e.g. (96, 96), and not {size!r}")


def _require_no_subset(name: str, train_per_class: int | None) -> None:
    if train_per_class is not None:
        raise DataProblem(
            f"train_per_class={train_per_class} cannot be had of {name}, only of 'stamps', "
            "'birds-or-mammals', 'solar-cells' and folders of your own; leave it out"
        )


FilesOfSplit = dict[str, list[Path]]
"""For each class, in order, its image files."""


def _image_dataset(
    files: FilesOfSplit,
    image_size: tuple[int, int],
    batch_size: int,
    shuffle_seed: int | None,
    cache: bool,
) -> tf.data.Dataset:
    """Read image files in batches, shuffled anew in each epoch if there is a seed."""
    paths = [str(path) for group in files.values() for path in group]
    labels = [label for label, group in enumerate(files.values()) for _ in group]

    def read(path: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        return _fit_to(image, image_size), label

    dataset = tf.data.Dataset.from_tensor_slices((paths, np.array(labels, "int32")))
    if cache:  # before shuffling: the other way round, every epoch repeats the first one's order
        dataset = dataset.map(read, num_parallel_calls=tf.data.AUTOTUNE).cache()
    if shuffle_seed is not None:
        dataset = dataset.shuffle(len(paths), seed=shuffle_seed, reshuffle_each_iteration=True)
    if not cache:  # after shuffling: shuffled names need no memory, shuffled images do
        dataset = dataset.map(read, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.batch(batch_size).prefetch(tf.data.AUTOTUNE)


def _fit_to(image: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Cut an image to the wanted aspect ratio around its centre and resize it."""
    image.set_shape((None, None, 3))
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    cut_height = tf.minimum(height, width * size[0] // size[1])
    cut_width = tf.minimum(width, height * size[1] // size[0])
    top, left = (height - cut_height) // 2, (width - cut_width) // 2
    image = image[top : top + cut_height, left : left + cut_width]
    return tf.ensure_shape(tf.image.resize(image, size), (*size, 3))


def _bundled(name: str, classes: Sequence[str] | None) -> dict[str, FilesOfSplit]:
    """List the image files of a set that comes with the course."""
    folder = DATA / name
    if not all((folder / split).is_dir() for split in SPLITS):
        raise DataProblem(
            f"{folder} is not complete; fetch the course again, or run "
            f"'git checkout -- data/{name}' in its folder"
        )
    classes = classes or sorted(p.name for p in (folder / "train").iterdir() if p.is_dir())
    return {
        split: {c: sorted((folder / split / c).glob("*.jpg")) for c in classes} for split in SPLITS
    }


def _some(files: FilesOfSplit, count: int, seed: int) -> FilesOfSplit:
    """Draw `count` files of every class; with the same seed, fewer are a part of more."""
    too_few = [f"{name} ({len(group)})" for name, group in files.items() if len(group) < count]
    if count < 1 or too_few:
        raise DataProblem(
            f"train_per_class={count} cannot be had; it must be at least 1, and at most the "
            f"number of training images of every class{': ' if too_few else ''}{_listed(too_few)}"
        )
    rng = np.random.default_rng(seed)
    return {
        name: [group[i] for i in rng.permutation(len(group))[:count]]
        for name, group in files.items()
    }


# --- Solar cells -------------------------------------------------------------------------------

MODULE = 60
"""Cells of one solar module, as far as the numbering of the pictures shows."""


def _solar_cells() -> dict[str, FilesOfSplit]:
    """List the electroluminescence photographs of solar cells, split by module.

    The package numbers cells module after module and says of each whether its module is mono-
    or polycrystalline. Cells of one module look alike, so neighbours must not be divided: each
    stretch of one kind is cut into blocks of `MODULE` cells, of which the first go to training,
    the next to validation, the last to testing. (Modules of other sizes can still straddle a
    cut; the package does not name them.) A cell counts as defective above a probability of 0.5.

    Source: S. Deitsch et al., "Automatic classification of defective photovoltaic module cells
    in electroluminescence images", Solar Energy 185, 2019. Photographs CC BY-NC-SA 4.0.
    """
    folder = _elpv_package() / "data"
    with open(folder / "labels.csv", encoding="utf-8") as table:
        rows = [line.split() for line in table if line.strip()]
    files = {split: {"defective": [], "functional": []} for split in SPLITS}
    for number, (_, stretch) in enumerate(itertools.groupby(rows, key=lambda row: row[2])):
        cells = list(stretch)
        blocks = max(1, round(len(cells) / MODULE))
        for index, (name, probability, _) in enumerate(cells):
            split = _split_of_block(min(index // MODULE, blocks - 1), blocks, number)
            kind = "defective" if float(probability) > 0.5 else "functional"
            files[split][kind].append(folder / name)
    return files


def _split_of_block(block: int, blocks: int, stretch: int) -> str:
    """Say where a block goes: of five, three to training; a single one to each split in turn."""
    if blocks == 1:
        return SPLITS[stretch % 3]
    apart = max(1, round(blocks / 5))
    if block >= blocks - apart:
        return "test"
    return "val" if block >= blocks - 2 * apart else "train"


def _elpv_package() -> Path:
    """Return the folder of the package elpv_dataset; fetch it where it is not installed.

    Colab does not have it. It then goes into the course's own folder, beside what is installed.
    """
    installed = importlib.util.find_spec("elpv_dataset")
    if installed is not None:
        return Path(installed.origin).parent
    own = personal_folder() / "packages"
    if not (own / "elpv_dataset" / "data" / "labels.csv").is_file():
        print("Fetching the photographs of solar cells (91 MB, once) ...")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        done = subprocess.run(
            [*command, f"--target={own}", "elpv-dataset"], capture_output=True, text=True
        )
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise DataProblem(
                "the photographs of solar cells come in the package elpv-dataset, which is not "
                "installed and could not be fetched; install it with a network: "
                f"pip install elpv-dataset ({last})"
            )
    return own / "elpv_dataset"


def _load_fashion(batch_size: int, seed: int) -> Splits:
    file = DATA / "fashion" / "fashion_subset.npz"
    if not file.is_file():
        raise DataProblem(f"{file} is missing; fetch the course again or restore it with git")
    with np.load(file, allow_pickle=False) as arrays:
        content = {key: arrays[key] for key in arrays.files}
    datasets, sizes = {}, {}
    for split in SPLITS:
        images = content[f"x_{split}"].astype("float32")
        labels = content[f"y_{split}"].astype("int32")
        dataset = tf.data.Dataset.from_tensor_slices((images, labels))
        if split == "train":
            dataset = dataset.shuffle(len(labels), seed=seed, reshuffle_each_iteration=True)
        datasets[split] = dataset.batch(batch_size).prefetch(tf.data.AUTOTUNE)
        sizes[split] = len(labels)
    names = tuple(str(name) for name in content["class_names"])
    return Splits("fashion", **datasets, class_names=names, sizes=sizes)


# --- A folder of the learner's own -------------------------------------------------------------


def _own_folder(folder: Path, skip_unreadable: bool) -> dict[str, FilesOfSplit]:
    """Find splits, classes and images in a folder; say everything that is wrong with it at once."""
    found = {split: _split_folder(folder, split) for split in SPLITS}
    for path in filter(None, found.values()):
        _require_class_folders(path)
    if found["train"] is None:
        if found["val"] or found["test"]:
            raise DataProblem(
                f"{folder} has a folder for validation or testing, but none called 'train'"
            )
        files = {"train": _class_files(folder)}
    else:
        files = {split: _class_files(path) for split, path in found.items() if path}
    _require_classes(folder if found["train"] is None else found["train"], files["train"])
    _require_same_classes(folder, files)
    files = _readable(folder, files, skip_unreadable)

    val_share = VAL_SHARE
    if "test" not in files:
        files["train"], files["test"] = _take_out(files["train"], TEST_SHARE)
        val_share /= 1 - TEST_SHARE  # of what is left
    if "val" not in files:
        files["train"], files["val"] = _take_out(files["train"], val_share)
    too_small = sorted({c for split in SPLITS for c, group in files[split].items() if not group})
    if too_small:
        raise DataProblem(
            f"{folder}: too few images of {_listed(too_small)} to fill all three splits; add some"
        )
    _mention_images_in_two_splits(files)
    return {split: files[split] for split in SPLITS}


def _split_folder(folder: Path, split: str) -> Path | None:
    named = {path.name.lower(): path for path in _folders_in(folder)}
    return next((named[n] for n in SPLIT_FOLDERS[split] if n in named), None)


def _folders_in(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _require_class_folders(split: Path) -> None:
    """Refuse what has the name of a split and holds images as a class does."""
    if not _folders_in(split) and any(_looks_like_image(p, split) for p in split.iterdir()):
        raise DataProblem(
            f"{split} holds images and no class folders, but {split.name!r} is read as a split; "
            "rename the class if it is one, otherwise sort the images into class folders or move "
            "them away"
        )


def _require_no_splits_among(classes: Sequence[Path]) -> None:
    """Refuse classes that hold the same folders: they are splits under names unknown here.

    A single folder in common is let pass: some sets keep ``CLASS/images/``.
    """
    alike: dict[tuple[str, ...], list[str]] = {}
    for path in classes:
        inside = tuple(p.name for p in _folders_in(path))
        alike.setdefault(inside, []).append(str(path))
    for inside, paths in alike.items():
        if len(inside) > 1 and len(paths) > 1:
            raise DataProblem(
                f"{_listed(paths)} hold the same folders ({_listed(inside)}), as splits do and "
                "classes do not; name splits train/CLASS/, val/CLASS/ and test/CLASS/, and put "
                "the images of a class into one folder"
            )


def _class_files(folder: Path) -> FilesOfSplit:
    """List the images of every class folder, by name."""
    classes = _folders_in(folder)
    _require_no_splits_among(classes)
    files = {c.name: sorted(p for p in c.rglob("*") if _looks_like_image(p, c)) for c in classes}
    empty = [str(folder / name) for name, group in files.items() if not group]
    if empty:
        raise DataProblem(
            f"no images in {_listed(empty)}; add some, or delete the folder to drop the class"
        )
    return files


def _looks_like_image(path: Path, below: Path) -> bool:
    """Whether a name is an image's: not a folder's, nor of what programs hide below a folder."""
    hidden = any(part.startswith(".") for part in path.relative_to(below).parts)
    return path.suffix.lower() in IMAGE_SUFFIXES and not hidden and not path.is_dir()


def _require_classes(folder: Path, classes: Iterable[str]) -> None:
    count = len(list(classes))
    if count < 2:
        raise DataProblem(
            f"{folder} holds {count} class folder{'s' * (count != 1)}; put the images of each "
            "class into a folder of its own, two or more"
        )


def _require_same_classes(folder: Path, files: dict[str, FilesOfSplit]) -> None:
    for split, groups in files.items():
        missing = sorted(set(files["train"]) - set(groups))
        extra = sorted(set(groups) - set(files["train"]))
        if missing or extra:
            parts = [f"{split} lacks {_listed(missing)}"] * bool(missing)
            parts += [f"{split} has {_listed(extra)}, which train has not"] * bool(extra)
            raise DataProblem(
                f"the classes of {folder} differ between its splits: {' and '.join(parts)}; "
                "give every split the same class folders, spelled alike"
            )


def _readable(
    folder: Path, files: dict[str, FilesOfSplit], skip_unreadable: bool
) -> dict[str, FilesOfSplit]:
    """Open every image once; swap those that TensorFlow would misread for converted copies."""
    paths = [p for groups in files.values() for group in groups.values() for p in group]
    with ThreadPoolExecutor() as pool:
        usable = dict(zip(paths, pool.map(_file_for_dataset, paths), strict=True))
    broken = {path: reason for path, reason in usable.items() if isinstance(reason, str)}
    if broken and not skip_unreadable:
        shown = [f"{p.relative_to(folder)} ({reason})" for p, reason in broken.items()]
        raise DataProblem(
            f"{len(broken)} of {len(paths)} images in {folder} cannot be read: {_listed(shown)}. "
            "Save them again from a picture program or move them away, or call load(..., "
            "skip_unreadable=True) to go on without them"
        )
    converted = [
        str(p.relative_to(folder))
        for p, use in usable.items()
        if use not in (p, None) and not isinstance(use, str)
    ]
    if converted:
        print(
            f"{len(converted)} of {len(paths)} images were converted to plain RGB in a copy "
            "(CMYK, transparent, turned, a little damaged or of another format): "
            f"{_listed(converted)}. Your files are unchanged."
        )
    if broken:
        print(f"Left out, because they cannot be read: {_listed([str(p) for p in broken])}.")
    return {
        split: {c: [usable[p] for p in group if p not in broken] for c, group in groups.items()}
        for split, groups in files.items()
    }


def _file_for_dataset(path: Path) -> Path | str:
    """Return what `_usable_file` does, but refuse a name that TensorFlow cannot pass on."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8; rename it"
    return _usable_file(path)


def _usable_file(path: Path) -> Path | str:
    """Return a file that TensorFlow reads right: the image itself or a copy; or what is wrong."""
    try:
        if path.stat().st_size == 0:
            return "the file is empty"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on metadata are not the learner's
            with Image.open(path) as image:
                if _is_plain(image):
                    image.draft("RGB", (256, 256))  # a JPEG decodes faster when small
                    image.load()  # a file that was cut off only shows here
                    if _tensorflow_decodes(path):
                        return path
            with Image.open(path) as image:  # anew: the draft made it smaller
                return _converted(path, image)
    except DataProblem:  # about the disk, not about this image
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as problem:
        if isinstance(problem, UnidentifiedImageError):
            return "not an image, or damaged"
        return getattr(problem, "strerror", None) or str(problem)


def _is_plain(image: Image.Image) -> bool:
    """Whether TensorFlow shows an image as Pillow does."""
    upright = image.getexif().get(0x0112, 1) == 1
    opaque = image.mode in ("RGB", "L") and "transparency" not in image.info
    return upright and opaque and image.format in TENSORFLOW_READS


def _tensorflow_decodes(path: Path) -> bool:
    """Whether TensorFlow takes a file that Pillow does: it forgives less, such as a wrong CRC."""
    try:
        tf.io.decode_image(path.read_bytes(), channels=3, expand_animations=False)
    except tf.errors.InvalidArgumentError:
        return False
    return True


def _converted(path: Path, image: Image.Image) -> Path:
    """Save an RGB copy: turned upright, transparency on white, 16 bits brought down to 8."""
    name = f"{_digest(path)[:32]}-2.png"  # 2: copies by an older rule of to_rgb are not used
    copy = personal_folder() / "converted" / name
    if not copy.is_file():
        _save(to_rgb(image), copy)
    return copy


def _save(image: Image.Image, target: Path) -> None:
    """Save a PNG file whole or not at all, also where two threads save the same."""
    draft = target.with_suffix(f".{os.getpid()}.{threading.get_ident()}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        image.save(draft, format="PNG")
        os.replace(draft, target)
    except OSError as problem:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise DataProblem(
            f"no room for converted copies in {target.parent} ({problem.strerror or problem}); "
            "free space there, or set COURSE_HOME to another folder"
        ) from problem


def to_rgb(image: Image.Image) -> Image.Image:
    """Turn any Pillow image into 8-bit RGB: upright, transparent parts laid on white.

    Grey of more than 8 bits is scaled by a rule that does not look at the image's own maximum, so
    that images stay as bright beside each other as they were. Integers are 16-bit: 0..65535 is
    divided by 257, also where nothing exceeds 255. Floats are 0..1 where nothing exceeds 1, and
    0..255 otherwise.

    Args:
        image: An image of any mode (grey, palette, CMYK, with alpha, 16-bit, float).

    Returns:
        A new image of mode ``"RGB"``, values 0..255.

    Raises:
        OSError: The file behind the image is damaged.
        ValueError: Grey values lie outside these ranges.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):  # which convert() would cut off at 255
        image = Image.fromarray(_in_8_bits(np.asarray(image)))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _in_8_bits(grey: np.ndarray) -> np.ndarray:
    """Scale grey values as `to_rgb` says; uint8 of the same shape."""
    low, high = float(grey.min()), float(grey.max())
    if grey.dtype.kind == "f":
        top = 1 if high <= 1 else 255
    else:
        top = 65_535
    if not 0 <= low <= high <= top:  # nor is any of this true of NaN
        raise ValueError(
            f"its grey values go from {low:g} to {high:g}; whole numbers have to lie in 0..65535, "
            "fractions in 0..1 or 0..255"
        )
    return np.rint(grey * (255 / top)).astype("uint8")


def open_image(path: str | os.PathLike, size: tuple[int, int] = (224, 224)) -> np.ndarray:
    """Open one image file as a batch of one, ready for ``model.predict``.

    Args:
        path: An image of any format and mode that Pillow opens.
        size: Height and width in pixels; cut to this aspect ratio around its centre.

    Returns:
        float32 in 0..255, shape ``(1, height, width, 3)``.

    Raises:
        DataProblem: There is no such file, it is not an image, `size` is not two numbers, or
            there is no room for a converted copy.
    """
    _require_height_and_width("size", size)
    path = Path(path)
    if not path.is_file():
        raise DataProblem(f"there is no file {path.resolve()}; check its name and folder")
    usable = _usable_file(path)
    if isinstance(usable, str):
        raise DataProblem(
            f"{path} cannot be read ({usable}); save it again as JPEG or PNG from a picture program"
        )
    with Image.open(usable) as image:
        pixels = tf.constant(np.asarray(to_rgb(image)))
    return _fit_to(pixels, size)[tf.newaxis].numpy()


def _take_out(files: FilesOfSplit, share: float) -> tuple[FilesOfSplit, FilesOfSplit]:
    """Split every class in two by the content of its files; equal files go the same way."""
    kept, taken = {}, {}
    for name, group in files.items():
        digests = {path: _digest(path) for path in group}
        order = sorted(set(digests.values()))
        chosen = set(order[: max(1, round(share * len(order)))])
        taken[name] = [p for p in group if digests[p] in chosen]
        kept[name] = [p for p in group if digests[p] not in chosen]
    return kept, taken


def _mention_images_in_two_splits(files: dict[str, FilesOfSplit]) -> None:
    """Print a sentence if the very same image lies in two splits: the test is then no test."""
    seen: dict[str, str] = {}
    doubles = []
    for split in SPLITS:
        for path in (p for group in files[split].values() for p in group):
            first = seen.setdefault(_digest(path), split)
            if first != split:
                doubles.append(f"{path.name} ({first} and {split})")
    if doubles:
        print(
            f"{len(doubles)} images lie in two splits: {_listed(doubles)}. A model is then tested "
            "on what it has seen; remove one of the two."
        )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _listed(items: Iterable[str], most: int = 5) -> str:
    """Join names for a sentence, the first few and how many more."""
    items = list(items)
    more = f" and {len(items) - most} more" if len(items) > most else ""
    shown = ", ".join(items[:most]) + more
    return shown.encode(errors="backslashreplace").decode()  # file names may not be UTF-8


# --- TensorFlow Datasets -----------------------------------------------------------------------


def _load_tfds(
    name: str,
    image_size: tuple[int, int],
    batch_size: int,
    seed: int,
    cache: bool,
    train_per_class: int | None,
) -> Splits:
    """Load a TFDS image-classification set, cutting missing splits out of its training split."""
    import tensorflow_datasets as tfds

    known = tfds.list_builders(with_community_datasets=False)
    if name.split(":")[0].split("/")[0] not in known:
        near = difflib.get_close_matches(
            name, ["stamps", "birds-or-mammals", "fashion", "solar-cells", *known]
        )
        guess = f"; did you mean {' or '.join(near)}?" if near else ""
        raise DataProblem(f"{name!r} is no folder, no bundled set and no TFDS set{guess}")
    _require_no_subset(name, train_per_class)
    builder = tfds.builder(name)
    if set(builder.info.supervised_keys or ()) != {"image", "label"}:
        raise DataProblem(f"{name} is not an image-classification set of TFDS")
    if not Path(builder.data_dir).is_dir() and not backbones.network_reachable():
        raise DataProblem(
            f"{name} is not on this computer, and there is no network to download it; go online "
            "once, or use 'stamps'"
        )
    builder.download_and_prepare()
    parts = {"train": "train", "val": "validation", "test": "test"}
    have = builder.info.splits
    if "test" not in have:
        parts |= {"train": "train[:70%]", "val": "train[70%:85%]", "test": "train[85%:]"}
        if "validation" in have:
            parts |= {"train": "train", "val": "validation[:50%]", "test": "validation[50%:]"}
    elif "validation" not in have:
        parts |= {"train": "train[:85%]", "val": "train[85%:]"}

    def fit(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return _fit_to(_three_channels(image), image_size), tf.cast(label, tf.int32)

    datasets = {}
    for split, part in parts.items():
        dataset = builder.as_dataset(split=part, as_supervised=True)
        if cache:  # before shuffling, as in _image_dataset
            dataset = dataset.map(fit, num_parallel_calls=tf.data.AUTOTUNE).cache()
        if split == "train":
            dataset = dataset.shuffle(1_000, seed=seed, reshuffle_each_iteration=True)
        if not cache:
            dataset = dataset.map(fit, num_parallel_calls=tf.data.AUTOTUNE)
        datasets[split] = dataset.batch(batch_size).prefetch(tf.data.AUTOTUNE)
    sizes = {split: have[part].num_examples for split, part in parts.items()}
    names = tuple(builder.info.features["label"].names)
    return Splits(name, **datasets, class_names=names, sizes=sizes)


def _three_channels(image: tf.Tensor) -> tf.Tensor:
    return tf.image.grayscale_to_rgb(image) if image.shape[-1] == 1 else image
