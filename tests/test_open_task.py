"""Open exercises: hidden images, fresh copies, a limit, and a place between the marks."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from helpers.exercises import Hint, evaluate, lesson_02, lesson_04, open_task
from helpers.session import COURSE_ROOT
from tools.catalogues import catalogue

MARKS = {"guessing": 2.3, "short": 1.8, "best": 1.4}
TOLERANCE = 0.08  # between machines, and between versions of their arithmetic


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (3.0, "3.00, worse than guessing (2.30)"),
        (2.0, "2.00, between short (1.80) and guessing (2.30)"),
        (1.0, "1.00, better than best (1.40)"),
    ],
)
def test_a_loss_is_placed_between_the_marks(loss: float, said: str) -> None:
    assert open_task.place(loss, MARKS) == said


def test_a_cut_shares_no_photograph_and_every_part_has_every_class() -> None:
    with open(COURSE_ROOT / "data" / "stamps" / "manifest.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] != "test"]
    labels, photographs = (np.array([row[name] for row in rows]) for name in ("class", "source"))
    cuts = [open_task.cut(labels, photographs, seed) for seed in (1, 2, 1)]
    for parts in cuts:
        assert sorted(np.concatenate([*parts.values()])) == list(range(len(rows)))
        of = {part: set(photographs[places]) for part, places in parts.items()}
        assert sum(map(len, of.values())) == len(set(photographs))
        assert all(len(set(labels[places])) == 10 for places in parts.values())
    assert not np.array_equal(cuts[0]["hidden"], cuts[1]["hidden"])
    assert np.array_equal(cuts[0]["hidden"], cuts[2]["hidden"])


def test_no_test_image_is_ever_hidden_material() -> None:
    features, labels, photographs = open_task.stamps_features(lesson_04.PIXELS)
    with open(COURSE_ROOT / "data" / "stamps" / "manifest.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert not set(photographs) & {row["source"] for row in rows if row["split"] == "test"}
    assert features.shape == (len(labels), 1280)
    assert len(photographs) == len(labels) == sum(row["split"] != "test" for row in rows)


def test_an_answer_works_on_copies_and_a_changed_one_is_said() -> None:
    pair = (np.ones((3, 2)), np.zeros(3))

    def spoil(given):
        given[0][0] = 7

    with pytest.raises(Hint, match="changes the arrays") as caught:
        open_task.in_time(spoil, 60, pair)
    assert caught.value.code == "changed-in-place"
    assert pair[0].max() == 1


def test_an_answer_that_takes_too_long_is_told_so() -> None:
    with pytest.raises(Hint, match=r"of processor time, and 0 s were allowed") as caught:
        open_task.in_time(lambda: sum(range(10**6)), 0.0)
    assert caught.value.code == "too-slow"


def test_too_sure_a_model_has_a_temperature_above_one() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2_000, 10))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(10, p=row) for row in shares])
    sure = np.exp(3 * logits) / np.exp(3 * logits).sum(axis=1, keepdims=True)
    assert open_task.best_temperature(shares, labels)[0] == pytest.approx(1, abs=0.2)
    assert open_task.best_temperature(sure, labels)[0] == pytest.approx(3, rel=0.2)


def test_the_recorded_marks_are_what_these_answers_reach() -> None:
    answers = catalogue("04")["04.d"]
    recorded = {
        "the last of forty epochs": answers["wrong"]["overconfident"],
        "a single epoch": answers["wrong"]["too-short"],
    }
    for name, answer in recorded.items():
        said = evaluate("04.d", answer).sentence.split("has not seen: ")[1]
        assert float(said.split(",")[0]) == pytest.approx(lesson_04.MARKS[name], abs=TOLERANCE)


def test_a_pass_says_its_score_and_its_place() -> None:
    result = evaluate("04.d", catalogue("04")["04.d"]["right"][0])
    assert result.status == "passed"
    assert "has not seen: 1." in result.sentence
    assert "% of them right" in result.sentence


def test_the_marks_of_lesson_02_are_reached_again() -> None:
    answers = catalogue("02")["02.d"]
    recorded = {
        "a wide head, forty epochs": answers["wrong"]["overconfident"],
        "the reference answer": answers["right"][1],
    }
    for name, answer in recorded.items():
        said = evaluate("02.d", answer).sentence.split("has not seen: ")[1]
        assert float(said.split(",")[0]) == pytest.approx(lesson_02.MARKS[name], rel=TOLERANCE)
