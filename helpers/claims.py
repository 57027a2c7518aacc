"""Claims: every empirical sentence of the course, with its evidence and a tick or a cross."""

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


def claim(
    claim_id: str,
    sentence: str,
    condition: bool | np.bool_,
    evidence: Mapping[str, float | int | str] | None = None,
    *,
    unless: str = "",
) -> None:
    """Show a claim with its evidence and whether it holds.

    Args:
        claim_id: ``"LESSON.short-name"``, unique in the course, e.g. ``"02.frozen-beats-scratch"``.
        sentence: The claim as a reader would say it.
        condition: Whether it holds, from what the lesson has just measured.
        evidence: The measured values behind it, name to number or short text.
        unless: Why the claim does not speak of this machine: then it is shown and not judged.

    Raises:
        TypeError: `condition` is not a single truth value (an array, say, or ``None``).
        ClaimFailed: The claim is false and the environment has ``COURSE_STRICT=1``.
    """
    if not isinstance(condition, bool | np.bool_):
        raise TypeError(
            f"claim {claim_id}: the condition must be True or False, "
            f"not {type(condition).__name__}; did you mean .all()?"
        )
    evidence, holds = dict(evidence or {}), bool(condition)
    shown = "; ".join(f"{name} {_number(value)}" for name, value in evidence.items())
    details = [f"Evidence: {shown}."] * bool(evidence) + _spread_lines(claim_id)
    if unless:
        details.insert(0, f"It does not speak of this machine: {unless}.")
        Card(f"– Claim not judged here · {claim_id}", sentence, details, NEUTRAL).show()
        return
    _log(claim_id, holds, evidence)
    heading = f"{'✓ Claim holds' if holds else '✗ Claim FAILS here'} · {claim_id}"
    Card(heading, sentence, details, GOOD if holds else BAD).show()
    if not holds and os.environ.get("COURSE_STRICT") == "1":
        raise ClaimFailed(f"{claim_id}: {sentence} Evidence: {evidence}")


def _number(value: float | int | str) -> str:
    """A value for the card: three significant digits, whole numbers whole."""
    if isinstance(value, bool | np.bool_ | str):
        return str(value)
    return f"{value:,}" if isinstance(value, int | np.integer) else f"{value:.3g}"


@cache
def _record() -> dict[str, dict]:
    return json.loads(RECORD.read_text()) if RECORD.is_file() else {}


def _spread_lines(claim_id: str) -> list[str]:
    """What the recorded runs with other seeds say about this claim; nothing if it is new."""
    record = _record().get(claim_id)
    if record is None:
        return []
    bands = {name: (min(values), max(values)) for name, values in record["evidence"].items()}
    ranges = [f"{n} {_number(a)} to {_number(b)}" for n, (a, b) in bands.items() if a != b]
    held = f"Recorded: held in {record['held']} of {len(record['seeds'])} runs, a new seed each"
    return [f"{held}; {'; '.join(ranges)}." if ranges else f"{held}."]


def _log(claim_id: str, holds: bool, evidence: dict) -> None:
    """Add a line to the file $COURSE_CLAIMS_LOG, from which the spread over seeds is made."""
    log = os.environ.get("COURSE_CLAIMS_LOG")
    if log:
        numbers = {k: float(v) for k, v in evidence.items() if not isinstance(v, str)}
        line = {"id": claim_id, "seed": SEED, "holds": holds, "evidence": numbers}
        with open(log, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
