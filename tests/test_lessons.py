"""The skeleton of every lesson, and that its committed outputs are whole, fresh and readable."""

from __future__ import annotations

import ast
import copy
import itertools
import json
import re
import statistics
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from helpers.claims import RECORD
from tools import freshness, lessons, template
from tools.lessons import tags
from tools.normalise import normalise

NOTEBOOKS = lessons.lessons()
FIRST = "What you will be able to do"
LAST = ["Exercises", "Recap", "In the wild", "Next"]
LONGEST_CELL, TYPICAL_CELL = 20, 6  # lines that are not blank
LONGEST_SILENCE = 10.0  # seconds, on a machine that may have been busy
LONGEST_OUTPUT = 40  # lines
LARGEST_FILE = 2_000_000  # bytes
FEWEST_SEEDS = 5
PREDICTION = re.compile(r"^\*\*Predict\.\*\* \S", re.MULTILINE)
# Where a file lies on some machine. A relative path, a URL or a placeholder is none of these.
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:work|opt|root|home|tmp|Users|content)/\w|\b[A-Z]:\\\w")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def lesson(path: Path) -> NotebookNode:
    return lessons.read(path)


def code_cells(lesson: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in lesson.cells if cell.cell_type == "code"]


def tree(cell: NotebookNode) -> ast.Module:
    return ast.parse(TransformerManager().transform_cell(cell.source))


def calls(cell: NotebookNode) -> list[ast.Call]:
    return [node for node in ast.walk(tree(cell)) if isinstance(node, ast.Call)]


def headings(lesson: NotebookNode) -> list[tuple[int, str]]:
    """Level and text of every heading, in order."""
    found = []
    for cell in lesson.cells:
        if cell.cell_type == "markdown":
            prose = re.sub(r"^```.*?^```", "", cell.source, flags=re.DOTALL | re.MULTILINE)
            found += [(len(m[1]), m[2]) for m in re.finditer(r"^(#+) (.+)$", prose, re.MULTILINE)]
    return found


def sections(lesson: NotebookNode) -> dict[str, list[NotebookNode]]:
    """The cells below each heading of the second level, that of the heading included."""
    found: dict[str, list[NotebookNode]] = {}
    title = ""
    for cell in lesson.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            title = cell.source.splitlines()[0].removeprefix("## ").strip()
        found.setdefault(title, []).append(cell)
    return found


def text_of(output: NotebookNode) -> str:
    """What an output shows as text; pictures and their code left out."""
    if output.output_type == "stream":
        return output.text
    return "\n".join(
        content for kind, content in output.get("data", {}).items() if kind.startswith("text/")
    )


def pictures(cell: NotebookNode) -> list[NotebookNode]:
    return [output for output in cell.outputs if "image/png" in output.get("data", {})]


def claim_ids(lesson: NotebookNode, *kinds: str) -> list[str]:
    found = []
    for cell in code_cells(lesson):
        for call in calls(cell):
            if isinstance(call.func, ast.Name) and call.func.id in (kinds or ("claim", "fact")):
                assert isinstance(call.args[0], ast.Constant), "write a claim's id as plain text"
                found.append(call.args[0].value)
    return found


def test_there_are_lessons() -> None:
    """Or every other test here would pass because there is nothing to look at."""
    assert [path.name[:2] for path in NOTEBOOKS[:3]] == ["00", "01", "02"]


# --- Skeleton ----------------------------------------------------------------------------------


def test_sections_come_in_the_order_of_the_plan(path: Path, lesson) -> None:
    first, badges, goals, bootstrap, *_ = lesson.cells
    assert re.fullmatch(rf"# {path.name[:2]} · \S.+", first.source)
    assert "badges" in tags(badges)
    assert goals.source.startswith(f"## {FIRST}\n")
    assert "bootstrap" in tags(bootstrap)
    titles = [text for level, text in headings(lesson) if level == 2]
    assert titles[:2] == [FIRST, "Set up"]
    assert titles[-4:] == LAST
    assert len(titles) == len(set(titles))
    assert len(titles) > 2 + len(LAST)


def test_the_reader_learns_what_for_and_how_long(lesson) -> None:
    goals = lesson.cells[2].source
    assert 3 <= len(re.findall(r"^- ", goals, re.MULTILINE)) <= 5
    assert re.search(r"^\*\*Time:\*\* .*minutes.*\*\*Builds on:\*\* .+", goals, re.MULTILINE)


def test_headings_skip_no_level_and_one_is_the_title(lesson) -> None:
    levels = [level for level, _ in headings(lesson)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_shared_cells_are_as_the_template_says(path: Path, lesson) -> None:
    for tag, source in template.template(path).items():
        assert [cell.source for cell in lesson.cells if tag in tags(cell)] == [source], (
            f"run: python -m tools stamp {path.name[:2]}"
        )


def test_the_cell_that_fetches_the_course_is_folded(lesson) -> None:
    """In JupyterLab by one key, on Colab by the other and a title."""
    (cell,) = [cell for cell in lesson.cells if "bootstrap" in tags(cell)]
    assert cell.metadata.jupyter.source_hidden and cell.metadata.cellView == "form"
    assert cell.source.startswith("# @title ")


def test_the_lesson_starts_under_its_own_number(path: Path, lesson) -> None:
    begins = [c for c in code_cells(lesson) if "helpers.start(" in c.source]
    assert [c.source.split("helpers.start(")[1][:4] for c in begins] == [f'"{path.name[:2]}"']
    assert code_cells(lesson).index(begins[0]) == 1  # right after the bootstrap


def test_cells_are_short(lesson) -> None:
    lengths = {
        cell.source: sum(bool(line.strip()) for line in cell.source.splitlines())
        for cell in code_cells(lesson)
    }
    longest = max(lengths, key=lengths.get)
    assert lengths[longest] <= LONGEST_CELL, longest
    assert statistics.median(lengths.values()) <= TYPICAL_CELL


def test_every_section_that_runs_something_asks_for_a_prediction_first(lesson) -> None:
    by_title = sections(lesson)
    titles = list(by_title)
    middle = titles[titles.index("Set up") + 1 : titles.index("Exercises")]
    without = []
    for title in middle:
        cells = by_title[title]
        asked = [i for i, cell in enumerate(cells) if PREDICTION.search(cell.source)]
        ran = [i for i, cell in enumerate(cells) if cell.cell_type == "code"]
        if ran and not (asked and asked[0] < ran[-1]):
            without.append(title)
    assert not without


def test_the_course_begins_with_a_photograph_and_its_name() -> None:
    """Before anything that takes long, and before anything is explained."""
    cells = [cell.source for cell in code_cells(lessons.read(NOTEBOOKS[0]))]
    shown = next(number for number, source in enumerate(cells) if "plots.images(" in source)
    named = next(number for number, source in enumerate(cells) if "plots.probab" in source)
    timed = next(number for number, source in enumerate(cells) if "perf_counter()" in source)
    assert shown == 4  # right after the imports
    assert shown < named < timed
    assert not any("predict(" in source for source in cells[:shown])


def test_there_are_two_to_four_exercises_each_under_its_heading(path: Path, lesson) -> None:
    number = path.name[:2]
    found = [
        match[1]
        for level, text in headings(lesson)
        if level == 3 and (match := re.fullmatch(r"Exercise (\d\d\.[a-z]) · .+", text))
    ]
    assert 2 <= len(found) <= 4
    assert found == [f"{number}.{letter}" for letter in "abcd"[: len(found)]]
    for tag in ("exercise", "check", "solution"):
        assert sum(tag in tags(cell) for cell in lesson.cells) == len(found)


# --- Claims ------------------------------------------------------------------------------------


def test_claims_carry_the_number_of_their_lesson(path: Path, lesson) -> None:
    ids = claim_ids(lesson)
    assert ids
    assert all(re.fullmatch(rf"{path.name[:2]}\.[a-z0-9]+(-[a-z0-9]+)*", name) for name in ids)


def test_every_claim_was_shown_and_held(lesson) -> None:
    shown = "".join(text_of(output) for cell in code_cells(lesson) for output in cell.outputs)
    for kind in ("claim", "fact"):
        ticked = f"✓ {kind.capitalize()} holds · "
        assert [name for name in claim_ids(lesson, kind) if ticked + name not in shown] == []
    assert "FAILS here" not in shown


def test_no_claim_has_the_id_of_another() -> None:
    counts = Counter(name for path in NOTEBOOKS for name in claim_ids(lessons.read(path)))
    assert [name for name, count in counts.items() if count > 1] == []


def test_claims_held_with_every_recorded_seed(path: Path, lesson) -> None:
    number = path.name[:2]
    advice = f"run: python -m tools spread --runs {FEWEST_SEEDS} {number}"
    record = json.loads(RECORD.read_text())
    mine = {name: entry for name, entry in record.items() if name.startswith(f"{number}.")}
    known, said = set(mine), set(claim_ids(lesson, "claim"))
    assert known == said, advice
    for name, entry in mine.items():
        seeds = entry["seeds"]
        assert len(set(seeds)) == len(seeds) >= FEWEST_SEEDS, (name, advice)
        assert entry["held"] == len(seeds), f"{name} is false with some seeds"
        assert all(len(values) == len(seeds) for values in entry["evidence"].values()), name


# --- Outputs -----------------------------------------------------------------------------------


def test_outputs_are_fresh(path: Path) -> None:
    assert freshness.why_stale(path) == [], f"run: python -m tools refresh {path.name[:2]}"


def test_every_cell_was_run_in_order(lesson) -> None:
    cells = code_cells(lesson)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


def test_no_cell_was_silent_for_long(path: Path) -> None:
    """As recorded by the refresh; `status` lists what was silent for half as long already."""
    silent = {cell: s for cell, s in freshness.silent(path).items() if s > LONGEST_SILENCE}
    assert silent == {}, "print a line an epoch there, or draw a bar"


def test_nothing_is_red(lesson) -> None:
    for cell in code_cells(lesson):
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", cell.source


def test_no_output_is_longer_than_a_screen(lesson) -> None:
    for cell in code_cells(lesson):
        for output in cell.outputs:
            assert len(text_of(output).splitlines()) <= LONGEST_OUTPUT, cell.source
            assert text_of(output).count("<tr>") <= LONGEST_OUTPUT, cell.source


def test_no_output_is_only_where_an_object_lies(lesson) -> None:
    """`<History at 0x7f...>` is what a cell shows whose last line was not meant to be shown."""
    for cell in code_cells(lesson):
        for output in cell.outputs:
            assert not re.search(r" at 0x[0-9a-f]{6,}>", text_of(output)), cell.source


def test_drawing_cells_have_their_figures_each_with_alternative_text(lesson) -> None:
    for cell in code_cells(lesson):
        drawn = [
            call
            for call in calls(cell)
            if isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id == "plots"
            and call.func.attr != "new_figure"
        ]
        is_definition = all(isinstance(node, ast.FunctionDef) for node in tree(cell).body)
        if not is_definition:
            assert len(pictures(cell)) >= len(drawn), cell.source
        for output in pictures(cell):
            assert output.metadata.get("image/png", {}).get("alt", "").strip(), cell.source


def test_nothing_tells_on_which_machine_it_was_made(path: Path, lesson) -> None:
    for cell in lesson.cells:
        outputs = cell.get("outputs", [])
        for text in (cell.source, *map(text_of, outputs)):
            assert not (found := MACHINE_PATH.search(text)), (found, text[:500])


def test_the_search_for_machine_paths_finds_some_and_only_those() -> None:
    for folder in ("work", "root", "tmp"):
        assert MACHINE_PATH.search(f"saved in /{folder}/run")
    assert MACHINE_PATH.search("C:" + "\\Users")
    for text in ("https://example.org/home/x", "data/tmp/x", "../work/x", "and/or", "</tmp>"):
        assert not MACHINE_PATH.search(text)


def test_the_file_is_small(path: Path) -> None:
    assert path.stat().st_size < LARGEST_FILE


def test_normalising_again_changes_nothing(lesson) -> None:
    again = copy.deepcopy(lesson)
    normalise(again)
    assert nbformat.writes(again) == nbformat.writes(lesson)
    ids = [cell.id for cell in lesson.cells]
    assert len(ids) == len(set(ids))
