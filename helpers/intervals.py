"""How far a measured number can be trusted: 95 % intervals over photographs and over seeds."""

from collections.abc import Sequence

import numpy as np

from helpers.session import SEED


def by_photograph(
    values: np.ndarray,
    photographs: Sequence,
    *,
    draws: int = 2_000,
    confidence: float = 0.95,
    seed: int = SEED,
) -> tuple[float, float]:
    """Bootstrap interval of a mean over images, where whole photographs are drawn anew.

    The images of one photograph stand or fall together, so they are drawn together. With several
    seeds, these are drawn anew as well. For a gain, pass differences, image by image (paired).

    Args:
        values: What is averaged (1 for right and 0 for wrong, or a difference of two such): shape
            ``(images,)`` for one run or ``(seeds, images)``.
        photographs: For each image, the name of its photograph (or block, or module).
        draws: How many times to draw.
        confidence: Share of the draws between the two ends, between 0 and 1.
        seed: Of the draws.

    Returns:
        ``(low, high)``, in the unit of `values`.

    Raises:
        ValueError: There are not as many photographs' names as images, or only one photograph.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapters 8 and 13.
    """
    values = np.atleast_2d(np.asarray(values, dtype=float))
    names, place = np.unique(np.asarray(photographs), return_inverse=True)
    if values.shape[1:] != place.shape:
        raise ValueError(f"{values.shape[1]} values for {place.size} photographs' names")
    if len(names) < 2:
        raise ValueError("all images come from one photograph: there is nothing to draw from")
    sums = np.stack([np.bincount(place, row, len(names)) for row in values])
    rng, runs = np.random.default_rng(seed), len(values)
    of_runs = rng.multinomial(runs, np.full(runs, 1 / runs), draws) / runs
    of_names = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), draws)
    means = np.einsum("ds,sp,dp->d", of_runs, sums, of_names) / (of_names @ np.bincount(place))
    return _ends(np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2]))


def student_t(values: Sequence[float], *, confidence: float = 0.95) -> tuple[float, float]:
    """Student's t interval of the mean of a few values, one a seed or split.

    Args:
        values: At least two numbers. For a gain, pass differences, seed by seed (paired).
        confidence: Between 0 and 1.

    Returns:
        ``(low, high)``, in the unit of `values`.

    Raises:
        ValueError: There are fewer than two values.
    """
    from scipy.stats import t  # only here: it takes a moment to import

    values = np.asarray(values, dtype=float)
    if values.size < 2:
        raise ValueError("an interval over seeds needs at least two of them")
    half = t.ppf((1 + confidence) / 2, values.size - 1) * values.std(ddof=1) / values.size**0.5
    return _ends(values.mean() + np.array([-half, half]))


def _ends(pair: np.ndarray) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])
