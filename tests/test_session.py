"""The seed, the folder for what a learner makes, and a quiet start."""

from __future__ import annotations

import errno
import importlib.util
import io
import os
import stat
import subprocess
import sys
import types
from pathlib import Path

import pytest

import helpers
from helpers import session
from helpers.session import personal_folder, silenced_stderr


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A personal folder of our own, not made yet, and a temporary folder to fall back to."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(session.tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    session._private_folder.cache_clear()
    return tmp_path / "home"


# --- The seed ----------------------------------------------------------------------------------


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


@pytest.mark.parametrize("text", ["abc", "", "-1", "4.5", "²", str(2**32)])
def test_what_is_no_seed_is_refused_by_name(text: str, monkeypatch) -> None:
    monkeypatch.setenv("COURSE_SEED", text)
    with pytest.raises(ValueError, match=f"COURSE_SEED is '{text}'.* from 0 to 4294967295"):
        session_read_again()


# --- The personal folder -----------------------------------------------------------------------


def test_the_personal_folder_is_made_where_it_is_wanted(home, capsys) -> None:
    assert personal_folder() == home
    assert list(home.iterdir()) == []  # no trace of the probe
    assert capsys.readouterr().out == ""


def test_the_personal_folder_may_be_below_home(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # Windows
    monkeypatch.setenv("COURSE_HOME", "~/course home")
    assert personal_folder() == tmp_path / "course home"


def full_disk(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class FileOnFullDisk(io.BytesIO):
    """It can be made, but nothing goes in."""

    write = full_disk


OBSTACLES = {"a folder that refuses": full_disk, "a full disk": lambda **_: FileOnFullDisk()}


@pytest.mark.parametrize("obstacle", ["a file in its place", *OBSTACLES])
def test_an_unwritable_folder_falls_back_and_says_so_once(
    obstacle: str, home, monkeypatch, tmp_path: Path, capsys
) -> None:
    if obstacle == "a file in its place":
        home.write_text("in the way")
    else:
        monkeypatch.setattr(session.tempfile, "TemporaryFile", OBSTACLES[obstacle])
    found = [personal_folder() for _ in range(3)]
    assert found[0].parent == tmp_path / "temporary"
    assert found == [found[0]] * 3
    shown = capsys.readouterr().out
    assert shown.count("cannot be written") == 1
    assert str(home) in shown
    assert str(found[0]) in shown


def test_the_fallback_is_private_and_its_name_cannot_be_guessed(home, tmp_path: Path) -> None:
    """In a folder that all users share, a known name may be somebody else's link."""
    (tmp_path / "temporary" / "course").symlink_to(tmp_path)
    home.write_text("in the way")
    first = personal_folder()
    assert not first.is_symlink()
    assert stat.S_IMODE(first.stat().st_mode) == 0o700
    session._private_folder.cache_clear()  # as in another session
    os.environ["COURSE_HOME"] = str(home)
    assert personal_folder() not in (first, tmp_path / "temporary" / "course")


def test_child_processes_use_the_same_fallback(home) -> None:
    home.write_text("in the way")
    found = personal_folder()
    ask = "from helpers.session import personal_folder; print(personal_folder())"
    told = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True).stdout
    assert told == f"{found}\n"


def test_where_no_folder_can_be_made_the_wanted_one_is_named(home, monkeypatch, capsys) -> None:
    home.write_text("in the way")
    monkeypatch.setattr(session.tempfile, "gettempdir", full_disk)
    assert personal_folder() == home
    assert capsys.readouterr().out == ""


# --- Quiet -------------------------------------------------------------------------------------


def test_what_libraries_print_is_held_back_and_shown_only_on_failure(capfd) -> None:
    with silenced_stderr():
        os.write(2, b"chatter\n")
    assert capfd.readouterr().err == ""
    with pytest.raises(ValueError, match="stopped"), silenced_stderr():
        os.write(2, b"the reason\n")
        raise ValueError("stopped")
    assert capfd.readouterr().err == "the reason\n"
    os.write(2, b"heard again\n")
    assert capfd.readouterr().err == "heard again\n"


def test_the_table_of_rooms_names_them_all() -> None:
    folder = Path(helpers.__file__).parent
    rooms = {f.stem for f in folder.glob("*.py")} | {
        f.parent.name for f in folder.glob("*/__init__.py")
    }
    for room in rooms - {"__init__"}:
        assert f"\n``{room}``" in helpers.__doc__, room
    for line in helpers.__doc__.splitlines():
        if line.startswith("``"):
            assert line.split("``")[1] in rooms, line
