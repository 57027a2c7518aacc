"""Every exercise: the stub, right answers and plausible wrong ones get what they should.

The answers are in exercises/catalogue_NN.py, a dictionary from an exercise's id to
`{"stub": answer, "right": [answer, ...], "wrong": {hint code: answer, ...}}`.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import linecache
from functools import cache
from pathlib import Path
from types import ModuleType

import nbformat
import numpy as np
import pytest
import tensorflow as tf
from IPython.core.inputtransformer2 import TransformerManager

import helpers
from helpers import course
from helpers.exercises import Exercise, evaluate

CATALOGUES = Path(__file__).parent / "exercises"
CHECKS = Path(helpers.__file__).parent / "exercises"
LESSONS = [notebook.name[:2] for notebook in course.lessons()]
FEWEST_WRONG_ANSWERS = 3


def registered(lesson: str) -> dict[str, Exercise]:
    return importlib.import_module(f"helpers.exercises.lesson_{lesson}").EXERCISES


@cache
def catalogue(lesson: str) -> dict[str, dict]:
    file = CATALOGUES / f"catalogue_{lesson}.py"
    if not file.is_file():
        return {}
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.CATALOGUE


def known_exercises() -> list[str]:
    return [e for file in sorted(CHECKS.glob("lesson_*.py")) for e in registered(file.stem[-2:])]


def entry(exercise_id: str) -> dict:
    return catalogue(exercise_id[:2])[exercise_id]


def answers(kind: str) -> list:
    """One test for each answer of a kind; none where an exercise has no catalogue yet."""
    cases = []
    for exercise_id in known_exercises():
        found = catalogue(exercise_id[:2]).get(exercise_id, {}).get(kind, [])
        for number, key in enumerate(found):
            answer = found[key] if kind == "wrong" else key
            name = key if kind == "wrong" else getattr(answer, "__name__", str(number))
            cases.append(pytest.param(exercise_id, key, answer, id=f"{exercise_id}-{name}"))
    return cases


def test_there_are_exercises() -> None:
    assert {"00", "01", "02"} <= {exercise_id[:2] for exercise_id in known_exercises()}


def test_every_catalogue_belongs_to_exercises() -> None:
    for file in CATALOGUES.glob("catalogue_*.py"):
        assert set(catalogue(file.stem[-2:])) == set(registered(file.stem[-2:])), file.name


@pytest.mark.parametrize("exercise_id", known_exercises())
def test_an_exercise_has_a_catalogue_of_answers(exercise_id: str) -> None:
    found = entry(exercise_id)
    assert found["right"]
    assert len(found["wrong"]) >= FEWEST_WRONG_ANSWERS


@pytest.mark.parametrize("exercise_id", known_exercises())
def test_the_stub_is_untouched(exercise_id: str) -> None:
    assert evaluate(exercise_id, entry(exercise_id)["stub"]).status == "untouched"


@pytest.mark.parametrize(("exercise_id", "key", "answer"), answers("right"))
def test_a_right_answer_passes(exercise_id: str, key, answer) -> None:
    result = evaluate(exercise_id, answer)
    assert result.status == "passed", result


@pytest.mark.parametrize(("exercise_id", "code", "answer"), answers("wrong"))
def test_a_wrong_answer_gets_its_own_hint(exercise_id: str, code: str, answer) -> None:
    result = evaluate(exercise_id, answer)
    assert (result.status, result.code) == ("wrong", code), result
    assert result.sentence.strip()
    assert len(result.sentence) < 600
    assert "<function" not in result.sentence
    assert "Traceback" not in result.sentence


OTHER_WAYS = [  # to make a mistake that the catalogue has already
    ("02.a", "other-values", lambda maps: np.median(maps, axis=(1, 2))),
    ("02.a", "no-array", lambda maps: "the mean"),
    (
        "03.a",
        "labels",
        lambda train, val, augment: (train.map(lambda x, y: (augment(x), 0 * y)), val),
    ),
    (
        "03.a",
        "labels",
        lambda train, val, augment: (train, val.map(lambda x, y: (x, tf.reverse(y, [0])))),
    ),
    (  # its cardinality is unknown
        "03.a",
        "endless",
        lambda train, val, augment: (train, val.repeat().filter(lambda x, y: True)),
    ),
]


@pytest.mark.parametrize(("exercise_id", "code", "answer"), OTHER_WAYS)
def test_another_way_to_make_a_mistake_gets_its_hint(exercise_id: str, code: str, answer) -> None:
    result = evaluate(exercise_id, answer)
    assert (result.status, result.code) == ("wrong", code), result


def test_a_type_error_inside_a_schedule_is_the_one_that_is_told() -> None:
    told = evaluate("05.c", entry("05.c")["wrong"]["raises"]).sentence
    assert "'>' not supported between instances of 'int' and 'str'" in told
    assert "missing 2 required positional arguments" in evaluate("05.c", lambda a, b, c: 1).sentence


@pytest.mark.parametrize("exercise_id", known_exercises())
def test_no_two_mistakes_are_told_the_same(exercise_id: str) -> None:
    sentences: dict[str, str] = {}
    for code, answer in entry(exercise_id)["wrong"].items():
        sentence = evaluate(exercise_id, answer).sentence
        assert sentence not in sentences, (code, sentences[sentence])
        sentences[sentence] = code


# --- In the notebook ---------------------------------------------------------------------------


class Cells:
    """A lesson's exercise cells, to be run on their own."""

    def __init__(self, notebook: Path) -> None:
        self.name = notebook.stem
        cells = nbformat.read(notebook, as_version=4).cells
        self.code = [cell for cell in cells if cell.cell_type == "code"]

    def tagged(self, tag: str) -> list[str]:
        return [cell.source for cell in self.code if tag in cell.metadata.get("tags", ())]

    def namespace(self) -> dict:
        """What the lesson's import statements bring."""
        space: dict = {"__name__": "__main__"}
        for cell in self.code:
            for node in ast.parse(TransformerManager().transform_cell(cell.source)).body:
                if isinstance(node, ast.Import | ast.ImportFrom):
                    exec(compile(ast.Module([node], []), self.name, "exec"), space)
        return space

    def run(self, source: str, space: dict) -> None:
        """Run a cell as IPython does: its source is known to linecache only."""
        name = f"<ipython-{self.name}-{hash(source)}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(compile(source, name, "exec"), space)


def checked(source: str) -> tuple[str, str]:
    """Return id and answer, as the code says it, of a cell that is `check(id, answer)`."""
    (statement,) = ast.parse(source).body
    call = statement.value
    assert call.func.id == "check"
    return call.args[0].value, ast.unparse(call.args[1])


@pytest.fixture(params=LESSONS)
def cells(request: pytest.FixtureRequest) -> Cells:
    return Cells(*course.lessons([request.param]))


def test_a_lesson_checks_exactly_its_exercises_in_order(cells: Cells) -> None:
    lesson = cells.name[:2]
    assert [checked(source)[0] for source in cells.tagged("check")] == list(registered(lesson))
    assert len(cells.tagged("exercise")) == len(cells.tagged("solution")) == len(registered(lesson))


def test_stub_and_solution_cells_do_what_they_promise(cells: Cells, capsys) -> None:
    triples = zip(*(cells.tagged(tag) for tag in ("exercise", "check", "solution")), strict=True)
    for stub, check, solution in triples:
        exercise_id, answer = checked(check)
        space = cells.namespace()
        cells.run(stub, space)
        assert evaluate(exercise_id, eval(answer, space)).status == "untouched", exercise_id
        cells.run(check, space)
        cells.run(solution, space)
        said = capsys.readouterr().out
        assert "Not attempted yet" in said
        assert f"{exercise_id}: the lesson goes on with the reference answer" in said
        assert evaluate(exercise_id, eval(answer, space)).status == "passed", exercise_id

        mine = entry(exercise_id)["right"][0]  # now with a learner's own right answer
        space[answer] = mine
        cells.run(solution, space)
        assert space[answer] is mine
        assert f"{exercise_id}: the lesson goes on with your own answer" in capsys.readouterr().out


def test_solutions_are_folded_wherever_the_lesson_is_read(cells: Cells) -> None:
    for cell in cells.code:
        if "solution" in cell.metadata.get("tags", ()):
            assert "hide-input" in cell.metadata.tags  # the site
            assert cell.metadata.get("jupyter", {}).get("source_hidden") is True  # JupyterLab
            assert cell.metadata.get("cellView") == "form"  # Colab
            assert cell.source.startswith("# @title Solution ")
