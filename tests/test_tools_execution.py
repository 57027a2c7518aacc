"""Running lessons: only a run certifies, a failed one changes nothing, a spread goes on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import pytest
import small_course
from nbformat.v4 import new_code_cell
from small_course import lesson

from helpers import claims, ladder
from tools import execution, freshness
from tools import spread as spreading
from tools.__main__ import main
from tools.execution import Executed, refresh
from tools.spread import spread, summary
from tools.template import Stale, stamp


@pytest.fixture(autouse=True)
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    return small_course.use(small_course.build(tmp_path.resolve() / "course"), monkeypatch)


@pytest.fixture
def path(course: Path) -> Path:
    return course / "notebooks" / "00_first.ipynb"


# --- Refresh -----------------------------------------------------------------------------------


def test_a_lesson_is_executed_stamped_and_fresh(path: Path, capsys) -> None:
    """With a real kernel, in a folder for progress that is not the learner's."""
    cell = new_code_cell("import os\nprint(os.environ['COURSE_SEED'], os.environ['COURSE_STRICT'])")
    nbformat.write(lesson(cell, new_code_cell("print(os.environ['COURSE_HOME'])")), path)
    main(["refresh"])
    assert capsys.readouterr().out.startswith("00_first.ipynb: ")
    content = nbformat.read(path, as_version=4)
    assert content.cells[3].outputs[0].text == "42 1\n"
    assert not Path(content.cells[4].outputs[0].text.strip()).exists()
    assert [cell.execution_count for cell in content.cells[2:]] == [1, 2, 3]
    assert "github.com/someone/fork" in content.cells[2].source
    assert freshness.is_fresh(path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def ran(path: Path, monkeypatch: pytest.MonkeyPatch, **also) -> list[Path]:
    """Let executions do nothing but certify; return a list that grows with each."""
    runs = []

    def execute(content, **environment: str) -> Executed:
        runs.append(path)
        return Executed(content, 1.0, 0.0, **({"helpers": (), "data": (), "began": 9e9} | also))

    monkeypatch.setattr(execution, "execute", execute)
    return runs


def test_only_what_is_stale_is_executed(path: Path, monkeypatch, capsys) -> None:
    runs = ran(path, monkeypatch)
    main(["refresh"])
    main(["refresh", "00"])
    assert len(runs) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "00_first.ipynb is fresh"
    main(["refresh", "--all"])
    assert len(runs) == 2


def test_a_silent_cell_is_told_and_remembered(path: Path, monkeypatch, capfd) -> None:
    monkeypatch.setattr(execution, "SILENT_SECONDS", 0.9)
    speaks = "import time\nfor _ in range(5):\n    print('.')\n    time.sleep(0.2)"
    erased = speaks.replace("print('.')", "print('\\r50 %', end='', flush=True)")
    sleeps = [new_code_cell(code) for code in (speaks, "time.sleep(1.4)", erased, "print(1)")]
    nbformat.write(lesson(*sleeps), path)
    main(["refresh"])
    first, *told = capfd.readouterr().out.splitlines()
    assert first.startswith("00_first.ipynb: ")
    assert told == ["  00, code cell 3: silent for 1 s"]
    assert list(freshness.silent(path)) == ["3"] and 1.4 <= freshness.silent(path)["3"] < 3
    assert freshness.is_fresh(path)
    main(["status"])
    assert capfd.readouterr().out == "00_first  fresh; silent: code cell 3 for 1 s\n"
    monkeypatch.setattr(execution, "SILENT_SECONDS", 5)
    main(["refresh", "--all"])
    assert freshness.silent(path) == {}  # what it was before is no longer said


def test_a_kernel_of_ours_warns_of_nothing(path: Path, capfd) -> None:
    """As ipykernel 7 does of a connection over TCP, once for each run."""
    main(["refresh"])
    assert capfd.readouterr().err == ""


def test_a_lesson_that_fails_is_left_as_it_was(path: Path) -> None:
    content = nbformat.read(path, as_version=4)
    content.cells.append(new_code_cell("raise ValueError('no luck')"))
    nbformat.write(content, path)
    before = path.read_bytes()
    with pytest.raises(Exception, match="no luck"):
        refresh(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_helper_that_changed_during_the_run_is_not_certified(
    path: Path, course: Path, monkeypatch
) -> None:
    now = (course / "helpers/plots/graph.py").stat().st_mtime
    ran(path, monkeypatch, helpers=("plots/graph.py",), began=now - 5)
    before = path.read_bytes()
    with pytest.raises(Stale, match=r"helpers/plots/graph\.py changed while"):
        refresh(path)
    ran(path, monkeypatch, helpers=("plots/gone.py",))
    with pytest.raises(SystemExit, match=r"refresh: helpers/plots/gone\.py changed while"):
        main(["refresh"])
    assert path.read_bytes() == before


def test_what_was_edited_during_the_run_is_not_lost(path: Path, monkeypatch) -> None:
    def execute(content, **environment: str) -> Executed:
        nbformat.write(lesson(new_code_cell("edited")), path)
        return Executed(content, 1.0, 0.0, (), (), 9e9)

    monkeypatch.setattr(execution, "execute", execute)
    with pytest.raises(Stale, match=r"00_first\.ipynb was edited while it ran"):
        refresh(path)
    assert nbformat.read(path, as_version=4).cells[3].source == "edited"


def test_a_killed_write_leaves_the_lesson_whole(path: Path, monkeypatch) -> None:
    ran(path, monkeypatch)
    before = path.read_bytes()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        refresh(path)
    with pytest.raises(KeyboardInterrupt):
        stamp(path)
    assert path.read_bytes() == before


# --- Spread ------------------------------------------------------------------------------------


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds with which the lesson has run; no kernel starts."""
    seeds = []

    def execute(content, **environment: str) -> Executed:
        seed = int(environment["COURSE_SEED"])
        seeds.append(seed)
        line = {"id": "00.a", "seed": seed, "holds": seed != 142, "evidence": {"gain": seed / 7}}
        reached = {"accuracy": seed / 1000, "loss": 1.23456, "seconds": 9, "test": "0129"}
        rung = {"rung": "00.frozen", "seed": seed, "pixels": 64, "trained": "head", **reached}
        log = Path(environment["COURSE_CLAIMS_LOG"])
        log.write_text(json.dumps(line) + "\n" + json.dumps(rung) + "\n")
        return Executed(content, 1.0, 0.0, ("plots/graph.py",), ("recorded/ladder.json",), 9e9)

    monkeypatch.setattr(spreading, "execute", execute)
    return seeds


def test_spread_records_every_claim_of_every_seed(path: Path, runs: list[int]) -> None:
    claims.RECORD.write_text('{"00.gone": {}, "01.other": {"seeds": []}}')
    lines = list(spread([path], runs=3))
    assert lines[-3:] == [
        "  00.a: held 2 of 3",
        "  rung 00.frozen: validation accuracy 4.2% to 24.2%",
        "  drawn: ladder.png",
    ]
    assert json.loads(claims.RECORD.read_text()) == {
        "00.a": {"seeds": [42, 142, 242], "held": 2, "evidence": {"gain": [6.0, 20.29, 34.57]}},
        "01.other": {"seeds": []},
    }


def test_spread_records_every_rung_of_every_seed(path: Path, runs: list[int]) -> None:
    ladder.RECORD.write_text('{"00.gone": {}, "01.other": {"seeds": []}}')
    list(spread([path], runs=2))
    assert json.loads(ladder.RECORD.read_text()) == {
        "00.frozen": {
            "pixels": 64,
            "trained": "head",
            "seeds": [42, 142],
            "accuracy": [0.042, 0.142],
            "loss": [1.235, 1.235],
            "seconds": [9.0, 9.0],
            "test": ["0129", "0129"],
        },
        "01.other": {"seeds": []},
    }


def test_a_spread_that_was_stopped_goes_on_where_it_was(path: Path, runs: list[int]) -> None:
    before = claims.RECORD.read_bytes()
    stopped = spread([path], runs=3)
    next(stopped)
    next(stopped)
    stopped.close()
    assert runs == [42, 142]
    assert claims.RECORD.read_bytes() == before  # not before all seeds are there
    lines = list(spread([path], runs=3))
    assert runs == [42, 142, 242]
    assert lines[:3] == [
        "00_first.ipynb, seed 42: known from an earlier run",
        "00_first.ipynb, seed 142: known from an earlier run",
        "00_first.ipynb, seed 242: 1 s",
    ]
    assert json.loads(claims.RECORD.read_text())["00.a"]["seeds"] == [42, 142, 242]


@pytest.mark.parametrize(
    ("name", "text", "again"),
    [
        ("helpers/plots/graph.py", "def draw():\n    return 2\n", True),
        ("helpers/plots/graph.py", "def draw():\n    return 1  # in other words\n", False),
        ("helpers/plots/curves.py", "WIDTH = 3\n", False),
        ("requirements.txt", "keras>=3.12\n", True),
        ("data/recorded/claims.json", '{"00.a": {}}', False),
        ("data/recorded/ladder.json", '{"01.a": {}}', False),
    ],
)
def test_what_an_earlier_run_said_counts_while_nothing_else_has_changed(
    path: Path, course: Path, runs: list[int], name: str, text: str, again: bool
) -> None:
    list(spread([path], runs=1))
    (course / name).write_text(text)
    list(spread([path], runs=1))
    assert runs == [42] * (1 + again)


def test_a_changed_cell_runs_again_and_prose_does_not(path: Path, runs: list[int]) -> None:
    list(spread([path], runs=1))
    content = nbformat.read(path, as_version=4)
    content.cells[0].source = "# 00 · In other words"
    nbformat.write(content, path)
    list(spread([path], runs=1))
    assert runs == [42]
    content.cells.append(new_code_cell("1"))
    nbformat.write(content, path)
    list(spread([path], runs=1))
    assert runs == [42, 42]


def test_evidence_that_some_seeds_did_not_measure_is_left_out_and_named() -> None:
    lines = [
        {"id": "00.a", "seed": 42, "holds": True, "evidence": {"gain": 1 / 3, "epoch": 2}},
        {"id": "00.a", "seed": 142, "holds": True, "evidence": {"gain": 1.0, "late": 7}},
    ]
    entry, left_out = summary(lines)
    assert entry == {"seeds": [42, 142], "held": 2, "evidence": {"gain": [0.3333, 1.0]}}
    assert left_out == ["epoch", "late"]


def test_a_lesson_without_claims_has_none(path: Path, monkeypatch) -> None:
    nothing = Executed(lesson(), 1.0, 0.0, (), (), 9e9)
    monkeypatch.setattr(spreading, "execute", lambda content, **environment: nothing)
    assert list(spread([path], runs=1)) == ["00_first.ipynb, seed 42: 1 s"]
    assert json.loads(claims.RECORD.read_text()) == {}
