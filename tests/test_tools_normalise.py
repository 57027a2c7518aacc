"""Normalising: a notebook's file depends on its cells and their results, and on nothing else."""

from __future__ import annotations

import base64
import copy
import io
import json
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from PIL import Image
from small_course import lesson

from tools import freshness
from tools import normalise as normalising
from tools.normalise import normalise, tidy
from tools.template import Stale, stamp

pytestmark = pytest.mark.usefixtures("course")


def png(colours: int) -> str:
    pixels = np.random.default_rng(0).integers(0, colours, (120, 120, 3)).astype("uint8")
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def test_what_changes_from_run_to_run_is_removed() -> None:
    cell = new_code_cell(
        "1",
        outputs=[new_output("stream", text="a\n"), new_output("stream", text="b\n")],
        metadata={"execution": {"iopub.execute_input": "2026-11-22"}, "tags": ["kept"]},
    )
    content = lesson(cell)
    content.metadata.widgets = {"state": {}}
    content.metadata.language_info = {"name": "python", "version": "3.11.7"}
    content.metadata.course = {"fresh": "as its last run has left it"}
    normalise(content)
    assert cell.metadata == {"tags": ["kept"]}
    assert [output.text for output in cell.outputs] == ["a\nb\n"]  # however it was cut in pieces
    assert set(content.metadata) == {"kernelspec", "language_info", "course"}
    assert content.metadata.course == {"fresh": "as its last run has left it"}
    assert "2026" not in json.dumps(content)
    assert "3.11" not in json.dumps(content)


def test_of_a_progress_line_only_what_a_terminal_leaves_is_kept() -> None:
    pieces = [
        "before\n",
        "\rfeatures:  50% ",
        "\rfeatures: 100% ",
        "\r" + 20 * " " + "\r",
        "after\n",
    ]
    cell = new_code_cell("1", outputs=[new_output("stream", text=piece) for piece in pieces])
    alone = new_code_cell("2", outputs=[new_output("stream", text=piece) for piece in pieces[1:4]])
    normalise(lesson(cell, alone))
    assert [output.text for output in cell.outputs] == ["before\nafter\n"]
    assert alone.outputs == []


def test_ids_come_from_sources_and_are_unique() -> None:
    one, other = lesson(new_code_cell("1"), new_code_cell("1")), lesson(new_code_cell("1"))
    normalise(one)
    normalise(other)
    ids = [cell.id for cell in one.cells]
    assert len(set(ids)) == len(ids)
    assert ids[:4] == [cell.id for cell in other.cells]
    one.cells.insert(1, new_markdown_cell("new"))
    normalise(one)
    assert [cell.id for cell in one.cells if cell.source != "new"] == ids


def test_cells_of_the_template_keep_their_ids_in_a_fork(path: Path, course: Path) -> None:
    stamp(path)
    here = nbformat.read(path, as_version=4)
    normalise(here)
    fork = copy.deepcopy(here)
    fork.cells[1].source = fork.cells[1].source.replace("someone", "school")
    fork.cells[2].source = fork.cells[2].source.replace("someone", "school")
    normalise(fork)
    assert [cell.id for cell in fork.cells] == [cell.id for cell in here.cells]
    assert fork.metadata == here.metadata


def test_normalising_twice_changes_nothing_more() -> None:
    picture = new_output(
        "display_data", {"image/png": png(256)}, metadata={"image/png": {"alt": "noise"}}
    )
    content = lesson(new_code_cell("draw()", outputs=[picture], execution_count=2))
    normalise(content)
    once = nbformat.writes(content)
    normalise(content)
    assert nbformat.writes(content) == once
    nbformat.validate(content)


def test_pictures_become_smaller_and_keep_their_words() -> None:
    picture = new_output(
        "display_data", {"image/png": png(256)}, metadata={"image/png": {"alt": "noise"}}
    )
    content = lesson(new_code_cell("draw()", outputs=[picture]))
    normalise(content)
    (after,) = content.cells[3].outputs
    assert len(after.data["image/png"]) < 0.7 * len(png(256))
    assert after.metadata["image/png"].alt == "noise"
    small = Image.open(io.BytesIO(base64.b64decode(after.data["image/png"])))
    assert small.size == (120, 120)


def test_what_would_be_red_is_refused() -> None:
    red = new_output("stream", name="stderr", text="W0000 low on luck")
    with pytest.raises(Stale, match=r"wrote on stderr:\nnoisy\(\)\n---\nW0000 low on luck"):
        normalise(lesson(new_code_cell("noisy()", outputs=[red])))


def test_a_frame_that_only_lives_with_its_kernel_is_replaced() -> None:
    html = '<iframe id="tensorboard-frame-1f2e" src="http://localhost:6006"></iframe>'
    said = "Reusing TensorBoard on port 6006 (pid 4711), started 0:00:05 ago."
    outputs = [
        new_output("stream", text=said),
        new_output("display_data", {"text/html": html, "text/plain": "<IPython.HTML>"}),
    ]
    content = lesson(new_code_cell("%tensorboard --logdir runs", outputs=outputs))
    normalise(content)
    (output,) = content.cells[3].outputs
    assert output.text == normalising.TENSORBOARD_NOTE
    assert "localhost" not in json.dumps(content)


# --- Tidying -----------------------------------------------------------------------------------


def certified(path: Path) -> nbformat.NotebookNode:
    """A lesson as a refresh leaves it, with a cell and the output of its run."""
    content = lesson(new_code_cell("1 + 1", outputs=[new_output("stream", text="2")]))
    content.metadata.course = freshness.now(content, {"helpers": (), "data": ()})
    normalise(content)
    nbformat.write(content, path)
    assert freshness.is_fresh(path)
    return content


def test_tidying_a_fresh_lesson_changes_nothing(path: Path) -> None:
    certified(path)
    before = path.read_bytes()
    assert tidy(path) is False
    assert path.read_bytes() == before


def test_tidying_edited_prose_redoes_its_id_and_keeps_the_certificate(path: Path) -> None:
    content = certified(path)
    content.cells[0].source = "# 00 · First, in other words"
    old = content.cells[0].id
    nbformat.write(content, path)
    assert tidy(path) is True
    after = nbformat.read(path, as_version=4)
    assert after.cells[0].id != old
    assert after.metadata.course == content.metadata.course
    assert freshness.is_fresh(path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_tidying_a_changed_cell_that_never_ran_leaves_it_stale(path: Path) -> None:
    content = certified(path)
    content.cells[3].source = "1 + 2"
    nbformat.write(content, path)
    assert freshness.why_stale(path) == ["code cell 2"]
    assert tidy(path) is True
    assert freshness.why_stale(path) == ["code cell 2"]


def test_tidying_never_certifies_what_was_never_executed(path: Path) -> None:
    tidy(path)
    assert "course" not in nbformat.read(path, as_version=4).metadata
    assert freshness.why_stale(path) == [freshness.NEVER]


def test_a_lesson_that_cannot_be_tidied_is_left_as_it_was(path: Path) -> None:
    red = new_output("stream", name="stderr", text="red")
    nbformat.write(lesson(new_code_cell("noisy()", outputs=[red])), path)
    before = path.read_bytes()
    with pytest.raises(Stale, match="stderr"):
        tidy(path)
    assert path.read_bytes() == before
