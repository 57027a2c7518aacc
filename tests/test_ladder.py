"""The ladder: what a rung keeps, what it refuses, what stays sealed, and how it is shown."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from helpers import ladder
from helpers.session import SEED

LABELS = np.arange(20) % 10
HOME = "ladder.json"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A learner's folder without a ladder, and a course without recorded rungs."""
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(ladder, "RECORD", tmp_path / "recorded.json")
    ladder._record.cache_clear()
    yield tmp_path / "home"
    ladder._record.cache_clear()


def sure(labels: np.ndarray, share: float = 0.91) -> np.ndarray:
    """Probabilities: `share` for the label, the rest for the nine others."""
    return np.where(np.arange(10) == np.asarray(labels)[:, None], share, (1 - share) / 9)


def climb(rung: str = "02.frozen", probabilities=None, labels=LABELS, **more) -> None:
    probabilities = sure(LABELS) if probabilities is None else probabilities
    arguments = {"pixels": 224, "trained": "head", "seconds": 12.3, "test": sure([3, 1, 4])}
    ladder.climb(rung, validation=(probabilities, labels), **arguments | more)


def test_a_rung_keeps_accuracy_loss_and_guesses(home: Path, capsys) -> None:
    half = sure(np.where(LABELS < 5, LABELS, (LABELS + 1) % 10), 0.55)
    climb(probabilities=half)
    entry = json.loads((home / HOME).read_text())["02.frozen"]
    assert entry["accuracy"] == 0.5
    assert entry["loss"] == pytest.approx(-(math.log(0.55) + math.log(0.05)) / 2)
    assert (entry["test"], entry["pixels"], entry["seconds"]) == ("314", 224, 12.3)
    card = capsys.readouterr().out
    assert "Validation accuracy 50.0%, loss 1.80" in card
    assert "sealed until lesson 07" in card
    assert "worse than guessing" not in card
    assert "314" not in card


def test_loss_is_that_of_keras() -> None:
    import keras

    probabilities = np.random.default_rng(3).dirichlet(np.ones(10), 20)
    climb(probabilities=probabilities)
    loss = keras.losses.SparseCategoricalCrossentropy()(LABELS, probabilities)
    assert ladder.KEPT.read()["02.frozen"]["loss"] == pytest.approx(float(loss), abs=1e-4)


def test_a_loss_worse_than_guessing_is_said(capsys) -> None:
    climb(probabilities=sure((LABELS + 1) % 10, 0.9))
    assert "worse than guessing evenly (2.30)" in capsys.readouterr().out


def test_climbing_again_replaces_a_rung_and_keeps_the_others() -> None:
    climb("02.frozen")
    climb("02.small")
    climb("02.frozen", seconds=1)
    assert {rung: e["seconds"] for rung, e in ladder.KEPT.read().items()} == {
        "02.frozen": 1,
        "02.small": 12.3,
    }


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"probabilities": np.full((20, 10), 0.3)}, "each row with the sum 1"),
        ({"probabilities": np.zeros(20)}, r"shape \(images, classes\)"),
        ({"probabilities": 10 * sure(LABELS) - 5}, "logits needs keras.ops.softmax"),
        ({"labels": LABELS[:5]}, "20 probabilities for labels of shape"),
        ({"labels": np.eye(10)[LABELS]}, "pass integer labels"),
        ({"test": np.zeros((3, 10))}, "each row with the sum 1"),
    ],
)
def test_what_are_no_probabilities_is_refused(wrong: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        climb(**wrong)
    assert ladder.KEPT.read() == {}


def test_a_rung_that_there_is_not_is_said() -> None:
    with pytest.raises(KeyError, match="no rung '02x'; there are 02"):
        climb("02x")


def test_a_climb_is_logged_for_the_record(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COURSE_CLAIMS_LOG", str(tmp_path / "log"))
    climb()
    line = json.loads((tmp_path / "log").read_text())
    assert (line["rung"], line["seed"], line["accuracy"], line["test"]) == (
        "02.frozen",
        SEED,
        1,
        "314",
    )


RECORDED = {
    "pixels": 160,
    "trained": "head",
    "seeds": [1, 2, 3],
    "accuracy": [0.6, 0.7, 0.65],
    "loss": [1.3, 1.1, 1.2],
    "seconds": [9, 8, 11],
    "test": ["000", "111", "222"],
}


def test_rungs_not_climbed_show_what_is_recorded(capsys) -> None:
    ladder.RECORD.write_text(json.dumps({"05.fine-tuned": RECORDED, "02.frozen": RECORDED}))
    climb("02.frozen")
    assert "Recorded over 3 seeds: 60.0% to 70.0%." in capsys.readouterr().out
    ladder.show()
    shown = capsys.readouterr().out
    rows = [line for line in shown.splitlines() if line.startswith("0")]
    assert [row.split()[0] for row in rows] == ["02.frozen", "05.fine-tuned"]
    assert "yours" in rows[0]
    assert "65.0%" in rows[1]
    assert "recorded, 3 seeds" in rows[1]
    assert "Highest stands 02.frozen" in shown


def test_an_empty_ladder_says_so(capsys) -> None:
    ladder.show()
    assert "No rung climbed yet" in capsys.readouterr().out


def test_sealed_guesses_come_as_numbers_of_classes() -> None:
    ladder.RECORD.write_text(json.dumps({"02.frozen": RECORDED}))
    climb("02.frozen")
    climb("02.small")
    sealed = ladder.sealed()
    assert list(sealed) == ["02.small", "02.frozen"]  # in the order of the ladder
    assert sealed["02.frozen"]["recorded"].tolist() == [[0, 0, 0], [1, 1, 1], [2, 2, 2]]
    assert sealed["02.frozen"]["yours"].tolist() == [[3, 1, 4]]


@pytest.mark.parametrize("content", ["{", '{"02.frozen": {"pixels": 3}}', "[]"])
def test_a_corrupt_ladder_is_put_aside_and_said(content: str, home: Path, capsys) -> None:
    home.mkdir()
    (home / HOME).write_text(content)
    climb()
    shown = capsys.readouterr().out
    assert "was kept as ladder.json.broken, and the ladder starts afresh" in shown
    assert list(ladder.KEPT.read()) == ["02.frozen"]


def test_what_validation_promised_comes_beside_the_sealed_guesses() -> None:
    ladder.RECORD.write_text(json.dumps({"05.fine-tuned": RECORDED, "02.frozen": RECORDED}))
    climb("02.frozen")
    promised = ladder.promised()
    assert list(promised) == list(ladder.sealed()) == ["02.frozen", "05.fine-tuned"]
    assert promised["02.frozen"]["recorded"].tolist() == RECORDED["accuracy"]
    assert promised["02.frozen"]["yours"].tolist() == [1]
    assert list(promised["05.fine-tuned"]) == ["recorded"]


def test_a_ladder_is_started_over_and_the_old_one_kept(home: Path) -> None:
    climb()
    ladder.reset()
    assert ladder.KEPT.read() == {}
    assert (home / "ladder.json.old").is_file()


def test_recorded_rungs_are_rungs_and_as_long_as_their_seeds() -> None:
    file = Path(__file__).parents[1] / "data" / "recorded" / "ladder.json"
    record = json.loads(file.read_text())
    assert set(record) <= set(ladder.RUNGS)
    for rung, entry in record.items():
        seeds = len(entry["seeds"])
        assert seeds >= 5, rung
        assert [len(entry[name]) for name in (*ladder.MEASURED, "test")] == [seeds] * 4
        assert {len(row) for row in entry["test"]} == {300}
        assert max(entry["loss"]) < ladder.GUESSING or rung == "02.scratch"


def test_readme_shows_the_ladder_as_it_is_recorded() -> None:
    """`python -m tools ladder` draws it again."""
    from PIL import Image

    from helpers.files import digest

    root = Path(__file__).parents[1]
    picture = root / "data" / "recorded" / "ladder.png"
    first_screen = (root / "README.md").read_text(encoding="utf-8").splitlines()[:40]
    shown = [line for line in first_screen if "data/recorded/ladder.png" in line]
    if not json.loads(picture.with_suffix(".json").read_text()):
        assert not shown, "nothing is recorded: an empty figure says nothing"
        return
    with Image.open(picture) as image:
        said = image.text
    assert said["Source"] == digest(picture.with_suffix(".json"))
    assert [line[:2] for line in shown] == ["!["]


def test_a_new_record_is_drawn_at_once(capsys) -> None:
    from PIL import Image

    from tools.spread import draw_ladder, record_rungs

    lines = [
        {"rung": "02.frozen", "seed": seed, "pixels": 224, "trained": "head", "test": "0" * 300}
        | {"accuracy": 0.6, "loss": 1.2, "seconds": 9.0}
        for seed in range(5)
    ]
    ladder.RECORD.write_text("{}")
    draw_ladder()
    with Image.open(ladder.RECORD.with_suffix(".png")) as image:
        before = image.text
    assert before["Description"] == "No rung is recorded yet."
    said = list(record_rungs(lines, "02."))
    assert any("drawn" in line for line in said)
    with Image.open(ladder.RECORD.with_suffix(".png")) as image:
        assert image.text["Source"] != before["Source"]
        assert "Highest stands 02.frozen" in image.text["Description"]
