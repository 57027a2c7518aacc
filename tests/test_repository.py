"""The checkout as a whole: what lies where, links, sizes, style, requirements."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from helpers.session import COURSE_ROOT

TOP_LEVEL = {
    *("notebooks", "helpers", "data", "tools", "tests"),
    *("requirements.txt", "README.md", "pyproject.toml", "LICENSE"),
}
LARGEST_FILE = 20_000_000  # bytes
PAGES = [
    path
    for path in [
        *COURSE_ROOT.glob("*.md"),
        *COURSE_ROOT.glob("[!.]*/**/*.md"),
        *COURSE_ROOT.glob("notebooks/*.ipynb"),
    ]
    if not any(part.startswith(".") for part in path.relative_to(COURSE_ROOT).parts)
]


def tracked() -> list[str]:
    """The files that git knows, relative to the course's folder."""
    if shutil.which("git") is None or not (COURSE_ROOT / ".git").exists():
        pytest.skip("this copy of the course is no git checkout")
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=COURSE_ROOT, capture_output=True, check=True, text=True)
    return [name for name in listed.stdout.split("\0") if name]


def test_the_top_level_is_as_planned() -> None:
    found = {name.split("/")[0] for name in tracked()}
    found = {name for name in found if not name.startswith(".")}
    assert found - {"findings"} == TOP_LEVEL  # surprises of outside software, where there are some


def test_no_file_is_too_large_for_a_repository() -> None:
    sizes = {n: (COURSE_ROOT / n).stat().st_size for n in tracked() if (COURSE_ROOT / n).is_file()}
    assert {name: size for name, size in sizes.items() if size > LARGEST_FILE} == {}


def test_nothing_that_a_learner_makes_is_committed() -> None:
    made = re.compile(r"(^|/)(\.course|my|runs|\.ipynb_checkpoints|__pycache__)/|\.(pyc|keras|h5)$")
    assert [name for name in tracked() if made.search(name)] == []


def test_no_file_tells_on_which_machine_it_was_written() -> None:
    """Pictures and weights aside; /tmp is left to the lessons' own test: code may mean it."""
    home = re.compile(rb"(?<![\w.:/])/(?:work|opt|root|home|Users)/\w")
    found = []
    for name in tracked():
        content = (COURSE_ROOT / name).read_bytes() if (COURSE_ROOT / name).is_file() else b""
        if b"\0" not in content and not name.endswith(".ipynb") and home.search(content):
            found.append(name)
    assert found == []


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_code_is_tidy(command: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--no-cache", "."],
        cwd=COURSE_ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_requirement_has_a_reason() -> None:
    lines = (COURSE_ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line.strip() and not line.startswith("#")]
    assert len(wanted) > 10
    assert [line for line in wanted if not re.search(r"\S\s+# \S+ \S+", line)] == []


# --- Links -------------------------------------------------------------------------------------


def prose(page: Path) -> str:
    """A page's Markdown, without code."""
    if page.suffix == ".ipynb":
        cells = nbformat.read(page, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    else:
        text = page.read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```|`[^`\n]+`", "", text, flags=re.DOTALL | re.MULTILINE)


def links(text: str) -> list[str]:
    return re.findall(r"\]\(<?([^)\s>]+)", text) + re.findall(r"(?:href|src)=\"([^\"]+)\"", text)


def anchors(page: Path) -> set[str]:
    """The names under which a page's headings can be linked to, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in found}


def broken(page: Path, link: str) -> str:
    """Say what is wrong with a link within the course; nothing if it leads somewhere."""
    if re.match(r"[a-z]+:", link):
        return ""
    target, _, anchor = link.partition("#")
    file = (page.parent / target).resolve() if target else page
    if not file.is_relative_to(COURSE_ROOT):
        return f"{link} leads out of the course"
    if not file.exists():
        return f"{link}: there is no such file"
    if anchor and file.suffix in (".md", ".ipynb") and anchor not in anchors(file):
        return f"{link}: {file.name} has no such heading"
    return ""


def test_there_are_pages_with_links() -> None:
    assert {"README.md", "02_feature_extraction.ipynb"} <= {page.name for page in PAGES}
    assert sum(len(links(prose(page))) for page in PAGES) > 10


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(COURSE_ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    problems = [problem for link in links(prose(page)) if (problem := broken(page, link))]
    assert not problems


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("notebooks/99_missing.ipynb", "no such file"),
        ("../elsewhere.md", "leads out of the course"),
        ("#no-such-heading", "no such heading"),
        ("README.md#the-lessons", ""),
        ("https://example.org/x", ""),
    ],
)
def test_a_link_that_leads_nowhere_is_found(link: str, problem: str) -> None:
    found = broken(COURSE_ROOT / "README.md", link)
    assert problem in found if problem else found == ""
