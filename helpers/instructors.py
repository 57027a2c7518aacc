"""For maintainers: keep the parts of the instructors' guide that the lessons themselves know.

    python -m helpers.instructors            write them into notebooks/INSTRUCTORS.md
    python -m helpers.instructors 02 03      only those of these lessons

Between marks in that page stand, for each lesson, the minutes, the questions to ask before a run,
and what its exercises say to each wrong answer. The sentences come from giving every wrong answer
of `tests/exercises/` to its check. All else in the page is written by hand. No lesson imports this.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat

from helpers import course
from helpers.session import COURSE_ROOT

GUIDE = COURSE_ROOT / "notebooks" / "INSTRUCTORS.md"
BLOCK = re.compile(r"<!-- made: (\d\d) ?(\w*) -->\n(.*?)<!-- end -->", re.DOTALL)


def sources(lesson: str) -> list[Path]:
    """Return the files that a lesson's table of wrong answers is made from."""
    return [
        COURSE_ROOT / "helpers" / "exercises" / f"lesson_{lesson}.py",
        COURSE_ROOT / "tests" / "exercises" / f"catalogue_{lesson}.py",
    ]


def stamp(lesson: str) -> str:
    """Return a short hash of those files, so that a table can be known to be up to date."""
    digest = hashlib.sha256()
    for file in sources(lesson):
        digest.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:12]


def first_sentence(text: str) -> str:
    """Return the first sentence of a hint: what happened; the rest says what to do."""
    return re.split(r"(?<=[.!?]) (?=[A-Z`])", text.strip(), maxsplit=1)[0]


def wrong_answers(lesson: str) -> list[tuple[str, str, str]]:
    """Give every wrong answer of the catalogue to its check.

    Returns:
        Exercise, hint code, and the first sentence of the hint, in the catalogue's order.
    """
    from helpers.exercises import evaluate

    file = sources(lesson)[1]
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = []
    for exercise_id, kinds in module.CATALOGUE.items():
        for code, answer in kinds["wrong"].items():
            result = evaluate(exercise_id, answer)
            found.append((exercise_id, code, first_sentence(result.sentence)))
    return found


def minutes_and_questions(notebook: Path) -> str:
    """Return the minutes that a lesson states, and its predictions by section, as Markdown."""
    cells = [c for c in nbformat.read(notebook, as_version=4).cells if c.cell_type == "markdown"]
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
    [notebook] = course.lessons([lesson])
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
            [notebook] = course.lessons([lesson])
            return its_stamp == stamp(lesson) and text.startswith(minutes_and_questions(notebook))
    return False


def write(lessons: list[str]) -> Iterator[str]:
    """Write the parts of these lessons, or of all; yield what was done.

    Raises:
        ValueError: There is no such lesson, or the guide has no place for it.
    """
    course.lessons(lessons)
    text = GUIDE.read_text(encoding="utf-8")
    if missing := set(lessons) - {lesson for lesson, _, _ in parts()}:
        mark = "a line `<!-- made: NN -->`, and below it `<!-- end -->`"
        raise ValueError(f"{GUIDE.name} has no place for {', '.join(sorted(missing))}: add {mark}")
    for lesson, _, _ in list(parts()):
        if lessons and lesson not in lessons:
            continue
        new = made(lesson, table(wrong_answers(lesson)))
        begins = text.index(f"<!-- made: {lesson} ")
        ends = text.index("<!-- end -->", begins) + len("<!-- end -->")
        changed = text[begins:ends] != new
        text = text[:begins] + new + text[ends:]
        GUIDE.write_text(text, encoding="utf-8")
        yield f"lesson {lesson}: {'written' if changed else 'unchanged'}"


def main(arguments: list[str] | None = None) -> None:
    """Run the command; see the top of this file."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.instructors",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("lesson", nargs="*", help="numbers of lessons; all if left out")
    try:
        for line in write(parser.parse_args(arguments).lesson):
            print(line, flush=True)
    except ValueError as problem:
        sys.exit(f"instructors: {problem}")


if __name__ == "__main__":
    main()
