"""Make a notebook's file depend on nothing but its cells and their results.

This certifies nothing: whether outputs are fresh is known only from a run (`tools.execution`).
"""

from __future__ import annotations

import base64
import copy
import hashlib
import io
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from helpers.files import whole
from tools import lessons, template
from tools.template import Stale

TENSORBOARD_NOTE = "TensorBoard opens here when you run this cell.\n"


def normalise(content: NotebookNode) -> None:
    """Give cells stable ids, and drop from outputs what changes from run to run; in place.

    The certificate of the last run stays as it is.

    Raises:
        Stale: A cell wrote on stderr, which readers would see in red.
    """
    used: set[str] = set()
    for cell in content.cells:
        cell.id = stable_id(cell, used)
        for key in ("execution", "collapsed", "scrolled", "id"):
            cell.metadata.pop(key, None)
        if cell.cell_type != "code":
            continue
        outputs = []
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                raise Stale(f"this cell wrote on stderr:\n{cell.source}\n---\n{output.text}")
            output = _without_noise(output)
            last = outputs[-1] if outputs else None
            if last and output.output_type == last.output_type == "stream":
                last.text += output.text
            else:
                outputs.append(output)
        for output in outputs:
            if (
                output.output_type == "stream"
            ):  # as a terminal shows it: what a \r overwrites is gone
                output.text = re.sub(r"[^\n]*\r(?!\n)", "", output.text)
        cell.outputs = [
            output for output in outputs if output.output_type != "stream" or output.text
        ]
    certificate = content.metadata.get("course")
    content.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
    )
    if certificate:
        content.metadata.course = certificate
    content.nbformat, content.nbformat_minor = 4, 5


def tidy(notebook: Path) -> bool:
    """Redo ids and format of a lesson after an edit, without a run; return whether it changed.

    Raises:
        Stale: As `normalise` does. The file is as it was then.
    """
    content = copy.deepcopy(lessons.read(notebook))
    normalise(content)
    text = nbformat.writes(content) + "\n"
    if text == notebook.read_text(encoding="utf-8"):
        return False
    with whole(notebook) as draft:
        draft.write_text(text, encoding="utf-8", newline="\n")
    return True


def stable_id(cell: NotebookNode, used: set[str]) -> str:
    """An id made from the cell's source, so that an unchanged cell keeps it.

    A cell of the template keeps its id also in a fork, where the address in it is another.
    """
    source = template.shared_tag(cell) or cell.source
    name = hashlib.sha256(f"{cell.cell_type}{source}".encode()).hexdigest()[:8]
    while name in used:
        name = hashlib.sha256(name.encode()).hexdigest()[:8]
    used.add(name)
    return name


def _without_noise(output: NotebookNode) -> NotebookNode:
    """Shrink pictures, and replace what only works while this kernel lives."""
    data = output.get("data", {})
    if "tensorboard-frame" in str(data.get("text/html", "")):
        return nbformat.v4.new_output("stream", name="stdout", text=TENSORBOARD_NOTE)
    if output.output_type == "stream" and "TensorBoard" in output.text and "pid" in output.text:
        output.text = ""
    if "image/png" in data:
        data["image/png"] = base64.b64encode(_smaller(base64.b64decode(data["image/png"]))).decode()
    return output


def _smaller(png: bytes) -> bytes:
    """Reduce a picture to 256 colours where that makes the file much smaller."""
    from PIL import Image

    out = io.BytesIO()
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(out, "PNG", optimize=True)
    return out.getvalue() if len(out.getvalue()) < 0.7 * len(png) else png
