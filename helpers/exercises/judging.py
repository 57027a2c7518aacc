"""Attempt, check, adopt: what becomes of an answer."""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import linecache
import re
import textwrap
import traceback
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from helpers.cards import BAD, GOOD, Card
from helpers.exercises.deadline import OutOfTime, interrupted_after
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
    """An exercise: its title and a check that returns if the answer is right, else raises Hint.

    What a check returns, if it returns a sentence, is said with the tick: a score, say. After so
    many `seconds` of processor time, those of the check included, an answer is stopped.
    """

    title: str
    check: Callable[[Any], str | None]
    seconds: float = 30.0


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
    name = f"Exercise {exercise_id} · {find(exercise_id).title}"
    if _is_reference(exercise_id, answer):  # the check was run again, below the solution
        Card(
            f"… {name}",
            "This is the reference answer, with which the lesson went on. To check your own, run "
            "its cell first, then this one.",
        ).show()
        return
    result = evaluate(exercise_id, answer)
    saved = remember(exercise_id, result.status, result.code)
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
        said = " ".join(filter(None, ("Right.", result.sentence, kept)))
        card = Card(f"✓ {name}", said, colour=GOOD)
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
    own = not _is_reference(exercise_id, mine)  # as it is where the solution is run again
    if own and evaluate(exercise_id, mine).status == "passed":
        print(f"{exercise_id}: the lesson goes on with your own answer.")
        return mine
    print(f"{exercise_id}: the lesson goes on with the reference answer; yours stays in its cell.")
    _ADOPTED[exercise_id] = reference
    return reference


_ADOPTED: dict[str, object] = {}  # by exercise: the reference that goes by the answer's name now


def _is_reference(exercise_id: str, answer: object) -> bool:
    return exercise_id in _ADOPTED and answer is _ADOPTED[exercise_id]


def evaluate(exercise_id: str, answer: Any) -> Result:
    """Check an answer without showing or remembering anything.

    Raises:
        KeyError: There is no such exercise.
    """
    exercise = find(exercise_id)
    if is_stub(answer):
        left = _dots_left(answer)
        return Result("wrong", "dots-left", left) if left else Result("untouched")
    with contextlib.suppress(TypeError):  # what has no hash is no function
        if answer in _ENDLESS:
            return _ENDLESS[answer]
    try:
        with interrupted_after(exercise.seconds):
            said = exercise.check(answer)
    except Hint as hint:
        return Result("wrong", hint.code, hint.sentence)
    except OutOfTime as problem:
        result = Result("wrong", "endless", _never_ends(problem, answer, exercise.seconds))
        with contextlib.suppress(TypeError):
            _ENDLESS[answer] = result
        return result
    except (Exception, SystemExit) as problem:  # the learner's code may raise anything at all
        return Result("wrong", "raises", _where(problem, getattr(answer, "__qualname__", "")))
    return Result("passed", sentence=said or "")


_ENDLESS: weakref.WeakKeyDictionary[Any, Result] = weakref.WeakKeyDictionary()
"""Answers that had to be stopped: `adopt` does not wait for them a second time."""


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

    Dots inside square brackets, as in ``x[..., 0]``, are an answer and no placeholder; nor are
    dots that were left on a line of their own in a function that does something without them.
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


def _dots_left(answer: Any) -> str:
    """Say where dots were left in a dictionary that has been filled in elsewhere; else nothing."""
    if not isinstance(answer, dict):
        return ""
    left = [key for key, value in answer.items() if is_stub(value)]
    if not left or len(left) == len(answer):
        return ""
    return (
        f"You have answered {len(answer) - len(left)} of {len(answer)}. The three dots still stand "
        f"at {', '.join(map(repr, left))}."
    )


def has_dots(code: ast.AST) -> bool:
    """Whether three dots in this code, other than inside square brackets, hold a place.

    On a line of their own they do unless the function has two other statements, or one that
    returns more than names: ``pass`` is spelt ``...`` by some, and some forget to take it away.
    """
    spare = {
        id(node)
        for subscript in ast.walk(code)
        if isinstance(subscript, ast.Subscript)
        for node in ast.walk(subscript.slice)
    }
    if _does_something(code):
        spare |= {id(node.value) for node in ast.walk(code) if isinstance(node, ast.Expr)}
    return any(
        isinstance(node, ast.Constant) and node.value is ... and id(node) not in spare
        for node in ast.walk(code)
    )


def _does_something(code: ast.AST) -> bool:
    functions = [node for node in ast.walk(code) if isinstance(node, ast.FunctionDef)]
    body = functions[0].body if functions else []
    done = [
        one
        for one in body
        if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
    ]
    if len(done) != 1 or not isinstance(done[0], ast.Return) or done[0].value is None:
        return len(done) > 1
    names = ast.Name, ast.Tuple, ast.expr_context
    return any(not isinstance(node, names) for node in ast.walk(done[0].value))


def _own_line(frames: traceback.StackSummary) -> str:
    """Return the last of the learner's lines on the way to an error; empty if there is none."""
    # Code typed into a notebook lives in files that only linecache knows.
    own = [f for f in frames if "ipykernel" in f.filename or f.filename.startswith("<ipython")]
    if not own:
        return ""
    code = linecache.getline(own[-1].filename, own[-1].lineno or 0).strip()
    return f" (your line {own[-1].lineno}: {code})"


def _never_ends(problem: BaseException, answer: Any, seconds: float) -> str:
    """Say that an answer had to be stopped, where it was then, and what may be the reason."""
    line = _own_line(traceback.extract_tb(problem.__traceback__))
    sentence = (
        f"It was still running after {seconds:.0f} seconds of processor time, and was "
        f"stopped{line}. Is there a loop that never ends? Something in it has to change what it "
        "waits for."
    )
    with contextlib.suppress(OSError, TypeError):
        if re.search(r"\blayers\.(pop|remove)\(|\bdel .*\blayers\[", inspect.getsource(answer)):
            sentence += (
                " model.layers is a new list whenever it is asked for: to take a layer out of that "
                "list takes nothing out of the model."
            )
    return sentence


def _where(problem: BaseException, answer: str) -> str:
    """Say what the learner's code raised, at which of its lines if it can be found, and why."""
    from helpers.exercises.errors import meaning, shortened

    frames = traceback.extract_tb(problem.__traceback__)
    plain = re.sub(r"\x1b\[\d*m", "", str(problem))  # Keras writes some of its messages in bold
    lines = [line.strip() for line in plain.splitlines() if line.strip()] or ["no message"]
    if (
        lines[0] == "in user code:"
    ):  # from inside a dataset's map: the error comes after the way there
        named = [at for at, line in enumerate(lines) if re.match(r"\w+(Error|Exception): ", line)]
        lines = lines[named[-1] :] if named else lines[-1:]
        lines[0] = re.sub(r"^\w+(Error|Exception): ", "", lines[0])
    # Keras first says which layer was called, and only then what is wrong.
    said = lines[1] if lines[0].startswith("Exception encountered") and lines[1:] else lines[0]
    kind = type(problem).__name__
    sentence = f"Running it raised {kind}: {shortened(said)}{_own_line(frames)}"
    why = meaning(kind, said, answer, frames[-1].name if frames else "")
    return f"{sentence}{'' if sentence.endswith('.') else '.'} {why}" if why else sentence
