"""The glossary has an entry for every linked word, and each lesson links its first uses."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers import course, glossary_links
from helpers.glossary_links import GLOSSARY, LINK, WORDS, add_links, anchor, entries, linked

NOTEBOOKS = course.lessons()


def lesson_of(*texts: str):
    """A lesson whose first three cells, which are never linked, are followed by these."""
    start = [new_markdown_cell(text) for text in ("# 00 · X", "badges", "## What\n\n- a head")]
    return new_notebook(cells=[*start, *map(new_markdown_cell, texts)])


def text_with_links(*texts: str) -> list[str]:
    return list(linked(lesson_of(*texts)).values())


# --- The glossary ------------------------------------------------------------------------------


def test_entries_are_in_order_and_each_has_its_words() -> None:
    terms = entries()
    assert len(terms) > 45
    assert terms == sorted(terms)
    assert set(WORDS) <= set(terms)
    # An anchor is the same for GitHub, JupyterLab and the site only if nothing is a capital.
    assert all(re.fullmatch(r"[a-z][a-z -]*", term) for term in terms)


def test_every_entry_says_what_keras_calls_it_and_where_it_comes_up() -> None:
    parts = re.split(r"^## ", GLOSSARY.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    for part in parts:
        assert "Keras" in part, part
        assert re.search(r"\*Lessons?:\* \[\d\d\]\(\d\d_\w+\.ipynb\)", part), part
        assert part.count(". ") >= 2, part


# --- The links ---------------------------------------------------------------------------------


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_links_its_first_uses(notebook: Path) -> None:
    assert add_links(notebook, write=False) == [], (
        f"run: python -m helpers.glossary_links {notebook.name[:2]}"
    )


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_lead_to_entries_and_no_word_is_linked_twice(notebook: Path) -> None:
    lesson = nbformat.read(notebook, as_version=4)
    text = "\n".join(cell.source for cell in lesson.cells if cell.cell_type == "markdown")
    found = re.findall(r"\]\(GLOSSARY\.md#([^)]*)\)", text)
    assert set(found) <= {anchor(term) for term in entries()}
    assert len(found) == len(set(found)) > 5


def test_the_first_use_is_linked_and_no_other() -> None:
    assert text_with_links("An epoch, and an epoch.", "A third epoch.") == [
        "An [epoch](GLOSSARY.md#epoch), and an epoch.",
        "A third epoch.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "## The epoch",
        "`epoch`",
        "```python\nepoch = 1\n```",
        "[one epoch](https://example.org)",
        "| epoch | seed |",
        "epoch_accuracy",
        "the epochal",
        "### Exercise 00.a · Count\n\nAdd up every epoch.",
        "heads or tails, and split the file; the top of the page, a clean cut",
    ],
)
def test_what_is_no_running_text_or_means_something_else_is_left_alone(text: str) -> None:
    assert "GLOSSARY" not in "".join(text_with_links(text))


def test_the_longer_word_wins() -> None:
    [text] = text_with_links("A learning-rate schedule, then optimizer state and an optimizer.")
    assert text == (
        "A [learning-rate schedule](GLOSSARY.md#learning-rate-schedule), then "
        "[optimizer state](GLOSSARY.md#optimizer-state) and an "
        "[optimizer](GLOSSARY.md#optimizer)."
    )


def test_linking_again_changes_nothing_and_an_earlier_use_takes_the_link(tmp_path: Path) -> None:
    path = tmp_path / "00_x.ipynb"
    lesson = lesson_of("A **backbone** has seen ImageNet.")
    lesson.cells.append(new_code_cell("backbone = None"))
    nbformat.write(lesson, path)
    assert len(add_links(path)) == 1
    once = path.read_bytes()
    assert add_links(path) == []
    assert path.read_bytes() == once
    lesson = nbformat.read(path, as_version=4)
    lesson.cells.insert(3, new_markdown_cell("ImageNet first."))
    nbformat.write(lesson, path)
    add_links(path)
    cells = nbformat.read(path, as_version=4).cells
    assert cells[3].source == "[ImageNet](GLOSSARY.md#imagenet) first."
    assert cells[4].source == "A **[backbone](GLOSSARY.md#backbone)** has seen ImageNet."
    assert cells[5].source == "backbone = None"
    assert [LINK.sub(r"\1", cell.source) for cell in cells[3:5]] == [
        "ImageNet first.",
        "A **backbone** has seen ImageNet.",
    ]


def test_checking_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    path = tmp_path / "00_x.ipynb"
    nbformat.write(lesson_of("One epoch."), path)
    before = path.read_bytes()
    monkeypatch.setattr(course, "NOTEBOOKS", tmp_path)
    glossary_links.main(["--check"])
    assert path.read_bytes() == before
    assert "One [epoch](GLOSSARY.md#epoch)." in capsys.readouterr().out
