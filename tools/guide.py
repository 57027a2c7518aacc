"""Keep the parts of the instructors' guide that the lessons themselves know.

Between marks in notebooks/INSTRUCTORS.md stand, for each lesson, the minutes, the questions to ask
before a run, and what its exercises say to each wrong answer. The sentences come from giving every
wrong answer of `tools/catalogues/` to its check. All else in the page is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from helpers.files import whole
from helpers.session import COURSE_ROOT
from tools import freshness, lessons
from tools.catalogues import catalogue

GUIDE = COURSE_ROOT / "notebooks" / "INSTRUCTORS.md"
BLOCK = re.compile(r"<!-- made: (\d\d) ?(\w*) -->\n(.*?)<!-- end -->", re.DOTALL)


def sources(lesson: str) -> list[Path]:
    """Return the files that a lesson's table of wrong answers is made from."""
    return [
        COURSE_ROOT / "helpers" / "exercises" / f"lesson_{lesson}.py",
        COURSE_ROOT / "tools" / "catalogues" / f"lesson_{lesson}.py",
    ]


def stamp(lesson: str) -> str:
    """Return a short hash of those files' code: a table with another stamp is out of date."""
    return freshness.short_hash(" ".join(map(freshness.code_hash, sources(lesson))))


def first_sentence(text: str) -> str:
    """Return the first sentence of a hint: what happened; the rest says what to do."""
    return re.split(r"(?<=[.!?]) (?=[A-Z`])", text.strip(), maxsplit=1)[0]


def wrong_answers(lesson: str) -> list[tuple[str, str, str]]:
    """Give every wrong answer of the catalogue to its check.

    Returns:
        Exercise, hint code, and the first sentence of the hint, in the catalogue's order.
    """
    from helpers.exercises import evaluate

    found = []
    for exercise_id, kinds in catalogue(lesson).items():
        for code, answer in kinds["wrong"].items():
            result = evaluate(exercise_id, answer)
            found.append((exercise_id, code, first_sentence(result.sentence)))
    return found


def minutes_and_questions(notebook: Path) -> str:
    """Return the minutes that a lesson states, and its predictions by section, as Markdown."""
    cells = [c for c in lessons.read(notebook).cells if c.cell_type == "markdown"]
    time = re.search(r"\*\*Time:\*\* (.+?\.)(?: \*\*|$)", cells[2].source, re.MULTILINE)[1]
    lines, section = [f"**Time:** {time}", "", "**Ask before the run:**", ""], ""
    for cell in cells:
        if title := re.match(r"## (.+)", cell.source):
            section = title[1]
        for question in re.findall(r"^\*\*Predict\.\*\* (.+)$", cell.source, re.MULTILINE):
            plain = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", question)
            lines.append(f"- *{section}:* {plain}")
    return "\n".join(lines)


def table(rows: list[tuple[str, str, str]]) -> str:
    """Return the wrong answers as a Markdown table."""
    lines = ["| exercise | hint | what the answer did |", "|---|---|---|"]
    lines += [f"| {e} | `{code}` | {says.replace('|', chr(92) + '|')} |" for e, code, says in rows]
    return "\n".join(lines)


def made(lesson: str, rows_of_table: str) -> str:
    """Return what belongs between a lesson's marks."""
    [notebook] = lessons.lessons([lesson])
    return (
        f"<!-- made: {lesson} {stamp(lesson)} -->\n{minutes_and_questions(notebook)}\n\n"
        f"**What wrong answers to the exercises show:**\n\n{rows_of_table}\n<!-- end -->"
    )


def parts() -> Iterator[tuple[str, str, str]]:
    """Yield lesson, stamp and text of each part between marks."""
    for match in BLOCK.finditer(GUIDE.read_text(encoding="utf-8")):
        yield match[1], match[2], match[3]


def is_up_to_date(lesson: str) -> bool:
    """Whether a lesson's part says what its notebook, checks and catalogue say now."""
    for number, its_stamp, text in parts():
        if number == lesson:
            [notebook] = lessons.lessons([lesson])
            return its_stamp == stamp(lesson) and text.startswith(minutes_and_questions(notebook))
    return False


def write(numbers: list[str]) -> Iterator[str]:
    """Write the parts of these lessons, or of all; yield what was done.

    Raises:
        ValueError: There is no such lesson, or the guide has no place for it.
    """
    lessons.lessons(numbers)
    text = GUIDE.read_text(encoding="utf-8")
    if missing := set(numbers) - {lesson for lesson, _, _ in parts()}:
        mark = "a line `<!-- made: NN -->`, and below it `<!-- end -->`"
        raise ValueError(f"{GUIDE.name} has no place for {', '.join(sorted(missing))}: add {mark}")
    for lesson, _, _ in list(parts()):
        if numbers and lesson not in numbers:
            continue
        new = made(lesson, table(wrong_answers(lesson)))
        begins = text.index(f"<!-- made: {lesson} ")
        ends = text.index("<!-- end -->", begins) + len("<!-- end -->")
        changed = text[begins:ends] != new
        text = text[:begins] + new + text[ends:]
        if changed:
            with whole(GUIDE) as draft:
                draft.write_text(text, encoding="utf-8")
        yield f"lesson {lesson}: {'written' if changed else 'unchanged'}"
