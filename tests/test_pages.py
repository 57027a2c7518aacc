"""The course as static pages: whole, linked, searchable, readable on a phone, and offline."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from bs4 import BeautifulSoup
from looking import CONTRAST, TOO_WIDE, barriers, needs_chromium, parsed, requests_of
from markdown_it import MarkdownIt
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import Browser

from tools import lessons as course
from tools import template
from tools.publish import address as places
from tools.publish import pages, rendering
from tools.publish.pages import PagesProblem

LESSONS = course.lessons()
PHONE = {"width": 390, "height": 844}
SMALLEST_PHONE = {"width": 320, "height": 568}
DESK = {"width": 1280, "height": 900}
OF_THE_THEME = ("aria-required-attr", "landmark-unique")  # captions of the sidebar, announcement
MARKDOWN = MarkdownIt("commonmark").enable("table")

every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    said = list(pages.build(folder))
    assert f"{folder / 'index.html'}: " in said[-1]
    assert len(said) == len(LESSONS) + 1
    return folder


def page_of(lesson: Path, site: Path) -> BeautifulSoup:
    return parsed(site / "notebooks" / f"{lesson.stem}.html")


def words(text: str) -> str:
    return " ".join(text.split())


def html_files(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


# --- Whole -------------------------------------------------------------------------------------


@every_lesson
def test_every_word_of_the_prose_is_on_the_page(lesson: Path, site: Path) -> None:
    """Sphinx's Markdown knows more than GitHub's, and could swallow what looks like a directive."""
    shown = words(page_of(lesson, site).article.get_text())
    for cell in course.read(lesson).cells:
        if cell.cell_type != "markdown" or "badges" in course.tags(cell):
            continue
        for token in MARKDOWN.parse(cell.source):
            if token.type == "inline":
                text = "".join(
                    " " if child.type == "softbreak" else child.content for child in token.children
                )
                assert words(text) in shown


@every_lesson
def test_prose_has_no_formula(lesson: Path) -> None:
    """The pages have nothing to set one with: MathJax would come from elsewhere, or weigh much."""
    for cell in course.read(lesson).cells:
        if cell.cell_type == "markdown":
            prose = re.sub(
                r"^```.*?^```|`[^`\n]+`", "", cell.source, flags=re.DOTALL | re.MULTILINE
            )
            assert not re.search(r"\$[^$\s][^$\n]*\$|\$\$|\\\(", prose), cell.source


@every_lesson
def test_every_line_of_code_is_on_the_page(lesson: Path, site: Path) -> None:
    shown = page_of(lesson, site).article.get_text()
    for cell in course.read(lesson).cells:
        if cell.cell_type == "code":
            code = re.sub(r"^# @title .+\n", "", cell.source)
            assert all(line in shown for line in code.splitlines())


@every_lesson
def test_every_stored_figure_is_on_the_page_with_its_words(lesson: Path, site: Path) -> None:
    wanted = [
        output.metadata["image/png"]["alt"]
        for cell in course.read(lesson).cells
        for output in cell.get("outputs", ())
        if "image/png" in output.get("data", {})
    ]
    images = page_of(lesson, site).article.find_all("img")
    assert [image["alt"] for image in images] == wanted
    for image in images:
        assert image["width"]
        assert (site / "notebooks" / image["src"]).is_file()


@every_lesson
def test_claims_and_tables_are_on_the_page(lesson: Path, site: Path) -> None:
    shown = words(page_of(lesson, site).article.get_text())
    for cell in course.read(lesson).cells:
        for output in cell.get("outputs", ()):
            html = output.get("data", {}).get("text/html", "")
            assert words(BeautifulSoup(html, "html.parser").get_text()) in shown or "<t" in html
            if output.output_type == "stream":
                assert words(output.text) in shown


@every_lesson
def test_solutions_are_folded_and_exercises_are_not(lesson: Path, site: Path) -> None:
    page = page_of(lesson, site)
    folded = page.article.find_all("details", class_=lambda name: name != "answer")
    folds = {fold.summary.get_text(): fold for fold in folded}
    cells = course.read(lesson).cells
    assert not any(fold.has_attr("open") for fold in folds.values())
    for cell in cells:
        if "solution" in course.tags(cell):
            title = re.match(r"# @title (.+)", cell.source)[1]
            assert cell.source.partition("\n")[2] in folds[title].get_text()
        elif "exercise" in course.tags(cell):
            assert not any(cell.source in fold.get_text() for fold in folds.values())
    solutions = sum("solution" in course.tags(cell) for cell in cells)
    assert len(folds) == solutions + 1  # and the cell that fetches the course


@every_lesson
def test_what_happened_is_folded_below_each_prediction(lesson: Path, site: Path) -> None:
    page = page_of(lesson, site)
    answers = page.article.find_all("details", class_="answer")
    asked = [cell for cell in course.read(lesson).cells if pages.PREDICTION.search(cell.source)]
    assert 0.8 * len(asked) <= len(answers) <= len(asked)  # a few are answered in the next question
    for answer in answers:
        assert not answer.has_attr("open")
        assert answer.summary.get_text() == "Show what happened"
        assert answer.find(class_="output")
        assert answer.find(["h2", "h3"]) is None


def test_the_way_through_the_course_is_in_every_page(site: Path) -> None:
    for lesson in LESSONS:
        page = page_of(lesson, site)
        listed = {link["href"] for link in page.select(".sidebar-tree a")}
        assert {f"{other.stem}.html" for other in LESSONS} - {f"{lesson.stem}.html"} <= listed
        assert "../data/README.html" in listed
        doors = {link.get_text(): link["href"] for link in page.select(".doors a")}
        assert set(doors) >= {"Slides", "Map of the lessons"}
        if places.is_placeholder(places.address()["repository"]):
            assert len(doors) == 2
            assert places.NO_ADDRESS.replace("`", "") in words(page.body.get_text())
        else:
            assert doors["Source"].endswith(f"/notebooks/{lesson.name}")
            assert "has no address" not in page.body.get_text()
    for extra in (course.NOTEBOOKS).glob("*.md"):
        assert (site / "notebooks" / f"{extra.stem}.html").is_file()


# --- Links -------------------------------------------------------------------------------------


def problem_of(link: str, file: Path) -> str:
    """Say what is wrong with a link on a built page; nothing if it leads somewhere."""
    if re.match(r"(https?|mailto|data):", link):
        return ""
    target, _, anchor = link.partition("#")
    target = unquote(target.partition("?")[0])
    aim = (file.parent / target).resolve() if target else file
    if not aim.is_file():
        return f"{link}: no such file"
    if anchor and aim.suffix == ".html" and not anchor.startswith("/"):
        page = parsed(aim)
        if not (page.find(id=unquote(anchor)) or page.find(attrs={"name": anchor})):
            return f"{link}: no such place on the page"
    return ""


def links_of(file: Path) -> set[str]:
    page = parsed(file)
    return {
        element[attribute]
        for attribute in ("href", "src")
        for element in page.find_all(attrs={attribute: True})
        if element[attribute] != "#"
    }


def test_every_link_within_the_site_leads_somewhere(site: Path) -> None:
    files = html_files(site)
    assert len(files) > 2 * len(LESSONS)
    problems = [
        (file.name, p) for file in files for x in links_of(file) if (p := problem_of(x, file))
    ]
    assert problems == []


def test_a_link_that_leads_nowhere_is_found(site: Path) -> None:
    index = site / "index.html"
    assert "no such file" in problem_of("notebooks/99.html", index)
    assert "no such place" in problem_of("index.html#nowhere", index)
    assert problem_of("index.html#the-lessons", index) == ""


def test_sphinx_is_not_passed_over_when_it_warns(tmp_path, monkeypatch) -> None:
    broken = {Path("index.md"): "# Course\n\n[gone](notebooks/gone.md)\n"}
    monkeypatch.setattr(pages, "sources", lambda figures: broken)
    with pytest.raises(PagesProblem, match=r"gone\.md"):
        list(pages.build(tmp_path))


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for file in html_files(site):
        for element in parsed(file).find_all(
            ["script", "link", "img", "iframe", "source", "video"]
        ):
            for attribute in ("src", "href", "srcset"):
                assert not re.match(r"(https?:)?//", element.get(attribute, "")), (file, element)
    for style in site.rglob("*.css"):
        imported = re.findall(
            r"(?:url\(|@import )['\"]?((?:https?:)?//[^)'\"]+)", style.read_text("utf-8")
        )
        assert imported == [], style


# --- One lesson, made up -----------------------------------------------------------------------


def made_up(tmp_path: Path, *cells) -> str:
    notebook = tmp_path / "01_x.ipynb"
    nbformat.write(new_notebook(cells=list(cells)), notebook)
    return pages.lesson_markdown(notebook, tmp_path)


def test_notebooks_are_not_executed(tmp_path: Path) -> None:
    stored = new_output("stream", text="stored\n")
    cell = new_code_cell("raise RuntimeError", outputs=[stored])
    assert ">stored</pre>" in made_up(tmp_path, cell)


def test_only_the_answer_to_a_prediction_is_folded(tmp_path: Path) -> None:
    def run(source: str, *said: str) -> nbformat.NotebookNode:
        return new_code_cell(source, outputs=[new_output("stream", text=text) for text in said])

    page = made_up(
        tmp_path,
        run("a = 1", "before"),
        new_markdown_cell("Some words.\n\n**Predict.** What comes?"),
        run("b = 2"),
        run("c = 3", "this"),
        run('claim("01.x", "so it is", True)', "tick"),
        new_markdown_cell("Indeed."),
        run("d = 4", "after"),
        new_markdown_cell("**Predict.** And now?"),
        run('fact("01.y", "it is as told here", True)', "tick"),
        new_markdown_cell("**Predict.** Will you do it?"),
        new_markdown_cell("## Next"),
        run("e = 5", "no answer"),
    )
    soup = BeautifulSoup(page, "html.parser")
    first, second = soup.find_all("details")
    assert "c = 3" not in first.get_text() and "this" in first.get_text()
    assert "so it is" in first.get_text() and "Indeed" not in first.get_text()
    assert "it is as told here" in second.get_text()
    for text in ("before", "after", "no answer", "b = 2"):
        assert text not in first.get_text() + second.get_text()


def test_outputs_cannot_break_the_page(tmp_path: Path) -> None:
    text = "<b> & ```\n````````\n"
    page = made_up(tmp_path, new_code_cell("print()", outputs=[new_output("stream", text=text)]))
    assert "&lt;b&gt; &amp;" in page


def test_a_cell_with_magic_is_coloured_as_ipython(tmp_path: Path) -> None:
    page = made_up(tmp_path, new_code_cell("x = 1\n%load_ext tensorboard"), new_code_cell("10 % 3"))
    assert "ipython3\nx = 1" in page
    assert "python\n10 % 3" in page


def test_links_in_code_are_left_alone() -> None:
    text = '[a](x.ipynb) `[b](x.ipynb)`\n\n```\n[c](x.ipynb)\n```\n\n<a href="x.ipynb">d</a>'
    assert rendering.with_links(text, lambda target: "new").count("new") == 2


def test_a_link_to_any_other_file_leads_to_the_repository(tmp_path: Path) -> None:
    own = places.address()
    readme = course.COURSE_ROOT / "README.md"
    linked = pages._linked("[l](LICENSE) [t](tests) [w](https://x.y)", readme, {})
    way = f"{own['repository']}/{{}}/{own['branch']}/{{}}"
    assert linked == (
        f"[l]({way.format('blob', 'LICENSE')}) [t]({way.format('tree', 'tests')}) [w](https://x.y)"
    )
    cell = new_markdown_cell("[x](y.ipynb)")
    assert "[x](y.ipynb)" in made_up(tmp_path, cell)


@pytest.mark.parametrize(
    ("repository", "doors", "announced"),
    [
        ("https://github.com/your_name/course", ["Slides", "Map of the lessons"], True),
        (
            "https://github.com/school/class",
            ["▶ Open in Colab", "Kaggle", "Binder", "Source", "Slides", "Map of the lessons"],
            False,
        ),
    ],
)
def test_the_doors_of_a_lesson_are_there_once_it_has_an_address(
    repository: str, doors: list[str], announced: bool, monkeypatch
) -> None:
    own = {"repository": repository, "branch": "main"}
    monkeypatch.setattr(places, "address", lambda: own)
    row = BeautifulSoup(
        pages._doors(template.template(LESSONS[0])["badges"], LESSONS[0]), "html.parser"
    )
    assert [link.get_text() for link in row.find_all("a")] == doors
    assert ("html_theme_options" in pages._settings()) == announced


def test_a_picture_in_prose_comes_along(tmp_path: Path, monkeypatch) -> None:
    picture = next((course.COURSE_ROOT / "data").rglob("*.jpg"))
    target = f"../{picture.relative_to(course.COURSE_ROOT).as_posix()}"
    texts = {
        Path("index.md"): "# Course\n\n```{toctree}\n\nnotebooks/x\n```\n",
        Path("notebooks/x.md"): f"# Page\n\n![A bird on sand]({target})\n",
    }
    assert (
        pages._linked(texts[Path("notebooks/x.md")], course.NOTEBOOKS / "x.md", {})
        == (texts[Path("notebooks/x.md")])
    )
    monkeypatch.setattr(pages, "sources", lambda figures: texts)
    monkeypatch.setattr(course, "lessons", list)
    list(pages.build(tmp_path))
    image = parsed(tmp_path / "notebooks" / "x.html").article.img
    assert image["alt"] == "A bird on sand"
    assert (tmp_path / "notebooks" / image["src"]).read_bytes() == picture.read_bytes()


# --- In a browser ------------------------------------------------------------------------------


@needs_chromium
def test_pages_fit_a_phone_and_ask_no_server(site: Path, browser: Browser) -> None:
    page = browser.new_page(viewport=PHONE)
    asked = requests_of(page)
    for file in html_files(site):
        if file.parent.name == "slides":
            continue
        page.goto(file.as_uri())
        for size in (PHONE, SMALLEST_PHONE):
            page.set_viewport_size(size)
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"], (file.name, page.evaluate(TOO_WIDE))
            assert page.evaluate(TOO_WIDE) == [], (file.name, size)
    assert asked == []
    page.close()


@needs_chromium
def test_what_is_too_wide_would_be_found(browser: Browser) -> None:
    page = browser.new_page(viewport=PHONE)
    page.set_content("<p>a</p><div style='width:500px'>b</div>")
    assert len(page.evaluate(TOO_WIDE)) == 1
    page.set_content("<div style='overflow-x:auto'><div style='width:500px'>b</div></div>")
    assert page.evaluate(TOO_WIDE) == []
    page.close()


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out_of_a_page(scheme: str, site: Path, browser: Browser) -> None:
    """Headings in order, names of links, words for pictures, contrast: as axe-core finds them."""
    context = browser.new_context(viewport=DESK, color_scheme=scheme)
    page = context.new_page()
    for file in [site / "index.html", *sorted(site.glob("*/*.html"))]:
        if file.parent.name in ("notebooks", "data", site.name):
            page.goto(file.as_uri())
            page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
            found = barriers(page, rules=CONTRAST)
            if scheme == "light":  # nothing else depends on it
                found += barriers(page, without=(*CONTRAST, *OF_THE_THEME))
            assert found == [], file.name
            assert page.locator("article h1").count() == 1, file.name
    context.close()


@needs_chromium
def test_the_search_finds_prose_claims_and_code(site: Path, browser: Browser) -> None:
    page = browser.new_page(viewport=PHONE)
    for word, lesson in (
        ("backbone", "02_feature_extraction"),
        ("frozen-beats-scratch", "02_feature_extraction"),
        ("GlobalAveragePooling2D", "02_feature_extraction"),
    ):
        page.goto(f"{(site / 'search.html').as_uri()}?q={word}")
        result = page.locator(f"#search-results a[href*='{lesson}']").first
        result.wait_for(timeout=10_000)
    page.close()


@needs_chromium
def test_a_folded_solution_opens_by_keyboard(site: Path, browser: Browser) -> None:
    page = browser.new_page(viewport=PHONE)
    page.goto((site / "notebooks" / f"{LESSONS[0].stem}.html").as_uri())
    fold = page.locator("details", has_text="Solution 00.a").first
    code = fold.locator(".highlight")
    assert not code.is_visible()
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    assert code.is_visible()
    page.close()
