"""Checks of lesson 08: a calibration error, a heat map, a temperature, wrong labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from helpers.exercises import open_task
from helpers.exercises.judging import Exercise, Hint
from helpers.exercises.probes import close, described, hint_if_known, require_number


def check_calibration_error(answer: Callable[..., float]) -> None:
    """08.a: the expected calibration error of a few images, some bins of which are empty."""
    rng = np.random.default_rng(80)
    probabilities = softmax(rng.normal(0, 1.3, (70, 5)), axis=1)
    # Unsure answers are mostly right, sure ones often not: gaps of both signs.
    hit = rng.random(70) < np.where(probabilities.max(axis=1) < 0.6, 0.95, 0.5)
    labels = (probabilities.argmax(axis=1) + np.where(hit, 0, 1)) % 5
    for bins in (10, 4):
        result = require_number(answer(probabilities.copy(), labels.copy(), bins))
        sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
        place = np.floor(sure * bins).astype(int)
        gaps = {b: (sure - right)[place == b].mean() for b in np.unique(place)}
        share = {b: np.mean(place == b) for b in gaps}
        wanted = sum(share[b] * abs(gaps[b]) for b in gaps)
        of_label = probabilities[np.arange(70), labels]
        mistakes = {
            "bins-alike": (
                np.mean(np.abs([*gaps.values()])),
                "You average over the bins as if all were equally full. Each gap counts by the "
                "share of the images in its bin.",
            ),
            "empty-bins": (
                np.sum(np.abs([*gaps.values()])) / bins,
                "You add up the gaps and divide by the number of bins, empty ones included. Each "
                "gap counts by the share of the images in its bin.",
            ),
            "signs": (
                sum(share[b] * gaps[b] for b in gaps),
                "Bins that are too sure and bins that are not sure enough cancel out in your sum. "
                "Take the size of each gap, without its sign.",
            ),
            "each-image": (
                np.mean(np.abs(sure - right)),
                "You take the gap of every single image. A single answer is right or wrong, never "
                "70 % right: average within a bin first, then take the gap.",
            ),
            "no-bins": (
                abs(np.mean(sure - right)),
                "This is the gap of all images together, in one bin. Bins that are too sure and "
                "bins that are not sure enough hide each other there.",
            ),
            "largest": (
                np.max(np.abs([*gaps.values()])),
                "This is the largest gap (the maximum calibration error). Wanted is their mean, "
                "each weighted by its bin's share of the images.",
            ),
            "of-the-label": (
                _ece(of_label, right, bins),
                "You take the probability of the true class. How sure a model is stands in the "
                "largest probability of each row.",
            ),
            "equally-full": (
                sum(
                    len(part) / 70 * abs((sure - right)[part].mean())
                    for part in np.array_split(np.argsort(sure), bins)
                ),
                "Your bins hold equally many images. Wanted are bins of equal width: with 10, the "
                "first from 0 to 0.1, the last from 0.9 to 1.",
            ),
            "percent": (100 * wanted, "Right, but in percent. Return a share between 0 and 1."),
        }
        if close(result, wanted):
            continue
        hint_if_known(result, mistakes)
        if bins == 4 and close(result, _ece(sure, right, 10)):
            raise Hint("fixed-bins", "With 4 bins you return what 10 bins give: use `bins`.")
        raise Hint(
            "other-number",
            f"For 70 images and {bins} bins of equal width from 0 to 1 you return {result:.4f}; it "
            f"is {wanted:.4f}.",
        )


def _ece(sure: np.ndarray, right: np.ndarray, bins: int) -> float:
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = np.bincount(place, sure - right, bins)
    return float(np.abs(gaps).sum() / len(sure))


def check_heat(answer: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
    """08.b: from maps and gradients to the heat of each place."""
    rng = np.random.default_rng(81)
    maps = rng.normal(0.4, 1, (3, 4, 5, 6))
    gradients = rng.normal(0, 1, (3, 4, 5, 6))
    result = np.asarray(answer(maps.copy(), gradients.copy()))
    weights = gradients.mean(axis=(1, 2), keepdims=True)
    plain = (weights * maps).sum(axis=-1)
    wanted = np.maximum(plain, 0)
    if result.dtype == object or result.shape != wanted.shape:
        with_axis = result.shape == (*wanted.shape, 1)
        raise Hint(
            "extra-axis" if with_axis else "shape",
            f"For maps of shape (3, 4, 5, 6) the heat has the shape (3, 4, 5), a number a place; "
            f"yours has {result.shape}."
            + (" Sum over the channels without keeping their axis." if with_axis else ""),
        )
    whole = gradients.mean(axis=(0, 1, 2), keepdims=True)
    mistakes = {
        "no-relu": (
            plain,
            "Places that speak against the class are negative in your heat. Keep what is positive "
            "and set the rest to zero.",
        ),
        "relu-first": (
            (weights * np.maximum(maps, 0)).sum(axis=-1).clip(0),
            "You cut the negative values of the maps off before adding up. Only the sum over the "
            "channels is cut off at zero.",
        ),
        "positive-weights": (
            (np.maximum(weights, 0) * maps).sum(axis=-1).clip(0),
            "You use the positive weights only. A channel that speaks against the class has to "
            "count against it.",
        ),
        "not-averaged": (
            (gradients * maps).sum(axis=-1).clip(0),
            "You multiply the maps by the gradients place by place. Grad-CAM first averages the "
            "gradients over the places: one weight a channel.",
        ),
        "summed": (
            (gradients.sum(axis=(1, 2), keepdims=True) * maps).sum(axis=-1).clip(0),
            "You add the gradients of all places up, so the heat grows with the size of the maps. "
            "Average them.",
        ),
        "all-images": (
            (whole * maps).sum(axis=-1).clip(0),
            "You average the gradients over the images too. Each image has its own weights.",
        ),
        "absolute": (
            np.abs(plain),
            "You take the size of the sum. What speaks against the class becomes hot that way: cut "
            "off at zero.",
        ),
        "relu-each": (
            np.maximum(weights * maps, 0).sum(axis=-1),
            "You cut off each channel's negative part and add up what is left. Add the channels "
            "up first, so that those which speak against the class count; then cut off at zero.",
        ),
        "mean-of-channels": (
            (weights * maps).mean(axis=-1).clip(0),
            "You average over the channels. Add them up: the sum is in logits.",
        ),
        "scaled": (
            wanted / wanted.max(axis=(1, 2), keepdims=True),
            "The map is right and then scaled to 1. Leave that to the drawing: maps of two images "
            "can no longer be compared.",
        ),
    }
    if not close(result, wanted, 1e-5):
        hint_if_known(result, mistakes)
        raise Hint(
            "other-values",
            f"The first image's first place should have {wanted[0, 0, 0]:.3f}, its hottest "
            f"{wanted[0].max():.3f}; yours have {result[0, 0, 0]:.3f} and {result[0].max():.3f}.",
        )


def check_temperature(answer: Callable[[np.ndarray, np.ndarray], float]) -> None:
    """08.c: the temperature of the lowest loss, of a head too sure and of one not sure enough."""
    for true in (2.6, 0.45):
        rng = np.random.default_rng(82)
        honest = rng.normal(0, 1.5, (900, 6))
        steps = softmax(honest, axis=1).cumsum(axis=1)
        labels = (steps > rng.random((900, 1))).argmax(axis=1)
        logits = honest * true
        result = require_number(answer(logits.copy(), labels.copy()))
        wanted = _temperature(logits, labels)
        if abs(result / wanted - 1) < 0.03:
            continue
        if abs(result * wanted - 1) < 0.03:
            raise Hint(
                "inverse",
                f"You return {result:.2f}, by which the logits are to be *multiplied*. A "
                "temperature divides them: a model that is too sure has one above 1.",
            )
        twice = _temperature(softmax(logits, axis=1), labels)
        if abs(result / twice - 1) < 0.03:
            raise Hint(
                "softmax-twice",
                "You divide probabilities and take a softmax of them once more. Divide the logits.",
            )
        if true > 1 and result <= 1.02:
            raise Hint(
                "never-above-one",
                f"This head is too sure, and you return {result:.2f}. Do your candidates go above "
                "1, and do you choose by the loss? Accuracy is the same at every temperature.",
            )
        if true < 1 and result >= 0.98:
            raise Hint(
                "never-below-one",
                "Right for a head that is too sure. This one is not sure enough, and its "
                f"temperature lies below 1; you return {result:.2f}. Try smaller ones too.",
            )
        if abs(result / wanted - 1) < 0.25:
            raise Hint(
                "too-coarse",
                f"Near it: you return {result:.2f}, the lowest loss is at {wanted:.2f}. Is your "
                "grid too coarse, or do you make something else small than the mean NLL?",
            )
        raise Hint(
            "other-number",
            f"You return {result:.2f}; the mean NLL of softmax(logits / T) is lowest at T = "
            f"{wanted:.2f}.",
        )


def _temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    def loss(log_t: float) -> float:
        found = log_softmax(logits / np.exp(log_t), axis=1)
        return -found[np.arange(len(labels)), labels].mean()

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded").x))


DEALS, IMAGES, SWAPPED, LIMIT = (811, 812, 813), 6, 10, 60.0
TARGET = 0.45
"""Share of the planted labels to find."""
MARKS = {
    "guessing": 0.07,
    "the nearest images": 0.29,
    "a head that has not seen the image": 0.44,
    "the nearest images of other photographs, averaged over each photograph": 0.51,
    "a head that has not seen the photograph, averaged likewise": 0.58,
}


@cache
def _deal(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features, labels, photographs, and which labels are wrong: those of whole photographs."""
    features, labels, photographs = open_task.stamps_features(96)
    rng = np.random.default_rng(seed)
    names, labels = np.unique(photographs), labels.copy()
    of_each = [rng.permutation(np.flatnonzero(photographs == one))[:IMAGES] for one in names]
    kept = rng.permutation(np.concatenate(of_each))
    swapped = rng.choice(names, SWAPPED, replace=False)
    for one in swapped:
        labels[photographs == one] = (labels[photographs == one] + rng.integers(1, 10)) % 10
    columns = rng.permutation(features.shape[1])  # what was trained in the lesson knows nothing
    _, number = np.unique(photographs[kept], return_inverse=True)
    wrong = np.isin(photographs[kept], swapped)
    return features[kept][:, columns], labels[kept], rng.permutation(len(names))[number], wrong


def check_mislabelled(answer: Callable[..., Sequence[int]]) -> str:
    """08.d: images with planted wrong labels, the most suspicious first; by how many are found."""
    found = [_found(answer, *_deal(seed)) for seed in DEALS]
    share = float(np.mean([part for part, _ in found]))
    said = (
        f"{share:.0%} of the planted labels found, in {len(DEALS)} deals of about "
        f"{len(_deal(DEALS[0])[1])} images: {open_task.between(share, MARKS)}."
    )
    if share >= TARGET:
        return said
    last = float(np.mean([last for _, last in found]))
    if last >= TARGET or last > max(2 * share, MARKS["guessing"] + 0.1):
        raise Hint(
            "turned-round",
            f"{said} But of the last ones in your order {last:.0%} are planted: turn it round, the "
            "most suspicious first.",
        )
    raise Hint(
        "too-few-found",
        f"{said} To reach: {TARGET:.0%}. A wrong label belongs to a whole photograph. Did what you "
        "asked see other images of the same photograph, with the same wrong label? Then it agrees "
        "with it. Ask only what comes from other photographs.",
    )


def _found(
    answer: Callable[..., Sequence[int]],
    features: np.ndarray,
    labels: np.ndarray,
    photographs: np.ndarray,
    wrong: np.ndarray,
) -> tuple[float, float]:
    """Share of the wrong labels among the first places of an answer, and among its last."""
    count = int(wrong.sum())
    given = (features, labels), (photographs, photographs)
    order = open_task.in_time(lambda data, names: answer(data[0], data[1], names[0]), LIMIT, *given)
    places = np.asarray(order)
    if places.dtype == object or places.ndim != 1 or places.size == 0:
        raise Hint("no-places", f"Return places, one after the other; this is {described(order)}.")
    if places.dtype.kind == "b":
        raise Hint("mask", "You return a truth value an image. Return places, in an order.")
    if places.dtype.kind not in "iu":
        raise Hint(
            "scores",
            "You return fractions: a score an image, it seems. Return the places of the images, "
            "ordered by it: np.argsort.",
        )
    if len(np.unique(places)) < len(places) or places.min() < 0 or places.max() >= len(labels):
        raise Hint(
            "not-once",
            f"Each place from 0 to {len(labels) - 1} may come once, and yours are other numbers or "
            "come twice. Do you return the labels, perhaps, or the photographs' numbers?",
        )
    if len(places) < count:
        raise Hint(
            "too-short",
            f"You return {len(places)} places. More labels than that are wrong; return all places, "
            "the most suspicious first.",
        )
    return float(wrong[places[:count]].mean()), float(wrong[places[-count:]].mean())


EXERCISES = {
    "08.a": Exercise("Surer than right", check_calibration_error),
    "08.b": Exercise("From gradients to heat", check_heat),
    "08.c": Exercise("A temperature of your own", check_temperature),
    "08.d": Exercise("Find the planted labels", check_mislabelled, open_task.SECONDS),
}
