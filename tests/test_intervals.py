"""Intervals cover what they say they cover, and widen where images hang together."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.intervals import by_photograph, student_t


def test_student_t_of_two_values_is_as_in_the_tables() -> None:
    low, high = student_t([1.0, 3.0])  # mean 2, standard error 1, t(1) = 12.706
    assert (low, high) == pytest.approx((2 - 12.706, 2 + 12.706), abs=1e-3)


def test_student_t_covers_the_true_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    intervals = [student_t(rng.normal(3, 2, 5), confidence=0.9) for _ in range(2_000)]
    assert np.mean([low < 3 < high for low, high in intervals]) == pytest.approx(0.9, abs=0.02)


def test_photographs_cover_the_true_mean_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(7)
    names = np.repeat(np.arange(50), 6)
    covered = []
    for _ in range(300):
        of_photograph = rng.normal(0.2, 1, 50)
        low, high = by_photograph(of_photograph[names], names, draws=500)
        covered.append(low < 0.2 < high)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.04)


def test_images_that_hang_together_widen_the_interval() -> None:
    right = np.tile(np.repeat([0.0, 1.0], 6), 20)
    together = by_photograph(right, np.repeat(np.arange(40), 6))
    alone = by_photograph(right, np.arange(240))
    ratio = (together[1] - together[0]) / (alone[1] - alone[0])
    assert ratio == pytest.approx(6**0.5, rel=0.15)


def test_seeds_are_drawn_as_well() -> None:
    names = np.arange(100)
    alike = by_photograph(np.full((5, 100), 0.5), names)
    apart = by_photograph(np.tile([[0.3], [0.4], [0.5], [0.6], [0.7]], 100), names)
    assert alike == pytest.approx((0.5, 0.5))
    assert apart[1] - apart[0] > 0.15


def test_photographs_count_by_their_images() -> None:
    values, names = np.array([1.0, 1, 1, 0]), ["a", "a", "a", "b"]
    low, high = by_photograph(values, names)
    assert (low, high) == (0, 1)
    assert by_photograph(values, names, confidence=0.01)[0] == pytest.approx(0.75)


def test_what_cannot_be_drawn_from_is_said() -> None:
    with pytest.raises(ValueError, match="3 values for 2 photographs' names"):
        by_photograph(np.zeros(3), ["a", "b"])
    with pytest.raises(ValueError, match="all images come from one photograph"):
        by_photograph(np.zeros(2), ["a", "a"])
    with pytest.raises(ValueError, match="at least two"):
        student_t([1.0])
