"""Run a lesson in a fresh kernel, note what it used, and store outputs with that certificate."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from jupyter_core.utils import run_sync
from nbformat import NotebookNode

from helpers.files import digest, whole
from tools import freshness, lessons, template
from tools.normalise import normalise
from tools.template import Stale

if TYPE_CHECKING:
    from nbclient import NotebookClient

CELL_SECONDS = 600
END_SECONDS = 10  # a kernel that has not ended by then is made to
SILENT_SECONDS = 5  # a cell that shows nothing for longer looks as if it hung

# Runs in the lesson's kernel before its first cell, in a module of its own: the lesson's names stay
# untouched. TensorFlow reads pictures in C++, past this; their folders are listed from Python.
WATCH = """
import json, os, sys

EVENTS = {"open", "os.listdir", "os.scandir", "glob.glob"}
seen = set()

def note(event, arguments):
    if event in EVENTS and arguments and isinstance(arguments[0], (str, bytes, os.PathLike)):
        try:
            path = os.path.abspath(os.fsdecode(arguments[0]))
        except Exception:  # whatever is wrong with the path, the lesson shall meet it itself
            return
        if path.startswith(DATA):
            seen.add(path)

def used():
    files = (getattr(module, "__file__", None) for name, module in list(sys.modules.items())
             if name.partition(".")[0] == "helpers")
    return json.dumps({"helpers": sorted(filter(None, files)), "data": sorted(seen)})

sys.addaudithook(note)
"""
WATCHER = "_what_this_lesson_used"  # the module's name


@dataclass(frozen=True)
class Executed:
    """A lesson that has run, with what is needed to certify its outputs. Only `execute` makes one.

    Attributes:
        content: The notebook with its outputs.
        seconds: How long the cells took.
        memory: The kernel's peak in GiB; 0 where unknown.
        helpers: The files it has loaded, relative to helpers/.
        data: What it has used of data/, named as `freshness.data_name` does.
        began: When it began, in seconds since the epoch.
        silent: The longest time that cells showed nothing, in seconds, by their number among the
            code cells, where it was more than ``SILENT_SECONDS``.
    """

    content: NotebookNode
    seconds: float
    memory: float
    helpers: tuple[str, ...]
    data: tuple[str, ...]
    began: float
    silent: dict[str, float] = field(default_factory=dict)

    def certificate(self) -> dict:
        """Return the hashes of all that this run depended on.

        Raises:
            Stale: A helper was changed meanwhile: nobody knows which version has run.
        """
        for name in self.helpers:
            file = lessons.COURSE_ROOT / "helpers" / name
            if not file.is_file() or file.stat().st_mtime > self.began:
                raise Stale(f"helpers/{name} changed while the lesson ran; run it again")
        return freshness.now(self.content, {"helpers": self.helpers, "data": self.data})


@contextlib.contextmanager
def kernel(content: NotebookNode, **environment: str) -> Iterator[NotebookClient]:
    """Start a fresh kernel for a lesson, with its own folder for progress and runs; then end it.

    Args:
        content: The lesson; the outputs of cells that are executed are replaced in place.
        environment: Variables for the kernel, such as ``COURSE_SEED="1"``.

    Yields:
        The client: ``client.execute_cell(cell, index)`` executes one of the lesson's cells.
    """
    from nbclient import NotebookClient

    with tempfile.TemporaryDirectory() as home:
        client = NotebookClient(
            content,
            timeout=CELL_SECONDS,
            kernel_name="python3",
            # Or each kernel warns that it can be overheard: by whoever is on this machine already.
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": str(lessons.NOTEBOOKS)}},
        )
        with client.setup_kernel(env=os.environ | {"COURSE_HOME": home} | environment):
            yield client
            _end(client)


def execute(content: NotebookNode, **environment: str) -> Executed:
    """Run a lesson in a fresh kernel, as `kernel` starts it.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell failed.
    """
    data = str(lessons.COURSE_ROOT / "data") + os.sep
    watch = f"DATA = {data!r}\n{WATCH}"
    began, clock = time.time(), time.perf_counter()
    with kernel(content, **environment) as client:
        memory = _watch_memory(client.km.provisioner.pid)
        _ask(
            client,
            f"exec({watch!r}, __import__('sys').modules.setdefault({WATCHER!r}, "
            f"__import__('types').ModuleType({WATCHER!r})).__dict__)",
        )
        silences = _watch_silence(client)
        for index, cell in enumerate(content.cells):
            client.execute_cell(cell, index)
        seconds, peak = time.perf_counter() - clock, memory()
        used = json.loads(_ask(client, "", f"__import__({WATCHER!r}).used()"))
    helpers = {_helper_name(Path(file)) for file in used["helpers"]} - {""}
    names = {freshness.data_name(Path(file)) for file in used["data"]} - {None}
    numbers = [i for i, cell in enumerate(content.cells) if cell.cell_type == "code"]
    silent = {
        str(numbers.index(index) + 1): round(silence, 1)
        for index, silence in sorted(silences.items())
        if silence > SILENT_SECONDS
    }
    used = (tuple(sorted(helpers)), tuple(sorted(names)))
    return Executed(content, seconds, peak, *used, began, silent)


def _end(client) -> None:
    """Let the kernel end by itself: whoever shuts it down interrupts it first, and it complains."""
    client.kc.shutdown()
    alive, patience = run_sync(client.km.is_alive), time.monotonic() + END_SECONDS
    while alive() and time.monotonic() < patience:
        time.sleep(0.05)


def _watch_silence(client) -> dict[int, float]:
    """Return where the longest silence of each cell will stand, in seconds, by the cell's index.

    It lasts from one sign of life to the next: a cell that prints a line for each epoch is silent
    for one epoch.
    """
    longest: dict[int, float] = {}
    process, last = client.process_message, time.perf_counter()

    def watched(message: dict, cell: NotebookNode, index: int) -> NotebookNode | None:
        nonlocal last
        now = time.perf_counter()
        if message["content"].get("execution_state") != "busy":  # with that, the cell begins
            longest[index] = max(longest.get(index, 0.0), now - last)
        last = now
        return process(message, cell, index)

    client.process_message = watched
    return longest


def _ask(client, code: str, expression: str = "''") -> str:
    """Run code in a kernel without a trace in the notebook; return what an expression gives.

    Raises:
        RuntimeError: The code or the expression failed.
    """
    message = client.kc.execute(
        code, silent=True, store_history=False, user_expressions={"asked": expression}
    )
    reply = client.wait_for_reply(message)["content"]
    answer = reply.get("user_expressions", {}).get("asked", {})
    if answer.get("status") != "ok":
        raise RuntimeError(f"the kernel could not say what the lesson used: {reply}")
    return ast.literal_eval(answer["data"]["text/plain"])


def _helper_name(file: Path) -> str:
    """The path of a helper of this course relative to helpers/; empty for another course's."""
    root, file = lessons.COURSE_ROOT / "helpers", file.resolve()
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else ""


def _watch_memory(pid: int) -> Callable[[], float]:
    """Return a function that tells the peak memory of a process in GiB (0 where unknown)."""
    status = Path(f"/proc/{pid}/status")

    def peak() -> float:
        if not status.is_file():
            return 0.0
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        return int(found[1]) / 2**20 if found else 0.0

    return peak


def refresh(notebook: Path) -> str:
    """Stamp, execute, normalise and certify a lesson in place.

    Returns:
        A line on time, memory and size, and one for each cell that was silent for long.

    Raises:
        Stale: A cell wrote on stderr, or a file was changed while the lesson ran.
        nbclient.exceptions.CellExecutionError: A cell failed. In all cases the file stays as it is.
    """
    before = digest(notebook)
    content = nbformat.read(notebook, as_version=4)
    template.fill(content, notebook)
    executed = execute(content, COURSE_STRICT="1", COURSE_SEED="42")
    normalise(executed.content)
    executed.content.metadata.course = executed.certificate()
    if executed.silent:
        executed.content.metadata.course["silent"] = executed.silent
    if digest(notebook) != before:
        raise Stale(f"{notebook.name} was edited while it ran; run it again")
    with whole(notebook) as draft:
        nbformat.write(executed.content, draft)
    size = notebook.stat().st_size / 1e6
    lines = [f"{notebook.name}: {executed.seconds:.0f} s, {executed.memory:.2f} GiB, {size:.2f} MB"]
    for number, silence in executed.silent.items():
        lines.append(f"  {notebook.name[:2]}, code cell {number}: silent for {silence:.0f} s")
    return "\n".join(lines)
