"""A learner's own copies: made once, without outputs; refreshed without losing what was written."""

from __future__ import annotations

import errno
import os
import random
import re
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from small_course import lesson

from helpers.session import COURSE_ROOT
from tools import learn, lessons
from tools.__main__ import main
from tools.normalise import normalise

STUB = "def f(x):\n    return ..."
ANSWER = "def f(x):\n    return x + 1"
pytestmark = pytest.mark.usefixtures("course")


@pytest.fixture
def path(course: Path) -> Path:
    """The lesson of the small course, with an exercise and outputs."""
    path = course / "notebooks" / "00_first.ipynb"
    path.with_name("GLOSSARY.md").write_text("# Glossary\n")
    write(path, cells())
    return path


@pytest.fixture
def mine(path: Path) -> Path:
    """The learner's copy of it."""
    assert run()
    return learn.folder() / path.name


def cells(stub: str = STUB, prose: str = "Read this.") -> list[NotebookNode]:
    def tagged(source: str, tag: str) -> NotebookNode:
        return new_code_cell(source, metadata={"tags": [tag]})

    return [
        new_markdown_cell(prose),
        new_code_cell("1 + 1", outputs=[new_output("stream", text="2\n")], execution_count=2),
        tagged(stub, "exercise"),
        tagged('check("00.a", f)', "check"),
        new_code_cell("last = 1"),
    ]


def write(path: Path, content: list[NotebookNode]) -> None:
    whole = lesson(*content)
    normalise(whole)
    whole.metadata.course = {"fresh": "its outputs"}
    nbformat.write(whole, path)


def run(refresh: bool = False) -> str:
    return "\n".join(learn.prepare(refresh))


def edit(path: Path, old: str, new: str) -> None:
    """Change a cell as JupyterLab does: its id stays."""
    content = nbformat.read(path, as_version=4)
    (cell,) = [cell for cell in content.cells if cell.source == old]
    cell.source = new
    nbformat.write(content, path)


def add(path: Path, after: str, cell: NotebookNode) -> None:
    content = nbformat.read(path, as_version=4)
    (place,) = [k for k, cell in enumerate(content.cells) if cell.source == after]
    content.cells.insert(place + 1, cell)
    nbformat.write(content, path)


def sources(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, as_version=4).cells][3:]


def others(mine: Path) -> list[str]:
    return sorted({file.name for file in mine.parent.iterdir()} - {mine.name, "GLOSSARY.md"})


# --- The first start and the next --------------------------------------------------------------


def test_the_copy_has_the_cells_and_no_outputs(path: Path, mine: Path) -> None:
    assert sources(mine) == sources(path)
    content = nbformat.read(mine, as_version=4)
    code = [cell for cell in content.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert "course" not in content.metadata  # nothing certifies outputs that are not there
    assert nbformat.read(path, as_version=4).cells[4].outputs  # the lesson's own stay
    assert (mine.parent / "GLOSSARY.md").read_text() == "# Glossary\n"
    nbformat.validate(content)


def test_another_start_leaves_every_byte(path: Path, mine: Path) -> None:
    edit(mine, STUB, ANSWER)
    before = mine.read_bytes()
    assert run() == ""
    assert mine.read_bytes() == before
    write(path, cells(prose="Read this twice."))
    assert "newer version of 00 than my/" in run()
    assert mine.read_bytes() == before


def test_a_lesson_that_is_missing_comes_back_alone(path: Path, mine: Path) -> None:
    mine.unlink()
    assert run().startswith("my/ has 1 lesson more")
    assert mine.is_file()


def test_a_damaged_copy_is_no_reason_not_to_start(mine: Path) -> None:
    mine.write_text('{"cells": [')
    assert run() == ""
    assert mine.read_text() == '{"cells": ['


# --- Refreshing --------------------------------------------------------------------------------


def test_a_refresh_with_nothing_new_leaves_every_byte(mine: Path) -> None:
    edit(mine, STUB, ANSWER)
    before = mine.read_bytes()
    assert run(refresh=True) == "my/ has the newest version of every lesson."
    assert mine.read_bytes() == before


def test_answers_and_notes_come_along(path: Path, mine: Path) -> None:
    edit(mine, STUB, ANSWER)
    add(mine, "1 + 1", new_markdown_cell("My note", attachments={"a.png": {"image/png": "AA=="}}))
    write(path, [*cells(prose="Read this twice."), new_code_cell("newer = 2")])
    said = run(refresh=True)
    assert said == "my/00_first.ipynb is the newer version, with 2 of your cells."
    wanted = ["Read this twice.", "1 + 1", "My note", ANSWER, 'check("00.a", f)', "last = 1"]
    assert sources(mine) == [*wanted, "newer = 2"]
    content = nbformat.read(mine, as_version=4)
    assert content.cells[5].attachments == {"a.png": {"image/png": "AA=="}}
    assert others(mine) == []
    before = mine.read_bytes()
    assert "newest" in run(refresh=True)  # and once more, nothing is added twice
    assert mine.read_bytes() == before


def test_a_third_version_still_finds_what_the_second_brought_along(path: Path, mine: Path) -> None:
    edit(mine, STUB, ANSWER)
    add(mine, "last = 1", new_code_cell("mine = 3"))
    for prose in ("Second.", "Third."):
        write(path, cells(prose=prose))
        run(refresh=True)
    assert sources(mine) == ["Third.", "1 + 1", ANSWER, 'check("00.a", f)', "last = 1", "mine = 3"]


def test_an_answer_to_an_exercise_that_has_changed_is_kept_twice(path: Path, mine: Path) -> None:
    edit(mine, STUB, ANSWER)
    write(path, cells(stub="def f(x, y):\n    return ..."))
    said = run(refresh=True)
    assert "exercise 00.a has changed since you answered it" in said
    assert said.endswith("my/00_first-old.ipynb")
    assert ANSWER in sources(mine)
    assert ANSWER in sources(mine.with_name("00_first-old.ipynb"))


def test_what_has_no_place_any_more_stays_in_the_old_file(path: Path, mine: Path) -> None:
    edit(mine, "Read this.", "Read this. I think so too.")
    for number in (1, 2):
        write(path, cells(prose=f"Another text {number}."))
        said = run(refresh=True)
        edit(mine, f"Another text {number}.", "No.")
    assert "not all that you wrote has a place in it" in said
    assert others(mine) == ["00_first-old.ipynb", "00_first-old2.ipynb"]
    assert "Read this. I think so too." in sources(mine.with_name("00_first-old.ipynb"))


@pytest.mark.parametrize("how", ["ids", "note"])
def test_where_nothing_can_be_told_apart_the_old_file_is_kept(
    path: Path, mine: Path, how: str
) -> None:
    edit(mine, STUB, ANSWER)
    content = nbformat.read(mine, as_version=4)
    if how == "note":
        del content.metadata[learn.COPIED]
    for number, cell in enumerate(content.cells if how == "ids" else ()):
        cell.id = f"new{number}"
    nbformat.write(content, mine)
    write(path, cells(prose="Newer."))
    assert "my/00_first-old.ipynb" in run(refresh=True)
    assert sources(mine)[0] == "Newer."
    assert ANSWER in sources(mine.with_name("00_first-old.ipynb"))


def test_what_was_written_into_the_lesson_itself_is_not_taken_for_the_courses(path: Path) -> None:
    """By a learner who worked in notebooks/ before there was a copy, and then pulls."""
    edit(path, STUB, ANSWER)
    run()
    mine = learn.folder() / path.name
    assert ANSWER in sources(mine)
    write(path, cells(prose="Newer."))
    run(refresh=True)
    assert ANSWER in sources(mine)


def test_a_copy_that_is_no_notebook_is_named_and_left(path: Path, mine: Path) -> None:
    for text in ("", '{"cells": [', "[]", '{"nbformat": 4}', "\0\0"):
        mine.write_text(text)
        write(path, cells(prose="Newer."))
        assert "my/00_first.ipynb cannot be read as a notebook" in run(refresh=True), text
        assert mine.read_text() == text


@pytest.mark.parametrize("seed", range(150))
def test_whatever_was_written_and_whatever_is_newer_nothing_is_lost(seed: int) -> None:
    """Cells are edited, added, deleted and moved, by the learner and in the newer lesson."""
    luck = random.Random(seed)
    texts = [f"lesson {number}" for number in range(8)]
    mine = copy_of(texts)
    written = set()
    for number in range(luck.randrange(6)):
        place = luck.randrange(len(mine.cells))
        match luck.choice(["edit", "add", "delete", "move", "copy"]):
            case "edit":
                written.discard(mine.cells[place].source)
                mine.cells[place].source = f"written {number}"
                written.add(f"written {number}")
            case "add":
                mine.cells.insert(place, new_code_cell(f"written {number}"))
                written.add(f"written {number}")
            case "delete":
                written.discard(mine.cells.pop(place).source)
            case "move":
                mine.cells.insert(luck.randrange(len(mine.cells)), mine.cells.pop(place))
            case "copy":
                again = f"{mine.cells[place].source}, again {number}"
                mine.cells.insert(place, new_code_cell(again))
                written.add(again)
    for number in range(luck.randrange(5)):
        place = luck.randrange(len(texts))
        match luck.choice(["edit", "add", "delete", "move"]):
            case "edit":
                texts[place] = f"newer {number}"
            case "add":
                texts.insert(place, f"newer {number}")
            case "delete":
                texts.pop(place)
            case "move":
                texts.insert(luck.randrange(len(texts)), texts.pop(place))
    new = copy_of(texts)
    wanted = [cell.id for cell in new.cells]
    merged = learn.merge(mine, new)
    there = [cell.source for cell in merged.content.cells]
    assert merged.lost or written <= set(there)  # what is lost there stays in the old file
    assert len(there) == len(set(there))  # and nothing is there twice
    assert [cell.id for cell in merged.content.cells if cell.id in wanted] == wanted
    nbformat.validate(merged.content)


def copy_of(texts: list[str]) -> NotebookNode:
    """A lesson with these code cells, as `learn.copy_of` gives it."""
    content = lesson(*map(new_code_cell, texts))
    normalise(content)
    content.metadata[learn.COPIED] = {cell.id: learn._hash(cell) for cell in content.cells}
    return content


# --- Faults ------------------------------------------------------------------------------------


def test_a_file_in_the_folders_place_is_said_in_a_sentence(path: Path) -> None:
    learn.folder().write_text("a file")
    with pytest.raises(SystemExit, match=r"learn: .*my.* cannot be read or written .*exist"):
        main(["learn", "--no-lab"])
    assert learn.folder().read_text() == "a file"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_disk_is_said_and_loses_nothing(path: Path, mine: Path, monkeypatch, number) -> None:
    edit(mine, "Read this.", "My words.")
    write(path, cells(prose="Newer."))
    before, replace = mine.read_bytes(), os.replace

    def full(source: Path, target: Path) -> None:
        if Path(target) == mine:
            raise OSError(number, os.strerror(number), str(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(
        SystemExit, match=r"^learn: \S+00_first.ipynb cannot be .* as it was\. Free"
    ):
        main(["learn", "--no-lab", "--refresh"])
    assert mine.read_bytes() == before
    assert not any(file.name.startswith(".") for file in mine.parent.iterdir())


def test_stopping_it_loses_nothing_and_the_next_start_goes_on(path: Path, monkeypatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(SystemExit, match="learn: stopped"):
        patch.setattr(learn, "copy_of", stopped)
        main(["learn", "--no-lab"])
    assert run().startswith("my/ has 1 lesson more")


# --- The command -------------------------------------------------------------------------------


def test_jupyterlab_opens_on_lesson_00_with_the_learners_options(path, monkeypatch, capsys) -> None:
    opened = []
    monkeypatch.setattr(learn, "open_lab", opened.append)
    main(["learn", "--no-browser", "--port", "9000"])
    assert opened == [["--no-browser", "--port", "9000"]]
    assert capsys.readouterr().out.startswith("my/ has 1 lesson more")
    main(["learn", "--no-lab"])
    assert len(opened) == 1


def test_other_commands_take_no_options_that_they_do_not_have(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["status", "--no-browser"])
    assert "unrecognized arguments: --no-browser" in capsys.readouterr().err


def test_git_ignores_the_copies() -> None:
    assert "/my/" in (COURSE_ROOT / ".gitignore").read_text().split()


def test_links_of_the_lessons_lead_somewhere_from_the_copy_too(monkeypatch, tmp_path: Path) -> None:
    """It lies beside notebooks/; what lessons link to in their own folder is copied."""
    monkeypatch.setattr(lessons, "NOTEBOOKS", COURSE_ROOT / "notebooks")
    run()
    for page in learn.folder().iterdir():
        for link in re.findall(r"\]\((?!https?:|#)([^)#\s\\]+\.(?:md|ipynb))", page.read_text()):
            if link.startswith("../"):
                assert (COURSE_ROOT / link.removeprefix("../")).is_file(), link
            else:
                assert (page.parent / link).is_file(), link
