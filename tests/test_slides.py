"""Slides: made from every lesson, nothing runs off, notes for the speaker, no network."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from looking import CONTRAST, barriers, needs_chromium, parsed, requests_of
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from playwright.sync_api import Browser, Page

from tools import lessons as course
from tools.publish import address as places
from tools.publish import deck as slides
from tools.publish import fitting
from tools.publish.deck import REVEAL
from tools.publish.fitting import LONGEST_OUTPUT, LONGEST_TABLE, shown_code

LESSONS = course.lessons()
PROJECTOR = {"width": 1280, "height": 720}
SMALLEST = 0.7  # of the usual size, which is 28 pixels on a slide of 720
MOST_SHRUNK = 0.1  # of the slides of a lesson

# What stands outside the slide, and how much smaller than usual its text is.
LOOK = """() => {
  const slide = Reveal.getCurrentSlide(), frame = {width: innerWidth, height: innerHeight};
  const off = [...slide.querySelectorAll(':scope > :not(aside), :scope > :not(aside) *')]
    .filter(element => {
      const box = element.getBoundingClientRect();
      return box.width && (box.right > frame.width + 1 || box.bottom > frame.height + 1 ||
        box.left < -1 || box.top < -1);
    }).map(element => element.outerHTML.slice(0, 100));
  const body = slide.querySelector(':scope > .body');
  return {title: slide.innerText.slice(0, 60), off, scale: parseFloat(body.dataset.scale)};
}"""

every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slides")
    for lesson in LESSONS:
        assert re.search(r": \d+ slides and \d+ below them, \d", slides.build(lesson, folder))
    return folder


def deck_of(lesson: Path, folder: Path) -> BeautifulSoup:
    return parsed(folder / f"{lesson.stem}.html")


def single_slides(deck: BeautifulSoup) -> list[BeautifulSoup]:
    return [section for section in deck.find_all("section") if not section.find("section")]


def shown(deck: BeautifulSoup) -> str:
    """All that the audience gets to read."""
    return " ".join(slide.select_one(".body").get_text(" ") for slide in single_slides(deck))


def words(text: str) -> str:
    return " ".join(text.split())


# --- What is on them ---------------------------------------------------------------------------


@every_lesson
def test_every_section_but_the_set_up_has_slides(lesson: Path, folder: Path) -> None:
    wanted = [title for cell in course.read(lesson).cells for title in sections_of(cell)]
    columns = deck_of(lesson, folder).select(".slides > section[data-begins-section]")
    found = [column.find(["h1", "h2"]).get_text() for column in columns]
    # The first exercise takes the place of a heading with nothing to say of its own.
    found = [re.sub(r"^Exercise \d.*", "Exercises", title) for title in found]
    assert found == [title for title in wanted if title != "Set up"]


@every_lesson
def test_the_talk_is_short_and_asks_nothing_that_it_does_not_answer(lesson, folder) -> None:
    talk = [
        column.find("section", recursive=False)
        for column in deck_of(lesson, folder).select(".slides > section")
    ]
    assert 20 <= len(talk) <= slides.LONGEST_TALK == 35
    asked = [number for number, slide in enumerate(talk) if "predict" in slide["class"]]
    assert len(asked) >= 5
    for number in asked:
        answer = talk[number + 1]
        assert "predict" not in answer["class"]
        assert answer.find("h2").get_text() == talk[number].find("h2").get_text()
    assert len(single_slides(deck_of(lesson, folder))) > len(talk)  # the rest lies below


@pytest.mark.parametrize(("tag", "there"), [("", False), ("talk", True), ("detail", False)])
def test_a_tag_takes_a_slide_into_the_talk_or_out(tmp_path: Path, tag: str, there: bool) -> None:
    figure = new_output("display_data", {"image/png": png()}, metadata={"image/png": {"alt": "a"}})
    tags = {"tags": [tag]} if tag else {}
    talk = talk_of(
        tmp_path,
        new_markdown_cell("# 00 · X\n\n## One\n\nWords."),
        new_code_cell(
            "plots.images(x)", outputs=[figure] if tag == "detail" else [], metadata=tags
        ),
        new_code_cell("y = 1\n" * 30, metadata=tags),
        new_markdown_cell("## Two\n\nWords."),
    )
    assert ("y = 1" in talk) == there
    assert "<img" not in talk


def test_a_figure_rather_than_a_number_answers_a_prediction(tmp_path: Path) -> None:
    figure = new_output("display_data", {"image/png": png()}, metadata={"image/png": {"alt": "a"}})
    said = new_output("stream", text="seven\n")
    talk = talk_of(
        tmp_path,
        new_markdown_cell("# 00 · X\n\n## One\n\nWords.\n\n**Predict.** How many?"),
        new_code_cell("print(n)", outputs=[said]),
        new_code_cell("plots.images(x)", outputs=[figure]),
        new_markdown_cell("**Predict.** And now?"),
        new_code_cell("print(m)", outputs=[said]),
    )
    assert "How many?" in talk and "<img" in talk and "print(n)" not in talk
    assert "And now?" in talk and "print(m)" in talk


def png() -> str:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def talk_of(tmp_path: Path, *cells: NotebookNode) -> str:
    """What the audience reads in the talk of a lesson with these cells, and "<img" for figures."""
    notebook = tmp_path / "00_x.ipynb"
    nbformat.write(new_notebook(cells=list(cells)), notebook)
    columns = slides.Deck(notebook).columns()
    talk = slides.chosen(columns)
    page = "".join(s.html(2) for column in columns for s in column if id(s) in talk)
    text = " ".join(body.get_text() for body in BeautifulSoup(page, "html.parser").select(".body"))
    return text + "<img" * page.count("<img")


def sections_of(cell: NotebookNode) -> list[str]:
    """The titles of first and second level in a cell, wherever in it they stand."""
    prose = re.sub(r"(?ms)^```.*?^```", "", cell.source) if cell.cell_type == "markdown" else ""
    return [re.sub(r"[*`]", "", title) for title in re.findall(r"(?m)^##? (.+)$", prose)]


@every_lesson
def test_every_slide_has_a_heading_and_something_below_it(lesson: Path, folder: Path) -> None:
    for slide in single_slides(deck_of(lesson, folder)):
        assert slide.find(["h1", "h2"]).get_text().strip()
        body = slide.select_one(".body")
        assert body.get_text().strip() or body.find("img"), slide


@every_lesson
def test_a_prediction_stands_alone_before_its_run(lesson: Path, folder: Path) -> None:
    asked = [
        words(re.sub(r"[*`]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", match[1])))
        for cell in course.read(lesson).cells
        if cell.cell_type == "markdown"
        for match in re.finditer(r"^\*\*Predict\.\*\* (.+)$", cell.source, re.MULTILINE)
    ]
    found = [
        slide for slide in single_slides(deck_of(lesson, folder)) if "predict" in slide["class"]
    ]
    assert len(found) == len(asked)
    for slide, question in zip(found, asked, strict=True):
        text = words(slide.select_one(".body").get_text())
        assert text.startswith("Predict.")
        assert words(question)[:40] in text
        assert not slide.select(".body pre, .body img, .body .output")


@every_lesson
def test_nothing_gives_a_solution_away_and_the_speaker_has_it(lesson: Path, folder: Path) -> None:
    deck = deck_of(lesson, folder)
    for cell in course.read(lesson).cells:
        if "solution" in course.tags(cell):
            code = cell.source.partition("\n")[2]
            assert not any(
                words(code) in words(slide.select_one(".body").get_text())
                for slide in single_slides(deck)
            )
            notes = [aside.get_text() for aside in deck.find_all("aside")]
            assert sum(code.strip() in text for text in notes) == 1
    assert "transfer-learning-course" not in shown(deck)  # the bootstrap cell
    assert "Not attempted yet" not in " ".join(
        slide.get_text() for slide in single_slides(deck) if "exercise" in slide["class"]
    )


@every_lesson
def test_every_figure_is_there_with_its_words_in_the_notes(lesson: Path, folder: Path) -> None:
    stored = [
        output
        for cell in course.read(lesson).cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {}) and not in_exercises(lesson, cell.id)
    ]
    images = deck_of(lesson, folder).select("section img")
    assert len(images) >= len(stored)
    for slide in single_slides(deck_of(lesson, folder)):
        for image in slide.find_all("img"):
            assert image["alt"]
            assert words(image["alt"]) in words(slide.aside.get_text())
            assert image["src"].startswith("data:image/png;base64,")


@every_lesson
def test_every_claim_is_there(lesson: Path, folder: Path) -> None:
    text = words(shown(deck_of(lesson, folder)))
    for cell in course.read(lesson).cells:
        for output in cell.get("outputs", ()):
            plain = output.get("data", {}).get("text/plain", "")
            if plain.startswith(("✓ Claim", "✓ Fact")) and not in_exercises(lesson, cell.id):
                assert words(plain.splitlines()[1]) in text


def in_exercises(lesson: Path, cell_id: str) -> bool:
    section = ""
    for cell in course.read(lesson).cells:
        section = [section, *sections_of(cell)][-1]
        if cell.id == cell_id:
            return section in ("Exercises", "Set up")
    return False


@every_lesson
def test_the_speaker_has_notes(lesson: Path, folder: Path) -> None:
    deck = deck_of(lesson, folder)
    for slide in single_slides(deck):
        if {"title", "predict", "figure", "exercise"} & set(slide["class"]):
            assert slide.aside.get_text().strip(), slide
    told = [slide.aside.get_text() for slide in deck.select("section.predict")]
    assert sum("What comes" in text for text in told) > len(told) / 2


@every_lesson
def test_links_lead_to_decks_or_out_of_the_folder_to_the_web(lesson: Path, folder: Path) -> None:
    for link in deck_of(lesson, folder).find_all("a", href=True):
        target = link["href"].partition("#")[0]
        assert target.startswith("https://") or (folder / target).is_file(), link


# --- Made-up lessons ---------------------------------------------------------------------------


def columns(tmp_path: Path, *cells: NotebookNode) -> list[list[slides.Slide]]:
    notebook = tmp_path / "01_x.ipynb"
    start = new_markdown_cell("# 01 · X\n\n## Section")
    nbformat.write(new_notebook(cells=[start, *cells]), notebook)
    return slides.Deck(notebook).columns()


def printed(lines: int) -> NotebookNode:
    text = "".join(f"line {number}\n" for number in range(lines))
    return new_code_cell("print()", outputs=[new_output("stream", text=text)])


def test_long_prose_is_cut_between_paragraphs_and_then_between_sentences(tmp_path: Path) -> None:
    paragraph = " ".join(f"Sentence {n} has some more words in it." for n in range(12))
    *_, column = columns(tmp_path, new_markdown_cell("\n\n".join([paragraph] * 6)))
    assert len(column) == 3
    *_, column = columns(tmp_path, new_markdown_cell(" ".join([paragraph] * 6)))
    assert len(column) > 2
    text = words(" ".join(re.sub("<.*?>", " ", "".join(slide.body)) for slide in column))
    assert text == words(" ".join([paragraph] * 6))


def test_long_outputs_are_cut_and_say_so(tmp_path: Path) -> None:
    *_, column = columns(tmp_path, printed(LONGEST_OUTPUT + 5))
    html = "".join(column[-1].body)
    assert "5 more lines in the notebook" in html
    assert f"line {LONGEST_OUTPUT}" not in html
    rows = "".join(f"<tr><td>row {n}</td></tr>" for n in range(LONGEST_TABLE + 6))
    table = new_output("display_data", {"text/html": f"<table>{rows}</table>"})
    *_, column = columns(tmp_path, new_code_cell("table", outputs=[table]))
    assert "6 more rows in the notebook" in "".join(column[-1].body)


def test_code_and_what_it_prints_stay_together(tmp_path: Path) -> None:
    *_, column = columns(tmp_path, *[printed(lines) for lines in (6, 5, 6)])
    assert len(column) == 2
    for slide in column:
        assert "".join(slide.body).count("<pre") % 2 == 0
        assert 'class="fragment"' in "".join(slide.body)


def test_a_click_shows_a_result_only_where_something_stands_above_it(tmp_path: Path) -> None:
    cell = new_code_cell("claim()", outputs=[new_output("stream", text="a result")])
    *_, [slide] = columns(tmp_path, cell)
    assert 'class="fragment"' not in "".join(slide.body)


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("x = f()\nclaim(\n    '01.a',\n    x > 1,\n)", "x = f()"),
        ("plots.images(x)", ""),
        ("figure, axes = plots.new_figure()\naxes.plot()", ""),
        ("model.fit()\nplots.curves(a, b)", "model.fit()"),
        ("%load_ext tensorboard", "%load_ext tensorboard"),
        ("def claims():\n    claim()", "def claims():\n    claim()"),
    ],
)
def test_what_is_shown_as_a_result_is_not_shown_as_code(source: str, left: str) -> None:
    assert shown_code(source) == left


def test_a_picture_in_prose_comes_along() -> None:
    picture = next((course.COURSE_ROOT / "data").rglob("*.jpg"))
    deck = slides.Deck(LESSONS[0])
    target = f"../{picture.relative_to(course.COURSE_ROOT).as_posix()}"
    assert deck._target(target).startswith("data:image/jpeg;base64,")
    assert deck._target("../README.md").startswith(places.address()["repository"])


def test_the_guide_for_instructors_goes_into_the_notes(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "INSTRUCTORS.md").write_text(
        "# Guide\n\n## Lesson 01 · X\n\nAsk *this*.\n\n## 02\n\nAsk that.\n", encoding="utf-8"
    )
    monkeypatch.setattr(course, "NOTEBOOKS", tmp_path)
    notes = "".join(columns(tmp_path)[0][0].notes)
    assert "Ask <em>this</em>." in notes
    assert "Ask that" not in notes


@pytest.mark.parametrize(("owner", "said"), [("your_name", True), ("school", False)])
def test_the_speaker_is_told_where_the_course_has_no_address(
    tmp_path: Path, monkeypatch, owner: str, said: bool
) -> None:
    own = {"repository": f"https://github.com/{owner}/course", "branch": "main"}
    monkeypatch.setattr(places, "address", lambda: own)
    notes = "".join(columns(tmp_path)[0][0].notes)
    assert ("python -m tools fork" in notes) == said


def test_without_reveal_the_message_says_what_to_install(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match=r"pip install -r requirements\.txt"):
        slides.build(LESSONS[0], tmp_path)


def test_reveal_comes_with_its_licence(folder: Path) -> None:
    assert {Path(name).name for name in REVEAL} <= {f.name for f in (folder / "reveal").iterdir()}
    assert "Permission is hereby granted" in (folder / "reveal" / "LICENSE").read_text("utf-8")


# --- In a browser ------------------------------------------------------------------------------


def visit(page: Page, file: Path) -> Iterator[dict]:
    """Open a deck and look at each of its slides, everything on it shown."""
    page.goto(file.as_uri())
    page.wait_for_function("Reveal.isReady() && Reveal.getCurrentSlide()")
    places = page.evaluate(
        "Reveal.getSlides().map(slide => Reveal.getIndices(slide)).map(at => [at.h, at.v || 0])"
    )
    for horizontal, vertical in places:
        page.evaluate(f"Reveal.slide({horizontal}, {vertical}, 99)")
        yield page.evaluate(LOOK)


@needs_chromium
@every_lesson
def test_nothing_runs_off_a_slide(lesson: Path, folder: Path, browser: Browser) -> None:
    page = browser.new_page(viewport=PROJECTOR)
    asked = requests_of(page)
    seen = []
    for slide in visit(page, folder / f"{lesson.stem}.html"):
        seen.append(slide)
    assert [slide for slide in seen if slide["off"]] == []
    assert [slide for slide in seen if slide["scale"] < SMALLEST] == []
    assert sum(slide["scale"] < 1 for slide in seen) <= MOST_SHRUNK * len(seen)
    assert asked == []
    page.close()


@needs_chromium
def test_what_runs_off_would_be_found(tmp_path: Path, browser: Browser, monkeypatch) -> None:
    """A long output is made smaller until it fits; what cannot fit is found."""
    monkeypatch.setattr(fitting, "LONGEST_OUTPUT", 1000)
    found = {}
    for lines in (10, 28, 90):
        content = [new_markdown_cell("# 01 · X\n\n## Section"), printed(lines)]
        notebook = tmp_path / f"{lines}_x.ipynb"
        nbformat.write(new_notebook(cells=content), notebook)
        slides.build(notebook, tmp_path)
        page = browser.new_page(viewport=PROJECTOR)
        found[lines] = list(visit(page, tmp_path / f"{lines}_x.html"))[-1]
        page.close()
    assert (found[10]["scale"], found[10]["off"]) == (1, [])
    assert found[28]["scale"] < 1
    assert found[28]["off"] == []
    assert found[90]["off"] != []


@needs_chromium
def test_a_clicker_goes_through_the_talk_and_down_leads_to_the_rest(
    folder: Path, browser: Browser
) -> None:
    page = browser.new_page(viewport=PROJECTOR)
    page.goto((folder / f"{LESSONS[2].stem}.html").as_uri())
    page.wait_for_function("Reveal.isReady()")
    at = "[Reveal.getIndices().h, Reveal.getIndices().v]"
    for key, place in (("PageDown", [1, 0]), (" ", [2, 0]), ("PageUp", [1, 0])):
        page.keyboard.press(key)
        assert page.evaluate(at) == place
    below = page.evaluate(
        "[...document.querySelectorAll('.slides > section')].findIndex(c => c.children.length > 1)"
    )
    page.evaluate(f"Reveal.slide({below}, 0, 99)")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(at) == [below, 1]
    page.keyboard.press("PageDown")  # and on with the talk, once all of this slide is shown
    page.evaluate(f"Reveal.slide({below}, 1, 99)")
    page.keyboard.press("PageDown")
    assert page.evaluate("Reveal.getIndices().h") == below + 1
    page.close()


@needs_chromium
def test_the_speaker_sees_the_notes_in_a_window_of_their_own(
    folder: Path, browser: Browser
) -> None:
    page = browser.new_page(viewport=PROJECTOR)
    page.goto((folder / f"{LESSONS[0].stem}.html").as_uri())
    page.wait_for_function("Reveal.isReady()")
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    notes = opened.value.locator(".speaker-controls-notes .value")
    notes.filter(has_text=LESSONS[0].name).wait_for(timeout=20_000)
    page.close()


@needs_chromium
@every_lesson
def test_every_text_on_a_slide_can_be_read(lesson: Path, folder: Path, browser: Browser) -> None:
    """All slides at once, one below the other: as they are without reveal.js."""
    page = browser.new_page(viewport=PROJECTOR)
    page.route("**/reveal.*", lambda route: route.abort())
    page.goto((folder / f"{lesson.stem}.html").as_uri())
    page.add_style_tag(content="pre { white-space: pre-wrap; overflow: visible; max-height: none }")
    slide = "section > :not(aside)"
    assert page.locator(slide).count() >= 2 * len(single_slides(deck_of(lesson, folder)))
    assert barriers(page, f"{slide}, {slide} *", CONTRAST) == []
    page.close()


@needs_chromium
def test_slides_print_to_pdf(folder: Path, browser: Browser) -> None:
    """What `?print-pdf` lays out for the printer is as many pages as there are slides."""
    page = browser.new_page(viewport=PROJECTOR)
    lesson = LESSONS[0]
    page.goto((folder / f"{lesson.stem}.html").as_uri() + "?print-pdf")
    page.wait_for_function("document.querySelectorAll('.pdf-page').length > 1")
    pages = page.locator(".pdf-page").count()
    assert pages == len(single_slides(deck_of(lesson, folder)))
    page.close()


@needs_chromium
def test_a_figure_fills_its_slide(tmp_path: Path, browser: Browser) -> None:
    for size in ((750, 150), (300, 900)):
        file = io.BytesIO()
        Image.new("RGB", size, "red").save(file, "PNG")
        data = {"image/png": base64.b64encode(file.getvalue()).decode()}
        drawn = new_output("display_data", data, metadata={"image/png": {"alt": "red"}})
        cells = [new_markdown_cell("# 01 · X\n\n## S"), new_code_cell("x", outputs=[drawn])]
        notebook = tmp_path / f"{size[0]}_x.ipynb"
        nbformat.write(new_notebook(cells=cells), notebook)
        slides.build(notebook, tmp_path)
        page = browser.new_page(viewport=PROJECTOR)
        *_, last = visit(page, tmp_path / f"{size[0]}_x.html")
        box = page.locator("section.present .body img, section.present.figure img").last
        assert last["off"] == []
        assert box.bounding_box()["height"] > 400
        page.close()
