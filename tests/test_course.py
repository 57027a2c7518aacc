"""The maintainer's commands: stamping, freshness, normalising, measuring, pages."""

from __future__ import annotations

import ast
import base64
import copy
import io
import json
from pathlib import Path

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from helpers import course
from helpers.course import Stale, fingerprint, is_fresh, normalise, stamp, template
from helpers.session import COURSE_ROOT

ADDRESS = "https://github.com/someone/fork"


@pytest.fixture(autouse=True)
def copied_course(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A small course in a folder of its own, with one lesson."""
    for name, content in {
        "pyproject.toml": f'[tool.course]\nrepository = "{ADDRESS}/"\nbranch = "spring"\n',
        "requirements.txt": "keras>=3\n",
        "helpers/plots.py": "PALETTE = ()\n",
        "helpers/course.py": "# the maintainer's\n",
        "helpers/publish/pages.py": "# the maintainer's\n",
        "helpers/exercises/lesson_00.py": "EXERCISES = {}\n",
        "helpers/recorded_spread.json": "{}\n",
        "data/checksums.sha256": "00  stamps\n",
    }.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setattr(course, "COURSE_ROOT", tmp_path)
    monkeypatch.setattr(course, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(course, "RECORD", tmp_path / "helpers" / "recorded_spread.json")
    nbformat.write(lesson(), tmp_path / "notebooks" / "00_first.ipynb")
    return tmp_path


def lesson(*cells: NotebookNode) -> NotebookNode:
    return new_notebook(
        cells=[
            new_markdown_cell("# 00 · First"),
            new_markdown_cell("x", metadata={"tags": ["badges"]}),
            new_code_cell("pass", metadata={"tags": ["bootstrap"]}),
            *cells,
        ]
    )


@pytest.fixture
def path(copied_course: Path) -> Path:
    return copied_course / "notebooks" / "00_first.ipynb"


def sources(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


# --- Stamping ----------------------------------------------------------------------------------


def test_badges_and_bootstrap_lead_to_the_one_address(path: Path) -> None:
    cells = template(path)
    assert (
        "https://colab.research.google.com/github/someone/fork/blob/spring/notebooks/00_first.ipynb"
        in cells["badges"]
    )
    assert f"({ADDRESS}/blob/spring/notebooks/00_first.ipynb)" in cells["badges"]
    assert f'"{ADDRESS}"' in cells["bootstrap"]
    assert '"--branch=spring"' in cells["bootstrap"]
    compile(cells["bootstrap"], "bootstrap", "exec")


def test_stamping_twice_changes_nothing_more(path: Path) -> None:
    assert stamp(path) is True
    assert sources(path)[1:] == list(template(path).values())
    stamped = path.read_bytes()
    assert stamp(path) is False
    assert path.read_bytes() == stamped


def test_stamping_repairs_a_changed_badge_and_nothing_else(path: Path) -> None:
    stamp(path)
    stamped = path.read_bytes()
    content = nbformat.read(path, as_version=4)
    content.cells[1].source = content.cells[1].source.replace("someone", "somebody")
    nbformat.write(content, path)
    assert stamp(path) is True
    assert path.read_bytes() == stamped


@pytest.mark.parametrize("count", [0, 2])
def test_a_lesson_needs_exactly_one_of_each_shared_cell(path: Path, count: int) -> None:
    content = lesson()
    del content.cells[1]
    badges = (new_markdown_cell("x", metadata={"tags": ["badges"]}) for _ in range(count))
    content.cells += badges
    nbformat.write(content, path)
    with pytest.raises(Stale, match=rf"00_first\.ipynb needs exactly one.*'badges', has {count}"):
        stamp(path)


def test_lessons_are_found_by_number(path: Path) -> None:
    assert course.lessons() == course.lessons(["00"]) == [path]
    with pytest.raises(ValueError, match="no lesson 07"):
        course.lessons(["07"])


# --- Freshness ---------------------------------------------------------------------------------


def test_outputs_go_stale_with_the_record_of_their_own_claims_only(path: Path) -> None:
    content = nbformat.read(path, as_version=4)
    content.cells[0].source = "# 00 · First"
    normalise(content)
    nbformat.write(content, path)
    course.RECORD.write_text('{"01.other": {"held": 5}}')
    assert is_fresh(path)
    course.RECORD.write_text('{"00.mine": {"held": 5}}')
    assert not is_fresh(path)


@pytest.mark.parametrize(
    "name",
    [
        "helpers/plots.py",
        "helpers/exercises/lesson_00.py",
        "requirements.txt",
        "data/checksums.sha256",
    ],
)
def test_outputs_go_stale_when_something_they_depend_on_changes(
    path: Path, copied_course: Path, name: str
) -> None:
    content = nbformat.read(path, as_version=4)
    normalise(content)
    nbformat.write(content, path)
    assert is_fresh(path)
    file = copied_course / name
    before = file.read_bytes()
    file.write_bytes(before + b"# changed\n")
    assert not is_fresh(path)
    file.write_bytes(before.replace(b"\n", b"\r\n"))  # as git checks it out on Windows
    assert is_fresh(path)
    file.unlink()
    assert not is_fresh(path)


def test_outputs_go_stale_when_a_cell_changes(path: Path) -> None:
    content = nbformat.read(path, as_version=4)
    before = fingerprint(content)
    for change in (
        lambda cells: cells.append(new_code_cell("1 + 1")),
        lambda cells: cells.pop(),
        lambda cells: cells.reverse(),
        lambda cells: cells[0].update(source="# 00 · Second"),
    ):
        changed = copy.deepcopy(content)
        change(changed.cells)
        assert fingerprint(changed) != before


def test_what_outputs_do_not_depend_on_leaves_them_fresh(path: Path, copied_course: Path) -> None:
    content = nbformat.read(path, as_version=4)
    before = fingerprint(content)
    (copied_course / "helpers" / "course.py").write_text("# changed\n")
    (copied_course / "helpers" / "publish" / "pages.py").write_text("# changed\n")
    (copied_course / "README.md").write_text("# changed\n")
    content.cells[1].source = "badges of a fork"
    content.cells[2].source = "bootstrap = 'of a fork'"
    content.cells[2].outputs = [new_output("stream", text="1")]
    content.metadata.widgets = {}
    assert fingerprint(content) == before


def test_lessons_import_nothing_that_is_left_out_of_their_fingerprint() -> None:
    """Or outputs could go stale unseen."""
    left_out = {name.removesuffix(".py") for name in course.NOT_IN_LESSONS}
    helpers = Path(course.__file__).parent
    assert all((helpers / name).exists() for name in course.NOT_IN_LESSONS)
    for notebook in COURSE_ROOT.glob("notebooks/*.ipynb"):
        text = notebook.read_text(encoding="utf-8")
        assert not any(f"helpers.{name}" in text for name in left_out - {"course"}), notebook
    for file in helpers.rglob("*.py"):
        if file.relative_to(helpers).parts[0] in course.NOT_IN_LESSONS:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names = {f"{node.module}.{alias.name}" for alias in node.names}
            else:
                continue
            found = {name.split(".")[1] for name in names if name.startswith("helpers.")}
            assert not found & left_out, file


def test_a_lesson_that_was_never_executed_is_not_fresh(path: Path) -> None:
    assert not is_fresh(path)


# --- Normalising -------------------------------------------------------------------------------


def png(colours: int) -> str:
    pixels = np.random.default_rng(0).integers(0, colours, (120, 120, 3)).astype("uint8")
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_what_changes_from_run_to_run_is_removed() -> None:
    cell = new_code_cell(
        "1",
        outputs=[new_output("stream", text="a\n"), new_output("stream", text="b\n")],
        metadata={"execution": {"iopub.execute_input": "2026-11-22"}, "tags": ["kept"]},
    )
    content = lesson(cell)
    content.metadata.widgets = {"state": {}}
    content.metadata.language_info = {"name": "python", "version": "3.11.7"}
    normalise(content)
    assert cell.metadata == {"tags": ["kept"]}
    assert [output.text for output in cell.outputs] == ["a\nb\n"]  # however it was cut in pieces
    assert set(content.metadata) == {"kernelspec", "language_info", "course"}
    assert "2026" not in json.dumps(content)
    assert "3.11" not in json.dumps(content)


def test_ids_come_from_sources_and_are_unique() -> None:
    one, other = lesson(new_code_cell("1"), new_code_cell("1")), lesson(new_code_cell("1"))
    normalise(one)
    normalise(other)
    ids = [cell.id for cell in one.cells]
    assert len(set(ids)) == len(ids)
    assert ids[:4] == [cell.id for cell in other.cells]
    one.cells.insert(1, new_markdown_cell("new"))
    normalise(one)
    assert [cell.id for cell in one.cells if cell.source != "new"] == ids


def test_cells_of_the_template_keep_their_ids_in_a_fork(path: Path, copied_course: Path) -> None:
    stamp(path)
    here = nbformat.read(path, as_version=4)
    normalise(here)
    fork = copy.deepcopy(here)
    fork.cells[1].source = fork.cells[1].source.replace("someone", "school")
    fork.cells[2].source = fork.cells[2].source.replace("someone", "school")
    normalise(fork)
    assert [cell.id for cell in fork.cells] == [cell.id for cell in here.cells]
    assert fork.metadata == here.metadata


def test_normalising_twice_changes_nothing_more() -> None:
    picture = new_output(
        "display_data", {"image/png": png(256)}, metadata={"image/png": {"alt": "noise"}}
    )
    content = lesson(new_code_cell("draw()", outputs=[picture], execution_count=2))
    normalise(content)
    once = nbformat.writes(content)
    normalise(content)
    assert nbformat.writes(content) == once
    nbformat.validate(content)


def test_pictures_become_smaller_and_keep_their_words() -> None:
    picture = new_output(
        "display_data", {"image/png": png(256)}, metadata={"image/png": {"alt": "noise"}}
    )
    content = lesson(new_code_cell("draw()", outputs=[picture]))
    normalise(content)
    (after,) = content.cells[3].outputs
    assert len(after.data["image/png"]) < 0.7 * len(png(256))
    assert after.metadata["image/png"].alt == "noise"
    small = Image.open(io.BytesIO(base64.b64decode(after.data["image/png"])))
    assert small.size == (120, 120)


def test_what_would_be_red_is_refused() -> None:
    red = new_output("stream", name="stderr", text="W0000 low on luck")
    with pytest.raises(Stale, match=r"wrote on stderr:\nnoisy\(\)\n---\nW0000 low on luck"):
        normalise(lesson(new_code_cell("noisy()", outputs=[red])))


def test_a_frame_that_only_lives_with_its_kernel_is_replaced() -> None:
    html = '<iframe id="tensorboard-frame-1f2e" src="http://localhost:6006"></iframe>'
    said = "Reusing TensorBoard on port 6006 (pid 4711), started 0:00:05 ago."
    outputs = [
        new_output("stream", text=said),
        new_output("display_data", {"text/html": html, "text/plain": "<IPython.HTML>"}),
    ]
    content = lesson(new_code_cell("%tensorboard --logdir runs", outputs=outputs))
    normalise(content)
    (output,) = content.cells[3].outputs
    assert output.text == course.TENSORBOARD_NOTE
    assert "localhost" not in json.dumps(content)


# --- Running -----------------------------------------------------------------------------------


def test_a_lesson_is_executed_stamped_and_fresh(path: Path) -> None:
    """With a real kernel, in a folder for progress that is not the learner's."""
    cell = new_code_cell("import os\nprint(os.environ['COURSE_SEED'], os.environ['COURSE_STRICT'])")
    nbformat.write(lesson(cell, new_code_cell("print(os.environ['COURSE_HOME'])")), path)
    line = course.refresh(path)
    content = nbformat.read(path, as_version=4)
    assert content.cells[3].outputs[0].text == "42 1\n"
    assert not Path(content.cells[4].outputs[0].text.strip()).exists()
    assert [cell.execution_count for cell in content.cells[2:]] == [1, 2, 3]
    assert is_fresh(path)
    assert line.startswith("00_first.ipynb: ")
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_lesson_that_fails_is_left_as_it_was(path: Path) -> None:
    stamp(path)
    content = nbformat.read(path, as_version=4)
    content.cells.append(new_code_cell("raise ValueError('no luck')"))
    nbformat.write(content, path)
    before = path.read_bytes()
    with pytest.raises(Exception, match="no luck"):
        course.refresh(path)
    assert path.read_bytes() == before


def test_spread_records_every_claim_of_every_seed(path: Path, monkeypatch) -> None:
    def execute(notebook: Path, **environment: str):
        seed = int(environment["COURSE_SEED"])
        line = {"id": "00.a", "seed": seed, "holds": seed != 142, "evidence": {"gain": seed / 7}}
        Path(environment["COURSE_CLAIMS_LOG"]).write_text(json.dumps(line) + "\n")
        return None, 1.0, 0.0

    monkeypatch.setattr(course, "execute", execute)
    course.RECORD.write_text('{"00.gone": {}, "01.other": {"seeds": []}}')
    lines = list(course.spread([path], runs=3))
    assert lines[-1] == "  00.a: held 2 of 3"
    assert json.loads(course.RECORD.read_text()) == {
        "00.a": {"seeds": [42, 142, 242], "held": 2, "evidence": {"gain": [6.0, 20.29, 34.57]}},
        "01.other": {"seeds": []},
    }


def test_a_page_keeps_the_words_of_its_figures(path: Path, tmp_path: Path, capsys) -> None:
    alt = 'Bars "rise" & fall'
    picture = new_output(
        "display_data", {"image/png": png(2)}, metadata={"image/png": {"alt": alt}}
    )
    nbformat.write(lesson(new_code_cell("draw()", outputs=[picture])), path)
    course.main(["html", str(tmp_path / "pages"), "00"])
    html = (tmp_path / "pages" / "00_first.html").read_text()
    assert BeautifulSoup(html, "html.parser").img["alt"] == alt
    assert "00_first.html" in capsys.readouterr().out
