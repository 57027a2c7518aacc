"""A copy of the course for a class: without its solutions, tools, tests and git's history.

In the copy a solution cell holds one line, which adopts a reference that is not shown, so Run
All still reaches the end. The references lie packed in `helpers/exercises/references.py`: out of
sight, not secret.

The command is ``python -m tools copy FOLDER [--repository ADDRESS]``; `run` is all of it but the
parsing.
"""

from __future__ import annotations

import ast
import base64
import re
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from helpers.exercises import has_dots
from tools import lessons, template
from tools.publish import address as places

# What a class gets; anything else in the course's folder might hold the solutions: tools and tests
# have right answers, and the instructors' guide says what is wrong with the others.
COPIED = ("LICENSE", "README.md", "data", "helpers", "pyproject.toml", "requirements.txt")
COPIED += (".binder", ".devcontainer", ".gitignore")
NOT_COPIED = (".ipynb_checkpoints", "__pycache__", "references.py")
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


def run(folder: Path, repository: str = "") -> Iterator[str]:
    """Make a copy as `copy` does; yield what there is to print.

    Raises:
        SystemExit: It cannot be made; the message says why.
    """
    try:
        yield from copy(folder, repository)
    except (FileExistsError, ValueError, template.Stale) as problem:
        raise SystemExit(f"copy: {problem}") from None


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
    own = places.target(repository, places.address()) if repository else None
    made, packed, said = {}, {}, []
    for notebook in lessons.lessons():
        if not re.fullmatch(r"\w+\.ipynb", notebook.name):
            continue  # 00_start_here-Copy1.ipynb is somebody's own
        lesson = nbformat.read(notebook, as_version=4)
        try:
            found = without_solutions(lesson)
        except ValueError as problem:
            raise ValueError(f"{notebook.name}: {problem}") from None
        if own:
            template.fill(lesson, notebook, own)
            for cell in lesson.cells:
                cell.source = cell.source.replace("=lab/tree/my/", "=lab/tree/notebooks/")
        else:
            lesson.cells = [cell for cell in lesson.cells if not template.shared_tag(cell)]
        made[notebook.name] = lesson
        packed |= found
        said.append(f"{notebook.name}: {len(found)} solutions out of sight")
    inside = folder.resolve()
    ignore = shutil.ignore_patterns(*NOT_COPIED)

    def left_out(where: str, names: list[str]) -> set[str]:
        itself = {n for n in names if Path(where, n).resolve() == inside}
        return set(ignore(where, names)) | itself

    (folder / "notebooks").mkdir(parents=True)
    for name in COPIED:
        if (lessons.COURSE_ROOT / name).is_dir():
            shutil.copytree(
                lessons.COURSE_ROOT / name,
                folder / name,
                ignore=left_out,
                ignore_dangling_symlinks=True,
            )
        elif (lessons.COURSE_ROOT / name).is_file():
            shutil.copy(lessons.COURSE_ROOT / name, folder / name)
    shutil.copy(lessons.NOTEBOOKS / "GLOSSARY.md", folder / "notebooks")
    for name, lesson in made.items():
        nbformat.write(lesson, folder / "notebooks" / name)
    text = "{\n" + "".join(f"    {k!r}: {v!r},\n" for k, v in packed.items()) + "}"
    module = folder / "helpers" / "exercises" / "references.py"
    module.write_text(MODULE.format(packed=text), encoding="utf-8")
    # Its lessons have no outputs, and are the learner's own as they are: nobody runs `learn`.
    container = folder / ".devcontainer" / "devcontainer.json"
    text = re.sub(r" && \S+ -m tools learn --no-lab", "", container.read_text(encoding="utf-8"))
    container.write_text(text.replace('"my/', '"notebooks/'), encoding="utf-8")
    build = folder / ".binder" / "postBuild"
    build.write_text(
        re.sub(r"# As on .*\n.* -m tools learn .*\n", "", build.read_text(encoding="utf-8")),
        encoding="utf-8",
    )
    readme = folder / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(readme_of_a_copy(text, bool(own)), encoding="utf-8")
    if own:
        places.fork(folder, places.address(), repository, None)
    yield from said
    yield f"The copy is in {folder}. It has helpers of its own: to try it, install it first."


def readme_of_a_copy(text: str, published: bool) -> str:
    """Return the README without what the copy lacks, and where it is not published without links.

    Tests, pages and slides stay behind; an unpublished copy cannot be opened from Colab.
    """
    text = re.sub(r"(?ms)^\*\*Test\.\*\*.*?(?=^## )", "", text)
    text = re.sub(r"(?ms)^## Behind the lessons$.*?(?=^## |\Z)", "", text)
    text = re.sub(r"(?m)^\| (?:It worked last year|The next time|Newer lessons)\? \|.*\n", "", text)
    text = text.replace(", as a copy of your own in `my/`", "")
    text = text.replace("=lab/tree/my/", "=lab/tree/notebooks/")
    lab = "jupyter lab --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb"
    text = text.replace("/python -m tools learn\n", f"/{lab}\n")
    if published:
        return text
    text = re.sub(r"(?ms)^## Other doors$.*?(?=^## |\Z)", "", text)
    text = places.ONLY_WITHOUT_ADDRESS.sub("", text)
    here = "Open a terminal in this folder"
    text = re.sub(r"(?s)Download the course \(.*?\), open a terminal in its folder", here, text)
    repository = re.escape(places.address()["repository"].rstrip("/"))
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
        if "exercise" in lessons.tags(cell) and not has_dots(ast.parse(cell.source)):
            raise ValueError(f"this exercise is filled in; bring its dots back:\n{cell.source}")
        if "solution" in lessons.tags(cell):
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
