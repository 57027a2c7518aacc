"""What an answer needs: the statements of a learner's notebook that define or change its names.

From the exercise's cell it goes backwards and takes only those, so that nothing else runs: no
training, no endless loop in another cell. A check of this course is `check("02.a", answer)`.
"""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

ID = re.compile(r"\d\d\.[a-z]")
# Methods that change the object they are called on; a fit is left out, for it takes minutes.
MUTATING = frozenset(
    "add append build clear compile discard extend insert load_weights pop popitem remove reverse "
    "set_weights setdefault sort update".split()
)
TRANSPARENT = re.compile(r"\A\s*%%(?:time|timeit|capture|prun)\b.*\n")


class Stopped(Exception):
    """An answer has no result; the message says why."""


@dataclass(frozen=True)
class Statement:
    """One top-level statement of a notebook, by the names that it has to do with.

    Attributes:
        code: What the learner wrote.
        sets: Names it binds in any case, whatever stood before.
        changes: Names it may bind, or whose objects it may change; ``"*"`` for ``import *``.
        needs: Names it takes from the notebook, also inside functions.
        asks: Exercise and answer, if it is ``check("02.a", answer)``.
        problem: Why it cannot be run; it is then a whole cell, which sets what it seems to set.
    """

    code: str
    sets: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    asks: tuple[str, str] | None = None
    problem: str = ""


@dataclass(frozen=True)
class Answer:
    """A learner's answer to one exercise: the code that makes it, or what is wrong with it."""

    exercise_id: str
    expression: str
    code: str = ""
    problem: str = ""


def answers(lesson: NotebookNode) -> list[Answer]:
    """Return the answers in a learner's notebook; of two checks of one exercise the last counts."""
    before: list[Statement] = []
    found: dict[str, Answer] = {}
    for cell in lesson.cells:
        if cell.cell_type != "code":
            continue
        for statement in statements(cell.source):
            if statement.asks:
                exercise_id, expression = statement.asks
                try:
                    if statement.problem:
                        raise Stopped(statement.problem)
                    code = "\n\n".join(needed(expression, before))
                    found[exercise_id] = Answer(exercise_id, expression, code=code)
                except Stopped as problem:
                    found[exercise_id] = Answer(exercise_id, expression, problem=str(problem))
            before.append(statement)
    return list(found.values())


def statements(source: str) -> list[Statement]:
    """Take a cell apart, magics and shell lines translated as IPython does.

    A cell that is no Python becomes one statement with a problem; one of another language, none.
    """
    from IPython.core.inputtransformer2 import TransformerManager

    source = TRANSPARENT.sub("", source, count=1)
    if source.lstrip().startswith("%%"):
        return []
    try:
        source = TransformerManager().transform_cell(source)
        return [_statement(source, node) for node in ast.parse(source).body]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        place = f", line {problem.lineno}" if isinstance(problem, SyntaxError) else ""
        says = f"does not parse: {getattr(problem, 'msg', problem)}{place}"
        names = re.findall(r"^ *(?:def|class) +(\w+)|^(\w+) *=(?!=)", source, re.MULTILINE)
        check = re.search(r"""\bcheck\(\s*["'](\d\d\.[a-z])["']\s*,\s*(\w+)""", source)
        asks = (check[1], check[2]) if check else None
        return [Statement("", frozenset(a or b for a, b in names), asks=asks, problem=says)]


def _statement(source: str, node: ast.stmt) -> Statement:
    code = ast.get_source_segment(source, node) or ""
    for decorator in reversed(getattr(node, "decorator_list", [])):
        code = f"@{ast.unparse(decorator)}\n{code}"
    table = symtable.symtable(code, "cell", "exec")
    binds = {
        s.get_name()
        for s in table.get_symbols()
        if s.is_assigned() or s.is_imported() or s.is_namespace()
    }
    changes, needs = _changed(node), _used(table)
    simple = ast.Assign | ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom
    certain = isinstance(node, simple) or (isinstance(node, ast.AnnAssign) and node.value)
    if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
        changes.add("*")
    if isinstance(node, ast.AugAssign):
        needs |= binds
    if _calls(getattr(node, "value", None), "adopt"):
        binds, changes = set(), set()  # the solution's cell: the learner's own answer is judged
    return Statement(
        code,
        sets=frozenset(binds if certain else ()),
        changes=frozenset(changes if certain else changes | binds),
        needs=frozenset(needs),
        asks=_asked(node),
    )


def _calls(node: ast.AST | None, name: str) -> bool:
    """Whether this is a call of ``name(...)`` or ``module.name(...)``."""
    function = getattr(node, "func", None)
    return isinstance(node, ast.Call) and name in (
        getattr(function, "id", ""),
        getattr(function, "attr", ""),
    )


def _asked(node: ast.stmt) -> tuple[str, str] | None:
    call = getattr(node, "value", None)
    if not _calls(call, "check"):
        return None
    given = dict(zip(("exercise_id", "answer"), call.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in call.keywords}
    exercise_id = getattr(given.get("exercise_id"), "value", None)
    if not isinstance(exercise_id, str) or not ID.fullmatch(exercise_id) or "answer" not in given:
        return None
    return exercise_id, ast.unparse(given["answer"])


def _used(table: symtable.SymbolTable) -> set[str]:
    """The names that code takes from the notebook's namespace, also inside functions."""
    top = table.get_type() == "module"
    own = {
        s.get_name() for s in table.get_symbols() if s.is_referenced() and (top or s.is_global())
    }
    return own.union(*(_used(child) for child in table.get_children()))


def _changed(node: ast.stmt) -> set[str]:
    """The names whose objects a statement changes in place.

    As in ``x[0] = 1``, ``x.flag = False``, ``x.append(1)``, and in a loop over ``x`` that changes
    what it finds there.
    """
    found = set()
    for part in _at_once(node):
        if isinstance(part, ast.Attribute | ast.Subscript) and not isinstance(part.ctx, ast.Load):
            found.add(_root(part))
        elif isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            if part.func.attr in MUTATING:
                found.add(_root(part.func))
    for part in _at_once(node):
        if isinstance(part, ast.For) and found & _names(part.target):
            found |= _names(part.iter)
    return found - {""}


def _at_once(node: ast.AST) -> Iterator[ast.AST]:
    """Walk through what runs with a statement: not the bodies of functions in it."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _at_once(child)


def _root(node: ast.AST) -> str:
    """The name at the beginning of ``name.attribute[index].method().flag``."""
    while not isinstance(node, ast.Name):
        node = getattr(node, "func", None) or getattr(node, "value", None)
        if not isinstance(node, ast.AST):
            return ""
    return node.id


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def needed(expression: str, before: list[Statement]) -> list[str]:
    """Return the code of the statements that an expression depends on, in their order.

    Raises:
        Stopped: One of them is in a cell that is no Python, or nothing defines the answer's name.
    """
    wanted, kept = _names(ast.parse(expression)), []
    known = {"*"}.union(*(statement.sets | statement.changes for statement in before))
    if expression.isidentifier() and expression not in known:
        raise Stopped(f"no cell above the check defines {expression}")
    for statement in reversed(before):
        if (statement.sets | statement.changes) & (wanted | {"*"}):
            if statement.problem:
                raise Stopped(statement.problem)
            kept.append(statement.code)
            wanted = (wanted - statement.sets) | statement.needs
    return kept[::-1]
