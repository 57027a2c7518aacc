"""What all figures share: colours, style, and how one is shown and said in words."""

import html
import io

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#5a2d00", "#8a2be2", "#000000")
"""Four of Okabe and Ito's colours, brown, violet and black: dark enough to show on white, and
told apart by readers with any kind of colour blindness (tests/test_plots.py measures both)."""
LINE_STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

STYLE = {
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}


def look(number: int) -> dict[str, str]:
    """The colour and marker of the method or run with this number, from 0."""
    return {"color": PALETTE[number % len(PALETTE)], "marker": MARKERS[number % len(MARKERS)]}


def new_figure(width: float = 7.0, height: float = 4.0, **subplots) -> tuple[Figure, np.ndarray]:
    """Make a figure in the course's style, for drawing that no function here does.

    Width and height are in inches (7 fills a notebook's column); `subplots` go to Matplotlib's
    ``Figure.subplots``, e.g. ``ncols=2``. The axes come as an array, also where there is one.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(squeeze=False, **subplots)
    return figure, axes.ravel()


def show(figure: Figure, in_words: str) -> None:
    """Show a Matplotlib figure and, below it, what there is to see in one or two sentences.

    Raises:
        ValueError: `in_words` is empty: a figure without a sentence is lost on some readers.
    """
    from IPython import get_ipython
    from IPython.display import display

    if not in_words.strip():
        raise ValueError("say in a sentence what the figure shows (in_words)")
    png = io.BytesIO()
    FigureCanvasAgg(figure)
    with mpl.rc_context(STYLE):
        # No date and no version in the file: the same figure is then the same bytes.
        figure.savefig(png, format="png", metadata={"Software": None, "Description": in_words})
    if get_ipython() is None:
        print(f"[figure] {in_words}")
        return
    picture = {"image/png": png.getvalue(), "text/plain": f"Figure: {in_words}"}
    display(picture, metadata={"image/png": {"alt": in_words}}, raw=True)
    caption = f'<p style="max-width:46em"><strong>In words.</strong> {html.escape(in_words)}</p>'
    display({"text/html": caption, "text/plain": f"In words. {in_words}"}, raw=True)
