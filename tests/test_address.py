"""One address for the whole course: a fork re-points every link with one command."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest

from helpers import course
from helpers.publish.address import (
    SKIPPED,
    AddressProblem,
    disagreeing,
    origin,
    parse,
    repointed,
    site,
    texts,
)
from helpers.session import COURSE_ROOT

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
    own = course.address()
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


# --- The whole course --------------------------------------------------------------------------


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
    folder = shutil.copytree(original, tmp_path / "course")
    monkeypatch.setattr(course, "COURSE_ROOT", folder)
    monkeypatch.setattr(course, "NOTEBOOKS", folder / "notebooks")
    monkeypatch.setattr(course, "RECORD", folder / "helpers" / "recorded_spread.json")
    return folder


def test_a_fork_leaves_no_trace_of_the_old_address_and_no_stale_output(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    course.main(["stamp"])
    old = parse(course.address()["repository"])
    holding = [file for file, text in texts(copied) if old in text]
    assert len(holding) > len(course.lessons())
    before = {path: course.fingerprint(read(path)) for path in course.lessons()}
    course.main(["fork", "git@github.com:school/class-2.git", "--branch", "spring"])
    said = capsys.readouterr().out
    assert "address is https://github.com/school/class-2, branch spring." in said
    assert [str(file) for file, text in texts(copied) if old in text] == []
    assert course.address() == THERE
    assert {path: course.fingerprint(read(path)) for path in course.lessons()} == before
    for path in course.lessons():
        assert course.stamp(path) is False
        assert f"{path.relative_to(copied).as_posix()} re-pointed" in said
    for file, text in texts(copied):
        assert disagreeing(text, THERE, copied) == [], file


def test_there_and_back_is_the_same_course_to_the_byte(copied: Path) -> None:
    course.main(["stamp"])  # where a lesson's badges are not of the newest kind yet
    before = {file: file.read_bytes() for file, _ in texts(copied)}
    own = course.address()
    course.main(["fork", THERE["repository"], "--branch", "spring"])
    course.main(["fork", own["repository"], "--branch", own["branch"]])
    assert {file: file.read_bytes() for file, _ in texts(copied)} == before


def test_without_an_address_git_is_asked(copied: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for command in (["init", "-q"], ["remote", "add", "origin", "git@github.com:school/class-2"]):
        subprocess.run(["git", *command], cwd=copied, check=True)
    course.main(["fork"])
    assert course.address() == THERE | {"branch": course.address()["branch"]}


@pytest.mark.parametrize(
    ("remote", "said"),
    [
        (None, r"does not say where it comes from .*helpers\.course fork https://github"),
        ("https://gitlab.com/school/class.git", "no repository on GitHub"),
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
    with pytest.raises(SystemExit, match=said):
        course.main(["fork"])
    assert {file: file.read_bytes() for file, _ in texts(copied)} == before


def test_a_missing_git_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AddressProblem, match="git is not installed"):
        origin(tmp_path)


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)
