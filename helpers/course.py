"""For maintainers: keep the notebooks stamped, executed and provably fresh.

    python -m helpers.course stamp              write badges and bootstrap into every lesson
    python -m helpers.course refresh 02 03      execute lessons (all without numbers), keep outputs
    python -m helpers.course spread --runs 5    repeat lessons with other seeds, record the claims
    python -m helpers.course html FOLDER        convert the lessons to HTML pages to look at
    python -m helpers.course pages FOLDER       build the whole course as a static site
    python -m helpers.course slides FOLDER      build slides with speaker notes
    python -m helpers.course fork [ADDRESS]     point every link to a fork, or to git's `origin`

No lesson imports this file.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from helpers.session import COURSE_ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:  # Python 3.10 has no TOML reader; pytest brings one along
    import tomli as tomllib

NOTEBOOKS = COURSE_ROOT / "notebooks"
RECORD = COURSE_ROOT / "helpers" / "recorded_spread.json"
TENSORBOARD_NOTE = "TensorBoard opens here when you run this cell.\n"
CELL_SECONDS = 600

# What lessons do not import: changing it leaves their outputs fresh.
NOT_IN_LESSONS = ("classroom.py", "course.py", "glossary_links.py", "instructors.py", "publish")
SHARED = ("badges", "bootstrap")

BOOTSTRAP = """\
# On Colab and Kaggle this fetches the course; anywhere else it does nothing.
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
    "[Map of the lessons]({repository}#the-lessons)"
)


class Stale(RuntimeError):
    """A notebook cannot be refreshed as it is; the message names the cell."""


def lessons(numbers: list[str] | None = None) -> list[Path]:
    """Return the notebooks of the course in order, or only those with the given numbers.

    Raises:
        ValueError: A number belongs to no lesson.
    """
    found = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    if not numbers:
        return found
    unknown = set(numbers) - {path.name[:2] for path in found}
    if unknown:
        raise ValueError(f"no lesson {', '.join(sorted(unknown))} in {NOTEBOOKS}")
    return [path for path in found if path.name[:2] in numbers]


def tags(cell: NotebookNode) -> list[str]:
    """Return a cell's tags."""
    return cell.metadata.get("tags", [])


# --- One template for all lessons --------------------------------------------------------------


def address() -> dict[str, str]:
    """Return the course's repository and branch, from the one place that holds them."""
    with open(COURSE_ROOT / "pyproject.toml", "rb") as file:
        return tomllib.load(file)["tool"]["course"]


def address_of(file: Path) -> str:
    """Return where a file or folder of this checkout is shown in the course's repository."""
    own = address()
    way = "tree" if file.is_dir() else "blob"
    path = file.relative_to(COURSE_ROOT).as_posix()
    return f"{own['repository'].rstrip('/')}/{way}/{own['branch']}/{path}"


def template(notebook: Path) -> dict[str, str]:
    """Return the source of the cells that every lesson shares, by their tag."""
    repository, branch = address()["repository"].rstrip("/"), address()["branch"]
    name = repository.removeprefix("https://github.com/")
    source = f"{repository}/blob/{branch}/notebooks/{notebook.name}"
    return {
        "badges": BADGES.format(
            colab=source.replace("//github.com", "//colab.research.google.com/github"),
            kaggle=f"https://www.kaggle.com/kernels/welcome?src={source}",
            binder=f"https://mybinder.org/v2/gh/{name}/{branch}"
            f"?urlpath=lab/tree/notebooks/{notebook.name}",
            source=source,
            repository=repository,
        ),
        "bootstrap": BOOTSTRAP.format(repository=repository, branch=branch),
    }


def stamp(notebook: Path) -> bool:
    """Write badge row and bootstrap cell into a lesson; return whether that changed it."""
    content = nbformat.read(notebook, as_version=4)
    changed = False
    for tag, source in template(notebook).items():
        cells = [cell for cell in content.cells if tag in tags(cell)]
        if len(cells) != 1:
            raise Stale(f"{notebook.name} needs exactly one cell tagged {tag!r}, has {len(cells)}")
        changed |= cells[0].source != source
        cells[0].source = source
    if changed:
        nbformat.write(content, notebook)
    return changed


# --- Execute and normalise ---------------------------------------------------------------------


def fingerprint(content: NotebookNode) -> str:
    """Return a hash of all that a lesson's outputs depend on.

    That is its own cells, the helpers that lessons use, the recorded spread of its claims, the
    ranges of the requirements, and the checksums of the data. What badges and bootstrap say is
    left out: it is the template's, and a fork that re-points them changes no output.
    """
    digest = hashlib.sha256()
    for cell in content.cells:
        digest.update(f"{cell.cell_type}\n{_shared_tag(cell) or cell.source}\n".encode())
    helpers = COURSE_ROOT / "helpers"
    files = [
        file
        for file in helpers.rglob("*.py")
        if file.relative_to(helpers).parts[0] not in NOT_IN_LESSONS
    ]
    digest.update(json.dumps(_record_of(content), sort_keys=True).encode())
    files += [COURSE_ROOT / "requirements.txt", COURSE_ROOT / "data" / "checksums.sha256"]
    for file in sorted(files):
        if file.is_file():
            digest.update(file.relative_to(COURSE_ROOT).as_posix().encode())
            digest.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def _record_of(content: NotebookNode) -> dict[str, dict]:
    """Return the recorded spread of a lesson's own claims; its number stands in its title."""
    title = re.match(r"# (\d\d) ", content.cells[0].source if content.cells else "")
    if title is None or not RECORD.is_file():
        return {}
    record = json.loads(RECORD.read_text())
    return {name: entry for name, entry in record.items() if name.startswith(f"{title[1]}.")}


def _shared_tag(cell: NotebookNode) -> str:
    """The tag of a cell that every lesson has from the template; empty for all others."""
    return next((tag for tag in SHARED if tag in tags(cell)), "")


def execute(notebook: Path, **environment: str) -> tuple[NotebookNode, float, float]:
    """Run a lesson in a fresh kernel with its own folder for progress and runs.

    Args:
        notebook: The lesson.
        environment: Variables for the kernel, such as ``COURSE_SEED="1"``.

    Returns:
        The executed notebook, the seconds it took, and the kernel's peak memory in GiB.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell failed.
    """
    from nbclient import NotebookClient

    content = nbformat.read(notebook, as_version=4)
    with tempfile.TemporaryDirectory() as home:
        variables = os.environ | {"COURSE_HOME": home} | environment
        client = NotebookClient(
            content, timeout=CELL_SECONDS, resources={"metadata": {"path": str(NOTEBOOKS)}}
        )
        began = time.perf_counter()
        with client.setup_kernel(env=variables):
            memory = _watch_memory(client.km.provisioner.pid)
            for index, cell in enumerate(content.cells):
                client.execute_cell(cell, index)
            seconds, peak = time.perf_counter() - began, memory()
    return content, seconds, peak


def _watch_memory(pid: int):
    """Return a function that tells the peak memory of a process in GiB (0 where unknown)."""
    status = Path(f"/proc/{pid}/status")

    def peak() -> float:
        if not status.is_file():
            return 0.0
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        return int(found[1]) / 2**20 if found else 0.0

    return peak


def normalise(content: NotebookNode) -> None:
    """Make an executed notebook's file depend on nothing but its cells and their results.

    Raises:
        Stale: A cell wrote on stderr, which readers would see in red.
    """
    used: set[str] = set()
    for cell in content.cells:
        cell.id = _stable_id(cell, used)
        for key in ("execution", "collapsed", "scrolled", "id"):
            cell.metadata.pop(key, None)
        if cell.cell_type != "code":
            continue
        outputs = []
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                raise Stale(f"this cell wrote on stderr:\n{cell.source}\n---\n{output.text}")
            output = _without_noise(output)
            last = outputs[-1] if outputs else None
            if last and output.output_type == last.output_type == "stream":
                last.text += output.text
            else:
                outputs.append(output)
        cell.outputs = outputs
    content.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
        course={"fresh": fingerprint(content)},
    )
    content.nbformat, content.nbformat_minor = 4, 5


def _stable_id(cell: NotebookNode, used: set[str]) -> str:
    """An id made from the cell's source, so that an unchanged cell keeps it.

    A cell of the template keeps its id also in a fork, where the address in it is another.
    """
    source = _shared_tag(cell) or cell.source
    name = hashlib.sha256(f"{cell.cell_type}{source}".encode()).hexdigest()[:8]
    while name in used:
        name = hashlib.sha256(name.encode()).hexdigest()[:8]
    used.add(name)
    return name


def _without_noise(output: NotebookNode) -> NotebookNode:
    """Shrink pictures, and replace what only works while this kernel lives."""
    data = output.get("data", {})
    if "tensorboard-frame" in str(data.get("text/html", "")):
        return nbformat.v4.new_output("stream", name="stdout", text=TENSORBOARD_NOTE)
    if output.output_type == "stream" and "TensorBoard" in output.text and "pid" in output.text:
        output.text = ""
    if "image/png" in data:
        data["image/png"] = base64.b64encode(_smaller(base64.b64decode(data["image/png"]))).decode()
    return output


def _smaller(png: bytes) -> bytes:
    """Reduce a picture to 256 colours where that makes the file much smaller."""
    from PIL import Image

    out = io.BytesIO()
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(out, "PNG", optimize=True)
    return out.getvalue() if len(out.getvalue()) < 0.7 * len(png) else png


def refresh(notebook: Path) -> str:
    """Stamp, execute and normalise a lesson in place; return a line on time, memory and size."""
    stamp(notebook)
    content, seconds, memory = execute(notebook, COURSE_STRICT="1", COURSE_SEED="42")
    normalise(content)
    draft = notebook.with_suffix(".new")
    nbformat.write(content, draft)
    os.replace(draft, notebook)
    size = notebook.stat().st_size / 1e6
    return f"{notebook.name}: {seconds:.0f} s, {memory:.2f} GiB, {size:.2f} MB"


def is_fresh(notebook: Path) -> bool:
    """Whether a lesson's committed outputs come from its present cells, helpers and data."""
    content = nbformat.read(notebook, as_version=4)
    return content.metadata.get("course", {}).get("fresh") == fingerprint(content)


# --- Seeds -------------------------------------------------------------------------------------


def spread(notebooks: list[Path], runs: int) -> Iterator[str]:
    """Repeat lessons with seeds 42, 142, 242, ...; record what became of every claim.

    Yields:
        A line for each run, then one for each claim.
    """
    for notebook in notebooks:
        lines = []
        for seed in range(42, 42 + 100 * runs, 100):
            with tempfile.TemporaryDirectory() as folder:
                log = Path(folder) / "claims.jsonl"
                _, seconds, _ = execute(
                    notebook, COURSE_SEED=str(seed), COURSE_STRICT="0", COURSE_CLAIMS_LOG=str(log)
                )
                lines += [json.loads(line) for line in log.read_text().splitlines()]
            yield f"{notebook.name}, seed {seed}: {seconds:.0f} s"
        # Read only now: another lesson's runs may have ended while these went on.
        record = json.loads(RECORD.read_text()) if RECORD.is_file() else {}
        prefix = f"{notebook.name[:2]}."
        record = {k: v for k, v in record.items() if not k.startswith(prefix)}
        for claim_id in dict.fromkeys(line["id"] for line in lines):
            mine = [line for line in lines if line["id"] == claim_id]
            names = mine[0]["evidence"]
            record[claim_id] = {
                "seeds": [line["seed"] for line in mine],
                "held": sum(line["holds"] for line in mine),
                "evidence": {n: [float(f"{m['evidence'][n]:.4g}") for m in mine] for n in names},
            }
            yield f"  {claim_id}: held {record[claim_id]['held']} of {len(mine)}"
        RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")


# --- Commands ----------------------------------------------------------------------------------


def fork(to: str | None = None, branch: str | None = None) -> Iterator[str]:
    """Point badges, bootstrap cells and every other link to a fork; yield what changed.

    Raises:
        helpers.publish.address.AddressProblem: The address is missing or not on GitHub.
    """
    from helpers.publish import address as places

    for file in places.fork(COURSE_ROOT, address(), to, branch):
        yield f"{file.relative_to(COURSE_ROOT).as_posix()} re-pointed"
    for notebook in lessons():  # also where somebody had changed a badge by hand
        if stamp(notebook):
            yield f"{notebook.name} stamped"
    now = address()
    yield f"The course's address is {now['repository']}, branch {now['branch']}."


def main(arguments: list[str] | None = None) -> None:
    """Run one of the commands; see the top of this file."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.course",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("stamp", "refresh", "spread", "html", "pages", "slides", "fork"):
        command = commands.add_parser(name)
        if name in ("html", "pages", "slides"):
            command.add_argument("folder", type=Path)
        if name == "spread":
            command.add_argument("--runs", type=int, default=5)
        if name == "fork":
            command.add_argument("address", nargs="?", help="git's remote `origin` if left out")
            command.add_argument("--branch", help="the present one if left out")
        elif name != "pages":
            command.add_argument("lesson", nargs="*", help="numbers of lessons; all if left out")
    chosen = parser.parse_args(arguments)
    for line in _run(chosen):
        print(line, flush=True)


def _run(chosen: argparse.Namespace) -> Iterator[str]:
    """Carry out a command; yield what there is to say about it."""
    if chosen.command == "fork":
        from helpers.publish.address import AddressProblem

        try:
            yield from fork(chosen.address, chosen.branch)
        except AddressProblem as problem:
            sys.exit(f"fork: {problem}")
        return
    if chosen.command == "pages":
        from helpers.publish import pages

        yield from pages.build(chosen.folder)
        return
    if chosen.command in ("html", "slides"):
        chosen.folder.mkdir(parents=True, exist_ok=True)
    for notebook in lessons(chosen.lesson):
        if chosen.command == "stamp":
            yield f"{notebook.name} {'stamped' if stamp(notebook) else 'unchanged'}"
        elif chosen.command == "refresh":
            yield refresh(notebook)
        elif chosen.command == "spread":
            yield from spread([notebook], chosen.runs)
        elif chosen.command == "html":
            from helpers.publish import rendering

            target = chosen.folder / f"{notebook.stem}.html"
            target.write_text(rendering.lab_page(notebook), encoding="utf-8")
            yield str(target)
        else:
            from helpers.publish import slides

            yield slides.build(notebook, chosen.folder)


if __name__ == "__main__":
    main()
