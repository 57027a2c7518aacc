"""Image-classification sets of TensorFlow Datasets, by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
import tensorflow_datasets as tfds

from helpers import network
from helpers.data.images import fit
from helpers.data.loading import Splits, require_no_subset
from helpers.data.words import DataProblem

OURS = ("stamps", "birds-or-mammals", "fashion", "solar-cells")


def tfds_set(
    name: str, image_size: tuple[int, int], train_per_class: int | None, make: Callable
) -> Splits:
    """Load a set as `load` does, cutting missing splits out of others; `make` makes batches."""
    known = tfds.list_builders(with_community_datasets=False)
    if name.split(":")[0].split("/")[0] not in known:
        near = difflib.get_close_matches(name, [*OURS, *known])
        guess = f"; did you mean {' or '.join(near)}?" if near else ""
        raise DataProblem(f"{name!r} is no folder, no bundled set and no TFDS set{guess}")
    require_no_subset(name, train_per_class)
    builder = tfds.builder(name)
    if set(builder.info.supervised_keys or ()) != {"image", "label"}:
        raise DataProblem(f"{name} is not an image-classification set of TFDS")
    if not Path(builder.data_dir).is_dir() and not network.reachable():
        raise DataProblem(
            f"{name} is not on this computer, and there is no network to download it; go online "
            "once, or use 'stamps'"
        )
    builder.download_and_prepare()
    have = builder.info.splits
    parts = {"train": "train", "val": "validation", "test": "test"}
    if "test" not in have and "validation" in have:
        parts |= {"val": "validation[:50%]", "test": "validation[50%:]"}
    elif "test" not in have:
        parts = {"train": "train[:70%]", "val": "train[70%:85%]", "test": "train[85%:]"}
    elif "validation" not in have:
        parts |= {"train": "train[:85%]", "val": "train[85%:]"}

    def read(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        colour = tf.image.grayscale_to_rgb(image) if image.shape[-1] == 1 else image
        return fit(colour, image_size), tf.cast(label, tf.int32)

    datasets = {}
    for split, part in parts.items():
        dataset = builder.as_dataset(split=part, as_supervised=True)
        datasets[split] = make(dataset, read, 1_000 if split == "train" else 0)
    sizes = {split: have[part].num_examples for split, part in parts.items()}
    return Splits(
        name, **datasets, class_names=tuple(builder.info.features["label"].names), sizes=sizes
    )
