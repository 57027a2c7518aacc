"""What tests ask a browser about a page: what runs off, what is hard to read, what it requests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
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

# Texts whose contrast is below WCAG 2.2, 1.4.3 (AA): 4.5, or 3 where letters are large.
HARD_TO_READ = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const once = compute => {
    const known = new Map();
    return key => known.has(key) ? known.get(key) : known.set(key, compute(key)).get(key);
  };
  const rgba = once(text => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  });
  const over = (top, below) => [0, 1, 2].map(i => top[3] * top[i] + (1 - top[3]) * below[i]);
  const luminance = colour => {
    const [r, g, b] = colour.map(c => c / 255).map(
      c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const background = once(element => element === null ? [255, 255, 255] : over(
    rgba(getComputedStyle(element).backgroundColor), background(element.parentElement)));
  const opacity = once(element => element === null ? 1 :
    getComputedStyle(element).opacity * opacity(element.parentElement));
  const judge = once(element => {
    const style = getComputedStyle(element), behind = background(element);
    if (!element.checkVisibility({visibilityProperty: true}) || !opacity(element)) return null;
    const [r, g, b, a] = rgba(style.color);
    const shown = luminance(over([r, g, b, a * opacity(element)], behind));
    const [dark, light] = [shown, luminance(behind)].sort((one, other) => one - other);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = (light + 0.05) / (dark + 0.05);
    return ratio < (large ? 3 : 4.5) ? ratio.toFixed(2) : null;
  });
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.data.trim(), element = texts.currentNode.parentElement;
    if (text && judge(element)) found.push([judge(element), text.slice(0, 40), element.tagName]);
  }
  return found.slice(0, 10);
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
