"""What tests ask a browser about a page: what runs off, what shuts out, what it requests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
NO_CHROMIUM = "no Chromium here to look at pages with (Debian: apt install chromium)"
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)

# Elements that end right of the window, other than in something that scrolls by itself.
TOO_WIDE = """() => [...document.body.querySelectorAll('*')].filter(element => {
  const window = document.documentElement.clientWidth;
  if (element.getBoundingClientRect().right <= window + 1) return false;
  for (let at = element; at !== document.body; at = at.parentElement) {
    const style = getComputedStyle(at);
    if (style.overflowX !== 'visible' || style.position === 'fixed') return false;
  }
  return element.getBoundingClientRect().width > 0;
}).map(element => element.outerHTML.slice(0, 100))"""

CONTRAST = ("color-contrast",)
# Marks one text of each look: what has the same elements, classes and styles above it looks alike,
# and axe-core would take ten times as long to tell the same of each word of coloured code.
ONE_OF_EACH_LOOK = """within => {
  const known = new Set();
  const look = at => at === null ? ''
    : look(at.parentElement) + '>' + at.tagName + '.' + at.className + at.getAttribute('style');
  document.querySelectorAll('[data-look]').forEach(old => delete old.dataset.look);
  for (const element of document.querySelectorAll(within)) {
    const texts = [...element.childNodes].filter(child => child.nodeType === Node.TEXT_NODE);
    if (!texts.some(text => text.data.trim().length > 1) || !element.checkVisibility()) continue;
    if (known.size < known.add(look(element)).size) element.dataset.look = 'first';
  }
  return known.size;
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        # A container's root may not have the sandbox, and opens nothing but the course's own pages.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@cache
def parsed(file: Path) -> BeautifulSoup:
    """A page, parsed once."""
    return BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")


def requests_of(page: Page) -> list[str]:
    """Collect what a page requests from now on, other than files beside it."""
    found: list[str] = []

    def remember(request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:", "about:")):
            found.append(request.url)

    page.on("request", remember)
    return found


def barriers(
    page: Page, within: str = "", rules: tuple[str, ...] = (), without: tuple[str, ...] = ()
) -> list[tuple[str, str]]:
    """Return what axe-core finds on a page: the rule that is broken, and where.

    Contrast is that of WCAG 2.2, 1.4.3 (AA): 4.5, or 3 where letters are large. Asked for alone it
    is judged once for each look, against plain backgrounds, and what axe-core cannot tell is found
    too.

    Args:
        page: As it is shown: what is hidden or folded is not looked at.
        within: A selector, to look at some elements only.
        rules: Ids of axe-core's rules; all that WCAG's levels A and AA and good practice ask if
            left out.
        without: Ids of rules to leave out.
    """
    options: dict = {"resultTypes": ["violations", "incomplete"]}
    options["rules"] = {rule: {"enabled": False} for rule in without}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    if rules == CONTRAST:
        page.add_style_tag(content="* { background-image: none !important }")  # shadows at edges
        assert page.evaluate(ONE_OF_EACH_LOOK, within or "*") > 0
        within = "[data-look]"
    found = Axe().run(page, within or None, options).response
    broken = [(rule["id"], node) for rule in found["violations"] for node in rule["nodes"]]
    if rules == CONTRAST:
        unsure = [("unsure", node) for rule in found["incomplete"] for node in rule["nodes"]]
        broken += [(rule, node) for rule, node in unsure if not _is_only_overlapped(node)]
    return [(rule, node["html"][:150]) for rule, node in broken]


def _is_only_overlapped(node: dict) -> bool:
    """Whether axe-core is unsure of a text only because a part of it lies over or below others."""
    return all(check["data"]["messageKey"].startswith("elmPartially") for check in node["any"])
