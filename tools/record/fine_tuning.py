"""The fair trial of fine-tuning: `python -m tools record fine-tuning`.

Two problems, stamps (near ImageNet) and solar cells (far from it, split by block); how much of the
base is trained; five seeds. Every square is given the same: the same augmented versions of the
same images, the same number of steps, AdamW with a cosine, the epoch and the rate that validation
prefers. The control is the head alone. The test columns are stored, and nothing is chosen by them.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from types import SimpleNamespace

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from helpers.backbones import EfficientNetLite0
from helpers.freezing import split_at, unfreeze
from helpers.session import SEED
from tools.record import fronts
from tools.record.fronts import FEATURES, IMAGES, VERSIONS

SEEDS = tuple(range(SEED, SEED + 5))
REAL = {"stamps": 160, "solar cells": 128}
SMALL = 96  # where every step has to pass the whole base
LEVELS = {  # what is trained -> where its input is kept, and its first layer
    "head": (FEATURES, None),
    "last ten": ("block6d_add", "block7a_dwconv"),
    "from block 6": ("block5c_add", "block6a_expand_conv"),
    "from block 5": ("block4c_add", "block5a_expand_conv"),
    "whole base": (IMAGES, "rescaling"),
    "up to block 4": (IMAGES, "rescaling"),
}
RATES = {
    "head": (5e-4, 2e-3, 8e-3),
    "last ten": (2e-4, 5e-4, 1e-3, 2e-3),
    "from block 6": (2e-4, 5e-4, 1e-3),
}
"""Those that the first seed tries. Deeper squares take minutes: they have the rate of block 6."""
STEPS, EPOCH, WARM_UP = 320, 40, 160
"""Steps of a square, of one of its epochs, and of the head before the base is unfrozen."""
ALONE = {"head": WARM_UP}  # more steps for the control, so that all have had as many
DROPOUT, SMOOTHING = 0.2, 0.1
OLD_RATE = 2e-3  # the head's
FEW = {"stamps": 5, "solar cells": 20}  # training images of each class
FEW_STEPS = 80
SHORT, SHORT_SEEDS = "half the steps", 10
"""What lesson 05 runs live. The first five seeds were lucky ones: all others had higher losses."""


@dataclass(frozen=True)
class Square:
    """One training run: what, how and with which seed."""

    problem: str
    trained: str
    variant: str  # "" in the main trial
    rate: float
    seed: int
    pixels: int
    steps: int = STEPS
    per_class: int = 0  # training images of each class; 0 is all

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it from all other squares, as text."""
        return tuple(map(str, asdict(self).values()))


KEY = tuple(field.name for field in fields(Square))


def line(row: dict[str, str]) -> str:
    """A row in a few words."""
    what = [row[name] for name in (*KEY, "epoch", "val_loss", "val_balanced", "seconds")]
    return ", ".join(filter(None, what))


def run(square: Square) -> dict[str, object]:
    """Train one square and return its row: the columns of `Square`, then what was measured."""
    began = time.perf_counter()
    keras.backend.clear_session()
    keras.utils.set_random_seed(square.seed)
    known = fronts.images_of(square.problem)
    places = known.split(square.seed - SEED)
    if square.per_class:
        places["train"] = some(places["train"], known.labels, square)
    classes = len(set(known.labels))
    # Each class weighs the same in the loss, as it does in balanced accuracy.
    counts = np.bincount(known.labels[places["train"]], minlength=classes)
    weights = (counts.sum() / classes / counts).astype("float32")

    dense = layers.Dense(classes, name="classes")
    base = EfficientNetLite0(include_top=False, input_shape=(square.pixels, square.pixels, 3))
    if square.trained != "head" and square.variant != "no warm-up":
        warm = SimpleNamespace(rate=RATES["head"][1], steps=WARM_UP)
        fit(model_of(None, dense), FEATURES, square, places, weights, warm)
    level, start = LEVELS[square.trained]
    part = None
    if start:
        part = base if level == IMAGES else split_at(base, level)[1]
        free(base, start, square)
    model = model_of(part, dense)
    history = fit(model, level, square, places, weights, square)
    losses = history["val_loss"]
    row = {
        **asdict(square),
        "epoch": int(np.argmin(losses)) + 1,
        "losses": " ".join(f"{loss:.3f}" for loss in losses),
    }
    for split in ("val", "test"):
        row |= scores(model, level, square, places[split], split)
    row["still_named"] = f"{still_named(base) if start else 1:.3f}"
    row["seconds"] = round(time.perf_counter() - began)
    return row


def some(places: np.ndarray, labels: np.ndarray, square: Square) -> np.ndarray:
    """Draw so many training images of each class by the seed."""
    rng = np.random.default_rng(square.seed)
    kinds = np.unique(labels)
    draws = [rng.permutation(places[labels[places] == kind])[: square.per_class] for kind in kinds]
    return np.concatenate(draws)


def model_of(part: keras.Model | None, dense: layers.Dense) -> keras.Model:
    """Put pooling, dropout and the head on a part of the base; on features, only the latter."""
    inputs = keras.Input((1280,) if part is None else part.input_shape[1:])
    x = inputs
    if part is not None:
        x = layers.GlobalAveragePooling2D()(part(x, training=False))
    return keras.Model(inputs, dense(layers.Dropout(DROPOUT)(x)))


def free(base: keras.Model, start: str, square: Square) -> None:
    """Make trainable what the square trains."""
    unfreeze(base, start=start)
    names = [layer.name for layer in base.layers]
    if square.trained == "up to block 4":
        for layer in base.layers[names.index("block4c_add") :]:
            layer.trainable = False
    if square.variant == "BatchNorm unfrozen":
        for layer in base.layers[names.index(start) :]:
            layer.trainable = True


def batches(level: str, square: Square, places: np.ndarray, weights: np.ndarray) -> tf.data.Dataset:
    """Endless batches of what is kept at a level: any version of any training image."""
    known = fronts.images_of(square.problem)
    kept = fronts.kept(square.problem, square.pixels, level)
    maps = tf.constant(kept[:, places].reshape(-1, *kept.shape[2:]))
    labels = np.tile(known.labels[places], VERSIONS)
    targets, weight = tf.constant(np.eye(len(weights), dtype="float32")[labels]), weights[labels]
    weight = tf.constant(weight)

    def look_up(place: tf.Tensor) -> tuple[tf.Tensor, ...]:
        x = tf.cast(tf.gather(maps, place), "float32")
        return x, tf.gather(targets, place), tf.gather(weight, place)

    dataset = tf.data.Dataset.range(len(labels)).shuffle(len(labels), seed=square.seed)
    return dataset.repeat().batch(32).map(look_up).prefetch(1)


def as_they_are(
    level: str, square: Square, places: np.ndarray
) -> tuple[tf.data.Dataset, np.ndarray]:
    """What is kept of the images themselves (version 0), in order, and their labels."""
    kept = fronts.kept(square.problem, square.pixels, level)
    return kept[0, places].astype("float32"), fronts.images_of(square.problem).labels[places]


def fit(
    model: keras.Model,
    level: str,
    square: Square,
    places: dict[str, np.ndarray],
    weights: np.ndarray,
    how: Square | SimpleNamespace,
) -> dict[str, list[float]]:
    """Train for the steps and at the rate that `how` says; keep the epoch of lowest loss."""
    model.compile(
        keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(how.rate, how.steps)),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=SMOOTHING),
        weighted_metrics=[keras.metrics.CategoricalCrossentropy(name="nll", from_logits=True)],
    )
    model.optimizer.build(model.trainable_variables)
    maps, labels = as_they_are(level, square, places["val"])
    validation = tf.data.Dataset.from_tensor_slices(
        (maps, np.eye(len(weights), dtype="float32")[labels], weights[labels])
    ).batch(100)
    history = model.fit(
        batches(level, square, places["train"], weights),
        validation_data=validation,
        steps_per_epoch=EPOCH,
        epochs=how.steps // EPOCH,
        verbose=0,
        callbacks=[
            keras.callbacks.EarlyStopping(
                "val_nll", mode="min", patience=how.steps, restore_best_weights=True
            )
        ],
    ).history
    return {"val_loss": history["val_nll"], "loss": history["nll"]}


def scores(
    model: keras.Model, level: str, square: Square, places: np.ndarray, split: str
) -> dict[str, object]:
    """Measure a model on the images of a split; `right` has a bit for each image, in order."""
    maps, labels = as_they_are(level, square, places)
    logits = model.predict(maps, batch_size=100, verbose=0)
    chances = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    right = logits.argmax(axis=1) == labels
    return {
        f"{split}_loss": f"{-np.log(chances[np.arange(len(labels)), labels] + 1e-7).mean():.4f}",
        f"{split}_accuracy": f"{right.mean():.4f}",
        f"{split}_balanced": f"{np.mean([right[labels == k].mean() for k in set(labels)]):.4f}",
        f"{split}_right": np.packbits(right).tobytes().hex(),
    }


def still_named(base: keras.Model) -> float:
    """Put ImageNet's own top on a tuned base: the share of stamps that it names as it did before.

    These are the validation images of stamps, whatever problem the base was tuned for.
    """
    model, images, names = _as_imagenet_has_it()
    model.get_layer(base.name).set_weights(base.get_weights())
    return float(np.mean(model.predict(images, batch_size=100, verbose=0).argmax(axis=1) == names))


@functools.cache
def _as_imagenet_has_it() -> tuple[keras.Model, np.ndarray, np.ndarray]:
    """The whole network, the validation images of stamps, and what ImageNet's weights name."""
    pixels = REAL["stamps"]
    whole = EfficientNetLite0(input_shape=(pixels, pixels, 3))
    base = EfficientNetLite0(include_top=False, input_shape=(pixels, pixels, 3))
    top = layers.Dense(1000)
    inputs = keras.Input((pixels, pixels, 3))
    model = keras.Model(inputs, top(layers.GlobalAveragePooling2D()(base(inputs))))
    top.set_weights(whole.get_layer("predictions").get_weights())
    places = fronts.images_of("stamps").split(0)["val"]
    images = fronts.kept("stamps", pixels, IMAGES)[0, places].astype("float32")
    return model, images, model.predict(images, batch_size=100, verbose=0).argmax(axis=1)


def chosen_rate(rows: Iterable[dict], problem: str, trained: str, pixels: int) -> float:
    """The rate that validation prefers on the first seed, by the loss that also chose the epoch."""
    tried = [
        row
        for row in rows
        if (row["problem"], row["trained"], row["variant"]) == (problem, trained, "")
        and (int(row["seed"]), int(row["pixels"])) == (SEED, pixels)
    ]
    return float(min(tried, key=lambda row: min(map(float, row["losses"].split())))["rate"])


def plan(rows: list[dict], only: str = "") -> Iterator[Square]:
    """All squares, or those of one problem, the most important first; `rows` grows meanwhile.

    Raises:
        ValueError: A rate has to be chosen and no square that tried one has been run.
    """

    def as_block_6(problem: str) -> float:
        return chosen_rate(rows, problem, "from block 6", REAL[problem])

    real = {name: pixels for name, pixels in REAL.items() if only in ("", name)}
    yield from trial(rows, ("head", "last ten", "from block 6"), real)
    if "stamps" in real:  # the square that lesson 05 runs live
        for seed in range(SEED, SEED + SHORT_SEEDS):
            rate = as_block_6("stamps")
            yield Square("stamps", "from block 6", SHORT, rate, seed, REAL["stamps"], STEPS // 2)
    for seed, (problem, pixels) in itertools.product(SEEDS, real.items()):
        for rate in (OLD_RATE, OLD_RATE / 10):
            yield Square(problem, "last ten", "old rate or a tenth", rate, seed, pixels)
        rate = chosen_rate(rows, problem, "last ten", pixels)
        yield Square(problem, "last ten", "BatchNorm unfrozen", rate, seed, pixels)
        for trained in ("head", "last ten"):
            rate = chosen_rate(rows, problem, trained, pixels)
            some = (FEW_STEPS + ALONE.get(trained, 0), FEW[problem])
            yield Square(problem, trained, "few images", rate, seed, pixels, *some)
    for seed, (problem, pixels) in itertools.product(SEEDS, real.items()):
        yield Square(problem, "from block 5", "", as_block_6(problem), seed, pixels)
    yield from trial(rows, ("head",), dict.fromkeys(real, SMALL))
    for seed, problem in itertools.product(SEEDS, real):
        yield Square(problem, "whole base", "", as_block_6(problem), seed, SMALL)
    for seed, (problem, pixels) in itertools.product(SEEDS, real.items()):
        yield Square(problem, "from block 6", "no warm-up", as_block_6(problem), seed, pixels)
    if "stamps" in real:
        for seed, trained in itertools.product(SEEDS, ("head", "whole base")):
            head = chosen_rate(rows, "stamps", "head", SMALL)
            rate = head if trained == "head" else as_block_6("stamps")
            some = (FEW_STEPS + ALONE.get(trained, 0), FEW["stamps"])
            yield Square("stamps", trained, "few images", rate, seed, SMALL, *some)
    if "solar cells" in real:
        for seed, trained in itertools.product(SEEDS, ("up to block 4", "from block 5")):
            yield Square("solar cells", trained, "", as_block_6("solar cells"), seed, SMALL)


def trial(rows: list[dict], methods: tuple[str, ...], pixels: dict[str, int]) -> Iterator[Square]:
    """Every rate with the first seed, then the rate that validation prefers with the others."""
    for trained, (problem, size) in itertools.product(methods, pixels.items()):
        for rate in RATES[trained]:
            yield Square(problem, trained, "", rate, SEED, size, STEPS + ALONE.get(trained, 0))
    for seed, trained in itertools.product(SEEDS[1:], methods):
        for problem, size in pixels.items():
            rate = chosen_rate(rows, problem, trained, size)
            yield Square(problem, trained, "", rate, seed, size, STEPS + ALONE.get(trained, 0))
