"""A learner's way in a real browser: JupyterLab as the README starts it, lesson 00, TensorBoard.

The course is a copy, and server, settings, progress and runs have folders of their own.
Screenshots are left in this test run's temporary folder (`--basetemp=FOLDER` chooses it).
"""

from __future__ import annotations

import base64
import contextlib
import io
import os
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import numpy as np
import pytest
from looking import CONTRAST, barriers, needs_chromium
from nbformat.reader import NotJSONError
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image
from playwright.sync_api import Browser, Frame, Locator, Page

from helpers.exercises import progress
from helpers.session import COURSE_ROOT
from tools.lessons import lessons, read

LESSON = "my/00_start_here.ipynb"
TENSORBOARD = "my/tensorboard.ipynb"
PATIENCE = 600  # seconds, on a busy machine, for what takes half a minute on an idle one
DARK, LIGHT = "JupyterLab Dark", "JupyterLab Light"

pytestmark = needs_chromium


def first_command() -> list[str]:
    """What the README's first command runs after the installation, word by word."""
    readme = (COURSE_ROOT / "README.md").read_text(encoding="utf-8")
    command = re.search(r"^python3 -m venv .*&& (\S+/python -m tools learn)$", readme, re.MULTILINE)
    assert command, "README.md has no command that opens JupyterLab"
    return shlex.split(command[1])


# A card of helpers.cards; JupyterLab may take the role out of its HTML.
CARD = ".jp-OutputArea-output div[style*='border-left']"

# The cells whose prompt shows a star, because they run or are to be run.
WAITING = """[...document.querySelectorAll('.jp-InputPrompt')].filter(
    prompt => prompt.textContent.includes('*')).length"""

# --- Server and browser ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home() -> Path:
    """Where kernels of this module keep progress and runs: below the tests' own COURSE_HOME.

    The tests' last act is to stop the TensorBoards that show runs below that folder.
    """
    folder = Path(os.environ["COURSE_HOME"]) / "jupyterlab"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("screenshots")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A learner's download of the course, with one lesson."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "notebooks").mkdir()
    for name in ("00_start_here.ipynb", "GLOSSARY.md"):
        shutil.copy(COURSE_ROOT / "notebooks" / name, folder / "notebooks")
    for name in ("helpers", "tools"):
        unwanted = shutil.ignore_patterns("__pycache__")
        shutil.copytree(COURSE_ROOT / name, folder / name, ignore=unwanted)
    (folder / "data").symlink_to(COURSE_ROOT / "data")
    (folder / "my").mkdir()
    nbformat.write(tensorboard_of_lesson_02(), folder / TENSORBOARD)
    return folder


@pytest.fixture(scope="module")
def server(desk: Path, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab, started as in the README; yields the address that it opens in a browser."""
    program, *arguments = first_command()
    own = tmp_path_factory.mktemp("jupyter")
    # Cells out of sight are not in the page otherwise, and could not be looked at.
    notebook = own / "settings" / "@jupyterlab" / "notebook-extension"
    notebook.mkdir(parents=True)
    (notebook / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    environment = os.environ | {
        "COURSE_HOME": str(home),
        "PYTHONPATH": str(desk),  # where -e . would have put its helpers
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(own / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces"),
        "JUPYTER_TOKEN": token,
        "JUPYTER_PORT": str(port),
    }
    for name in ("COURSE_STRICT", "PYTEST_CURRENT_TEST"):  # as a learner, not as a test
        environment.pop(name, None)
    assert Path(program).name == "python"
    command = [sys.executable, *arguments]
    alone = ["--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
    log = own / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, *alone], cwd=desk, env=environment, stdout=file, stderr=file
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(f"{address}/api/status?token={token}"), "JupyterLab", log)
        yield f"{address}/?token={token}"
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=120)  # it ends its kernels first
        process.kill()


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def wait_for(condition: Callable[[], bool], what: str, log: Path | None = None) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {PATIENCE} s for {what}\n{log.read_text() if log else ''}")
        time.sleep(0.2)


def open_page(browser: Browser, address: str) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(address)
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    return page


def choose(page: Page, *names: str) -> None:
    """Choose an entry of a menu, and of the menus in it."""
    page.locator(".lm-MenuBar-item", has_text=re.compile(f"^{names[0]}$")).click()
    for name in names[1:]:
        entry = page.locator(".lm-Menu-item", has_text=re.compile(f"^{re.escape(name)}"))
        entry.first.click()


def wait_until_idle(page: Page) -> None:
    """Wait until all cells were run: the kernel is idle, and no prompt shows a star."""
    page.wait_for_function(f"{WAITING} === 0")
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')


FIGURES = ".jp-OutputArea-output img"


def run_all(page: Page) -> float:
    """Choose Run All Cells, and wait until they have run; return how long the first figure took.

    Returns:
        Seconds from the choice to the first figure, or to the end where there is none.
    """
    # Before it is connected, JupyterLab would ask for a kernel. The status bar says when.
    page.get_by_text(re.compile(r"Python 3.* \| Idle$")).wait_for()
    choose(page, "Run", "Run All Cells")
    began = time.monotonic()
    page.wait_for_function(f"{WAITING} > 0")
    page.wait_for_function(f"document.querySelector('{FIGURES}') || {WAITING} === 0")
    seconds = time.monotonic() - began
    wait_until_idle(page)
    return seconds


def saved(page: Page, file: Path) -> nbformat.NotebookNode:
    """Save the notebook as Ctrl-S does, and read the file."""
    before, found = file.stat().st_mtime_ns, []

    def written() -> bool:
        if file.stat().st_mtime_ns != before:
            with contextlib.suppress(NotJSONError):  # only a part of it so far
                found.append(nbformat.read(file, as_version=4))
        return bool(found)

    page.keyboard.press("Control+s")
    wait_for(written, f"{file.name} to be saved")
    return found[0]


# --- Lesson 00 ---------------------------------------------------------------------------------


first_picture: list[float] = []  # seconds


@pytest.fixture(scope="module")
def lesson(browser: Browser, server: str) -> Iterator[Page]:
    """Lesson 00 in JupyterLab, after Run All Cells."""
    page = open_page(browser, server)
    assert page.locator(".jp-OutputArea-output").count() == 0  # no prediction is spoiled
    first_picture[:] = [run_all(page)]
    yield page
    page.close()


def cell(page: Page, source: str) -> Locator:
    """The one code cell with these words in its source."""
    editor = page.locator(".jp-InputArea-editor", has_text=source)
    found = page.locator(".jp-CodeCell", has=editor)
    assert found.count() == 1, (source, found.count())
    return found


def card(page: Page, source: str) -> Locator:
    return cell(page, source).locator(CARD)


def answer(page: Page, stub: str, check: str, code: str) -> str:
    """Type an answer into an exercise's cell, run it and its check; return the card's text."""
    before = card(page, check).inner_text()
    cell(page, stub).locator(".jp-InputArea-editor .cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(code)
    page.keyboard.press("Shift+Enter")  # selects the check, which comes next
    page.keyboard.press("Shift+Enter")
    wait_for(lambda: card(page, check).all_inner_texts() not in ([], [before]), f"{check} to run")
    return card(page, check).inner_text()


def test_the_first_command_opens_lesson_00(lesson: Page) -> None:
    assert "00 · Start here" in lesson.locator(".jp-NotebookPanel h1").first.inner_text()
    assert lesson.url.endswith(LESSON)


def test_the_first_picture_is_there_within_seconds(lesson: Page) -> None:
    """Fifteen on an idle machine; on any, a few times what Keras alone takes to be imported."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import keras, tensorflow"], check=True)
    assert first_picture[0] < max(15, 3 * (time.monotonic() - began))


def test_all_cells_ran_and_nothing_is_red(lesson: Page, desk: Path) -> None:
    content = saved(lesson, desk / LESSON)
    cells = [cell for cell in content.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for output in (output for cell in cells for output in cell.outputs):
        assert output.output_type != "error", output
        assert output.get("name") != "stderr", output
    red = '[data-mime-type="application/vnd.jupyter.stderr"], [data-mime-type*="jupyter.error"]'
    assert lesson.locator(red).count() == 0
    assert lesson.get_by_text("FAILS here").count() == 0
    assert lesson.get_by_text(re.compile("✓ (Claim|Fact) holds")).count() > 5


def test_figures_and_the_progress_card_are_there(lesson: Page, screenshots: Path) -> None:
    figures = lesson.locator(FIGURES)
    assert figures.count() >= 4
    for figure in figures.all():
        box = figure.bounding_box()
        assert box and box["width"] > 200 and box["height"] > 80
    shown = card(lesson, "show_progress()")
    assert "Your progress" in shown.inner_text()
    assert "Lesson 00: 0 of 3" in shown.inner_text()


def test_nobody_is_asked_about_news(lesson: Page) -> None:
    """By the server that was started; the learner has no settings of their own here."""
    settings = lesson.evaluate(
        "fetch('/lab/api/settings/@jupyterlab/apputils-extension:notification')"
        ".then(answer => answer.json()).then(found => found.schema.properties.fetchNews.default)"
    )
    assert settings == "false"
    assert lesson.get_by_text("notified about official Jupyter news").count() == 0


def test_solutions_are_folded(lesson: Page) -> None:
    assert lesson.locator(".jp-CodeCell .jp-InputPlaceholder").count() == 3 + 1  # and the bootstrap
    solutions = lesson.locator(".cm-line", has_text="def reference_").all()
    assert not any(line.is_visible() for line in solutions)


EXERCISE = "def top_label(", 'check("00.a", top_label)'
RIGHT = "def top_label(probabilities, labels):\n    return labels[probabilities[0].argmax()]"
WRONG = "def top_label(probabilities, labels):\n    return probabilities[0].argmax()"


def test_checks_answer_and_progress_is_kept(
    lesson: Page, home: Path, screenshots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Not attempted yet" in card(lesson, EXERCISE[1]).inner_text()
    hint = answer(lesson, *EXERCISE, WRONG)
    assert "✗ Exercise 00.a" in hint
    assert "the place of a class, not its name" in hint
    card(lesson, EXERCISE[1]).screenshot(path=screenshots / "hint.png")
    assert "✓ Exercise 00.a" in answer(lesson, *EXERCISE, RIGHT)
    monkeypatch.setenv("COURSE_HOME", str(home))
    assert progress.statuses(["00.a"]) == {"00.a": "passed"}
    cell(lesson, "show_progress()").locator(".cm-content").click()
    lesson.keyboard.press("Control+Enter")
    wait_until_idle(lesson)
    assert "Lesson 00: 1 of 3" in card(lesson, "show_progress()").inner_text()


# How much a figure's edge lets the page behind it show: 255 is not at all.
SEE_THROUGH = """image => {
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const paint = canvas.getContext('2d');
  paint.drawImage(image, 0, 0);
  const pixels = paint.getImageData(0, 0, canvas.width, canvas.height).data;
  let least = 255;
  for (let i = 3; i < pixels.length; i += 4) least = Math.min(least, pixels[i]);
  return least;
}"""


def test_a_transparent_figure_would_be_seen(browser: Browser) -> None:
    """What is faint is seen in test_access.py."""
    page = browser.new_page()
    for mode, edge in (("RGB", 255), ("RGBA", 0)):
        png = io.BytesIO()
        Image.new(mode, (2, 2)).save(png, "PNG")
        data = base64.b64encode(png.getvalue()).decode()
        page.set_content(f'<img src="data:image/png;base64,{data}">')
        assert page.locator("img").evaluate(SEE_THROUGH) == edge
    page.close()


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_cards_and_figures_are_readable_in_both_themes(
    lesson: Page, screenshots: Path, theme: str
) -> None:
    choose(lesson, "Settings", "Theme", theme)
    lesson.wait_for_function(
        "dark => (document.body.dataset.jpThemeLight === 'false') === dark", arg=theme == DARK
    )
    cards = lesson.locator(CARD)
    assert cards.count() > 10
    assert barriers(lesson, ".jp-OutputArea-output *", CONTRAST) == []
    for image in lesson.locator(".jp-OutputArea-output img").all():
        assert image.evaluate(SEE_THROUGH) == 255  # so black letters stay on their own white
    name = theme.split()[1].lower()
    card(lesson, "show_progress()").screenshot(path=screenshots / f"{name}-progress.png")
    for number, heading in enumerate(("Three kinds of", "What it cannot say", "Exercises")):
        lesson.locator(".jp-NotebookPanel h2", has_text=heading).scroll_into_view_if_needed()
        lesson.keyboard.press("Escape")
        lesson.screenshot(path=screenshots / f"{name}-{number}.png")


# --- TensorBoard of lesson 02 ------------------------------------------------------------------

# The callback of the lesson, told numbers in place of a training: six curves far from each other.
TINY_RUNS = """\
import keras
from helpers.callbacks import new_run, runs_folder
for level, name in enumerate(("cached", "frozen", "scratch")):
    log = keras.callbacks.TensorBoard(new_run("02", f"{name}, seed 42"), write_graph=False)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    log.set_model(model)
    log.on_train_begin()
    for epoch in range(4):
        accuracy = 0.1 + 0.3 * level + 0.02 * epoch
        log.on_epoch_end(epoch, {"accuracy": accuracy, "val_accuracy": accuracy + 0.15})
    log.on_train_end()"""


def tensorboard_of_lesson_02() -> nbformat.NotebookNode:
    """Lesson 02's cells on TensorBoard, after tiny runs in place of its own two minutes."""
    lesson = read(lessons(["02"])[0])
    code = [cell.source for cell in lesson.cells if cell.cell_type == "code"]
    start = [source for source in code if "helpers.start(" in source]
    magics = [s for s in code if "%load_ext tensorboard" in s or "%tensorboard --logdir" in s]
    assert (len(start), len(magics)) == (1, 2)
    cells = [new_code_cell(source) for source in [*start, TINY_RUNS, *magics]]
    # Without the name of a kernel, JupyterLab would ask for one.
    return new_notebook(cells=cells, metadata={"kernelspec": lesson.metadata.kernelspec})


def test_tensorboard_draws_the_runs_inside_the_notebook(
    browser: Browser, server: str, desk: Path, screenshots: Path
) -> None:
    page = open_page(browser, server.replace("/?", f"/lab/tree/{TENSORBOARD}?reset&"))
    run_all(page)
    for output in (o for c in saved(page, desk / TENSORBOARD).cells for o in c.outputs):
        assert output.output_type != "error", output
        assert output.get("name") != "stderr", output
    frame = page.locator("iframe[id^=tensorboard-frame]").element_handle().content_frame()
    frame.wait_for_selector("line-chart >> nth=0")
    names = frame.locator("body").inner_text()
    assert all(f"{name}, seed 42" in names for name in ("cached", "frozen", "scratch"))
    assert "epoch_accuracy" in names
    wait_for(lambda: len(colours(frame)) == 6, "a colour for each of TensorBoard's runs")
    wait_for(lambda: min(drawn(frame)) > 50, "TensorBoard's curves")
    page.screenshot(path=screenshots / "tensorboard.png")
    page.close()


def colours(frame: Frame) -> list[tuple[int, ...]]:
    """The colours that TensorBoard gave to its runs."""
    found = frame.locator(".run-color-swatch").evaluate_all(
        "all => all.map(one => getComputedStyle(one).backgroundColor)"
    )
    return [tuple(map(int, re.findall(r"\d+", colour)[:3])) for colour in found]


def drawn(frame: Frame) -> list[int]:
    """How many pixels of each run's colour the first chart, of accuracy, has so far.

    TensorBoard paints with the graphics card or software in its place: there is no path to ask.
    """
    chart = frame.locator("line-chart .series-view").first
    pixels = np.asarray(Image.open(io.BytesIO(chart.screenshot())).convert("RGB"), int)
    return [int((abs(pixels - c).max(axis=-1) < 24).sum()) for c in np.array(colours(frame))]
