"""The instructors' guide says what the lessons say now, and has its hand-written parts."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from tools import guide, lessons
from tools.__main__ import main
from tools.guide import GUIDE, first_sentence, is_up_to_date, minutes_and_questions, parts

LESSONS = [path.name[:2] for path in lessons.lessons()]


@pytest.mark.parametrize("lesson", LESSONS)
def test_what_is_made_from_a_lesson_is_up_to_date(lesson: str) -> None:
    assert is_up_to_date(lesson), f"run: python -m tools guide {lesson}"


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_wrong_answer_of_the_catalogue_has_a_row(lesson: str) -> None:
    text = {number: text for number, _, text in parts()}[lesson]
    rows = re.findall(r"^\| (\d\d\.[a-z]) \| `([\w-]+)` \| \S.+ \|$", text, re.MULTILINE)
    assert len(rows) == len(set(rows)) >= 6
    catalogue = guide.sources(lesson)[1].read_text(encoding="utf-8")
    assert all(code in catalogue for _, code in rows)


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_lesson_has_its_hand_written_parts(lesson: str) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    [own] = re.findall(rf"^## {lesson} · .+?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    for heading in ("**Listen for.**", "**On the board.**", "```text", "**When late, cut**"):
        assert own.count(heading) == 1, heading


def by_hand() -> dict[str, str]:
    """What is written by hand, by lesson; under "" what comes before the lessons."""
    text = guide.BLOCK.sub("", GUIDE.read_text(encoding="utf-8"))
    first, *rest = re.split(r"^## (?=\d\d · )", text, flags=re.MULTILINE)
    return {"": first} | {part[:2]: part for part in rest}


def headings(lesson: str) -> list[str]:
    """The headings of a lesson, or of all."""
    paths = lessons.lessons([lesson] if lesson else None)
    cells = [cell for path in paths for cell in lessons.read(path).cells]
    markdown = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return re.findall(r"^#{1,3} (.+)$", markdown, re.MULTILINE)


@pytest.mark.parametrize("lesson", ["", *LESSONS])
def test_sections_and_exercises_named_in_the_guide_exist(lesson: str) -> None:
    """They are named by their headings, and headings change."""
    text, titles = by_hand()[lesson], headings(lesson)
    # A sketch on the board may hold a star that is a multiplication.
    text = re.sub(r"```text.*?```", "", text, flags=re.DOTALL)
    for name in re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", text):
        assert name == "Predict" or any(title.startswith(name) for title in titles), name
    for name in re.findall(r"\b\d\d\.[a-z]\b", text):
        assert any(title.startswith(f"Exercise {name} ") for title in titles), name
    assert not lesson or text.splitlines()[0] in titles  # the lesson's own title


@pytest.mark.parametrize(("plan", "hours"), [("Half a day", 3.5), ("A day", 6)])
def test_the_minutes_of_a_plan_follow_each_other(plan: str, hours: float) -> None:
    [table] = re.findall(rf"^\*\*{plan} .+?(?=^\*\*)", by_hand()[""], re.MULTILINE | re.DOTALL)
    rows = re.findall(r"^\| (\d+)-(\d+) \|", table, re.MULTILINE)
    assert [int(begins) for begins, _ in rows] == [0, *(int(ends) for _, ends in rows[:-1])]
    assert int(rows[-1][1]) == 60 * hours


def test_the_plan_for_six_weeks_has_six() -> None:
    assert re.findall(r"^\| (\d) \|", by_hand()[""], re.MULTILINE) == list("123456")


def test_questions_and_minutes_are_found(tmp_path: Path) -> None:
    cells = [
        "# 00 · X",
        "badges",
        "## What\n\n**Time:** about 5 minutes of yours. **Builds on:** nothing.",
        "## Runs\n\n**Predict.** How many [epochs](GLOSSARY.md#epoch)?",
    ]
    path = tmp_path / "00_x.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell(cell) for cell in cells]), path)
    assert minutes_and_questions(path) == (
        "**Time:** about 5 minutes of yours.\n\n**Ask before the run:**\n\n"
        "- *Runs:* How many epochs?"
    )


@pytest.mark.parametrize(
    ("hint", "first"),
    [
        ("You got 1.5. Divide.", "You got 1.5."),
        ("Only one sentence", "Only one sentence"),
        ("Use keras.Model(a, b), not c. Look.", "Use keras.Model(a, b), not c."),
    ],
)
def test_the_first_sentence_of_a_hint(hint: str, first: str) -> None:
    assert first_sentence(hint) == first


def test_a_lesson_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(SystemExit, match="no lesson 99"):
        main(["guide", "99"])


def test_only_what_is_between_marks_is_written(tmp_path: Path, monkeypatch) -> None:
    page = tmp_path / "GUIDE.md"
    page.write_text("before\n<!-- made: 00 -->\nold\n<!-- end -->\nafter", encoding="utf-8")
    monkeypatch.setattr(guide, "GUIDE", page)
    assert not is_up_to_date("00")
    assert list(guide.write(["00"])) == ["lesson 00: written"]
    assert [file.name for file in tmp_path.iterdir()] == ["GUIDE.md"]  # no draft is left
    assert is_up_to_date("00")
    assert list(guide.write([])) == ["lesson 00: unchanged"]
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- made: 00 ")
    assert text.endswith("<!-- end -->\nafter")
    assert "| 00.a | `index` | You return" in text
    with pytest.raises(SystemExit, match="has no place for 01"):
        main(["guide", "01"])


def test_a_killed_write_leaves_the_guide_whole(tmp_path: Path, monkeypatch) -> None:
    page = tmp_path / "GUIDE.md"
    page.write_text("<!-- made: 00 -->\nold\n<!-- end -->", encoding="utf-8")
    monkeypatch.setattr(guide, "GUIDE", page)
    monkeypatch.setattr(guide, "wrong_answers", lambda lesson: [("00.a", "index", "You return.")])

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            list(guide.write(["00"]))
    assert page.read_text(encoding="utf-8") == "<!-- made: 00 -->\nold\n<!-- end -->"
    assert list(guide.write(["00"])) == ["lesson 00: written"]


def test_a_comment_in_a_check_leaves_the_guide_up_to_date(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "lesson_00.py"
    monkeypatch.setattr(guide, "sources", lambda lesson: [file])
    file.write_text("x = 1\n")
    before = guide.stamp("00")
    file.write_text('"""About it."""\nx = 1  # one\n')
    assert guide.stamp("00") == before
    file.write_text("x = 2\n")
    assert guide.stamp("00") != before
