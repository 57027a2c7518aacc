"""`load`: images by the name of a set or folder, as training, validation and test batches."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from helpers.data.images import DataProblem, counted, decoded, fit, listed, require_height_and_width
from helpers.session import COURSE_ROOT, SEED

DATA = COURSE_ROOT / "data"
SPLITS = ("train", "val", "test")
OURS = ("stamps", "birds-or-mammals", "fashion", "solar-cells")
FilesOfSplit = dict[str, list[Path]]  # for each class, in order, its image files


@dataclass(frozen=True)
class Splits:
    """Three datasets of ``(images, labels)`` batches that share no image."""

    name: str
    train: tf.data.Dataset
    val: tf.data.Dataset
    test: tf.data.Dataset
    class_names: tuple[str, ...]
    sizes: dict[str, int]  # number of images in each split

    def __repr__(self) -> str:
        """One line: name, classes, sizes."""
        sizes = ", ".join(f"{split} {self.sizes[split]:,}" for split in SPLITS)
        return f"{self.name}: {counted(len(self.class_names), 'class', 'classes')}; images: {sizes}"


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
        name: ``"stamps"`` (ten classes), ``"birds-or-mammals"`` (two of them), ``"fashion"`` (grey
            drawings of clothes, 28 x 28, without the last axis), ``"solar-cells"`` (defective or
            not), any TFDS image-classification set such as ``"food101"``, or a folder of your own
            with ``train/CLASS/``, ``val/CLASS/`` and ``test/CLASS/`` (or ``Training/``,
            ``test_set/`` and the like). A missing split is taken out of ``train``; plain
            ``CLASS/`` folders are split 70, 15 and 15 % by content, so equal files stay together.
            Whatever Pillow reads is loaded; other files are named, but for hidden ones (``.name``).
        image_size: Height and width in pixels; other shapes are cut to this aspect ratio around
            their centre and then resized. Not used for ``"fashion"``.
        batch_size: Images a batch.
        seed: Seed of the shuffling.
        cache: Keep the decoded images in memory after the first, slow epoch: 12 bytes a pixel.
        train_per_class: Keep only so many training images of each class, drawn by `seed`; fewer
            are a part of more. Refused for ``"fashion"`` and TFDS sets.
        skip_unreadable: Leave out images that cannot be read, instead of stopping.

    Raises:
        DataProblem: Images cannot be read, class folders are not in order, there are too few
            images, no such folder or set, no network, or an argument does not fit.
    """
    require_height_and_width("image_size", image_size)
    folder = Path(name).expanduser()
    how = {"batch_size": batch_size, "seed": seed, "cache": cache}
    own = folder.is_dir() and name not in OURS
    if name == "fashion":
        require_no_subset(name, train_per_class)
        return _fashion(how)
    if name in ("stamps", "birds-or-mammals"):
        files = {split: {} for split in SPLITS}
        for split, groups in files.items():
            for path in sorted(_in_course(DATA / "stamps" / split).glob("*/*.jpg")):
                if name == "stamps" or path.parent.name in ("bird", "mammal"):
                    groups.setdefault(path.parent.name, []).append(path)
    elif name == "solar-cells":
        from helpers.data.solar_cells import solar_cells  # a room is opened when it is needed

        files = solar_cells()
    elif own:
        from helpers.data.own_folder import own_folder

        files, bits = own_folder(folder, skip_unreadable)
    elif os.sep in str(name) or "/" in str(name) or str(name).startswith("."):
        raise DataProblem(f"there is no folder {folder.resolve()}; check the spelling")
    else:
        from helpers.data.tfds_sets import tfds_set

        return tfds_set(str(name), image_size, train_per_class, how)
    if train_per_class is not None:
        files["train"] = some(files["train"], train_per_class, seed)
    parts = {}
    for split, groups in files.items():
        paths = [os.fsencode(path) for group in groups.values() for path in group]
        labels = np.repeat(np.arange(len(groups), dtype="int32"), [*map(len, groups.values())])
        parts[split] = tf.data.Dataset.from_tensor_slices((paths, labels))

    def read(path: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if own:  # of any format, which TensorFlow would misread or refuse
            image = tf.numpy_function(lambda path: decoded(path, bits), [path], tf.uint8)
            return fit(image, image_size), label
        image = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        return fit(image, image_size), label

    return splits(str(name), parts, files["train"], read, how)


def splits(
    name: str, parts: dict, classes: Iterable[str], read: Callable | None, how: dict
) -> Splits:
    """Make batches of what `read` (if any) makes of the dataset of each split, as `how` says.

    Training images are shuffled in every epoch, within ``how["window"]`` if they are not at hand:
    without a cache what `read` takes, such as file names; with one the images, as pointers.
    """
    sizes, datasets = {}, {}
    for split, dataset in parts.items():
        sizes[split] = int(dataset.cardinality())
        if read and how["cache"]:  # before shuffling, or epochs repeat the first one's order
            dataset = dataset.map(read, num_parallel_calls=tf.data.AUTOTUNE).cache()
        if split == "train":
            dataset = dataset.shuffle(how.get("window", sizes[split]), seed=how["seed"])
        if read and not how["cache"]:
            dataset = dataset.map(read, num_parallel_calls=tf.data.AUTOTUNE)
        datasets[split] = dataset.batch(how["batch_size"]).prefetch(tf.data.AUTOTUNE)
    return Splits(name, **datasets, class_names=tuple(classes), sizes=sizes)


def require_no_subset(name: str, train_per_class: int | None) -> None:
    """Raise `DataProblem` where a set that is only had whole is asked for in part."""
    if train_per_class is not None:
        part = f"train_per_class={train_per_class} cannot be had of {name}"
        raise DataProblem(f"{part}, which is only loaded whole; leave it out")


def some(files: FilesOfSplit, count: int, seed: int) -> FilesOfSplit:
    """Draw `count` files of every class; with the same seed, fewer are a part of more."""
    too_few = [f"{name} ({len(group)})" for name, group in files.items() if len(group) < count]
    if count < 1 or too_few:
        raise DataProblem(
            f"train_per_class={count} cannot be had; it must be at least 1, and at most the "
            f"number of training images of every class{': ' if too_few else ''}{listed(too_few)}"
        )
    draw = np.random.default_rng(seed).permutation
    return {name: [group[i] for i in draw(len(group))[:count]] for name, group in files.items()}


def _in_course(path: Path) -> Path:
    if not path.exists():
        raise DataProblem(f"{path} is missing; fetch the course again or restore it with git")
    return path


def _fashion(how: dict) -> Splits:
    with np.load(_in_course(DATA / "fashion" / "fashion_subset.npz")) as content:
        pairs = {s: (content[f"x_{s}"], content[f"y_{s}"]) for s in SPLITS}
        names = [*map(str, content["class_names"])]
    slices = tf.data.Dataset.from_tensor_slices
    parts = {s: slices((x.astype("float32"), y.astype("int32"))) for s, (x, y) in pairs.items()}
    return splits("fashion", parts, names, None, how)
