"""Repeat lessons with other seeds, and record what became of every claim and every rung.

The records are data/recorded/claims.json, which claims show on their cards, and ladder.json. What
each run said is kept in the maintainer's `.course/spread/`, so that a spread which was stopped goes
on where it was.
"""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl

from helpers import claims, ladder
from helpers.files import digest, whole
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
        claimed = [line for line in lines if "id" in line]
        for claim_id in dict.fromkeys(line["id"] for line in claimed):
            mine = [line for line in claimed if line["id"] == claim_id]
            record[claim_id], left_out = summary(mine)
            yield f"  {claim_id}: held {record[claim_id]['held']} of {len(mine)}" + (
                f"; not measured with every seed, so left out: {', '.join(left_out)}"
                if left_out
                else ""
            )
        with whole(claims.RECORD) as draft:
            draft.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
        yield from record_rungs([line for line in lines if "rung" in line], prefix)


def record_rungs(lines: list[dict], prefix: str) -> Iterator[str]:
    """Record what the rungs of one lesson reached, in data/recorded/ladder.json.

    Args:
        lines: As `helpers.ladder.climb` logs them, one for each seed and rung.
        prefix: How the names of this lesson's rungs begin; those that it no longer climbs go.

    Yields:
        A line for each rung.
    """
    file = ladder.RECORD
    record = json.loads(file.read_text()) if file.is_file() else {}
    new = {name: entry for name, entry in record.items() if not name.startswith(prefix)}
    for rung in dict.fromkeys(line["rung"] for line in lines):
        mine = [line for line in lines if line["rung"] == rung]
        new[rung] = {
            "pixels": mine[0]["pixels"],
            "trained": mine[0]["trained"],
            "seeds": [line["seed"] for line in mine],
            "test": [line["test"] for line in mine],
            **{k: [float(f"{line[k]:.4g}") for line in mine] for k in ladder.MEASURED},
        }
        low, high = min(new[rung]["accuracy"]), max(new[rung]["accuracy"])
        yield f"  rung {rung}: validation accuracy {low:.1%} to {high:.1%}"
    if new != record:
        with whole(file) as draft:
            draft.write_text(json.dumps(new, indent=1, sort_keys=True) + "\n")
        yield f"  drawn: {draw_ladder().name}"


def draw_ladder() -> Path:
    """Draw data/recorded/ladder.png, which README shows, from ladder.json; return the file.

    The picture names the digest of what it was drawn from, by which a test sees whether it is old.
    """
    from helpers import plots

    ladder._record.cache_clear()
    entries = {rung: ladder._recorded_entry(rung) for rung in ladder.RUNGS}
    figure, words = ladder.figure({rung: entry for rung, entry in entries.items() if entry}, {})
    file = ladder.RECORD.with_suffix(".png")
    source = {"Source": digest(ladder.RECORD), "Description": words, "Software": None}
    with whole(file) as draft, mpl.rc_context(plots.canvas.STYLE):
        figure.savefig(draft, format="png", metadata=source)
    return file


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
        # What the records said then is no reason to run again: they are what is being made.
        new = freshness.now(content, known["certificate"])
        for certificate in (new, known["certificate"]):
            certificate["data"].pop(f"recorded/{ladder.RECORD.name}", None)
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
