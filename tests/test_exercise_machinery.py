"""Attempt, check, adopt; and a progress file that survives what can happen to it."""

from __future__ import annotations

import errno
import importlib.util
import io
import json
import linecache
import os
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from helpers import exercises, session
from helpers.exercises import Exercise, Hint, adopt, check, evaluate, is_stub, progress

CELLS = iter(range(1000))


def from_cell(code: str, name: str = "answer") -> Callable:
    """Define a function as a notebook cell does: its source is known to linecache only."""
    filename = f"<ipython-input-{next(CELLS)}>"
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    namespace = {"np": np}
    exec(compile(code, filename, "exec"), namespace)
    return namespace[name]


def double(x: int) -> int:
    return 2 * x


def check_double(answer) -> None:
    if answer(2) == 2:
        raise Hint("unchanged", "It returns its input; multiply by two.")
    if answer(2) != 4:
        raise Hint("not-double", f"answer(2) returned {answer(2)!r}, not 4.")


@pytest.fixture(autouse=True)
def lesson(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A lesson 99 with two exercises and a fresh folder for the progress; return the folder."""
    module = types.ModuleType("helpers.exercises.lesson_99")
    module.EXERCISES = {"99.a": Exercise("Twice", check_double), "99.b": Exercise("Again", print)}
    monkeypatch.setitem(sys.modules, "helpers.exercises.lesson_99", module)
    home = tmp_path / "home"
    monkeypatch.setenv("COURSE_HOME", str(home))
    return home


def recorded(home: Path) -> dict:
    return json.loads((home / "progress.json").read_text())


# --- Stubs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        ...,
        [1, ...],
        (1, (2, ...)),
        {"units": ...},
        from_cell("def answer(x):\n    ..."),
        from_cell("def answer(x):\n    return ..."),
        from_cell("def answer(x):\n    y = np.mean(x, axis=...)\n    return y"),
        from_cell("answer = lambda x: ..."),
        from_cell("def answer(x):\n    return x[..., 0] + ..."),
    ],
)
def test_a_stub_is_recognised(answer) -> None:
    assert is_stub(answer)
    assert evaluate("99.a", answer).status == "untouched"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        0,
        [],
        "...",
        np.zeros(3),
        from_cell("def answer(x):\n    return x[..., 0]"),
        from_cell("def answer(x):\n    return x[..., None, :]"),
        from_cell("def answer(x: tuple[int, ...]) -> int:\n    return 1"),
        from_cell("def answer(x):\n    'Fill in the ... here'\n    return x  # ..."),
        from_cell("answer = lambda x: x[..., 0]"),
        double,
        np.mean,
        print,
    ],
)
def test_an_answer_is_no_stub(answer) -> None:
    assert not is_stub(answer)


def test_a_function_without_source_counts_as_an_answer() -> None:
    namespace: dict = {}
    exec("def answer(x):\n    return ...", namespace)
    assert not is_stub(namespace["answer"])


# --- Check and adopt ---------------------------------------------------------------------------


def test_an_untouched_stub_is_met_with_encouragement_and_is_no_attempt(lesson, capsys) -> None:
    check("99.a", from_cell("def answer(x):\n    ..."))
    assert "Not attempted yet" in capsys.readouterr().out
    assert not (lesson / "progress.json").exists()


def test_a_right_answer_gets_a_tick_and_is_remembered(lesson, capsys) -> None:
    check("99.a", double)
    shown = capsys.readouterr().out
    assert "✓ Exercise 99.a · Twice" in shown
    assert "Right. Your answer is remembered." in shown
    assert recorded(lesson) == {"99.a": {"status": "passed", "attempts": 1, "hints": {}}}


def test_a_wrong_answer_gets_the_hint_for_its_mistake(lesson, capsys) -> None:
    check("99.a", lambda x: x)
    assert "multiply by two" in capsys.readouterr().out
    check("99.a", lambda x: x + 1)
    assert "answer(2) returned 3" in capsys.readouterr().out
    check("99.a", lambda x: x + 1)
    expected = {"status": "wrong", "attempts": 3, "hints": {"unchanged": 1, "not-double": 2}}
    assert recorded(lesson) == {"99.a": expected}


def test_code_that_raises_is_told_at_which_line(capsys) -> None:
    check("99.a", from_cell("def answer(x):\n    y = {}\n    return y['missing'] * x\n"))
    shown = capsys.readouterr().out
    assert "KeyError: 'missing'" in shown
    assert "your line 3: return y['missing'] * x" in shown


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("def answer():\n    return 4", "TypeError: answer() takes 0 positional arguments"),
        ("def answer(x):\n    raise ValueError", "ValueError: no message"),
        ("def answer(x):\n    raise ValueError('one\\ntwo')", "ValueError: one (your line 2"),
        ("def answer(x):\n    return answer(x)", "RecursionError"),
        ("def answer(x):\n    raise SystemExit(3)", "SystemExit: 3 (your line 2"),
        (
            "def answer(x):\n    raise ValueError('Exception encountered when calling D.call().'\n"
            "        '\\n\\n\\x1b[1mTwo axes are needed\\x1b[0m\\n\\nArguments: ...')",
            "ValueError: Two axes are needed (your line 2",
        ),
        ("answer = 4", "TypeError: 'int' object is not callable"),
    ],
)
def test_whatever_is_raised_becomes_a_hint(code: str, sentence: str) -> None:
    result = evaluate("99.a", from_cell(code))
    assert (result.status, result.code) == ("wrong", "raises")
    assert sentence in result.sentence


def test_the_learners_interrupt_stops_the_check() -> None:
    with pytest.raises(KeyboardInterrupt):
        evaluate("99.a", from_cell("def answer(x):\n    raise KeyboardInterrupt"))


def test_a_model_is_asked_for_by_name() -> None:
    inputs = keras.Input((2,))
    outputs = keras.layers.Dense(1)(inputs)
    model = keras.Model(inputs, outputs)
    assert exercises.require_model(model) is model
    for answer, code, words in [
        (outputs, "tensor", "keras.Model(inputs, outputs)"),
        (None, "no-model", "is there a return?"),
        ([model], "no-model", "an object of list"),
    ]:
        with pytest.raises(Hint) as caught:
            exercises.require_model(answer)
        assert caught.value.code == code
        assert words in caught.value.sentence


def test_adopt_takes_the_learners_answer_only_where_it_passes(capsys) -> None:
    def reference(x: int) -> int:
        return x * 2

    assert adopt("99.a", double, reference) is double
    assert "your own answer" in capsys.readouterr().out
    assert adopt("99.a", lambda x: x, reference) is reference
    assert adopt("99.a", ..., reference) is reference
    assert "reference answer" in capsys.readouterr().out


def test_adopt_is_no_attempt(lesson) -> None:
    adopt("99.a", double, double)
    assert not (lesson / "progress.json").exists()


@pytest.mark.parametrize(
    ("exercise_id", "message"),
    [("99.z", "it has 99.a, 99.b"), ("98.a", "no lesson '98'"), ("", "no lesson ''")],
)
def test_an_unknown_exercise_is_an_error_of_the_author(exercise_id: str, message: str) -> None:
    with pytest.raises(KeyError, match=message):
        check(exercise_id, double)


# --- Progress ----------------------------------------------------------------------------------


def test_what_was_passed_once_stays_passed(lesson) -> None:
    check("99.a", double)
    check("99.a", lambda x: x)
    assert recorded(lesson)["99.a"]["status"] == "passed"
    assert recorded(lesson)["99.a"]["attempts"] == 2
    assert progress.statuses(["99.a", "99.b"]) == {"99.a": "passed", "99.b": "untouched"}


def test_progress_is_shown_by_lesson(monkeypatch, capsys) -> None:
    monkeypatch.setattr(exercises, "_all_exercises", lambda: {"99": ["99.a", "99.b"]})
    check("99.a", double)
    exercises.show_progress()
    assert "Lesson 99: 1 of 2\u2003✓ 99.a\u2003○ 99.b" in capsys.readouterr().out


def test_reset_keeps_the_old_record(lesson) -> None:
    check("99.a", double)
    before = (lesson / "progress.json").read_bytes()
    progress.reset()
    assert progress.statuses(["99.a"]) == {"99.a": "untouched"}
    assert (lesson / "progress.json.old").read_bytes() == before
    progress.reset()  # with nothing to forget
    assert (lesson / "progress.json.old").read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"3",
        b'{"99.a": 3}',
        b'{"99.a": {"status": "passed"}}',
        b'{"99.a": {"status": "wrong", "attempts": 1, "hints": null}}',
        b'{"99.a": {"status": "wrong", "attempts": "1", "hints": {}}}',
        b'{"99.a": {"status": "wrong", "attempts": 1, "hints": {"unchanged": null}}}',
    ],
)
def test_a_corrupt_file_is_kept_aside_and_said(content: bytes, lesson, capsys) -> None:
    lesson.mkdir()
    (lesson / "progress.json").write_bytes(content)
    check("99.a", lambda x: x)
    shown = capsys.readouterr().out
    assert "multiply by two" in shown
    assert "kept as progress.json.broken" in shown
    assert (lesson / "progress.json.broken").read_bytes() == content
    assert recorded(lesson)["99.a"]["attempts"] == 1
    check("99.a", double)  # and from then on nothing is said any more
    assert "could not be read" not in capsys.readouterr().out


def test_a_file_that_cannot_even_be_kept_aside_does_not_stop_an_answer(
    lesson, monkeypatch, capsys
) -> None:
    lesson.mkdir()
    (lesson / "progress.json").write_text("{")

    def refuse(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "replace", refuse)
    check("99.a", double)
    assert "✓ Exercise 99.a" in capsys.readouterr().out
    assert (lesson / "progress.json").read_text() == "{"


def full_disk(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("step", ["replace", "write"])
def test_on_a_full_disk_the_answer_is_still_judged(step: str, lesson, monkeypatch, capsys) -> None:
    check("99.a", lambda x: x)
    before = (lesson / "progress.json").read_bytes()
    if step == "replace":
        monkeypatch.setattr(os, "replace", full_disk)
    else:
        monkeypatch.setattr(Path, "write_text", full_disk)
    check("99.a", double)
    shown = capsys.readouterr().out
    assert "✓ Exercise 99.a" in shown
    assert "could not be saved" in shown
    assert "No space left on device" in shown
    assert "Right. But it could not be remembered" in shown
    assert (lesson / "progress.json").read_bytes() == before
    assert [f.name for f in lesson.iterdir()] == ["progress.json"]  # and no rubbish beside it


def test_a_kernel_killed_while_writing_leaves_the_old_record_whole(lesson, monkeypatch) -> None:
    check("99.a", double)
    before = (lesson / "progress.json").read_bytes()

    class Killed(BaseException):
        pass

    def half(path: Path, text: str, **_) -> None:
        with open(path, "w") as file:
            file.write(text[: len(text) // 2])
        raise Killed

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(Killed):
        check("99.b", lambda *_: None)
    assert (lesson / "progress.json").read_bytes() == before


class FileOnFullDisk(io.BytesIO):
    """It can be made, but nothing goes in."""

    write = full_disk


OBSTACLES = {"a folder that refuses": full_disk, "a full disk": lambda **_: FileOnFullDisk()}


@pytest.mark.parametrize("obstacle", ["a file in its place", *OBSTACLES])
def test_an_unwritable_folder_falls_back_and_says_so_once(
    obstacle: str, lesson, monkeypatch, tmp_path: Path, capsys
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(session.tempfile, "gettempdir", lambda: str(temporary))
    if obstacle == "a file in its place":
        lesson.write_text("in the way")
    else:
        monkeypatch.setattr(session.tempfile, "TemporaryFile", OBSTACLES[obstacle])
    check("99.a", double)
    shown = capsys.readouterr().out
    assert "✓ Exercise 99.a" in shown
    assert shown.count("cannot be written") == 1
    assert str(lesson) in shown
    assert str(temporary / "course") in shown
    assert recorded(temporary / "course")["99.a"]["status"] == "passed"


def test_where_nothing_can_be_written_the_answer_is_still_judged(
    lesson, monkeypatch, capsys
) -> None:
    lesson.write_text("in the way")
    monkeypatch.setattr(session.tempfile, "gettempdir", full_disk)
    check("99.a", double)
    shown = capsys.readouterr().out
    assert "✓ Exercise 99.a" in shown
    assert "Right. But it could not be remembered" in shown


# --- Two kernels -------------------------------------------------------------------------------

ATTEMPTS = 50
KERNEL = f"""
from helpers.exercises import progress
print("ready", flush=True)
input()
for number in range({ATTEMPTS}):
    assert progress.remember("99.a", "wrong", "unchanged")
"""


def test_two_kernels_keep_each_others_progress(lesson) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    kernels = [subprocess.Popen([sys.executable, "-c", KERNEL], **pipes) for _ in range(2)]
    for kernel in kernels:
        assert kernel.stdout.readline() == "ready\n"
    for kernel in kernels:
        kernel.stdin.write("\n")
        kernel.stdin.flush()
    assert [kernel.communicate(timeout=60)[0] for kernel in kernels] == ["", ""]
    assert [kernel.returncode for kernel in kernels] == [0, 0]
    hints = {"unchanged": 2 * ATTEMPTS}
    expected = {"status": "wrong", "attempts": 2 * ATTEMPTS, "hints": hints}
    assert recorded(lesson) == {"99.a": expected}
    assert [f.name for f in lesson.iterdir()] == ["progress.json"]


def test_the_lock_of_a_killed_kernel_is_taken_over(lesson) -> None:
    lesson.mkdir()
    lock = lesson / "progress.json.lock"
    lock.touch()
    long_ago = time.time() - 60
    os.utime(lock, (long_ago, long_ago))
    begun = time.monotonic()
    check("99.a", double)
    assert time.monotonic() - begun < progress.LOCK_IS_STALE
    assert [f.name for f in lesson.iterdir()] == ["progress.json"]


def test_a_lock_that_stays_does_not_stop_an_answer(lesson, monkeypatch, capsys) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.05)
    lesson.mkdir()
    (lesson / "progress.json.lock").touch()
    check("99.a", double)
    assert "Right. Your answer is remembered." in capsys.readouterr().out
    assert recorded(lesson)["99.a"]["status"] == "passed"
    assert (lesson / "progress.json.lock").exists()  # whoever holds it takes it away


# --- What the environment asks for -------------------------------------------------------------


def session_read_again() -> types.ModuleType:
    """The session module as a new Python would import it."""
    spec = importlib.util.spec_from_file_location("session_read_again", session.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
def test_a_seed_can_be_chosen(seed: int, monkeypatch) -> None:
    monkeypatch.setenv("COURSE_SEED", str(seed))
    assert session_read_again().SEED == seed


@pytest.mark.parametrize("text", ["abc", "", "-1", "4.5", str(2**32)])
def test_what_is_no_seed_is_refused_by_name(text: str, monkeypatch) -> None:
    monkeypatch.setenv("COURSE_SEED", text)
    with pytest.raises(ValueError, match=f"COURSE_SEED is '{text}'.* from 0 to 4294967295"):
        session_read_again()


def test_the_personal_folder_may_be_below_home(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # Windows
    monkeypatch.setenv("COURSE_HOME", "~/course home")
    assert session.personal_folder() == tmp_path / "course home"
