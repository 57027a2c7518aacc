"""Before any test: strict claims, quiet logs, a folder of our own; and what nbval does not check.

nbval runs every notebook cell as a test, but it compares no pictures, accepts a cell that was
to raise and did not, and has no opinion on red text. `NotebookChecks` adds that.

`pytest --stale` leaves out the notebooks that have passed as they are now: for daily work.
`pytest --record-order` notes how long each file took; the slowest then come first, so that no
processor waits at the end.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import json
import os
import platform
import shutil
import signal
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

# The kernels of nbval and the workers of xdist inherit these, so they come before all else.
os.environ["COURSE_STRICT"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
if WORKER:  # a folder within the one that the main process has made
    COURSE_HOME = Path(os.environ["COURSE_TEST_HOME"], WORKER)
else:
    COURSE_HOME = Path(tempfile.mkdtemp(prefix="course-tests-")).resolve()
    os.environ["COURSE_TEST_HOME"] = str(COURSE_HOME)
    atexit.register(shutil.rmtree, COURSE_HOME, ignore_errors=True)
COURSE_HOME.mkdir(exist_ok=True)
os.environ["COURSE_HOME"] = str(COURSE_HOME)

import nbformat  # noqa: E402
import nbval.kernel  # noqa: E402
import pytest  # noqa: E402
from jupyter_client.manager import KernelManager  # noqa: E402
from nbformat import NotebookNode  # noqa: E402
from nbval.plugin import IPyNbCell  # noqa: E402

COURSE_ROOT = Path(__file__).resolve().parents[1]
ORDER = Path(__file__).parent / "recorded" / "slowest_first.json"
PASSED = "course/passed"  # the key in pytest's cache: notebook -> fingerprint of its last pass
PACKAGES = ("tensorflow", "keras", "tensorboard", "numpy", "nbval", "pytest")
SMALLEST_PICTURE = 2_000  # bytes
NARROWEST_PICTURE = 200  # pixels


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("course")
    group.addoption("--stale", action="store_true", help="skip notebooks that passed as they are")
    group.addoption(
        "--record-order", action="store_true", help="note each file's seconds, for the next order"
    )


def pytest_configure(config: pytest.Config) -> None:
    if not WORKER:
        config.pluginmanager.register(Ledger(config), "course-ledger")
    # Hooks in this file do not apply to notebooks/; those of a registered plugin do.
    config.pluginmanager.register(NotebookChecks(), "notebook-checks")
    nbval.kernel.KernelManager = ListeningKernelManager


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the slowest files first, new ones before them; leave out what `--stale` leaves out."""
    seconds = json.loads(ORDER.read_text()) if ORDER.is_file() else {}
    items.sort(key=lambda item: -seconds.get(file_of(item.nodeid), float("inf")))
    if config.getoption("stale"):
        passed = config.cache.get(PASSED, {})
        known = {
            name
            for name, mark in passed.items()
            if (content := notebook_of(name)) and mark == fingerprint_of(content)
        }
        config.hook.pytest_deselected(items=[i for i in items if file_of(i.nodeid) in known])
        items[:] = [item for item in items if file_of(item.nodeid) not in known]


def file_of(nodeid: str) -> str:
    return nodeid.split("::")[0]


def notebook_of(name: str) -> NotebookNode | None:
    """The notebook that lies under this name; None for other files."""
    file = COURSE_ROOT / name
    return nbformat.read(file, as_version=4) if file.suffix == ".ipynb" and file.is_file() else None


def fingerprint_of(content: NotebookNode) -> str:
    """What a notebook's outputs depend on, now."""
    from tools.freshness import fingerprint

    return fingerprint(content)


class Ledger:
    """Notes, in the main process, which notebooks passed whole and how long each file took."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.seconds: dict[str, float] = {}
        self.good: dict[str, set[str]] = {}
        self.bad: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = file_of(report.nodeid)
        self.seconds[name] = self.seconds.get(name, 0.0) + report.duration
        if report.failed:
            self.bad.add(name)
        elif report.when == "call":
            self.good.setdefault(name, set()).add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        if getattr(self.config, "cache", None) is not None:
            passed = self.config.cache.get(PASSED, {})
            for name in self.seconds:
                passed.pop(name, None)
                if name in self.bad or not (content := notebook_of(name)):
                    continue
                cells = sum(cell.cell_type == "code" for cell in content.cells)
                if len(self.good.get(name, ())) == cells > 0:
                    passed[name] = fingerprint_of(content)
            self.config.cache.set(PASSED, passed)
        if self.config.getoption("record_order"):
            old = json.loads(ORDER.read_text()) if ORDER.is_file() else {}
            now = {name: round(seconds) for name, seconds in self.seconds.items()}
            slowest = sorted((old | now).items(), key=lambda pair: (-pair[1], pair[0]))
            kept = {name: s for name, s in slowest if (COURSE_ROOT / name).is_file()}
            ORDER.write_text(json.dumps(kept, indent=1) + "\n")


def pytest_report_header() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"course: Python {platform.python_version()}, {packages}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if terminalreporter.verbosity < 0:  # -q leaves the header out
        terminalreporter.write_line(pytest_report_header())


class ListeningKernelManager(KernelManager):
    """Starts kernels that also report what C++ code writes on stderr.

    A kernel that finds itself under pytest does not listen to file descriptor 2, and
    TensorFlow's log lines would go past the tests.
    """

    def start_kernel(self, **arguments):
        environment = dict(os.environ)
        environment.pop("PYTEST_CURRENT_TEST", None)
        return super().start_kernel(env=environment, **arguments)


class NotebookChecks:
    """What has to hold for every notebook cell, beyond what nbval checks."""

    def __init__(self) -> None:
        self.began = time.time()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item):
        result = yield
        if isinstance(item, IPyNbCell) and item.test_outputs is not None:
            found = cell_problems(item.cell, item.test_outputs)
            if found:
                item.raise_cell_error("; ".join(found))
        return result

    def pytest_sessionfinish(self) -> None:
        stop_tensorboards(self.began)


def cell_problems(committed, outputs: list) -> list[str]:
    """Say what is wrong with a cell's fresh outputs, given the cell as it is committed."""
    problems = []
    expected, drawn = pictures(committed.outputs), pictures(outputs)
    if len(drawn) != len(expected):
        problems.append(f"{len(expected)} figures are committed, this run drew {len(drawn)}")
    for png in drawn:
        width = int.from_bytes(png[16:20], "big")  # where a PNG keeps it
        if len(png) < SMALLEST_PICTURE or width < NARROWEST_PICTURE:
            problems.append(f"a figure of {len(png)} bytes, {width} pixels wide, shows nothing")
    tags = committed.metadata.get("tags", [])
    if "raises-exception" in tags and not any(o.output_type == "error" for o in outputs):
        problems.append("the cell is tagged raises-exception, and nothing was raised")
    red = "".join(o.text for o in outputs if o.output_type == "stream" and o.name == "stderr")
    if red:
        problems.append(f"the cell wrote on stderr: {red.strip()[:500]}")
    return problems


def pictures(outputs: list) -> list[bytes]:
    found = [o.get("data", {}).get("image/png") for o in outputs]
    return [base64.b64decode(png) for png in found if png]


def stop_tensorboards(since: float, below: Path = COURSE_HOME) -> list[int]:
    """Stop the TensorBoard servers that notebooks have started on runs below a folder.

    Servers older than `since`, or showing runs elsewhere, belong to somebody else.
    """
    from tensorboard import manager

    mine = [
        server.pid
        for server in manager.get_all()
        if server.start_time >= int(since) and Path(server.logdir).is_relative_to(below)
    ]
    for pid in mine:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    return mine


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window, for tests marked `looking.needs_chromium`."""
    from looking import chromium  # only where it is wanted

    with chromium() as running:
        yield running


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small course in a folder of its own, on which the tools work."""
    import small_course  # only where it is wanted

    return small_course.use(small_course.build(tmp_path.resolve()), monkeypatch)


@pytest.fixture
def path(course: Path) -> Path:
    """The one lesson of the small course."""
    return course / "notebooks" / "00_first.ipynb"


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photographs that are not part of the course."""
    folder = COURSE_ROOT.parent / "shared" / "photos"
    if not folder.is_dir():
        pytest.skip("the real photographs (../shared/photos) are not on this machine")
    return folder
