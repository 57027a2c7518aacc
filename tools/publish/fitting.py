"""How much of a lesson fits on a slide: estimated heights, and what is cut.

Heights are estimates in pixels; what does not fit after all is made smaller in the browser
(assets/slides/slides.js).
"""

from __future__ import annotations

import ast
import base64
import html
import math
import re
from collections.abc import Iterator

from nbformat import NotebookNode

from tools.publish import rendering

# A slide is 1280 × 720, of which the heading and the margins take a part.
ROOM = 560
LINE, LETTERS = 38, 82  # of prose
CODE_LINE, CODE_LETTERS = 26, 98
ROW = 34
FIGURE = 480
LONGEST_OUTPUT, LONGEST_TABLE = 16, 14  # lines, rows


def code_height(source: str) -> int:
    """Estimate the height of a piece of code, long lines broken, in pixels."""
    lines = source.split("\n")
    return 30 + CODE_LINE * sum(1 + len(line) // CODE_LETTERS for line in lines)


def shown_code(source: str) -> str:
    """Return the code of a cell without the calls whose result is shown in its place.

    Those are claims and figures; of a cell that draws a figure of its own nothing is left.
    """
    if "plots.new_figure(" in source:
        return ""
    try:
        statements = ast.parse(source).body
    except SyntaxError:  # IPython's magic
        return source
    lines = source.splitlines()
    for statement in reversed(statements):
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            called = ast.unparse(statement.value.func)
            if called in ("claim", "fact") or called.startswith("plots."):
                del lines[statement.lineno - 1 : statement.end_lineno]
    return "\n".join(lines).strip("\n")


def data_of(output: NotebookNode) -> dict:
    """Return an output's data by kind; a stream has none."""
    return output.get("data", {})


def embedded(png: bytes, alt: str) -> str:
    """Return the ``<img>`` of a picture that holds the picture itself."""
    source = "data:image/png;base64," + base64.b64encode(png).decode()
    return rendering.picture_html(source, png, alt)


def plain(token) -> str:
    """Return an inline token's text, without marks."""
    return "".join(child.content for child in token.children or () if child.type != "html_inline")


def without_marks(text: str) -> str:
    """Return Markdown without the marks of emphasis and code."""
    return re.sub(r"[*`]", "", text)


def text_height(text: str) -> int:
    """Estimate the height of a paragraph, in pixels."""
    return LINE * math.ceil(len(text) / LETTERS) + 14


def height_of(block: list) -> int:
    """Estimate the height of a paragraph, list, table or piece of code, in pixels."""
    if block[0].type in ("fence", "code_block"):
        return 30 + CODE_LINE * block[0].content.count("\n")
    rows = sum(token.type == "tr_open" for token in block)
    if rows:
        columns = sum(token.type in ("th_open", "td_open") for token in block) / rows
        cells = [plain(token) for token in block if token.type == "inline"]
        widest = LETTERS * 1.2 / columns
        return 20 + sum(
            ROW * max(1, math.ceil(max(map(len, row)) / widest))
            for row in (cells[i : i + int(columns)] for i in range(0, len(cells), int(columns)))
            if row
        )
    return sum(text_height(plain(token)) for token in block if token.type == "inline")


def sentences(text: str, most: int) -> Iterator[str]:
    """Cut a long paragraph into pieces of `most` letters, about, at the ends of sentences."""
    piece = ""
    for sentence in re.split(r"(?<=[.?!]) (?=[A-Z*`])", text):
        if piece and len(piece) + len(sentence) > most:
            yield piece
            piece = ""
        piece = f"{piece} {sentence}".strip()
    yield piece


def shortened(output: NotebookNode) -> tuple[str, int]:
    """Return an output as HTML, cut to what fits on a slide, and its estimated height."""
    made = rendering.output_html(output, embedded)
    more = '<p class="more">… {} more {} in the notebook</p>'
    if made.startswith("<pre"):
        lines = made.split("\n")
        kept = made
        if len(lines) > LONGEST_OUTPUT + 1:
            rest = len(lines) - LONGEST_OUTPUT
            kept = "\n".join(lines[:LONGEST_OUTPUT]) + "</pre>" + more.format(rest, "lines")
        return kept, code_height(html.unescape(kept))
    rows = list(re.finditer(r"<tr.*?</tr>", made, re.DOTALL))
    if rows:
        height = 20 + ROW * min(len(rows), LONGEST_TABLE)
        if len(rows) > LONGEST_TABLE + 1:
            first, last = rows[LONGEST_TABLE].start(), rows[-1].end()
            made = made[:first] + made[last:]
            made += more.format(len(rows) - LONGEST_TABLE, "rows")
        return made, height
    text = data_of(output).get("text/plain", "").splitlines()
    return made, 20 + sum(text_height(line) for line in text)
