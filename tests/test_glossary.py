"""The glossary has an entry for every linked word, and each lesson links its first uses."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import lessons
from tools.__main__ import main
from tools.glossary import AMBIGUOUS, LINK, anchor, entries, glossary, problems, prose, words

NOTEBOOKS = lessons.lessons()


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What is wrong with a lesson of these texts; the glossary is the course's."""
    (tmp_path / "GLOSSARY.md").write_text(glossary(), encoding="utf-8")
    (tmp_path / "09_links.ipynb").write_text(
        nbformat.writes(lesson_of("Some [epochs](GLOSSARY.md#epoch)."))
    )
    monkeypatch.setattr(lessons, "NOTEBOOKS", tmp_path)

    def check(*texts: str) -> list[str]:
        path = tmp_path / "00_x.ipynb"
        nbformat.write(lesson_of(*texts), path)
        return list(problems(path))

    return check


def lesson_of(*texts: str):
    """A lesson whose first three cells, which are never linked, are followed by these."""
    start = [new_markdown_cell(text) for text in ("# 00 · X", "badges", "## What\n\n- an epoch")]
    cells = [*start, *map(new_markdown_cell, texts), new_code_cell("epoch = None")]
    return new_notebook(cells=cells)


# --- The glossary ------------------------------------------------------------------------------


def test_entries_are_in_order() -> None:
    terms = entries()
    assert len(terms) > 45
    assert terms == sorted(terms)
    # An anchor is the same for GitHub, JupyterLab and the site only if nothing is a capital.
    assert all(re.fullmatch(r"[a-z][a-z -]*", term) for term in terms)


def test_every_entry_says_what_keras_calls_it_and_where_it_comes_up() -> None:
    parts = re.split(r"^## ", glossary(), flags=re.MULTILINE)[1:]
    for part in parts:
        assert "Keras" in part, part
        assert re.search(r"\*Lessons?:\* \[\d\d\]\(\d\d_\w+\.ipynb\)", part), part
        assert part.count(". ") >= 2, part


def test_the_words_of_entries_come_from_headings_and_links() -> None:
    known = words()
    assert set(known) <= {anchor(term) for term in entries()}
    assert len(known) > 40
    assert known["optimizer-state"] == {"optimizer state", "optimizer's state"}
    assert not AMBIGUOUS & set().union(*known.values())
    assert {anchor(term) for term in AMBIGUOUS} <= {anchor(term) for term in entries()}


# --- The links ---------------------------------------------------------------------------------


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_links_its_first_uses_to_entries_and_no_word_twice(notebook: Path) -> None:
    assert list(problems(notebook)) == []
    lesson = lessons.read(notebook)
    text = "\n".join(cell.source for cell in lesson.cells if cell.cell_type == "markdown")
    found = [name for _, name in LINK.findall(text)]
    assert set(found) <= {anchor(term) for term in entries()}
    assert len(found) == len(set(found)) > 5
    assert len(found) == len(LINK.findall(prose(lesson)))  # all stand in running text


def test_the_first_use_has_to_be_linked(found) -> None:
    epoch = "first use of GLOSSARY.md#epoch is not linked: "
    assert found("An [epoch](GLOSSARY.md#epoch), and an epoch.", "A third epoch.") == []
    assert found("No link: an epoch.") == [f"{epoch}No link: an epoch."]
    [problem] = found("An epoch, and an [epoch](GLOSSARY.md#epoch).")
    assert problem.startswith(f"{epoch}An epoch, and an ·")
    assert len(found("Epochs.", "An [epoch](GLOSSARY.md#epoch).")) == 1  # as another lesson says it


def test_a_link_that_leads_nowhere_or_stands_twice_is_named(found) -> None:
    assert found("[x](GLOSSARY.md#no-entry)") == ["GLOSSARY.md#no-entry leads to no entry"]
    twice = "[epoch](GLOSSARY.md#epoch) and [epoch](GLOSSARY.md#epoch)"
    assert found(twice) == ["GLOSSARY.md#epoch is linked 2 times"]


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
def test_what_is_no_running_text_or_means_something_else_is_left_alone(found, text: str) -> None:
    assert found(text) == []


def test_the_longer_word_wins(found) -> None:
    text = (
        "A [learning-rate schedule](GLOSSARY.md#learning-rate-schedule), then "
        "[optimizer state](GLOSSARY.md#optimizer-state) and an "
        "[optimizer](GLOSSARY.md#optimizer)."
    )
    assert found(text) == []
    [problem] = found(text.replace("an [optimizer](GLOSSARY.md#optimizer)", "an optimizer"))
    assert "#optimizer is not linked" in problem


def test_the_command_says_what_is_wrong_and_changes_nothing(
    found, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    found("One epoch.")
    before = (tmp_path / "00_x.ipynb").read_bytes()
    with pytest.raises(SystemExit, match="glossary: 1 link to mend"):
        main(["glossary", "00"])
    assert (tmp_path / "00_x.ipynb").read_bytes() == before
    assert "first use of GLOSSARY.md#epoch is not linked: One epoch." in capsys.readouterr().out
