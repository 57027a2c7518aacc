"""Image-classification sets of TensorFlow Datasets, by name."""

import difflib
from pathlib import Path

import tensorflow as tf
import tensorflow_datasets as tfds

from helpers import network
from helpers.data.images import DataProblem, fit
from helpers.data.loading import OURS, SPLITS, Splits, require_no_subset, splits

PARTS = {  # of a set with "validation", with "test"
    (True, True): ("train", "validation", "test"),
    (True, False): ("train", "validation[:50%]", "validation[50%:]"),
    (False, True): ("train[:85%]", "train[85%:]", "test"),
    (False, False): ("train[:70%]", "train[70%:85%]", "train[85%:]"),
}


def tfds_set(
    name: str, image_size: tuple[int, int], train_per_class: int | None, how: dict
) -> Splits:
    """Load a set as `load` does, cutting missing splits out of others; `how` goes to `splits`."""
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
        away = f"{name} is not on this computer, and there is no network to download it"
        raise DataProblem(f"{away}; go online once, or use 'stamps'")
    builder.download_and_prepare()
    have = builder.info.splits

    def read(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        colour = tf.image.grayscale_to_rgb(image) if image.shape[-1] == 1 else image
        return fit(colour, image_size), tf.cast(label, tf.int32)

    wanted = dict(zip(SPLITS, PARTS["validation" in have, "test" in have], strict=True))
    parts = {s: builder.as_dataset(split=part, as_supervised=True) for s, part in wanted.items()}
    return splits(name, parts, builder.info.features["label"].names, read, how | {"window": 1_000})
