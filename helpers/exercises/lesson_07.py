"""Checks of lesson 07: one layer's cost, a budget, a block by its name, a head."""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import layers

from helpers.exercises import open_task
from helpers.exercises.judging import Exercise, Hint
from helpers.exercises.open_task import Pair
from helpers.exercises.probes import (
    ask,
    hint_if_flag_unknown,
    hint_if_known,
    hint_if_set_on_weights,
    require_model,
    require_number,
)

SIZES = {"height": 11, "width": 17, "kernel": 5, "channels": 19, "filters": 13}
"""Primes, so that a wrong product says which of them it has."""


def check_conv_cost(answer: Callable[..., int]) -> None:
    """07.a: multiply-adds of an ordinary and of a depthwise convolution."""
    height, width, kernel, channels, filters = SIZES.values()
    result = require_number(answer(height, width, kernel, channels, filters))
    places, area = height * width, kernel * kernel
    right = places * area * channels * filters
    mistakes = {
        "no-places": (
            area * channels * filters,
            "This is how many weights the kernel has. The kernel is used once at every place of "
            "the output, so the image's size must come in.",
        ),
        "places-added": (
            [area * channels * filters + places, area * channels * filters + height + width],
            "You add the weights and the places. Each weight is used at each place: multiply.",
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
        "millions": (right / 1e6, "You return millions. Return the number itself."),
        "billions": (right / 1e9, "You return billions. Return the number itself."),
        "three": (
            places * 9 * channels * filters,
            f"You count a kernel of 3 x 3, and it has {kernel} x {kernel}: use `kernel`.",
        ),
        "stride": (
            (height // 2) * (width // 2) * area * channels * filters,
            "You halve the map. `height` and `width` are those of the output already.",
        ),
        "border": (
            (height + 2) * (width + 2) * area * channels * filters,
            "You put a border of one around the map. `height` and `width` are those of the output "
            "already.",
        ),
        "padded": (
            (height + kernel - 1) * (width + kernel - 1) * area * channels * filters,
            "You make the map larger by the kernel. `height` and `width` are those of the output "
            "already.",
        ),
        "square": (
            height**2 * area * channels * filters,
            "You count height times height: this map is not square. Its places are height × width.",
        ),
        "sum-of-sides": (
            (height + width) * area * channels * filters,
            "You add height and width. How many places there are is their product.",
        ),
        "shrunk": (
            (height - kernel + 1) * (width - kernel + 1) * area * channels * filters,
            "You made the map smaller by the kernel. `height` and `width` are those of the output "
            "already.",
        ),
        "added": (
            places * area * (channels + filters),
            "You add channels and filters. Each of the filters has weights for each of the "
            "channels, so they multiply.",
        ),
        "caret": (
            places * (kernel ^ 2) * channels * filters,
            "A power is ** in Python: kernel**2. What ^ does to two whole numbers is something "
            "else, bit by bit.",
        ),
    }
    hint_if_known(
        result,
        mistakes,
        same=lambda one, other: any(math.isclose(one, value) for value in np.ravel(other)),
    )
    if result != right:
        _judge_factors(result)
        raise Hint(
            "other-number",
            f"For a kernel of {kernel} x {kernel} from {channels} to {filters} channels and "
            f"{height} x {width} places you return {result}. Multiply the weights of the "
            "kernel by the number of places.",
        )
    if require_number(answer(4, 9, 1, 2, 5)) != 4 * 9 * 2 * 5:
        raise Hint(
            "fixed-kernel",
            "Right for this kernel, and not for one of 1 x 1: is there a number that should be "
            "`kernel`?",
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
        "separable": (
            places * (area * channels + channels * filters),
            "You added the 1 x 1 convolution that often follows. That is a layer of its own; count "
            "the depthwise one only.",
        ),
    }
    hint_if_known(depthwise, mistakes)
    if depthwise != places * area * channels:
        raise Hint(
            "depthwise-other",
            f"The ordinary layer is right; for the depthwise one you return {depthwise}. It has "
            f"a kernel of {kernel} x {kernel} for each of the {channels} channels, used at each of "
            f"the {places} places.",
        )


def _judge_factors(result: float) -> None:
    """Say which sizes a wrong product has too often or not often enough, if it is one."""
    if result < 1 or result != int(result):
        return
    rest, said = int(result), []
    for name, prime in SIZES.items():
        times = 0
        while rest % prime == 0:
            rest, times = rest // prime, times + 1
        wanted = 2 if name == "kernel" else 1
        if times != wanted:
            said.append(f"`{name}` is in it {times} times and should be {wanted}")
    if rest == 2:
        said.append("there is a 2 in it (kernel * 2 is no square: kernel**2 is)")
    if rest <= 2:
        raise Hint("factors", f"You return {result:,}. Of that product, {'; '.join(said)}.")


def check_unfreeze_from(answer: Callable[[keras.Model, str], object]) -> None:
    """07.c: frozen before a named layer, trainable from it on but for BatchNorm, anywhere."""
    for name in (BLOCK3, BLOCK2):
        for front in (0, 2):
            base = _blocks(front)
            for begins in ("frozen", "open", "shut"):
                answer(_begin(base, begins), name)
                _judge(answer, base, name, front, begins)


BLOCK3, BLOCK2 = "block3_conv1", "block2_conv2"
NAMES = """
stem_conv stem_bn skip_block3_conv1 block1_conv1 block1_conv2 block2_conv1 block2_conv2
block2_conv3 block2_bn block3_conv1 block3_bn block3_conv2 Conv_1 normalization Conv_2
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
    hint_if_flag_unknown(base)
    hint_if_set_on_weights(base)
    here, far = (_first_free(answer, name, front) for front in (0, 20))
    if front or (far is not None and far - 20 != here):
        raise Hint(
            "position",
            "It depends on how many layers stand in front of the named one. Find the position by "
            "the name, in this base.",
        )
    if begins in ("frozen", "shut") and base.trainable and set(free) == {*names, *norms}:
        raise Hint(
            "outer-last",
            "Every layer is trainable. Where base.trainable is False, setting it to True resets "
            "every layer inside: do that first, and set the layers after it.",
        )
    if not free and _leaves_open(answer, name):
        raise Hint(
            "base-untouched",
            "The base is as it came in. Did you change a copy, or another model? Set the flags of "
            "the layers of the very object that is passed in.",
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
            "After your function no layer is trainable: they came in frozen, one by one. "
            f"{each} Is the layer found at all? layer.name == name.",
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
    if name == BLOCK3 and found == names[names.index(f"skip_{BLOCK3}") :]:
        raise Hint(
            "part-of-the-name",
            f"You begin at skip_{BLOCK3}, which only has {name} in its name. Compare whole names, "
            "with ==.",
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
    if found == wanted[:-1]:
        raise Hint(
            "without-the-last",
            f"{wanted[-1]}, the very last layer, stayed frozen. Go through to the end.",
        )
    if _stops_at_a_norm(answer):
        raise Hint(
            "stops-at-norm",
            "Your loop ends at the first BatchNormalization layer behind the named one, and what "
            "comes after it stays frozen. `break` and `return` end a loop; `continue` passes one "
            "layer over.",
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


def _begin(base: keras.Model, begins: str) -> keras.Model:
    """Freeze a base's layers or open them; "shut" is frozen by the base's own flag, too."""
    base.trainable = begins != "shut"
    for layer in base.layers:
        layer.trainable = begins == "open"
    return base


def _first_free(answer: Callable, name: str, front: int) -> int | None:
    """The place of the first layer that is trainable after the answer; None if none is."""
    base = _begin(_blocks(front), "frozen")
    answer(base, name)
    return next((i for i, layer in enumerate(base.layers) if layer.trainable_weights), None)


def _stops_at_a_norm(answer: Callable) -> bool:
    """Whether the answer frees just what stands between a layer and the next BatchNorm."""
    base = _begin(_blocks(0), "frozen")
    answer(base, BLOCK2)
    free = [layer.name for layer in base.layers if layer.trainable_weights]
    return free in ([BLOCK2, "block2_conv3"], [BLOCK2, "block2_conv3", "block2_bn"])


def _leaves_open(answer: Callable, name: str) -> bool:
    """Whether the answer leaves a base open that came in open."""
    base = _begin(_blocks(0), "open")
    answer(base, name)
    return all(layer.trainable for layer in base.layers)


def _opens_the_base(answer: Callable[[keras.Model, str], object], name: str) -> bool:
    """Whether the answer sets base.trainable to True."""
    base = _begin(_blocks(0), "shut")
    answer(base, name)
    return base.trainable


# Fields as in the lesson's cell, in no order. Every mistake takes another one; "level" ties with
# "good".
Candidate = namedtuple("Candidate", "name milliseconds megabytes top1")
CAMERA = [
    Candidate("first", 17, 16, 0.66),
    Candidate("slow", 45, 10, 0.79),
    Candidate("quick", 8, 20, 0.70),
    Candidate("large", 18, 40, 0.78),
    Candidate("middling", 25, 21, 0.77),
    Candidate("level", 19.5, 22, 0.76),
    Candidate("weak", 16, 15, 0.60),
    Candidate("good", 19, 23, 0.76),
    Candidate("small", 15, 11, 0.68),
]


def _one_budget_is_enough(choose: Callable[[float, float], object]) -> bool:
    """Whether something is chosen where only time, or only memory, is nearly nothing."""

    def chosen(milliseconds: float, megabytes: float) -> bool:
        try:
            return isinstance(choose(milliseconds, megabytes), str)
        except (IndexError, AttributeError, StopIteration, TypeError, ValueError):
            return False  # where nothing fits, some answers stop with an error

    return chosen(60, 0.1) and chosen(0.1, 24) and not chosen(0.1, 0.1)


def check_for_the_camera(answer: Callable[..., str | None]) -> None:
    """07.b: translate a budget for three crops and float16, order, take the first that fits."""

    def choose(milliseconds: float, megabytes: float) -> object:
        return ask(answer, CAMERA, milliseconds, megabytes, what="list of candidates")

    try:
        result = choose(60, 12)
    except (AttributeError, TypeError) as problem:
        if "Candidate" not in str(problem) and "tuple indices" not in str(problem):
            raise
        raise Hint(
            "no-such-field",
            f"{problem}. A candidate has {', '.join(Candidate._fields)}, each "
            "after a dot: candidate.top1.",
        ) from None
    except (IndexError, StopIteration, ValueError):  # nothing fits, in the learner's count
        if choose(60, math.inf) == "large":
            raise _nothing_fits() from None
        raise
    if isinstance(result, Candidate):
        raise Hint("row", "You return the whole candidate. Return its name only.")
    if isinstance(result, Sequence) and not isinstance(result, str):
        raise Hint("list", "You return several things. Return one name, that of the first.")
    # Where memory has no limit, the time alone decides.
    if result in ("slow", None) and choose(60, math.inf) == "large":
        raise _nothing_fits()
    mistakes = {
        "slow": (
            "one-crop",
            "A backbone of 45 ms was chosen for 60 ms: three crops, one after the other, take 135. "
            "What is left for one?",
        ),
        "middling": (
            "two-crops",
            "A backbone of 25 ms was chosen for 60 ms: enough for two crops. Three take 75.",
        ),
        "first": (
            "first-that-fits",
            "You took the first in the list that fits, and a later one is more accurate. Go "
            "through all of them: does a return or a break stand in the loop?",
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
    if result == "slow" and _one_budget_is_enough(choose):
        raise Hint(
            "either-budget",
            "A backbone of 45 ms was chosen for 60 ms and three crops, because its 10 MB fit. "
            "Both budgets have to hold: `and`, not `or`.",
        )
    if result == "slow" and choose(1, 12) == "slow":
        raise Hint(
            "time-ignored",
            "A backbone of 45 ms was chosen for 60 ms, and for 1 ms, too: the time plays no part.",
        )
    if result == "quick" and choose(1000, 9) == "large":
        raise Hint(
            "swapped",
            "The two budgets are swapped: to_try takes the milliseconds first. Pass them by name.",
        )
    if result in ("small", "weak", None) and choose(60, 24) in ("good", "level"):
        raise Hint(
            "not-halved",
            "A backbone of 23 MB in float32 was left out for 12 MB. In float16 it takes 11.5 MB.",
        )
    if isinstance(result, str) and result in mistakes:
        raise Hint(*mistakes[result])
    if result is None:
        raise Hint(
            "none",
            "You return None (is there a return?) although six backbones fit 60 ms and 12 MB.",
        )
    if result != "good":
        raise Hint(
            "no-candidate",
            f"{result!r} is no name among the candidates that were passed in. Choose from these.",
        )
    try:
        nothing = choose(3, 12)
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
    if choose(57, 11.5) != "good":
        raise Hint(
            "at-most",
            "Three crops at 19 ms take 57 ms, and 23 MB take 11.5 in float16: just within 57 ms "
            "and 11.5 MB. Within is at most, <=.",
        )
    roomy = choose(1e9, 1e9)  # no infinity: milliseconds // 3 rounds, and is allowed
    if roomy == "large":
        raise Hint(
            "margin",
            "With a budget for all nine you took the one of 78 %, and there is one of 79 %. Only "
            "of equals the quicker comes first: no margin.",
        )
    if roomy != "slow":
        raise Hint("no-limit", "With a budget for all nine, the most accurate comes first.")


def _nothing_fits() -> Hint:
    return Hint(
        "memory-turned",
        "The time is right, but nothing fits 12 MB in your count. `candidates` are in float32: "
        "what takes 12 MB in float16 takes 24 there.",
    )


PIXELS, DEAL, LIMIT, MOST_PARAMETERS = 96, 708, 90.0, 20_000
TARGET = 1.45
"""The loss to reach on the hidden images."""
MARKS = {
    "guessing evenly": 2.30,
    "a pooled head after one epoch": 1.84,
    "a pooled head after fifteen epochs": 1.29,
    "the same with dropout and label smoothing": 1.23,
}


def check_head_in_budget(answer: Callable[[Pair, Pair], keras.Model]) -> str:
    """07.d: a head on feature maps with few parameters, by its loss on hidden photographs."""
    maps, labels, photographs = open_task.stamps_features(PIXELS, pooled=False)
    places = open_task.cut(labels, photographs, DEAL)
    parts = {part: (maps[where], labels[where]) for part, where in places.items()}
    model = require_model(open_task.in_time(answer, LIMIT, parts["train"], parts["val"]))
    if model.count_params() > MOST_PARAMETERS:
        raise Hint(
            "over-budget",
            f"The head has {model.count_params():,} parameters; the budget is "
            f"{MOST_PARAMETERS:,}. The commonest reason: Flatten, which pays for every place.",
        )
    features, truth = parts["hidden"]
    if len(model.inputs) != 1 or tuple(model.inputs[0].shape[1:]) not in (
        features.shape[1:],
        (None, None, features.shape[-1]),
    ):
        raise Hint(
            "other-input",
            f"The model has to take the maps that you got, shape {features.shape[1:]} for an "
            "image. If you changed them before training (pooled them, say), make that a layer of "
            "the model.",
        )
    loss, said = open_task.score(open_task.probabilities_of(model, features), truth, MARKS)
    said = f"{said[:-1]}, with {model.count_params():,} parameters."
    if loss <= TARGET:
        return said
    code, reason = open_task.commonest_reason(model, parts)
    raise Hint(code, f"{reason} {said} To reach: {TARGET:.2f}.")


EXERCISES = {
    "07.a": Exercise("Count one layer", check_conv_cost),
    "07.b": Exercise("A camera with a budget", check_for_the_camera),
    "07.c": Exercise("From this block on", check_unfreeze_from),
    "07.d": Exercise("The best head for its size", check_head_in_budget, open_task.SECONDS),
}
