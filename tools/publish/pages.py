"""The course as static pages: read, searched and linked to without running anything.

Sphinx builds them from the README, the notebooks with their stored outputs, and the Markdown
beside them. No notebook is executed, and a page that is opened asks no other server for anything.
"""

from __future__ import annotations

import html
import io
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools import lessons
from tools.publish import address, deck, rendering

# Below a prediction a reader opens the answer when they have one of their own: outputs, and code
# whose words would tell them. It ends where the prose goes on.
PREDICTION = re.compile(r"^\*\*Predict\.\*\* ", re.MULTILINE)
ANSWERS = re.compile(r"^(?:claim|fact|plots\.\w+)\(", re.MULTILINE)
FOLD, FOLD_ENDS = '<details class="answer"><summary>Show what happened</summary>', "</details>"
SETTINGS = {
    "extensions": ["myst_parser", "sphinx.ext.githubpages"],
    "html_theme": "furo",
    "html_css_files": ["site.css"],
    "html_copy_source": False,
    "html_show_copyright": False,
    "html_show_sourcelink": False,
    "language": "en",
    "smartquotes": False,
    "myst_heading_anchors": 4,
    # Prose is written for GitHub and JupyterLab: there, these have no meaning of their own.
    "myst_disable_syntax": [
        "myst_block_break",
        "myst_line_comment",
        "myst_role",
        "myst_target",
    ],
}


class PagesProblem(RuntimeError):
    """The pages cannot be built as they should be; the message lists what is wrong."""


def build(folder: Path) -> Iterator[str]:
    """Build pages and slides of the whole course in a folder; yield what was made.

    Raises:
        PagesProblem: Sphinx warned, for example of a link that leads nowhere.
    """
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    folder = folder.absolute()
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    # What Sphinx registers with docutils is gone afterwards, so that it can build again.
    with tempfile.TemporaryDirectory() as work, patch_docutils(), docutils_namespace():
        source = Path(work, "source")
        for page, text in sources(folder / "figures").items():
            (source / page).parent.mkdir(parents=True, exist_ok=True)
            (source / page).write_text(text, encoding="utf-8")
            _copy_pictures(text, page, source)
        warnings = io.StringIO()
        assets = rendering.ASSETS / "pages"
        sphinx = Sphinx(
            srcdir=source,
            confdir=None,
            outdir=folder,
            doctreedir=Path(work, "doctrees"),
            buildername="html",
            confoverrides=_settings() | {"html_static_path": [str(assets)]},
            status=None,
            warning=warnings,
            freshenv=True,
        )
        sphinx.build(force_all=True)
        if warnings.getvalue():
            said = re.sub(r"\x1b\[[\d;]*m", "", warnings.getvalue())  # without its colours
            raise PagesProblem(said.replace(f"{source}/", ""))
    (folder / "slides").mkdir(exist_ok=True)
    for notebook in lessons.lessons():
        yield deck.build(notebook, folder / "slides")
    files = [file for file in folder.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files) / 1e6
    yield f"{folder / 'index.html'}: {len(files)} files, {size:.1f} MB"


def _settings() -> dict[str, object]:
    """Sphinx's settings, with the course's title; without an address every page says so."""
    title = lessons.course_title()
    settings = SETTINGS | {"project": title, "html_title": title}
    if address.is_placeholder(address.address()["repository"]):
        note = re.sub(r"`([^`]+)`", r"<code>\1</code>", address.NO_ADDRESS)
        settings["html_theme_options"] = {"announcement": note}
    return settings


def sources(figures: Path) -> dict[Path, str]:
    """Return the pages as Markdown for Sphinx, by their place; write the figures to a folder."""
    root = lessons.COURSE_ROOT
    notebooks = lessons.lessons()
    texts = sorted((root / "notebooks").glob("*.md"))
    texts += [file for file in [root / "data" / "README.md"] if file.is_file()]
    places = {root / "README.md": Path("index.md")}
    for page in [*notebooks, *texts]:
        places[page] = page.relative_to(root).with_suffix(".md")
    found = {
        places[page]: _linked(
            lesson_markdown(page, figures) if page in notebooks else page.read_text("utf-8"),
            page,
            places,
        )
        for page in places
    }
    found[Path("index.md")] += _contents("Lessons", [places[page] for page in notebooks])
    found[Path("index.md")] += _contents("Beside the lessons", [places[page] for page in texts])
    return found


def _contents(caption: str, pages: list[Path]) -> str:
    """The part of the site's navigation under one caption."""
    listed = "\n".join(page.with_suffix("").as_posix() for page in pages)
    return f"\n\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{listed}\n```\n" if pages else ""


def _linked(markdown: str, page: Path, places: dict[Path, Path]) -> str:
    """Lead links to pages of the site, and those to other files to where the course lives."""

    def change(target: str) -> str:
        file, anchor = rendering.split_target(target, page)
        if file is None or not file.exists():
            return target
        if rendering.is_picture(file):
            return target  # every page lies where it does in the course, and so may a picture
        if file in places:
            up = "../" * (len(places[page].parts) - 1)
            return f"{up}{places[file].as_posix()}{anchor}"
        return f"{address.address_of(file)}{anchor}"

    return rendering.with_links(markdown, change)


def _copy_pictures(markdown: str, page: Path, source: Path) -> None:
    """Put the pictures that a page's prose shows where Sphinx looks for them."""
    root = lessons.COURSE_ROOT

    def copy(target: str) -> str:
        file, _ = rendering.split_target(target, root / page)
        if file and rendering.is_picture(file) and file.is_file():
            place = source / file.relative_to(root)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
        return target

    rendering.with_links(markdown, copy)


def lesson_markdown(notebook: Path, figures: Path) -> str:
    """Return a lesson with its stored outputs as Markdown; write its figures to a folder."""
    content = nbformat.read(notebook, as_version=4)
    number = notebook.name[:2]
    drawn: list[Path] = []

    def picture(png: bytes, alt: str) -> str:
        file = figures / f"{number}-{len(drawn):02}.png"
        file.write_bytes(png)
        drawn.append(file)
        return rendering.picture_html(f"../figures/{file.name}", png, alt)

    parts, asked, folded = [], False, False
    for cell in content.cells:
        if cell.cell_type == "markdown":
            parts.append(_raw(FOLD_ENDS) if folded else "")
            still = asked and not folded and not cell.source.startswith("#")
            asked, folded = still or bool(PREDICTION.search(cell.source)), False
        elif asked and not folded and ANSWERS.search(cell.source):
            parts.append(_raw(FOLD))
            folded = True
        if "badges" in lessons.tags(cell):
            parts.append(_raw(_doors(cell.source, notebook)))
        elif cell.cell_type == "markdown":
            parts.append(cell.source)
        elif cell.cell_type == "code":
            parts.append(_code(cell))
            if asked and not folded and cell.outputs:
                parts.append(_raw(FOLD))
                folded = True
            parts += [_raw(rendering.output_html(o, picture)) for o in cell.outputs]
    parts.append(_raw(FOLD_ENDS) if folded else "")
    return "\n\n".join(part for part in parts if part) + "\n"


def _raw(text: str) -> str:
    """HTML for Sphinx to pass on as it is."""
    return f"````````{{raw}} html\n{text}\n````````" if text else ""


def _code(cell: NotebookNode) -> str:
    """A code cell; folded where it gives an answer away, or says nothing to a reader."""
    block = f"````````{rendering.language(cell.source)}\n{cell.source}\n````````"
    if not {"bootstrap", "hide-input"} & set(lessons.tags(cell)):
        return block
    given = re.match(r"# @title (.+)\n", cell.source)
    title = given[1] if given else "Show the code"
    block = block.replace(given[0], "", 1) if given else block
    folded = f"<details><summary>{html.escape(title)}</summary>"
    return f"{_raw(folded)}\n\n{block}\n\n{_raw('</details>')}"


def _doors(badges: str, notebook: Path) -> str:
    """The badge row as HTML, with the lesson's slides, and the map that this site has.

    Without an address the row has no other links, and the top of every page says why.
    """
    links = re.findall(r"\[([^\]]+)\]\(([^)]+)\)", badges)
    links = [(text, target) for text, target in links if "#" not in target]
    links += [
        ("Slides", f"../slides/{notebook.stem}.html"),
        ("Map of the lessons", "../index.html#the-lessons"),
    ]
    made = (f'<a href="{html.escape(target)}">{html.escape(text)}</a>' for text, target in links)
    return f'<p class="doors">{" ".join(made)}</p>'
