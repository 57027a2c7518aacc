"""That everybody can follow: names that say something, never colour alone, cards on every theme.

Headings, names, alternative text and contrast are axe-core's business, which looks at the built
pages in test_pages.py, at slides in test_slides.py and at JupyterLab in test_jupyterlab.py. Here
is what it cannot know. Colour blindness is simulated in test_plots.py.
"""

from __future__ import annotations

import ast
import itertools
import re
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from IPython.core.inputtransformer2 import TransformerManager
from looking import CONTRAST, barriers, needs_chromium
from markdown_it import MarkdownIt
from nbformat import NotebookNode
from playwright.sync_api import Browser

from helpers import cards, plots
from tools.lessons import lessons, read

LESSONS = lessons()
# Background and text of the places where a card is read.
THEMES = {
    "JupyterLab Light": ("#ffffff", "#212121"),
    "JupyterLab Dark": ("#111111", "#dfdfdf"),
    "Colab, light": ("#ffffff", "#1f1f1f"),
    "Colab, dark": ("#383838", "#d5d5d5"),
    "GitHub, dark": ("#0d1117", "#f0f6fc"),
    "pages, light": ("#ffffff", "#000000"),
    "pages, dark": ("#131416", "#cfd0d0"),
}
FEWEST_WORDS = 5  # that say what a picture shows
COLOURS = "red|blue|green|orange|yellow|purple|violet|pink|brown|grey|gray|black|turquoise"
COLOUR_ALONE = re.compile(
    rf"\b(?:{COLOURS}) (?:line|curve|bar|dot|point|cell|square|region|area|part|box)s?\b"
    rf"|\b(?:in|is|are|drawn|shown|marked) (?:{COLOURS})\b",
    re.IGNORECASE,
)
KINDS_OF_CARDS = re.compile(  # by their first words
    r"✓ (?:Claim|Fact) holds · |✗ (?:Claim|Fact) FAILS here · |– Claim not judged here · "
    r"|↑ Rung \d\d\.[a-z-]+ · |[✓✗…] Exercise \d\d\.[a-z] · |Your progress\n"
)
MARKDOWN = MarkdownIt("commonmark").enable("table")

every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


def prose(lesson: Path) -> list[str]:
    return [cell.source for cell in read(lesson).cells if cell.cell_type == "markdown"]


def inline(markdown: str, kind: str) -> list:
    """The parts of a text of one kind, such as links or images."""
    children = (token.children or () for token in MARKDOWN.parse(markdown))
    return [child for child in itertools.chain(*children) if child.type == kind]


def code_cells(lesson: Path) -> list[NotebookNode]:
    return [cell for cell in read(lesson).cells if cell.cell_type == "code"]


# --- Headings, links, tables -------------------------------------------------------------------


@every_lesson
def test_no_heading_comes_twice(lesson: Path) -> None:
    """Who jumps from heading to heading could not tell them apart."""
    found = re.findall(r"^#+ (.+)$", "\n".join(prose(lesson)), re.MULTILINE)
    assert len(found) == len(set(found))


@every_lesson
def test_a_link_says_where_it_leads(lesson: Path) -> None:
    for markdown in prose(lesson):
        for text in re.findall(r"(?<!!)\[([^\]]*)\]\(", markdown):
            assert text.strip("` *").lower() not in {"", "here", "this", "link", "click here"}


@every_lesson
def test_every_table_names_its_columns(lesson: Path) -> None:
    for cell in code_cells(lesson):
        for output in cell.outputs:
            html = BeautifulSoup(output.get("data", {}).get("text/html", ""), "html.parser")
            assert all(table.find("th") for table in html.find_all("table")), cell.source


# --- Pictures ----------------------------------------------------------------------------------


@every_lesson
def test_every_picture_in_prose_has_words_enough(lesson: Path) -> None:
    for markdown in prose(lesson):
        for image in inline(markdown, "image"):
            assert len(image.content.split()) >= FEWEST_WORDS, image.attrs["src"]


@every_lesson
def test_the_words_of_a_figure_say_what_it_shows_and_no_two_are_the_same(lesson: Path) -> None:
    found = [
        output.metadata["image/png"]["alt"]
        for cell in code_cells(lesson)
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    for words in found:
        assert len(words.split()) >= FEWEST_WORDS, words
        assert not re.search(
            r"\.(png|jpg)\b|^(image|figure|picture|plot) of\b", words, re.IGNORECASE
        )
    assert len(found) == len(set(found))


# --- Never colour alone ------------------------------------------------------------------------


@every_lesson
def test_prose_points_at_nothing_by_its_colour_alone(lesson: Path) -> None:
    for markdown in prose(lesson):
        text = re.sub(r"`[^`]*`", "", markdown)
        for found in COLOUR_ALONE.finditer(text):
            sentence = text[max(0, found.start() - 80) : found.end() + 80]
            assert re.search("dashed|solid|dotted|hatched|left|right|top|bottom", sentence), (
                sentence
            )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Look at the red curve.", True),
        ("Training is in blue.", True),
        ("a red card", False),
        ("a green apple and black coffee", False),
        ("red, green and blue channels", False),
    ],
)
def test_the_search_for_colour_alone_finds_some_and_only_those(text: str, found: bool) -> None:
    assert bool(COLOUR_ALONE.search(text)) == found


@every_lesson
def test_own_drawings_of_several_lines_differ_in_more_than_colour(lesson: Path) -> None:
    for cell in code_cells(lesson):
        if "plots.new_figure(" not in cell.source:
            continue
        tree = ast.parse(TransformerManager().transform_cell(cell.source))
        loops = [n for n in ast.walk(tree) if isinstance(n, ast.For)]
        looped = [call for loop in loops for call in lines_drawn(loop)]
        calls = looped if looped else lines_drawn(tree)
        if looped or len(calls) > 1:
            styled = re.search(r"MARKERS|LINE_STYLES|marker=|linestyle=|\"[-:.o^s]+\"", cell.source)
            assert styled, cell.source


def lines_drawn(tree: ast.AST) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("plot", "errorbar", "step")
    ]


RUN = {
    "loss": [2.0, 1.0],
    "val_loss": [2.0, 1.5],
    "accuracy": [0.4, 0.6],
    "val_accuracy": [0.3, 0.5],
}
NAMES = [f"run {number}" for number in range(7)]
SEEDS = {name: [[0.4, 0.5], [0.6, 0.7]] for name in NAMES}
SEVERAL = {
    "curves": lambda: plots.curves(dict.fromkeys(NAMES, RUN), "Seven runs rise."),
    "trend": lambda: plots.trend(
        [10, 100], SEEDS, "Seven rise.", heading="Rise", steps_label="images", label="accuracy, %"
    ),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_lines_of_one_figure_differ_in_more_than_colour(name: str, monkeypatch) -> None:
    drawn = []
    getattr(plots, name)  # opens its room
    for module, room in list(sys.modules.items()):
        if module.startswith("helpers.plots") and "show" in vars(room):
            monkeypatch.setattr(room, "show", lambda figure, in_words: drawn.append(figure))
    SEVERAL[name]()
    for axis in drawn[0].axes:
        handles, _ = axis.get_legend_handles_labels()
        lines = [getattr(handle, "lines", [handle])[0] for handle in handles]
        looks = {
            (line.get_linestyle(), line.get_marker(), line.get_markerfacecolor() == "white")
            for line in lines
        }
        assert len(looks) == len(lines) >= len(NAMES)


# --- Contrast of cards -------------------------------------------------------------------------


def on_themes(style: str = "") -> str:
    """A page that shows each kind of card on each theme, and a large letter in its edge's colour.

    What is no text needs the contrast of large text, so the letter stands for the edge.
    """
    html = cards.Card("✓ Claim holds", "Sentence.", ["Evidence."])._repr_html_()
    edges = "".join(
        f'<p style="font-size:24px;color:{getattr(cards, colour)}">{colour}</p>'
        for colour in ("GOOD", "BAD", "NEUTRAL")
    )
    parts = [
        f'<section style="background:{behind};color:{text}" title="{theme}">{html}{edges}</section>'
        for theme, (behind, text) in THEMES.items()
    ]
    return f"<style>{style}</style>{''.join(parts)}"


@needs_chromium
def test_a_card_and_its_edge_can_be_seen_on_every_theme(browser: Browser) -> None:
    """Its text has the theme's colour; the smaller lines let some background through."""
    page = browser.new_page()
    page.set_content(on_themes())
    assert page.locator("section").count() == len(THEMES)
    assert page.locator("[style*='opacity']").count() == len(THEMES)  # the smaller lines
    assert barriers(page, rules=CONTRAST) == []
    page.close()


@needs_chromium
def test_what_shuts_somebody_out_would_be_found(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(
        '<html lang="en"><title>Page</title><main style="background:#111;color:#ccc"><h1>One</h1>'
        '<h3>three</h3><p style="color:#555">faint</p><p style="color:#eee;opacity:.3">fading</p>'
        '<p>plain</p><img src="data:,"><a href="x"></a></main>'
    )
    found = sorted(rule for rule, _ in barriers(page))
    assert found == ["color-contrast", "color-contrast", "heading-order", "image-alt", "link-name"]
    found = [where for _, where in barriers(page, rules=CONTRAST)]
    assert ["faint" in found[0], "fading" in found[1]] == [True, True]
    page.set_content(on_themes("section p, section div {opacity: .5 !important}"))
    assert barriers(page, rules=CONTRAST) != []
    page.set_content(f'<p style="font-size:24px;color:{cards.GOOD};background:#7f7f7f">GOOD</p>')
    assert len(barriers(page, rules=CONTRAST)) == 1
    page.close()


def test_what_a_card_says_does_not_hang_on_its_colour() -> None:
    """Tick, cross and dots tell the kinds of cards apart, and so does the word beside them."""
    said = [cell.source for lesson in LESSONS for cell in code_cells(lesson)]
    assert said
    shown = [
        output["data"]["text/plain"]
        for lesson in LESSONS
        for cell in code_cells(lesson)
        for output in cell.outputs
        if 'role="note"' in output.get("data", {}).get("text/html", "")
    ]
    assert len(shown) > 10
    assert [text for text in shown if not KINDS_OF_CARDS.match(text)] == []


def test_a_card_told_by_colour_alone_would_be_noticed() -> None:
    assert not KINDS_OF_CARDS.match(str(cards.Card("Claim 02.frozen", "It holds.")))
    assert not KINDS_OF_CARDS.match(str(cards.Card("Exercise 02.a · Pooling", "Right.")))
