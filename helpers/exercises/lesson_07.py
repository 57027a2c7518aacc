"""Checks of lesson 07: one layer's cost, VGG16's input, a block by its name, a budget."""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import layers

from helpers.exercises.judging import Exercise, Hint
from helpers.exercises.probes import hint_if_known, require_number


def check_conv_cost(answer: Callable[..., int]) -> None:
    """07.a: multiply-adds of an ordinary and of a depthwise convolution."""
    height, width, kernel, channels, filters = 5, 7, 3, 11, 13
    result = require_number(answer(height, width, kernel, channels, filters))
    places, area = height * width, kernel * kernel
    right = places * area * channels * filters
    mistakes = {
        "no-places": (
            area * channels * filters,
            "This is how many weights the kernel has. The kernel is used once at every place of "
            "the output, so the image's size must come in.",
        ),
        "two-operations": (
            2 * right,
            "You count a multiplication and an addition as two. One multiply-add is both together.",
        ),
        "no-channels": (
            places * area * filters,
            "Each output sums over all input channels, not over one: the kernel is as deep as its "
            "input.",
        ),
        "no-filters": (
            places * area * channels,
            "This is the cost of one filter. The layer has one such kernel for each of its outputs "
            "(only a depthwise layer has not).",
        ),
        "one-side": (
            places * kernel * channels * filters,
            "The kernel is a square: its side counts twice.",
        ),
        "biases": (
            places * (area * channels + 1) * filters,
            "You counted the biases too. They are left out here, as in most published figures.",
        ),
    }
    hint_if_known(result, mistakes)
    if result != right:
        raise Hint(
            "other-number",
            f"For a 3 x 3 kernel from 11 to 13 channels and 5 x 7 places you return {result}. "
            "Multiply the weights of the kernel by the number of places.",
        )
    depthwise = require_number(
        answer(height, width, kernel, channels, filters, depthwise=True),
        "one number for a depthwise layer, too",
    )
    mistakes = {
        "depthwise-as-full": (
            right,
            "The ordinary layer is right, and the depthwise one costs the same in your count. In a "
            "depthwise layer each output channel looks at a single input channel.",
        ),
        "depthwise-one-channel": (
            places * area,
            "This is the depthwise cost of a single channel. There is one kernel for each channel.",
        ),
        "depthwise-no-places": (
            area * channels,
            f"The ordinary layer is right; for the depthwise one you count {depthwise}, the "
            f"weights of its {channels} kernels. Each kernel is used at each of the {places} "
            "places.",
        ),
        "depthwise-filters": (
            places * area * filters,
            "A depthwise layer has as many kernels as its input has channels; filters plays no "
            "part.",
        ),
    }
    hint_if_known(depthwise, mistakes)
    if depthwise != places * area * channels:
        raise Hint(
            "depthwise-other",
            f"The ordinary layer is right; for the depthwise one you return {depthwise}. It has "
            "one kernel of 3 x 3 for each of the 11 channels, used at each of the "
            f"{places} places.",
        )


BGR_MEAN = np.float32([103.939, 116.779, 123.68])


def check_vgg_input(answer: Callable[[np.ndarray], np.ndarray]) -> None:
    """07.b: RGB 0..255 to BGR minus ImageNet's mean, the given array untouched."""
    given = np.random.default_rng(4).uniform(0, 255, (2, 3, 4, 3)).astype("float32")
    images = given.copy()
    result = np.asarray(answer(images))
    if result.shape != given.shape:
        raise Hint(
            "shape",
            f"The result should have the shape of the images, {given.shape}; yours has "
            f"{result.shape}.",
        )
    flipped = given[..., ::-1]
    mistakes = {
        "rgb-order": (
            given - BGR_MEAN[::-1],
            "The means are subtracted, but the colours are still red, green, blue. VGG16 reads "
            "blue first.",
        ),
        "means-swapped": (
            flipped - BGR_MEAN[::-1],
            "The colours are turned round, and the means are not: 103.939 belongs to blue, which "
            "now comes first.",
        ),
        "only-means": (
            given - BGR_MEAN,
            "The colours are still red, green, blue, and the mean of blue is taken from red. Turn "
            "the colours round first.",
        ),
        "no-means": (
            flipped,
            "Blue comes first now; its mean still has to be subtracted, and those of the others.",
        ),
        "unit-range": (
            flipped / 255 - BGR_MEAN,
            "You scale to 0..1 and then subtract means that belong to 0..255.",
        ),
        "divided": (
            (flipped - BGR_MEAN) / 255,
            "Order and means are right, but you also divide by 255. VGG16 never saw such small "
            "numbers.",
        ),
        "one-minus-one": (
            given / 127.5 - 1,
            "This is -1..1, which MobileNetV2 and Inception want. VGG16 wants BGR minus the mean.",
        ),
        "image-flipped": (
            given[:, :, ::-1] - BGR_MEAN,
            "You mirrored the image: the colours are the last axis, not the one before it.",
        ),
    }
    hint_if_known(result, mistakes, lambda found, known: np.allclose(found, known, atol=1e-3))
    if not np.allclose(result, flipped - BGR_MEAN, atol=1e-2):
        raise Hint(
            "other-values",
            "These are not the values VGG16 wants. Two steps: turn the last axis round, then "
            "subtract the three means in their new order.",
        )
    if not np.array_equal(images, given):
        raise Hint(
            "in-place",
            "The values are right, but the array you were given has changed. Operators such as -= "
            "write into it; make a new array.",
        )


def check_unfreeze_from(answer: Callable[[keras.Model, str], object]) -> None:
    """07.c: frozen before a named layer, trainable from it on but for BatchNorm, anywhere."""
    for name in (BLOCK3, BLOCK2):
        for front in (0, 2):
            base = _blocks(front)
            for begins in ("frozen", "open", "shut"):
                base.trainable = begins != "shut"  # "shut" is frozen by the base's own flag
                for layer in base.layers:
                    layer.trainable = begins == "open"
                answer(base, name)
                _judge(answer, base, name, front, begins)


BLOCK3, BLOCK2 = "block3_conv1", "block2_conv2"
NAMES = """
stem_conv stem_bn block1_conv1 block1_conv2 block2_conv1 block2_conv2 block2_conv3 block2_bn
block3_conv1 block3_bn block3_conv2 Conv_1 normalization
"""


def _blocks(front: int) -> keras.Model:
    """Convolutions and BatchNorm, names not by the alphabet, behind so many weightless layers."""
    inputs = x = keras.Input((8, 8, 3))
    for number in range(front):
        x = layers.Rescaling(1.0, name=f"scale{number}")(x)
    for name in NAMES.split():
        if "conv" in name.lower():
            x = layers.Conv2D(4, 3, padding="same", name=name)(x)
        else:
            x = layers.BatchNormalization(name=name)(x)
    return keras.Model(inputs, x, name="small_base")


def _judge(
    answer: Callable[[keras.Model, str], object],
    base: keras.Model,
    name: str,
    front: int,
    begins: str,
) -> None:
    # The layers' own flags: where the base's flag was False before, a right answer may leave it.
    free = [layer.name for layer in base.layers if layer.trainable_weights]
    norms = [one.name for one in base.layers if isinstance(one, layers.BatchNormalization)]
    names = [one.name for one in base.layers if one.weights and one.name not in norms]
    place = names.index(name)
    wanted = names[place:]
    if begins != "shut" and not base.trainable:
        raise Hint(
            "base-frozen",
            "You leave base.trainable at False. base.trainable_weights is then empty, and training "
            "the base by itself would do nothing, although a model around it would train the "
            "layers that you set free. Leave the flag alone, or set it back to True before you "
            "set the layers.",
        )
    if free == wanted:
        return
    if front:
        raise Hint(
            "position",
            "It works on a base whose first layer is a convolution, and not where two layers more "
            "stand in front. Find the position by the name, in this base.",
        )
    if begins == "shut" and base.trainable and set(free) == {*names, *norms}:
        raise Hint(
            "outer-last",
            "Right where base.trainable is True already. Where it comes in as False, setting it "
            "to True resets every layer inside: do that first, and set the layers after it.",
        )
    if not free:
        each = (
            "Set each layer's own flag: False before the named one, True from it on (but for "
            "BatchNormalization)."
        )
        if _opens_the_base(answer, name):
            raise Hint(
                "outer-flag",
                "After your function no layer is trainable. The layers came in frozen one by one, "
                "and base.trainable was True all the time: to set it to True again does nothing "
                f"(lesson 05). {each}",
            )
        raise Hint(
            "nothing",
            "After your function no layer is trainable: they came in frozen, one by one. " + each,
        )
    found = [one for one in free if one not in norms]
    if found == wanted:
        raise Hint(
            "batchnorm",
            "The right layers are trainable, and with them BatchNormalization: "
            f"{', '.join(one for one in free if one in norms)}. These stay frozen, wherever they "
            "stand; tell them by their type, layers.BatchNormalization.",
        )
    if found == names:
        raise Hint(
            "all-free",
            "The layers before the named one are trainable, too. They may have been so when your "
            "function got the base: freeze them.",
        )
    if found == names[:place]:
        raise Hint("turned-round", "It is the wrong way round: you froze the end of the base.")
    if found == wanted[1:]:
        raise Hint(
            "one-late",
            "The named layer itself stayed frozen. It is the first that should train.",
        )
    if found == names[place - 1 :]:
        raise Hint(
            "one-early",
            f"{names[place - 1]} is trainable too, and stands before {name}. Begin with the named "
            "layer, even where it is not the first of its block.",
        )
    if found == wanted[:1]:
        raise Hint(
            "only-one",
            "Only the named layer is trainable. Everything after it should be too.",
        )
    if found == [one for one in names if one >= name]:
        raise Hint(
            "alphabet",
            f"You compare names by the alphabet, where {found[0]} comes after {name}; in the base "
            "it stands before it. What counts is a layer's place in base.layers.",
        )
    block = name.split("_")[0]
    if found == [one for one in names if one.startswith(block)]:
        raise Hint(
            "one-block",
            f"Only layers whose name begins with {block} are trainable. What comes after them, "
            f"here {wanted[-1]}, should be too: go by the place, not by the beginning of a name.",
        )
    if name != BLOCK3 and found == names[names.index(BLOCK3) :]:
        raise Hint(
            "fixed-name",
            f"For {name} you free the same layers as for {BLOCK3}. Look for the name that is "
            "passed in.",
        )
    raise Hint(
        "other-layers",
        f"From {name} on, trainable should be {', '.join(wanted)}; in your base it is "
        f"{', '.join(free)}.",
    )


def _opens_the_base(answer: Callable[[keras.Model, str], object], name: str) -> bool:
    """Whether the answer sets base.trainable to True."""
    base = _blocks(0)
    base.trainable = False
    answer(base, name)
    return base.trainable


# Fields as in the lesson's cell. Every mistake takes another one; "level" ties with "good".
Candidate = namedtuple("Candidate", "name milliseconds megabytes top1")
CAMERA = [
    Candidate("slow", 45, 10, 0.79),
    Candidate("large", 18, 40, 0.78),
    Candidate("level", 19.5, 22, 0.76),
    Candidate("good", 19, 23, 0.76),
    Candidate("quick", 8, 20, 0.70),
    Candidate("small", 15, 11, 0.68),
    Candidate("weak", 16, 15, 0.60),
]


def check_for_the_camera(answer: Callable[..., str | None]) -> None:
    """07.d: translate a budget for three crops and float16, order, take the first that fits."""

    def ask(milliseconds: float, megabytes: float) -> object:
        return answer(list(CAMERA), milliseconds, megabytes)

    try:
        result = ask(60, 12)
    except (IndexError, StopIteration, ValueError):  # nothing fits, in the learner's count
        if ask(60, math.inf) == "large":
            raise _nothing_fits() from None
        raise
    if isinstance(result, Candidate):
        raise Hint("row", "You return the whole candidate. Return its name only.")
    if isinstance(result, Sequence) and not isinstance(result, str):
        raise Hint("list", "You return all that fit. Return the name of the first.")
    # Where memory has no limit, the time alone decides.
    if result in ("slow", None) and ask(60, math.inf) == "large":
        raise _nothing_fits()
    mistakes = {
        "slow": (
            "one-crop",
            "A backbone of 45 ms was chosen for 60 ms: three crops, one after the other, take 135. "
            "What is left for one?",
        ),
        "large": (
            "too-large",
            "A backbone of 40 MB in float32 was chosen for 12 MB. In float16 it still takes 20.",
        ),
        "level": (
            "tie",
            "Two that fit are equally accurate, and you took the one of 19.5 ms. The one of 19 ms "
            "is the quicker.",
        ),
        "quick": (
            "quickest",
            "You took the quickest. Time is a budget here: whatever keeps within it will do, and "
            "then the most accurate comes first.",
        ),
        "small": (
            "smallest",
            "You took one of the smaller ones. Memory is a budget here: whatever keeps within it "
            "will do, and then the most accurate comes first. In float16, 23 MB are 11.5.",
        ),
        "weak": (
            "turned-round",
            "Of those that fit you took the least accurate: the order is the wrong way round.",
        ),
    }
    if result in ("small", "weak", None) and ask(60, 24) in ("good", "level"):
        raise Hint(
            "not-halved",
            "A backbone of 23 MB in float32 was left out for 12 MB. In float16 it takes 11.5 MB.",
        )
    if isinstance(result, str) and result in mistakes:
        raise Hint(*mistakes[result])
    if result is None:
        raise Hint(
            "none",
            "You return None (is there a return?) although five backbones fit 60 ms and 12 MB.",
        )
    if result != "good":
        raise Hint("other", "For 60 ms and 12 MB this is not the one to try first.")
    try:
        nothing = ask(3, 12)
    except (IndexError, AttributeError, StopIteration, TypeError, ValueError) as problem:
        raise Hint(
            "raises-if-none",
            f"Where no backbone fits, your function raises {type(problem).__name__}. Return None.",
        ) from None
    if nothing is not None:
        raise Hint(
            "does-not-fit",
            "For 3 ms no backbone fits, and you do not return None. Is it the None of Python, and "
            "no name, text or empty list?",
        )
    if ask(1e9, 1e9) != "slow":  # no infinity: milliseconds // 3 rounds, and is allowed
        raise Hint("no-limit", "With a budget for all seven, the most accurate comes first.")


def _nothing_fits() -> Hint:
    return Hint(
        "memory-turned",
        "The time is right, but nothing fits 12 MB in your count. `candidates` are in float32: "
        "what takes 12 MB in float16 takes 24 there.",
    )


EXERCISES = {
    "07.a": Exercise("Count one layer", check_conv_cost),
    "07.b": Exercise("VGG16's input by hand", check_vgg_input),
    "07.c": Exercise("From this block on", check_unfreeze_from),
    "07.d": Exercise("A camera with a budget", check_for_the_camera),
}
