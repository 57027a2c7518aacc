"""`python -m tools`: every command has its line of help, and a mistake gets a sentence."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import small_course
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_output
from PIL import Image
from small_course import lesson

from helpers.session import COURSE_ROOT
from tools import catalogues, lessons
from tools.__main__ import COMMANDS, main

NAMES = [command.__name__ for command in COMMANDS]


def run(*arguments: str) -> str:
    command = [sys.executable, "-m", "tools", *arguments]
    done = subprocess.run(command, cwd=COURSE_ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help_lists_every_command_with_a_line() -> None:
    text = run("--help")
    assert len(NAMES) >= 13
    for command in COMMANDS:
        assert any(line.split()[:1] == [command.__name__] for line in text.splitlines())
        assert command.__doc__.splitlines()[0].split()[0] in text


@pytest.mark.parametrize("name", NAMES)
def test_each_command_has_help(name: str) -> None:
    assert f"python -m tools {name}" in run(name, "--help")


def test_status_has_a_line_for_each_lesson_and_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom tools.__main__ import main\nmain(['status'])\n"
        "print(sorted({'tensorflow', 'keras', 'nbclient', 'sphinx'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=COURSE_ROOT, capture_output=True, text=True)
    *lines, heavy = done.stdout.splitlines()
    assert heavy == "[]", done.stderr
    assert [line.split()[0] for line in lines] == [path.stem for path in lessons.lessons()]
    assert all(line.split(maxsplit=1)[1].startswith(("fresh", "stale: ")) for line in lines)


@pytest.mark.parametrize(
    "command", ["stamp", "refresh", "tidy", "status", "spread", "guide", "glossary"]
)
def test_a_lesson_that_is_not_there_is_one_sentence(command: str) -> None:
    with pytest.raises(SystemExit, match=rf"^{command}: no lesson 99 in "):
        main([command, "99"])


@pytest.mark.parametrize("arguments", [[], ["bake"], ["spread", "--runs", "0"], ["pages"]])
def test_what_is_no_command_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2


def test_an_address_that_is_none_is_one_sentence() -> None:
    with pytest.raises(SystemExit, match=r"^fork: 'nowhere' is no repository on GitHub"):
        main(["fork", "nowhere"])


def test_stamping_and_tidying_say_what_they_did(tmp_path: Path, monkeypatch, capsys) -> None:
    small_course.use(small_course.build(tmp_path / "course"), monkeypatch)
    for command in ("stamp", "stamp", "tidy", "tidy"):
        main([command])
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == [
        *("stamped", "unchanged"),
        *("tidied", "unchanged"),
    ]


def test_a_page_keeps_the_words_of_its_figures(tmp_path: Path, monkeypatch, capsys) -> None:
    course = small_course.use(small_course.build(tmp_path / "course"), monkeypatch)
    file = io.BytesIO()
    Image.new("RGB", (120, 120)).save(file, "PNG")
    alt = 'Bars "rise" & fall'
    picture = new_output(
        "display_data",
        {"image/png": base64.b64encode(file.getvalue()).decode()},
        metadata={"image/png": {"alt": alt}},
    )
    cell = new_code_cell("draw()", outputs=[picture])
    nbformat.write(lesson(cell), course / "notebooks" / "00_first.ipynb")
    main(["html", str(tmp_path / "pages"), "00"])
    html = (tmp_path / "pages" / "00_first.html").read_text(encoding="utf-8")
    assert BeautifulSoup(html, "html.parser").img["alt"] == alt
    assert "00_first.html" in capsys.readouterr().out


def test_a_catalogue_has_answers_of_every_kind() -> None:
    found = catalogues.catalogue("00")
    assert list(found) == sorted(found)
    assert all({"stub", "right", "wrong"} <= set(kinds) for kinds in found.values())
    with pytest.raises(ModuleNotFoundError, match="lesson_99"):
        catalogues.catalogue("99")
