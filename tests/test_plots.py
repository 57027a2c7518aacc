"""Figures: drawn, large enough, said in words, and in colours that everybody tells apart."""

from __future__ import annotations

import inspect
import io
import itertools
from collections.abc import Callable

import keras
import numpy as np
import pytest
import rooms
from keras import layers
from matplotlib.colors import to_rgb
from PIL import Image

from helpers import cards, plots
from helpers.plots import learning, pictures

WORDS = "Accuracy rises from left to right & stays < 1."
RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 255, (7, 20, 30, 3)).astype("float32")
HISTORY = {
    "loss": [1.0, 0.5, 0.4],
    "val_loss": [1.1, 0.7, 0.6],
    "accuracy": [0.4, 0.6, 0.7],
    "val_accuracy": [0.3, 0.5, 0.6],
}
SEEDS = {f"method {number}": list(RNG.uniform(0.5, 0.9, 5)) for number in range(7)}


def two_branches() -> keras.Model:
    inputs = keras.Input((8,), name="image")
    x = layers.Dense(4, name="wide")(inputs)
    y = layers.Dense(4, name="deep")(inputs)
    return keras.Model(inputs, layers.Add(name="sum")([x, y]), name="branches")


def sequential() -> keras.Model:
    return keras.Sequential([keras.Input((8,)), layers.Dense(4), layers.Dense(2)])


def own_drawing(words: str) -> None:
    figure, axes = plots.new_figure(6, 3, ncols=2)
    axes[0].plot([1, 2])
    axes[1].plot([2, 1])
    plots.show(figure, words)


DRAWINGS: dict[str, Callable[[str], None]] = {
    "show": own_drawing,
    "images": lambda w: plots.images(PICTURES, list("abcdefg"), w, columns=4, heading="Seven"),
    "images, grey": lambda w: plots.images(PICTURES[..., 0], ["one\nline more"] * 7, w),
    "images, two": lambda w: plots.images(PICTURES[:2], ["a", "b"], w),
    "probabilities": lambda w: plots.probabilities(
        [("cat", 0.9), ("dog", 0.1)], w, heading="Sure", picture=PICTURES[0]
    ),
    "probabilities, alone": lambda w: plots.probabilities([("cat", 1.0)], w, heading="Sure"),
    "curves": lambda w: plots.curves({"frozen": HISTORY}, w, boundary=2, heading="One run"),
    "curves, seven runs": lambda w: plots.curves({f"run {n}": HISTORY for n in range(7)}, w),
    "seeds": lambda w: plots.seeds(SEEDS, w, heading="Ladder", label="accuracy", chance=0.1),
    "seeds, seconds": lambda w: plots.seeds(
        {"a": [3.0], "b": [12.0]}, w, heading="Time", label="seconds", percent=False
    ),
    "trend": lambda w: plots.trend(
        [5, 20, 75],
        {name: RNG.uniform(0.2, 0.9, (3, 3)) for name in ("plain", "augmented")},
        w,
        heading="Little data",
        steps_label="images a class",
        label="accuracy, %",
        chance=0.1,
        logarithmic=True,
    ),
    "trend, named": lambda w: plots.trend(
        ["stem_activation", "block3b_add", "top_act"],
        {"one seed": [[3.0], [2.0], [5.0]]},
        w,
        heading="Depth",
        steps_label="block",
        label="seconds",
        percent=False,
        legend_title="how many seeds",
    ),
    "model_graph": lambda w: plots.model_graph(two_branches(), w, highlight=["sum"]),
    "model_graph, sequential": lambda w: plots.model_graph(sequential(), w),
}


@pytest.fixture
def displays(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict, dict]]:
    """What would be displayed if this were a notebook: data and metadata, in order."""
    shown: list[tuple[dict, dict]] = []

    def display(data: dict, *, metadata: dict | None = None, raw: bool = False) -> None:
        assert raw
        shown.append((data, metadata or {}))

    monkeypatch.setattr("IPython.get_ipython", lambda: object())
    monkeypatch.setattr("IPython.display.display", display)
    return shown


def test_every_public_function_is_drawn_here() -> None:
    public = {name for name in plots.__all__ if inspect.isfunction(getattr(plots, name))}
    assert public - {"new_figure"} <= {name.split(",")[0] for name in DRAWINGS}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_figure_is_drawn_and_said_in_words(name: str, displays) -> None:
    DRAWINGS[name](WORDS)
    (figure, metadata), (caption, _) = displays
    picture = Image.open(io.BytesIO(figure["image/png"]))
    assert picture.format == "PNG"
    assert 250 <= picture.width <= 1200  # not wider than a notebook's column bears
    assert 120 <= picture.height <= 1500
    assert len(figure["image/png"]) < 300_000
    pixels = np.asarray(picture.convert("L"))
    assert pixels.std() > 5  # there is something to see
    assert metadata == {"image/png": {"alt": WORDS}}
    assert WORDS in figure["text/plain"]
    assert WORDS in caption["text/plain"]
    assert "&amp; stays &lt; 1." in caption["text/html"]


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.parametrize("words", ["", "  \n"])
def test_a_figure_without_words_is_refused(name: str, words: str, displays) -> None:
    with pytest.raises(ValueError, match="say in a sentence"):
        DRAWINGS[name](words)
    assert displays == []


STEPS = {
    "plots.show": "canvas False",
    "plots.images, plots.probabilities": "canvas pictures False",
    "plots.curves": "canvas learning pictures False",
    "plots.seeds, plots.trend": "canvas compare learning pictures False",
    "plots.model_graph": "canvas compare graph learning pictures True",
}


def test_only_the_room_that_is_asked_for_opens() -> None:
    assert rooms.opened("plots", STEPS) == list(STEPS.values())


def test_a_name_that_no_room_has_is_said() -> None:
    with pytest.raises(AttributeError, match="no attribute 'pie'"):
        plots.pie  # noqa: B018


def test_the_same_figure_is_the_same_bytes(displays) -> None:
    for _ in range(2):
        DRAWINGS["curves"](WORDS)
    assert displays[0][0]["image/png"] == displays[2][0]["image/png"]


def test_what_guessing_would_reach_is_drawn(monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr("helpers.plots.learning.show", lambda figure, words: drawn.append(figure))
    plots.curves({"run": HISTORY}, WORDS, classes=4)
    lines = [axis.lines[-1] for axis in drawn[0].axes]
    assert [line.get_label() for line in lines] == ["guessing evenly"] * 2
    np.testing.assert_allclose([line.get_ydata()[0] for line in lines], [np.log(4), 0.25])


def test_the_word_fine_tuning_stands_above_the_curves(displays, monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr(learning, "show", lambda figure, in_words: drawn.append(figure))
    perfect = {name: [1.0, 1.0, 1.0, 1.0] for name in ("loss", "accuracy")}
    plots.curves({"run": perfect}, WORDS, boundary=2, heading="At the upper edge")
    [figure] = drawn
    figure.draw_without_rendering()
    for axis in figure.axes:
        [text] = [text for text in axis.texts if text.get_text() == "fine-tuning"]
        word, panel = text.get_window_extent(), axis.get_window_extent()
        assert word.y0 >= panel.y1
        assert word.x1 <= figure.bbox.x1


@pytest.mark.parametrize("shape", [(10, 10), (10, 10, 3)])
def test_a_picture_is_as_bright_as_it_is(shape, displays, monkeypatch) -> None:
    """Matplotlib by itself stretches a grey one: all of one grey is then black."""
    drawn = []
    monkeypatch.setattr(pictures, "show", lambda figure, in_words: drawn.append(figure))
    for value in (20, 200):
        even = np.full(shape, value, "float32")
        plots.images([even], ["even"], WORDS)
        plots.probabilities([("cat", 1.0)], WORDS, heading="Sure", picture=even)
        for figure in drawn[-2:]:
            image = figure.axes[0].images[0]
            pixels = image.to_rgba(image.get_array(), bytes=True)
            assert (pixels[..., :3] == value).all()


def test_outside_a_notebook_the_words_are_printed(capsys) -> None:
    DRAWINGS["curves"](WORDS)
    assert capsys.readouterr().out == f"[figure] {WORDS}\n"


def test_new_figure_gives_axes_in_a_row() -> None:
    figure, axes = plots.new_figure(5, 3, nrows=2, ncols=2)
    assert tuple(figure.get_size_inches()) == (5, 3)
    assert len(axes) == 4
    assert len(plots.new_figure()[1]) == 1


@pytest.mark.parametrize(
    ("draw", "problem", "message"),
    [
        (lambda: plots.images(PICTURES, ["one"], WORDS), ValueError, "7 pictures need as many"),
        (lambda: plots.images([], [], WORDS), ValueError, "no pictures to show: pass at least one"),
        (
            lambda: plots.curves({"frozen": {"loss": [1.0]}}, WORDS),
            KeyError,
            "no 'accuracy'; it has loss",
        ),
        (
            lambda: plots.trend(
                [1, 2], {"a": [[1.0]]}, WORDS, heading="", steps_label="", label=""
            ),
            ValueError,
            "'a' has 1 entries for 2 steps",
        ),
        (lambda: plots.model_graph(keras.Sequential(), WORDS), ValueError, "keras.Input first"),
        (
            lambda: plots.model_graph(
                keras.Sequential([keras.Input((4,)), *(layers.Dense(4) for _ in range(31))]), WORDS
            ),
            ValueError,
            "too many to draw; use layer_table",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said(draw, problem, message: str, displays) -> None:
    with pytest.raises(problem, match=message):
        draw()
    assert displays == []


# --- Colours -----------------------------------------------------------------------------------

# What a reader with a full deficiency sees, in linear RGB. Machado, Oliveira and Fernandes,
# "A physiologically-based model for simulation of color vision deficiency", IEEE TVCG 15(6), 2009.
VISION = {
    "full": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
RGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE = np.array([0.95047, 1.0, 1.08883])  # D65
SMALLEST_DISTANCE = 15  # in CIE Lab; from about 2 on two colours side by side differ at all


def linear(colour: str) -> np.ndarray:
    channels = np.array(to_rgb(colour))
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(linear_rgb: np.ndarray) -> np.ndarray:
    ratio = RGB_TO_XYZ @ np.clip(linear_rgb, 0, 1) / WHITE
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: str, other: str, vision: str) -> float:
    seen = np.asarray(VISION[vision])
    return float(np.linalg.norm(lab(seen @ linear(one)) - lab(seen @ linear(other))))


def test_the_simulation_knows_a_pair_that_is_often_confused() -> None:
    assert distance("#00ff00", "#ff9900", "full") > 60
    assert distance("#5a8a00", "#a06000", "deuteranopia") < SMALLEST_DISTANCE
    np.testing.assert_allclose(lab(linear("white")), [100, 0, 0], atol=0.1)


@pytest.mark.parametrize("vision", VISION)
def test_every_two_colours_are_told_apart(vision: str) -> None:
    close = {
        pair: round(distance(*pair, vision), 1)
        for pair in itertools.combinations(plots.PALETTE, 2)
        if distance(*pair, vision) < SMALLEST_DISTANCE
    }
    assert not close


@pytest.mark.parametrize("colour", [*plots.PALETTE, cards.GOOD, cards.BAD, cards.NEUTRAL])
def test_every_colour_shows_on_white(colour: str) -> None:
    """3 to 1, as the Web Content Accessibility Guidelines (2.2, 1.4.11) want for graphics."""
    luminance = RGB_TO_XYZ[1] @ linear(colour)
    assert 1.05 / (luminance + 0.05) >= 3


def test_colours_are_never_alone() -> None:
    assert len(set(plots.MARKERS)) == len(plots.MARKERS) >= len(plots.PALETTE)


# --- Where the boxes of a graph stand -------------------------------------------------------------


def test_boxes_stand_below_what_they_take_and_a_late_input_right_above_its_use() -> None:
    from helpers.plots.graph import _places

    chain = [("picture", "flatten"), ("flatten", "hidden"), ("hidden", "join"), ("weight", "join")]
    place = _places([*chain, ("join", "output"), ("hidden", "output 'features'")], step=3.0)
    row = {name: y for name, (_, y) in place.items()}
    assert row == {
        **{"picture": 0, "flatten": -1, "hidden": -2, "weight": -2, "join": -3},
        **{"output": -4, "output 'features'": -3},
    }
    assert place["weight"][0] - place["hidden"][0] == 3.0  # inputs to the right, a step apart
    assert place["picture"][0] == 0  # alone in its row: in the middle


def test_what_skips_a_row_is_drawn_around_the_side() -> None:
    from helpers.plots.graph import _places

    place = _places([("in", "a"), ("a", "b"), ("in", "add"), ("b", "add")], step=3.0)
    assert [place[name][1] for name in ("in", "a", "b", "add")] == [0, -1, -2, -3]
