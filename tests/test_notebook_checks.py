"""The checks that conftest.py adds to nbval: they have to fail when they should."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import conftest
import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

DRAW = """\
import io
import json
from IPython.display import display
from matplotlib.figure import Figure
figure = Figure()
figure.subplots().plot([1, 3, 2])
png = io.BytesIO()
figure.savefig(png)
display({"image/png": png.getvalue()}, raw=True)"""


def png(width: int, height: int = 150) -> str:
    noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype="uint8")
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def picture(width: int = 400, height: int = 150):
    return new_output("display_data", {"image/png": png(width, height)})


def cell(outputs=(), tags=()):
    return new_code_cell("pass", outputs=list(outputs), metadata={"tags": list(tags)})


def test_the_same_number_of_figures_is_fine() -> None:
    assert conftest.cell_problems(cell([picture()]), [picture()]) == []


@pytest.mark.parametrize(
    ("committed", "outputs", "problem"),
    [
        (cell([picture()]), [], "1 figures are committed, this run drew 0"),
        (cell([picture()]), [picture(), picture()], "this run drew 2"),
        (cell([picture()]), [picture(width=150)], "150 pixels wide"),
        (cell([picture()]), [picture(width=300, height=1)], "shows nothing"),
        (cell(tags=["raises-exception"]), [], "nothing was raised"),
        (cell(), [new_output("stream", name="stderr", text="W0000 noise")], "W0000 noise"),
    ],
)
def test_what_nbval_lets_pass_is_found(committed, outputs, problem: str) -> None:
    (found,) = conftest.cell_problems(committed, outputs)
    assert problem in found


def test_an_exception_that_is_raised_as_announced_is_fine() -> None:
    error = new_output("error", ename="ValueError", evalue="", traceback=[])
    assert conftest.cell_problems(cell(tags=["raises-exception"]), [error]) == []


def test_checks_reach_notebooks_outside_the_tests_folder(tmp_path: Path) -> None:
    """A real run of pytest and nbval over one notebook with a good and five bad cells."""
    for folder in ("tests", "notebooks"):
        (tmp_path / folder).mkdir()
    shutil.copy(Path(conftest.__file__), tmp_path / "tests" / "conftest.py")
    notebook = new_notebook(
        cells=[
            new_code_cell(DRAW, outputs=[picture()]),
            new_code_cell("pass", outputs=[picture()]),
            new_code_cell("pass", metadata={"tags": ["raises-exception"]}),
            new_code_cell("import sys; print('red', file=sys.stderr)"),
            new_code_cell("import os; os.write(2, b'red from C++')"),
            new_code_cell("import os; assert os.environ['COURSE_STRICT'] != '1'"),
        ]
    )
    for number, code in enumerate(notebook.cells, 1):
        code.execution_count = number
    nbformat.write(notebook, tmp_path / "notebooks" / "00_bad.ipynb")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    environment["PYTEST_ADDOPTS"] = "-p no:cacheprovider"
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-n1"),
            *("--dist=loadscope", "--color=no", "--rootdir=.", "-rA", "tests", "notebooks"),
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    outcomes = {
        f"Cell {number}": f"{outcome} notebooks/00_bad.ipynb::Cell {number}" in run.stdout
        for number, outcome in enumerate(["PASSED", *["FAILED"] * 5])
    }
    assert all(outcomes.values()), run.stdout + run.stderr
    for sentence in ("this run drew 0", "nothing was raised", "stderr: red", "red from C++"):
        assert sentence in run.stdout
    assert "course: Python" in run.stdout  # the line that names the versions


def test_only_tensorboards_of_this_session_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    from tensorboard import manager

    def server(logdir: Path, age: float) -> tuple[subprocess.Popen, manager.TensorBoardInfo]:
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        info = manager.TensorBoardInfo(
            *("2", int(time.time() - age), process.pid, 6006, "", str(logdir), "", "")
        )
        return process, info

    mine = server(conftest.COURSE_HOME / "runs" / "02", age=0)
    older = server(conftest.COURSE_HOME / "runs" / "02", age=100)
    elsewhere = server(Path.home() / "runs", age=0)
    servers = (mine, older, elsewhere)
    monkeypatch.setattr(manager, "get_all", lambda: [info for _, info in servers])
    try:
        assert conftest.stop_tensorboards(time.time() - 10) == [mine[0].pid]
        assert mine[0].wait(timeout=10) != 0
        assert older[0].poll() is None
        assert elsewhere[0].poll() is None
    finally:
        for process, _ in servers:
            process.kill()
            process.wait()


# --- Which tests run, and in which order ---------------------------------------------------------


@pytest.fixture
def small_checkout(tmp_path: Path) -> Path:
    """A checkout with our conftest, a notebook and two test files."""
    (tmp_path / "tests" / "recorded").mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    shutil.copy(Path(conftest.__file__), tmp_path / "tests" / "conftest.py")
    for name in ("a_quick", "b_slow"):
        (tmp_path / "tests" / f"test_{name}.py").write_text("def test_it(): pass\n")
    write_lesson(tmp_path, "1 + 1")
    return tmp_path


def write_lesson(checkout: Path, code: str) -> None:
    notebook = new_notebook(cells=[new_code_cell(code, execution_count=1)])
    nbformat.write(notebook, checkout / "notebooks" / "00_good.ipynb")


def run_pytest(checkout: Path, *arguments: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    environment["PYTHONPATH"] = str(conftest.COURSE_ROOT)
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "--rootdir=."]
    command += ["--color=no", "-v", "-rA", "-p", "no:xdist", *arguments, "tests", "notebooks"]
    run = subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_stale_leaves_out_the_notebooks_that_passed_as_they_are(small_checkout: Path) -> None:
    cell = "PASSED notebooks/00_good.ipynb::Cell 0"
    assert cell in run_pytest(small_checkout, "--stale")
    again = run_pytest(small_checkout, "--stale")
    assert cell not in again
    assert "1 deselected" in again
    assert cell in run_pytest(small_checkout)  # without the option everything runs
    write_lesson(small_checkout, "1 + 2")
    assert cell in run_pytest(small_checkout, "--stale")


def test_the_slowest_files_come_first_and_new_ones_before_them(small_checkout: Path) -> None:
    order = small_checkout / "tests" / "recorded" / "slowest_first.json"
    order.write_text(json.dumps({"tests/test_b_slow.py": 9, "tests/test_a_quick.py": 1}))
    said = run_pytest(small_checkout, "--record-order")
    names = ("00_good", "test_b_slow.py", "test_a_quick.py")
    places = [said.index(f"{name}::") for name in names]  # in the order in which they ran
    assert places == sorted(places)
    assert set(json.loads(order.read_text())) == {
        "tests/test_b_slow.py", "tests/test_a_quick.py", "notebooks/00_good.ipynb"
    }  # fmt: skip
