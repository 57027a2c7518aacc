"""Attempt, check, adopt: what becomes of an answer."""

from __future__ import annotations

import ast
import importlib
import inspect
import linecache
import re
import textwrap
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from helpers.cards import BAD, GOOD, Card
from helpers.exercises.progress import remember

Answer = TypeVar("Answer")


class Hint(Exception):
    """What is wrong with this answer: a short code for the records, a sentence for the learner."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True)
class Exercise:
    """An exercise: its title and a check that returns if the answer is right, else raises Hint."""

    title: str
    check: Callable[[Any], None]


@dataclass(frozen=True)
class Result:
    """What came of a check. `status` is "untouched", "wrong" or "passed"."""

    status: str
    code: str = ""
    sentence: str = ""


def check(exercise_id: str, answer: Any) -> None:
    """Check an answer and show a card: not attempted yet, a hint, or a tick.

    An exception in the answer becomes a hint, and so does sys.exit(). An interrupt goes through.

    Args:
        exercise_id: Lesson and letter, e.g. ``"02.b"``.
        answer: The learner's function or value.

    Raises:
        KeyError: There is no such exercise: a mistake in the lesson, not in the answer.
    """
    result = evaluate(exercise_id, answer)
    saved = remember(exercise_id, result.status, result.code)
    name = f"Exercise {exercise_id} · {find(exercise_id).title}"
    if result.status == "untouched":
        card = Card(
            f"… {name}",
            "Not attempted yet. Put your answer where the three dots stand and run both cells "
            "again, or carry on: the lesson works either way.",
        )
    elif result.status == "passed":
        kept = (
            "Your answer is remembered." if saved else "But it could not be remembered: see above."
        )
        card = Card(f"✓ {name}", f"Right. {kept}", colour=GOOD)
    else:
        card = Card(
            f"✗ {name}: not there yet",
            result.sentence,
            ("Change the answer and run both cells again.",),
            BAD,
        )
    card.show()


def adopt(exercise_id: str, mine: Answer, reference: Answer) -> Answer:
    """Return the learner's own answer if it passes the check, else the reference.

    So the rest of the lesson runs on the learner's code where that works, and always runs.

    Raises:
        KeyError: There is no such exercise.
    """
    if evaluate(exercise_id, mine).status == "passed":
        print(f"{exercise_id}: the lesson goes on with your own answer.")
        return mine
    print(f"{exercise_id}: the lesson goes on with the reference answer; yours stays in its cell.")
    return reference


def evaluate(exercise_id: str, answer: Any) -> Result:
    """Check an answer without showing or remembering anything.

    Raises:
        KeyError: There is no such exercise.
    """
    exercise = find(exercise_id)
    if is_stub(answer):
        return Result("untouched")
    try:
        exercise.check(answer)
    except Hint as hint:
        return Result("wrong", hint.code, hint.sentence)
    except (Exception, SystemExit) as problem:  # the learner's code may raise anything at all
        return Result("wrong", "raises", _where(problem))
    return Result("passed")


def find(exercise_id: str) -> Exercise:
    """Return an exercise by its id.

    Raises:
        KeyError: There is no such exercise; the message lists those of the lesson.
        ImportError: The lesson's checks need a package that is not there.
    """
    lesson = exercise_id.split(".")[0]
    name = f"helpers.exercises.lesson_{lesson}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as problem:
        if problem.name != name:  # the lesson is there, and something that it imports is not
            raise
        raise KeyError(f"there is no lesson {lesson!r} with exercises") from None
    if exercise_id not in module.EXERCISES:
        known = ", ".join(module.EXERCISES)
        raise KeyError(f"lesson {lesson} has no exercise {exercise_id!r}; it has {known}")
    return module.EXERCISES[exercise_id]


def is_stub(answer: Any) -> bool:
    """Whether the three dots are still there: as the value, in a container, or in the code.

    Dots inside square brackets, as in ``x[..., 0]``, are an answer and no placeholder.
    """
    if answer is ...:
        return True
    if isinstance(answer, list | tuple | set):
        return any(is_stub(item) for item in answer)
    if isinstance(answer, dict):
        return any(is_stub(item) for item in answer.values())
    if not inspect.isfunction(answer):
        return False
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(answer)))
    except (OSError, TypeError, SyntaxError):
        return False  # no source to read: whatever it is, somebody wrote it
    return has_dots(tree)


def has_dots(code: ast.AST) -> bool:
    """Whether there are three dots in this code, other than inside square brackets."""
    indexed = {
        id(node)
        for subscript in ast.walk(code)
        if isinstance(subscript, ast.Subscript)
        for node in ast.walk(subscript.slice)
    }
    return any(
        isinstance(node, ast.Constant) and node.value is ... and id(node) not in indexed
        for node in ast.walk(code)
    )


def _where(problem: BaseException) -> str:
    """Say what the learner's code raised, and at which of its lines if that can be found."""
    frames = traceback.extract_tb(problem.__traceback__)
    # Code typed into a notebook lives in files that only linecache knows.
    own = [f for f in frames if "ipykernel" in f.filename or f.filename.startswith("<ipython")]
    plain = re.sub(r"\x1b\[\d*m", "", str(problem))  # Keras writes some of its messages in bold
    lines = [line.strip() for line in plain.splitlines() if line.strip()] or ["no message"]
    # Keras first says which layer was called, and only then what is wrong.
    said = lines[1] if lines[0].startswith("Exception encountered") and lines[1:] else lines[0]
    sentence = f"Running it raised {type(problem).__name__}: {said}"
    if own:
        code = linecache.getline(own[-1].filename, own[-1].lineno or 0).strip()
        sentence += f" (your line {own[-1].lineno}: {code})"
    return sentence
