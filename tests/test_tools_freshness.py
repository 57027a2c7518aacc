"""Freshness: a lesson is stale where something changed that its outputs depend on, and says what.

A small lesson is executed once, with a real kernel; each test gets a copy of that course.
"""

from __future__ import annotations

import ast
import copy
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import small_course
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from small_course import lesson

from helpers import claims
from helpers.session import COURSE_ROOT
from tools import execution, freshness, lessons
from tools.__main__ import main
from tools.freshness import (
    code_of,
    data_name,
    fingerprint,
    is_fresh,
    run_time_requirements,
    why_stale,
)

CELLS = (
    "import os, sys\nsys.path.insert(0, os.path.abspath('..'))",
    "from helpers.plots import graph\ngraph.draw()",
    "with open('../data/backbones.csv') as file:\n    print(file.read())",
    "import glob\nglob.glob('../data/stamps/train/*/*.jpg')\nos.listdir('../data')",
    "for name in ('claims.json', 'map.csv'):\n    open(f'../data/recorded/{name}').close()",
)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course after `refresh` of its only lesson; and a second that draws no graph."""
    folder = small_course.build(tmp_path_factory.mktemp("executed").resolve())
    first = folder / "notebooks" / "00_first.ipynb"
    text = new_markdown_cell("A word of prose.")
    nbformat.write(lesson(text, *map(new_code_cell, CELLS)), first)
    with pytest.MonkeyPatch.context() as monkeypatch:
        small_course.use(folder, monkeypatch)
        execution.refresh(first)
        other = copy.deepcopy(nbformat.read(first, as_version=4))
        other.cells[0].source = "# 01 · Second"
        used = {"helpers": ["__init__.py", "plots/curves.py"], "data": []}
        other.metadata.course = freshness.now(other, used)
        nbformat.write(other, folder / "notebooks" / "01_second.ipynb")
    return folder


@pytest.fixture
def course(executed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path.resolve() / "course"
    shutil.copytree(executed, folder)
    return small_course.use(folder, monkeypatch)


@pytest.fixture
def path(course: Path) -> Path:
    return course / "notebooks" / "00_first.ipynb"


def stale() -> dict[str, list[str]]:
    return {p.name[:2]: why for p in lessons.lessons() if (why := why_stale(p))}


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def change(path: Path, how: Callable) -> None:
    content = nbformat.read(path, as_version=4)
    how(content.cells)
    nbformat.write(content, path)


# --- What a run has used -----------------------------------------------------------------------


def test_the_run_says_which_helpers_and_data_it_has_used(path: Path) -> None:
    certificate = nbformat.read(path, as_version=4).metadata.course
    assert list(certificate.helpers) == ["__init__.py", "plots/__init__.py", "plots/graph.py"]
    # Of claims.json only the lesson's own claims count, and the folder data/ is no file.
    assert list(certificate.data) == ["backbones.csv", "recorded/map.csv", "stamps/manifest.csv"]
    assert len(certificate.cells) == 1 + len(CELLS)
    assert len(str(certificate)) < 700


def test_asking_the_kernel_leaves_no_trace_in_the_lesson(path: Path) -> None:
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert "what_this_lesson" not in path.read_text()


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("stamps/train/bird/bird_1.jpg", "stamps/manifest.csv"),
        ("stamps/train", "stamps/manifest.csv"),
        ("stamps/manifest.csv", "stamps/manifest.csv"),
        ("fashion/fashion.npz", "fashion/fashion.npz"),
        ("backbones.csv", "backbones.csv"),
        ("recorded/map.csv", "recorded/map.csv"),
        ("recorded/claims.json", None),
        ("checksums.sha256", None),
        ("fashion", None),
        (".", None),
        ("nowhere.csv", None),
    ],
)
def test_the_name_under_which_a_data_file_counts(course: Path, file: str, name: str | None) -> None:
    assert data_name(course / "data" / file) == name


# --- What costs nothing ------------------------------------------------------------------------


def test_status_after_a_comment_in_a_helper(course: Path, capsys) -> None:
    edit(course / "helpers/plots/graph.py", "  # what is drawn", "  # what is drawn, and why")
    edit(
        course / "helpers/plots/graph.py", '"""A room."""\n', '"""A room\n\nfor all."""\n\n\n# x\n'
    )
    main(["status"])
    assert capsys.readouterr().out == "00_first   fresh\n01_second  fresh\n"


def test_status_after_a_changed_line_in_one_room(course: Path, capsys) -> None:
    edit(course / "helpers/plots/graph.py", "return 1", "return 2")
    main(["status"])
    assert capsys.readouterr().out == (
        "00_first   stale: helpers/plots/graph.py\n01_second  fresh\n"
    )


def test_status_after_a_word_of_prose(path: Path, capsys) -> None:
    change(path, lambda cells: cells[3].update(source="Another word."))
    change(path, lambda cells: cells.append(new_markdown_cell("And a cell.")))
    main(["status"])
    assert capsys.readouterr().out == "00_first   fresh\n01_second  fresh\n"


def test_status_after_a_changed_cell_that_was_not_executed(path: Path, capsys) -> None:
    change(path, lambda cells: cells[5].update(source="graph = 1"))
    main(["status", "00"])
    assert capsys.readouterr().out == "00_first  stale: code cell 3\n"


def test_other_lessons_helpers_tests_and_copies_of_jupyter_cost_nothing(course: Path) -> None:
    for name in (
        "helpers/exercises/lesson_00.py",
        "helpers/plots/.ipynb_checkpoints/graph-checkpoint.py",
        "data/stamps/.ipynb_checkpoints/manifest-checkpoint.csv",
        "tests/test_it.py",
        "README.md",
    ):
        (course / name).parent.mkdir(parents=True, exist_ok=True)
        (course / name).write_text("changed = 1\n")
    edit(course / "data/checksums.sha256", "11bb", "22cc")  # fashion, which it did not open
    assert stale() == {}


def test_what_a_fork_re_points_and_outputs_themselves_cost_nothing(path: Path) -> None:
    before = fingerprint(nbformat.read(path, as_version=4))
    change(path, lambda cells: cells[1].update(source="badges of a fork"))
    change(path, lambda cells: cells[2].update(source="bootstrap = 'of a fork'"))
    change(path, lambda cells: cells[2].update(outputs=[new_output("stream", text="1")]))
    assert is_fresh(path)
    assert fingerprint(nbformat.read(path, as_version=4)) == before


def test_the_line_ends_of_windows_cost_nothing(course: Path) -> None:
    for file in course.rglob("*"):
        if file.suffix in (".py", ".csv", ".txt", ".sha256", ".json"):
            file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert stale() == {}


# --- What makes stale --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("helpers/plots/graph.py", "helpers/plots/graph.py"),
        ("helpers/plots/__init__.py", "helpers/plots/__init__.py"),
        ("data/backbones.csv", "data/backbones.csv"),
        ("data/recorded/map.csv", "data/recorded/map.csv"),
        ("data/checksums.sha256", "data/stamps/manifest.csv"),
        ("requirements.txt", "requirements.txt"),
    ],
)
def test_outputs_go_stale_when_something_they_depend_on_changes(
    course: Path, path: Path, name: str, says: str
) -> None:
    file = course / name
    before = file.read_bytes()
    added = {"data/checksums.sha256": b"99  stamps/manifest.csv\n", "requirements.txt": b""}
    file.write_bytes(before + added.get(name, b"changed = 1\n"))
    if name == "requirements.txt":
        edit(file, "keras>=3", "keras>=3.12")
    assert why_stale(path) == [says]
    file.write_bytes(before)
    assert is_fresh(path)
    if name.endswith(".txt"):
        return  # a course without requirements is none
    file.unlink()
    assert says in why_stale(path)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (lambda cells: cells.append(new_code_cell("1 + 1")), ["code cell 7"]),
        (lambda cells: cells.insert(2, new_code_cell("0")), ["code cell 1"]),
        (lambda cells: cells.pop(), ["1 code cell gone after code cell 5"]),
        (lambda cells: cells[4].update(source="x"), ["code cell 2"]),
        (lambda cells: cells[4].metadata.update(tags=["raises-exception"]), ["code cell 2"]),
        (lambda cells: cells[2].metadata.update(tags=[]), ["code cell 1"]),
    ],
)
def test_outputs_go_stale_when_a_code_cell_changes(path: Path, how, says: list[str]) -> None:
    before = fingerprint(nbformat.read(path, as_version=4))
    change(path, how)
    assert why_stale(path) == says
    assert fingerprint(nbformat.read(path, as_version=4)) != before


def test_the_order_of_cells_counts(path: Path) -> None:
    change(path, lambda cells: cells.insert(4, cells.pop()))
    assert why_stale(path) == ["code cell 2", "1 code cell gone after code cell 6"]


def test_outputs_go_stale_with_the_record_of_their_own_claims_only(path: Path) -> None:
    claims.RECORD.write_text('{"02.other": {"held": 5}}')
    assert stale() == {}
    claims.RECORD.write_text('{"00.mine": {"held": 5}}')
    assert stale() == {"00": ["the record of its claims"]}


def test_a_certificate_edited_by_hand_does_not_count(path: Path) -> None:
    content = nbformat.read(path, as_version=4)
    content.metadata.course.fresh = "0" * 64
    nbformat.write(content, path)
    assert why_stale(path) == ["its certificate, which was edited by hand"]


@pytest.mark.parametrize("certificate", [None, {"fresh": "0" * 64}])
def test_a_lesson_that_was_never_executed_is_not_fresh(path: Path, certificate) -> None:
    content = nbformat.read(path, as_version=4)
    content.metadata.pop("course")
    if certificate:  # as this course wrote it before
        content.metadata.course = certificate
    nbformat.write(content, path)
    assert not is_fresh(path)
    assert why_stale(path) == ["never executed by `python -m tools refresh`"]


def test_of_a_lesson_that_was_never_executed_every_helper_counts(path: Path, course: Path) -> None:
    content = lesson(new_code_cell("1"))
    before = fingerprint(content)
    (course / "helpers/plots/curves.py").write_text("WIDTH = 2  # wide\n")
    assert fingerprint(content) == before
    (course / "helpers/plots/curves.py").write_text("WIDTH = 3\n")
    assert fingerprint(content) != before


# --- Code without comments ---------------------------------------------------------------------

CODE = '''\
import os

TEXT = """kept  # not a comment

    as it is\x20\x20
"""
NAME = f"# {os.sep} neither"


def f(x):
    return "ä" + x[0]


class C:
    def g(self):
        return 1; 2
'''
NOISY = '''\
#!/usr/bin/env python
"""About it.

# no comment, but nobody prints it
"""

# a comment
import os  # and one
TEXT = """kept  # not a comment

    as it is\x20\x20
"""
NAME = f"# {os.sep} neither"  # three

def f(x):
    """Ä, of two bytes"""
    # inside


    return "ä" + x[0]  # ä

class C:
    \'\'\'Of a class.\'\'\'
    def g(self):
        "One line."

        return 1; 2\x20\x20
'''


def test_comments_docstrings_and_blank_lines_are_cut_and_nothing_else(tmp_path: Path) -> None:
    plain, noisy = tmp_path / "plain.py", tmp_path / "noisy.py"
    plain.write_text(CODE, encoding="utf-8")
    noisy.write_text(NOISY, encoding="utf-8")
    assert code_of(noisy) == code_of(plain)
    assert "kept  # not a comment\n\n    as it is  \n" in code_of(plain)
    noisy.write_bytes(b"\xef\xbb\xbf" + NOISY.replace("\n", "\r\n").encode())
    assert code_of(noisy) == code_of(plain)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kept  #", "kept #"),
        ("\n\n    as", "\n    as"),
        ("is  \n", "is\n"),
        ("x[0]", "x[1]"),
        ("# {os", "#  {os"),
        ("        return 1; 2", "    return 1; 2"),
    ],
)
def test_what_is_code_counts(tmp_path: Path, old: str, new: str) -> None:
    before, after = tmp_path / "before.py", tmp_path / "after.py"
    assert old in CODE
    before.write_text(CODE, encoding="utf-8")
    changed = CODE.replace(old, new)
    if "        return" in old:
        changed = changed.replace("    def g(self):\n    return", "    def g(self): return")
    after.write_text(changed, encoding="utf-8")
    assert code_of(after) != code_of(before)


class Bare(ast.NodeTransformer):
    """Takes out strings that stand alone."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(getattr(node.value, "value", None), str) else node


@pytest.mark.parametrize("floor", ["helpers", "tools"])
def test_cutting_by_position_never_cuts_into_code(floor: str) -> None:
    files = list((COURSE_ROOT / floor).rglob("*.py"))
    compared = 0
    for file in files:
        try:
            left = ast.parse(code_of(file))
        except SyntaxError:  # a function of nothing but a docstring
            continue
        whole = ast.parse(file.read_text(encoding="utf-8"))
        assert ast.dump(Bare().visit(left)) == ast.dump(Bare().visit(whole)), file
        compared += 1
    assert compared > 0.7 * len(files)


# --- Requirements ------------------------------------------------------------------------------


def test_only_run_time_requirements_count(course: Path) -> None:
    assert run_time_requirements() == ["keras>=3"]
    file = course / "requirements.txt"
    file.write_text(
        "-e .   # us\n# What\n  numpy >= 2\nkeras>=3 # x\n\n# How it is published: a lot\nsphinx\n"
    )
    assert run_time_requirements() == ["keras>=3", "numpy>=2"]


def test_the_courses_own_requirements_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "COURSE_ROOT", COURSE_ROOT)
    names = {re.match(r"[\w-]+", line)[0] for line in run_time_requirements()}
    assert {"tensorflow", "keras", "jupyterlab", "pillow"} <= names
    assert not {"pytest", "nbval", "ruff", "playwright", "sphinx", "furo"} & names
