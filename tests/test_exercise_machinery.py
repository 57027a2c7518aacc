"""Attempt, check, adopt; and a progress file that survives what can happen to it."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import errno
import importlib
import json
import linecache
import math
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
import types
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import filelock
import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers import exercises, kept, session
from helpers.exercises import (
    Exercise,
    Hint,
    adopt,
    check,
    described,
    evaluate,
    find,
    is_stub,
    progress,
    registry,
    require_model,
)
from helpers.exercises.deadline import interrupted_after
from helpers.exercises.probes import ask, close, hint_if_known, number, require_number
from helpers.session import COURSE_ROOT

CELLS = iter(range(1000))
needs_timer = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer on Windows")


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
    session._private_folder.cache_clear()
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
        from_cell("def answer(x, y):\n    ...  # which?\n    return x, y"),
        from_cell("def answer(x):\n    'Say what.'\n    x.trainable = False\n    ..."),
        from_cell("def answer(x):\n    x.fit(epochs=...)\n    return x"),
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
        from_cell("def answer(x):\n    ...\n    return 2 * x"),
        from_cell("def answer(x, y):\n    ...\n    x = x.cache()\n    return x, y"),
        from_cell("def answer(x):\n    ...\n    x.y = 1\n    x.z = 2"),
        from_cell("def answer(x):\n    class Mine(x):\n        ...\n    return Mine()"),
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


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("Flatten()", "Nothing is called Flatten here"),
        ("keras.layers.Flatten(keras.Input((2, 2)))", "First the layer is made, then called"),
        ("keras.layers.GlobalAveragePooling2D(keras.Input((2, 2, 1)))", "then called"),
        ("keras.layers.Dense(keras.Input((2,)))", "then called"),
        ("keras.layers.Dense(2, activate='relu')", "There is no argument activate"),
        ("keras.layers.Dense(2).output_shape", "write layer.output.shape"),
        ("keras.optimizers.Adam(lr=1e-3)", "There is no argument lr"),
        ("keras.Sequential([keras.layers.ReLU()]).get_layer('mixed7')", "Look the name up"),
        (
            "keras.Model(keras.Input((2,)), keras.layers.ReLU()(keras.Input((2,))))",
            "base.input, not a new keras.Input",
        ),
        ("pathlib.Path('a') + '/b'", "Join a path and a text with a slash"),
        ("{'loss': [1]}.history['loss']", "one attribute too many"),
        ("{'loss': [1]}['val_acc']", "its keys()"),
        ("[0, 1] + 1", "A list is no number"),
        ("(3, 4).prod()", "np.prod(...)"),
        ("'a' / 'b'", "leave the path a Path"),
        ("np.mean(keras.Input((2, 2)), axis=1)", "keras.ops in place of np"),
        ("keras.layers.Dense(2, 'sigmoyd')", "Is that name spelt"),
        ("keras.Sequential([keras.layers.ReLU()])('mixed7')", "base.get_layer(name)"),
        ("keras.layers.AveragePooling2D()", "left out of the brackets"),
        ("{'loss': [1]}('loss')", "entries go in square brackets"),
        ("keras.Sequential()[-2:]", "which of its attributes is meant"),
        ("np.random.default_rng('1')", "default_rng([seed, epoch])"),
        ("[1][2]", "Places are counted from 0"),
        ("list('ab')['conv1']", "base.get_layer(name)"),
        ("['conv1'].index('conv2')", "ask each for layer.name"),
        ("None >= 3", "One side is None"),
        ("[a for a, b in [(1, 2, 3)]]", "Print what is unpacked"),
        ("[3, 1].sort()[0]", "Something is None"),
        ("np.mean(np.ones((2, 3, 4)), axis=[1, 2])", "axis=(1, 2)"),
        ("np.ones((2, 3, 4)).mean(1, 2)", "axis=(1, 2)"),
        ("1 if np.ones(3) > 0 else 2", "Which of its elements"),
        ("tf.abs(keras.Input((2,)))", "what has the same name in keras.ops"),
        (
            "keras.layers.ReLU()(keras.layers.ReLU())",
            "The layer ReLU stands where a tensor belongs",
        ),
        ("keras.layers.Flatten()(tf.data.Dataset.range(3))", "not a whole dataset"),
        ("keras.layers.Add()(keras.Input((2,)), keras.Input((2,)))", "go into a list"),
        ("keras.layers.Flatten(np.ones((2, 2, 2)))", "First the layer is made, then called"),
        ("keras.layers.Dense(2, activation=relu)", 'between quotation marks, "relu"'),
        ("np.ones(6).reshape(2, 1280)", "Take it from x.shape"),
        (
            "keras.layers.Dense(1)([keras.Input((2,)), keras.Input((2,))])",
            "takes one tensor and got a list of 2",
        ),
        ("keras.layers.concatenate(keras.Input((2,)), keras.Input((2,)))", "takes a list"),
        ("keras.Model(keras.Input((2,)))", "needs both ends"),
        ("keras.Sequential([keras.Input((2,))]).hidden_1", "model.get_layer(name)"),
        ("keras.layers.flatten()", "Classes begin with a capital"),
        ("keras.Input(28, 28)", "keras.Input((28, 28))"),
        ("keras.Sequential([keras.layers.Dense(1)]).count_params()", "begin with keras.Input"),
        ("[1, 2][np.float32(0.5)]", "A place in a list is a whole number"),
        ("np.ones(2).index(1)", "An array has no index"),
        ("{np.ones(2)}", "cannot hold an ndarray"),
        (
            "keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])(np.ones((1, 3)))",
            "of another shape than it was made for",
        ),
        ("np.ones(2) in [np.ones(3)]", "one pair after another"),
        ("np.array([np.ones(2), np.ones(3)])", "take one after another"),
        ("['a', 'b'][np.array([1])]", "take one of its elements"),
        ("keras.Sequential([keras.layers.ReLU()]).get_layer(index='a')", "takes a place, a whole"),
        ("sorted([2, 'a'])", "cannot be put in order"),
        ("tf.data.Dataset.from_tensors((1, 2)).map(lambda x: 2 * x)", "lambda images, labels"),
        (
            "keras.losses.categorical_crossentropy(np.ones(2), np.ones((2, 3)))",
            "go with sparse_categorical_crossentropy",
        ),
        ("answer()", "Keep the arguments"),
    ],
)
def test_an_error_is_told_in_its_words_and_in_a_sentence(code: str, why: str) -> None:
    answer = from_cell(
        f"import keras, pathlib, tensorflow as tf\ndef answer(x):\n    return {code}\n"
    )
    told = evaluate("99.a", answer).sentence
    assert "Running it raised " in told and "(your line 3" in told and "in user code" not in told
    assert why in told
    assert len(told) < 600


def test_an_error_that_lists_a_hundred_layers_is_cut_short() -> None:
    def answer(x):
        raise ValueError(f"No such layer: mixed7. Existing layers are: {[*range(1000)]}.")

    assert len(evaluate("99.a", answer).sentence) < 350


def patient_for(seconds: float, monkeypatch, exercise_id: str = "99.a") -> None:
    """Let an answer use so much processor time, to spare the tests half a minute."""
    impatient = dataclasses.replace(find(exercise_id), seconds=seconds)
    module = importlib.import_module(f"helpers.exercises.lesson_{exercise_id[:2]}")
    monkeypatch.setitem(module.EXERCISES, exercise_id, impatient)


@needs_timer
def test_an_answer_that_never_ends_is_stopped_and_told_where(monkeypatch) -> None:
    patient_for(0.3, monkeypatch)
    answer = from_cell("def answer(x):\n    while x > 0:\n        x += 1\n    return x")
    result = evaluate("99.a", answer)
    assert (result.status, result.code) == ("wrong", "endless")
    assert "still running after 0 seconds" in result.sentence
    assert re.search(r"\(your line [23]: (while x > 0:|x \+= 1)\)", result.sentence)
    began = time.process_time()
    assert evaluate("99.a", answer) == result  # `adopt` asks again, and waits no second time
    assert time.process_time() - began < 0.2


@needs_timer
@pytest.mark.parametrize(
    "body",
    [
        "while model.layers[-1].name != layer_name:\n        model.layers.pop()",
        "while model.layers[-1].name != layer_name:\n        del model.layers[-1]",
        "while model.layers[-1].name != layer_name:\n        model.layers.remove(model.layers[-1])",
    ],
)
def test_layers_taken_from_a_model_in_a_loop_are_explained(body: str, monkeypatch) -> None:
    patient_for(1.5, monkeypatch, "01.c")
    code = f"def answer(model, layer_name):\n    {body}\n    return model"
    result = evaluate("01.c", from_cell(code))
    assert result.code == "endless"
    assert "takes nothing out of the model" in result.sentence


@needs_timer
def test_an_answer_that_catches_everything_is_stopped_all_the_same(monkeypatch) -> None:
    patient_for(0.3, monkeypatch)
    code = """\
        def answer(x):
            tries = 0
            while tries < 2:
                try:
                    while True:
                        pass
                except BaseException:
                    tries += 1
            while True:
                pass"""
    assert evaluate("99.a", from_cell(textwrap.dedent(code))).code == "endless"


@needs_timer
def test_the_clock_stops_with_the_check_and_the_old_handler_is_back(monkeypatch) -> None:
    patient_for(30, monkeypatch)
    before = signal.getsignal(signal.SIGVTALRM)
    evaluate("99.a", lambda x: 2 * x)
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGVTALRM) is before
    with interrupted_after(20):
        with interrupted_after(5), contextlib.suppress(KeyError):
            raise KeyError
        assert 15 < signal.getitimer(signal.ITIMER_VIRTUAL)[0] < 21  # the kernel rounds up


def test_in_another_thread_an_answer_is_judged_without_a_clock() -> None:
    with ThreadPoolExecutor() as pool:
        assert pool.submit(evaluate, "99.a", lambda x: 2 * x).result().status == "passed"


def test_dots_left_in_one_place_of_a_dictionary_are_named() -> None:
    found = evaluate("00.c", {"album": "as is", "mushrooms": ..., "x-rays": ...})
    assert (found.status, found.code) == ("wrong", "dots-left")
    assert "1 of 3" in found.sentence and "at 'mushrooms', 'x-rays'" in found.sentence
    stub = {"album": ..., "mushrooms": ..., "x-rays": ...}
    assert evaluate("00.c", stub).status == "untouched"


def test_the_learners_interrupt_stops_the_check() -> None:
    with pytest.raises(KeyboardInterrupt):
        evaluate("99.a", from_cell("def answer(x):\n    raise KeyboardInterrupt"))


# --- Probes ------------------------------------------------------------------------------------


def test_a_model_is_asked_for_by_name() -> None:
    inputs = keras.Input((2,))
    outputs = keras.layers.Dense(1)(inputs)
    model = keras.Model(inputs, outputs)
    assert require_model(model) is model
    for answer, code, words in [
        (outputs, "tensor", "keras.Model(inputs, outputs)"),
        (None, "no-model", "is there a return?"),
        ([model], "no-model", "an object of list"),
    ]:
        with pytest.raises(Hint) as caught:
            require_model(answer)
        assert caught.value.code == code
        assert words in caught.value.sentence


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (3, 3),
        (0, 0),
        (-0.5, -0.5),
        (10**30, 10**30),
        (np.int64(3), 3),
        (np.uint8(3), 3),
        (np.float32(0.5), 0.5),
        (np.float16(0.5), 0.5),
        (np.array(3), 3),
        (np.array(0.5, "float32"), 0.5),
        (tf.constant(3), 3),
        (tf.constant(0.5), 0.5),
        (tf.Variable(0.5), 0.5),
    ],
)
def test_one_number_is_one_in_every_dress(answer, value) -> None:
    found = number(answer)
    assert (found, type(found)) == (value, type(value))
    assert require_number(answer) == value


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (None, "None (is there a return?)"),
        (True, "an object of bool"),
        (np.bool_(True), "an object of bool"),
        (np.array(True), "an object of ndarray"),
        (tf.constant(True), "an object of EagerTensor"),
        ("3", "a text, '3'"),
        (b"3", "an object of bytes"),
        (3j, "an object of complex"),
        ([3], "an object of list"),
        ((3,), "an object of tuple"),
        ({3}, "an object of set"),
        ({"a": 3}, "an object of dict"),
        (np.array([3]), "an object of ndarray"),
        (tf.constant([3]), "an object of EagerTensor"),
        (np.array("3"), "an object of ndarray"),
        (math.nan, "nan"),
        (np.float32("nan"), "nan"),
        (math.inf, "inf"),
        (np.array(math.nan), "an object of ndarray"),
        (print, "an object of builtin_function_or_method"),
        (int, "int itself, not called"),
        (double, "double itself, not called"),
    ],
)
def test_what_is_not_one_number_is_said(answer, what: str) -> None:
    assert number(answer) is None
    with pytest.raises(Hint) as caught:
        require_number(answer, "one whole number")
    assert caught.value.code == "not-a-number"
    assert caught.value.sentence == f"Return one whole number; this is {described(answer)}."
    assert described(answer) == what


def test_every_check_asks_the_same_judge_whether_it_is_one_number() -> None:
    """There were six spellings of it, each of which forgot another kind of number."""
    for file in sorted((COURSE_ROOT / "helpers" / "exercises").glob("lesson_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
                kinds = {ast.unparse(one) for one in ast.walk(node.args[1])}
                spelled_out = kinds & {"float", "Number", "np.number", "np.integer", "np.floating"}
                assert not spelled_out, (file.name, ast.unparse(node))


@pytest.mark.parametrize(
    ("given", "change"),
    [
        ([3, 1], list.sort),
        (np.array([3.0, 1.0]), np.ndarray.sort),
        ({"loss": [3, 1]}, lambda history: history["loss"].pop()),
        ({"loss": [3, 1]}, lambda history: history.update(best=1)),
        (([3, 1], np.zeros(2)), lambda pair: pair[1].fill(1)),
    ],
)
def test_an_answer_gets_copies_and_may_not_change_them(given, change) -> None:
    before = repr(given)
    with pytest.raises(Hint, match="changes the list that it was given"):
        ask(change, given, what="list")
    assert repr(given) == before
    assert ask(lambda it, more: more, given, what="list", more=5) == 5


def test_close_is_strict_about_shapes() -> None:
    assert close([1.0, 2.0], np.array([1.0, 2.0 + 1e-7]))
    assert not close([1.0, 2.0], [1.0, 2.0 + 1e-5])
    assert close([1.0, 2.0], [1.0, 2.0 + 1e-5], atol=1e-4)
    assert not close([1.0], 1.0)
    assert not close(np.ones((2, 1)), np.ones((1, 2)))
    assert not close(10**9, 10**9 + 1)  # one too many is one too many, however large


def test_a_known_mistake_gets_its_hint_and_an_unknown_one_none() -> None:
    mistakes = {"doubled": (4, "Twice too much."), "squared": (9, "It is squared.")}
    with pytest.raises(Hint) as caught:
        hint_if_known(9, mistakes)
    assert (caught.value.code, caught.value.sentence) == ("squared", "It is squared.")
    hint_if_known(3, mistakes)
    with pytest.raises(Hint, match="Twice too much"):
        hint_if_known("3", mistakes, same=lambda found, wrong: int(found) + 1 == wrong)


# --- Adopt, and unknown ids --------------------------------------------------------------------


def test_adopt_takes_the_learners_answer_only_where_it_passes(capsys) -> None:
    def reference(x: int) -> int:
        return x * 2

    assert adopt("99.a", double, reference) is double
    assert "your own answer" in capsys.readouterr().out
    assert adopt("99.a", lambda x: x, reference) is reference
    assert adopt("99.a", ..., reference) is reference
    assert "reference answer" in capsys.readouterr().out


def test_the_reference_is_not_taken_for_the_learners_when_its_cells_run_again(
    lesson, capsys
) -> None:
    first, second = (from_cell("def reference(x):\n    return 2 * x", "reference") for _ in "ab")
    answer = adopt("99.a", ..., first)
    answer = adopt("99.a", answer, second)  # the cell of the solution, run again
    assert answer is second
    assert "your own answer" not in capsys.readouterr().out
    check("99.a", answer)  # and the cell of the check
    assert "This is the reference answer" in capsys.readouterr().out
    assert not (lesson / "progress.json").exists()
    mine = from_cell("def answer(x):\n    return x + x")
    check("99.a", mine)
    assert adopt("99.a", mine, second) is mine
    assert recorded(lesson)["99.a"]["status"] == "passed"


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


def test_a_check_that_cannot_be_imported_says_what_it_lacks(monkeypatch, tmp_path: Path) -> None:
    """It is no missing lesson: the message would send its author looking in the wrong place."""
    monkeypatch.setattr(exercises, "__path__", [*exercises.__path__, str(tmp_path)])
    (tmp_path / "lesson_97.py").write_text("import no_such_package\n")
    (tmp_path / "lesson_96.py").write_text("import helpers.exercises.no_such_room\n")
    (tmp_path / "lesson_95.py").write_text("from helpers.session import no_such_name\n")
    for exercise_id, lacks in [("97.a", "no_such_package"), ("96.a", "no_such_room")]:
        with pytest.raises(ModuleNotFoundError, match=lacks):
            find(exercise_id)
    with pytest.raises(ImportError, match="no_such_name"):
        find("95.a")


def test_the_face_opens_a_room_only_when_asked() -> None:
    code = """
import sys
import helpers.exercises
def rooms():
    return {name.split(".")[2] for name in sys.modules if name.startswith("helpers.exercises.")}
assert rooms() == set(), rooms()
helpers.exercises.show_progress
assert rooms() == {"progress"}, rooms()
helpers.exercises.show_progress()
assert rooms() == {"progress", "registry"}, rooms()
from helpers.exercises import adopt, check
assert rooms() == {"progress", "registry", "judging", "deadline"}, rooms()
assert "check" in dir(helpers.exercises)
try:
    helpers.exercises.no_such_name
except AttributeError as problem:
    print(problem)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "'helpers.exercises' has no attribute 'no_such_name'" in done.stdout


# --- Progress ----------------------------------------------------------------------------------


def test_what_was_passed_once_stays_passed(lesson) -> None:
    check("99.a", double)
    check("99.a", lambda x: x)
    assert recorded(lesson)["99.a"]["status"] == "passed"
    assert recorded(lesson)["99.a"]["attempts"] == 2
    assert progress.statuses(["99.a", "99.b"]) == {"99.a": "passed", "99.b": "untouched"}


def test_progress_is_shown_by_lesson(monkeypatch, capsys) -> None:
    monkeypatch.setattr(registry, "EXERCISES", {"99": {"99.a": "Twice", "99.b": "Again"}})
    check("99.a", double)
    exercises.show_progress()
    assert "Lesson 99: 1 of 2\u2003✓ 99.a\u2003○ 99.b" in capsys.readouterr().out


def test_reset_keeps_the_old_record(lesson) -> None:
    check("99.a", double)
    before = (lesson / "progress.json").read_bytes()
    progress.KEPT.reset()
    assert progress.statuses(["99.a"]) == {"99.a": "untouched"}
    assert (lesson / "progress.json.old").read_bytes() == before
    progress.KEPT.reset()  # with nothing to forget
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
    rubbish = {f.name for f in lesson.iterdir()} - {"progress.json", "progress.json.lock"}
    assert not rubbish


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


def test_an_unwritable_folder_falls_back_and_the_answer_is_remembered_there(lesson, capsys) -> None:
    lesson.write_text("in the way")
    check("99.a", double)
    check("99.a", double)
    shown = capsys.readouterr().out
    assert shown.count("✓ Exercise 99.a") == 2
    assert shown.count("cannot be written") == 1
    assert recorded(session.personal_folder())["99.a"]["attempts"] == 2


def test_where_nothing_can_be_written_the_answer_is_still_judged(
    lesson, monkeypatch, capsys
) -> None:
    lesson.write_text("in the way")
    monkeypatch.setattr(session.tempfile, "gettempdir", full_disk)
    check("99.a", double)
    shown = capsys.readouterr().out
    assert "✓ Exercise 99.a" in shown
    assert "Right. But it could not be remembered" in shown


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSYS, errno.ENOLCK])
def test_a_folder_that_takes_no_lock_costs_no_time(
    number: int, lesson, monkeypatch, capsys
) -> None:
    """A read-only folder once cost three seconds a check."""
    real = os.open

    def refuse(path, flags, *rest, **named):
        if "progress.json" in str(path):
            raise OSError(number, os.strerror(number))
        return real(path, flags, *rest, **named)

    monkeypatch.setattr(os, "open", refuse)
    begun = time.monotonic()
    check("99.a", double)
    assert time.monotonic() - begun < kept.PATIENCE / 3
    assert "✓ Exercise 99.a" in capsys.readouterr().out


def test_without_the_package_for_locks_an_answer_is_remembered_all_the_same(
    lesson, monkeypatch, capsys
) -> None:
    """On Colab nothing is installed for a lesson, so it takes what is there."""
    monkeypatch.setitem(sys.modules, "filelock", None)
    check("99.a", double)
    assert "Right. Your answer is remembered." in capsys.readouterr().out
    assert [f.name for f in lesson.iterdir()] == ["progress.json"]


# --- Several kernels ---------------------------------------------------------------------------

KERNELS, ATTEMPTS = 8, 25
KERNEL = f"""
from helpers.exercises import progress
print("ready", flush=True)
input()
for number in range({ATTEMPTS}):
    assert progress.remember("99.a", "wrong", "unchanged")
"""
HOLDER = """
import sys, filelock
with filelock.FileLock(sys.argv[1]):
    print("ready", flush=True)
    input()
"""
PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}


def test_kernels_keep_each_others_progress(lesson) -> None:
    kernels = [subprocess.Popen([sys.executable, "-c", KERNEL], **PIPES) for _ in range(KERNELS)]
    for kernel in kernels:
        assert kernel.stdout.readline() == "ready\n"
    for kernel in kernels:
        kernel.stdin.write("\n")
        kernel.stdin.flush()
    assert {kernel.communicate(timeout=60)[0] for kernel in kernels} == {""}
    assert {kernel.returncode for kernel in kernels} == {0}
    hints = {"unchanged": KERNELS * ATTEMPTS}
    expected = {"status": "wrong", "attempts": KERNELS * ATTEMPTS, "hints": hints}
    assert recorded(lesson) == {"99.a": expected}
    assert {f.name for f in lesson.iterdir()} <= {"progress.json", "progress.json.lock"}


@pytest.fixture
def holder(lesson):
    """Another kernel, which holds the lock until it is killed."""
    lesson.mkdir()
    command = [sys.executable, "-c", HOLDER, str(lesson / "progress.json.lock")]
    with subprocess.Popen(command, **PIPES) as kernel:
        assert kernel.stdout.readline() == "ready\n"
        yield kernel
        kernel.kill()


def test_a_killed_kernel_leaves_no_lock(holder, lesson, capsys) -> None:
    holder.kill()
    holder.wait()
    begun = time.monotonic()
    check("99.a", double)
    assert time.monotonic() - begun < kept.PATIENCE / 3
    assert "Right. Your answer is remembered." in capsys.readouterr().out
    assert recorded(lesson)["99.a"]["attempts"] == 1


def test_a_lock_that_stays_does_not_stop_an_answer(holder, lesson, monkeypatch, capsys) -> None:
    monkeypatch.setattr(kept, "PATIENCE", 0.05)
    check("99.a", double)
    assert "Right. Your answer is remembered." in capsys.readouterr().out
    assert recorded(lesson)["99.a"]["status"] == "passed"
    with pytest.raises(filelock.Timeout):  # whoever holds it still holds it
        filelock.FileLock(lesson / "progress.json.lock", timeout=0).acquire()


def test_the_lock_keeps_another_thread_out(lesson, monkeypatch) -> None:
    """While one is at it, the other waits: the race that the old lock lost."""
    lesson.mkdir()
    file = lesson / "progress.json"
    monkeypatch.setattr(kept, "PATIENCE", 0.05)
    with progress.KEPT._locked(), pytest.raises(filelock.Timeout):
        filelock.FileLock(f"{file}.lock", timeout=0).acquire()
    with filelock.FileLock(f"{file}.lock", timeout=0):  # and it is given back
        pass
