"""Checks of lesson 05: the last n layers, the next fit's arguments, fine-tuning, a paired gain."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

from helpers.backbones import EfficientNetLite0
from helpers.exercises import open_task
from helpers.exercises.judging import Exercise, Hint
from helpers.exercises.open_task import Pair
from helpers.exercises.probes import (
    ask,
    close,
    described,
    hint_if_flag_unknown,
    hint_if_known,
    hint_if_set_on_weights,
    number,
    require_model,
)
from helpers.freezing import split_at


def check_unfreeze_last(answer: Callable[[keras.Model, int], Any]) -> None:
    """05.a: of a base, exactly the last n layers trainable, but no BatchNorm."""
    for begins in ("frozen", "open", "frozen one by one"):
        for count in COUNTS:
            base = _small_base()
            base.trainable = begins != "frozen"
            for layer in base.layers:
                layer.trainable = begins == "open"
            answer(base, count)
            _judge_unfrozen(answer, base, count, begins)


COUNTS = (9, 13)


def _small_base() -> keras.Model:
    """A base of 22 layers, searched for so that each known mistake frees other ones.

    Names of BatchNormalization say nothing of their type.
    """
    inputs = x = keras.Input((16, 16, 3))
    kinds = {
        "conv": lambda name: layers.Conv2D(4, 1, use_bias=False, name=name),
        "act": lambda name: layers.Activation("relu", name=name),
    }
    for name in NAMES.split():
        make = kinds.get(name.rstrip("0123456789"))
        x = make(name)(x) if make else layers.BatchNormalization(name=name)(x)
    return keras.Model(inputs, x, name="small_base")


NAMES = """
scaled bn_a act1 act2 act3 conv1 centred conv2 conv3 conv4 conv5 conv6 conv7 act4 conv8 act5
normal conv9 batch5 second_bn conv10
"""


def _free(base: keras.Model) -> set[str]:
    """Names of layers with weights that training would change, as the base itself sees it."""
    seen = {id(weight) for weight in base.trainable_weights}
    return {one.name for one in base.layers if any(id(weight) in seen for weight in one.weights)}


def _judge_unfrozen(answer: Callable, base: keras.Model, count: int, begins: str) -> None:
    every = base.layers
    norms = {one.name for one in every if isinstance(one, layers.BatchNormalization)}
    weighted = [one.name for one in every if one.weights]
    without_norms = [one.name for one in every if one.name not in norms]

    def convolutions(chosen: Sequence[Any]) -> set[str]:
        names = {getattr(one, "name", one) for one in chosen}
        return (names & set(weighted)) - norms

    found, wanted = _free(base), convolutions(every[-count:])
    if found == wanted:
        return
    hint_if_flag_unknown(base)
    hint_if_set_on_weights(base)
    if not base.trainable:
        if _leaves_alone(answer):
            raise Hint(*UNTOUCHED)
        raise Hint(
            "outer-flag",
            "base.trainable is still False, so base.trainable_weights is empty, and training the "
            "base by itself would do nothing (although a model around it would train the layers "
            "that you set). Set it to True first.",
        )
    if not found and begins == "frozen one by one":
        raise Hint(
            "already-true",
            "Your base came in with base.trainable True and each of its layers frozen: to set it "
            "to True again changes nothing. Say False first and then True, or set each layer.",
        )
    if not found:
        raise Hint("none", "No layer of the base is trainable afterwards.")
    if found == set(weighted):
        if _leaves_alone(answer):
            raise Hint(*UNTOUCHED)
        raise Hint(
            "all",
            "Every layer is trainable. base.trainable = True opens them all, also those that were "
            "frozen a line before: set the outer flag first, then freeze layer by layer. Or do the "
            'lines that freeze set nothing? == only compares, and "False" in quotes is true.',
        )
    plain = found - norms
    if plain == wanted:
        raise Hint(
            "batch-norm",
            "The right layers are trainable, and with them BatchNormalization: "
            f"{_listed(sorted(found & norms))}. Their moving statistics would change during fit. "
            "Freeze these by type, layers.BatchNormalization, wherever they stand; names differ.",
        )
    if not plain:
        raise Hint(
            "only-norms",
            "Only BatchNormalization is trainable: the question for its type is the wrong way "
            "round.",
        )
    first = f"With n = {count}"
    mistakes = {
        "all-but-norms": (
            convolutions(every),
            "BatchNorm is frozen and everything else is trainable: the first layers too. Freeze "
            "all but the last n layers.",
        ),
        "first": (
            convolutions(every[:count]),
            "You unfroze layers at the start of the base. The last n are base.layers[-n:].",
        ),
        "counted-from-the-front": (
            convolutions(every[count:]),
            "You froze the first n layers and left the others open. Count from the end: freeze "
            "base.layers[:-n].",
        ),
        "turned-round": (
            convolutions(every[:-count]),
            "It is the wrong way round: you froze the last n layers and opened the others.",
        ),
        "one-early": (
            convolutions(every[-count - 1 :]),
            f"{first} you open {count + 1} layers: one too many at the front.",
        ),
        "one-late": (
            convolutions(every[1 - count :]),
            f"{first} you open {count - 1} layers: the first of them stays frozen.",
        ),
        "without-the-last": (
            convolutions(every[-count:-1]),
            f"{first} the very last layer stays frozen: base.layers[-n:-1] ends before it. Write "
            "base.layers[-n:].",
        ),
        "only-one": (
            convolutions(every[-count : 1 - count]),
            f"{first} you open one layer. base.layers[-n] is one; base.layers[-n:] are the last n.",
        ),
        "with-weights-only": (
            convolutions(weighted[-count:]),
            f"{first} you count only layers that have weights. base.layers counts them all, "
            "activations too.",
        ),
        "without-norms": (
            convolutions(without_norms[-count:]),
            f"{first} you leave BatchNormalization out of the count. It counts as a layer; it is "
            "only not to be trained.",
        ),
    }
    other = _small_base()
    answer(other, sum(COUNTS) - count)
    if _free(other) == found and plain != convolutions(every):
        raise Hint(
            "fixed", f"You open the same layers for n = {COUNTS[0]} and {COUNTS[1]}. Use this n."
        )
    hint_if_known(plain, mistakes, same=lambda one, other: one == other)
    raise Hint(
        "other-layers",
        f"{first}, trainable should be {_listed(sorted(wanted))}; in your base it is "
        f"{_listed(sorted(found))}. Look at the slice of base.layers.",
    )


UNTOUCHED = (
    "base-untouched",
    "The base is as it came in. Did you change a copy, or a new name for another model? Set the "
    "flags of the very object that is passed in, and of its layers.",
)


def _leaves_alone(answer: Callable[[keras.Model, int], Any]) -> bool:
    """Whether the answer changes neither a frozen base nor an open one."""
    for flag in (False, True):
        base = _small_base()
        base.trainable = flag
        answer(base, COUNTS[0])
        if any(layer.trainable != flag for layer in (base, *base.layers)):
            return False
    return True


def check_continue_arguments(answer: Callable[[Any, int], dict[str, int]]) -> None:
    """05.b: epochs and initial_epoch for so many more epochs, after any fit."""
    first = _arguments(answer, [0, 1, 2, 3, 4], 3)
    later = _arguments(answer, [4, 5, 6], 2)
    if (first, later) == ((8, 5), (9, 7)):
        if _arguments(answer, [37], 20) != (58, 38):
            raise Hint(
                "only-here",
                "Right for the short runs that were tried first, and not after epoch 37, the only "
                "one of its fit, for 20 more: these are epochs=58 and initial_epoch=38.",
            )
        return
    if first == (5, 8):
        raise Hint(
            "swapped",
            "The two numbers are swapped: epochs is where training ends, so it is the larger.",
        )
    if (first[1], later[1]) in ((10, 15), (11, 16)):
        raise Hint(
            "summed",
            f"You add up the numbers of the epochs: after epochs 0 to 4 your initial_epoch is "
            f"{first[1]}. history.epoch is a list of them, and only its last one counts.",
        )
    if (first[1], later[1]) == (6, 8):
        raise Hint(
            "skips-one",
            "One epoch is left out: after epochs 0 to 4 the next one is 5, and your initial_epoch "
            "is 6. history.epoch[-1] is the number of the last, so add 1 once.",
        )
    if first[1] == 4 and later[1] == 6:
        raise Hint(
            "repeats",
            "The last epoch would run twice: Keras counts from 0, so after epochs 0 to 4 the next "
            "one is 5, and history.epoch[-1] is 4.",
        )
    if (first[0], later[0]) == (3, 2):
        raise Hint(
            "how-many-more",
            "epochs is where training ends, counted from the very first epoch, not how many more. "
            "With initial_epoch=5 and epochs=3, fit does nothing at all.",
        )
    if first == (8, 5) and later[1] == 3:
        raise Hint(
            "this-fit-only",
            "Right after a first fit. But a history knows only its own fit: after one that ran "
            "epochs 4, 5 and 6, its length is 3, and the next epoch is 7.",
        )
    if first[1] == 0 and later[1] == 0:
        raise Hint(
            "from-the-start",
            "With initial_epoch=0 the count begins anew, and so does every schedule that depends "
            "on it.",
        )
    if (first[1], later[1]) == (5, 7):
        raise Hint(
            "wrong-end",
            f"initial_epoch is right. After epochs 0 to 4, three more end at epochs=8; yours is "
            f"{first[0]}.",
        )
    if (first[1], later[1]) == (0, 4):
        raise Hint(
            "first-of-the-fit",
            "initial_epoch is the first epoch of the fit that is over: its epochs would all run "
            "again. history.epoch[-1] is the last.",
        )
    case = "0 to 4, three more are epochs=8 and initial_epoch=5"
    if first == (8, 5):
        case, first = "4 to 6, two more are epochs=9 and initial_epoch=7", later
    raise Hint(
        "other-numbers",
        f"After epochs {case}; yours are epochs={first[0]} and initial_epoch={first[1]}.",
    )


def _arguments(answer: Callable[[Any, int], Any], epochs: list[int], more: int) -> tuple[int, int]:
    """Ask for the arguments after a fit that ran these epochs; return epochs, initial_epoch."""
    history, before = _history(epochs), vars(_history(epochs))
    result = answer(history, more)
    if any(getattr(history, name) != before[name] for name in ("epoch", "history", "params")):
        raise Hint(
            "changed-in-place",
            "Your function changes the history that it was given, by pop() or append(), say. "
            "Whoever draws its curves afterwards draws others. Only read it.",
        )
    if not isinstance(result, dict):
        raise Hint(
            "not-a-dict",
            f'Return a dictionary {{"epochs": ..., "initial_epoch": ...}}; this is '
            f"{described(result)}.",
        )
    if set(result) != {"epochs", "initial_epoch"}:
        raise Hint(
            "other-keys",
            f'The keys must be "epochs" and "initial_epoch", because fit gets them by these '
            f"names; yours are {_listed(map(str, result))}.",
        )
    given = (result["epochs"], result["initial_epoch"])
    values = tuple(map(number, given))
    if not all(isinstance(value, int) for value in values):
        said = " and ".join(described(one) if one is None else f"{one!r}" for one in given)
        raise Hint("not-whole", f"Both must be whole numbers; yours are {said}.")
    return values


def _history(epochs: list[int]) -> keras.callbacks.History:
    """What a fit that ran these epochs returns."""
    history = keras.callbacks.History()
    history.set_model(keras.Sequential())
    history.set_params({"verbose": 0, "epochs": epochs[-1] + 1, "steps": 2})
    history.on_train_begin()
    for epoch in epochs:
        history.on_epoch_end(epoch, {"accuracy": 0.5, "loss": 1.0 / (epoch + 1)})
    return history


PIXELS, CUT, LIMIT = 96, 505, 60.0
TARGET = 1.65
"""The loss to reach on the hidden images."""
MARKS = {"guessing evenly": 2.30, "a head without smoothing": 2.05, "the reference answer": 1.50}
"""Losses of recorded answers on the hidden images, of one run each."""


def check_fine_tune(answer: Callable[[Pair, Pair, keras.Model], keras.Model]) -> str:
    """05.c: a head and a tail trained together, by their loss on photographs not seen."""
    parts, tail = _maps(), _tail()
    before = {layer.name: layer.get_weights() for layer in tail.layers}
    model = require_model(
        open_task.in_time(
            lambda train, val: answer(train, val, tail), LIMIT, parts["train"], parts["val"]
        )
    )
    maps, labels = parts["hidden"]
    found = open_task.probabilities_of(model, maps)
    loss, score = open_task.score(found, labels, MARKS)
    if loss <= TARGET:
        return score
    code, reason = _reason(model, parts, tail, before)
    raise Hint(code, f"{reason} {score} To reach: {TARGET:.2f}.")


def _maps() -> dict[str, Pair]:
    """Maps and labels of each part. The channels are those of the lesson, the cut is not."""
    maps, labels, photographs = open_task.stamps_features(PIXELS, layer="block6d_add")
    places = open_task.cut(labels, photographs, CUT)
    return {part: (maps[at], labels[at]) for part, at in places.items()}


def _tail() -> keras.Model:
    """The rest of the base behind block 6, frozen, with ImageNet's weights."""
    base = EfficientNetLite0(include_top=False, weights="imagenet", input_shape=(PIXELS, PIXELS, 3))
    tail = split_at(base, "block6d_add")[1]
    tail.trainable = False
    return tail


def _reason(
    model: keras.Model,
    parts: dict[str, Pair],
    tail: keras.Model,
    before: dict[str, list[np.ndarray]],
) -> tuple[str, str]:
    """The commonest reason that fits such a score."""

    def changed(layer: keras.layers.Layer) -> bool:
        pairs = zip(layer.get_weights(), before[layer.name], strict=True)
        return any(not np.array_equal(now, then) for now, then in pairs)

    moved = [layer for layer in tail.layers if layer.weights and changed(layer)]
    code, reason = open_task.commonest_reason(model, parts)
    if code == "untrained":
        return code, reason
    if not moved:
        return (
            "still-frozen",
            "Not one weight of the tail has changed: this is the head alone. Open the tail, then "
            "compile the model that you fit, and fit again.",
        )
    if any(isinstance(layer, layers.BatchNormalization) for layer in moved):
        return (
            "batch-norm",
            "The BatchNormalization layers of the tail have moved. Freeze these by type before "
            "you compile.",
        )
    return code, reason


# Accuracies of control and fine-tuned, seed by seed. Ordered by one, they are not ordered by the
# other, so that pairs that were broken show.
SEEDS = (
    (
        np.array([0.52, 0.60, 0.55, 0.66, 0.58, 0.63, 0.49]),
        np.array([0.59, 0.61, 0.57, 0.65, 0.66, 0.64, 0.56]),
    ),
    (np.array([0.71, 0.64, 0.69, 0.66]), np.array([0.70, 0.68, 0.74, 0.67])),
)


def check_gain_interval(answer: Callable[..., Sequence[float]]) -> None:
    """05.d: Student's t interval of the mean paired gain."""
    from scipy.stats import t

    def interval(centre: float, half: float) -> tuple[float, float]:
        return centre - half, centre + half

    def right(control: np.ndarray, tuned: np.ndarray) -> tuple[float, float]:
        gain = tuned - control
        quantile = t.ppf(0.975, len(gain) - 1)
        return interval(gain.mean(), quantile * gain.std(ddof=1) / np.sqrt(len(gain)))

    (control, tuned), fewer = SEEDS
    found = _two_numbers(ask(answer, control, tuned, what="arrays"))
    if close(found, right(control, tuned)):
        if not close(_two_numbers(answer(*fewer)), right(*fewer)):
            raise Hint(
                "only-here",
                f"Right for {len(control)} seeds, and not for {len(fewer[0])}: is a number written "
                "out that depends on how many there are?",
            )
        return
    gain = tuned - control
    low, high = right(control, tuned)
    mistakes = {
        "half-width": (
            (gain.mean(), high - gain.mean()),
            "You return the middle and half the width. Return the two ends: middle minus half, and "
            "middle plus half.",
        ),
        "range": (
            (gain.min(), gain.max()),
            "This is the smallest and the largest gain. It grows with more seeds; an interval of "
            "the mean shrinks.",
        ),
        "percentiles": (
            np.percentile(gain, [2.5, 97.5]),
            "These are percentiles of the gains: between them lie single seeds. The interval of "
            "the mean is narrower, by the square root of n.",
        ),
    }
    hint_if_known(found, mistakes)
    if any(close(found, np.round((low, high), digits)) for digits in range(1, 6)):
        raise Hint("rounded", "The right interval, rounded. Return the numbers as they come out.")
    if wrong := _wrong_parts(found, control, tuned):
        raise Hint(wrong[0], " ".join(PARTS[code] for code in wrong))
    raise Hint(
        "other-numbers",
        "This is not Student's interval of the mean gain. Compute the gain of each seed first; "
        "then its mean, its standard deviation with ddof=1, divide that by the square root of the "
        "number of seeds, and multiply by t.ppf(0.975, n - 1).",
    )


PARTS = {
    "sign": "The sign is turned round: a gain is fine-tuned minus control.",
    "percent": "You return points (hundredths). The accuracies are shares from 0 to 1, and so is "
    "their gain.",
    "relative": "You divide by the control's accuracy. The gain of a seed is the plain difference.",
    "broken-pairs": "You sorted both first, and so took differences of different seeds. The same "
    "place is the same seed: leave the order alone.",
    "absolute": "You made losses into gains, by abs() or a square. A gain may be negative.",
    "tuned-only": "This is about the fine-tuned accuracies alone. Take the control's away first.",
    "control-only": "This is about the control's accuracies alone. Take them from the fine-tuned.",
    "median": "The middle of your interval is the median. Student's interval lies around the mean.",
    "zero": "Your interval lies around zero, and should lie around the mean gain.",
    "high-low": "Low and high are swapped.",
    "normal": "Two standard errors, or 1.96, are right for many seeds. The spread of seven is "
    "itself a rough guess: Student's t makes up for that, with t.ppf(0.975, n - 1).",
    "normal-exactly": "1.96 standard errors are right for many seeds. The spread of seven is "
    "itself a rough guess: Student's t makes up for that, with t.ppf(0.975, n - 1).",
    "one-error": "This is one standard error to each side, about two chances in three. Multiply "
    "it by Student's quantile.",
    "one-sided": "t.ppf(0.95, ...) leaves 5 % on each side, which makes a 90 % interval. For 95 % "
    "leave 2.5 % on each side.",
    "99-percent": "t.ppf(0.995, ...) makes a 99 % interval. For 95 % leave 2.5 % on each side: "
    "0.975.",
    "degrees": "One degree of freedom too many: the mean has used one up, so n - 1 are left.",
    "degrees-twice": "One degree of freedom too few: n - 1 are left, not n - 2.",
    "degrees-of-two": "You count the degrees of freedom of two samples. The gains are one sample: "
    "n - 1.",
    "no-quantile": "t.ppf gives the quantile; t.pdf and t.cdf are something else.",
    "five-seeds": "You took Student's quantile for five seeds. Here there are more: use len.",
    "five": "You divide by the root of five. Take the number of seeds from the arrays.",
    "population": "np.std divides by n if not told otherwise, which is too small for a sample of "
    "few seeds. Look at its argument ddof.",
    "variance": "You used the variance. The standard error begins with its root, the standard "
    "deviation: np.std, and not np.var.",
    "unpaired": "You treated the two lists as if their seeds had nothing to do with each other. "
    "Each pair began with the same head: take the difference seed by seed, then its spread.",
    "spread-of-one": "You took the spread of one of the two lists. It is that of the gains.",
    "deviation": "You used the standard deviation, which says how far single seeds lie apart. The "
    "mean of n seeds is steadier: divide by the square root of n.",
    "divided-by-n": "You divided by n. The error of a mean falls with the square root of n.",
    "root-of-n-1": "You took n - 1 twice: ddof=1 has it already. Divide by the square root of n.",
    "root-of-2n": "Divide by the square root of the number of seeds. Each seed counts once.",
    "doubled": "It is twice as wide: the half width goes to each side once.",
    "halved": "It is half as wide: the whole half width goes to each side.",
}
"""What is said of each part of an interval that is not as it should be."""


def _wrong_parts(found: tuple[float, float], control: np.ndarray, tuned: np.ndarray) -> list[str]:
    """Take an interval apart: the fewest parts, two or three at most, that make it wrong."""
    from scipy.stats import t

    n, gain = len(control), tuned - control
    used = {
        "": gain,
        "sign": -gain,
        "percent": 100 * gain,
        "relative": gain / control,
        "broken-pairs": np.sort(tuned) - np.sort(control),
        "absolute": abs(gain),
        "tuned-only": tuned,
        "control-only": control,
    }
    apart = np.sqrt(control.var(ddof=1) + tuned.var(ddof=1))
    quantiles = {
        "": t.ppf(0.975, n - 1),
        "normal": 2,
        "normal-exactly": t.ppf(0.975, np.inf),
        "one-error": 1,
        "one-sided": t.ppf(0.95, n - 1),
        "99-percent": t.ppf(0.995, n - 1),
        "degrees": t.ppf(0.975, n),
        "degrees-twice": t.ppf(0.975, n - 2),
        "degrees-of-two": t.ppf(0.975, 2 * n - 2),
        "no-quantile": t.pdf(0.975, n - 1),
        "five-seeds": t.ppf(0.975, 4),
    }
    divisors = {
        "": np.sqrt(n),
        "deviation": 1,
        "divided-by-n": n,
        "root-of-n-1": np.sqrt(n - 1),
        "root-of-2n": np.sqrt(2 * n),
        "five": np.sqrt(5),
        "doubled": np.sqrt(n) / 2,
        "halved": np.sqrt(n) * 2,
    }
    order = {"high-low": max(found) - min(found)} if found[0] > found[1] else {}
    middle, half = sum(found) / 2, abs(found[1] - found[0]) / 2
    fits = []
    for name, gains in used.items():
        middles = {"": gains.mean(), "median": np.median(gains), "zero": 0}
        spreads = {
            "": gains.std(ddof=1),
            "population": gains.std(),
            "variance": gains.var(ddof=1),
            "unpaired": apart,
            "spread-of-one": tuned.std(ddof=1),
        }
        for around, (kind, spread), (many, quantile), (by, divisor) in itertools.product(
            middles, spreads.items(), quantiles.items(), divisors.items()
        ):
            # A quantile that was typed has few digits.
            if max(abs(middle - middles[around]), abs(half - quantile * spread / divisor)) < 1e-5:
                fits.append([code for code in (name, around, *order, kind, many, by) if code])
    return min((fit for fit in fits if len(fit) <= 3), key=len, default=[])


def _two_numbers(result: Any) -> tuple[float, float]:
    """Return the two ends of an interval.

    Raises:
        Hint: ``"not-two"`` or ``"not-numbers"``.
    """
    ends = [] if isinstance(result, str | set | dict) or not np.ndim(result) else [*result]
    if len(ends) != 2:
        raise Hint(
            "not-two",
            "Return two numbers, the lower and the upper end; this is "
            f"{f'{len(ends)} of them' if ends else described(result)}. The mean alone says nothing "
            "about noise.",
        )
    low, high = map(number, ends)
    if low is None or high is None:
        raise Hint(
            "not-numbers",
            f"Return two numbers; yours are {described(ends[0])} and {described(ends[1])}.",
        )
    return low, high


def _listed(names: Any) -> str:
    return ", ".join(names) or "nothing"


EXERCISES = {
    "05.a": Exercise("The last n, without BatchNorm", check_unfreeze_last),
    "05.b": Exercise("Go on where it stopped", check_continue_arguments),
    "05.c": Exercise("Fine-tune it yourself", check_fine_tune, open_task.SECONDS),
    "05.d": Exercise("More than noise?", check_gain_interval),
}
