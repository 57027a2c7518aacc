"""Every figure of the course: readable, safe for colour-blind readers, and said in words.

Each function draws one figure and shows it. All take `in_words`, the sentence below it that is also
the alternative text, and most a `heading`, the figure's title. Where a figure compares results,
`label` names their axis with its unit; with `percent` they are shares in 0..1, shown as percent;
`chance` draws a line where guessing would be. A room opens when first asked for (PEP 562).
"""

from helpers.faces import face

__getattr__, __dir__ = face(
    __name__,
    canvas="LINE_STYLES MARKERS PALETTE new_figure show",
    pictures="images probabilities",
    learning="curves",
    compare="seeds trend",
    graph="model_graph",
)
__all__ = __dir__()
