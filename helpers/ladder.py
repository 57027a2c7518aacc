"""The ladder: one problem through lessons 02 to 07, each lesson a rung higher.

The problem is to name what is on a stamp. What the learner's own models reach is kept beside their
progress; for rungs not climbed yet, recorded values of five seeds stand in. Guesses for the test
images are handed in sealed: nobody compares them with the labels before lesson 07.
"""

from __future__ import annotations

import json
import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from helpers.cards import GOOD, NEUTRAL, Card, Table
from helpers.claims import log
from helpers.kept import Kept
from helpers.session import COURSE_ROOT, SEED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RECORD = COURSE_ROOT / "data" / "recorded" / "ladder.json"
"""What each rung reached over several seeds; `python -m tools spread` makes it."""

RUNGS = {
    "02.scratch": "small network from scratch",
    "02.small": "frozen base, 64 pixels",
    "02.frozen": "frozen base, real pixels",
    "03.augmented": "frozen base, augmented images",
    "05.fine-tuned": "last blocks fine-tuned",
    "06.cut": "frozen base, cut in the middle",
    "07.flatten": "frozen base, Flatten head",
}
"""Every rung and what was done for it, from the first lesson to the last."""
TARGETS = (0.60, 0.65)
"""Validation accuracies to reach: in lesson 02, and by the end."""
GUESSING = math.log(10)
"""The loss of ten classes guessed evenly; above it a model is worse than no model."""
MEASURED = ("seconds", "accuracy", "loss")
FIELDS = {"pixels": int, "trained": str, "test": str} | dict.fromkeys(MEASURED, float)
HEADINGS = ("rung", "what", "pixels", "took", "val. accuracy", "val. loss", "whose")
SIDES = ("left", "left", "right", "right", "right", "right", "left")


def _is_entry(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(name), kind) for name, kind in FIELDS.items()
    )


KEPT = Kept("ladder.json", "The ladder", _is_entry)


def climb(
    rung: str,
    *,
    pixels: int,
    trained: str,
    seconds: float,
    validation: tuple[np.ndarray, np.ndarray],
    test: np.ndarray,
) -> None:
    """Add a rung to the learner's ladder, or climb it anew, and show what it reached.

    Args:
        rung: One of `RUNGS`, e.g. ``"02.frozen"``.
        pixels: Height and width of the images that the model saw.
        trained: What was trained, in a few words, e.g. ``"head, 12,810 parameters"``.
        seconds: What it took, features included.
        validation: The model's probabilities for the validation images of stamps, shape
            ``(200, 10)``, and their labels, shape ``(200,)``, in the same order.
        test: Its probabilities for the test images, shape ``(300, 10)``, in the order of
            ``load("stamps").test``. Only the guesses are kept, and judged in lesson 07.

    Raises:
        KeyError: There is no such rung.
        ValueError: The probabilities do not fit the labels, or are none (logits, say).
    """
    if rung not in RUNGS:
        raise KeyError(f"no rung {rung!r}; there are {', '.join(RUNGS)}")
    probabilities, labels = _probabilities(validation[0]), np.asarray(validation[1]).astype(int)
    if labels.shape != probabilities.shape[:1]:
        raise ValueError(
            f"{len(probabilities)} probabilities for labels of shape {labels.shape}: pass integer "
            "labels, one an image"
        )
    of_the_right = probabilities[np.arange(len(labels)), labels]
    entry = {
        "pixels": int(pixels),
        "trained": trained,
        "seconds": float(seconds),
        "accuracy": float(np.mean(probabilities.argmax(axis=1) == labels)),
        "loss": float(-np.mean(np.log(np.clip(of_the_right, 1e-7, 1)))),
        "test": "".join(map(str, _probabilities(test).argmax(axis=1))),
    }
    KEPT.change(lambda record: record.update({rung: entry}))
    log({"rung": rung, "seed": SEED, **entry})
    better = entry["loss"] < GUESSING
    beside = "" if better else f" That loss is worse than guessing evenly ({GUESSING:.2f})."
    Card(
        f"↑ Rung {rung} · {RUNGS[rung]}",
        f"Validation accuracy {entry['accuracy']:.1%}, loss {entry['loss']:.2f}, at {pixels} "
        f"pixels, trained: {trained}; {seconds:.0f} s.{beside}",
        ["Its guesses for the test images are sealed until lesson 07.", *_band(rung)],
        GOOD if better else NEUTRAL,
    ).show()


def _probabilities(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or np.any(values < -1e-6) or np.any(abs(values.sum(axis=1) - 1) > 1e-3):
        raise ValueError(
            "expected probabilities of shape (images, classes), each row with the sum 1; a model "
            "that ends in logits needs keras.ops.softmax"
        )
    return values


def _band(rung: str) -> list[str]:
    recorded = _record().get(rung)
    if recorded is None:
        return []
    low, high = min(recorded["accuracy"]), max(recorded["accuracy"])
    return [f"Recorded over {len(recorded['seeds'])} seeds: {low:.1%} to {high:.1%}."]


@cache
def _record() -> dict[str, dict]:
    return json.loads(RECORD.read_text()) if RECORD.is_file() else {}


def show() -> None:
    """Show the ladder: a table and a figure, own rungs filled, recorded ones hollow.

    A rung that is not climbed yet shows the middle of its recorded seeds.
    """
    own = KEPT.read()
    best_known = {rung: own.get(rung) or _recorded_entry(rung) for rung in RUNGS}
    shown = {rung: entry for rung, entry in best_known.items() if entry}
    if not shown:
        print("No rung climbed yet, and none recorded.")
        return
    rows = []
    for rung, entry in shown.items():
        whose = "yours" if rung in own else f"recorded, {len(_record()[rung]['seeds'])} seeds"
        cells = (rung, RUNGS[rung], str(entry["pixels"]), f"{entry['seconds']:.0f} s")
        rows.append((*cells, f"{entry['accuracy']:.1%}", f"{entry['loss']:.2f}", whose))
    Table(HEADINGS, rows, SIDES).show()
    from helpers import plots

    plots.show(*figure(shown, own))


def reset() -> None:
    """Forget all rungs climbed; the old file is kept beside the new one with the ending .old."""
    KEPT.reset()


def _recorded_entry(rung: str) -> dict:
    """The middle of what the recorded seeds reached; nothing where none is recorded."""
    recorded = _record().get(rung, {})
    numbers = {k: float(np.median(v)) for k, v in recorded.items() if k in MEASURED}
    return recorded and {"pixels": recorded["pixels"], **numbers}


def figure(shown: dict[str, dict], own: dict[str, dict]) -> tuple[Figure, str]:
    """Draw rungs, `shown`, by validation accuracy; those in `own` are the learner's.

    Returns the figure, and what there is to see in it, in a sentence.
    """
    from helpers import plots

    figure, (axis,) = plots.new_figure(8, 0.5 * len(shown) + 1.9)
    hollow = {"color": plots.PALETTE[0], "markerfacecolor": "none"}
    for place, rung in enumerate(reversed(shown)):
        recorded = _record().get(rung, {}).get("accuracy", [])
        axis.plot(100 * np.asarray(recorded), np.full(len(recorded), place), "o", **hollow)
        if rung in own:
            value = 100 * own[rung]["accuracy"]
            axis.plot(value, place, "D", color=plots.PALETTE[1], markersize=9)
    axis.plot([], [], "o", **hollow, label="recorded, a seed each")
    if own:
        axis.plot([], [], "D", color=plots.PALETTE[1], markersize=9, label="yours")
    axis.axvline(10, color="black", linestyle=":", label="chance")
    for number, target in enumerate(TARGETS):
        label = "targets" if not number else None
        axis.axvline(100 * target, color=plots.PALETTE[2], linestyle="--", label=label)
    axis.set_yticks(range(len(shown)), [f"{rung}  {RUNGS[rung]}" for rung in reversed(shown)])
    axis.set(
        xlim=(0, 100), ylim=(-0.6, max(len(shown) - 0.4, 0.6)), xlabel="validation accuracy, %"
    )
    axis.set_title("The ladder: name what is on a stamp", loc="left")
    figure.legend(loc="outside lower center", ncols=4)
    if not shown:
        return figure, "No rung is recorded yet."
    best = max(shown, key=lambda rung: shown[rung]["accuracy"])
    return figure, (
        f"Validation accuracy of {len(shown)} rungs. Highest stands {best}, {RUNGS[best]}, at "
        f"{shown[best]['accuracy']:.0%}; chance is 10 %."
    )


def promised() -> dict[str, dict[str, np.ndarray]]:
    """Return the validation accuracies of each rung, in the shape and order of `sealed`'s rows."""
    known = {rung: {"recorded": np.array(e["accuracy"])} for rung, e in _record().items()}
    for rung, entry in KEPT.read().items():
        known.setdefault(rung, {})["yours"] = np.array([entry["accuracy"]])
    return {rung: known[rung] for rung in RUNGS if rung in known}


def sealed() -> dict[str, dict[str, np.ndarray]]:
    """Return the guesses for the test images, which lesson 07 opens.

    Returns:
        For each rung ``{"recorded": ..., "yours": ...}``, where there are such: the number of the
        class guessed for each test image, shapes ``(seeds, 300)`` and ``(1, 300)``.
    """
    guesses: dict[str, dict[str, np.ndarray]] = {}
    for whose, texts in (
        ("recorded", {rung: entry["test"] for rung, entry in _record().items()}),
        ("yours", {rung: [entry["test"]] for rung, entry in KEPT.read().items()}),
    ):
        for rung, rows in texts.items():
            digits = np.array([list(row) for row in rows]).astype(int)
            guesses.setdefault(rung, {})[whose] = digits
    return {rung: guesses[rung] for rung in RUNGS if rung in guesses}
