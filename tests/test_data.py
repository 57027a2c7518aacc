"""Is the bundled data what `data/README.md` says it is?

Needs NumPy and Pillow only. What needs the photographs themselves (Debian's package
`tuxpaint-stamps-default`) is skipped where they are not installed; `STAMPS_SOURCE` names another
folder.
"""

from __future__ import annotations

import csv
import functools
import importlib.util
import math
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from helpers.data import load
from helpers.files import digest

DATA = Path(__file__).resolve().parents[1] / "data"
STAMPS = DATA / "stamps"
FASHION = DATA / "fashion" / "fashion_subset.npz"
CHECKSUMS = DATA / "checksums.sha256"
CLASSES = (
    "bird",
    "flower",
    "fruit",
    "household",
    "instrument",
    "mammal",
    "sealife",
    "tool",
    "vegetable",
    "vehicle",
)
STAMPS_PER_CLASS = {"train": 75, "val": 20, "test": 30}
FASHION_PER_CLASS = {"train": 600, "val": 100, "test": 200}
MEGABYTE = 1_000_000

Classifier = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def _module(name: str) -> ModuleType:
    """Import a script of `data/`, which is no package."""
    spec = importlib.util.spec_from_file_location(name, DATA / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


@functools.cache
def _manifest() -> tuple[dict[str, str], ...]:
    with (STAMPS / "manifest.csv").open(newline="", encoding="utf-8") as handle:
        return tuple(csv.DictReader(handle))


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    return _module("build_stamps")


@pytest.fixture(scope="module")
def sources(builder: ModuleType) -> list:
    return builder.read_sources()


@pytest.fixture(scope="module")
def photographs() -> Path:
    """Where the package's photographs lie, if they do."""
    folder = Path(os.environ.get("STAMPS_SOURCE", "/usr/share/tuxpaint/stamps"))
    if not (folder / "animals" / "birds").is_dir():
        pytest.skip(f"no photographs in {folder}: install tuxpaint-stamps-default to run this")
    return folder


# --- stamps: files ---------------------------------------------------------------------------


def test_stamps_have_so_many_images_per_class_and_split():
    for split, count in STAMPS_PER_CLASS.items():
        folders = {path.name for path in (STAMPS / split).iterdir()}
        assert folders == set(CLASSES)
        for label in CLASSES:
            files = list((STAMPS / split / label).iterdir())
            assert len(files) == count, f"{split}/{label}"
            assert {path.suffix for path in files} == {".jpg"}


def test_every_stamp_is_a_colour_jpeg_of_224_pixels():
    for row in _manifest():
        with Image.open(STAMPS / row["file"]) as image:
            image.load()  # a cut-off file opens, but does not load
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (224, 224))


def test_no_stamp_is_blank():
    for row in _manifest():
        with Image.open(STAMPS / row["file"]) as image:
            assert np.asarray(image.convert("L")).std() > 4, row["file"]


def test_manifest_lists_exactly_the_files_and_their_hashes():
    listed = {row["file"]: row["sha256"] for row in _manifest()}
    assert len(listed) == len(_manifest())
    found = {path.relative_to(STAMPS).as_posix(): digest(path) for path in STAMPS.rglob("*.jpg")}
    assert found == listed


def test_manifest_agrees_with_the_folders():
    for row in _manifest():
        split, label, name = row["file"].split("/")
        assert (split, label) == (row["split"], row["class"])
        assert name.startswith(f"{label}_")


def test_no_image_occurs_twice():
    assert max(Counter(row["sha256"] for row in _manifest()).values()) == 1


def test_stamps_stay_small():
    assert sum(path.stat().st_size for path in STAMPS.rglob("*")) < 12 * MEGABYTE


# --- stamps: source photographs --------------------------------------------------------------


def test_no_photograph_appears_in_two_splits_or_two_classes(sources: list):
    places = defaultdict(set)
    group_of = {source.path: source.group for source in sources}
    for row in _manifest():
        places[row["source"]].add((row["split"], row["class"]))
        places["group " + group_of[row["source"]]].add((row["split"], row["class"]))
    divided = {name: where for name, where in places.items() if len(where) > 1}
    assert not divided


def test_manifest_uses_exactly_the_photographs_that_the_list_keeps(sources: list):
    kept = {(source.path, source.label, source.split) for source in sources if source.used}
    used = {(row["source"], row["class"], row["split"]) for row in _manifest()}
    assert used == kept


def test_photographs_take_turns():
    uses = defaultdict(Counter)
    for row in _manifest():
        uses[row["split"], row["class"]][row["source"]] += 1
    for place, counts in uses.items():
        assert max(counts.values()) - min(counts.values()) <= 1, place


def test_each_class_has_eleven_photographs_and_three_in_every_split(sources: list):
    counts = Counter((source.label, source.split) for source in sources if source.used)
    for label in CLASSES:
        each = [counts[label, split] for split in STAMPS_PER_CLASS]
        assert sum(each) >= 11, label
        assert min(each) >= 3, label


def test_every_photograph_left_out_has_a_reason_and_every_kept_one_a_class(sources: list):
    assert len({source.path for source in sources}) == len(sources)
    for source in sources:
        if source.used:
            assert source.label in CLASSES and source.group and not source.reason, source.path
        else:
            assert source.split == "left out" and not source.label, source.path
            assert len(source.reason) >= 5, source.path
        assert len(source.sha256) == 64, source.path


def test_no_kept_photograph_has_the_bytes_of_another(sources: list):
    kept = Counter(source.sha256 for source in sources if source.used)
    assert max(kept.values()) == 1


def test_splits_were_drawn_and_not_chosen(builder: ModuleType, sources: list):
    kept = {source.path: source.split for source in sources if source.used}
    assert builder.draw_splits(sources) == kept


def test_the_plan_gives_the_manifest_again(builder: ModuleType, sources: list):
    planned = [{key: str(value) for key, value in row.items()} for row in builder.plan(sources)]
    keys = planned[0].keys()
    assert [{key: row[key] for key in keys} for row in _manifest()] == planned


def test_the_manifest_holds_the_pose_that_the_seed_draws(builder: ModuleType):
    for row in _manifest():
        pose = builder.draw_pose(np.random.default_rng(int(row["pose_seed"])))
        assert f"{pose.scale:.3f}" == row["scale"]
        assert f"{pose.angle:.1f}" == row["angle"]
        assert (str(int(pose.flip)), str(pose.quality)) == (row["flip"], row["quality"])


def test_building_twice_gives_the_same_images(
    builder: ModuleType, photographs: Path, tmp_path: Path
):
    def few(row: dict) -> bool:
        return row["file"].endswith(("_000.jpg", "_080.jpg", "_124.jpg"))

    first = builder.build(photographs, tmp_path / "first", only=few)
    second = builder.build(photographs, tmp_path / "second", only=few)
    assert first == second
    assert len(first) == 3 * len(CLASSES)
    committed = {row["file"]: row for row in _manifest()}
    for row in first:
        # Another Pillow may write other bytes, so the pixels are compared, and not exactly.
        new = np.asarray(Image.open(tmp_path / "first" / row["file"]), dtype=np.float32)
        old = np.asarray(Image.open(STAMPS / row["file"]), dtype=np.float32)
        assert np.abs(new - old).mean() < 2, row["file"]
        assert {**row, "sha256": ""} == {**committed[row["file"]], "sha256": ""}


def test_builder_refuses_one_object_in_two_splits(
    builder: ModuleType, sources: list, photographs: Path
):
    kept = [source for source in sources if source.used]
    cutouts = {source.path: builder.open_cutout(photographs, source) for source in kept}
    builder.check_sources(kept, cutouts)  # as it is, nothing is wrong
    bradley = next(s for s in kept if s.path.endswith("/bradley.png"))
    mirrored = next(s for s in sources if s.path.endswith("/bradley_mirror.png"))
    other = next(split for split in STAMPS_PER_CLASS if split != bradley.split)
    smuggled = builder.Source(
        mirrored.path, mirrored.sha256, "vehicle", other, "bradley_mirror", 0, (0, 0, 0, 0), ""
    )
    cutouts[smuggled.path] = builder.open_cutout(photographs, smuggled)
    with pytest.raises(ValueError, match="bradley_mirror"):
        builder.check_sources([*kept, smuggled], cutouts)


def test_builder_refuses_a_photograph_that_changed(
    builder: ModuleType, sources: list, tmp_path: Path
):
    source = next(s for s in sources if s.used)
    (tmp_path / source.path).parent.mkdir(parents=True)
    Image.new("RGBA", (9, 9)).save(tmp_path / source.path)
    with pytest.raises(ValueError, match="differs"):
        builder.open_cutout(tmp_path, source)


def test_perceptual_hash_sees_a_mirrored_and_recoloured_copy(builder: ModuleType):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 255, size=(8, 8, 3), dtype=np.uint8)
    picture = Image.fromarray(values).resize((80, 80), Image.Resampling.BICUBIC).convert("RGBA")
    copy = Image.eval(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT), lambda v: v * 4 // 5)
    copy.putalpha(255)
    other = Image.fromarray(rng.integers(0, 255, size=(8, 8, 3), dtype=np.uint8))
    other = other.resize((80, 80), Image.Resampling.BICUBIC).convert("RGBA")
    pairs = builder.near_duplicates({"picture": picture, "copy": copy, "other": other})
    assert [pair[1:] for pair in pairs] == [("copy", "picture")]


# --- stamps: the backgrounds say nothing about the class -------------------------------------


def _summaries(images: np.ndarray) -> np.ndarray:
    """Colour statistics of each image: means, spreads, an 8 x 8 thumbnail and its roughness."""
    scaled = images.astype(np.float32) / 255
    count, size = len(scaled), scaled.shape[1]
    thumbnail = scaled.reshape(count, 8, size // 8, 8, size // 8, 3).mean(axis=(2, 4))
    rough = np.abs(np.diff(scaled, axis=1)).mean(axis=(1, 2))
    parts = [scaled.mean(axis=(1, 2)), scaled.std(axis=(1, 2)), rough, thumbnail]
    return np.concatenate([part.reshape(count, -1) for part in parts], axis=1)


def _standardised(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    middle, spread = train.mean(axis=0), train.std(axis=0) + 1e-6
    return (train - middle) / spread, (test - middle) / spread


def _nearest_neighbours(train: np.ndarray, labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Vote of the five nearest training images."""
    train, test = _standardised(train, test)
    distances = ((test[:, None] - train[None]) ** 2).sum(axis=-1)
    votes = labels[np.argsort(distances, axis=1)[:, :5]]
    return np.array([np.bincount(row, minlength=10).argmax() for row in votes])


def _softmax_regression(train: np.ndarray, labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Multinomial logistic regression, plain gradient descent with some weight decay."""
    train, test = _standardised(train, test)
    weights = np.zeros((train.shape[1] + 1, 10))
    inputs = np.c_[train, np.ones(len(train))]
    targets = np.eye(10)[labels]
    for _ in range(400):
        scores = inputs @ weights
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        errors = scores / scores.sum(axis=1, keepdims=True) - targets
        weights -= 0.05 * (inputs.T @ errors / len(train) + 0.003 * weights)
    return (np.c_[test, np.ones(len(test))] @ weights).argmax(axis=1)


def _small_network(train: np.ndarray, labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """One hidden layer of 64, trained in mini-batches with momentum."""
    train, test = _standardised(train, test)
    rng = np.random.default_rng(0)
    targets = np.eye(10)[labels]
    layers = [
        rng.normal(0, train.shape[1] ** -0.5, (train.shape[1], 64)),
        np.zeros(64),
        rng.normal(0, 64**-0.5, (64, 10)),
        np.zeros(10),
    ]
    speeds = [np.zeros_like(layer) for layer in layers]
    for _ in range(40):
        for batch in np.array_split(rng.permutation(len(train)), len(train) // 25):
            hidden = np.maximum(train[batch] @ layers[0] + layers[1], 0)
            scores = hidden @ layers[2] + layers[3]
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            error = (scores / scores.sum(axis=1, keepdims=True) - targets[batch]) / len(batch)
            back = (error @ layers[2].T) * (hidden > 0)
            slopes = [train[batch].T @ back, back.sum(0), hidden.T @ error, error.sum(0)]
            for layer, speed, slope in zip(layers, speeds, slopes, strict=True):
                speed *= 0.9
                speed -= 0.02 * slope
                layer += speed
    hidden = np.maximum(test @ layers[0] + layers[1], 0)
    return (hidden @ layers[2] + layers[3]).argmax(axis=1)


CLASSIFIERS: tuple[Classifier, ...] = (_nearest_neighbours, _softmax_regression, _small_network)


def _chance_interval(count: int, chance: float = 0.1, doubt: float = 0.001) -> tuple[float, float]:
    """Exact binomial interval for the accuracy of guessing: outside it with at most `doubt`."""
    logs = [
        math.lgamma(count + 1)
        - math.lgamma(hits + 1)
        - math.lgamma(count - hits + 1)
        + hits * math.log(chance)
        + (count - hits) * math.log(1 - chance)
        for hits in range(count + 1)
    ]
    below = np.cumsum(np.exp(logs))
    low = int(np.searchsorted(below, doubt / 2))
    high = int(np.searchsorted(below, 1 - doubt / 2))
    return low / count, high / count


def _labels(split: str) -> np.ndarray:
    return np.array([CLASSES.index(row["class"]) for row in _manifest() if row["split"] == split])


@pytest.fixture(scope="module")
def background_features(builder: ModuleType) -> dict[str, np.ndarray]:
    """Summaries of the backgrounds alone, rendered again from nothing but the manifest's seeds."""
    return {
        split: _summaries(
            np.stack(
                [
                    builder.background(np.random.default_rng(int(row["background_seed"])), 64)
                    for row in _manifest()
                    if row["split"] == split
                ]
            )
        )
        for split in ("train", "test")
    }


@pytest.fixture(scope="module")
def image_features() -> dict[str, np.ndarray]:
    """The same summaries of the whole images, object included."""
    return {
        split: _summaries(
            np.stack(
                [
                    np.asarray(Image.open(STAMPS / row["file"]).resize((64, 64)))
                    for row in _manifest()
                    if row["split"] == split
                ]
            )
        )
        for split in ("train", "test")
    }


def test_the_chance_interval_is_where_tables_put_it():
    low, high = _chance_interval(300)
    assert low == pytest.approx(14 / 300, abs=0.011)
    assert high == pytest.approx(48 / 300, abs=0.011)


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_backgrounds_alone_are_at_chance(classifier: Classifier, background_features: dict):
    truth = _labels("test")
    guess = classifier(background_features["train"], _labels("train"), background_features["test"])
    low, high = _chance_interval(len(truth))
    assert low <= (guess == truth).mean() <= high


@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_the_same_classifiers_do_find_a_signal_where_there_is_one(
    classifier: Classifier, image_features: dict
):
    # Without this, "at chance" could mean that the classifiers are broken. The upper bound says
    # that colour alone does not solve the task.
    truth = _labels("test")
    guess = classifier(image_features["train"], _labels("train"), image_features["test"])
    _, high = _chance_interval(len(truth))
    assert high < (guess == truth).mean() < 0.55


def test_a_background_is_the_same_scene_at_any_size(builder: ModuleType):
    for seed in range(12):
        small = builder.background(np.random.default_rng(seed), 56).astype(np.float32)
        large = builder.background(np.random.default_rng(seed), 224).astype(np.float32)
        shrunk = large.reshape(56, 4, 56, 4, 3).mean(axis=(1, 3))
        assert np.abs(small.mean(axis=(0, 1)) - shrunk.mean(axis=(0, 1))).max() < 6, seed


def test_every_image_has_a_background_of_its_own():
    seeds = [row["background_seed"] for row in _manifest()]
    assert len(set(seeds)) == len(seeds)


# --- fashion ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fashion() -> dict[str, np.ndarray]:
    with np.load(FASHION, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def test_fashion_has_the_promised_shapes_and_is_balanced(fashion: dict):
    assert len(fashion["class_names"]) == len(set(fashion["class_names"])) == 10
    for split, count in FASHION_PER_CLASS.items():
        images, labels = fashion[f"x_{split}"], fashion[f"y_{split}"]
        assert images.shape == (10 * count, 28, 28) and images.dtype == np.uint8
        assert labels.shape == (10 * count,) and labels.dtype == np.uint8
        assert np.bincount(labels).tolist() == [count] * 10
        assert images.min() == 0 and images.max() == 255


def test_fashion_is_shuffled(fashion: dict):
    for split in FASHION_PER_CLASS:
        assert len(set(fashion[f"y_{split}"][:50].tolist())) >= 8


def test_no_garment_occurs_twice(fashion: dict):
    images = [image.tobytes() for split in FASHION_PER_CLASS for image in fashion[f"x_{split}"]]
    assert len(set(images)) == len(images)


def test_fashion_labels_fit_the_images(fashion: dict):
    # Mean images tell most garments apart; scrambled labels would leave 10 %.
    means = np.stack(
        [fashion["x_train"][fashion["y_train"] == k].mean(axis=0).ravel() for k in range(10)]
    )
    test = fashion["x_test"].reshape(-1, 784).astype(np.float32)
    nearest = ((test[:, None] - means[None]) ** 2).sum(axis=-1).argmin(axis=1)
    assert (nearest == fashion["y_test"]).mean() > 0.6


def test_fashion_stays_small():
    assert FASHION.stat().st_size < 4 * MEGABYTE


def test_fashion_can_be_rebuilt(fashion: dict):
    script = _module("build_fashion")
    folder = Path(os.environ.get("FASHION_SOURCE", script.DEBIAN_FOLDER))
    if not folder.is_dir():
        pytest.skip(f"no Fashion-MNIST in {folder}: install dataset-fashion-mnist to run this")
    again = script.subset(folder)
    assert again.keys() == fashion.keys()
    for name, array in again.items():
        np.testing.assert_array_equal(array, fashion[name])


# --- checksums and licences ------------------------------------------------------------------


def _checksums() -> dict[str, str]:
    lines = CHECKSUMS.read_text(encoding="utf-8").splitlines()
    return {name: wanted for wanted, name in (line.split("  ", 1) for line in lines)}


def test_checksums_hold():
    for name, wanted in _checksums().items():
        assert digest(DATA / name) == wanted, f"{name} changed: see 'Checksums' in data/README.md"


def test_checksums_cover_what_lessons_read():
    needed = {
        "stamps/manifest.csv",
        "stamps_sources.csv",
        "fashion/fashion_subset.npz",
        "weights/efficientnet_lite0_float16.npz",
    }
    assert needed <= _checksums().keys()


def test_the_datasheet_states_the_counts_of_the_manifest():
    text = (DATA / "README.md").read_text(encoding="utf-8")
    used = defaultdict(set)
    for row in _manifest():
        used[row["class"], row["split"]].add(row["source"])
    for label in CLASSES:
        train, val, test = (len(used[label, split]) for split in ("train", "val", "test"))
        assert f"| {label} | {train} | {val} | {test} |" in text


def test_the_stamps_carry_their_licence():
    notice = (STAMPS / "LICENSE").read_text(encoding="utf-8")
    assert "GPL-2" in notice and "Bill Kendrick" in notice and "tuxpaint-stamps" in notice
    full = (STAMPS / "COPYING").read_text(encoding="utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in full and "Version 2, June 1991" in full


@pytest.mark.parametrize("name", ["stamps", "birds-or-mammals", "fashion"])
@pytest.mark.parametrize("cache", [False, True])
def test_every_dataset_knows_its_length(name: str, cache: bool) -> None:
    """Or fit would run one step more an epoch: see findings/unknown_length_counts_one_step_more."""
    splits = load(name, image_size=(32, 32), batch_size=32, cache=cache)
    for split, size in splits.sizes.items():
        assert int(getattr(splits, split).cardinality()) == -(-size // 32)
