"""How a picture of a letter was turned: mirrored or not, by how many degrees, or beyond telling."""

from __future__ import annotations

from functools import cache

import numpy as np

SIDE, POOLED = 96, 32
TURNS = np.arange(-180, 180, 7.5)
"""Degrees that are tried."""
SIZES = (0.6, 0.8, 1.0, 1.3, 1.7)
BARS = ((-12, -5, -20, 20), (-12, 14, -20, -13), (-12, 8, -4, 3))
"""Left, right, upper and lower edge of the letter's strokes, in pixels from the middle."""


def letter(turn: float = 0.0, mirrored: bool = False, size: float = 1.0) -> np.ndarray:
    """Draw an F, grey as digits are, so that a change of colours hides nothing of it.

    Args:
        turn: Degrees, clockwise.
        mirrored: Left to right, before the turn.
        size: As a share of the usual one.

    Returns:
        White on black, 0 to 255, float32 of shape ``(96, 96, 3)``.
    """
    middle = (SIDE - 1) / 2
    rows, columns = (np.mgrid[:SIDE, :SIDE] - middle) / size
    cosine, sine = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    across, down = cosine * columns + sine * rows, cosine * rows - sine * columns
    across = -across if mirrored else across
    strokes = [
        (a <= across) & (across <= b) & (top <= down) & (down <= end) for a, b, top, end in BARS
    ]
    return np.repeat(255.0 * np.any(strokes, axis=0)[..., None], 3, axis=2).astype("float32")


def orientations(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find of each picture the turned, mirrored and zoomed letter that is most like it.

    Wherever it lies, and also where light and dark are exchanged: it is the largest correlation.

    Args:
        pictures: Shape ``(pictures, 96, 96, 3)``.

    Returns:
        For each picture: the correlation, 0 to 1; degrees, clockwise, -180 to 172.5; and whether
        the mirrored letter fits better.
    """
    letters, best = _letters(), []
    for spectrum in np.fft.rfft2(_normed(pictures)):
        found = np.abs(np.fft.irfft2(spectrum * letters, s=(POOLED, POOLED))).max(axis=(1, 2))
        best.append(found.reshape(2, len(SIZES), len(TURNS)).max(axis=1))  # of all sizes
    scores = np.array(best)  # pictures x (as it was, mirrored) x turns
    plain, mirrored = scores[:, 0].max(axis=1), scores[:, 1].max(axis=1)
    flipped = mirrored > plain + 0.03
    turns = np.where(
        flipped, TURNS[scores[:, 1].argmax(axis=1)], TURNS[scores[:, 0].argmax(axis=1)]
    )
    return np.maximum(plain, mirrored), turns, flipped


@cache
def _letters() -> np.ndarray:
    drawn = [letter(turn, way, size) for way in (False, True) for size in SIZES for turn in TURNS]
    return np.conj(np.fft.rfft2(_normed(np.stack(drawn))))


def _normed(pictures: np.ndarray) -> np.ndarray:
    """Grey, 32 x 32, of mean 0 and length 1."""
    step = SIDE // POOLED
    small = pictures.mean(axis=-1).reshape(-1, POOLED, step, POOLED, step).mean(axis=(2, 4))
    small -= small.mean(axis=(1, 2), keepdims=True)
    length = np.linalg.norm(small, axis=(1, 2), keepdims=True)
    return (small / np.where(length > 0, length, 1)).astype("float32")
