"""The cells that every lesson shares: the row of badges and the cell that fetches the course.

Both hold the course's address and are written from here, so that a fork changes every lesson alike.
While the course has no address (see `tools.publish.address`) they lead nowhere, and say so.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from helpers.files import whole
from tools import lessons
from tools.publish import address as places

BOOTSTRAP = """\
# @title Fetch the course (on Colab and Kaggle only)
import os
import shutil
import subprocess
import sys

course = os.path.abspath("transfer-learning-course")
hosted = "google.colab" in sys.modules or "KAGGLE_KERNEL_RUN_TYPE" in os.environ
if hosted and course not in sys.path:
    if not os.path.isdir(course):
        draft = course + ".new"  # takes the course's name when it is complete
        shutil.rmtree(draft, ignore_errors=True)
        fetch = ["git", "clone", "--quiet", "--depth=1", "--branch={branch}"]
        address = "{repository}"
        subprocess.run([*fetch, address, draft], check=True)
        os.rename(draft, course)
    sys.path.insert(0, course)"""

BADGES = (
    "[▶ Open in Colab]({colab}) &nbsp;·&nbsp; [Kaggle]({kaggle}) &nbsp;·&nbsp; "
    "[Binder]({binder}) &nbsp;·&nbsp; [Source]({source}) &nbsp;·&nbsp; "
    "[Map of the lessons]({repository}#the-lessons)\n\n"
    "Before you predict, clear the outputs of the recorded run if they stand below: in Colab by "
    "*Edit > Clear all outputs*, in JupyterLab by *Edit > Clear Outputs of All Cells*."
)

# The same two while nobody has given the course an address.
BOOTSTRAP_WITHOUT_ADDRESS = """\
# @title Fetch the course (on Colab and Kaggle only, once it has an address)
import os
import sys

if "google.colab" in sys.modules or "KAGGLE_KERNEL_RUN_TYPE" in os.environ:
    sys.exit(
        "This copy of the course has no address to be fetched from: fork it on GitHub, "
        "run `python -m tools fork` in a clone of your fork, push, and open the lesson from there."
    )"""

BADGES_WITHOUT_ADDRESS = (
    f"{places.NO_ADDRESS} &nbsp;·&nbsp; [Map of the lessons](../README.md#the-lessons)"
)

SHARED = ("badges", "bootstrap")

# A learner has no need to read the bootstrap cell: JupyterLab folds it, and Colab shows its title.
FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}}


class Stale(RuntimeError):
    """A notebook cannot be refreshed as it is; the message names the cell."""


def shared_tag(cell: NotebookNode) -> str:
    """Return the tag of a cell that every lesson has from the template; empty for all others."""
    return next((tag for tag in SHARED if tag in lessons.tags(cell)), "")


def template(notebook: Path, own: dict[str, str] | None = None) -> dict[str, str]:
    """Return the source of the cells that every lesson shares, by their tag.

    Args:
        notebook: The lesson; only its name matters.
        own: The course's ``repository`` and ``branch``; those of `pyproject.toml` if left out.
    """
    own = own or places.address()
    if places.is_placeholder(own["repository"]):
        return {"badges": BADGES_WITHOUT_ADDRESS, "bootstrap": BOOTSTRAP_WITHOUT_ADDRESS}
    repository, branch = own["repository"].rstrip("/"), own["branch"]
    name = places.parse(repository)
    source = f"{repository}/blob/{branch}/notebooks/{notebook.name}"
    return {
        "badges": BADGES.format(
            colab=source.replace("//github.com", "//colab.research.google.com/github"),
            kaggle=f"https://www.kaggle.com/kernels/welcome?src={source}",
            binder=f"https://mybinder.org/v2/gh/{name}/{branch}"
            f"?urlpath=lab/tree/my/{notebook.name}",  # made by .binder/postBuild
            source=source,
            repository=repository,
        ),
        "bootstrap": BOOTSTRAP.format(repository=repository, branch=branch),
    }


def fill(content: NotebookNode, notebook: Path, own: dict[str, str] | None = None) -> bool:
    """Put the shared cells into a notebook that was read; return whether that changed it.

    Args:
        content: The notebook, changed in place.
        notebook: Its file's name.
        own: As for `template`.

    Raises:
        Stale: It does not have exactly one cell of each kind.
    """
    changed = False
    for tag, source in template(notebook, own).items():
        cells = [cell for cell in content.cells if tag in lessons.tags(cell)]
        if len(cells) != 1:
            raise Stale(f"{notebook.name} needs exactly one cell tagged {tag!r}, has {len(cells)}")
        before = copy.deepcopy(cells[0])
        cells[0].source = source
        if tag == "bootstrap":
            cells[0].metadata.update(FOLDED)
        changed |= cells[0] != before
    return changed


def stamp(notebook: Path) -> bool:
    """Write badge row and bootstrap cell into a lesson; return whether that changed it.

    Raises:
        Stale: As `fill` does. The file is as it was then.
    """
    content = nbformat.read(notebook, as_version=4)
    changed = fill(content, notebook)
    if changed:
        with whole(notebook) as draft:
            nbformat.write(content, draft)
    return changed


def fork(to: str | None = None, branch: str | None = None) -> Iterator[str]:
    """Point badges, bootstrap cells and every other link to a fork; yield what changed.

    Args:
        to: The new address; git's remote `origin` if None.
        branch: The new branch; the present one if None.

    Raises:
        tools.publish.address.AddressProblem: The address is missing, not on GitHub, or nobody's.
    """
    for file in places.fork(lessons.COURSE_ROOT, places.address(), to, branch):
        yield f"{file.relative_to(lessons.COURSE_ROOT).as_posix()} re-pointed"
    for notebook in lessons.lessons():  # also where somebody had changed a badge by hand
        if stamp(notebook):
            yield f"{notebook.name} stamped"
    now = places.address()
    yield f"The course's address is {now['repository']}, branch {now['branch']}."
