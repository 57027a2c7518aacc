"""For maintainers: link each lesson's first use of a word to its entry in the glossary.

    python -m helpers.glossary_links             write the links into every lesson
    python -m helpers.glossary_links 02 03       only into these
    python -m helpers.glossary_links --check     change nothing, say what would change

Only running text is touched: no headings, code, tables, links, exercises, and not the list of
what a lesson teaches. Words that mean other things too (a cut, the top, to split) are linked in
phrases in which they are the term. Running the command again changes nothing. A lesson whose text
changed needs `python -m helpers.course refresh` afterwards. No lesson imports this file.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from helpers import course
from helpers.session import COURSE_ROOT

GLOSSARY = COURSE_ROOT / "notebooks" / "GLOSSARY.md"

WORDS = {
    "augmentation": r"[Aa]ugmentations?|[Dd]ata augmentation",
    "backbone": r"[Bb]ackbones?",
    "balanced accuracy": r"[Bb]alanced accuracy",
    "base model": r"[Bb]ase models?",
    "batchdataset": r"BatchDataset|tf\.data datasets?",
    "batchnorm": r"Batch ?Norm(?:alization)?|moving statistics",
    "bias": r"(?<=its )bias|(?<=one )bias|(?<=and )biases",
    "bootstrap interval": r"(?<=the \*)bootstrap(?=\*)|[Bb]ootstrap intervals?",
    "callback": r"[Cc]allbacks?",
    "checkpoint": r"[Cc]heckpoints?",
    "claim": r"(?<=\*)claim(?=\*)",
    "cut": r"(?<=[Tt]he )cut(?= (?:at|lies|is|goes|comes)\b)|(?<=\*\*)cut(?=\*\*)|"
    r"(?<=early )cut|(?<=late )cut|(?<=(?:this|each) )cut",
    "depthwise convolution": r"[Dd]epthwise(?: separable)? convolutions?",
    "dropout": r"Dropout",
    "early stopping": r"[Ee]arly stopping",
    "epoch": r"epochs?",
    "feature": r"features(?! of (?:Keras|Python))",
    "feature extraction": r"[Ff]eature extraction",
    "fine-tuning": r"[Ff]ine-tun(?:ing|ed|e|es)",
    "frozen layer": r"[Ff]rozen layers?",
    "functional api": r"[Ff]unctional (?:API|form)",
    "global average pooling": r"[Gg]lobal average pooling|(?<!Global)[Aa]verage pooling",
    "head": r"(?<=[Tt]he )heads?\b(?! of)|(?<=new )heads?|(?<=\*\*)head(?=\*\*)|(?<=\*)head(?=\*)",
    "held-out test": r"[Hh]eld-out test|(?<=\*\*)held out(?=\*\*)",
    "imagenet": r"ImageNet",
    "initial epoch": r"[Ii]nitial epoch",
    "learning rate": r"[Ll]earning rates?(?! schedule)",
    "learning-rate schedule": r"[Ll]earning[- ]rate schedules?",
    "logits": r"[Ll]ogits",
    "loss": r"(?<=a \*)loss(?=\*)|(?<=[Tt]he )loss|(?<=validation )loss|(?<=training )loss",
    "modelcheckpoint": r"ModelCheckpoint",
    "multiply-adds": r"[Mm]ultiply-adds?",
    "optimizer state": r"[Oo]ptimizer(?:'s)? state|[Ss]tate of the optimizer",
    "optimizer": r"[Oo]ptimizers?",
    "overfitting": r"[Oo]verfit(?:ting|s)?",
    "parameter": r"parameters?",
    "preprocessing": r"[Pp]reprocessing",
    "pretrained": r"[Pp]retrained",
    "seed": r"seeds?",
    "sequential": r"Sequential models?",
    "sigmoid": r"[Ss]igmoid",
    "softmax": r"[Ss]oftmax",
    "split": r"splits(?=[*.,:;]| are\b)|(?:training|validation|test) (?:split)",
    "tensorboard": r"TensorBoard",
    "tfds": r"TFDS|TensorFlow Datasets",
    "top": r"(?<=\*\*)top(?=\*\*)|(?<=without its )top|(?<=without its ImageNet )top",
    "transfer learning": r"[Tt]ransfer learning",
    "validation": r"[Vv]alidation(?! split)",
    "weights": r"weights",
}
"""Which words of a lesson mean an entry of the glossary; the entry with the longer words first."""

LINK = re.compile(r"\[([^\]\n]+)\]\(GLOSSARY\.md#[^)\s]*\)")

# What is not running text: fenced and inline code, links and pictures, HTML, mathematics.
NOT_PROSE = re.compile(
    r"^```.*?^```|`[^`\n]+`|!?\[[^\]\n]*\]\([^)\n]*\)|<[^>\n]+>|https?://\S+|\$[^$\n]+\$",
    re.DOTALL | re.MULTILINE,
)
NOT_PROSE_LINE = re.compile(r"^(?:#|\||    |\*\*(?:Time|Images|Data)[:.]).*$", re.MULTILINE)


def anchor(term: str) -> str:
    """Return the name under which a heading of the glossary can be linked to."""
    return re.sub(r"[^\w\- ]", "", term.lower()).replace(" ", "-")


def entries() -> list[str]:
    """Return the glossary's headings, in order."""
    return re.findall(r"^## (.+)$", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)


def prose_cells(lesson: NotebookNode) -> Iterator[NotebookNode]:
    """Yield the cells in which words may be linked."""
    for number, cell in enumerate(lesson.cells):
        if cell.cell_type != "markdown" or number < 3 or "badges" in course.tags(cell):
            continue
        if not re.search(r"^### Exercise ", cell.source, re.MULTILINE):
            yield cell


def linked(lesson: NotebookNode) -> dict[int, str]:
    """Return the sources of a lesson's prose cells with links, by the number of the cell."""
    numbers = {id(cell): number for number, cell in enumerate(lesson.cells)}
    cells = {numbers[id(cell)]: LINK.sub(r"\1", cell.source) for cell in prose_cells(lesson)}
    # Longer words first, so that "learning-rate schedule" is not taken for "learning rate".
    for term in sorted(WORDS, key=lambda term: (-len(term), term)):
        word = re.compile(rf"(?<![\w`\[/.-])(?:{WORDS[term]})(?![\w`\]/-]|\.\w)")
        for number, source in cells.items():
            if match := _first(word, source):
                link = f"[{match[0]}](GLOSSARY.md#{anchor(term)})"
                cells[number] = source[: match.start()] + link + source[match.end() :]
                break
    return cells


def _first(word: re.Pattern, source: str) -> re.Match | None:
    """Find a word's first place in running text."""
    taken = [m.span() for m in NOT_PROSE.finditer(source)]
    taken += [m.span() for m in NOT_PROSE_LINE.finditer(source)]
    for match in word.finditer(source):
        if not any(start < match.end() and match.start() < end for start, end in taken):
            return match
    return None


def add_links(notebook: Path, write: bool = True) -> list[str]:
    """Link a lesson's first uses.

    Args:
        notebook: The lesson's file.
        write: Whether to change the file.

    Returns:
        The lines of the text that change, as they will read.
    """
    lesson = nbformat.read(notebook, as_version=4)
    changed = []
    for number, source in linked(lesson).items():
        before = lesson.cells[number].source
        if source != before:
            old = set(before.splitlines())
            changed += [line for line in source.splitlines() if line not in old]
            lesson.cells[number].source = source
    if changed and write:
        nbformat.write(lesson, notebook)
    return changed


def main(arguments: list[str] | None = None) -> None:
    """Run the command; see the top of this file."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.glossary_links",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("lesson", nargs="*", help="numbers of lessons; all if left out")
    chosen = parser.parse_args(arguments)
    for notebook in course.lessons(chosen.lesson):
        changed = add_links(notebook, write=not chosen.check)
        print(f"{notebook.name}: {len(changed)} lines of text changed")
        for line in changed if chosen.check else ():
            print(f"  {line}")


if __name__ == "__main__":
    main()
