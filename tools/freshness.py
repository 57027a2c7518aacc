"""Freshness: whether a lesson's stored outputs are what a run would give now, and if not, why.

Outputs depend on the code cells, on the helpers and data that the run really used (it says which,
see `tools.execution`), on the record of the lesson's own claims and on the run-time requirements.
A hash of each is stored in the notebook's metadata, so that what has changed since can be named.
Prose, comments and docstrings, other lessons' helpers, tests and publishing cost nothing.
"""

from __future__ import annotations

import ast
import difflib
import functools
import hashlib
import io
import json
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbformat import NotebookNode

from helpers import claims
from tools import lessons, template

NEVER = "never executed by `python -m tools refresh`"
# Requirements under these headings of requirements.txt are not needed to run a lesson.
NOT_AT_RUN_TIME = ("How it is tested", "How it is published")


def is_fresh(notebook: Path) -> bool:
    """Whether a lesson's stored outputs come from its present cells, helpers and data."""
    return not why_stale(notebook)


def why_stale(notebook: Path) -> list[str]:
    """Return what has changed since a lesson was executed; nothing if it is fresh.

    Args:
        notebook: The lesson's file.

    Returns:
        Files below the course's folder (``"helpers/plots/graph.py"``), cells (``"code cell 14"``,
        counted as JupyterLab counts them after Run All) and other parts, in words.
    """
    content = lessons.read(notebook)
    stored = content.metadata.get("course", {})
    return list(differences(stored, now(content, stored))) if "cells" in stored else [NEVER]


def silent(notebook: Path) -> dict[str, float]:
    """Return the code cells that showed nothing for long when a lesson was refreshed, in seconds.

    Only silences longer than `tools.execution.SILENT_SECONDS` are recorded, by the cell's number.
    """
    return dict(lessons.read(notebook).metadata.get("course", {}).get("silent", {}))


def fingerprint(content: NotebookNode) -> str:
    """Return a hash of all that a lesson's outputs depend on, as it is now.

    The helpers and data are those that its last run has used. A lesson that was never executed
    might use any, so all of them count.
    """
    stored = content.metadata.get("course", {})
    if "cells" not in stored:
        folder = lessons.COURSE_ROOT / "helpers"
        files = (file.relative_to(folder) for file in folder.rglob("*.py"))
        helpers = [f.as_posix() for f in files if ".ipynb_checkpoints" not in f.parts]
        stored = {"helpers": helpers, "data": _checksums()}
    return now(content, stored)["fresh"]


def now(content: NotebookNode, used: dict[str, Iterable[str]]) -> dict:
    """Return the certificate that a lesson would get if it were executed now.

    Args:
        content: The lesson.
        used: What a run of it has used: names of files in helpers/ under ``"helpers"``, and under
            ``"data"`` of entries in data/checksums.sha256 and of other files in data/.

    Returns:
        Hashes of the parts, and under ``"fresh"`` that of all.
    """
    parts = {
        "cells": [short_hash(code, 8) for code in _cells(content)],
        "helpers": {name: _of_helper(name) for name in sorted(used["helpers"])},
        "data": {name: _of_data(name) for name in sorted(used["data"])},
        "claims": short_hash(json.dumps(_record_of(content), sort_keys=True)),
        "requirements": short_hash("\n".join(run_time_requirements())),
    }
    return {"fresh": short_hash(json.dumps(parts, sort_keys=True), 64), **parts}


def differences(old: dict, new: dict) -> Iterator[str]:
    """Name the parts in which two certificates of a lesson differ."""
    if old | new == old:  # the old one may also say which cells were silent for long
        return
    for part in ("helpers", "data"):
        for name in new[part]:
            if old[part].get(name) != new[part][name]:
                yield f"{part}/{name}"
    matcher = difflib.SequenceMatcher(None, old["cells"], new["cells"], autojunk=False)
    for kind, was, was_end, begin, end in matcher.get_opcodes():
        if kind != "equal":
            yield from (f"code cell {number + 1}" for number in range(begin, end))
            if (gone := (was_end - was) - (end - begin)) > 0:
                yield f"{gone} code cell{'s' * (gone > 1)} gone after code cell {end}"
    if old["claims"] != new["claims"]:
        yield "the record of its claims"
    if old["requirements"] != new["requirements"]:
        yield "requirements.txt"
    if all(old[part] == new[part] for part in new.keys() - {"fresh"}):
        yield "its certificate, which was edited by hand"


def code_of(file: Path) -> str:
    """Return a Python file's text without comments, docstrings and blank lines.

    They are cut out by their position, and what is left is not formatted anew: every version of
    Python gives the same text, with the line ends of Windows too. Nothing within other strings
    changes. As docstrings count all strings that stand alone, such as those below a constant.

    Raises:
        OSError: The file cannot be read.
        SyntaxError: It is not Python; some releases raise `tokenize.TokenError` instead.
    """
    text = file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    rows = text.split("\n")
    cuts, opened = [], []
    inside = set()  # numbers of the rows that end within a string, where blanks have a meaning
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        if kind == "COMMENT":
            cuts.append((token.start, token.end))
        elif kind.endswith("STRING_START"):  # since Python 3.12 an f-string is several tokens
            opened.append(token.start[0])
        elif kind.endswith("STRING_END"):
            inside.update(range(opened.pop(), token.end[0]))
        elif kind == "STRING":
            inside.update(range(token.start[0], token.end[0]))
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                begin = (node.lineno, _characters(rows[node.lineno - 1], node.col_offset))
                end = (node.end_lineno, _characters(rows[node.end_lineno - 1], node.end_col_offset))
                cuts.append((begin, end))
                inside.difference_update(range(begin[0], end[0]))
    for (row, column), (last, end) in sorted(cuts, reverse=True):
        rest = rows[last - 1][end:]
        rows[row - 1 : last] = [rows[row - 1][:column].rstrip() + rest, *[""] * (last - row)]
    kept = [row if number in inside else row.rstrip() for number, row in enumerate(rows, 1)]
    # The row after one that ends within a string begins within it.
    return "\n".join(row for number, row in enumerate(kept, 1) if row or number in inside)


def _characters(row: str, count: int) -> int:
    """How many characters the first bytes of a row are: `ast` counts bytes."""
    return len(row.encode()[:count].decode())


def run_time_requirements() -> list[str]:
    """Return names and version ranges of what a lesson needs to run, in alphabetical order."""
    found, section = [], ""
    file = lessons.COURSE_ROOT / "requirements.txt"
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        if line.startswith("#"):
            section = line.lstrip("# ")
            continue
        name = re.sub(r"\s+", "", re.sub(r"(^|\s)#.*", "", line))
        if name and name != "-e." and not section.startswith(NOT_AT_RUN_TIME):
            found.append(name)
    return sorted(found)


def data_name(file: Path) -> str | None:
    """Return under which name a file or folder below data/ counts; None if it does not.

    That is its entry in data/checksums.sha256, or the manifest that has the checksums of all files
    of its folder, or for a file that has neither, its own path.
    """
    data = lessons.COURSE_ROOT / "data"
    name = file.relative_to(data).as_posix()
    entries = _checksums()
    if name in entries:
        return name
    manifest = f"{name.split('/')[0]}/manifest.csv"
    if manifest in entries:
        return manifest
    # Of the record a lesson's own claims count, and the checksums one by one.
    if file in (claims.RECORD, data / "checksums.sha256") or not file.is_file():
        return None
    return None if {".ipynb_checkpoints", "__pycache__"} & set(file.parts) else name


def code_hash(file: Path) -> str:
    """Return a short hash of a Python file's code, computed once as long as the file is the same.

    Raises:
        OSError: The file cannot be read.
    """
    state = file.stat()
    return _code_hash(file, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=256)
def _code_hash(file: Path, _changed: int, _size: int) -> str:
    try:
        return short_hash(code_of(file))
    except (SyntaxError, ValueError, tokenize.TokenError):  # half-way through an edit
        return short_hash(file.read_bytes())


def short_hash(what: str | bytes, digits: int = 12) -> str:
    """Return the first hexadecimal digits of the SHA-256 of a text or of bytes."""
    data = what.encode() if isinstance(what, str) else what
    return hashlib.sha256(data).hexdigest()[:digits]


def _cells(content: NotebookNode) -> Iterator[str]:
    """Yield the source and tags of each code cell; of a cell of the template only its tag.

    A fork points the template's cells to another address, which changes no output.
    """
    for cell in content.cells:
        if cell.cell_type == "code":
            source = template.shared_tag(cell) or cell.source
            yield "\n".join([source, *sorted(lessons.tags(cell))])


def _record_of(content: NotebookNode) -> dict[str, dict]:
    """Return the recorded spread of a lesson's own claims; its number stands in its title."""
    title = re.match(r"# (\d\d) ", content.cells[0].source if content.cells else "")
    if title is None or not claims.RECORD.is_file():
        return {}
    record = json.loads(claims.RECORD.read_text(encoding="utf-8"))
    return {name: entry for name, entry in record.items() if name.startswith(f"{title[1]}.")}


def _checksums() -> dict[str, str]:
    """Return the recorded digest of each bundled file, by its path below data/."""
    file = lessons.COURSE_ROOT / "data" / "checksums.sha256"
    if not file.is_file():
        return {}
    pairs = (line.split(maxsplit=1) for line in file.read_text(encoding="utf-8").splitlines())
    return {name.strip(): recorded for recorded, name in pairs}


def _of_helper(name: str) -> str:
    """The hash of a helper's code; empty if the file is gone."""
    file = lessons.COURSE_ROOT / "helpers" / name
    return code_hash(file) if file.is_file() else ""


def _of_data(name: str) -> str:
    """The hash of a data file, from its recorded checksum if it has one; empty if it is gone."""
    if recorded := _checksums().get(name):
        return recorded[:12]
    file = lessons.COURSE_ROOT / "data" / name
    return short_hash(file.read_bytes().replace(b"\r\n", b"\n")) if file.is_file() else ""
