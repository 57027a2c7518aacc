"""The first cell of a lesson: on Colab it fetches the course, elsewhere it does nothing.

Colab is played as honestly as a test without it can: a process of its own in an empty folder,
with Colab's module loaded and the course not installed, and git itself fetching the course. Only
the address is turned, by git's own `insteadOf`, to a clone of this checkout.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import course
from helpers.session import COURSE_ROOT

FOLDER = "transfer-learning-course"

# Hide the course where this environment has it installed: Colab does not.
NOT_INSTALLED = """\
import sys
sys.meta_path = [f for f in sys.meta_path if "__editable__" not in getattr(f, "__module__", "")]
sys.path = [p for p in sys.path if p and not (Path(p) / "helpers" / "session.py").is_file()]
sys.path_importer_cache.clear()
try:
    import helpers
except ModuleNotFoundError:
    pass
else:
    sys.exit(f"the course is still importable from {helpers.__file__}")
"""
ON_COLAB = """\
import types
sys.modules["google.colab"] = types.ModuleType("google.colab")
"""


def git(*arguments: str | Path, cwd: Path) -> str:
    command = ["git", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of this checkout's last commit under the branch's published name."""
    if shutil.which("git") is None or not (COURSE_ROOT / ".git").exists():
        pytest.skip("this copy of the course is no git checkout, so there is nothing to clone")
    folder = tmp_path_factory.mktemp("published") / "course.git"
    git("clone", "--quiet", "--bare", "--no-hardlinks", COURSE_ROOT, folder, cwd=COURSE_ROOT)
    branch = course.address()["branch"]
    head = git("rev-parse", "HEAD", cwd=COURSE_ROOT).strip()
    git("update-ref", f"refs/heads/{branch}", head, cwd=folder)
    return folder


@pytest.fixture
def cell() -> str:
    return course.template(Path("00_start_here.ipynb"))["bootstrap"]


def run(code: str, cwd: Path, published: Path | None) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own in an empty folder; without `published` git finds nothing.

    Site-packages stay visible (TensorFlow is preinstalled on Colab), the course does not.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "PYTHON"))}
    source = published.as_uri() if published else "file:///there-is-no-network"
    environment |= {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"url.{source}.insteadOf",
        "GIT_CONFIG_VALUE_0": course.address()["repository"],
        "GIT_CONFIG_KEY_1": "protocol.file.allow",
        "GIT_CONFIG_VALUE_1": "always",
        "GIT_TERMINAL_PROMPT": "0",
    }
    script = f"from pathlib import Path\n{NOT_INSTALLED}{code}"
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def succeeded(result: subprocess.CompletedProcess[str]) -> list[str]:
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout.splitlines()


def test_on_colab_the_course_is_fetched_and_imported(tmp_path, published, cell) -> None:
    (tmp_path / "content").mkdir()
    code = f"{ON_COLAB}{cell}\nimport helpers.session\nprint(helpers.session.__file__)"
    (origin,) = succeeded(run(code, tmp_path / "content", published))
    clone = tmp_path / "content" / FOLDER
    assert Path(origin) == (clone / "helpers" / "session.py").resolve()
    assert list((tmp_path / "content").iterdir()) == [clone]
    assert any((clone / "data" / "weights").iterdir())
    assert git("rev-list", "--count", "HEAD", cwd=clone).strip() == "1"  # no history to download


def test_on_colab_a_second_run_changes_nothing(tmp_path, published, cell) -> None:
    code = f"{ON_COLAB}{cell}\nbefore = list(sys.path)\n"
    code += f"os.environ['PATH'] = ''\n{cell}\nprint(sys.path == before, sys.path.count(course))"
    assert succeeded(run(code, tmp_path, published)) == ["True 1"]


def test_on_colab_a_restarted_kernel_uses_what_was_fetched(tmp_path, published, cell) -> None:
    succeeded(run(f"{ON_COLAB}{cell}", tmp_path, published))
    marker = tmp_path / FOLDER / "marker"
    marker.touch()
    code = f"{ON_COLAB}{cell}\nimport helpers.session\nprint(helpers.session.__file__)"
    (origin,) = succeeded(run(code, tmp_path, None))  # now without a network
    assert Path(origin).is_relative_to(tmp_path / FOLDER)
    assert marker.exists()


def test_on_colab_a_failed_download_is_not_passed_over(tmp_path, cell) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    result = run(f"{ON_COLAB}{cell}", tmp_path, None)
    assert result.returncode != 0
    assert "CalledProcessError" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_outside_colab_the_cell_does_nothing(tmp_path, cell) -> None:
    code = f"before = list(sys.path)\n{cell}\nprint(sys.path == before)"
    assert succeeded(run(code, tmp_path, None)) == ["True"]
    assert list(tmp_path.iterdir()) == []


def test_the_cell_installs_nothing(cell) -> None:
    """What Colab has preinstalled stays as it is."""
    assert "pip" not in cell
    assert "install" not in cell
