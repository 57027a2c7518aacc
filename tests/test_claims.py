"""Claims: the card, the strictness, the evidence and the recorded spread."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers import claims, graphics_card
from helpers.claims import ClaimFailed, claim, fact
from helpers.session import COURSE_ROOT


@pytest.fixture(autouse=True)
def no_record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Start without recorded spread, and forget what a test has recorded."""
    monkeypatch.setattr(claims, "RECORD", tmp_path / "claims.json")
    claims._record.cache_clear()
    yield
    claims._record.cache_clear()


def test_a_true_claim_shows_sentence_evidence_and_tick(capsys) -> None:
    claim("99.a", "Frozen beats scratch.", True, {"frozen": 0.71234, "images": 12_000})
    card = capsys.readouterr().out
    assert "✓ Claim holds · 99.a" in card
    assert "Frozen beats scratch." in card
    assert "frozen 0.712; images 12,000" in card


def test_a_false_claim_raises_where_the_course_is_strict(capsys) -> None:
    with pytest.raises(ClaimFailed, match=r"99\.a: Frozen beats scratch\..*0\.2"):
        claim("99.a", "Frozen beats scratch.", False, {"frozen": 0.2})
    assert "✗ Claim FAILS here" in capsys.readouterr().out


def test_a_false_claim_only_shows_a_red_card_to_a_learner(monkeypatch, capsys) -> None:
    monkeypatch.setenv("COURSE_STRICT", "0")
    claim("99.a", "Frozen beats scratch.", False)
    assert "✗ Claim FAILS here" in capsys.readouterr().out


@pytest.mark.parametrize("condition", [True, False])
def test_a_claim_on_other_machines_is_not_judged(condition: bool, monkeypatch, tmp_path, capsys):
    log = tmp_path / "claims.jsonl"
    monkeypatch.setenv("COURSE_CLAIMS_LOG", str(log))
    claim("99.a", "So it is.", condition, {"seconds": 3}, unless="a graphics card computes here")
    card = capsys.readouterr().out
    assert "– Claim not judged here · 99.a" in card
    assert "It does not speak of this machine: a graphics card computes here." in card
    assert "seconds 3" in card
    assert "✓" not in card
    assert "✗" not in card
    assert not log.exists()  # and so it is no part of the recorded spread


@pytest.mark.parametrize(("cards", "words"), [([], ""), (["GPU:0"], "a graphics card")])
def test_a_graphics_card_is_noticed(cards: list[str], words: str, monkeypatch) -> None:
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda kind: cards)
    assert graphics_card().startswith(words)
    assert bool(graphics_card()) == bool(words)


@pytest.mark.parametrize("condition", [np.bool_(True), True])
def test_numpy_truth_values_count(condition, capsys) -> None:
    claim("99.a", "So it is.", condition)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize("condition", [None, 1, "yes", [], np.array([True, True]), np.array(True)])
def test_what_is_no_single_truth_value_is_refused(condition) -> None:
    with pytest.raises(TypeError, match="condition must be True or False"):
        claim("99.a", "So it is.", condition)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.123456, "0.123"),
        (1234567, "1,234,567"),
        (np.int64(4096), "4,096"),
        (np.float32(0.5), "0.5"),
        (True, "True"),
        ("mixed7", "mixed7"),
    ],
)
def test_evidence_is_readable(value, shown: str, capsys) -> None:
    claim("99.a", "So it is.", True, {"name": value})
    assert f"Evidence: name {shown}." in capsys.readouterr().out


def test_the_card_tells_the_recorded_spread(capsys) -> None:
    record = {"seeds": [42, 142, 242], "held": 2, "evidence": {"gain": [0.1, 0.3, 0.2], "n": [5.0]}}
    claims.RECORD.write_text(json.dumps({"99.a": record}))
    claim("99.a", "So it is.", True, {"gain": 0.2})
    card = capsys.readouterr().out
    assert "held in 2 of 3 runs" in card
    assert "gain 0.1 to 0.3" in card
    assert "n 5" not in card  # what never varies is no spread
    claim("99.new", "So it is.", True)
    assert "Recorded" not in capsys.readouterr().out


def test_a_measurement_says_its_interval_and_when_its_threshold_was_set(capsys) -> None:
    record = {"seeds": [42, 142], "held": 2, "evidence": {"gain": [0.1, 0.3]}}
    claims.RECORD.write_text(json.dumps({"99.a": record}))
    claim("99.a", "So it is.", True, interval=(0.05, 0.1234, "gain, over photographs"))
    card = capsys.readouterr().out
    assert "95 % interval of the gain, over photographs: 0.05 to 0.123." in card
    assert "The threshold was set after these runs." in card
    claim("99.a", "So it is.", True, threshold_first=True)
    assert "The threshold was set before these runs." in capsys.readouterr().out


def test_a_fact_has_no_spread_and_is_not_logged(monkeypatch, tmp_path, capsys) -> None:
    log = tmp_path / "claims.jsonl"
    monkeypatch.setenv("COURSE_CLAIMS_LOG", str(log))
    record = {"seeds": [42, 142], "held": 2, "evidence": {"layers": [9.0, 9.0]}}
    claims.RECORD.write_text(json.dumps({"99.a": record}))
    fact("99.a", "Nine layers.", True, {"layers": 9})
    card = capsys.readouterr().out
    assert "✓ Fact holds · 99.a" in card
    assert "layers 9" in card
    assert "Recorded" not in card
    assert not log.exists()
    with pytest.raises(ClaimFailed, match=r"99\.a: Ten layers\."):
        fact("99.a", "Ten layers.", False, {"layers": 9})
    with pytest.raises(TypeError, match="condition must be True or False"):
        fact("99.a", "Ten layers.", None)


def test_the_record_lies_with_the_measurements_that_lessons_quote() -> None:
    file = COURSE_ROOT / "data" / "recorded" / "claims.json"
    ask = "from helpers.claims import RECORD, _record; print(RECORD, len(_record()))"
    told = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True).stdout
    assert told == f"{file} {len(json.loads(file.read_text()))}\n"


def test_the_log_gets_a_line_a_claim(monkeypatch, tmp_path: Path) -> None:
    log = tmp_path / "claims.jsonl"
    monkeypatch.setenv("COURSE_CLAIMS_LOG", str(log))
    claim("99.a", "So it is.", True, {"gain": np.float32(0.5), "cut": "mixed7"})
    with pytest.raises(ClaimFailed):
        claim("99.b", "So it is not.", False)
    first, second = map(json.loads, log.read_text().splitlines())
    assert first == {"id": "99.a", "seed": claims.SEED, "holds": True, "evidence": {"gain": 0.5}}
    assert (second["id"], second["holds"]) == ("99.b", False)


def test_markup_in_a_card_is_shown_and_not_obeyed() -> None:
    from helpers.cards import BAD, Card

    html = Card("a < b", "<script>x</script>", ["1 & 2"], BAD)._repr_html_()
    assert "<script>" not in html
    assert "a &lt; b" in html
    assert "1 &amp; 2" in html
    assert BAD in html


def test_evidence_at_the_end_of_its_band_is_printed_as_the_band_is(capsys) -> None:
    """A float32 of 0.8185 is a little less: rounded at once it was 0.818, by the record 0.819."""
    measured = float(np.float32(0.8185))
    entry = {"seeds": [42, 142], "held": 2, "evidence": {"accuracy": [0.8185, 0.83]}}
    claims.RECORD.write_text(json.dumps({"99.a": entry}))
    claim("99.a", "It learns.", True, {"accuracy": measured})
    card = capsys.readouterr().out
    assert "Evidence: accuracy 0.819." in card
    assert "accuracy 0.819 to 0.83." in card
