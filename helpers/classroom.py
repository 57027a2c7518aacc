"""For instructors: a copy of the course without solutions, and what a class answered.

    python -m helpers.classroom copy FOLDER      make the copy; --repository ADDRESS re-points it
    python -m helpers.classroom gather FOLDER    say per exercise how many passed, and which
                                                 wrong answers were given

In the copy a solution cell holds one line, which adopts a reference that is not shown, so Run
All still reaches the end. The references lie packed in `helpers/exercises/references.py`: out of
sight, not secret. Outputs, tests, the instructors' guide and git's history stay behind.

Gathering runs nothing but what an answer needs: from a learner's notebook it takes the exercise's
cell and, going backwards, only the statements that define or change the names in it. They run in a
kernel of their own, in an empty folder, with limits of time and memory, without input, and without
a network as far as Python and its proxies go. That guards against accidents; it is no prison for
hostile code.

nbgrader serves neither: it puts one fixed text in the place of every solution, where Run All needs
a line that differs by exercise; its points come from cells that raise, and a check of this course
never does (a wrong answer would get full marks); and it keeps points, not what was wrong. No
lesson imports this.
"""

from __future__ import annotations

import argparse
import ast
import base64
import contextlib
import importlib
import json
import logging
import os
import re
import shutil
import subprocess
import symtable
import sys
import tempfile
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Empty

import nbformat
from nbformat import NotebookNode

from helpers import course
from helpers.exercises import find, has_dots
from helpers.publish import address as places
from helpers.session import COURSE_ROOT
from helpers.session import _silenced_stderr as silenced_stderr

# What a class gets; anything else in the course's folder might hold the solutions.
COPIED = ("LICENSE", "README.md", "data", "helpers", "pyproject.toml", "requirements.txt")
COPIED += (".binder", ".devcontainer", ".gitignore")
NOT_COPIED = (
    ".ipynb_checkpoints",
    "__pycache__",
    "classroom.py",
    "instructors.py",
    "references.py",
)
MODULE = '''\
"""The references of a class copy: out of sight, not secret."""

import base64
import zlib

PACKED = {packed}


def hidden(exercise_id, namespace):
    """Run a reference in the notebook's namespace and return it."""
    code, name = zlib.decompress(base64.b85decode(PACKED[exercise_id])).decode().split("\\0")
    exec(compile(code, f"<reference {{exercise_id}}>", "exec"), namespace)
    return eval(name, namespace)
'''
ID = re.compile(r"\d\d\.[a-z]")
SECONDS = 60  # for an answer
LARGEST = 50_000_000  # bytes of a notebook


# --- Copy --------------------------------------------------------------------------------------


def copy(folder: Path, repository: str = "") -> Iterator[str]:
    """Write the course without its solutions into a new folder; yield what was done.

    Args:
        folder: Where to; it must not exist yet.
        repository: Address on GitHub under which the copy will be published. Without one the copy
            has no badges and no links of that kind: they lead to the lessons with their solutions.

    Raises:
        FileExistsError: The folder is there already.
        ValueError: The address is not on GitHub, or a lesson is not as it should be: a solution of
            another form, or an exercise that is filled in. Nothing has been written then.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} is there already; name a new folder")
    if repository:
        repository = f"https://github.com/{places.parse(repository)}"
    lessons, packed, said = {}, {}, []
    for notebook in course.lessons():
        if not re.fullmatch(r"\w+\.ipynb", notebook.name):
            continue  # 00_start_here-Copy1.ipynb is somebody's own
        lesson = nbformat.read(notebook, as_version=4)
        try:
            found = without_solutions(lesson)
        except ValueError as problem:
            raise ValueError(f"{notebook.name}: {problem}") from None
        if not repository:
            shared = set(course.template(notebook))
            lesson.cells = [c for c in lesson.cells if not shared & set(course.tags(c))]
        lessons[notebook.name] = lesson
        packed |= found
        said.append(f"{notebook.name}: {len(found)} solutions out of sight")
    inside = folder.resolve()
    ignore = shutil.ignore_patterns(*NOT_COPIED)

    def left_out(where: str, names: list[str]) -> set[str]:
        itself = {n for n in names if Path(where, n).resolve() == inside}
        return set(ignore(where, names)) | itself

    (folder / "notebooks").mkdir(parents=True)
    for name in COPIED:
        if (COURSE_ROOT / name).is_dir():
            shutil.copytree(
                COURSE_ROOT / name, folder / name, ignore=left_out, ignore_dangling_symlinks=True
            )
        elif (COURSE_ROOT / name).is_file():
            shutil.copy(COURSE_ROOT / name, folder / name)
    shutil.copy(course.NOTEBOOKS / "GLOSSARY.md", folder / "notebooks")
    for name, lesson in lessons.items():
        nbformat.write(lesson, folder / "notebooks" / name)
    text = "{\n" + "".join(f"    {k!r}: {v!r},\n" for k, v in packed.items()) + "}"
    module = folder / "helpers" / "exercises" / "references.py"
    module.write_text(MODULE.format(packed=text), encoding="utf-8")
    readme = folder / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(readme_of_a_copy(text, bool(repository)), encoding="utf-8")
    if repository:
        places.fork(folder, course.address(), repository, None)
    yield from said
    yield f"The copy is in {folder}. It has helpers of its own: to try it, install it first."


def readme_of_a_copy(text: str, published: bool) -> str:
    """Return the README without what the copy lacks, and where it is not published without links.

    Tests, pages and slides stay behind; an unpublished copy cannot be opened from Colab.
    """
    text = re.sub(r"(?ms)^\*\*Test\.\*\*.*?(?=^## )", "", text)
    text = re.sub(r"(?ms)^## Behind the lessons$.*?(?=^## |\Z)", "", text)
    text = re.sub(r"(?m)^\| It worked last year\? \|.*\n", "", text)
    if published:
        return text
    text = re.sub(r"(?ms)^## Other doors$.*?(?=^## |\Z)", "", text)
    here = "Open a terminal in this folder"
    text = re.sub(r"(?s)Download the course \(.*?\), open a terminal in its folder", here, text)
    repository = re.escape(course.address()["repository"].rstrip("/"))
    return re.sub(rf"\[([^\]]+)\]\({repository}[^)]*\)", r"\1", text)


def without_solutions(lesson: NotebookNode) -> dict[str, str]:
    """Take solutions and outputs out of a lesson; return the packed references by exercise.

    Raises:
        ValueError: A solution cell has another form, or an exercise is filled in.
    """
    packed = {}
    for cell in lesson.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = [], None
        if "exercise" in course.tags(cell) and not has_dots(ast.parse(cell.source)):
            raise ValueError(f"this exercise is filled in; bring its dots back:\n{cell.source}")
        if "solution" in course.tags(cell):
            exercise_id, cell.source, secret = hide(cell.source)
            packed[exercise_id] = base64.b85encode(zlib.compress(secret.encode(), 9)).decode()
            cell.metadata = NotebookNode(tags=["solution"])
    lesson.metadata.pop("course", None)
    return packed


def hide(source: str) -> tuple[str, str, str]:
    """Split a solution cell.

    Returns:
        The exercise's id, the line that stays, and what is hidden: the code of the reference,
        a null character, and the expression that is the reference.

    Raises:
        ValueError: The cell does not end in ``name = adopt(id, name, reference)``.
    """
    tree = ast.parse(source)
    last = tree.body[-1]
    call = last.value if isinstance(last, ast.Assign) else None
    if not (isinstance(call, ast.Call) and getattr(call.func, "id", "") == "adopt"):
        raise ValueError(f"this solution does not end in adopt(...):\n{source}")
    exercise_id, mine, reference = call.args
    target, answer = ast.unparse(last.targets[0]), ast.unparse(mine)
    code = ast.unparse(ast.Module(tree.body[:-1], []))
    stays = (
        "# Goes on with your answer if it passes, else with one that is not shown here.\n"
        "from helpers.exercises.references import hidden\n\n"
        f'{target} = adopt("{exercise_id.value}", {answer}, '
        f'hidden("{exercise_id.value}", globals()))'
    )
    return exercise_id.value, stays, f"{code}\0{ast.unparse(reference)}"


# --- Find what an answer needs -----------------------------------------------------------------

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


# --- Run ---------------------------------------------------------------------------------------

# What a kernel runs before any answer: no output to flood us with, no connection to other machines
# (what does not ask Python is sent to a dead proxy), no more memory than a lesson may take.
PREPARED = """\
import os, socket, sys
sys.stdout = sys.stderr = open(os.devnull, "w")
for number in (1, 2):
    os.dup2(sys.stdout.fileno(), number)
def refuse(self, address, connect=socket.socket.connect):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError("no network while answers are gathered")
    return connect(self, address)
socket.socket.connect = refuse
try:
    import resource
    resource.setrlimit(resource.RLIMIT_DATA, ({memory}, {memory}))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**30, 2**30))
except (ImportError, ValueError, OSError):
    pass
import helpers.exercises
helpers.exercises.find({exercise_id!r})
"""
MEMORY = 6 * 2**30  # bytes; TensorFlow asks for more than it uses
START_SECONDS = 300  # of ours, not of the learner's
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Outcome:
    """What became of an answer: "passed", "wrong", "untouched" or "not run", and why."""

    exercise_id: str
    status: str
    code: str = ""
    sentence: str = ""


class Room:
    """A kernel for one learner's answers, started when first needed and again after it died."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.manager = self.client = None
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)

    def __enter__(self) -> Room:
        return self

    def __exit__(self, *problem: object) -> None:
        self._stop()
        self.folder.cleanup()

    def judge(self, answer: Answer) -> Outcome:
        """Run an answer and its check."""
        if answer.problem:
            return Outcome(answer.exercise_id, "not run", sentence=answer.problem)
        module = "import helpers.exercises as _exercises"
        result = f"_exercises.evaluate({answer.exercise_id!r}, {answer.expression})"
        ask = f"(lambda r: __import__('json').dumps([r.status, r.code, r.sentence]))({result})"
        try:
            if self.client is None:
                self._start(answer.exercise_id)
            self._run("%reset -f", self.seconds)  # what another answer defined is not there now
            self._run(answer.code, self.seconds)
            value = self._run(module, self.seconds, {"result": ask})["result"]
            status, code, sentence = json.loads(ast.literal_eval(value))
            return Outcome(answer.exercise_id, status, code, sentence)
        except Stopped as problem:
            return Outcome(answer.exercise_id, "not run", sentence=str(problem))

    def _run(self, code: str, seconds: float, ask: dict[str, str] | None = None) -> dict[str, str]:
        """Execute code; return the values that were asked for, as text.

        Raises:
            Stopped: It raised, took too long, or ended the kernel.
        """
        message = self.client.execute(
            code, user_expressions=ask or {}, allow_stdin=False, store_history=False
        )
        deadline = time.monotonic() + seconds
        while True:
            try:
                reply = self.client.get_shell_msg(timeout=0.5)
                if reply["parent_header"].get("msg_id") == message:
                    break
            except Empty:
                if not self.manager.is_alive():
                    self._stop()
                    raise Stopped("it ended the kernel, or took too much memory") from None
            if time.monotonic() > deadline:
                self._stop()
                raise Stopped(f"still running after {seconds:.0f} s")
        content = reply["content"]
        for problem in [content, *content.get("user_expressions", {}).values()]:
            if problem["status"] == "error":
                raise Stopped(f"{problem['ename']}: {problem['evalue']}"[:200])
            if problem["status"] != "ok":
                raise Stopped("it was aborted")
        return {k: v["data"]["text/plain"] for k, v in content["user_expressions"].items()}

    def _start(self, exercise_id: str) -> None:
        """Start a kernel in which this exercise can be checked.

        Raises:
            RuntimeError: It does not start; that is no fault of the answer.
        """
        from jupyter_client.kernelspec import KernelSpecManager
        from jupyter_client.manager import KernelManager

        own = ("TOKEN", "KEY", "SECRET", "PASSWORD")
        environment = {k: v for k, v in os.environ.items() if not any(w in k.upper() for w in own)}
        for name in ("COURSE_HOME", "IPYTHONDIR"):
            environment[name] = self.folder.name
        # Without graphics cards, whose drivers ask for more memory than the limit.
        environment |= {"MPLBACKEND": "agg", "CUDA_VISIBLE_DEVICES": "-1"}
        environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
        environment["PYTHONPATH"] = str(COURSE_ROOT)
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            environment |= {name: NOWHERE, name.upper(): NOWHERE}
        # Without folders to search, the kernel is this Python, whatever else is installed.
        specs = KernelSpecManager(kernel_dirs=[])
        self.manager = KernelManager(kernel_name="python3", kernel_spec_manager=specs)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.manager.start_kernel(env=environment, cwd=self.folder.name, **quiet)
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        try:
            self.client.wait_for_ready(timeout=START_SECONDS)
            self._run(PREPARED.format(memory=MEMORY, exercise_id=exercise_id), START_SECONDS)
        except (RuntimeError, Stopped) as problem:
            self._stop()
            raise RuntimeError(f"the kernel did not start: {problem}") from None

    def _stop(self) -> None:
        """End the kernel and, where processes have groups, what it has started."""
        if self.client is None:
            return
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.client = self.manager = None


# --- Gather ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Handed:
    """One file that was handed in: its outcomes, or what is wrong with it."""

    file: Path
    outcomes: tuple[Outcome, ...] = ()
    problem: str = ""


def gather(folder: Path, seconds: float = SECONDS, jobs: int = 2) -> Iterator[Handed]:
    """Judge all notebooks below a folder, one after the other.

    Args:
        folder: With the learners' notebooks, in any subfolders and under any names. Folders and
            files whose names begin with a dot are left out: they hold autosaves and the like.
        seconds: Limit for each answer.
        jobs: How many kernels at a time.
    """
    files = [
        file
        for file in sorted(folder.rglob("*.ipynb"))
        if file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda file: judge(file, seconds), files)


def judge(file: Path, seconds: float = SECONDS) -> Handed:
    """Judge one notebook. Never raises for what is in the file."""
    try:
        if file.stat().st_size > LARGEST:
            return Handed(file, problem=f"is larger than {LARGEST / 1e6:.0f} MB")
        # Some editors put a mark at the beginning, which JSON does not allow.
        lesson = nbformat.reads(file.read_text(encoding="utf-8-sig"), as_version=4)
        found = [answer for answer in answers(lesson) if _is_known(answer.exercise_id)]
    except Exception as problem:  # whatever a file holds, the others are still read
        return Handed(file, problem=f"is not a notebook ({type(problem).__name__})")
    if not found:
        return Handed(file, problem="has no check(...) of an exercise")
    outcomes = []
    with Room(seconds) as room:
        for answer in found:
            try:
                outcomes.append(room.judge(answer))
            except Exception as problem:  # a kernel that does not start, say
                says = f"{type(problem).__name__}: {problem}"[:200]
                outcomes.append(Outcome(answer.exercise_id, "not run", sentence=says))
    known = {outcome.exercise_id for outcome in outcomes}
    for exercise_id in _exercises_of({name[:2] for name in known}) - known:
        outcomes.append(Outcome(exercise_id, "not run", sentence="no cell checks it"))
    return Handed(file, tuple(sorted(outcomes, key=lambda outcome: outcome.exercise_id)))


def _is_known(exercise_id: str) -> bool:
    with contextlib.suppress(KeyError):
        find(exercise_id)
        return True
    return False


def _exercises_of(lessons: set[str]) -> set[str]:
    """All exercises of these lessons, each of which has some."""
    modules = [importlib.import_module(f"helpers.exercises.lesson_{lesson}") for lesson in lessons]
    return set().union(*(module.EXERCISES for module in modules))


def report(handed: list[Handed], folder: Path) -> str:
    """Say per exercise how many passed and which wrong answers were given, and what did not run."""
    lines = [f"{len(handed)} notebook{'s' * (len(handed) != 1)} in {folder}"]
    by_exercise: dict[str, list[tuple[Path, Outcome]]] = {}
    for item in handed:
        for outcome in item.outcomes:
            by_exercise.setdefault(outcome.exercise_id, []).append((item.file, outcome))
    for exercise_id, pairs in sorted(by_exercise.items()):
        counts = Counter(outcome.status for _, outcome in pairs)
        shown = ", ".join(
            f"{counts[status]} {word}"
            for status, word in (
                ("passed", f"of {len(pairs)} passed"),
                ("wrong", "wrong"),
                ("untouched", "not attempted"),
                ("not run", "could not be run"),
            )
            if counts[status] or status == "passed"
        )
        lines += ["", f"{exercise_id} · {find(exercise_id).title}: {shown}"]
        # A hint tells the mistake by its code; what was raised, only by its sentence.
        mistakes: dict[tuple[str, str], list[str]] = {}
        for _, outcome in pairs:
            if outcome.status == "wrong":
                differs = outcome.sentence if outcome.code == "raises" else ""
                mistakes.setdefault((outcome.code, differs), []).append(outcome.sentence)
        for (code, _), said in sorted(mistakes.items(), key=lambda item: -len(item[1])):
            lines.append(f"  {len(said)} × {code}: {said[0]}")
        lines += [
            f"  {file.relative_to(folder)}: {outcome.sentence}"
            for file, outcome in pairs
            if outcome.status == "not run"
        ]
    broken = [item for item in handed if item.problem]
    if broken:
        lines += ["", "Not read:"]
        lines += [f"  {item.file.relative_to(folder)} {item.problem}" for item in broken]
    return "\n".join(map(_printable, lines + on_the_way(folder)))


def _printable(line: str) -> str:
    """A line without what would move the cursor, colour the terminal or be no text at all."""
    return "".join(letter if letter.isprintable() else " " for letter in line)


def on_the_way(folder: Path) -> list[str]:
    """Count the hints in progress files that were handed in too: also of mistakes since mended."""
    hints: Counter[tuple[str, str]] = Counter()
    for file in sorted(folder.rglob("progress.json")):
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
            for exercise_id, entry in record.items():
                for code, count in entry["hints"].items():
                    hints[str(exercise_id), str(code)] += int(count)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    if not hints:
        return []
    lines = [f"  {e}: {count} × {code}" for (e, code), count in sorted(hints.items())]
    return ["", "Hints given on the way, from the progress files:", *lines]


def main(arguments: list[str] | None = None) -> None:
    """Run one of the commands; see the top of this file."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.classroom",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("copy")
    making.add_argument("folder", type=Path)
    making.add_argument("--repository", default="", help="where the copy will be published")
    gathering = commands.add_parser("gather")
    gathering.add_argument("folder", type=Path)
    gathering.add_argument("--seconds", type=float, default=SECONDS, help="limit for an answer")
    gathering.add_argument("--jobs", type=int, default=2, help="kernels at a time")
    chosen = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):  # a learner's file name may be no text
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")
    # What nbformat and Python remark on learners' files is of no use to whoever reads the report.
    logging.getLogger("traitlets").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    if chosen.command == "copy":
        try:
            for line in copy(chosen.folder, chosen.repository):
                print(line)
        except (FileExistsError, ValueError) as problem:
            sys.exit(f"copy: {problem}")
    else:
        if not chosen.folder.is_dir():
            sys.exit(f"there is no folder {chosen.folder}")
        with silenced_stderr():  # most checks import it, and it talks when it starts
            importlib.import_module("keras")
        handed = []
        for item in gather(chosen.folder, chosen.seconds, chosen.jobs):
            handed.append(item)
            name = _printable(str(item.file.relative_to(chosen.folder)))
            print(f"{len(handed)}: {name}", file=sys.stderr, flush=True)
        print(report(handed, chosen.folder))


if __name__ == "__main__":
    main()
