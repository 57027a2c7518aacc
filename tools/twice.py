"""Run lessons as people do and no test does: cells again, after another lesson, killed, at once.

Learners run a cell again, open a second lesson in the kernel of the first, close the lid of their
computer in the longest cell, have two lessons open. Each time the cards must say what the stored
outputs say, and nothing may fail, turn red or be lost.
"""

from __future__ import annotations

import copy
import datetime
import json
import re
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from helpers.exercises import progress
from helpers.kept import Kept
from helpers.ladder import KEPT as LADDER
from tools import lessons
from tools.execution import Executed, execute, kernel

ONCE = "once"  # tag of a cell that is not to be run again; the text before it says so
CARD = re.compile(r"[✓✗–…↑] .+")  # how the first line of a card begins
EARLIER = {  # what a learner has from before, which no crash may cost
    progress.KEPT: {"00.a": {"status": "passed", "attempts": 2, "hints": {"index": 1}}},
    LADDER: {
        "02.small": {
            **{"pixels": 64, "trained": "head", "seconds": 9.0},
            **{"accuracy": 0.5, "loss": 1.5, "test": "0" * 300},
        }
    },
}


def each_cell_twice(notebook: Path) -> Iterator[str]:
    """Run every code cell of a lesson twice in a row; yield a line, and one for each problem."""
    given = _cells(notebook)
    times = [1 if ONCE in lessons.tags(cell) else 2 for cell in given]
    executed = _play([cell for cell, count in zip(given, times, strict=True) for _ in range(count)])
    yield f"{notebook.name}, each cell twice: {_cost(executed)}"
    ran = iter(executed.content.cells)
    for number, (cell, count) in enumerate(zip(given, times, strict=True), start=1):
        runs = [next(ran) for _ in range(count)]
        for name, run in zip(("first run", "run again"), runs, strict=False):
            yield from _told(notebook, number, name, problems(_stored(cell, runs[0]), run))


def after(notebook: Path, other: Path) -> Iterator[str]:
    """Run a lesson in the kernel in which another has just run; yield lines as above."""
    before, given = _cells(other), _cells(notebook)
    executed = _play([*before, *given])
    yield f"{notebook.name} after {other.name[:2]}: {_cost(executed)}"
    ran = executed.content.cells[len(before) :]
    for number, (cell, now) in enumerate(zip(given, ran, strict=True), start=1):
        yield from _told(
            notebook, number, f"after {other.name[:2]}", problems(_stored(cell, now), now)
        )


def killed(notebook: Path) -> Iterator[str]:
    """Kill the kernel in the middle of a lesson's longest cell, run the lesson again, yield lines.

    The personal folder is kept. What it held must be there afterwards, and the second run must
    say what a run in a new folder says: one more sentence at most.
    """
    given = _cells(notebook)
    undisturbed = _play(given)
    took = [_seconds(cell) for cell in undisturbed.content.cells]
    longest = took.index(max(took))
    with tempfile.TemporaryDirectory() as home:
        _write_earlier(Path(home))
        _run_and_kill(given[: longest + 1], took[longest] / 2, home)
        before = _read_all(Path(home))
        again = _play(given, COURSE_HOME=home)
        lost = _lost(before, _read_all(Path(home)))
    yield (
        f"{notebook.name}, killed in code cell {longest + 1} ({took[longest]:.0f} s long): "
        f"the next run {_cost(again)}"
    )
    more = []
    for number, (cell, first, now) in enumerate(
        zip(given, undisturbed.content.cells, again.content.cells, strict=True), start=1
    ):
        yield from _told(notebook, number, "after the kill", problems(_stored(cell, now), now))
        more += _new_lines(first, now)
    yield from (f"  says now: {line}" for line in more)
    if len(more) > 1:
        yield f"  {notebook.name[:2]}: WRONG, {len(more)} sentences more than in a new folder"
    yield from (f"  {notebook.name[:2]}: WRONG, lost: {what}" for what in lost)


def together(one: Path, other: Path) -> Iterator[str]:
    """Run two lessons at once, in two kernels with one personal folder; yield lines as above."""
    pair = one, other
    with tempfile.TemporaryDirectory() as home:
        _write_earlier(Path(home))
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda path: _play(_cells(path), COURSE_HOME=home), pair))
        kept = _read_all(Path(home))
    for notebook, executed in zip(pair, both, strict=True):
        yield f"{notebook.name} beside another: {_cost(executed)}"
        ran = executed.content.cells
        for number, (cell, now) in enumerate(zip(_cells(notebook), ran, strict=True), start=1):
            yield from _told(notebook, number, "beside another", problems(_stored(cell, now), now))
            for card in cards(now):
                if card.startswith("↑ Rung ") and card.split()[2] not in kept[LADDER.name]:
                    yield f"  {notebook.name[:2]}: WRONG, lost: rung {card.split()[2]}"
    for what in _lost({k.name: v for k, v in EARLIER.items()}, kept):
        yield f"  WRONG, lost: {what}"


def problems(wanted: NotebookNode, ran: NotebookNode) -> list[str]:
    """Say what is wrong with a cell that has run, beside what it is to show.

    Args:
        wanted: The cell with its stored outputs.
        ran: The same cell after the run.
    """
    found = []
    for output in ran.outputs:
        if output.output_type == "error" and "raises-exception" not in lessons.tags(wanted):
            found.append(f"raises {output.ename}: {output.evalue.splitlines()[0][:200]}")
        if output.output_type == "stream" and output.name == "stderr":
            found.append(f"writes in red: {output.text.strip().splitlines()[0][:200]}")
    before, now = cards(wanted), cards(ran)
    found += [f"a card is missing: {card}" for card in before if card not in now]
    for card in now:
        if card.startswith("✗") and " FAILS " in card:
            found.append(f"says that it fails: {card}")
        elif card not in before:
            found.append(f"another card: {card}")
    if "nbval-check-output" in lessons.tags(wanted) and _plain(wanted) != _plain(ran):
        found.append(f"says something else: {_text(ran).strip()[:200]!r}")
    return found


def cards(cell: NotebookNode) -> list[str]:
    """Return the headings of the cards in a cell's outputs: claims, exercises, rungs."""
    texts = [str(output.get("data", {}).get("text/plain", "")) for output in cell.outputs]
    return [text.splitlines()[0] for text in texts if CARD.match(text)]


def _cells(notebook: Path) -> list[NotebookNode]:
    return [cell for cell in lessons.read(notebook).cells if cell.cell_type == "code"]


def _stored(cell: NotebookNode, instead: NotebookNode) -> NotebookNode:
    """The cell; one that was never executed, and so shows nothing, with another's outputs."""
    return cell if cell.execution_count else NotebookNode(cell | {"outputs": instead.outputs})


def _play(cells: list[NotebookNode], **environment: str) -> Executed:
    """Execute copies of these cells, one after the other, whatever fails on the way."""
    copies = [copy.deepcopy(cell) for cell in cells]
    for place, cell in enumerate(copies):
        cell.id = f"cell-{place}"
        cell.metadata["tags"] = [*lessons.tags(cell), "raises-exception"]
    content = new_notebook(cells=copies)
    return execute(content, COURSE_STRICT="0", COURSE_SEED="42", **environment)


def _run_and_kill(cells: list[NotebookNode], seconds: float, home: str) -> None:
    """Execute cells and kill the kernel so many seconds after the last one began."""
    from nbclient.exceptions import DeadKernelError

    content = new_notebook(cells=copy.deepcopy(cells))
    with kernel(content, COURSE_SEED="42", COURSE_HOME=home) as client:
        for index, cell in enumerate(content.cells[:-1]):
            client.execute_cell(cell, index)
        timer = threading.Timer(seconds, client.km.provisioner.process.kill)
        timer.start()
        try:
            client.execute_cell(content.cells[-1], len(content.cells) - 1)
        except DeadKernelError:
            return
        finally:
            timer.cancel()
        # The longest cell was faster this time: the kernel dies at its end.
        client.km.provisioner.process.kill()


def _seconds(cell: NotebookNode) -> float:
    """How long a cell took; nbclient notes when it began and when the kernel was idle again."""
    noted = cell.metadata.get("execution", {})
    ends = [noted.get(key) for key in ("iopub.status.busy", "iopub.status.idle")]
    if None in ends:
        return 0.0
    began, ended = (datetime.datetime.fromisoformat(text) for text in ends)
    return (ended - began).total_seconds()


def _write_earlier(home: Path) -> None:
    for kept, entries in EARLIER.items():
        (home / kept.name).write_text(json.dumps(entries))


def _read_all(home: Path) -> dict[str, dict]:
    """Return what the files of progress and ladder hold; nothing where one cannot be read."""

    def read(kept: Kept) -> dict:
        try:
            return json.loads((home / kept.name).read_text())
        except (OSError, ValueError):
            return {}

    return {kept.name: read(kept) for kept in EARLIER}


def _lost(before: dict[str, dict], now: dict[str, dict]) -> list[str]:
    return [
        f"{entry} of {name}"
        for name, entries in before.items()
        for entry in entries
        if entry not in now[name]
    ]


def _text(cell: NotebookNode) -> str:
    """What a cell has printed or returned, without pictures, addresses and cards."""
    shown = (o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.outputs)
    text = "".join(text for text in shown if not re.match(CARD, text) and text[:1] != "<")
    return re.sub(r"[^\n]*\r(?!\n)", "", text)


def _plain(cell: NotebookNode) -> str:
    """A cell's text without the numbers by which Keras tells layers apart, and without padding."""
    return " ".join(re.sub(r"(?<=[a-z0-9])_\d+\b|[-─━]{3,}", "", _text(cell)).split())


def _new_lines(first: NotebookNode, now: NotebookNode) -> list[str]:
    """Lines that a cell prints now and did not before; other numbers make no other line."""
    known = {re.sub(r"[\d.,+-]+", "#", line).strip() for line in _text(first).splitlines()}
    lines = _text(now).splitlines()
    return [line for line in lines if re.sub(r"[\d.,+-]+", "#", line).strip() not in known]


def _told(notebook: Path, number: int, when: str, found: list[str]) -> Iterator[str]:
    for problem in found:
        yield f"  {notebook.name[:2]}, code cell {number}, {when}: WRONG, {problem}"


def _cost(executed: Executed) -> str:
    silent = f", silent for {max(executed.silent.values()):.0f} s" if executed.silent else ""
    shown = [card for cell in executed.content.cells for card in cards(cell)]
    held = sum(" holds " in card for card in shown)
    return f"{executed.seconds:.0f} s, {executed.memory:.2f} GiB, {held} claims held{silent}"
