"""Cards, on which claims, exercises and progress are shown, and tables.

A card is HTML where a notebook can show it and plain text everywhere else. Colours only
support what a symbol and a word already say, and the text keeps the reader's own colours, so
that a card reads as well on a dark theme.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass, field

GOOD, BAD, NEUTRAL = "#009e73", "#d55e00", "#3389c8"
"""Border colours: two of Okabe and Ito's palette, and a blue that shows on light and dark alike
(tests/test_access.py measures them on the themes where cards are read)."""


@dataclass(frozen=True)
class Card:
    """One card: a symbol and heading, a sentence, and smaller lines below it."""

    heading: str
    sentence: str
    details: Sequence[str] = field(default_factory=tuple)
    colour: str = NEUTRAL

    def __str__(self) -> str:
        """The card as plain text, for terminals and for exports that drop HTML."""
        return "\n".join([self.heading, f"  {self.sentence}", *(f"  {d}" for d in self.details)])

    def _repr_html_(self) -> str:
        """The card as HTML; IPython calls this."""
        lines = "".join(
            f'<div style="font-size:90%;opacity:.85">{html.escape(line)}</div>'
            for line in self.details
        )
        return (
            f'<div role="note" style="border-left:5px solid {self.colour};'
            'padding:.4em .9em;margin:.5em 0;max-width:46em">'
            f"<div><strong>{html.escape(self.heading)}</strong></div>"
            f"<div>{html.escape(self.sentence)}</div>{lines}</div>"
        )

    def show(self) -> None:
        """Display the card in a notebook, or print it where there is none."""
        _show(self)


@dataclass(frozen=True)
class Table:
    """A table of text, with a line below it: HTML in a notebook, aligned text everywhere else."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    sides: Sequence[str]
    summary: str = ""

    def _drawn(self, form: str) -> str:
        from tabulate import tabulate

        return tabulate(self.rows, self.headings, form, disable_numparse=True, colalign=self.sides)

    def __str__(self) -> str:
        """The table as plain text."""
        return f"{self._drawn('plain')}\n{self.summary}".rstrip("\n")

    def _repr_html_(self) -> str:
        """The table as HTML; IPython calls this."""
        below = f"<div>{html.escape(self.summary)}</div>" * bool(self.summary)
        return f"{self._drawn('html')}{below}".replace("\n", "")

    def show(self) -> None:
        """Display the table in a notebook, or print it where there is none."""
        _show(self)


def _show(what: "Card | Table") -> None:
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        print(what)
    else:
        display({"text/html": what._repr_html_(), "text/plain": str(what)}, raw=True)
