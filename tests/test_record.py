"""Recordings: their order, that they go on where they stopped, and squares that are run again."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from helpers.features import extract_features
from helpers.session import COURSE_ROOT, SEED
from tools import record as recordings
from tools.__main__ import parser
from tools.record import fine_tuning, fronts
from tools.record.fine_tuning import KEY, LEVELS, REAL, SEEDS, SHORT, SHORT_SEEDS, Square

FILE = COURSE_ROOT / "data" / "recorded" / "fine_tuning.csv"
ROWS = recordings.read(FILE)
EVERYTHING = os.environ.get("COURSE_ALL_RECORDS") == "1"


def row_of(square: Square, loss: float = 1.0) -> dict[str, str]:
    """What a square leaves behind, made up."""
    named = dict(zip(KEY, square.key, strict=True))
    return (
        named
        | {"epoch": "1", "losses": f"{loss}", "val_loss": f"{loss}"}
        | dict.fromkeys(("val_balanced", "seconds"), "1")
    )


def planned(only: str = "", loss: Callable[[Square], float] = lambda square: 1.0) -> list[Square]:
    """The whole plan; every square is taken to reach a loss."""
    rows: list[dict[str, str]] = []
    squares = []
    for square in fine_tuning.plan(rows, only):
        squares.append(square)
        rows.append(row_of(square, loss(square)))
    return squares


def test_the_most_important_squares_come_first_and_none_twice_in_the_main_trial() -> None:
    squares = planned()
    ways = [square.trained for square in squares if not square.variant]
    first = [*dict.fromkeys(ways)]
    assert first[:3] == ["head", "last ten", "from block 6"]
    assert set(first) == set(LEVELS)
    assert not [key for key, count in Counter(s.key for s in squares).items() if count > 1]


def test_every_kind_of_square_is_run_with_every_seed() -> None:
    kinds: dict[tuple, set[int]] = {}
    for square in planned():
        kind = (square.problem, square.trained, square.variant, square.pixels)
        kinds.setdefault(kind, set()).add(square.seed)
    more = {kind: seeds for kind, seeds in kinds.items() if seeds != set(SEEDS)}
    assert [(kind[2], len(seeds)) for kind, seeds in more.items()] == [(SHORT, SHORT_SEEDS)]
    assert len(SEEDS) == 5
    assert {problem for problem, *_ in kinds} == set(REAL)


def test_the_rate_of_the_other_seeds_is_the_one_of_lowest_validation_loss() -> None:
    squares = planned(loss=lambda square: abs(square.rate - 1e-3))
    later = {
        s.rate for s in squares if (s.trained, s.variant) == ("last ten", "") and s.seed > SEED
    }
    assert later == {1e-3}


def test_the_control_has_as_many_steps_as_the_others_with_their_first_phase() -> None:
    squares = [square for square in planned() if not square.variant]
    steps = {(s.trained == "head"): s.steps for s in squares}
    assert steps[True] == steps[False] + fine_tuning.WARM_UP


def test_one_problem_alone_is_a_part_of_the_plan() -> None:
    both = {square.key for square in planned()}
    for problem in REAL:
        own = planned(problem)
        assert {square.problem for square in own} == {problem}
        assert {square.key for square in own} <= both


def test_the_square_that_the_lesson_runs_is_recorded_with_every_seed() -> None:
    found = [row for row in ROWS if row["variant"] == SHORT]
    assert {int(row["seed"]) for row in found} == set(range(SEEDS[0], SEEDS[0] + SHORT_SEEDS))
    assert {(row["problem"], row["trained"]) for row in found} == {("stamps", "from block 6")}


def test_no_square_is_recorded_twice_and_all_are_of_the_plan() -> None:
    keys = [recordings.key(row, KEY) for row in ROWS]
    assert len(keys) == len(set(keys)) > 100
    rows: list[dict[str, str]] = []
    known = {recordings.key(row, KEY): row for row in ROWS}
    wanted = set()
    for square in fine_tuning.plan(rows):
        wanted.add(square.key)
        rows.append(known.get(square.key) or row_of(square, 99))
    assert set(keys) <= wanted


def test_no_two_splits_share_a_block_and_every_cell_is_tested_on_once() -> None:
    known = fronts.images_of("solar cells")
    tested = []
    for turn in range(fronts.FOLDS):
        places = known.split(turn)
        groups = [set(known.groups[of].tolist()) for of in places.values()]
        assert all(not a & b for a, b in itertools.combinations(groups, 2))
        tested.extend(places["test"])
    assert sorted(tested) == list(range(len(known.labels)))


class Stop(Exception):
    """Somebody pulls the plug."""


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Iterator:
    """A recording in an empty folder, whose squares cost nothing."""
    (tmp_path / "data" / "recorded").mkdir(parents=True)
    monkeypatch.setattr(recordings, "COURSE_ROOT", tmp_path)
    monkeypatch.setattr(recordings, "personal_folder", lambda: tmp_path)
    monkeypatch.setattr(fine_tuning, "run", row_of)
    return tmp_path / "data" / "recorded" / FILE.name


def test_a_recording_that_was_stopped_goes_on_where_it_was(elsewhere, monkeypatch) -> None:
    lines = recordings.record("fine-tuning")
    assert "0 squares known" in next(lines)
    for count in range(1, 4):
        next(lines)
        assert len(recordings.read(elsewhere)) == count  # on disk before it is said

    def stop(square: Square) -> dict:
        raise Stop

    before = elsewhere.read_text()
    monkeypatch.setattr(fine_tuning, "run", stop)
    with pytest.raises(Stop):
        next(lines)
    assert elsewhere.read_text() == before
    monkeypatch.setattr(fine_tuning, "run", row_of)
    again = list(recordings.record("fine-tuning"))
    assert "3 squares known" in again[0]
    keys = [recordings.key(row, KEY) for row in recordings.read(elsewhere)]
    assert keys == [square.key for square in planned()]
    assert len(again) - 1 == len(keys) - 3
    assert list(recordings.record("fine-tuning"))[1:] == []


def test_two_recorders_side_by_side_lose_no_row(elsewhere) -> None:
    near, far = (recordings.record("fine-tuning", problem) for problem in REAL)
    for lines in (near, far, near, far, far, near):
        next(lines)
    keys = [recordings.key(row, KEY) for row in recordings.read(elsewhere)]
    assert len(keys) == len(set(keys)) == 4


def test_the_file_says_what_it_is_and_how_it_was_made(elsewhere) -> None:
    lines = recordings.record("fine-tuning")
    next(lines), next(lines)
    for text in (elsewhere.read_text(), FILE.read_text()):
        comments = [line for line in text.splitlines() if line.startswith("#")]
        for word in ("python -m tools record fine-tuning", "Keras", "processor cores", "Last row"):
            assert any(word in line for line in comments), word


def test_the_command_is_listed_and_an_unknown_recording_is_named() -> None:
    assert "record" in parser().format_help()
    with pytest.raises(KeyError, match="there are fine-tuning"):
        next(recordings.record("fine-tunning"))


# --- Squares that are run again ----------------------------------------------------------------


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return fronts._images("stamps", REAL["stamps"])


@pytest.fixture
def few_maps(images, monkeypatch) -> Callable[[Square], None]:
    """Compute what the frozen part says of the images of one square, and of no others."""

    def kept(problem: str, pixels: int, level: str) -> np.ndarray:
        if level == fronts.IMAGES:
            return images
        return made[level]

    def make(square: Square) -> None:
        known = fronts.images_of("stamps")
        places = known.split(0)
        few = fine_tuning.some(places["train"], known.labels, square)
        start, levels = fronts.IMAGES, {fronts.FEATURES, LEVELS[square.trained][0]}
        for level in levels:
            part = fronts.between(square.pixels, start, level)
            made[level] = np.zeros((*images.shape[:2], *part.output_shape[1:]), "float16")
            for version in range(fronts.VERSIONS):
                wanted = few if version else np.concatenate([few, places["val"], places["test"]])
                made[level][version, wanted] = passed(part, images[version, wanted])

    made: dict[str, np.ndarray] = {}
    monkeypatch.setattr(fronts, "kept", kept)
    return make


def passed(part, pictures: np.ndarray) -> np.ndarray:
    import tensorflow as tf

    pairs = (pictures.astype("float32"), np.zeros(len(pictures), int))
    return extract_features(part, tf.data.Dataset.from_tensor_slices(pairs).batch(25))[0]


AGAIN = [("head", 42), ("head", 44), ("last ten", 43)]


@pytest.mark.parametrize(("trained", "seed"), AGAIN)
def test_a_square_run_again_falls_beside_its_row(trained: str, seed: int, few_maps) -> None:
    rows = [
        row
        for row in ROWS
        if (row["problem"], row["trained"], row["variant"], row["pixels"], row["seed"])
        == ("stamps", trained, "few images", str(REAL["stamps"]), str(seed))
    ]
    assert len(rows) == 1
    square = square_of(rows[0])
    few_maps(square)
    judge(square, rows[0])


LONG = [row for row in ROWS if row["problem"] == "stamps" and row["variant"] == SHORT][:1]


@pytest.mark.skipif(not EVERYTHING, reason="minutes for one square: set COURSE_ALL_RECORDS=1")
@pytest.mark.parametrize("row", LONG, ids=lambda row: row["trained"])
def test_a_long_square_run_again_falls_beside_its_row(row: dict[str, str]) -> None:
    judge(square_of(row), row)


def square_of(row: dict[str, str]) -> Square:
    kinds = {"rate": float, "seed": int, "pixels": int, "steps": int, "per_class": int}
    return Square(**{name: kinds.get(name, str)(row[name]) for name in KEY})


def judge(square: Square, row: dict[str, str]) -> None:
    """Same seed, same images: what is left are the last digits of another machine's arithmetic."""
    found = fine_tuning.run(square)
    assert square.key == recordings.key({k: str(v) for k, v in found.items()}, KEY)
    assert float(found["val_accuracy"]) == pytest.approx(float(row["val_accuracy"]), abs=0.06)
    assert float(found["val_loss"]) == pytest.approx(float(row["val_loss"]), abs=0.12)
