"""Doors to elsewhere: Binder, dev containers, Kaggle. Their files fit the course as it is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import course
from helpers.session import COURSE_ROOT

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


def test_the_dev_container_installs_by_the_readmes_command() -> None:
    container = json.loads(DEV_CONTAINER.read_text(encoding="utf-8"))
    learn = re.search(
        r"^python3 -m venv .+requirements\.txt(?= && \S+/jupyter)", README, re.MULTILINE
    )
    assert container["postCreateCommand"] == learn[0]
    (opened,) = container["customizations"]["codespaces"]["openFiles"]
    assert (COURSE_ROOT / opened).is_file()
    python = container["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert python.removeprefix("${containerWorkspaceFolder}/") in container["postCreateCommand"]


@pytest.mark.parametrize("lesson", course.lessons(), ids=lambda path: path.stem)
def test_every_lesson_has_its_own_doors(lesson: Path) -> None:
    own = course.address()
    name = own["repository"].removeprefix("https://github.com/").rstrip("/")
    badges = course.template(lesson)["badges"]
    doors = dict(re.findall(r"\[([^\]]+)\]\(([^)]+)\)", badges))
    file = f"{own['branch']}/notebooks/{lesson.name}"
    assert doors == {
        "▶ Open in Colab": f"https://colab.research.google.com/github/{name}/blob/{file}",
        "Kaggle": "https://www.kaggle.com/kernels/welcome?src="
        f"https://github.com/{name}/blob/{file}",
        "Binder": f"https://mybinder.org/v2/gh/{name}/{own['branch']}"
        f"?urlpath=lab/tree/notebooks/{lesson.name}",
        "Source": f"https://github.com/{name}/blob/{file}",
        "Map of the lessons": f"https://github.com/{name}#the-lessons",
    }
