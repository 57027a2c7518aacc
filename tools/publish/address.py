"""Where the course lives: one address, and every place that repeats it.

The address stands in ``pyproject.toml`` under ``[tool.course]``. Links in Markdown, badges and
bootstrap cells repeat it; `fork` re-points them all. Until somebody does that, the owner is
``your_name``: GitHub allows no underscore there, so nobody can register the name and have learners
run what they put there.
"""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

from helpers.files import whole
from tools import lessons

NO_ADDRESS = (
    "This copy of the course has no address yet: the links to Colab, Kaggle, Binder and GitHub "
    "work after `python -m tools fork`."
)
# What a Markdown file says only as long as that is so.
ONLY_WITHOUT_ADDRESS = re.compile(r"(?s)\n?<!-- without an address -->\n.*?<!-- end -->\n")

# A repository's address as it occurs in links: at GitHub, or at a site that opens it from there.
LINK = re.compile(
    r"""
    (?: (?P<source> github\.com[/:] )
      | (?P<launch> (?:colab\.research\.google\.com|nbviewer\.org)/github/
                  | codespaces\.new/ | github\.dev/ )
      | (?P<short> mybinder\.org/v2/gh/ | raw\.githubusercontent\.com/ ) )
    (?P<name> [\w.-]+/[\w.-]*\w )
    (?: (?: /(?:blob|tree|raw|edit)/ | (?P<archive>/archive/refs/heads/) | (?(short)/|(?!)) )
        (?P<branch> [\w.-]*?\w ) (?= \.(?:zip|tar\.gz) | \.?(?:[^\w.-]|$) ) )?
    """,
    re.VERBOSE,
)
SITE = "https://{owner}.github.io/{repository}"
SKIPPED = {".git", ".course", ".ipynb_checkpoints", "__pycache__", "my", "node_modules", "runs"}
TEXT = {".cfg", ".ipynb", ".json", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml", ""}
LARGEST = 5_000_000  # bytes


class AddressProblem(ValueError):
    """An address cannot be used; the message says what is wrong and what to do."""


def address() -> dict[str, str]:
    """Return the course's ``repository`` and ``branch``, from the one place that holds them."""
    with open(lessons.COURSE_ROOT / "pyproject.toml", "rb") as file:
        return tomllib.load(file)["tool"]["course"]


def address_of(file: Path) -> str:
    """Return where a file or folder of this checkout is shown in the course's repository."""
    own = address()
    way = "tree" if file.is_dir() else "blob"
    path = file.relative_to(lessons.COURSE_ROOT).as_posix()
    return f"{own['repository'].rstrip('/')}/{way}/{own['branch']}/{path}"


def is_placeholder(repository: str) -> bool:
    """Whether an address is that of a course which nobody has published yet."""
    return "_" in parse(repository).split("/")[0]


def parse(text: str) -> str:
    """Return a GitHub repository as ``"OWNER/NAME"``, however it was written.

    Understood are web addresses, what git calls a remote (ssh and https, with or without
    ``.git``) and ``OWNER/NAME`` itself. Passwords in an address are dropped.

    Raises:
        AddressProblem: It is not on GitHub, from where Colab and the others open notebooks.
    """
    forms = (
        r"(?:https?|ssh|git)://(?:[^@/]+@)?(?:www\.|ssh\.)?github\.com(?::\d+)?/{name}",
        r"(?:[\w.-]+@)?(?:www\.)?github\.com[:/]{name}",
        r"{name}",
    )
    name = r"([A-Za-z0-9][\w-]*/[\w.-]+?)(?:\.git)?/?"
    for form in forms:
        found = re.fullmatch(form.format(name=name), text.strip())
        if found:
            return found[1]
    for form in (r"ssh://(?:[^@/]+@)?([\w.-]+)(?::\d+)?/{name}", r"(?:[\w.-]+@)?([\w.-]+):{name}"):
        found = re.fullmatch(form.format(name=name), text.strip())
        if found and ("." not in found[1] or "github" in found[1].lower()):
            raise AddressProblem(
                f"{text.strip()!r} is no address that others can use: is {found[1]!r} an alias, in "
                f"your SSH settings? Then give OWNER/NAME as it is on GitHub: {found[2]}"
            )
    raise AddressProblem(
        f"{text.strip()!r} is no repository on GitHub, and Colab, Binder and Kaggle open notebooks "
        "from there; give one, for example https://github.com/OWNER/NAME"
    )


def origin(root: Path) -> str:
    """Return the address of git's remote `origin`.

    Raises:
        AddressProblem: git is missing, this is no checkout, or it has no such remote.
    """
    command = ["git", "remote", "get-url", "origin"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True)
        problem = done.stderr.strip()
    except FileNotFoundError:
        problem = "git is not installed"
    else:
        if done.returncode == 0:
            return done.stdout.strip()
    raise AddressProblem(
        f"this checkout does not say where it comes from ({problem}); name your fork: "
        "python -m tools fork https://github.com/OWNER/NAME"
    )


def texts(root: Path) -> Iterator[tuple[Path, str]]:
    """Walk through the course's text files; tests have made-up addresses and are left out."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if name not in SKIPPED
            and not name.startswith(".venv")
            and not name.endswith(("_cache", ".egg-info"))
            and Path(folder, name) != root / "tests"
        )
        for name in sorted(names):
            file = Path(folder, name)
            if file.suffix not in TEXT or file.is_symlink() or file.stat().st_size > LARGEST:
                continue
            try:
                yield file, file.read_bytes().decode("utf-8")
            except UnicodeDecodeError:
                continue


def repointed(text: str, old: dict[str, str], new: dict[str, str]) -> str:
    """Return a text with every link to the old address leading to the new one.

    Args:
        text: Markdown, a notebook's JSON, TOML or code.
        old: ``{"repository": "https://github.com/OWNER/NAME", "branch": ...}``.
        new: The same for the new place.
    """
    name, branch = parse(old["repository"]), old["branch"]

    def replace(link: re.Match[str]) -> str:
        if link["name"].lower().removesuffix(".git") != name.lower():
            return link[0]
        before, after = link[0].split(link["name"], 1)
        if link["branch"] == branch:
            after = after.removesuffix(branch) + new["branch"]
        git = ".git" if link["name"].endswith(".git") else ""
        return before + parse(new["repository"]) + git + after

    return LINK.sub(replace, text).replace(site(old["repository"]), site(new["repository"]))


def site(repository: str) -> str:
    """Return where GitHub Pages would show a repository's pages."""
    owner, name = parse(repository).split("/")
    return SITE.format(owner=owner.lower(), repository=name)


def disagreeing(text: str, own: dict[str, str], root: Path) -> list[str]:
    """Return the links into a course, as it seems, that do not lead to this one.

    That is every link by which a site opens a repository, and every link to a branch's archive
    or to a file that this course has, where repository or branch is another.
    """
    name, branch = parse(own["repository"]).lower(), own["branch"]
    found = []
    for link in LINK.finditer(text):
        rest = re.split(r"[#?)\"'\s\\]", text[link.end() :], maxsplit=1)[0].strip("/")
        mine = link["name"].lower().removesuffix(".git") == name
        into_course = link["branch"] and rest and (root / rest).exists()
        meant = mine or link["launch"] or link["short"] or link["archive"] or into_course
        if meant and not (mine and link["branch"] in (None, branch)):
            found.append(link[0])
    return found


def target(to: str, own: dict[str, str], branch: str | None = None) -> dict[str, str]:
    """Return the ``repository`` and ``branch`` that a fork will have.

    Args:
        to: The new address in any form that `parse` reads.
        own: The present address, as `address` returns it.
        branch: The new branch; the present one if None.

    Raises:
        AddressProblem: It is not on GitHub, or no owner can have it.
    """
    repository = f"https://github.com/{parse(to)}"
    if is_placeholder(repository):
        raise AddressProblem(
            f"{repository} can be nobody's, because GitHub allows no underscore in an owner's "
            "name; name your fork: python -m tools fork https://github.com/OWNER/NAME"
        )
    return {"repository": repository, "branch": branch or own["branch"]}


def fork(root: Path, own: dict[str, str], to: str | None, branch: str | None) -> list[Path]:
    """Point every link of the course to another repository; return the files that changed.

    Args:
        root: The course's folder.
        own: The present address, as `address` returns it.
        to: The new address in any form that `parse` reads; git's remote `origin` if None.
        branch: The new branch; the present one if None.

    Raises:
        AddressProblem: There is no new address, it is not on GitHub, or no owner can have it.
            Nothing has changed then.
    """
    new = target(to or origin(root), own, branch)
    changed = []
    for file, text in texts(root):
        after = repointed(text, own, new)
        if file == root / "pyproject.toml":
            after = re.sub(
                r"(?m)^(\[tool\.course\]\n(?:[^\[\n].*\n)*?branch = )\"[^\"]*\"",
                rf'\g<1>"{new["branch"]}"',
                after,
            )
        if file.suffix == ".md":
            after = ONLY_WITHOUT_ADDRESS.sub("", after)
        if after != text:
            with whole(file) as draft:
                draft.write_bytes(after.encode("utf-8"))
            changed.append(file)
    return changed
