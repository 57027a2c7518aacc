"""Doors to elsewhere: Binder, dev containers, Kaggle. Their files fit the course as it is."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.session import COURSE_ROOT
from tools import learn, lessons, template

BINDER = COURSE_ROOT / ".binder"
DEV_CONTAINER = COURSE_ROOT / ".devcontainer" / "devcontainer.json"
PROJECT = (COURSE_ROOT / "pyproject.toml").read_text(encoding="utf-8")
README = (COURSE_ROOT / "README.md").read_text(encoding="utf-8")
TESTED_ON = (3, 11)  # the Python of .ci/last-green.txt


def at_least() -> tuple[int, ...]:
    return tuple(map(int, re.search(r'requires-python = ">=([\d.]+)"', PROJECT)[1].split(".")))


def test_binder_installs_what_the_readme_does() -> None:
    """By the same file, from the repository's root, so that `-e .` in it means the course."""
    lines = (BINDER / "requirements.txt").read_text(encoding="utf-8").split()
    assert lines == ["-r", "../requirements.txt"]
    assert "-e ." in (COURSE_ROOT / "requirements.txt").read_text(encoding="utf-8")


def test_binder_and_dev_container_have_a_python_that_the_course_runs_on() -> None:
    runtime = (BINDER / "runtime.txt").read_text(encoding="utf-8").strip()
    image = json.loads(DEV_CONTAINER.read_text(encoding="utf-8"))["image"]
    for text in (runtime.removeprefix("python-"), image.rpartition(":")[2]):
        assert tuple(map(int, text.split("."))) == TESTED_ON >= at_least()


def test_binder_builds_no_image_in_which_the_course_does_not_work() -> None:
    script = BINDER / "postBuild"
    assert os.name == "nt" or os.access(script, os.X_OK)
    code = re.search(r'^python -c "(.+)"$', script.read_text(encoding="utf-8"), re.MULTILINE)[1]
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_binder_opens_a_copy_without_outputs_as_the_first_command_does() -> None:
    """A recorded output under a prediction would answer it."""
    assert (BINDER / "postBuild").read_text(encoding="utf-8").endswith("tools learn --no-lab\n")
    (link,) = re.findall(r"mybinder\.org/\S+?urlpath=lab/tree/([^)]+)\)", README)
    assert link == f"{learn.folder().name}/{learn.FIRST}"


def test_the_dev_container_installs_by_the_readmes_command() -> None:
    container = json.loads(DEV_CONTAINER.read_text(encoding="utf-8"))
    learn = re.search(r"^python3 -m venv .+ -m tools learn$", README, re.MULTILINE)
    assert container["postCreateCommand"] == f"{learn[0]} --no-lab"  # the editor is there already
    (opened,) = container["customizations"]["codespaces"]["openFiles"]
    assert opened.startswith("my/")
    assert (COURSE_ROOT / "notebooks" / opened.removeprefix("my/")).is_file()
    python = container["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert python.removeprefix("${containerWorkspaceFolder}/") in container["postCreateCommand"]


@pytest.mark.parametrize("lesson", lessons.lessons(), ids=lambda path: path.stem)
def test_every_lesson_has_its_own_doors(lesson: Path) -> None:
    own = {"repository": "https://github.com/school/class-2/", "branch": "spring"}
    badges = template.template(lesson, own)["badges"]
    doors = dict(re.findall(r"\[([^\]]+)\]\(([^)]+)\)", badges))
    name, file = "school/class-2", f"spring/notebooks/{lesson.name}"
    assert doors == {
        "▶ Open in Colab": f"https://colab.research.google.com/github/{name}/blob/{file}",
        "Kaggle": "https://www.kaggle.com/kernels/welcome?src="
        f"https://github.com/{name}/blob/{file}",
        "Binder": f"https://mybinder.org/v2/gh/{name}/spring?urlpath=lab/tree/my/{lesson.name}",
        "Source": f"https://github.com/{name}/blob/{file}",
        "Map of the lessons": f"https://github.com/{name}#the-lessons",
    }


# --- What the README says to type --------------------------------------------------------------

COMMANDS = [
    command
    for block in re.findall(r"<!-- command -->\n```bash\n(.*?)```", README, re.DOTALL)
    for command in block.splitlines()
]
# How a test tries a command that would take minutes, write into this checkout, or is run whole in
# a test file of its own (fork, copy, gather, pages, slides): what is typed after it.
INSTEAD = {
    "python -m tools --help": [],
    "python -m tools status": [],
    "python -m pytest --stale": ["--collect-only", "-n0", "tests/test_launch.py"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_readme_runs(command: str) -> None:
    python, *arguments = shlex.split(command)
    assert python == "python"
    more = INSTEAD.get(command, ["--help"])
    ran = subprocess.run(
        [sys.executable, *arguments, *more], cwd=COURSE_ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_no_command_of_the_readme_is_left_untried() -> None:
    """The learner's command is tried in test_jupyterlab.py, the test command by .ci/run."""
    named = re.findall(r"^(?:python3?|pip|jupyter|\./?\S+|\.\S+) .+$", README, re.MULTILINE)
    others = [command for command in named if command not in COMMANDS]
    assert len(others) == 2
    assert all(command.startswith("python3 -m venv ") for command in others)
    used = set(re.findall(r"`python -m tools ([a-z]+)", README))
    known = {command.split()[3] for command in COMMANDS if "-m tools" in command}
    assert used <= known
    assert len(COMMANDS) >= 8
