"""Lessons run as people run them: a cell again, after another lesson, killed, two at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import small_course
from nbformat.v4 import new_code_cell
from small_course import lesson

from helpers import ladder
from helpers.exercises import progress
from helpers.session import COURSE_ROOT
from tools import lessons, twice
from tools.__main__ import main

ALL_LESSONS = lessons.lessons()
CARD = """
from IPython.display import display

def card(heading):
    display({"text/plain": f"{heading}\\n  A sentence.", "text/html": "x"}, raw=True)
"""


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    return small_course.use(small_course.build(tmp_path.resolve() / "course"), monkeypatch)


def write(course: Path, name: str, *codes: str, tags: tuple[str, ...] = ()) -> Path:
    """Write a lesson of these cells; the last one has the tags."""
    cells = [new_code_cell(code) for code in (CARD, *codes)]
    cells[-1].metadata["tags"] = list(tags)
    path = course / "notebooks" / name
    nbformat.write(lesson(*cells), path)
    return path


def wrong(lines) -> list[str]:
    return [line.split("WRONG, ")[1] for line in lines if "WRONG, " in line]


# --- Twice in a row ----------------------------------------------------------------------------


def test_cells_that_do_not_bear_a_second_run_are_told(course: Path, capsys) -> None:
    write(
        course,
        "00_first.ipynb",
        "kept = [1, 2]\nthings = {'a': 1}",
        "del things['a']",  # deletes what it needs
        "kept.append(3)",  # goes on from where it was
        'card(f\'{"✓ Fact holds" if len(kept) == 3 else "✗ Fact FAILS here"} · 00.three\')',
        "print(1)",
    )
    with pytest.raises(SystemExit, match=r"twice: 3 things to mend"):
        main(["twice", "00"])
    first, *told = capsys.readouterr().out.splitlines()
    assert first.startswith("00_first.ipynb, each cell twice: ")
    assert told == [
        "  00, code cell 4, run again: WRONG, raises KeyError: 'a'",
        # Both runs of the fact come after both of the cell before it.
        "  00, code cell 6, first run: WRONG, says that it fails: ✗ Fact FAILS here · 00.three",
        "  00, code cell 6, run again: WRONG, says that it fails: ✗ Fact FAILS here · 00.three",
    ]


def test_a_cell_tagged_once_is_run_once(course: Path) -> None:
    path = write(course, "00_first.ipynb", "n = [1]", "n.pop()", tags=("once",))
    (line,) = twice.each_cell_twice(path)
    assert ", each cell twice: " in line


def test_what_a_run_shows_is_held_against_the_stored_outputs(course: Path) -> None:
    path = write(course, "00_first.ipynb", "print('layer_1', 2)", tags=("nbval-check-output",))
    content = nbformat.read(path, as_version=4)
    cell = content.cells[-1]
    cell.execution_count = 4
    cell.outputs = [nbformat.v4.new_output("stream", text="layer 2\n")]
    nbformat.write(content, path)
    assert wrong(twice.each_cell_twice(path)) == []  # a layer's number is no other output
    cell.outputs[0].text = "layer 3\n"
    nbformat.write(content, path)
    assert wrong(twice.each_cell_twice(path)) == ["says something else: 'layer_1 2'"] * 2


def test_every_cell_that_must_not_run_again_says_so_before_it() -> None:
    for path in ALL_LESSONS:
        said = ""
        for cell in lessons.read(path).cells:
            if cell.cell_type == "markdown":
                said = cell.source
            elif twice.ONCE in lessons.tags(cell):
                assert "once" in said, f"{path.name}: {cell.source}"


# --- After another lesson ----------------------------------------------------------------------


def test_what_another_lesson_leaves_behind_is_told(course: Path) -> None:
    other = write(course, "00_first.ipynb", "import builtins\nbuiltins.left = 1")
    path = write(
        course, "01_second.ipynb", "try:\n    left\n    1 / 0\nexcept NameError:\n    pass"
    )
    assert wrong(twice.after(path, other)) == ["raises ZeroDivisionError: division by zero"]
    assert wrong(twice.each_cell_twice(path)) == []


# --- Killed ------------------------------------------------------------------------------------

SAVE = "import os, pathlib\nfile = pathlib.Path(os.environ['COURSE_HOME'], 'progress.json')"
SLOW = "import time\ntime.sleep(1)"


def test_a_lesson_that_survives_a_kill(course: Path) -> None:
    path = write(course, "00_first.ipynb", SAVE, SLOW, "print('the end')")
    lines = list(twice.killed(path))
    assert wrong(lines) == []
    assert ", killed in code cell 4 (1 s long): " in lines[0]


def test_what_a_kill_costs_is_told(course: Path) -> None:
    half = "half = file.with_name('half')\nprint('There is half a file.') if half.exists() else 0"
    forget = "half.touch()\nfile.write_text('{}')\n" + SLOW + "\nhalf.unlink()"
    path = write(course, "00_first.ipynb", SAVE, half, "if half.exists():\n    1 / 0", forget)
    lines = list(twice.killed(path))
    assert "  says now: There is half a file." in lines
    assert wrong(lines) == [
        "raises ZeroDivisionError: division by zero",
        # The kill lost nothing: the lesson itself has forgotten what there was.
    ]


def test_a_record_lost_between_kill_and_the_next_run_is_told(course: Path) -> None:
    count = "n = len(list(file.parent.glob('run*')))\n(file.parent / f'run{n}').touch()"
    path = write(course, "00_first.ipynb", SAVE, count, "if n:\n    file.write_text('{}')", SLOW)
    assert wrong(twice.killed(path)) == ["lost: 00.a of progress.json"]


# --- Two at once -------------------------------------------------------------------------------


def test_a_rung_that_the_other_lesson_overwrote_is_told(course: Path) -> None:
    rude = "card('↑ Rung 02.frozen · x')"  # says so, and has not written it
    one = write(course, "00_first.ipynb", "print(1)")
    other = write(course, "01_second.ipynb", rude)
    assert wrong(twice.together(one, other)) == ["lost: rung 02.frozen"]
    with pytest.raises(SystemExit, match="--at-once takes two lessons"):
        main(["twice", "--at-once", "00"])


WRITER = """
import sys, time
import numpy as np
from helpers import ladder
from helpers.exercises.progress import remember
rungs = list(ladder.RUNGS)[int(sys.argv[1])::2]
even, sure = np.full((300, 10), 0.1), np.eye(10)[np.arange(200) % 10]
slowest = 0.0
for turn in range(12):
    began = time.perf_counter()
    ladder.climb(rungs[turn % len(rungs)], pixels=64, trained="x", seconds=1.0,
                 validation=(sure, np.arange(200) % 10), test=even)
    remember(f"0{sys.argv[1]}.{'abcdefghijkl'[turn]}", "wrong", "index")
    slowest = max(slowest, time.perf_counter() - began)
print("slowest", slowest)
"""


def at_once(program: str, home: Path) -> list[str]:
    """Run a program in two processes with one personal folder; return what each has printed."""
    environment = os.environ | {"COURSE_HOME": str(home), "PYTHONPATH": str(COURSE_ROOT)}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(number)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    said = [process.communicate(timeout=240) for process in both]
    for process, (_, errors) in zip(both, said, strict=True):
        assert process.returncode == 0, errors
    return [out for out, _ in said]


def test_two_kernels_write_ladder_and_progress_and_nothing_is_lost(tmp_path: Path) -> None:
    said = at_once(WRITER, tmp_path)
    assert set(json.loads((tmp_path / ladder.KEPT.name).read_text())) == set(ladder.RUNGS)
    attempts = json.loads((tmp_path / progress.KEPT.name).read_text())
    assert len(attempts) == 24 and all(entry["attempts"] == 1 for entry in attempts.values())
    assert all(float(out.split("slowest ")[1]) < 5 for out in said)
    left = {path.name for path in tmp_path.iterdir()} - {"ladder.json", "progress.json"}
    assert all(name.endswith(".lock") for name in left), left


ENGINE = """
import keras, numpy as np
from helpers.engine import engine_for
from helpers.session import SEED
keras.utils.set_random_seed(SEED)
model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(8, 3),
                          keras.layers.GlobalAveragePooling2D()])
images = np.random.default_rng(1).random((4, 32, 32, 3), dtype="float32")
print("sum", float(engine_for(model, images, 4, engine="litert")(images).sum()))
"""


def test_two_kernels_that_make_one_engine_keep_one_whole_file(tmp_path: Path) -> None:
    one, other = at_once(ENGINE, tmp_path)
    assert one == other
    (kept,) = (tmp_path / "engines").iterdir()
    made = kept.stat().st_mtime_ns
    (again, _) = at_once(ENGINE, tmp_path)
    assert again == one
    assert kept.stat().st_mtime_ns == made  # opened, and not made again


def test_a_kernel_that_hangs_with_the_lock_costs_seconds_and_no_entry(tmp_path: Path) -> None:
    """The other one waits for three seconds, then writes without it."""
    hold = "from filelock import FileLock; import sys, time; FileLock(sys.argv[1]).acquire(); "
    hold += "print('held', flush=True); time.sleep(60)"
    file = tmp_path / "ladder.json.lock"
    holder = subprocess.Popen([sys.executable, "-c", hold, file], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        code = "from helpers import ladder\nimport time\nbegan = time.perf_counter()\n"
        code += "ladder.KEPT.change(lambda record: record.update(a={}))\n"
        code += "print(time.perf_counter() - began)"
        environment = os.environ | {"COURSE_HOME": str(tmp_path), "PYTHONPATH": str(COURSE_ROOT)}
        out = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True
        )
        assert float(out.stdout.split()[-1]) < 5, out
        assert json.loads((tmp_path / "ladder.json").read_text()) == {"a": {}}
    finally:
        holder.kill()
        holder.wait()
