"""Repeat lessons with other seeds, and record what became of every claim.

The record is data/recorded/claims.json; claims show it on their cards. What each run said is kept
in the maintainer's `.course/spread/`, so that a spread which was stopped goes on where it was.
"""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from helpers import claims
from helpers.files import whole
from helpers.session import personal_folder
from tools import freshness, lessons
from tools.execution import execute


def spread(notebooks: list[Path], runs: int) -> Iterator[str]:
    """Repeat lessons with seeds 42, 142, 242, ...; record what became of every claim.

    Args:
        notebooks: The lessons.
        runs: How many seeds each lesson runs with.

    Yields:
        A line for each run, then one for each claim.
    """
    for notebook in notebooks:
        lines = []
        for seed in range(42, 42 + 100 * runs, 100):
            found, how = _claims_of(notebook, seed)
            lines += found
            yield f"{notebook.name}, seed {seed}: {how}"
        # Read only now: another lesson's runs may have ended while these went on.
        record = json.loads(claims.RECORD.read_text()) if claims.RECORD.is_file() else {}
        prefix = f"{notebook.name[:2]}."
        record = {k: v for k, v in record.items() if not k.startswith(prefix)}
        for claim_id in dict.fromkeys(line["id"] for line in lines):
            mine = [line for line in lines if line["id"] == claim_id]
            record[claim_id], left_out = summary(mine)
            yield f"  {claim_id}: held {record[claim_id]['held']} of {len(mine)}" + (
                f"; not measured with every seed, so left out: {', '.join(left_out)}"
                if left_out
                else ""
            )
        with whole(claims.RECORD) as draft:
            draft.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")


def summary(lines: list[dict]) -> tuple[dict, list[str]]:
    """Bring together what one claim said with several seeds.

    Args:
        lines: As `helpers.claims.claim` logs them, one for each seed.

    Returns:
        The claim's entry in the record, and the evidence that some seeds did not measure.
    """
    names = dict.fromkeys(name for line in lines for name in line["evidence"])
    shared = [name for name in names if all(name in line["evidence"] for line in lines)]
    entry = {
        "seeds": [line["seed"] for line in lines],
        "held": sum(line["holds"] for line in lines),
        "evidence": {n: [float(f"{line['evidence'][n]:.4g}") for line in lines] for n in shared},
    }
    return entry, [name for name in names if name not in shared]


def _claims_of(notebook: Path, seed: int) -> tuple[list[dict], str]:
    """Return what a lesson claims with a seed, and how that is known: from a run now or before."""
    content = copy.deepcopy(lessons.read(notebook))
    cells = freshness.now(content, {"helpers": (), "data": ()})["cells"]
    mark = freshness.short_hash(json.dumps(cells), 8)
    kept = personal_folder() / "spread" / f"{notebook.name[:2]}-{seed}-{mark}.json"
    if kept.is_file():
        known = json.loads(kept.read_text())
        # What the record said then is no reason to run again: it is what is being made.
        new = freshness.now(content, known["certificate"])
        if all(
            known["certificate"][part] == new[part] for part in new.keys() - {"claims", "fresh"}
        ):
            return known["claims"], "known from an earlier run"
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "claims.jsonl"
        executed = execute(
            content, COURSE_SEED=str(seed), COURSE_STRICT="0", COURSE_CLAIMS_LOG=str(log)
        )
        text = log.read_text(encoding="utf-8") if log.is_file() else ""
    found = [json.loads(line) for line in text.splitlines()]
    with whole(kept) as draft:
        draft.write_text(json.dumps({"certificate": executed.certificate(), "claims": found}))
    return found, f"{executed.seconds:.0f} s"
