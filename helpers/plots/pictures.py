"""Pictures, and a model's answer to one."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from helpers.plots.canvas import PALETTE, new_figure, show


def images(
    pictures: np.ndarray | Sequence[np.ndarray],
    titles: Sequence[str],
    in_words: str,
    *,
    columns: int = 5,
    heading: str = "",
    cell: float = 1.5,
) -> None:
    """Show pictures in a grid, each with a title.

    Args:
        pictures: Arrays of shape (height, width, 3) or (height, width), values 0..255.
        titles: One for each picture.
        columns: Pictures a row, each with sides of `cell` inches.

    Raises:
        ValueError: There are no pictures, or not as many titles as pictures.
    """
    if len(pictures) == 0:
        raise ValueError("there are no pictures to show: pass at least one")
    if len(pictures) != len(titles):
        raise ValueError(f"{len(pictures)} pictures need as many titles, not {len(titles)}")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    lines = 1 + max(title.count("\n") for title in titles)
    height = rows * (cell + 0.22 * lines) + (0.3 if heading else 0)
    figure, axes = new_figure(columns * cell, height, nrows=rows, ncols=columns)
    for axis in axes:
        axis.set_axis_off()
    for axis, picture, title in zip(axes, pictures, titles, strict=False):
        _picture(axis, picture)
        axis.set_title(title, fontsize=10)
    if heading:
        figure.suptitle(heading, fontsize=12)
    show(figure, in_words)


def _picture(axis: Axes, picture: np.ndarray) -> None:
    """Draw a picture with values 0..255."""
    picture = np.clip(np.asarray(picture), 0, 255).astype("uint8")
    # Without limits Matplotlib would stretch a grey picture from its own darkest to its brightest.
    axis.imshow(picture, cmap="gray" if picture.ndim == 2 else None, vmin=0, vmax=255)


def probabilities(
    rows: Sequence[tuple[str, float]],
    in_words: str,
    *,
    heading: str,
    picture: np.ndarray | None = None,
) -> None:
    """Show a model's answer as bars, with the picture it was given (if any) beside them.

    Args:
        rows: ``(label, probability)``, the probability in 0..1, in the order to show.
        picture: Shape (height, width, 3) or (height, width), values 0..255.
    """
    beside = {} if picture is None else {"ncols": 2, "gridspec_kw": {"width_ratios": [1, 2]}}
    figure, axes = new_figure(7, max(2.2, 0.38 * len(rows) + 1), **beside)
    if picture is not None:
        _picture(axes[0], picture)
        axes[0].set_axis_off()
    bars = axes[-1]
    labels, values = [label for label, _ in rows], [value for _, value in rows]
    places = np.arange(len(rows))[::-1]
    bars.barh(places, values, color=PALETTE[0])
    bars.set_yticks(places, labels)
    bars.set(xlim=(0, 1.12), xticks=np.linspace(0, 1, 6), xlabel="probability")
    bars.grid(False, axis="y")
    for place, value in zip(places, values, strict=True):
        bars.text(value + 0.01, place, f"{value:.0%}", va="center", fontsize=10)
    figure.suptitle(heading, fontsize=12)
    show(figure, in_words)
