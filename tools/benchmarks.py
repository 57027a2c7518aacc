"""How long things take on this machine: `python -m tools benchmarks NAME`.

cached-cut  How much faster is fine-tuning behind a cached cut than through the whole network? In
            each case EfficientNet-Lite0 gets a new head for five epochs and then five more with
            its last ten layers unfrozen, on stamps: once through the whole network, and once
            behind a cut at the end of block 6, with the front's output computed once and kept.
            Everything is counted on both sides: building graphs, validation after every epoch,
            and on the cached side the extraction. Both sides see the same batches from the same
            first head. Look at the ratios, which come from one run.
unit        The unit of time of this machine, in which lessons have their budget: 20 batches of 32
            images of 224 x 224 pixels through the frozen EfficientNet-Lite0, and one first step of
            `fit` through the whole of it, unfrozen. Each builds its graph on the way.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers.backbones import EfficientNetLite0
from helpers.data import load
from helpers.freezing import split_at, unfreeze
from helpers.session import SEED

CUT = "block6d_add"
Pair = tuple[np.ndarray, np.ndarray]


def run(name: str) -> Iterator[str]:
    """Run a benchmark; yield its lines as they come.

    Raises:
        KeyError: There is no such benchmark; the message names those there are.
    """
    if name not in BENCHMARKS:
        raise KeyError(f"no benchmark {name!r}; there are {', '.join(BENCHMARKS)}")
    keras.utils.set_random_seed(SEED)
    yield (
        f"Keras {keras.__version__}, TensorFlow {tf.__version__}, {os.cpu_count()} processor "
        f"cores, {len(tf.config.list_physical_devices('GPU')) or 'no'} graphics cards"
    )
    yield from BENCHMARKS[name]()


def unit(batches: int = 20, pixels: int = 224) -> Iterator[str]:
    """Time frozen batches of 32, and one first step of `fit` through the whole base."""
    rng = np.random.default_rng(SEED)
    images = rng.uniform(0, 255, (32, pixels, pixels, 3)).astype("float32")
    base = EfficientNetLite0(include_top=False, pooling="avg", input_shape=(pixels, pixels, 3))
    base.trainable = False
    kept = tf.data.Dataset.from_tensors(images).repeat(batches)
    frozen, _ = clock(lambda: base.predict(kept, verbose=0))

    base.trainable = True
    model = keras.Sequential([base, layers.Dense(10, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    labels = rng.integers(0, 10, 32)
    step, _ = clock(lambda: model.fit(images, labels, batch_size=32, verbose=0))
    yield f"{batches} frozen batches of 32, {pixels} pixels: {frozen:6.1f} s"
    yield f"first step of fit, all layers:         {step:6.1f} s"
    yield f"the unit:                              {frozen + step:6.1f} s"


def cached_cut(pixels: Sequence[int] = (64, 128), runs: int = 3) -> Iterator[str]:
    """Compare fine-tuning through the network and behind the cut, at each image size."""
    yield "Through the network one run is timed; several count as so many times one."
    yield "Difference: the largest in validation accuracy over the ten epochs, in points."
    yield "pixels  runs   network, s   cached, s    ratio  difference"
    for side in pixels:
        yield from compare(side, runs)


def compare(pixels: int, runs: int) -> Iterator[str]:
    """Time both ways at one image size: a row for one run and one for several."""
    stamps = load("stamps", image_size=(pixels, pixels), cache=True)
    train, val = arrays(stamps.train), arrays(stamps.val)
    seeds = range(SEED, SEED + runs)

    base = EfficientNetLite0(include_top=False, input_shape=(pixels, pixels, 3))
    imagenet = base.get_weights()
    through, whole = clock(lambda: both_phases(base, base, train, val, seeds[0]))

    base.set_weights(imagenet)
    front, back = split_at(base, CUT)
    extraction, maps = clock(
        lambda: [front.predict(pair[0], batch_size=32, verbose=0) for pair in (train, val)]
    )
    kept = [(m, pair[1]) for m, pair in zip(maps, (train, val), strict=True)]
    times, first = [], None
    for seed in seeds:
        base.set_weights(imagenet)
        seconds, accuracies = clock(lambda s=seed: both_phases(back, base, *kept, s))
        times.append(seconds)
        first = first or accuracies
    difference = max(abs(a - b) for a, b in zip(whole, first, strict=True))
    for count in sorted({1, runs}):
        cached = extraction + sum(times[:count])
        yield (
            f"{pixels:6} {count:5} {count * through:12.1f} {cached:10.1f} "
            f"{count * through / cached:7.1f}x {100 * difference:10.2f}"
        )


def both_phases(
    part: keras.Model, base: keras.Model, train: Pair, val: Pair, seed: int
) -> list[float]:
    """Train head and last ten layers, ten epochs in all; return validation accuracies."""
    base.trainable = False
    keras.utils.set_random_seed(seed)
    inputs = keras.Input(part.input_shape[1:])
    x = layers.GlobalAveragePooling2D()(part(inputs, training=False))
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
    accuracies = []
    for start, rate in ((0, 1e-3), (5, 1e-4)):
        if start:
            unfreeze(base, last=10)
        model.compile(
            keras.optimizers.Adam(rate),
            "sparse_categorical_crossentropy",
            metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        )
        model.optimizer.build(model.trainable_variables)  # or fit builds its graph twice
        history = model.fit(
            shuffled(train, seed),
            validation_data=val,
            initial_epoch=start,
            epochs=start + 5,
            verbose=0,
        )
        accuracies += history.history["val_accuracy"]
    return accuracies


def arrays(dataset: tf.data.Dataset) -> Pair:
    """Return all images and labels of a dataset as two arrays."""
    pairs = [(images.numpy(), labels.numpy()) for images, labels in dataset]
    images, labels = zip(*pairs, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def shuffled(pair: Pair, seed: int) -> tf.data.Dataset:
    """Return images and labels in batches of 32, in an order that the seed decides."""
    return tf.data.Dataset.from_tensor_slices(pair).shuffle(len(pair[1]), seed=seed).batch(32)


def clock(work: Callable[[], object]) -> tuple[float, object]:
    """Return the seconds that some work took, and its result."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


BENCHMARKS: dict[str, Callable[[], Iterator[str]]] = {"cached-cut": cached_cut, "unit": unit}
