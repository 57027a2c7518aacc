"""Mutants of solutions: what is changed, and who is told of it."""

from __future__ import annotations

import ast
import json

import numpy as np
import pytest

from helpers.exercises.registry import EXERCISES
from tools import mutate
from tools.__main__ import main


def changed(code: str) -> dict[str, str]:
    """The mutants of a statement: what was changed, and the code."""
    (statement,) = ast.parse(code).body
    before = ast.dump(statement)
    found = {what: ast.unparse(mutant) for what, mutant in mutate.mutants(statement)}
    assert ast.dump(statement) == before
    return found


@pytest.mark.parametrize(
    ("code", "mutant"),
    [
        ("x = n + 1", "x = n + 2"),
        ("x = n + 1", "x = n + 0"),
        ("x = n + 1", "x = n - 1"),
        ("x = n + 1", "x = n"),
        ("x = a - b", "x = b - a"),
        ("x = a @ b", "x = b @ a"),
        ("x = -a", "x = a"),
        ("x = a < b", "x = a <= b"),
        ("x = a and b", "x = a or b"),
        ("x = a[1:]", "x = a[:]"),
        ("x = a[1:]", "x = a[1::-1]"),
        ("x = a.mean(axis=1)", "x = a.sum(axis=1)"),
        ("x = a.mean(axis=1)", "x = a.mean(axis=0)"),
        ("x = a.mean(axis=1)", "x = a.mean()"),
        ("x = a.mean(axis=1)", "x = a"),
        ("x = f(a, b)", "x = f(b, a)"),
        ("x = int(a)", "x = a"),
        ("x = f(a, flag=True)", "x = f(a, flag=False)"),
        ("x = 'softmax'", "x = 'sigmoid'"),
        ("x = [a, b]", "x = [b, a]"),
        ("x = [a, b]", "x = [b]"),
        ("x = {'a': 1, 'b': 2}", "x = {'a': 2, 'b': 1}"),
        ("x = [a for a in b if a]", "x = [a for a in b]"),
        ("x = a if b else c", "x = a if not b else c"),
        ("def f():\n    a = 1\n    a = g(a)\n    return a", "def f():\n    a = 1\n    return a"),
    ],
)
def test_what_is_changed(code: str, mutant: str) -> None:
    assert ast.unparse(ast.parse(mutant)) in changed(code).values()


def test_a_change_is_made_once_and_alone() -> None:
    found = list(changed("x = f(1, 1)").values())
    assert found == ["x = f(2, 1)", "x = f(0, 1)", "x = f(1, 2)", "x = f(1, 0)"]
    assert changed("x = zip(a, strict=True)").keys() == {"x = zip(a, strict=True) -> x = a"}


def test_an_argument_is_spoilt_before_the_answer_returns() -> None:
    (code,) = [
        code for code in changed("def f(a):\n    return a.copy()").values() if "_spoil" in code
    ]
    space = {mutate.SPOIL: mutate.spoil}
    exec(code, space)
    given = np.array([1.0, 2.0, 3.0])
    assert space["f"](given).tolist() == [1, 2, 3]
    assert given.tolist() == [1, 2, 1]


@pytest.mark.parametrize("thing", [np.arange(3), [1, 2], {"a": 1}, (np.arange(3), [1])])
def test_what_can_be_changed_in_place_is(thing) -> None:
    before = repr(thing)
    assert mutate.spoil(thing)
    assert repr(thing) != before


def test_what_cannot_be_changed_in_place_is_left_out() -> None:
    assert not any(map(mutate.spoil, [1, "a", None, (1, 2), [], np.zeros(0)]))


def test_checks_tell_every_mutant_of_lesson_00(capsys) -> None:
    """The whole course takes a quarter of an hour: `python -m tools mutate`."""
    main(["mutate", "00"])
    told = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in told] == [*EXERCISES["00"]]
    assert all(line.endswith(", 0 pass") for line in told)


def test_a_mutant_that_passes_and_one_that_no_longer_does_are_told(
    monkeypatch, tmp_path, capsys
) -> None:
    accepted = tmp_path / "also_right.json"
    accepted.write_text('{"00.a": {"never * made": "An old reason."}}')
    monkeypatch.setattr(mutate, "ACCEPTED", accepted)
    with pytest.raises(SystemExit, match=r"mutate: \d+ mutants to look at"):
        main(["mutate", "00"])
    told = capsys.readouterr().out
    assert "  00.a PASSES: " in told and "probabilities[-1]" in told
    assert "  00.a PASSES no more, strike it out: never * made" in told


def test_a_mutant_that_never_ends_counts_as_told(monkeypatch) -> None:
    with pytest.raises(mutate.Overtime), mutate._limited(1):
        while True:
            pass


def test_every_accepted_mutant_has_its_reason() -> None:
    known = {exercise for exercises in EXERCISES.values() for exercise in exercises}
    accepted = json.loads(mutate.ACCEPTED.read_text(encoding="utf-8"))
    assert accepted.keys() <= known
    assert all(reason.endswith(".") for keys in accepted.values() for reason in keys.values())
