"""The plan of the house: helpers are small, and no floor leans on one above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from helpers.session import COURSE_ROOT

FLOORS = ("helpers", "tools", "tests")  # each may import from itself and from those before it
LONGEST_FILE = 300  # lines that are not blank
MOST_LINES = 2_432  # of helpers without the exercises; the plan wants 1,500: only ever lower this


def lines(file: Path) -> int:
    return sum(bool(line.strip()) for line in file.read_text(encoding="utf-8").splitlines())


def modules(floor: str) -> dict[str, Path]:
    """Every module of a floor by its dotted name."""
    found = {}
    for file in sorted((COURSE_ROOT / floor).rglob("*.py")):
        parts = file.relative_to(COURSE_ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports(file: Path, everywhere: bool) -> Iterator[str]:
    """Dotted names that a file imports: at its top level, or also inside functions."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if everywhere else at_top_level(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_top_level(tree: ast.Module) -> Iterator[ast.AST]:
    """What runs when a module is imported; not what only a type checker sees."""
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            yield from ast.walk(node)


def graph(floor: str) -> dict[str, set[str]]:
    """For each module of a floor, the modules of that floor which its import needs."""
    known = modules(floor)
    return {
        name: {one for one in imports(file, everywhere=False) if one in known} - {name}
        for name, file in known.items()
    }


def circle(needs: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as problem:
        return problem.args[1]
    return []


def test_helpers_are_small() -> None:
    counted = {
        name: lines(file)
        for name, file in modules("helpers").items()
        if not name.startswith("helpers.exercises")
    }
    assert len(counted) > 10
    assert {name: n for name, n in counted.items() if n > LONGEST_FILE} == {}
    assert sum(counted.values()) <= MOST_LINES, counted


@pytest.mark.parametrize("floor", FLOORS)
def test_no_import_leads_to_a_higher_floor(floor: str) -> None:
    higher = FLOORS[FLOORS.index(floor) + 1 :]
    found = modules(floor)
    assert found
    assert [
        (name, one)
        for name, file in found.items()
        for one in imports(file, everywhere=True)
        if one.split(".")[0] in higher
    ] == []


@pytest.mark.parametrize("floor", ["helpers", "tools"])
def test_imports_go_round_in_no_circle(floor: str) -> None:
    needs = graph(floor)
    assert sum(map(len, needs.values())) > 5  # it does find some
    assert circle(needs) == []


def test_a_circle_would_be_found() -> None:
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}


def test_a_tool_reads_nothing_from_the_tests() -> None:
    for name, file in modules("tools").items():
        code = file.read_text(encoding="utf-8")
        assert '/ "tests" /' not in code, name


def test_no_lesson_needs_a_tool() -> None:
    import nbformat

    for notebook in sorted((COURSE_ROOT / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(notebook, as_version=4).cells:
            if cell.cell_type == "code":
                assert "import tools" not in cell.source, notebook.name
                assert "from tools" not in cell.source, notebook.name
