"""Change each exercise's solution in small ways, and see whether its check tells.

A learner's mistake is often one small step from the solution: off by one, the other axis, a sign, a
line left out. Each such step is made here in the syntax tree, and the mutant is given to the check.
One that passes shows what the check does not ask, or is right in another way: those that are stand
in ``tools/catalogues/also_right.json``, each with the reason.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import inspect
import json
import linecache
import re
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from helpers.exercises import evaluate, find
from tools import lessons

ACCEPTED = Path(__file__).parent / "catalogues" / "also_right.json"
LIMIT = 120  # seconds for one mutant; one that runs longer counts as told
SPOIL = "_spoil"  # the name under which mutants know `spoil`

COMPARISONS = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt},
    **{ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In},
    **{ast.Is: ast.IsNot, ast.IsNot: ast.Is},
}
OPERATORS = {
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult},
    **{ast.FloorDiv: ast.Div, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.MatMult: ast.Mult},
    **{ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd},
}
SPARE = {"strict", "verbose"}  # arguments that change nothing where all is as it should be
WORDS = {  # names of functions, layers, arguments and what they are given, each with its opposite
    **{"max": "min", "min": "max", "argmax": "argmin", "argmin": "argmax"},
    **{"maximum": "minimum", "minimum": "maximum", "mean": "sum", "sum": "mean"},
    **{"softmax": "sigmoid", "sigmoid": "softmax", "relu": "linear", "any": "all", "all": "any"},
    **{"zeros": "ones", "ones": "zeros", "val_loss": "loss", "val_accuracy": "accuracy"},
    **{"GlobalAveragePooling2D": "GlobalMaxPooling2D", "Concatenate": "Add"},
    **{"horizontal": "vertical", "left": "right", "train": "val", "val": "train"},
}


class Cells:
    """A lesson's exercise cells, to be run on their own."""

    def __init__(self, notebook: Path) -> None:
        self.name = notebook.stem
        self.code = [c for c in lessons.read(notebook).cells if c.cell_type == "code"]

    def tagged(self, tag: str) -> list[str]:
        """Return the sources of the cells with a tag, in order."""
        return [cell.source for cell in self.code if tag in lessons.tags(cell)]

    def namespace(self) -> dict:
        """What the lesson's import statements bring, and the functions that it defines itself."""
        from IPython.core.inputtransformer2 import TransformerManager

        space: dict = {"__name__": "__main__"}
        for cell in self.code:
            own = not {"exercise", "solution"} & set(lessons.tags(cell))
            kinds = (ast.Import, ast.ImportFrom, *[ast.FunctionDef] * own)
            for node in ast.parse(TransformerManager().transform_cell(cell.source)).body:
                if isinstance(node, kinds):
                    with contextlib.suppress(NameError):  # a default that the lesson measures
                        exec(compile(ast.Module([node], []), self.name, "exec"), space)
        return space

    def run(self, source: str, space: dict) -> None:
        """Run a cell as IPython does: its source is known to linecache only."""
        name = f"<ipython-{self.name}-{hash(source)}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(compile(source, name, "exec"), space)


class Overtime(BaseException):
    """A mutant has run for too long. No `Exception`, or the check would catch it."""


def mutate(notebooks: list[Path], with_open: bool = False) -> Iterator[str]:
    """Give the mutants of all solutions to their checks.

    Args:
        notebooks: The lessons.
        with_open: Also where a score is judged. There most mutants are right: another rate, say.

    Yields:
        A line for each exercise, and one for each mutant that passes and is not accepted: these
        have the word ``PASSES`` in them.
    """
    for notebook in notebooks:
        cells = Cells(notebook)
        for solution in cells.tagged("solution"):
            yield from _judge(cells, solution, with_open)


def _judge(cells: Cells, solution: str, with_open: bool) -> Iterator[str]:
    statement, exercise_id, name = _reference(solution)
    if is_open(exercise_id) and not with_open:
        yield f"{exercise_id}: judged by its score, left out"
        return
    accepted = json.loads(ACCEPTED.read_text(encoding="utf-8")).get(exercise_id, {})
    patterns = {key: re.compile(".*".join(map(re.escape, key.split("*")))) for key in accepted}
    told, passing, outside = 0, [], 0
    for what, mutant in mutants(statement):
        passed = _passes(cells, mutant, exercise_id, name)
        told += passed is False
        outside += passed is None
        if passed:
            passing.append(what)
    found = {what: [key for key in patterns if patterns[key].fullmatch(what)] for what in passing}
    new = [what for what, keys in found.items() if not keys]
    gone = patterns.keys() - set().union(*found.values())
    yield (
        f"{exercise_id}: {told + len(passing)} mutants, {told} told, "
        f"{len(passing) - len(new)} accepted, {len(new)} pass"
    )
    yield from (f"  {exercise_id} PASSES: {what}" for what in new)
    yield from (f"  {exercise_id} PASSES no more, strike it out: {what}" for what in gone)


def is_open(exercise_id: str) -> bool:
    """Whether an exercise is judged by the score of what the answer trains or chooses."""
    return "open_task." in inspect.getsource(find(exercise_id).check)


def _reference(solution: str) -> tuple[ast.stmt, str, str]:
    """Return the statement that makes the reference, the exercise's id and the reference's name."""
    *_, adopting = ast.parse(solution).body
    exercise_id, _, reference = adopting.value.args
    for statement in ast.parse(solution).body:
        names = [getattr(statement, "name", "")]
        names += [getattr(target, "id", "") for target in getattr(statement, "targets", [])]
        if reference.id in names:
            return statement, exercise_id.value, reference.id
    raise ValueError(f"{exercise_id.value}: no statement makes {reference.id}")


def mutants(statement: ast.stmt) -> Iterator[tuple[str, ast.stmt]]:
    """Yield what was changed, in words, and the changed statement; each change once."""
    before = ast.unparse(statement)
    seen = {before}
    spare = {
        id(node.value)
        for node in ast.walk(statement)
        if isinstance(node, ast.keyword) and node.arg in SPARE
    }
    for place, node in enumerate(ast.walk(statement)):
        for change in () if id(node) in spare else _changes(node):
            mutant = copy.deepcopy(statement)
            change(list(ast.walk(mutant))[place])
            after = ast.unparse(ast.fix_missing_locations(mutant))
            if after not in seen:
                seen.add(after)
                yield _difference(before, after), mutant
    if isinstance(statement, ast.FunctionDef):
        for argument in statement.args.args:
            mutant = _spoiling(statement, argument.arg)
            if SPOIL in ast.unparse(mutant):  # else nothing is returned, before which to do it
                yield f"{argument.arg} changed in place", mutant


def _difference(before: str, after: str) -> str:
    """The lines that differ, ``old -> new``; long ones around the difference only."""
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    one, other = ("; ".join(line.strip() for line in lines) or "nothing" for lines in (old, new))
    alike = _alike(one, other)
    if start := one.rfind(" ", 0, max(alike - 30, 0)) + 1:
        one, other = f"... {one[start:]}", f"... {other[start:]}"
    alike = _alike(one[::-1], other[::-1])
    if alike > 40:
        one, other = (f"{text[: len(text) - alike + 30]} ..." for text in (one, other))
    return f"{one} -> {other}"


def _alike(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))


Change = Callable[[Any], None]


def _set(field: str, value: object) -> Change:
    return lambda node: setattr(node, field, copy.deepcopy(value))


def _swap(field: str, one: int, other: int) -> Change:
    def change(node: Any) -> None:
        items = getattr(node, field)
        items[one], items[other] = items[other], items[one]

    return change


def _drop(field: str, place: int) -> Change:
    return lambda node: getattr(node, field).pop(place)


def _become(pick: Callable[[Any], ast.AST]) -> Change:
    """Let a node become one of its parts."""

    def change(node: Any) -> None:
        part = pick(node)
        node.__class__ = part.__class__
        node.__dict__ = part.__dict__

    return change


def _changes(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Constant(value=bool(value)):
            yield _set("value", not value)
        case ast.Constant(value=int(value)):
            yield from (_set("value", other) for other in (value + 1, value - 1))
        case ast.Constant(value=float(value)):
            yield from (_set("value", other) for other in (2 * value, -value))
        case ast.Constant(value=str(value)) if value in WORDS:
            yield _set("value", WORDS[value])
        case ast.Name(id=name) if name in WORDS:
            yield _set("id", WORDS[name])
        case ast.Attribute(attr=name) if name in WORDS:
            yield _set("attr", WORDS[name])
        case ast.BinOp(op=op):
            if new := OPERATORS.get(type(op)):
                yield _set("op", new())
            if not isinstance(op, ast.Add | ast.Mult):  # of numbers these are the same
                yield _exchange
            yield _become(lambda node: node.left)
            yield _become(lambda node: node.right)
        case ast.UnaryOp():
            yield _become(lambda node: node.operand)
        case ast.BoolOp(op=op):
            yield _set("op", ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            yield _set("ops", [COMPARISONS[type(op)]()])
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            yield _set("test", ast.UnaryOp(ast.Not(), test))
        case ast.comprehension(ifs=[_, *_]):
            yield _drop("ifs", 0)
        case ast.Slice():
            yield from (_set(end, None) for end in ("lower", "upper", "step") if getattr(node, end))
            if not node.step:
                yield _set("step", ast.UnaryOp(ast.USub(), ast.Constant(1)))
        case ast.Dict(keys=[_, *_]):
            values = len(node.values)
            yield from (_swap("values", at, (at + 1) % values) for at in range(values))
        case ast.List(elts=[_, *rest]) | ast.Tuple(elts=[_, *rest]):
            yield from (_swap("elts", at, at + 1) for at in range(len(rest)))
            if isinstance(node.ctx, ast.Load):
                yield from (_drop("elts", at) for at in range(len(rest) + 1))
        case ast.Call():
            yield from (_swap("args", at, at + 1) for at in range(len(node.args) - 1))
            spare = [keyword.arg in SPARE for keyword in node.keywords]
            yield from (_drop("keywords", at) for at, is_spare in enumerate(spare) if not is_spare)
            if len(node.args) == 1:  # the call is left out, and what it was given stays
                yield _become(lambda node: node.args[0])
            if isinstance(node.func, ast.Attribute):  # and so is a method, or a layer
                yield _become(lambda node: node.func.value)
    for field in ("body", "orelse"):
        block = getattr(node, field, None)
        if isinstance(block, list) and len(block) > 1:
            yield from (_drop(field, at) for at, line in enumerate(block) if _may_go(line))


def _exchange(node: ast.BinOp) -> None:
    node.left, node.right = node.right, node.left


def _may_go(line: ast.stmt) -> bool:
    return not isinstance(line, ast.Return) and not (
        isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
    )


def _spoiling(function: ast.FunctionDef, argument: str) -> ast.FunctionDef:
    """The function, but it changes one of its arguments in place before it returns."""
    mutant = copy.deepcopy(function)

    class Spoil(ast.NodeTransformer):
        def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
            return node

        def visit_Return(self, node: ast.Return) -> list[ast.stmt]:
            call = ast.parse(f"{SPOIL}({argument})").body
            result = ast.Name("_result", ast.Store())
            back = ast.Return(ast.Name("_result", ast.Load()))
            return [ast.Assign([result], node.value), *call, back]

    for line in list(mutant.body):
        if isinstance(line, ast.FunctionDef):  # what is inside it returns to the function itself
            continue
        at = mutant.body.index(line)
        changed = Spoil().visit(line)
        mutant.body[at : at + 1] = changed if isinstance(changed, list) else [changed]
    return ast.fix_missing_locations(mutant)


def spoil(thing: Any) -> bool:
    """Change an argument in place where that can be done; return whether it was."""
    import numpy as np

    if isinstance(thing, np.ndarray) and thing.size:
        with contextlib.suppress(ValueError):  # read-only
            thing[...] = thing[::-1].copy() if thing.ndim and len(thing) > 1 else 0
            thing.flat[0] = 1
            return True
    if isinstance(thing, list) and thing:
        thing.append(thing[0])
        return True
    if isinstance(thing, dict) and thing:
        thing.popitem()
        return True
    if isinstance(thing, tuple):
        return sum(map(spoil, thing)) > 0  # all of them, not up to the first
    return False


def _passes(cells: Cells, mutant: ast.stmt, exercise_id: str, name: str) -> bool | None:
    """Whether the check lets a mutant pass; None where it could not do what it is for."""
    space, spoilt = cells.namespace(), []
    space[SPOIL] = lambda thing: spoilt.append(spoil(thing))
    try:
        cells.run(ast.unparse(mutant), space)
    except Exception:  # not even a definition
        return False
    try:
        with _limited(LIMIT):
            status = evaluate(exercise_id, space[name]).status
    except Overtime:
        return False
    if SPOIL in ast.unparse(mutant) and not any(spoilt):
        return None
    return status == "passed"


@contextlib.contextmanager
def _limited(seconds: int) -> Iterator[None]:
    """Raise `Overtime` after so many seconds, where signals can be had."""

    def stop(*_: object) -> None:
        raise Overtime

    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
