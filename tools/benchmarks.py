"""How long things take on this machine: `python -m tools benchmarks NAME`.

cached-cut  How much faster is fine-tuning behind a cached cut than through the whole network? In
            each case EfficientNet-Lite0 gets a new head for five epochs and then five more with
            its last ten layers unfrozen, on stamps: once through the whole network, and once
            behind a cut at the end of block 6, with the front's output computed once and kept.
            Everything is counted on both sides: building graphs, validation after every epoch,
            and on the cached side the extraction. Both sides see the same batches from the same
            first head. Look at the ratios, which come from one run.
engine      How much faster do features come through LiteRT than through Keras? All 1,250 stamps at
            224 pixels through the frozen EfficientNet-Lite0: by Keras, by an engine that is made
            on the way, and by one that was kept from an earlier lesson; in turns, in one run.
first-model How long from `helpers.start` to the first model with 60 % validation accuracy on
            stamps? The recipe that most people run (`fit` through the frozen base) against
            features that are computed once, with and without a kept engine. Same base, pixels,
            head and optimizer; each in a fresh process; imports, reading and building counted.
unit        The unit of time of this machine, in which lessons have their budget: 20 batches of 32
            images of 224 x 224 pixels through the frozen EfficientNet-Lite0, and one first step of
            `fit` through the whole of it, unfrozen. Each builds its graph on the way.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers.backbones import EfficientNetLite0
from helpers.data import load
from helpers.features import extract_features
from helpers.freezing import split_at, unfreeze
from helpers.session import COURSE_ROOT, SEED

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


def engine(pixels: int = 224, rounds: int = 2, batches: int | None = None) -> Iterator[str]:
    """Time all of stamps through the frozen base, in turns: Keras, a new engine, a kept one."""
    stamps = load("stamps", image_size=(pixels, pixels), cache=True)
    images = stamps.train.concatenate(stamps.val).concatenate(stamps.test).take(batches or -1)
    count = sum(len(labels) for _, labels in images)  # and now all are decoded
    ways = {"Keras": "keras", "engine, made now": "litert", "engine, kept": "litert"}
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    found = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as home, replaced_home(home):
            for way, name in ways.items():
                base = EfficientNetLite0(
                    include_top=False, pooling="avg", input_shape=(pixels, pixels, 3)
                )
                took, (found[way], labels) = clock(
                    lambda base=base, name=name: extract_features(base, images, engine=name)
                )
                order = np.argsort(labels, kind="stable")  # train is shuffled anew each time
                found[way] = np.sort(found[way][order], axis=0)
                seconds[way].append(took)
    yield f"{count} images of {pixels} x {pixels} pixels, the fastest of {rounds} rounds"
    by_keras = min(seconds["Keras"])
    for way, times in seconds.items():
        largest = np.max(np.abs(found[way] - found["Keras"]))
        yield (
            f"{way:17} {min(times):6.1f} s, {min(times) / by_keras:5.2f} of Keras's time, "
            f"largest difference {largest:.0e}"
        )


@contextlib.contextmanager
def replaced_home(folder: str) -> Iterator[None]:
    """Let the learner's folder be this one meanwhile."""
    before = os.environ.get("COURSE_HOME")
    os.environ["COURSE_HOME"] = folder
    try:
        yield
    finally:
        del os.environ["COURSE_HOME"]
        if before is not None:
            os.environ["COURSE_HOME"] = before


FIRST_MODEL = """
import time
began = time.perf_counter()
import helpers
helpers.start("02")
import keras
from keras import layers
from helpers.backbones import EfficientNetLite0
from helpers.data import load

class Enough(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.epochs, self.model.stop_training = epoch + 1, logs["val_accuracy"] >= TARGET

stamps = load("stamps", image_size=(PIXELS, PIXELS), batch_size=32)
base = EfficientNetLite0(include_top=False, input_shape=(PIXELS, PIXELS, 3), pooling="avg")
base.trainable = False
head = layers.Dense(10, activation="softmax")
if CACHED:
    from helpers.features import extract_features
    train, val = extract_features(base, stamps.train), extract_features(base, stamps.val)
    model = keras.Sequential([keras.Input((1280,)), head])
    data = {"x": train[0], "y": train[1], "batch_size": 32, "validation_data": val}
else:
    inputs = keras.Input((PIXELS, PIXELS, 3))
    model = keras.Model(inputs, head(base(inputs, training=False)))
    data = {"x": stamps.train, "validation_data": stamps.val}
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
enough = Enough()
history = model.fit(**data, epochs=50, verbose=0, callbacks=[enough]).history
seconds, reached = time.perf_counter() - began, history["val_accuracy"][-1]
print(f"{seconds:7.1f} s, {enough.epochs} epochs, validation accuracy {reached:.1%}")
"""


def first_model(pixels: int = 224, target: float = 0.6) -> Iterator[str]:
    """Time the way to a first model of some accuracy, as most go it and as lesson 02 does."""
    yield f"until validation accuracy is {target:.0%}, at {pixels} pixels"
    seconds = {}
    with tempfile.TemporaryDirectory() as home:
        for way, cached in {
            "fit through the base": False,
            "cached, engine made now": True,
            "cached, engine kept": True,
        }.items():
            settings = f"CACHED, PIXELS, TARGET = {cached}, {pixels}, {target}\n"
            done = subprocess.run(
                [sys.executable, "-c", settings + FIRST_MODEL],
                env=os.environ | {"COURSE_HOME": home},
                cwd=COURSE_ROOT,
                capture_output=True,
                text=True,
                check=True,
            )
            said = done.stdout.splitlines()[-1]
            seconds[way] = float(said.split()[0])
            ratio = seconds["fit through the base"] / seconds[way]
            yield f"{way:24}{said}; {ratio:.1f} times as fast as fit through the base"


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


BENCHMARKS: dict[str, Callable[[], Iterator[str]]] = {
    "cached-cut": cached_cut,
    "engine": engine,
    "first-model": first_model,
    "unit": unit,
}
