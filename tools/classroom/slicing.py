"""What an answer needs: the statements of a learner's notebook that define or change its names.

From the exercise's cell it goes backwards and takes only those, so that nothing else runs: no
training, no endless loop in another cell. A check of this course is `check("02.a", answer)`, also
behind a magic such as ``%time`` and inside a block such as ``try``.
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
TRANSPARENT = re.compile(r"\A(?:\s*%%(?:time|timeit|capture|prun|memit)\b.*\n)+")
# The same in front of one line, with its options: `%timeit -n 1 check(...)`, `x = %time f()`.
IN_FRONT = re.compile(
    r"^([ \t]*(?:\w+[ \t]*=[ \t]*)?)"
    r"%(?:time|timeit|prun|memit)\b(?:[ \t]+-\w+(?:[ \t]+\d+)?)*[ \t]+",
    re.MULTILINE,
)
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


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
        later: Names that functions in it change, or set as ``global``, when they are called.
        defines: Whether it is the definition of a function or class, which calls nothing yet.
        asks: Exercise and answer of each ``check("02.a", answer)`` in it.
        problem: Why it cannot be run; it is then a whole cell, which sets what it seems to set.
    """

    code: str
    sets: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    defines: bool = False
    asks: tuple[tuple[str, str], ...] = ()
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
            for exercise_id, expression in statement.asks:
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

    source = IN_FRONT.sub(r"\1", TRANSPARENT.sub("", source))
    if source.lstrip().startswith("%%"):
        return []
    try:
        source = TransformerManager().transform_cell(source)
        nodes = [part for node in ast.parse(source).body for part in _opened(node)]
        return [_statement(source, node) for node in nodes]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        place = f", line {problem.lineno}" if isinstance(problem, SyntaxError) else ""
        says = f"does not parse: {getattr(problem, 'msg', problem)}{place}"
        names = re.findall(r"^ *(?:def|class) +(\w+)|^(\w+) *=(?!=)", source, re.MULTILINE)
        asks = re.findall(r"""\bcheck\(\s*["'](\d\d\.[a-z])["']\s*,\s*(\w+)""", source)
        return [Statement("", frozenset(a or b for a, b in names), asks=tuple(asks), problem=says)]


def _opened(node: ast.stmt) -> Iterator[ast.stmt]:
    """The statements of a block around a check, as if they stood alone; of any other, itself."""
    blocks = ast.Try | ast.With | ast.If | ast.For | ast.While
    parts = ("body", "orelse", "finalbody")
    inside = [one for part in parts for one in getattr(node, part, ())]
    if isinstance(node, blocks) and any(map(_asked, inside)):
        for one in inside:
            yield from _opened(one)
    else:
        yield node


def _statement(source: str, node: ast.stmt) -> Statement:
    code = ast.get_source_segment(source, node) or ""
    for decorator in reversed(getattr(node, "decorator_list", [])):
        code = f"@{ast.unparse(decorator)}\n{code}"
    if node.col_offset:  # its further lines are indented
        code = ast.unparse(node)
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
        later=frozenset(_set_as_global(table) | (_changed_when_called(node) & _used(table))),
        defines=isinstance(getattr(node, "value", node), FUNCTIONS | ast.ClassDef),
        asks=_asked(node),
    )


def _calls(node: ast.AST | None, name: str) -> bool:
    """Whether this is a call of ``name(...)`` or ``module.name(...)``."""
    function = getattr(node, "func", None)
    return isinstance(node, ast.Call) and name in (
        getattr(function, "id", ""),
        getattr(function, "attr", ""),
    )


def _asked(node: ast.AST) -> tuple[tuple[str, str], ...]:
    found = []
    for call in (part for part in _at_once(node) if _calls(part, "check")):
        given = dict(zip(("exercise_id", "answer"), call.args, strict=False))
        given |= {keyword.arg: keyword.value for keyword in call.keywords}
        exercise_id = getattr(given.get("exercise_id"), "value", None)
        if isinstance(exercise_id, str) and ID.fullmatch(exercise_id) and "answer" in given:
            found.append((exercise_id, ast.unparse(given["answer"])))
    return tuple(found)


def _set_as_global(table: symtable.SymbolTable) -> set[str]:
    own = {s.get_name() for s in table.get_symbols() if s.is_declared_global() and s.is_assigned()}
    return own.union(*map(_set_as_global, table.get_children()))


def _changed_when_called(node: ast.AST) -> set[str]:
    """As `_changed`, of the bodies of all functions in a statement."""
    bodies = [part.body for part in ast.walk(node) if isinstance(part, FUNCTIONS)]
    parts = [part for body in bodies for part in (body if isinstance(body, list) else [body])]
    return set().union(*map(_changed, parts))


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
    if not isinstance(node, FUNCTIONS):
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
    changed = list(_changed_by_calls(before))
    known = {"*"}.union(*(one.sets | more for one, more in zip(before, changed, strict=True)))
    if expression.isidentifier() and expression not in known:
        raise Stopped(f"no cell above the check defines {expression}")
    called: set[str] = set()  # what functions take is only looked up when they run
    while True:
        wanted, kept = _names(ast.parse(expression)) | called, []
        for statement, more in zip(reversed(before), reversed(changed), strict=True):
            if (statement.sets | more) & (wanted | {"*"}):
                kept.append(statement)
                wanted = (wanted - statement.sets) | statement.needs
        takes = set().union(*(one.needs for one in kept if one.defines))
        if takes <= called:
            break
        called |= takes
    for statement in kept:
        if statement.problem:
            raise Stopped(statement.problem)
    return [statement.code for statement in reversed(kept)]


def _changed_by_calls(before: list[Statement]) -> Iterator[frozenset[str]]:
    """What each statement changes, also in functions that it may call, by whatever way."""
    known: dict[str, list[Statement]] = {}
    for statement in before:
        changed, todo, seen = set(statement.changes), [], set()
        if not statement.defines and not statement.asks:
            changed |= statement.later
            todo += statement.needs
        while todo:
            if (name := todo.pop()) not in seen:
                seen.add(name)
                for one in known.get(name, ()):
                    changed |= one.later
                    todo += one.needs
        for name in statement.sets | statement.changes:
            known.setdefault(name, []).append(statement)
        yield frozenset(changed)
