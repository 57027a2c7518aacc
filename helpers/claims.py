"""Claims: every sentence that a lesson tests, with its evidence and a tick or a cross.

A fact cannot vary with luck; a claim is a measurement, and shows its spread over seeds.
"""

import json
import os
from collections.abc import Mapping
from functools import cache

import numpy as np

from helpers.cards import BAD, GOOD, NEUTRAL, Card
from helpers.session import COURSE_ROOT, SEED

RECORD = COURSE_ROOT / "data" / "recorded" / "claims.json"
"""What each claim's evidence was over several seeds; `python -m tools spread` makes it."""


class ClaimFailed(AssertionError):
    """A claim of the course is false on this machine (raised only where COURSE_STRICT=1)."""


def fact(
    claim_id: str,
    sentence: str,
    condition: bool | np.bool_,
    evidence: Mapping[str, float | int | str] | None = None,
) -> None:
    """Show a claim that no luck can change: a shape, a count, which error is raised.

    Arguments and errors are those of `claim`. A fact has no spread over seeds, so none is shown.
    """
    _judge("Fact", claim_id, sentence, condition, dict(evidence or {}), [])


def claim(
    claim_id: str,
    sentence: str,
    condition: bool | np.bool_,
    evidence: Mapping[str, float | int | str] | None = None,
    *,
    interval: tuple[float, float, str] | None = None,
    threshold_first: bool = False,
    unless: str = "",
) -> None:
    """Show a measured claim with its evidence, its spread over seeds and whether it holds.

    Args:
        claim_id: ``"LESSON.short-name"``, unique in the course, e.g. ``"02.frozen-beats-scratch"``.
        sentence: The claim as a reader would say it.
        condition: Whether it holds, from what the lesson has just measured.
        evidence: The measured values behind it, name to number or short text.
        interval: A 95 % interval: both ends, and of what over which unit, e.g.
            ``(low, high, "gain, over seeds and photographs")``.
        threshold_first: Whether the threshold stood before any of the recorded seeds was run.
        unless: Why the claim does not speak of this machine: then it is shown and not judged.

    Raises:
        TypeError: `condition` is not a single truth value (an array, say, or ``None``).
        ClaimFailed: The claim is false and the environment has ``COURSE_STRICT=1``.
    """
    details = []
    if interval is not None:
        low, high, what = interval
        details.append(f"95 % interval of the {what}: {_number(low)} to {_number(high)}.")
    details += _spread_lines(claim_id, threshold_first)
    _judge("Claim", claim_id, sentence, condition, dict(evidence or {}), details, unless)


def _judge(
    kind: str,
    claim_id: str,
    sentence: str,
    condition: bool | np.bool_,
    evidence: dict[str, float | int | str],
    details: list[str],
    unless: str = "",
) -> None:
    if not isinstance(condition, bool | np.bool_):
        raise TypeError(
            f"claim {claim_id}: the condition must be True or False, "
            f"not {type(condition).__name__}; did you mean .all()?"
        )
    holds = bool(condition)
    shown = "; ".join(f"{name} {_number(value)}" for name, value in evidence.items())
    details = [f"Evidence: {shown}."] * bool(evidence) + details
    if unless:
        details.insert(0, f"It does not speak of this machine: {unless}.")
        Card(f"– {kind} not judged here · {claim_id}", sentence, details, NEUTRAL).show()
        return
    if kind == "Claim":
        numbers = {k: float(v) for k, v in evidence.items() if not isinstance(v, str)}
        log({"id": claim_id, "seed": SEED, "holds": holds, "evidence": numbers})
    heading = f"{f'✓ {kind} holds' if holds else f'✗ {kind} FAILS here'} · {claim_id}"
    Card(heading, sentence, details, GOOD if holds else BAD).show()
    if not holds and os.environ.get("COURSE_STRICT") == "1":
        raise ClaimFailed(f"{claim_id}: {sentence} Evidence: {evidence}")


def _number(value: float | int | str) -> str:
    """A value for the card: three significant digits, whole numbers whole."""
    if isinstance(value, bool | np.bool_ | str):
        return str(value)
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    # The record keeps four digits: round by way of these too, or a value could be printed outside
    # of a band that it is the end of.
    return f"{float(f'{value:.4g}'):.3g}"


@cache
def _record() -> dict[str, dict]:
    return json.loads(RECORD.read_text()) if RECORD.is_file() else {}


def _spread_lines(claim_id: str, threshold_first: bool) -> list[str]:
    """What the recorded runs with other seeds say about this claim; nothing if it is new."""
    record = _record().get(claim_id)
    if record is None:
        return []
    bands = {name: (min(values), max(values)) for name, values in record["evidence"].items()}
    ranges = [f"{n} {_number(a)} to {_number(b)}" for n, (a, b) in bands.items() if a != b]
    held = f"Recorded: held in {record['held']} of {len(record['seeds'])} runs, a new seed each"
    order = "before" if threshold_first else "after"
    return ["; ".join([held, *ranges]) + f". The threshold was set {order} these runs."]


def log(line: dict) -> None:
    """Add a line to the file $COURSE_CLAIMS_LOG, from which records over seeds are made."""
    if path := os.environ.get("COURSE_CLAIMS_LOG"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
