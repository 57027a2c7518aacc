"""Checks of lesson 03: where to augment, shared photographs, digits, fifty labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

import keras
import numpy as np
import tensorflow as tf

from helpers.exercises import open_task
from helpers.exercises.judging import Exercise, Hint
from helpers.exercises.orientation import letter, orientations
from helpers.exercises.probes import ask, described, hint_if_known, number, require_number


def _brighter() -> keras.Layer:
    """A real augmentation, as the lesson's: each image gets brighter, by another 1 to 9."""
    share = keras.layers.RandomBrightness((0.0002, 0.0018), value_range=(0, 10_000))
    return keras.Sequential([share], name="augment")


def check_pipelines(answer: Callable[..., tuple[tf.data.Dataset, tf.data.Dataset]]) -> None:
    """03.a: cache both datasets, augment the training images after the cache."""
    # Each image is filled with 100 times its label, so that pairs can be checked after shuffling
    # and augmenting. The labels of validation are others, so that an exchange is seen.
    (train, train_reads), (val, val_reads) = (
        _counted(LABELS_OF["train"]),
        _counted(LABELS_OF["val"]),
    )
    try:
        result = answer(train, val, _brighter())
    except (TypeError, ValueError) as problem:
        _hint_at_map(str(problem))
        raise
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Hint(
            "not-two",
            f"Return two datasets, training and validation; this is {described(result)}.",
        )
    if not all(isinstance(part, tf.data.Dataset) for part in result):
        kinds = " and ".join(described(part) for part in result)
        raise Hint(
            "no-datasets", f"Both returned things should be tf.data datasets; they are {kinds}."
        )
    (first, found), (second, _) = _pass(result[0]), _pass(result[0])
    (val_images, val_labels), _ = _pass(result[1]), _pass(result[1])
    if np.isin(found, LABELS_OF["val"]).all() and np.isin(val_labels, LABELS_OF["train"]).all():
        raise Hint(
            "exchanged",
            "The two datasets come back in the wrong order: first training, then validation.",
        )
    if np.isin(found, LABELS_OF["val"]).any() or np.isin(val_labels, LABELS_OF["train"]).any():
        raise Hint(
            "mixed-splits",
            "Training images come back for validation, or the other way round. Make each of the "
            "two from its own.",
        )
    if max(len(first), len(val_images)) > 12:
        raise Hint(
            "more-images",
            f"Of 12 images {max(len(first), len(val_images))} have become. Augmentation puts a new "
            "version in the place of each image; the versions of other epochs come in other "
            "epochs. Leave concatenate and repeat away.",
        )
    images = {split: _filled(labels) for split, labels in LABELS_OF.items()}
    if first.shape != images["train"].shape or val_images.shape != images["val"].shape:
        raise Hint(
            "images-lost",
            "12 images went in, and other numbers or shapes come out. Map each batch to a batch "
            "of the same size, and leave the batches as they are.",
        )
    if not (
        _paired(first, found, LABELS_OF["train"])
        and _paired(val_images, val_labels, LABELS_OF["val"])
    ):
        raise Hint("labels", "Labels got lost or mixed up. Pass each label on beside its image.")
    if not np.array_equal(val_images, images["val"]):
        raise Hint(
            "validation-changed",
            "The validation images were augmented. They stand for the images that the model "
            "will meet, so they stay as they are; only training images change.",
        )
    if np.array_equal(first, images["train"]):
        raise Hint(
            "nothing-changes",
            "The training images come out as they went in: no augmentation, or one that was told "
            "training=False, or whose result was not assigned (train.map(...) changes nothing in "
            "train). Write train = train.map(...), with augment(images, training=True) inside.",
        )
    if np.array_equal(first, second):
        raise Hint(
            "cached-too-late",
            "Two epochs bring the very same training images: they were augmented once, and the "
            "cache, or an array, keeps that version. Cache first, then augment, by a map that runs "
            "again in every epoch.",
        )
    if train_reads.numpy() > 12:
        raise Hint(
            "not-cached",
            "Augmentation is right, but two epochs read every training image twice. Cache the "
            "training images before you augment them, so that files are read once. cache() changes "
            "nothing in place: train = train.cache().",
        )
    if val_reads.numpy() > 12:
        raise Hint(
            "validation-not-cached",
            "The training images are right, but every epoch reads the validation images from "
            "their files again. Cache them too, val = val.cache(): nothing changes in them.",
        )


LABELS_OF = {"train": np.arange(12, dtype="int32"), "val": np.arange(20, 32, dtype="int32")}


def _hint_at_map(said: str) -> None:
    """Raise Hint if an error's own words are those of a map written wrongly."""
    if "takes 1 positional argument but 2 were given" in said:
        raise Hint(
            "one-argument",
            "The elements of these datasets are pairs, so a map hands its function two things: "
            "lambda images, labels: (augment(images, training=True), labels).",
        )
    if "Only input tensors may be passed" in said and "Dataset element_spec" in said:
        raise Hint(
            "dataset-to-layer",
            "augment is a layer: it takes tensors, not a whole dataset. A map calls it on each "
            "batch: train.map(lambda images, labels: (augment(images, training=True), labels)).",
        )
    if "multiple values for argument 'training'" in said:
        raise Hint(
            "labels-to-augment",
            "augment got the labels as well: a map hands over two things, images and labels. Give "
            "augment the images, and pass the labels on beside them: lambda images, labels: "
            "(augment(images, training=True), labels).",
        )


def _filled(labels: np.ndarray) -> np.ndarray:
    """An image for each label, filled with 100 times that: shape (12, 1, 1, 3)."""
    return np.broadcast_to(100.0 * labels[:, None, None, None], (12, 1, 1, 3)).astype("float32")


def _counted(labels: np.ndarray) -> tuple[tf.data.Dataset, tf.Variable]:
    """Batches of four, and how many images were read for them so far."""
    reads = tf.Variable(0, dtype="int64")

    def read(image, label):
        reads.assign_add(1)
        return image, label

    return tf.data.Dataset.from_tensor_slices((_filled(labels), labels)).map(read).batch(4), reads


LONGEST_PASS = 100  # elements; 12 images make at most 12


def _pass(dataset: tf.data.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """All images and labels of one pass, by label.

    Raises:
        Hint: ``"endless"`` if the pass has no end, ``"labels-dropped"`` if the elements are no
            pairs, ``"unbatched"`` if they are single images.
    """
    spec = dataset.element_spec
    if not isinstance(spec, tuple | list) or len(spec) != 2:
        raise Hint(
            "labels-dropped",
            "What comes out are not pairs of images and labels any more. A map returns both: "
            "lambda images, labels: (augment(images, training=True), labels).",
        )
    if spec[0].shape.rank == 1 and spec[1].shape.rank == 4:
        raise Hint(
            "labels-first",
            "The labels come before the images. fit wants (images, labels), in this order.",
        )
    if spec[1].shape.rank == 0:
        raise Hint(
            "unbatched",
            "The images come one by one; fit wants batches, as they went in. Leave unbatch away, "
            "or batch again.",
        )
    endless = dataset.cardinality() == tf.data.INFINITE_CARDINALITY
    elements = [] if endless else list(islice(dataset, LONGEST_PASS + 1))
    if endless or len(elements) > LONGEST_PASS:
        raise Hint(
            "endless",
            "One of your datasets never ends: repeat() without a number begins again for ever, so "
            "fit would not know where an epoch ends. Leave it away: fit itself begins again in "
            "every epoch.",
        )
    pairs = [(np.asarray(images), np.asarray(labels)) for images, labels in elements]
    images, labels = (np.concatenate(part) for part in zip(*pairs, strict=True))
    if labels.ndim == 1 and len(images) == len(labels):
        order = np.argsort(labels, kind="stable")  # a shuffled pass is as good
        return images[order], labels[order]
    return images, labels


def _paired(images: np.ndarray, found: np.ndarray, labels: np.ndarray) -> bool:
    """Whether all labels are there, each beside its own image, augmented or not."""
    shown = images[:, 0, 0, 0] // 100
    # Only an image that is there in full can have been given to another label.
    swapped = np.array_equal(np.sort(shown), labels) and not np.array_equal(shown, labels)
    return np.array_equal(found, labels) and not swapped


PHOTOGRAPHS = {
    "cat": ("03.png", "06.png", "08.png", "10.png"),
    "owl": ("01.png", "09.png", "11.png"),
    "cod": ("07.png", "02.png"),
    "elk": ("05.png", "04.png"),
}
SEEN_IN = {file: name for name, files in PHOTOGRAPHS.items() for file in files}
# Chosen so that no two of the mistakes below count the same in both orders.
TRAIN = ["11.png", "03.png", "02.png", "10.png"]
TEST = ["08.png", "06.png", "07.png", "04.png", "05.png", "01.png", "09.png"]


def _in_both_orders(count: Callable[[list, list], float]) -> list[float]:
    """What a rule counts for the two lists, and for the lists exchanged."""
    return [count(TRAIN, TEST), count(TEST, TRAIN)]


def _shown(files: Sequence[str]) -> list[str]:
    return [SEEN_IN[file] for file in files]


def _leaked(train: Sequence[str], test: Sequence[str]) -> int:
    return sum(name in _shown(train) for name in _shown(test))


MISCOUNTS = {
    "files": (
        [0, 0],
        "You found none. Two files can be made from one photograph, and no file has the name of "
        "another, or of a photograph: look up photograph[file] on both sides, and compare these.",
    ),
    "wrong-side": (
        _in_both_orders(lambda train, test: _leaked(test, train)),
        "You count training images whose photograph is also in the test. It is the other way "
        "round: the test images are the ones whose answers cannot be trusted.",
    ),
    "photographs": (
        _in_both_orders(lambda train, test: len({*_shown(train)} & {*_shown(test)})),
        "You count the photographs that both lists share. Count the test images made from them: "
        "one shared photograph can spoil several.",
    ),
    "clean": (
        _in_both_orders(lambda train, test: len(test) - _leaked(train, test)),
        "You count the test images whose photograph is new. Count the others, those whose "
        "photograph the training files show as well.",
    ),
    "pairs": (
        _in_both_orders(lambda train, test: sum(_shown(train).count(n) for n in _shown(test))),
        "You count pairs of files. Count a test image once, however many training files share its "
        "photograph: collect the training photographs in a set first.",
    ),
    "same-place": (
        _in_both_orders(lambda train, test: sum(map(str.__eq__, _shown(train), _shown(test)))),
        "You compare the first file with the first, the second with the second. The order of the "
        "lists means nothing: ask of each test image whether any training image shares its "
        "photograph.",
    ),
    "first-only": (
        [1, 1],
        "You count 1 where there are more. Does return stand inside the loop? Then it ends the "
        "function at the first. Or is the count set to 1, not raised by 1?",
    ),
    "all": (
        _in_both_orders(lambda train, test: len(test)),
        "You count every test image. Compare with the photographs of the training files only: "
        "photograph.values() holds those of the test as well.",
    ),
    "within-the-test": (
        _in_both_orders(
            lambda train, test: sum(
                name in _shown(train) + _shown(test)[:at] for at, name in enumerate(_shown(test))
            )
        ),
        "You also count test images that share a photograph with another test image. That is no "
        "leak: compare with the training files only, and add nothing to their photographs.",
    ),
    "one-short": (
        _in_both_orders(lambda train, test: _leaked(train, test) - 1),
        "You count one too few: the first or the last test image is left out. range(n) counts from "
        "0 to n - 1 by itself.",
    ),
    "percent": (
        _in_both_orders(lambda train, test: 100 * _leaked(train, test) / len(test)),
        "You return the percentage of test images that leak. Wanted is how many they are.",
    ),
    "share": (
        _in_both_orders(lambda train, test: _leaked(train, test) / len(test)),
        "You return the share of test images that leak. Wanted is how many they are.",
    ),
    "both-sides": (
        _in_both_orders(lambda train, test: _leaked(train, test) + _leaked(test, train)),
        "You count the images of both lists. Only the test images are asked for.",
    ),
    "all-photographs": (
        _in_both_orders(lambda train, test: len({*_shown(train)} | {*_shown(test)})),
        "You count all photographs there are. Count the test images whose photograph is also in "
        "training.",
    ),
}


def check_leaked(answer: Callable[[Sequence, Sequence, Mapping], int]) -> None:
    """03.b: how many test files show a photograph that training files show too."""
    found = [
        require_number(ask(answer, *lists, SEEN_IN, what="lists and names"), "one whole number")
        for lists in ((TRAIN, TEST), (TEST, TRAIN))
    ]
    wanted = _in_both_orders(_leaked)
    if found == wanted:
        return
    hint_if_known(found, MISCOUNTS)
    if found[0] == wanted[0]:
        raise Hint(
            "by-luck",
            f"With the two lists exchanged {wanted[1]} images leak, but you count {found[1]}. Look "
            "up the photographs of one list, then go through the files of the other.",
        )
    raise Hint(
        "miscounted",
        f"For {wanted[0]} leaked images among {len(TEST)} you count {found[0]}. Go through the "
        "test images, and ask of each whether its photograph is among those of the training files.",
    )


LARGEST_TURN = 50  # degrees; the exercise asks for at most 45
READABLE, CLEAR = 0.6, 0.85  # correlations with what was drawn; half a letter erased is below 0.6
MOST_LOST = 0.25  # of the pictures: a few may lose a part, as by a small RandomErasing


def check_digits(answer: Callable[[], keras.Layer]) -> None:
    """03.c: a layer that changes digits but neither mirrors nor turns them far."""
    layer = _layer(answer)
    card = letter()
    batch = np.repeat(card[None], 96, axis=0)
    # In eight goes: RandomCrop, say, draws once for all pictures of a batch.
    out = np.concatenate([layer(batch[:12], training=True) for _ in range(8)])
    if out.shape != batch.shape:
        raise Hint(
            "shape",
            f"Images of shape {card.shape} come out with shape {out.shape[1:]}; an augmentation "
            "keeps the size.",
        )
    if np.allclose(out, batch, atol=1e-3):
        raise Hint(
            "nothing-changes",
            "96 copies of a picture come out as they went in, in training mode. Add at least one "
            "layer that varies them.",
        )
    if out.max() < 0.1 * card.max():
        raise Hint(
            "black",
            "The pictures come out almost black. Their values go from 0 to 255: tell the layer "
            "so, with value_range=(0, 255), and do not rescale.",
        )
    used = np.asarray(layer(batch, training=False))
    if np.allclose(used, out, atol=1e-3):
        raise Hint(
            "always-on",
            "The pictures come out in the same way with training=True and training=False. Use "
            "layers whose names begin with Random and leave `training` to whoever calls them.",
        )
    if np.allclose(out, out[:1], atol=0.5):
        raise Hint(
            "all-alike",
            "96 copies of a picture all come out changed in the very same way: nothing varies. A "
            "factor (0.1, 0.1) leaves no choice; 0.1 goes from -0.1 to 0.1.",
        )
    likeness, turns, mirrored = orientations(out)
    lost = np.mean(likeness < READABLE)
    if lost > MOST_LOST:
        raise Hint(
            "lost",
            f"In {lost:.0%} of the pictures so much of what was drawn is gone, erased or moved out "
            "of the picture, that nobody could give them their label: change less.",
        )
    clear = likeness > CLEAR
    if np.mean(clear & mirrored) > 0.05:
        far = np.any(np.abs(turns[clear & mirrored]) > 90)
        how = "upside down" if far else "left to right"
        raise Hint(
            "mirrored-" + ("vertical" if far else "horizontal"),
            f"Some pictures come out mirrored {how}. No digit but 0, 1 and 8 survives that: leave "
            "the flip away.",
        )
    turn = np.abs(turns[clear & ~mirrored]).max(initial=0)
    if turn > LARGEST_TURN:
        raise Hint(
            "turned",
            f"One picture was turned by about {turn:.0f} degrees. Far enough, a 6 is a 9. The "
            "factor of RandomRotation is a share of a full turn: 0.1 is 36 degrees to either side.",
        )
    if not np.allclose(used, batch, atol=1e-3):
        raise Hint(
            "changes-in-use",
            "The pictures also change with training=False. Use layers whose names begin with "
            "Random and leave `training` to whoever calls them.",
        )


def _layer(answer: Callable[[], keras.Layer]) -> keras.Layer:
    """Call the learner's function; hint if what it returns is no layer."""
    try:
        layer = answer()
    except ValueError as problem:
        if "factor" not in str(problem):
            raise
        raise Hint(
            "factor",
            f"Keras refuses the factor: {str(problem).splitlines()[0][:200]}. Factors are shares, "
            "of a full turn or of the image's size: 45 degrees are 45 / 360, and 10 of 100 pixels "
            "are 0.1.",
        ) from None
    if isinstance(layer, list | tuple):
        raise Hint(
            "list",
            "You returned several layers. Put them into one with keras.Sequential([...]).",
        )
    if isinstance(layer, type):
        raise Hint(
            "class",
            f"You returned the class {layer.__name__}. Make a layer of it, with brackets: "
            f"layers.{layer.__name__}(0.05), say.",
        )
    if keras.ops.is_tensor(layer) or isinstance(layer, np.ndarray):
        raise Hint(
            "images",
            "You returned images. Return the layer itself, without calling it: whoever gets it "
            "calls it on images of their own.",
        )
    if not isinstance(layer, keras.Layer):
        raise Hint(
            "no-layer",
            f"Return a Keras layer; this is {described(layer)}. A model takes in layers, but no "
            "functions and no generators.",
        )
    return layer


LABELS, PIXELS, CUTS, LIMIT = 50, 96, 12, 60.0
TARGET = 1.38
"""The mean loss to reach on the hidden images."""
MARKS = {
    "guessing evenly": 2.30,
    "fifty of as few photographs as can be": 1.80,
    "fifty at random": 1.49,
    "five a class at random": 1.43,
    "five a class, each of another photograph": 1.39,
    "the same, but the most typical image of each": 1.35,
    "every image of the pool": 1.09,
}
"""Mean losses of recorded ways to choose; the last one breaks the rule. Measured on 12 cuts."""
STEPS = 60


def check_fifty_labels(answer: Callable[[np.ndarray, np.ndarray, np.ndarray], Sequence]) -> str:
    """03.d: fifty images to train with, by the loss on photographs that were not to choose from."""
    features, labels, photographs = open_task.stamps_features(PIXELS)
    train, kinds, shown, far = _small_head(), [], [], []
    for seed in range(CUTS):
        part = open_task.cut(labels, photographs, seed)
        pool = np.concatenate([part["train"], part["val"]])
        given = features[pool], labels[pool], photographs[pool]
        chosen = _places(open_task.in_time(lambda three: answer(*three), LIMIT / CUTS, given), pool)
        probabilities = train(given[0][chosen], given[1][chosen])(features[part["hidden"]])
        truth = labels[part["hidden"]]
        kinds.append(np.bincount(given[1][chosen], minlength=10))
        possible = sum(min(5, len(np.unique(given[2][given[1] == k]))) for k in range(10))
        shown.append(len(np.unique(given[2][chosen])) / possible)
        right = np.mean(probabilities.argmax(axis=1) == truth)
        far.append((open_task.loss_of(probabilities, truth), right))
    loss, share = np.mean(far, axis=0)
    score = (
        f"Mean loss on the hidden photographs of {CUTS} cuts: {open_task.place(loss, MARKS)}; "
        f"{share:.0%} of them right."
    )
    if loss <= TARGET:
        return score
    code, reason = _why(np.array(kinds), float(np.mean(shown)))
    raise Hint(code, f"{score} To reach: {TARGET:.2f}. {reason}")


def _places(result: Sequence, pool: np.ndarray) -> np.ndarray:
    """The answer as fifty different places in the pool."""
    if isinstance(result, list | tuple) and any(np.ndim(part) for part in result):
        raise Hint(
            "nested",
            f"You return {len(result)} lists, one for each class, say. Wanted are {LABELS} places "
            "in one: np.concatenate puts lists end to end.",
        )
    if isinstance(result, str | Mapping) or result is None or np.ndim(result) != 1:
        raise Hint("no-places", f"Return {LABELS} places; this is {described(result)}.")
    if np.asarray(result).dtype.kind in "US":
        raise Hint(
            "names",
            "You return names. Wanted are places: numbers that say where an image stands in the "
            "arrays. np.flatnonzero(photographs == name) gives those of a photograph.",
        )
    places = [number(place) for place in np.asarray(result)]
    if not all(isinstance(place, int) for place in places):
        raise Hint(
            "not-whole",
            "Places are whole numbers: they say where an image stands in the arrays. Of a mask of "
            "True and False, np.flatnonzero makes places.",
        )
    if len(places) != LABELS:
        raise Hint("count", f"You may have {LABELS} images; you chose {len(places)}.")
    if len(set(places)) < LABELS:
        raise Hint(
            "twice",
            f"Only {len(set(places))} of your places are different: to label an image twice "
            "teaches nothing.",
        )
    if min(places) < 0 or max(places) >= len(pool):
        raise Hint("range", f"There are {len(pool)} images, at the places 0 to {len(pool) - 1}.")
    return np.array(places)


def _small_head() -> Callable[[np.ndarray, np.ndarray], Callable]:
    """What trains a head from nothing on features and labels, and returns how it predicts.

    All images in every step, from weights of zero: nothing in it is left to chance.
    """
    ending = keras.layers.Dense(10, activation="softmax", kernel_initializer="zeros")
    head = keras.Sequential([keras.Input((1280,)), ending])
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    head.compile(keras.optimizers.Adam(0.001), loss, steps_per_execution=STEPS)
    head.optimizer.build(head.trainable_variables)
    variables = head.trainable_variables + head.optimizer.variables
    first = [variable.numpy() for variable in variables]

    def train(features: np.ndarray, labels: np.ndarray) -> Callable:
        for variable, value in zip(variables, first, strict=True):
            variable.assign(value)
        batch = tf.data.Dataset.from_tensors((features, keras.utils.to_categorical(labels, 10)))
        head.fit(batch.repeat(STEPS), steps_per_epoch=STEPS, shuffle=False, verbose=0)
        return head.predict_on_batch

    return train


def _why(kinds: np.ndarray, shown: float) -> tuple[str, str]:
    """The commonest reason for a score below the target.

    Args:
        kinds: How many images of each class were chosen, shape ``(cuts, 10)``.
        shown: Photographs chosen, as a share of how many fifty images could show.
    """
    if kinds.min() == 0:
        return "class-missing", (
            "In some cut you chose no image at all of some class. The head never names what it "
            "has not seen: take five of each."
        )
    if kinds.min() < 4:
        return "unequal", (
            f"Of some class you chose {kinds.min()} and of another {kinds.max()}. All count alike "
            "on the hidden images: take five of each."
        )
    if shown < 0.95:
        return "few-photographs", (
            f"Your images show {shown:.0%} of the photographs that fifty images could show. "
            "Images of one photograph teach nearly the same: take each of another one."
        )
    return "odd-images", (
        "Five of each class, each of another photograph: well drawn. Now which image of a "
        "photograph? Some are small, far turned or lost in the background; one near the middle of "
        "its photograph's, or its class's, features is typical."
    )


EXERCISES = {
    "03.a": Exercise("Only the training images", check_pipelines),
    "03.b": Exercise("One photograph, two splits", check_leaked),
    "03.c": Exercise("An augmentation for digits", check_digits),
    "03.d": Exercise("Fifty labels", check_fifty_labels, open_task.SECONDS),
}
