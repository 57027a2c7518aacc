"""A lesson as slides with speaker notes, made from the notebook as it is.

Prose, code and outputs fill slides in order, a prediction stands alone before its run, and its
outcome, the sentences of figures, the code of drawings and the solutions of exercises go into the
speaker notes. Badges, set-up, checks and solutions are left out.

At most ``LONGEST_TALK`` slides, from left to right, are the talk: how each ``##`` section begins,
predictions with what came of them, exercises, figures. The others lie below, downwards from the
one that they follow. A cell's tag ``talk`` puts its slides among the first, its tag ``detail``
among the others. The slides run on reveal.js, which is copied beside them.
"""

from __future__ import annotations

import base64
import html
import importlib.util
import mimetypes
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from markdown_it import MarkdownIt
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from tools import lessons
from tools.publish import address as places
from tools.publish import fitting, rendering

# reveal.js 5 (MIT licence), as the package sphinx-revealjs brings it along.
REVEAL = ("dist/reset.css", "dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js", "LICENSE")
LONGEST_TALK = 35  # slides: an hour
COLOURS = "a11y-high-contrast-light"
LEFT_OUT = {"badges", "bootstrap", "check"}
NOT_SHOWN = ("Set up",)

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="reveal/reset.css">
<link rel="stylesheet" href="reveal/reveal.css">
<link rel="stylesheet" href="reveal/code.css">
<link rel="stylesheet" href="reveal/slides.css">
</head>
<body>
<div class="reveal"><div class="slides">
{columns}
</div></div>
<script src="reveal/reveal.js"></script>
<script src="reveal/notes.js"></script>
<script src="reveal/slides.js"></script>
</body>
</html>
"""


@dataclass
class Slide:
    """One slide: what it shows, how much of its height that takes, and what the speaker reads."""

    heading: str
    kind: str = "plain"
    body: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    height: int = 0
    tags: set[str] = field(default_factory=set)

    def add(self, part: str, height: int, later: bool = False) -> None:
        """Put one more thing below; `later` shows it only after a click."""
        later = later and bool(self.body)  # what a slide begins with is there at once
        self.body.append(f'<div class="fragment">{part}</div>' if later else part)
        self.height += height

    def html(self, level: int) -> str:
        """The slide as reveal.js wants it."""
        notes = "\n".join(self.notes)
        return (
            f'<section class="{self.kind}"><h{level}>{self.heading}</h{level}>\n'
            f'<div class="body">{"".join(self.body)}</div>\n'
            + (f'<aside class="notes">{notes}</aside>' if notes else "")
            + "</section>"
        )


def build(notebook: Path, folder: Path) -> str:
    """Write a lesson's slides, and reveal.js beside them; return a line on what was made."""
    folder.mkdir(parents=True, exist_ok=True)
    _copy_reveal(folder / "reveal")
    columns = Deck(notebook).columns()
    title = html.escape(f"{columns[0][0].heading} · {lessons.course_title()}")
    talk, made = chosen(columns), []
    for number, column in enumerate(columns):
        for slide in column:
            if slide is column[0] or id(slide) in talk:
                begins = " data-begins-section" * (slide is column[0])
                made += [f"</section>\n<section{begins}>" if made else f"<section{begins}>"]
            made.append(slide.html(1 if number == 0 else 2))
    made = "\n".join([*made, "</section>"])
    target = folder / f"{notebook.stem}.html"
    target.write_text(PAGE.format(title=title, columns=made), encoding="utf-8")
    return (
        f"{target}: {len(talk)} slides and {sum(map(len, columns)) - len(talk)} below them, "
        f"{target.stat().st_size / 1e6:.1f} MB"
    )


def chosen(columns: list[list[Slide]]) -> set[int]:
    """Return the ``id`` of every slide of the talk.

    What a section begins with is in any case, then what is tagged, and as many predictions as there
    is room for, none without its answer: those first that a figure answers.

    Args:
        columns: The slides of each section.
    """
    wanted: list[list[Slide]] = [[column[0] for column in columns]]
    rest = [slide for column in columns for slide in column[1:]]
    wanted += [[slide] for slide in rest if "talk" in slide.tags]
    rest = [slide for slide in rest if "detail" not in slide.tags]
    pairs = [
        [slide, *_answer(slide.heading, column[place + 1 :])]
        for column in columns
        for place, slide in enumerate(column)
        if slide.kind == "predict" and "detail" not in slide.tags
    ]
    pairs = [pair for pair in pairs if len(pair) == 2]  # not: one that the next section answers
    wanted += sorted(
        pairs, key=lambda pair: (pair[-1].kind != "figure", "card" not in pair[-1].tags)
    )
    wanted += [[slide] for kind in ("exercise", "figure") for slide in rest if slide.kind == kind]
    talk: set[int] = set()
    for group in wanted:
        more = talk | {id(slide) for slide in group}
        talk = more if not talk or len(more) <= LONGEST_TALK else talk
    return talk


def _answer(heading: str, slides: list[Slide]) -> list[Slide]:
    """Return the one slide that answers a prediction: a figure below it, else a card, else any.

    Args:
        heading: The prediction's.
        slides: Those after it; the answer stands before the next prediction or heading.
    """
    until = (k for k, s in enumerate(slides) if s.kind == "predict" or s.heading != heading)
    mine = slides[: next(until, None)]
    mine = [slide for slide in mine if "detail" not in slide.tags]
    figures = [slide for slide in mine if slide.kind == "figure"]
    return (figures or [slide for slide in mine if "card" in slide.tags] or mine)[:1]


def _copy_reveal(folder: Path) -> None:
    """Put reveal.js and the course's own style into a folder.

    Raises:
        RuntimeError: The package that brings reveal.js along is missing, or has none.
    """
    folder.mkdir(exist_ok=True)
    package = importlib.util.find_spec("sphinx_revealjs")
    origin = Path(package.origin).parent / "_static" / "revealjs" if package else None
    for name in REVEAL:
        if origin is None or not (origin / name).is_file():
            raise RuntimeError(
                f"reveal.js is not there ({name}): pip install -r requirements.txt brings it along "
                "with the package sphinx-revealjs"
            )
        shutil.copyfile(origin / name, folder / Path(name).name)
    for asset in (rendering.ASSETS / "slides").iterdir():
        (folder / asset.name).write_text(asset.read_text("utf-8"), encoding="utf-8")
    style = HtmlFormatter(style=COLOURS).get_style_defs(".code")
    (folder / "code.css").write_text(style, encoding="utf-8")


# --- From cells to slides ----------------------------------------------------------------------


class Deck:
    """Makes the slides of one lesson."""

    def __init__(self, notebook: Path) -> None:
        self.notebook = notebook
        self.cells = nbformat.read(notebook, as_version=4).cells
        self.markdown = MarkdownIt("commonmark", {"highlight": _coloured}).enable("table")
        self._columns: list[list[Slide]] = []
        self.section = ""
        self.prediction: Slide | None = None
        self.exercise: Slide | None = None
        self.solved = False

    def columns(self) -> list[list[Slide]]:
        """Return the slides: a list for each section."""
        for cell in self.cells:
            if LEFT_OUT.isdisjoint(lessons.tags(cell)):
                before = {id(slide): len(slide.body) for slide in self._slides()}
                if cell.cell_type == "markdown":
                    self._prose(cell.source)
                elif self.section not in NOT_SHOWN:
                    self._code(cell)
                for slide in self._slides():
                    if len(slide.body) > before.get(id(slide), 0):
                        slide.tags |= {"talk", "detail"} & set(lessons.tags(cell))
        return self._columns

    def _slides(self) -> Iterator[Slide]:
        return (slide for column in self._columns for slide in column)

    @property
    def slide(self) -> Slide:
        """The slide that is being filled."""
        return self._columns[-1][-1]

    def _new(self, kind: str = "plain", heading: str = "") -> Slide:
        """Begin a slide below the present one, or use the present one while it is empty."""
        heading = heading or self.slide.heading
        if self.slide.body or self.slide.kind != "plain":
            self._columns[-1].append(Slide(heading))
        self.slide.kind, self.slide.heading = kind, heading
        return self.slide

    def _room(self, height: int) -> Slide:
        """Return a slide with so much room left."""
        if self.slide.kind not in ("plain", "exercise") or (
            self.slide.body and self.slide.height + height > fitting.ROOM
        ):
            return self._new()
        return self.slide

    # Prose

    def _prose(self, source: str) -> None:
        source = rendering.with_links(source, self._target)
        for kind, text, rendered, height in self._blocks(source):
            if kind in ("h1", "h2"):
                self.section, self.prediction, self.exercise = text, None, None
                if text not in NOT_SHOWN:
                    self._columns.append([Slide(rendered, "title" if kind == "h1" else "plain")])
                if kind == "h1":
                    self.slide.add(f"<p>{html.escape(lessons.course_title())}</p>", fitting.LINE)
                    self.slide.notes = [*self._guide()]
            elif self.section in NOT_SHOWN:
                continue
            elif kind == "h3":
                self.exercise, self.solved = None, False
                slide = self._new("plain", rendered)
                if text.startswith("Exercise "):
                    slide.kind, self.exercise = "exercise", slide
            elif self.exercise and self.solved:
                continue  # what leads from the solution to its use
            elif text.startswith("Predict."):
                self.prediction = self._new("predict")
                self.prediction.add(rendered, height)
                self.prediction.notes.append(
                    "<p>Let everybody settle on an answer, by hands or in writing, before you go "
                    "on.</p>"
                )
            else:
                self._room(height).add(rendered, height)

    def _blocks(self, source: str) -> Iterator[tuple[str, str, str, int]]:
        """Yield kind, text, HTML and estimated height of each paragraph, list, table and so on."""
        tokens = self.markdown.parse(source)
        start, depth = 0, 0
        for index, token in enumerate(tokens):
            depth += token.nesting
            if depth:
                continue
            part = tokens[start : index + 1]
            start = index + 1
            text = " ".join(fitting.plain(t) for t in part if t.type == "inline")
            if part[0].type == "heading_open":
                inner = self.markdown.renderer.render(part[1:-1], self.markdown.options, {})
                yield part[0].tag, text, inner, 0
            elif (
                part[0].type == "paragraph_open"
                and len(text) > fitting.LETTERS * fitting.ROOM / fitting.LINE
            ):
                for piece in fitting.sentences(
                    part[1].content, int(fitting.LETTERS * fitting.ROOM / fitting.LINE)
                ):
                    yield (
                        "p",
                        fitting.without_marks(piece),
                        self.markdown.render(piece),
                        fitting.text_height(piece),
                    )
            else:
                rendered = self.markdown.renderer.render(part, self.markdown.options, {})
                yield part[0].tag, text, rendered, fitting.height_of(part)

    def _target(self, target: str) -> str:
        """Lead links to lessons from deck to deck, and all others to where the course lives."""
        file, anchor = rendering.split_target(target, self.notebook)
        if file is None or not file.exists():
            return target
        if file.suffix == ".ipynb":
            return f"{file.stem}.html"
        if rendering.is_picture(file):
            kind = mimetypes.guess_type(file.name)[0]
            return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
        return f"{places.address_of(file)}{anchor}"

    def _guide(self) -> Iterator[str]:
        """What the instructor's guide says about this lesson, as notes for its title."""
        yield (
            f"<p>The notebook is {self.notebook.name}; S opens this view, F fills "
            "the screen, → goes on, ↓ shows what else belongs to a slide.</p>"
        )
        if places.is_placeholder(places.address()["repository"]):
            yield self.markdown.render(places.NO_ADDRESS)
        guide = lessons.NOTEBOOKS / "INSTRUCTORS.md"
        if guide.is_file():
            parts = re.split(r"^(?=#{1,4} )", guide.read_text("utf-8"), flags=re.MULTILINE)
            number = self.notebook.name[:2]
            for part in parts:
                if re.match(rf"#+ (?:Lesson )?{number}\b", part):
                    text = rendering.with_links(part.partition("\n")[2], self._target)
                    yield self.markdown.render(text)

    # Code

    def _code(self, cell: NotebookNode) -> None:
        if "solution" in lessons.tags(cell):
            if self.exercise:
                code = cell.source.partition("\n")[2]
                self.exercise.notes += ["<p>A solution:</p>", _code_html(code)]
            self.solved = True
            return
        if self.exercise and self.solved:
            return  # it uses the solution
        where = f"<p>Cell [{cell.execution_count}] of the notebook.</p>"
        shown = fitting.shown_code(cell.source)
        if shown:
            height = fitting.code_height(shown)
            # Code and what it prints stay together where one slide has room for both.
            printed = sum(
                fitting.shortened(o)[1]
                for o in cell.outputs
                if "image/png" not in fitting.data_of(o)
            )
            slide = self._room(height + printed if height + printed <= fitting.ROOM else height)
            slide.add(_code_html(shown), height)
            slide.notes.append(where)
        for output in cell.outputs:
            self._output(output, cell, bool(shown))

    def _output(self, output: NotebookNode, cell: NotebookNode, has_code: bool) -> None:
        data = fitting.data_of(output)
        words = data.get("text/plain", "")
        if "image/png" in data:
            alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
            slide = self._new("figure")
            slide.add(rendering.output_html(output, fitting.embedded), fitting.FIGURE)
            slide.notes += [f"<p>In words: {html.escape(alt)}</p>", *_drawn_by(cell)]
            self._outcome(alt)
            return
        if words.startswith("In words."):
            return  # the figure's slide has them in its notes
        shown, height = fitting.shortened(output)
        if not shown:
            return
        card = 'role="note"' in shown
        if card:
            self._outcome(" ".join(words.splitlines()[1:2]).strip())
        elif output.output_type == "stream":
            self._outcome("; ".join(output.text.strip().splitlines()[:3]))
        elif words:
            self._outcome(words.splitlines()[-1].strip())  # a table's last line sums it up
        slide = self._room(height)
        slide.add(shown, height, later=has_code)
        slide.tags |= {"card"} if card else set()
        if card and not has_code:
            slide.notes += _drawn_by(cell)

    def _outcome(self, sentence: str) -> None:
        """Tell the speaker, at the prediction, what will come of it."""
        if self.prediction and len(self.prediction.notes) < 4:
            self.prediction.notes.append(f"<p>What comes: {html.escape(sentence)}</p>")


def _drawn_by(cell: NotebookNode) -> list[str]:
    return [f"<p>Cell [{cell.execution_count}] of the notebook:</p>", _code_html(cell.source)]


def _code_html(source: str) -> str:
    return f'<pre class="code">{_coloured(source, rendering.language(source), "")}</pre>'


def _coloured(source: str, language: str, _: str) -> str:
    """Return code as HTML with the parts of speech marked; markdown-it calls this, too."""
    try:
        lexer = get_lexer_by_name(language or "text", stripnl=False)
    except ValueError:
        lexer = get_lexer_by_name("text")
    return highlight(source.rstrip(), lexer, HtmlFormatter(nowrap=True)).rstrip()
