"""Every exercise: the stub, right answers and plausible wrong ones get what they should.

The answers are in tools/catalogues/lesson_NN.py, a dictionary from an exercise's id to
`{"stub": answer, "right": [answer, ...], "wrong": {hint code: answer, ...}}`. Some have "also":
[(hint code, answer), ...], more wrong ones, for mistakes that "wrong" has or of which errors tell.
"""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache
from itertools import combinations, pairwise

import numpy as np
import pytest
import tensorflow as tf

from helpers.exercises import Exercise, Result, evaluate
from helpers.exercises.registry import EXERCISES
from helpers.session import COURSE_ROOT
from tools import lessons
from tools.catalogues import catalogue
from tools.mutate import Cells

CATALOGUES = COURSE_ROOT / "tools" / "catalogues"
CHECKS = COURSE_ROOT / "helpers" / "exercises"
FEWEST_WRONG_ANSWERS = 3
LONGEST_HINT = 600  # characters
KNOWN = [exercise_id for exercises in EXERCISES.values() for exercise_id in exercises]


def registered(lesson: str) -> dict[str, Exercise]:
    return importlib.import_module(f"helpers.exercises.lesson_{lesson}").EXERCISES


def entry(exercise_id: str) -> dict:
    return catalogue(exercise_id[:2])[exercise_id]


def answers(kind: str) -> list:
    """One test for each answer of a kind; none where an exercise has no catalogue yet."""
    cases = []
    for exercise_id in KNOWN:
        found = catalogue(exercise_id[:2]).get(exercise_id, {}).get(kind, [])
        for number, key in enumerate(found):
            answer = found[key] if kind == "wrong" else key
            name = key if kind == "wrong" else getattr(answer, "__name__", str(number))
            cases.append(pytest.param(exercise_id, key, id=f"{exercise_id}-{name}"))
    return cases


@cache
def judged(exercise_id: str, code: str) -> Result:
    """What the catalogue's wrong answer for this hint gets; judged once for all tests."""
    return evaluate(exercise_id, entry(exercise_id)["wrong"][code])


def test_the_registry_names_the_exercises_that_there_are() -> None:
    """Progress is shown from it, without opening any check."""
    files = sorted(file.stem[-2:] for file in CHECKS.glob("lesson_*.py"))
    found = {n: {e: one.title for e, one in registered(n).items()} for n in files}
    assert found == EXERCISES
    assert [*found] == [*EXERCISES]  # in the same order
    assert KNOWN == sorted(KNOWN)
    assert {"00", "01", "02"} <= set(EXERCISES)


def test_every_catalogue_belongs_to_exercises() -> None:
    found = sorted(file.stem[-2:] for file in CATALOGUES.glob("lesson_*.py"))
    assert found == [*EXERCISES]
    for lesson in found:
        assert set(catalogue(lesson)) == set(registered(lesson)), lesson


@pytest.mark.parametrize("exercise_id", KNOWN)
def test_an_exercise_has_a_catalogue_of_answers(exercise_id: str) -> None:
    found = entry(exercise_id)
    assert found["right"]
    assert len(found["wrong"]) >= FEWEST_WRONG_ANSWERS


@pytest.mark.parametrize("exercise_id", KNOWN)
def test_the_stub_is_untouched(exercise_id: str) -> None:
    assert evaluate(exercise_id, entry(exercise_id)["stub"]).status == "untouched"


@pytest.mark.parametrize(("exercise_id", "answer"), answers("right"))
def test_a_right_answer_passes(exercise_id: str, answer) -> None:
    result = evaluate(exercise_id, answer)
    assert result.status == "passed", result


@pytest.mark.parametrize(("exercise_id", "code"), answers("wrong"))
def test_a_wrong_answer_gets_its_own_hint(exercise_id: str, code: str) -> None:
    result = judged(exercise_id, code)
    assert (result.status, result.code) == ("wrong", code), result
    assert result.sentence.strip()
    assert len(result.sentence) < LONGEST_HINT
    assert "<function" not in result.sentence
    assert "Traceback" not in result.sentence
    told = [other for other in entry(exercise_id)["wrong"] if other != code]
    same = [other for other in told if judged(exercise_id, other).sentence == result.sentence]
    assert not same, "two mistakes are told the same"


ALSO = [
    pytest.param(exercise_id, number, id=f"{exercise_id}-{number}-{code}")
    for exercise_id in KNOWN
    for number, (code, _) in enumerate(entry(exercise_id).get("also", []))
]


@pytest.mark.parametrize(("exercise_id", "number"), ALSO)
def test_a_mistake_is_told_however_it_is_made(exercise_id: str, number: int) -> None:
    code, answer = entry(exercise_id)["also"][number]
    result = evaluate(exercise_id, answer)
    assert (result.status, result.code) == ("wrong", code), result
    assert len(result.sentence) < LONGEST_HINT
    # A raw error is quoted, and then told in a sentence.
    assert code != "raises" or result.sentence.endswith((".", "?"))


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
    ("00.a", "index", lambda probabilities, labels: tf.argmax(probabilities[0])),
    ("00.b", "count", lambda true, predicted: tf.constant(5)),
    ("00.b", "not-a-number", lambda true, predicted: float("nan")),
    ("01.b", "not-a-number", lambda sizes: np.bool_(True)),
    ("02.c", "not-a-number", lambda before, after: None),
    ("02.c", "not-a-number", lambda before, after: "0"),
    ("03.d", "not-whole", lambda features, labels, photographs: labels == 3),
    ("03.d", "no-places", lambda features, labels, photographs: features[:50]),
    ("05.b", "not-whole", lambda history, more: {"epochs": 8, "initial_epoch": True}),
    ("05.c", "no-model", lambda train, val, tail: 0.9),
    ("06.c", "miscounted", lambda shape, units: tf.constant(7)),
]


@pytest.mark.parametrize(("exercise_id", "code", "answer"), OTHER_WAYS)
def test_another_way_to_make_a_mistake_gets_its_hint(exercise_id: str, code: str, answer) -> None:
    result = evaluate(exercise_id, answer)
    assert (result.status, result.code) == ("wrong", code), result


def test_data_of_the_checks_keep_known_mistakes_apart() -> None:
    """Where two came to the same, a learner would be told of a mistake that somebody else made."""
    from helpers.exercises import lesson_00, lesson_01, lesson_02, lesson_03

    trials = [[784, 64, 64, 10], [3, 4, 5, 2], [300, 7, 11, 13, 3]]
    counted = {code: list(map(how, trials)) for code, (how, _) in lesson_01._MISCOUNTS.items()}
    counts = [sum((a + 1) * b for a, b in pairwise(sizes)) for sizes in trials]
    known = [{code: found for code, (found, _) in lesson_00.MISTAKES.items()}, counted]
    known += [
        {c: found for c, (found, _) in one.MISCOUNTS.items()} for one in (lesson_02, lesson_03)
    ]
    rights = ["hen", "zebra", "camel"], counts, [0, 9, 9], [5, 4]
    for right, found in zip(rights, known, strict=True):
        for (one, given), (other, also) in combinations([("right", right), *found.items()], 2):
            assert given != also, (one, other)


DRESSES = [int, np.int64, np.array, tf.constant]
ONE_NUMBER = ["01.b", "02.c", "03.b", "06.c"]


@pytest.mark.parametrize("dress", DRESSES, ids=lambda dress: dress.__name__)
@pytest.mark.parametrize("exercise_id", ONE_NUMBER)
def test_a_right_number_is_right_in_every_dress(exercise_id: str, dress) -> None:
    right = entry(exercise_id)["right"][0]
    result = evaluate(exercise_id, lambda *given: dress(right(*given)))
    assert result.status == "passed", result


def test_recorded_ways_to_choose_fifty_images_reach_their_marks() -> None:
    from helpers.exercises.lesson_03 import MARKS, TARGET

    few = judged("03.d", "few-photographs").sentence
    typical = evaluate("03.d", entry("03.d")["right"][0]).sentence
    for told, mark in ((few, "fifty of as few"), (typical, "the same, but the most typical")):
        [reached] = re.findall(r"cuts: ([\d.]+),", told)
        [expected] = [value for name, value in MARKS.items() if name.startswith(mark)]
        assert float(reached) == pytest.approx(expected, abs=0.03), told
    assert MARKS["five a class at random"] > TARGET + 0.03


def test_a_type_error_inside_an_answer_is_the_one_that_is_told() -> None:
    told = evaluate("05.b", lambda history, more: more > "5").sentence
    assert "'>' not supported between instances of 'int' and 'str'" in told
    assert "missing 1 required positional argument" in evaluate("05.b", lambda a, b, c: 1).sentence


# --- In the notebook ---------------------------------------------------------------------------


def checked(source: str) -> tuple[str, str]:
    """Return id and answer, as the code says it, of a cell that is `check(id, answer)`."""
    (statement,) = ast.parse(source).body
    call = statement.value
    assert call.func.id == "check"
    return call.args[0].value, ast.unparse(call.args[1])


@pytest.fixture(params=[notebook.name[:2] for notebook in lessons.lessons()])
def cells(request: pytest.FixtureRequest) -> Cells:
    return Cells(*lessons.lessons([request.param]))


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
        if "solution" in lessons.tags(cell):
            assert "hide-input" in cell.metadata.tags  # the site
            assert cell.metadata.get("jupyter", {}).get("source_hidden") is True  # JupyterLab
            assert cell.metadata.get("cellView") == "form"  # Colab
            assert cell.source.startswith("# @title Solution ")
