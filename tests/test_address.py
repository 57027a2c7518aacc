"""One address for the whole course: a fork re-points every link with one command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from helpers.session import COURSE_ROOT
from tools import lessons, template
from tools.freshness import fingerprint
from tools.publish.address import (
    NO_ADDRESS,
    SKIPPED,
    AddressProblem,
    address,
    disagreeing,
    is_placeholder,
    origin,
    parse,
    repointed,
    site,
    texts,
)

HERE = {"repository": "https://github.com/one/course", "branch": "main"}
THERE = {"repository": "https://github.com/school/class-2", "branch": "spring"}
LINKS = {
    "https://github.com/{}": "",
    "[map](https://github.com/{}#the-lessons)": "",
    "It lives at github.com/{}.": "",
    "git@github.com:{}.git": "",
    "git clone https://github.com/{}.git here": "",
    "(https://github.com/{}/archive/refs/heads/{}.zip)": "branch",
    "https://github.com/{}/blob/{}/notebooks/00_x.ipynb": "branch",
    "https://github.com/{}/tree/{}": "branch",
    "https://raw.githubusercontent.com/{}/{}/README.md": "branch",
    "https://colab.research.google.com/github/{}/blob/{}/notebooks/00_x.ipynb": "branch",
    "https://mybinder.org/v2/gh/{}/{}?urlpath=lab/tree/notebooks": "branch",
    "https://codespaces.new/{}?quickstart=1": "",
    "https://www.kaggle.com/kernels/welcome?src=https://github.com/{}/blob/{}/x.ipynb": "branch",
}


@pytest.mark.parametrize("link", LINKS)
def test_every_kind_of_link_is_repointed(link: str) -> None:
    assert repointed(link.format("one/course", "main"), HERE, THERE) == link.format(
        "school/class-2", "spring"
    )


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/one/course2",
        "https://github.com/someone/course/blob/main/README.md",
        "https://github.com/two/course",
        "github.com/one",
        "one/course",
    ],
)
def test_other_peoples_addresses_stay(text: str) -> None:
    assert repointed(text, HERE, THERE) == text


def test_the_site_moves_along() -> None:
    assert repointed("https://one.github.io/course/x.html", HERE, THERE) == (
        "https://school.github.io/class-2/x.html"
    )
    assert site("https://github.com/School/Class") == "https://school.github.io/Class"


@pytest.mark.parametrize("link", LINKS)
def test_a_place_that_disagrees_is_found(link: str) -> None:
    text = link.format("one/course", "main")
    assert disagreeing(text, HERE, COURSE_ROOT) == []
    launch_or_file = ("colab", "mybinder", "codespaces", "raw.", "archive")
    if any(word in link for word in launch_or_file):
        assert len(disagreeing(link.format("two/course", "main"), HERE, COURSE_ROOT)) == 1
    if LINKS[link] == "branch":
        assert len(disagreeing(link.format("one/course", "old"), HERE, COURSE_ROOT)) == 1


def test_a_link_to_a_file_of_this_course_elsewhere_is_found() -> None:
    link = "https://github.com/{}/blob/main/{}"
    assert disagreeing(link.format("two/course", "README.md"), HERE, COURSE_ROOT) != []
    assert disagreeing(link.format("keras-team/keras", "keras/src/x.py"), HERE, COURSE_ROOT) == []


def test_no_place_in_the_course_disagrees_with_its_address() -> None:
    """README, badges, bootstrap, Binder, dev container: all name the one address."""
    own = address()
    found = {file: disagreeing(text, own, COURSE_ROOT) for file, text in texts(COURSE_ROOT)}
    assert {str(file): links for file, links in found.items() if links} == {}


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/school/class-2",
        "https://github.com/school/class-2/",
        "https://github.com/school/class-2.git",
        "https://someone:secret@github.com/school/class-2.git\n",
        "https://www.github.com/school/class-2",
        "git@github.com:school/class-2.git",
        "git@github.com:school/class-2",
        "ssh://git@github.com/school/class-2.git",
        "ssh://git@ssh.github.com:443/school/class-2.git",
        "git://github.com/school/class-2.git",
        "github.com/school/class-2",
        "school/class-2",
    ],
)
def test_an_address_is_understood_however_it_is_written(text: str) -> None:
    assert parse(text) == "school/class-2"


@pytest.mark.parametrize(
    "text",
    [
        "https://gitlab.com/school/class-2",
        "git@git.school.example:class-2.git",
        "https://example.org/github.com/school/class-2",
        "../course.git",
        "https://github.com/school",
        "",
    ],
)
def test_an_address_that_is_not_on_github_is_refused(text: str) -> None:
    with pytest.raises(AddressProblem, match=r"no repository on GitHub.*OWNER/NAME"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "git@github-work:school/class-2.git",
        "work:school/class-2",
        "git@github.com-school:school/class-2.git\n",
        "ssh://git@github-work/school/class-2.git",
        "ssh://git@work:2222/school/class-2",
    ],
)
def test_an_alias_of_somebodys_ssh_is_asked_about(text: str) -> None:
    host = text.split("@")[-1].removeprefix("ssh://").split(":")[0].split("/")[0]
    with pytest.raises(AddressProblem, match=f"'{host}' an alias, in your SSH settings") as caught:
        parse(text)
    assert "give OWNER/NAME as it is on GitHub: school/class-2" in str(caught.value)
    assert parse(str(caught.value).rsplit(maxsplit=1)[-1]) == "school/class-2"


@pytest.mark.parametrize(
    "text", ["git@gitlab.com:a/b.git", "https://work/a/b", "C:\\a\\b", "a/b/c"]
)
def test_what_is_no_alias_is_not_asked_about(text: str) -> None:
    with pytest.raises(AddressProblem, match="no repository on GitHub"):
        parse(text)


# --- Without an address ------------------------------------------------------------------------

NOBODY = "https://github.com/your_name/transfer-learning-course"


def test_an_owner_that_nobody_can_be_is_told_from_all_others() -> None:
    """Names on GitHub have no underscore, so nobody can take one that has."""
    assert is_placeholder(NOBODY)
    assert parse(NOBODY) == "your_name/transfer-learning-course"
    assert not is_placeholder("https://github.com/one/a_course_of_ours")


@pytest.mark.parametrize("link", LINKS)
def test_a_link_without_an_address_is_repointed_like_any_other(link: str) -> None:
    here = {"repository": NOBODY, "branch": "main"}
    text = link.format("your_name/transfer-learning-course", "main")
    assert disagreeing(text, here, COURSE_ROOT) == []
    assert repointed(text, here, THERE) == link.format("school/class-2", "spring")


def test_shared_cells_without_an_address_say_what_to_run_and_lead_nowhere() -> None:
    cells = template.template(Path("00_x.ipynb"), {"repository": NOBODY, "branch": "main"})
    assert NO_ADDRESS in cells["badges"]
    for source in cells.values():
        assert "python -m tools fork" in source
        assert len(source.splitlines()) <= 20
        for word in ("github.com", "colab.research", "your_name", "subprocess"):
            assert word not in source


# --- The whole course --------------------------------------------------------------------------

OURS = "https://github.com/one/course"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the course without its data, which hold no address of its own."""
    folder = tmp_path_factory.mktemp("copy") / "course"
    ignored = shutil.ignore_patterns(*SKIPPED, ".venv*", "*_cache", "*.egg-info", "tests")
    shutil.copytree(COURSE_ROOT, folder, ignore=lambda f, names: {*ignored(f, names), *big(f)})
    return folder


def big(folder: str) -> set[str]:
    return {"stamps", "weights"} if Path(folder).name == "data" else set()


@pytest.fixture
def copied(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The course as somebody has it who downloaded it."""
    folder = shutil.copytree(original, tmp_path / "course")
    monkeypatch.setattr(lessons, "COURSE_ROOT", folder)
    monkeypatch.setattr(lessons, "NOTEBOOKS", folder / "notebooks")
    return folder


def marks() -> dict[Path, str]:
    return {path: fingerprint(nbformat.read(path, as_version=4)) for path in lessons.lessons()}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command itself, in a copy of the course."""
    command = [sys.executable, "-m", "tools", *arguments]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_a_fork_leaves_no_trace_of_the_old_address_and_no_stale_output(copied: Path) -> None:
    list(template.fork(OURS))
    holding = [file for file, text in texts(copied) if "one/course" in text]
    assert len(holding) > len(lessons.lessons())
    before = marks()
    done = run(copied, "fork", "git@github.com:school/class-2.git", "--branch", "spring")
    assert done.returncode == 0, done.stderr
    assert "address is https://github.com/school/class-2, branch spring." in done.stdout
    assert [str(file) for file, text in texts(copied) if "one/course" in text] == []
    assert address() == THERE
    assert marks() == before
    for path in lessons.lessons():
        assert template.stamp(path) is False
        assert f"{path.relative_to(copied).as_posix()} re-pointed" in done.stdout
    for file, text in texts(copied):
        assert disagreeing(text, THERE, copied) == [], file


def test_the_first_fork_gives_every_place_an_address(copied: Path) -> None:
    """Badges, cells and README as they are handed out say that there is none; then no longer."""
    if not is_placeholder(address()["repository"]):
        pytest.skip("this copy of the course has an address")
    for lesson in lessons.lessons():
        assert sources_of(lesson) == template.template(lesson)
        assert sources_of(lesson)["badges"].startswith(NO_ADDRESS)
    readme = (copied / "README.md").read_text("utf-8")
    assert readme.count("<!-- without an address -->") == 2
    before = marks()
    list(template.fork(THERE["repository"], "spring"))
    assert marks() == before
    for file, text in texts(copied):
        if file.parent != copied / "tools" and "tools/" not in file.as_posix():
            assert "your_name" not in text, file
            assert "<!-- without an address -->" not in text, file
    for lesson in lessons.lessons():
        assert "colab.research.google.com/github/school/class-2" in sources_of(lesson)["badges"]
        assert THERE["repository"] in sources_of(lesson)["bootstrap"]
    readme = (copied / "README.md").read_text("utf-8")
    assert "github.com/school/class-2/archive/refs/heads/spring.zip" in readme
    assert "\n\n\n" not in readme


def sources_of(lesson: Path) -> dict[str, str]:
    cells = nbformat.read(lesson, as_version=4).cells
    return {tag: cell.source for cell in cells if (tag := template.shared_tag(cell))}


def test_there_and_back_is_the_same_course_to_the_byte(copied: Path) -> None:
    list(template.fork(OURS))
    before = {file: file.read_bytes() for file, _ in texts(copied)}
    own = address()
    list(template.fork(THERE["repository"], "spring"))
    list(template.fork(own["repository"], own["branch"]))
    assert {file: file.read_bytes() for file, _ in texts(copied)} == before


def test_without_an_address_git_is_asked(copied: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for command in (["init", "-q"], ["remote", "add", "origin", "git@github.com:school/class-2"]):
        subprocess.run(["git", *command], cwd=copied, check=True)
    list(template.fork())
    assert address() == THERE | {"branch": address()["branch"]}


@pytest.mark.parametrize(
    ("remote", "said"),
    [
        (None, r"does not say where it comes from .*tools fork https://github"),
        ("https://gitlab.com/school/class.git", "no repository on GitHub"),
        (NOBODY, "can be nobody's.*name your fork: python -m tools fork"),
    ],
)
def test_where_there_is_nothing_to_point_to_nothing_changes(
    copied: Path, remote: str | None, said: str
) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    subprocess.run(["git", "init", "-q"], cwd=copied, check=True)
    if remote:
        subprocess.run(["git", "remote", "add", "origin", remote], cwd=copied, check=True)
    before = {file: file.read_bytes() for file, _ in texts(copied)}
    with pytest.raises(AddressProblem, match=said):
        list(template.fork())
    assert {file: file.read_bytes() for file, _ in texts(copied)} == before


def test_what_is_wrong_with_an_address_is_one_sentence(copied: Path) -> None:
    done = run(copied, "fork", "https://gitlab.com/school/class.git")
    assert done.returncode != 0
    assert "no repository on GitHub" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_git_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AddressProblem, match="git is not installed"):
        origin(tmp_path)


def test_a_lesson_without_its_shared_cells_is_left_as_it_is(copied: Path) -> None:
    [first, *_] = lessons.lessons()
    content = nbformat.read(first, as_version=4)
    content.cells = [cell for cell in content.cells if template.shared_tag(cell) != "bootstrap"]
    nbformat.write(content, first)
    before = first.read_bytes()
    with pytest.raises(template.Stale, match=r"needs exactly one cell tagged 'bootstrap', has 0"):
        template.stamp(first)
    assert first.read_bytes() == before
