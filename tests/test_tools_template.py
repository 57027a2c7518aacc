"""Stamping: badges and bootstrap cell of every lesson come from one template."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell
from small_course import ADDRESS, lesson

from tools import lessons
from tools.template import Stale, stamp, template

pytestmark = pytest.mark.usefixtures("course")


def sources(path: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, as_version=4).cells]


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
    assert "Edit > Clear all outputs" in cells["badges"]  # or every prediction is answered there


def test_stamping_folds_the_bootstrap_cell(path: Path) -> None:
    stamp(path)
    content = nbformat.read(path, as_version=4)
    assert content.cells[2].metadata.jupyter.source_hidden
    del content.cells[2].metadata["jupyter"]
    nbformat.write(content, path)
    assert stamp(path) is True


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
    assert lessons.lessons() == lessons.lessons(["00"]) == [path]
    with pytest.raises(ValueError, match="no lesson 07"):
        lessons.lessons(["07"])
