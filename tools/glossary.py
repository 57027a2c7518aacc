"""Check that each lesson links a word's first use to its entry in the glossary.

Which words mean an entry is read off the lessons: its heading, and every text that links to it
somewhere in the course. Only running text counts: no headings, code, tables, links, exercises, and
not the list of what a lesson teaches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from tools import lessons

LINK = re.compile(r"\[([^\]\n]+)\]\(GLOSSARY\.md#([^)\s]*)\)")

AMBIGUOUS = set("accuracy batch bias claim compile cut feature head loss split top".split())
"""Words that mean other things too: whether one needs a link is for whoever writes to decide."""

# What is not running text: fenced and inline code, links and pictures, HTML, mathematics.
NOT_PROSE = re.compile(
    r"^```.*?^```|`[^`\n]+`|!?\[[^\]\n]*\]\([^)\n]*\)|<[^>\n]+>|https?://\S+|\$[^$\n]+\$"
    r"|^(?:#|\||    |\*\*(?:Time|Images|Data)[:.])[^\n]*",
    re.DOTALL | re.MULTILINE,
)


def glossary() -> str:
    """Return the glossary's text."""
    return (lessons.NOTEBOOKS / "GLOSSARY.md").read_text(encoding="utf-8")


def anchor(term: str) -> str:
    """Return the name under which a heading of the glossary can be linked to."""
    return re.sub(r"[^\w\- ]", "", term.lower()).replace(" ", "-")


def entries() -> list[str]:
    """Return the glossary's headings, in order."""
    return re.findall(r"^## (.+)$", glossary(), re.MULTILINE)


def prose(lesson: NotebookNode) -> str:
    """Return the text of the cells in which words may be linked."""
    cells = (
        cell.source
        for number, cell in enumerate(lesson.cells)
        if cell.cell_type == "markdown" and number >= 3 and "badges" not in lessons.tags(cell)
    )
    return "\n\n".join(s for s in cells if not re.search(r"^### Exercise ", s, re.MULTILINE))


def words() -> dict[str, set[str]]:
    """Return the words that mean each entry, in small letters, by the entry's anchor."""
    found = {anchor(term): {term} for term in entries()}
    for notebook in lessons.lessons():
        for text, name in LINK.findall(prose(lessons.read(notebook))):
            found.get(name, set()).add(text.lower())
    return {name: sure for name, forms in found.items() if (sure := forms - AMBIGUOUS)}


def problems(notebook: Path) -> Iterator[str]:
    """Say what is wrong with a lesson's links to the glossary."""
    text = prose(lessons.read(notebook))
    linked = [name for _, name in LINK.findall(text)]
    known = {anchor(term) for term in entries()}
    for name in sorted(set(linked)):
        if name not in known:
            yield f"GLOSSARY.md#{name} leads to no entry"
        if linked.count(name) > 1:
            yield f"GLOSSARY.md#{name} is linked {linked.count(name)} times"
    # Links stand aside, so that what is left is running text, with every place where it was.
    running = NOT_PROSE.sub(lambda match: "\0" * len(match[0]), text)
    for name, forms in words().items():
        link = re.search(rf"\(GLOSSARY\.md#{re.escape(name)}\)", text)
        either = "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))
        use = re.search(rf"(?<![\w/.-])(?:{either})(?![\w/-]|\.\w)", running, re.IGNORECASE)
        if use and not (link and link.start() < use.start()):
            around = running[max(0, use.start() - 30) : use.end() + 20].replace("\0", "·")
            yield f"first use of GLOSSARY.md#{name} is not linked: {' '.join(around.split())}"


def check(notebooks: list[Path]) -> Iterator[str]:
    """Yield a line for everything that is wrong with the links of these lessons."""
    for notebook in notebooks:
        yield from (f"{notebook.name}: {problem}" for problem in problems(notebook))
