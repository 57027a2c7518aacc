"""The first cell of a lesson: on Colab it fetches the course, elsewhere it does nothing.

Colab is played as honestly as a test without it can: an empty folder that holds one notebook, an
environment of its own that has TensorFlow but neither the course nor what Colab does not bring
along, Colab's module loaded by the time the kernel starts, and git itself fetching the course.
Only addresses are turned: git's, by its own `insteadOf`, to a clone of this checkout, and pip's,
to a folder that holds nothing but the photographs of solar cells.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import nbformat
import pytest
from conftest import stop_tensorboards
from nbformat.v4 import new_code_cell, new_notebook

from helpers.session import COURSE_ROOT
from tools import lessons as course
from tools import template
from tools.classroom.slicing import statements

FOLDER = "transfer-learning-course"
PUBLISHED = {"repository": "https://github.com/school/class-2", "branch": "main"}
NOBODY = {"repository": "https://github.com/your_name/course", "branch": "main"}

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
    """A clone of this checkout, uncommitted changes included, as somebody has published it."""
    if shutil.which("git") is None or not (COURSE_ROOT / ".git").exists():
        pytest.skip("this copy of the course is no git checkout, so there is nothing to clone")
    folder = tmp_path_factory.mktemp("published") / "course.git"
    git("clone", "--quiet", "--bare", "--no-hardlinks", COURSE_ROOT, folder, cwd=COURSE_ROOT)
    branch = PUBLISHED["branch"]
    git("symbolic-ref", "HEAD", f"refs/heads/{branch}", cwd=folder)
    git("read-tree", git("rev-parse", "HEAD", cwd=COURSE_ROOT).strip(), cwd=folder)
    # The clone's own index, so that nothing changes in the checkout.
    git(f"--git-dir={folder}", f"--work-tree={COURSE_ROOT}", "add", "--all", cwd=COURSE_ROOT)
    tree = git("write-tree", cwd=folder).strip()
    author = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    commit = git(*author, "commit-tree", tree, "-m", "As it is", cwd=folder).strip()
    git("update-ref", f"refs/heads/{branch}", commit, cwd=folder)
    return folder


@pytest.fixture
def cell() -> str:
    """The first cell where the course has an address."""
    return template.template(Path("00_start_here.ipynb"), PUBLISHED)["bootstrap"]


def run(code: str, cwd: Path, published: Path | None) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own in an empty folder; without `published` git finds nothing.

    Site-packages stay visible (TensorFlow is preinstalled on Colab), the course does not.
    """
    script = f"from pathlib import Path\n{NOT_INSTALLED}{code}"
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=cwd,
        env=redirected(published),
        capture_output=True,
        text=True,
        timeout=120,
    )


def redirected(published: Path | None) -> dict[str, str]:
    """The environment in which git finds the clone, or nothing, under the course's address."""
    # Importing the helpers has set some of these in this very process.
    own = ("COURSE_", "GIT_", "JUPYTER_", "KAGGLE_", "PYTEST_", "PYTHON", "TENSORBOARD_", "TF_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(own)}
    source = published.as_uri() if published else "file:///there-is-no-network"
    return environment | {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"url.{source}.insteadOf",
        "GIT_CONFIG_VALUE_0": PUBLISHED["repository"],
        "GIT_CONFIG_KEY_1": "protocol.file.allow",
        "GIT_CONFIG_VALUE_1": "always",
        "GIT_TERMINAL_PROMPT": "0",
    }


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


HALF = """\
#!/bin/sh
for folder; do :; done
mkdir "$folder" "$folder/.git" && touch "$folder/README.md"
exit 128
"""


def test_on_colab_half_a_download_does_not_count(tmp_path, published, cell) -> None:
    """So git ends where the disk is too small for all files: the folder stays, half empty."""
    (tmp_path / "programs").mkdir()
    (tmp_path / "content").mkdir()
    script = tmp_path / "programs" / "git"
    script.write_text(HALF)
    script.chmod(0o755)
    path = f"{script.parent}{os.pathsep}{os.environ['PATH']}"
    small_disk = f"import os\nos.environ['PATH'] = {path!r}\n"
    for _ in range(2):
        result = run(f"{small_disk}{ON_COLAB}{cell}", tmp_path / "content", published)
        assert result.returncode != 0
        assert "CalledProcessError" in result.stderr
        assert not (tmp_path / "content" / FOLDER).exists()
    code = f"{ON_COLAB}{cell}\nimport helpers.session\nprint(helpers.session.__file__)"
    (origin,) = succeeded(run(code, tmp_path / "content", published))
    assert Path(origin).is_relative_to(tmp_path / "content" / FOLDER)
    assert [item.name for item in (tmp_path / "content").iterdir()] == [FOLDER]


def test_on_kaggle_it_is_the_same(tmp_path, published, cell) -> None:
    code = "import os\nos.environ['KAGGLE_KERNEL_RUN_TYPE'] = 'Interactive'\n"
    code += f"{cell}\nimport helpers.session\nprint(helpers.session.__file__)"
    (origin,) = succeeded(run(code, tmp_path, published))
    assert Path(origin).is_relative_to(tmp_path / FOLDER)


def test_outside_colab_the_cell_does_nothing(tmp_path, cell) -> None:
    code = f"before = list(sys.path)\n{cell}\nprint(sys.path == before)"
    assert succeeded(run(code, tmp_path, None)) == ["True"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "hosted", [ON_COLAB, "import os\nos.environ['KAGGLE_KERNEL_RUN_TYPE'] = 'Interactive'\n"]
)
def test_without_an_address_nothing_is_fetched_and_one_sentence_says_what_to_run(
    tmp_path, hosted: str
) -> None:
    """Even where a repository is there to be fetched, under whatever address."""
    cell = template.template(Path("00_start_here.ipynb"), NOBODY)["bootstrap"]
    assert len(cell.splitlines()) <= 20
    refused = "import subprocess\nsubprocess.Popen = None\n"
    result = run(f"{refused}{hosted}{cell}\nprint('goes on')", tmp_path, None)
    assert result.returncode != 0
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "run `python -m tools fork` in a clone of your fork" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_an_address_the_cell_does_nothing_elsewhere(tmp_path) -> None:
    cell = template.template(Path("00_start_here.ipynb"), NOBODY)["bootstrap"]
    assert succeeded(run(f"{cell}\nprint('goes on')", tmp_path, None)) == ["goes on"]


def test_the_cell_installs_nothing(cell) -> None:
    """What Colab has preinstalled stays as it is."""
    assert "pip" not in cell
    assert "install" not in cell


# --- Whole lessons -----------------------------------------------------------------------------

# What this environment has and Colab's does not.
NOT_ON_COLAB = ("elpv_dataset",)
COURSE_PACKAGE = "transfer-learning-with-keras"
RUNNER = """\
import sys
import nbformat
from nbclient import NotebookClient
content = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(content, timeout=300, kernel_name="colab").execute()
nbformat.write(content, sys.argv[2])
"""
WHERE = "import sys\nprint({name: sys.modules[name].__file__ for name in ('helpers', 'keras')})"


class Colab:
    """An environment as Colab's: packages are there, the course is not, google.colab is loaded.

    The packages are links to those of this environment, so that it costs neither time nor space.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "env", symlinks=True)
        self.python = folder / "env" / "bin" / "python"
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.packages = folder / "env" / "lib" / version / "site-packages"
        hidden = (
            *NOT_ON_COLAB,
            "__editable__",
            distribution(COURSE_PACKAGE).name.replace("-", "_"),
        )
        for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
            for item in Path(place).iterdir():
                if not item.name.startswith(hidden) and not (self.packages / item.name).exists():
                    (self.packages / item.name).symlink_to(item)
        colab = folder / "colab" / "google" / "colab"
        colab.mkdir(parents=True)
        (colab / "__init__.py").touch()
        (self.packages / "colab.pth").write_text(f"{folder / 'colab'}\nimport google.colab\n")
        self._add_programs()
        self._add_kernel()

    def _add_programs(self) -> None:
        """Colab's programs are on PATH, and not beside its Python."""
        programs = self.folder / "programs"
        programs.mkdir()
        tensorboard = programs / "tensorboard"
        start = "import sys; from tensorboard.main import run_main; sys.exit(run_main())"
        tensorboard.write_text(f"#!{self.python}\n{start}\n")
        tensorboard.chmod(0o755)

    def _add_kernel(self) -> None:
        folder = self.folder / "jupyter" / "kernels" / "colab"
        folder.mkdir(parents=True)
        command = [str(self.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": command, "display_name": "Colab", "language": "python"}
        (folder / "kernel.json").write_text(json.dumps(spec))

    def environment(self, published: Path, index: Path) -> dict[str, str]:
        return redirected(published) | {
            "COURSE_STRICT": "1",
            "JUPYTER_PATH": str(self.folder / "jupyter"),
            "PATH": f"{self.folder / 'programs'}{os.pathsep}{os.environ['PATH']}",
            "PIP_FIND_LINKS": str(index),
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }

    def run(self, *arguments: str | Path, **options) -> subprocess.CompletedProcess[str]:
        command = [self.python, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=900, **options)

    def installed(self) -> str:
        """Every installed package with its version, and every file beside them."""
        frozen = self.run("-m", "pip", "freeze", "--all", cwd=self.folder)
        assert frozen.returncode == 0, frozen.stderr
        return "\n".join([frozen.stdout, *sorted(item.name for item in self.packages.iterdir())])


@pytest.fixture(scope="module")
def colab(tmp_path_factory: pytest.TempPathFactory) -> Colab:
    if os.name == "nt":
        pytest.skip("Windows lets only administrators make links to the installed packages")
    return Colab(tmp_path_factory.mktemp("colab"))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for pip with the one package that lessons fetch: rebuilt from what is installed."""
    folder = tmp_path_factory.mktemp("index")
    package = distribution("elpv-dataset")
    name = f"elpv_dataset-{package.version}-py3-none-any.whl"
    made_here = ("INSTALLER", "REQUESTED", "direct_url.json")
    with zipfile.ZipFile(folder / name, "w") as wheel:
        for file in package.files:
            if file.suffix != ".pyc" and file.name not in made_here and ".." not in file.parts:
                wheel.write(file.locate(), file.as_posix())
    return folder


def test_the_played_colab_has_tensorflow_and_no_course(colab: Colab, published, index) -> None:
    environment = colab.environment(published, index)
    code = "import tensorflow, sys; print('google.colab' in sys.modules, sys.prefix)"
    played = colab.run("-c", code, cwd=colab.folder, env=environment)
    assert played.stdout.split() == ["True", str(colab.folder / "env")], played.stderr
    for name in ("helpers", "elpv_dataset"):
        missing = colab.run("-c", f"import {name}", cwd=colab.folder, env=environment)
        assert f"No module named '{name}'" in missing.stderr
    installed = colab.installed()
    assert "tensorflow==" in installed
    assert "elpv" not in installed
    assert COURSE_PACKAGE not in installed


# Every lesson runs whole as a test of nbval. Here one of them does once more, as on Colab; of the
# others, what could be another there: the first cell, the imports, `start`, the data, TensorBoard.
# COURSE_ALL_DOORS=1 plays all of them whole.
LESSONS = course.lessons()
WHOLE = LESSONS if os.environ.get("COURSE_ALL_DOORS") == "1" else LESSONS[:1]
ONE_RUN = """\
with tf.summary.create_file_writer(str(runs_folder("{number}") / "played")).as_default():
    tf.summary.scalar("epoch_accuracy", 0.5, step=0)"""


def whole(lesson: Path) -> list[str]:
    return [cell.source for cell in course.read(lesson).cells if cell.cell_type == "code"]


def doors_of(lesson: Path) -> list[str]:
    """The parts of a lesson that may differ from place to place, as cells."""
    kept: list[str] = []
    for source in whole(lesson)[1:]:
        if re.search(r"^%tensorboard\b", source, re.MULTILINE):
            kept.append(ONE_RUN.format(number=lesson.name[:2]))
        if re.search(r"^%(load_ext )?tensorboard\b", source, re.MULTILINE):
            kept.append(source)
            continue
        found = statements(source)
        kept += [statement.code for statement in found if differs(ast.parse(statement.code).body)]
    return kept


def differs(code: list[ast.stmt]) -> bool:
    """Whether a statement imports, starts a lesson, loads data, or names a value for that."""
    [node] = code or [None]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.For | ast.With) or node is None:
        return False
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name | ast.Tuple):
        with contextlib.suppress(ValueError):
            ast.literal_eval(node.value)
            return True
    called = [part.func for part in ast.walk(node) if isinstance(part, ast.Call)]
    return not {ast.unparse(function) for function in called}.isdisjoint(
        {"helpers.start", "load", "data.load"}
    )


class Played:
    """A lesson on the played Colab; the classes below say which lessons."""

    def test_the_lesson_runs_on_colab(
        self, lesson: Path, colab: Colab, published: Path, index: Path, tmp_path: Path
    ) -> None:
        """From nothing but its notebook, and without changing any package that was there before."""
        sources = whole(lesson)[1:] if lesson in WHOLE else doors_of(lesson)
        first = template.template(lesson, PUBLISHED)["bootstrap"]
        content = new_notebook(cells=[new_code_cell(s) for s in (first, *sources, WHERE)])
        desk = tmp_path / "content"
        desk.mkdir()
        nbformat.write(content, desk / lesson.name)
        before = colab.installed()
        environment = colab.environment(published, index)
        try:
            ran = colab.run(
                "-c", RUNNER, lesson.name, tmp_path / "ran.ipynb", cwd=desk, env=environment
            )
        finally:
            stop_tensorboards(since=0, below=desk.resolve())
        assert ran.returncode == 0, ran.stderr[-3000:]
        cells = nbformat.read(tmp_path / "ran.ipynb", as_version=4).cells
        outputs = [output for cell in cells for output in cell.get("outputs", ())]
        assert [o.text for o in outputs if o.get("name") == "stderr"] == []
        shown = [o.get("data", {}).get("text/plain", o.get("text", "")) for o in outputs]
        # With this word TensorBoard says that it did not start.
        assert [text for text in shown if "ERROR" in text] == []
        wanted = [
            cell for cell in cells if re.search(r"^(claim|fact)\(", cell.source, re.MULTILINE)
        ]
        assert sum(text.startswith(("✓ Claim holds", "✓ Fact holds")) for text in shown) >= len(
            wanted
        )
        assert (len(wanted) > 0) == (lesson in WHOLE)
        assert f"'helpers': '{(desk / FOLDER).resolve()}" in shown[-1]
        assert f"'keras': '{colab.packages}" in shown[-1]
        assert colab.installed() == before
        assert {item.name for item in desk.iterdir()} == {lesson.name, FOLDER}


# Two classes, because pytest-xdist gives a class to one worker: so two of them share the work.
@pytest.mark.parametrize("lesson", LESSONS[::2], ids=lambda path: path.stem)
class TestEvenLessons(Played):
    """00, 02, 04 and so on."""


@pytest.mark.parametrize("lesson", LESSONS[1::2], ids=lambda path: path.stem)
class TestOddLessons(Played):
    """01, 03, 05 and so on."""


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_what_is_played_of_a_lesson_has_its_doors(lesson: Path) -> None:
    code, kept = "\n".join(whole(lesson)), "\n".join(doors_of(lesson))
    assert f'helpers.start("{lesson.name[:2]}")' in kept
    for line in re.findall(r"^(?:from helpers|import helpers).*", code, re.MULTILINE):
        assert line in kept or line in child_code(lesson)
    assert bool(re.search(r"\bload\(", kept)) == bool(re.search(r"\bload\(", code))
    assert ("%tensorboard" in kept) == ("%tensorboard" in code)


def child_code(lesson: Path) -> str:
    """Code that a lesson hands to another Python, as a text."""
    trees = [ast.parse(s.code) for cell in whole(lesson) for s in statements(cell)]
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return "\n".join(node.value for node in nodes if isinstance(node.value, str))
