"""A small course in a folder of its own, for tests of the tools that look after the lessons."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers import claims, ladder
from tools import lessons

ADDRESS = "https://github.com/someone/fork"
FILES = {
    "pyproject.toml": f'[tool.course]\nrepository = "{ADDRESS}/"\nbranch = "spring"\n',
    "requirements.txt": "# What it needs\nkeras>=3  # the API\n\n# How it is tested\npytest>=8\n",
    "helpers/__init__.py": '"""A face."""\n',
    "helpers/plots/__init__.py": '"""A face."""\n',
    "helpers/plots/graph.py": '"""A room."""\n\n\ndef draw():\n    return 1  # what is drawn\n',
    "helpers/plots/curves.py": "WIDTH = 2\n",
    "helpers/exercises/lesson_00.py": "EXERCISES = {}\n",
    "data/recorded/claims.json": "{}\n",
    "data/recorded/ladder.json": "{}\n",
    "data/recorded/map.csv": "images\n",
    "data/backbones.csv": "name\n",
    "data/checksums.sha256": "00aa  stamps/manifest.csv\n11bb  fashion/fashion.npz\n",
    "data/stamps/manifest.csv": "file\n",
    "data/stamps/train/bird/bird_1.jpg": "",
    "data/fashion/fashion.npz": "",
}


def use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the tools work on the course in this folder."""
    monkeypatch.setattr(lessons, "COURSE_ROOT", folder)
    monkeypatch.setattr(lessons, "NOTEBOOKS", folder / "notebooks")
    monkeypatch.setattr(claims, "RECORD", folder / "data" / "recorded" / "claims.json")
    monkeypatch.setattr(ladder, "RECORD", folder / "data" / "recorded" / "ladder.json")
    return folder


def build(folder: Path) -> Path:
    """Write the course, with one lesson, into a folder."""
    for name, content in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    (folder / "notebooks").mkdir()
    nbformat.write(lesson(), folder / "notebooks" / "00_first.ipynb")
    return folder


def lesson(*cells: NotebookNode) -> NotebookNode:
    """A lesson with what every lesson begins with, and these cells."""
    return new_notebook(
        cells=[
            new_markdown_cell("# 00 · First"),
            new_markdown_cell("x", metadata={"tags": ["badges"]}),
            new_code_cell("pass", metadata={"tags": ["bootstrap"]}),
            *cells,
        ]
    )
