"""How much faster is fine-tuning behind a cached cut than through the whole network?

    python tests/benchmark_cached_cut.py

A benchmark, no test. In each case EfficientNet-Lite0 gets a new head for five epochs and then
five more with its last ten layers unfrozen, on stamps: once through the whole network, and once
behind a cut at the end of block 6, with the front's output computed once and kept. Everything is
counted on both sides: building graphs, validation after every epoch, and on the cached side the
extraction. Both sides see the same batches from the same first head. Times depend on the
machine; look at the ratios, which come from one run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import helpers

helpers.start("05")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers  # noqa: E402

from helpers.backbones import EfficientNetLite0  # noqa: E402
from helpers.data import load  # noqa: E402
from helpers.freezing import split_at, unfreeze  # noqa: E402

CUT = "block6d_add"
Pair = tuple[np.ndarray, np.ndarray]


def arrays(dataset: tf.data.Dataset) -> Pair:
    pairs = [(images.numpy(), labels.numpy()) for images, labels in dataset]
    images, labels = zip(*pairs, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def shuffled(pair: Pair, seed: int) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(pair).shuffle(len(pair[1]), seed=seed).batch(32)


def both_phases(part: keras.Model, base: keras.Model, train: Pair, val: Pair, seed: int) -> list:
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


def clock(work: Callable) -> tuple[float, object]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def compare(pixels: int, runs: int) -> None:
    """Time both ways at one image size and print a row for one run and one for several."""
    stamps = load("stamps", image_size=(pixels, pixels), cache=True)
    train, val = arrays(stamps.train), arrays(stamps.val)
    seeds = range(helpers.SEED, helpers.SEED + runs)

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
        print(
            f"{pixels:6} {count:5} {count * through:12.1f} {cached:10.1f} "
            f"{count * through / cached:7.1f}x {100 * difference:10.2f}",
            flush=True,
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pixels", type=int, nargs="*", default=[64, 128])
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    print("Through the network one run is timed; several count as so many times one.")
    print("Difference: the largest in validation accuracy over the ten epochs, in points.")
    print("pixels  runs   network, s   cached, s    ratio  difference")
    for pixels in chosen.pixels:
        compare(pixels, chosen.runs)


if __name__ == "__main__":
    main()
