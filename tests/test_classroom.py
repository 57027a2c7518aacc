"""The class copy shows no solution and still runs to the end; gathering survives what is handed in.

The made-up learners are of lesson 00, whose answers need NumPy only and are judged in a second.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import lessons as course
from tools.classroom import copy as copying
from tools.classroom import gather as gathering
from tools.classroom import room
from tools.classroom.copy import copy, hide
from tools.classroom.gather import Handed, gather, judge, report
from tools.classroom.room import Room
from tools.classroom.slicing import Stopped, answers, needed, statements
from tools.publish import address as places

LESSON = course.lessons(["00"])[0]
HASTE = 10  # seconds that an endless loop gets here; NumPy needs far less on a busy machine too


# --- The copy ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def class_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class") / "course"
    said = list(copy(folder))
    assert "00_start_here.ipynb: 3 solutions out of sight" in said
    return folder


def sources(notebook: Path, tag: str) -> list[str]:
    cells = nbformat.read(notebook, as_version=4).cells
    return [cell.source for cell in cells if tag in cell.metadata.get("tags", [])]


def test_every_lesson_is_copied_without_solutions_and_outputs(class_copy: Path) -> None:
    for original in course.lessons():
        copied = class_copy / "notebooks" / original.name
        cells = nbformat.read(copied, as_version=4).cells
        assert not any(cell.get("outputs") for cell in cells)
        kept, before = sources(copied, "solution"), sources(original, "solution")
        assert len(kept) == len(before) >= 2
        for cell, solution in zip(kept, before, strict=True):
            name = ast.parse(solution).body[0]
            assert isinstance(name, ast.FunctionDef | ast.Assign | ast.ClassDef | ast.Import)
            assert "def reference" not in cell
            assert "@title" not in cell
            assert cell.splitlines()[-1].count("adopt(") == 1
        assert sources(copied, "exercise") == sources(original, "exercise")


def test_what_would_give_the_answers_away_stays_behind(class_copy: Path) -> None:
    names = {path.name for path in class_copy.iterdir()}
    assert {"notebooks", "helpers", "data", "requirements.txt", "README.md"} <= names
    assert not {"tools", "tests", ".git", ".course", ".ipynb_checkpoints"} & names
    assert {p.name for p in (class_copy / "notebooks").iterdir()} == {
        *(path.name for path in course.lessons()),
        "GLOSSARY.md",
    }
    text = "".join(p.read_text() for p in (class_copy / "notebooks").glob("*.ipynb"))
    assert "def reference_" not in text
    module = (class_copy / "helpers" / "exercises" / "references.py").read_text()
    assert "def reference" not in module
    readme = (class_copy / "README.md").read_text()
    assert places.address()["repository"] not in text + readme  # where the solutions are


def test_the_readme_of_a_copy_names_nothing_that_it_lacks(class_copy: Path) -> None:
    readme = (class_copy / "README.md").read_text()
    for missing in ("tests/", "pytest", "Colab", ".ci/", "tools", "ZIP", "clone", "address"):
        assert missing not in readme, missing
    assert "jupyter lab" in readme
    container = (class_copy / ".devcontainer" / "devcontainer.json").read_text()
    build = (class_copy / ".binder" / "postBuild").read_text()
    assert "-m tools" not in build and build.endswith('__version__)"\n')
    assert "-m tools" not in container and '"notebooks/00_start_here.ipynb"' in container
    assert "Open a terminal in this folder" in readme
    for heading in ("## The lessons", "## Good to know", "## Licences"):
        assert heading in readme


def test_a_copy_for_publishing_has_an_address_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "course"
    list(copy(folder, "git@github.com:school/class.git"))
    text = (folder / "notebooks" / LESSON.name).read_text()
    assert "colab.research.google.com/github/school/class/blob/main/notebooks/00_" in text
    assert "/school/class/main?urlpath=lab/tree/notebooks/00_" in text  # it has no my/
    assert "tree/my/" not in text + (folder / "README.md").read_text()
    project = (folder / "pyproject.toml").read_text()
    assert 'repository = "https://github.com/school/class"' in project
    readme = (folder / "README.md").read_text()
    assert "codespaces.new/school/class" in readme
    assert "hosted and course not in sys.path" in text  # the cell that fetches the course
    assert places.address()["repository"].split("//")[1] not in text + project + readme
    assert "no address" not in text + readme
    assert "python -m tools" not in text + readme


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError, match="name a new folder"):
        list(copy(tmp_path))


def test_an_address_elsewhere_is_one_sentence_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"copy: .*no repository on GitHub"):
        list(copying.run(tmp_path / "c", "https://example.org/a/b"))
    assert not (tmp_path / "c").exists()


def test_a_solution_cell_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match=r"does not end in adopt"):
        hide("answer = 42")


@pytest.mark.parametrize("answer", ["names[scores.argmax()]", "names[scores[..., 0].argmin()]"])
def test_an_exercise_that_somebody_has_filled_in_is_not_handed_out(answer: str) -> None:
    lesson = nbformat.read(LESSON, as_version=4)
    [first, *_] = [c for c in lesson.cells if "exercise" in c.metadata.get("tags", [])]
    first.source = f"def top_label(scores, names):\n    return {answer}"
    with pytest.raises(ValueError, match="bring its dots back"):
        copying.without_solutions(lesson)


def test_the_hidden_references_are_adopted_in_the_copy(class_copy: Path) -> None:
    """All cells that belong to exercises of lesson 00, in a Python that imports the copy."""
    lesson = nbformat.read(class_copy / "notebooks" / LESSON.name, as_version=4)
    wanted = {"exercise", "check", "solution"}
    cells = [c.source for c in lesson.cells if wanted & set(c.metadata.get("tags", []))]
    code = "\n".join(
        ["import numpy as np", "from helpers.exercises import adopt, check, evaluate", *cells]
    )
    code += '\nprint(evaluate("00.a", top_label).status, evaluate("00.c", fitting).status)'
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=class_copy, capture_output=True, text=True, timeout=100
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("goes on with the reference answer") == 3
    assert run.stdout.strip().endswith("passed passed")


# --- What an answer needs ----------------------------------------------------------------------


def taken(code: str, expression: str = "answer") -> str:
    return "\n".join(needed(expression, statements(code)))


def test_only_what_an_answer_needs_is_taken() -> None:
    text = taken("""
import numpy as np, time
while True: pass
factor = 2
factor = factor + 1
limits = {}
limits["x"] = 3
for step in range(10**9): total = step
def helper(x):
    local = x * factor
    return np.sum(local) + limits["x"]
def unrelated(): return time.time()
def answer(x): return helper(x)
""")
    assert text.splitlines()[-1].startswith("def answer")
    for part in ("import numpy", "factor = 2", "factor + 1", "limits = {}", 'limits["x"] = 3'):
        assert part in text
    for part in ("while", "10**9", "unrelated"):
        assert part not in text


@pytest.mark.parametrize(
    "code",
    [
        "total = 1\ntotal += 2\nanswer = total",
        "answer = {}\nanswer['x'] = 3",
        "answer = []\nanswer.append(3)",
        "answer = [0]\nanswer[0] = 3",
        "answer = 3\nif 2 < 1:\n    answer = 4",
        "answer = [0]\nfor place in [0]:\n    answer[place] = 3",
        "class A: n = 0\nall = [A()]\nfor one in all:\n    one.n = 3\nanswer = all[0].n",
        "from math import *\nanswer = floor(pi)",
        "import functools\n@functools.cache\ndef answer(): return 3",
        "a = 1; b = 2; answer = a + b",
        "answer: int = 3\nanswer: int",
        'answer = 3\nanswer = adopt("00.a", answer, 4)',
        "%matplotlib inline\n!ls\nanswer = 3",
        "%%time\nanswer = 3",
        "answer = (10\n          % 7)",
        "text = '''\n%%time\n'''\nanswer = 3",
        "try:\n    import no_such_package\nexcept ImportError:\n    answer = 3",
        "def set_up():\n    global n\n    n = 3\nset_up()\ndef answer(): return n",
        "def b(): a()\ndef a():\n    global n\n    n = 3\nn = 1\nb()\nanswer = n",
        "n = []\ndef fill(): n.append(3)\nfill()\nanswer = n[0]",
        "n = [1]\ndef fill():\n    n[0] = 3\nagain = fill\nagain()\nanswer = n",
        "n = {}\nfill = lambda: n.update(x=3)\n[fill() for _ in '1']\nanswer = n",
        "class A:\n    def go(self):\n        global n\n        n = 3\na = A()\na.go()\nanswer = n",
        "def make():\n    global answer\n    answer = 3\nmake()",
        "n = []\nsorted([3], key=lambda x: n.append(x) or x)\nanswer = n",
        "def answer(): return helper()\ndef helper(): return n\nn = 3",
        "%time answer = 3",
        "answer = %time 3",
        "%timeit -n1 -r 1 7\nanswer = 3",
    ],
)
def test_an_answer_comes_out_as_in_the_notebook(code: str) -> None:
    names: dict = {}
    exec(taken(code), names)
    found = names["answer"]() if callable(names["answer"]) else names["answer"]
    assert found in (3, [3], {"x": 3}), code


def test_what_a_function_would_change_is_not_run_where_nobody_asks_for_it() -> None:
    text = taken("""
losses, n = [], 1
def train():
    global n
    while True: losses.append(1)
train()
def answer(x): return x
""")
    assert "train" not in text
    assert "train()" in taken("n = 1\ndef train():\n    global n\n    n = 2\ntrain()\nanswer = n")
    only = taken('n = 1\ndef f():\n    global n\n    n = 2\ncheck("00.a", f)\nanswer = n')
    assert only == "n = 1\n\nanswer = n".replace("\n\n", "\n")


def test_cells_of_other_languages_are_left_out() -> None:
    assert statements("%%bash\nls") == []


def test_a_cell_that_is_no_python_matters_only_where_it_is_needed() -> None:
    broken, mended = "def answer(x)\n    return x", "def answer(x):\n    return x"
    cells = [*statements(broken), *statements(mended)]
    assert needed("answer", cells) == [mended]
    with pytest.raises(Stopped, match=r"does not parse: expected ':', line 1"):
        needed("answer", cells[::-1])
    with pytest.raises(Stopped, match="does not parse"):
        needed("answer", statements("answer = '\0'"))
    with pytest.raises(Stopped, match="no cell above the check defines reply"):
        needed("reply", cells)
    together = new_code_cell(broken + '\ncheck("00.a", answer)')
    [found] = answers(new_notebook(cells=[together]))
    assert (found.exercise_id, found.code) == ("00.a", "")
    assert found.problem.startswith("does not parse")


@pytest.mark.parametrize(
    ("check", "found"),
    [
        ('check("00.a", mine)', ("00.a", "mine")),
        ('exercises.check("00.a", answer=lambda p, l: l[0])', ("00.a", "lambda p, l: l[0]")),
        ('check("00", mine)', None),
        ("check(mine)", None),
        ("check", None),
        ('other("00.a", mine)', None),
        ('try:\n    check("00.a", mine)\nexcept Exception:\n    pass', ("00.a", "mine")),
        ('with open("x") as f:\n    if True:\n        check("00.a", mine)', ("00.a", "mine")),
        ('try:\n    1 / 0\nfinally:\n    check("00.a", mine)', ("00.a", "mine")),
        ('for _ in "1":\n    print(check("00.a", mine))', ("00.a", "mine")),
        ('%time check("00.a", mine)', ("00.a", "mine")),
        ('%timeit -n 1 -r1 check("00.a", mine)', ("00.a", "mine")),
        ('passed = %time check("00.a", mine)', ("00.a", "mine")),
        ('try:\n    %time check("00.a", mine)\nexcept OSError: pass', ("00.a", "mine")),
        ('%%capture\n%%time\ncheck("00.a", mine)', ("00.a", "mine")),
        ('passed = check("00.a", mine)', ("00.a", "mine")),
        ('_ = display(check("00.a", mine))', ("00.a", "mine")),
        ('if check("00.a", mine): print("yes")', ("00.a", "mine")),
        ('try: risky()\nexcept OSError: check("00.a", mine)', ("00.a", "mine")),
        ('def later():\n    check("00.a", mine)', None),
    ],
)
def test_checks_are_found_however_they_are_written(check: str, found) -> None:
    asked = [ask for statement in statements(check) for ask in statement.asks]
    assert asked == ([found] if found else [])


def test_all_checks_of_a_line_are_found() -> None:
    assert len(statements('check("00.a", a), check("00.b", b)')[0].asks) == 2
    assert statements('check("00.a", a), check("00.b", b')[0].asks == (("00.a", "a"), ("00.b", "b"))


def test_a_block_around_a_check_is_not_taken_for_the_answer() -> None:
    """It may define the answer, and adopt a solution below."""
    text = """
try:
    def answer(x):
        if x:
            return 3
        else:
            return 4
    check("00.a", answer)
    answer = adopt("00.a", answer, other)
except Exception:
    pass"""
    [found] = answers(new_notebook(cells=[new_code_cell(text)]))
    names: dict = {}
    exec(found.code, names)
    assert (found.problem, names["answer"](1), names["answer"](0)) == ("", 3, 4)


def test_an_answer_of_every_lesson_is_found_with_its_code() -> None:
    for path in course.lessons():
        lesson = nbformat.read(path, as_version=4)
        found = {answer.exercise_id: answer for answer in answers(lesson)}
        exercises = gathering._exercises_of({path.name[:2]})
        assert set(found) >= exercises, path.name
        assert not any(answer.problem for answer in found.values())


# --- Gathering ---------------------------------------------------------------------------------

RIGHT = "def top_label(probabilities, labels):\n    return labels[np.argmax(probabilities[0])]"
INDEX = "def top_label(probabilities, labels):\n    return int(probabilities[0].argmax())"
LOOP = "def top_label(probabilities, labels):\n    while True:\n        pass"
EXIT = "import sys\n\ndef top_label(probabilities, labels):\n    sys.exit(3)"
KILL = "import os\n\ndef top_label(probabilities, labels):\n    os._exit(1)"
SYNTAX = "def top_label(probabilities, labels)\n    return labels[0]"
MUCH = "print('x' * 10**9)\nimport os\nos.system('yes | head -c 100000000')\n\n" + RIGHT
ASKS = "def top_label(probabilities, labels):\n    return input('which? ')"
READS = "def top_label(probabilities, labels):\n    return open('answers.txt').read()"
SPACE = "def top_label(probabilities, labels):\n    return bytearray(10**11)"
CHILD = """\
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])

def top_label(probabilities, labels):
    open({file!r}, "w").write(str(child.pid))
    {then}"""
NETWORK = """\
def top_label(probabilities, labels):
    import socket
    return socket.create_connection(("192.0.2.1", 80), timeout=5)"""
PERCENT = """\
def accuracy(true_labels, predicted_labels):
    return 100 * np.mean(np.array(true_labels) == np.array(predicted_labels))"""


def hand_in(folder: Path, learner: str, a: str | None, b: str = "", **changes: str) -> None:
    """A learner's copy of lesson 00 with other code in the cells of exercises a and b.

    With `also`, a code cell is added at the end; with `check`, the check of exercise a is another.
    """
    lesson = nbformat.read(LESSON, as_version=4)
    tagged = {
        tag: [c for c in lesson.cells if tag in c.metadata.get("tags", [])]
        for tag in ("exercise", "check")
    }
    stubs = tagged["exercise"]
    if a is None:
        lesson.cells.remove(stubs[0])
    else:
        stubs[0].source = a or stubs[0].source
    stubs[1].source = b or stubs[1].source
    if "check" in changes:
        tagged["check"][0].source = changes["check"]
    if "also" in changes:
        lesson.cells.append(new_code_cell(changes["also"]))
    (folder / learner).mkdir()
    nbformat.write(lesson, folder / learner / "lesson 00 (1).ipynb")


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Handed]]:
    folder = tmp_path_factory.mktemp("handed in")
    hand_in(folder, "anna", RIGHT, PERCENT)
    hand_in(folder, "ben", INDEX)
    hand_in(folder, "dan", SYNTAX)
    hand_in(folder, "eva", EXIT)
    hand_in(folder, "finn", None)
    hand_in(folder, "gus", KILL, PERCENT)
    hand_in(folder, "hana", NETWORK)
    hand_in(folder, "lea", MUCH)
    hand_in(folder, "max", ASKS)
    hand_in(folder, "nora", READS)
    hand_in(folder, "otto", RIGHT.replace("top_label", "mine"), check='check("00.a", mine)')
    hand_in(folder, "pia", INDEX, also=RIGHT)  # below the check: Run All does not see it there
    hand_in(folder, "quin", INDEX, also='check("00.a", top_label)')  # below the solution
    if sys.platform == "linux":
        hand_in(folder, "rosa", SPACE)
    (folder / "ida.ipynb").write_text("my homework")
    (folder / "latin.ipynb").write_bytes('{"cells": "\xe9"}'.encode("latin-1"))
    (folder / "list.ipynb").write_text("[1, 2]")
    (folder / "folder.ipynb").mkdir()
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "x.ipynb").write_text("an autosave")
    (folder / "._ida.ipynb").write_text("what a Mac leaves in a ZIP")
    if hasattr(os, "symlink"):
        (folder / "gone.ipynb").symlink_to(folder / "nowhere.ipynb")
        (folder / "zero.ipynb").symlink_to("/dev/zero")
    nbformat.write(new_notebook(cells=[new_markdown_cell("nothing")]), folder / "jo.ipynb")
    part = [new_code_cell(s) for s in ("import numpy as np", INDEX, 'check("00.a", top_label)')]
    text = nbformat.writes(new_notebook(cells=part))
    (folder / "kim.ipynb").write_text("\ufeff" + text, encoding="utf-8")
    old = nbformat.convert(new_notebook(cells=part), 3)
    (folder / "version 3.ipynb").write_text(nbformat.writes(old, version=3), encoding="utf-8")
    progress = {"00.a": {"status": "passed", "attempts": 3, "hints": {"list": 2}}}
    (folder / "anna" / ".course").mkdir()
    (folder / "anna" / ".course" / "progress.json").write_text(json.dumps(progress))
    (folder / "ben" / "progress.json").write_text("[broken")
    found = list(gather(folder))
    return folder, {handed.file.relative_to(folder).parts[0]: handed for handed in found}


@pytest.mark.parametrize(
    ("learner", "status", "says"),
    [
        ("anna", "passed", ""),
        ("ben", "wrong", "the place of a class, not its name"),
        ("dan", "not run", "does not parse"),
        ("eva", "wrong", "SystemExit"),
        ("finn", "not run", "no cell above the check defines top_label"),
        ("gus", "not run", "it ended the kernel"),
        ("hana", "wrong", "no network while answers are gathered"),
        ("lea", "passed", ""),
        ("max", "wrong", "EOFError"),
        ("nora", "wrong", "FileNotFoundError"),
        ("otto", "passed", ""),
        ("pia", "wrong", "the place of a class, not its name"),
        ("quin", "wrong", "the place of a class, not its name"),
        pytest.param(
            *("rosa", "wrong", "MemoryError"),
            marks=pytest.mark.skipif(sys.platform != "linux", reason="has no such limit"),
        ),
        ("kim.ipynb", "wrong", "the place of a class, not its name"),
        ("version 3.ipynb", "wrong", "the place of a class, not its name"),
    ],
)
def test_each_first_answer_gets_what_it_should(handed_in, learner, status, says) -> None:
    first = handed_in[1][learner].outcomes[0]
    assert (first.exercise_id, first.status) == ("00.a", status), first
    assert says in first.sentence


def test_after_the_end_of_a_kernel_the_next_answer_is_judged(handed_in) -> None:
    second, third = handed_in[1]["gus"].outcomes[1:]
    assert (second.status, second.code) == ("wrong", "percent")
    assert third.status == "untouched"


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("ida.ipynb", "is not a notebook"),
        ("latin.ipynb", "is not a notebook (UnicodeDecodeError)"),
        ("list.ipynb", "is not a notebook"),
        ("jo.ipynb", "has no check(...)"),
    ],
)
def test_other_files_are_named(handed_in, file: str, says: str) -> None:
    assert says in handed_in[1][file].problem


def test_what_is_no_file_of_a_learner_is_left_out(handed_in) -> None:
    others = {".ipynb_checkpoints", "._ida.ipynb", "folder.ipynb", "gone.ipynb", "zero.ipynb"}
    assert not others & set(handed_in[1])


def test_what_is_no_notebook_by_its_ending_is_read_or_named(tmp_path: Path) -> None:
    text = nbformat.writes(
        new_notebook(
            cells=[
                new_code_cell("import numpy as np"),
                new_code_cell(RIGHT),
                new_code_cell('check("00.a", top_label)'),
            ]
        )
    )
    read = ["Ann.IPYNB", "ben.ipynb.txt", "cem.ipynb (1).json"]
    for name in read:
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "team").mkdir()
    for name in ("dora.zip", "team/emil.tar.gz", "fay.7z", "gil.py", "hal.PDF", "answers"):
        (tmp_path / name).write_bytes(b"PK")
    for number in range(9):
        (tmp_path / "team" / f"{number}.png").write_bytes(b"")
    (tmp_path / ".DS_Store").write_bytes(b"")
    (tmp_path / "progress.json").write_text("{}")
    found = list(gather(tmp_path))
    assert [handed.file.name for handed in found] == read
    assert {handed.outcomes[0].status for handed in found} == {"passed"}
    _, unread = report(found, tmp_path).split("Not read:")
    for line in (
        "dora.zip is an archive; unpack it here",
        "fay.7z is an archive; unpack it here",
        f"{Path('team/emil.tar.gz')} is an archive; unpack it here",
        "gil.py: no notebook (.py)",
        "hal.PDF: no notebook (.pdf)",
        "answers: no notebook (no ending)",
        "and 6 more: no notebook (.png)",
    ):
        assert line in unread
    assert "progress" not in unread and "DS_Store" not in unread
    assert list(gathering.not_read(tmp_path / "team" / "..")) != []


def test_an_enormous_file_is_not_opened(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(gathering, "LARGEST", 5)
    (tmp_path / "a.ipynb").write_text("[1, 2]")
    assert "is larger than" in judge(tmp_path / "a.ipynb").problem


KERAS = """\
def wire(base, scale):
    inputs = keras.Input((32, 32, 3))
    base.trainable = False
    maps = base({}, training=False)
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(maps))"""


@pytest.mark.parametrize(("given", "code"), [("scale(inputs)", ""), ("inputs", "thrown-away")])
def test_an_answer_that_needs_keras_fits_into_the_limits(tmp_path: Path, given, code) -> None:
    cells = [new_code_cell(s) for s in ("import keras", KERAS.format(given), 'check("02.b", wire)')]
    nbformat.write(new_notebook(cells=cells), tmp_path / "lesson.ipynb")
    found = {outcome.exercise_id: outcome for outcome in judge(tmp_path / "lesson.ipynb").outcomes}
    assert (found["02.b"].status, found["02.b"].code) == ("wrong" if code else "passed", code)
    assert found["02.a"].sentence == "no cell checks it"


@pytest.mark.parametrize(
    ("then", "says"),
    [
        ("while True: pass", f"still running after {HASTE} s"),
        ("os._exit(1)", "it ended the kernel"),
    ],
)
def test_a_kernel_is_ended_with_what_it_started(tmp_path: Path, then: str, says: str) -> None:
    code = CHILD.format(file=str(tmp_path / "pid"), then=then)
    hand_in(tmp_path, "cleo", code, PERCENT)
    [cleo] = gather(tmp_path, seconds=HASTE)
    first, second, third = cleo.outcomes
    assert first.status == "not run"
    assert says in first.sentence
    assert (second.status, second.code) == ("wrong", "percent")
    assert third.status == "untouched"
    child = Path("/proc", (tmp_path / "pid").read_text())
    if Path("/proc").is_dir():
        deadline = time.monotonic() + 60
        while child.is_dir() and " Z " not in (child / "stat").read_text():
            assert time.monotonic() < deadline, "the learner's process still runs"
            time.sleep(0.1)


def test_a_kernel_that_does_not_start_is_not_the_learners_fault(tmp_path, monkeypatch) -> None:
    hand_in(tmp_path, "anna", RIGHT)
    monkeypatch.setattr(room, "PREPARED", "raise OSError('disk full')")
    [anna] = gather(tmp_path)
    assert "the kernel did not start: OSError: disk full" in anna.outcomes[0].sentence


def test_a_kernel_sees_no_passwords_and_an_empty_folder(monkeypatch) -> None:
    monkeypatch.setenv("SCHOOL_TOKEN", "s3cret")
    ask = "(dict(__import__('os').environ), __import__('os').listdir())"
    with Room(60) as judges:
        judges._start("00.a")
        environment, files = ast.literal_eval(judges._run("", 60, {"seen": ask})["seen"])
    assert "s3cret" not in environment.values()
    assert not [name for name in files if not name.startswith((".", "profile_"))]


def test_the_report_counts_by_exercise_and_mistake(handed_in) -> None:
    folder, handed = handed_in
    some = "anna", "ben", "dan", "kim.ipynb", "hana", "nora", "gus", "ida.ipynb"
    text = report([handed[name] for name in some], folder)
    assert "00.a · the most probable label: 1 of 7 passed, 4 wrong, 2 could not be run" in text
    assert "  2 × index: You return" in text
    assert text.count("  1 × raises: Running it raised") == 2  # one for each that was raised
    assert "  2 × percent: You return " in text
    assert "dan/lesson 00 (1).ipynb: does not parse" in text
    assert "ida.ipynb is not a notebook" in text
    assert "00.a: 2 × list" in text
    assert "kim.ipynb: no cell checks it" in text


def test_a_report_is_plain_text_whatever_the_names(tmp_path: Path) -> None:
    text = report([Handed(tmp_path / "\x1b[31mred\n.ipynb", problem="is odd")], tmp_path)
    assert "\x1b" not in text
    assert "[31mred .ipynb is odd" in text


def test_the_commands_print_what_they_did(tmp_path: Path) -> None:
    """Both as they are typed."""
    (tmp_path / "handed in").mkdir()
    hand_in(tmp_path / "handed in", "anna", RIGHT)
    gathered = command("gather", tmp_path / "handed in", "--seconds", "60", "--jobs", "1")
    assert gathered.returncode == 0, gathered.stderr
    assert "1 notebook in" in gathered.stdout
    assert "00.a · the most probable label: 1 of 1 passed" in gathered.stdout
    assert "1: anna" in gathered.stderr
    copied = command("copy", tmp_path / "copy", "--repository", "school/class")
    assert copied.returncode == 0, copied.stderr
    assert "The copy is in" in copied.stdout
    assert "school/class" in (tmp_path / "copy" / "README.md").read_text("utf-8")


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools", *arguments],
        cwd=course.COURSE_ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="there is no folder"):
        list(gathering.run(tmp_path / "nowhere"))
