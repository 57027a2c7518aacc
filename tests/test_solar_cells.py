"""The photographs of solar cells, subsets of training images, and where the package comes from."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections import Counter
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from helpers.data import MODULE, SPLITS, DataProblem, FilesOfSplit, load, loading, solar_cells
from helpers.files import digest

SIZES = {
    "train": {"defective": 451, "functional": 1061},
    "val": {"defective": 214, "functional": 326},
    "test": {"defective": 156, "functional": 416},
}


@pytest.fixture(scope="module")
def files() -> dict[str, FilesOfSplit]:
    return solar_cells.solar_cells()


@pytest.fixture(scope="module")
def table() -> list[tuple[str, float, str]]:
    """Name, probability of a defect and kind of every cell, in the package's order."""
    lines = (solar_cells.elpv_package() / "data" / "labels.csv").read_text().splitlines()
    rows = [line.split() for line in lines if line.strip()]
    return [(name, float(probability), kind) for name, probability, kind in rows]


def names(groups: FilesOfSplit) -> set[str]:
    return {f"images/{path.name}" for group in groups.values() for path in group}


# --- Splits ------------------------------------------------------------------------------------


def test_every_split_has_the_sizes_that_the_lessons_tell(files) -> None:
    found = {split: {c: len(group) for c, group in files[split].items()} for split in SPLITS}
    assert found == SIZES


def test_every_picture_is_in_exactly_one_split_and_class(files, table) -> None:
    listed = [path for split in SPLITS for group in files[split].values() for path in group]
    assert max(Counter(listed).values()) == 1
    assert set().union(*(names(files[split]) for split in SPLITS)) == {row[0] for row in table}
    assert len(listed) == len(table) == 2624


def test_no_two_splits_hold_the_same_picture_under_two_names(files) -> None:
    digests = {
        split: {digest(path) for group in files[split].values() for path in group}
        for split in SPLITS
    }
    assert not digests["train"] & digests["val"]
    assert not digests["train"] & digests["test"]
    assert not digests["val"] & digests["test"]


def test_a_cell_is_defective_above_a_half(files, table) -> None:
    probability = {name: value for name, value, _ in table}
    for split in SPLITS:
        for kind, group in files[split].items():
            for path in group:
                wanted = "defective" if probability[f"images/{path.name}"] > 0.5 else "functional"
                assert kind == wanted, path.name


def test_no_block_of_a_module_is_divided(files, table) -> None:
    """As far as the numbering shows modules: a stretch of one kind is only cut after 60 cells."""
    split_of = {name: split for split in SPLITS for name in names(files[split])}
    cuts = []
    for _, stretch in itertools.groupby(table, key=lambda row: row[2]):
        splits = [split_of[name] for name, _, _ in stretch]
        cuts += [i for i in range(1, len(splits)) if splits[i] != splits[i - 1]]
    assert cuts
    assert [cut for cut in cuts if cut % MODULE] == []


def test_neighbours_of_one_kind_are_rarely_in_two_splits(files, table) -> None:
    split_of = {name: split for split in SPLITS for name in names(files[split])}
    pairs = [(a, b) for a, b in itertools.pairwise(table) if a[2] == b[2]]
    divided = sum(split_of[a[0]] != split_of[b[0]] for a, b in pairs)
    assert divided < len(pairs) / 100


def split_of_block(block: int, blocks: int, stretch: int) -> str:
    return SPLITS[max(solar_cells.fifth_of_block(block, blocks, stretch) - 2, 0)]


@pytest.mark.parametrize("blocks", range(1, 40))
def test_blocks_go_to_training_first_then_validation_then_testing(blocks: int) -> None:
    places = [split_of_block(block, blocks, stretch=0) for block in range(blocks)]
    assert places == sorted(places, key=SPLITS.index)
    if blocks >= 3:
        assert set(places) == set(SPLITS)
        assert places.count("train") >= places.count("val") == places.count("test")


def test_single_blocks_take_turns() -> None:
    assert [split_of_block(0, 1, stretch) for stretch in range(4)] == [*SPLITS, "train"]


# --- Loading -----------------------------------------------------------------------------------


def test_loaded_pictures_are_grey_in_three_channels_from_0_to_255() -> None:
    cells = load("solar-cells", image_size=(32, 48), batch_size=8)
    assert cells.class_names == ("defective", "functional")
    assert cells.sizes == {split: sum(SIZES[split].values()) for split in SPLITS}
    images, labels = next(iter(cells.val))
    assert images.shape == (8, 32, 48, 3)
    assert labels.numpy().tolist() == [0] * 8  # not shuffled: the first class comes first
    assert np.array_equal(images[..., 0], images[..., 1])
    assert np.array_equal(images[..., 0], images[..., 2])
    assert 0 <= np.min(images) < np.max(images) <= 255
    assert np.max(images) > 50


# --- Subsets of the training images --------------------------------------------------------------


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    """Two classes of grey pictures, each of its own brightness: 6 and 8 to train on."""
    for split, counts in {"train": (6, 8), "val": (2, 2), "test": (2, 2)}.items():
        for label, count in enumerate(counts):
            folder = tmp_path / split / f"class{label}"
            folder.mkdir(parents=True)
            for number in range(count):
                shade = 10 * number + 100 * label + {"train": 0, "val": 1, "test": 2}[split]
                Image.new("RGB", (8, 8), (shade,) * 3).save(folder / f"{number}.png")
    return tmp_path


def shades(dataset) -> dict[int, set[int]]:
    """The brightness of every picture, by class: which pictures they are."""
    found: dict[int, set[int]] = {0: set(), 1: set()}
    for images, labels in dataset:
        for image, label in zip(images.numpy(), labels.numpy(), strict=True):
            found[int(label)].add(round(float(image.mean())))
    return found


def test_so_many_of_each_class_and_the_other_splits_whole(own_folder: Path) -> None:
    some = load(own_folder, image_size=(8, 8), train_per_class=3)
    assert some.sizes == {"train": 6, "val": 4, "test": 4}
    assert {label: len(found) for label, found in shades(some.train).items()} == {0: 3, 1: 3}
    whole = load(own_folder, image_size=(8, 8))
    assert whole.sizes["train"] == 14
    for split in ("val", "test"):
        assert shades(getattr(some, split)) == shades(getattr(whole, split))


def test_fewer_images_of_a_seed_are_a_part_of_more() -> None:
    group = {"a": [Path(str(i)) for i in range(40)], "b": [Path(f"b{i}") for i in range(50)]}
    before: set[Path] = set()
    for count in (1, 5, 20, 40):
        drawn = loading.some(group, count, seed=7)
        assert [len(paths) for paths in drawn.values()] == [count, count]
        chosen = set().union(*drawn.values())
        assert len(chosen) == 2 * count
        assert before <= chosen
        before = chosen
    assert set(loading.some(group, 40, seed=7)["a"]) == set(group["a"])


def test_a_seed_repeats_its_draw_and_seeds_differ() -> None:
    group = {"a": [Path(str(i)) for i in range(200)]}
    assert loading.some(group, 20, seed=1) == loading.some(group, 20, seed=1)
    draws = {tuple(loading.some(group, 20, seed=seed)["a"]) for seed in range(8)}
    assert len({frozenset(draw) for draw in draws}) == 8


def test_a_seed_decides_which_solar_cells_are_trained_on(files, monkeypatch) -> None:
    drawn = {}

    draw = loading.some

    def remember(files, count, seed):
        drawn["train"] = draw(files, count, seed)
        return drawn["train"]

    monkeypatch.setattr(loading, "some", remember)
    chosen = []
    for seed in (1, 1, 2):
        drawn.clear()
        cells = load("solar-cells", train_per_class=200, seed=seed)
        assert cells.sizes == {"train": 400, "val": 540, "test": 572}
        assert {c: len(group) for c, group in drawn["train"].items()} == {
            "defective": 200,
            "functional": 200,
        }
        assert names(drawn["train"]) <= names(files["train"])
        chosen.append(names(drawn["train"]))
    assert chosen[0] == chosen[1] != chosen[2]


@pytest.mark.parametrize("count", [0, -3])
def test_less_than_one_image_is_refused(count: int, own_folder: Path) -> None:
    with pytest.raises(DataProblem, match=f"train_per_class={count} .*at least 1"):
        load(own_folder, train_per_class=count)


def test_more_images_than_there_are_is_refused_with_the_class(own_folder: Path) -> None:
    with pytest.raises(DataProblem, match=r"train_per_class=7 .*: class0 \(6\)$"):
        load(own_folder, train_per_class=7)
    with pytest.raises(DataProblem, match=r"class0 \(6\), class1 \(8\)$"):
        load(own_folder, train_per_class=9)
    with pytest.raises(DataProblem, match=r"defective \(451\)$"):
        load("solar-cells", train_per_class=452)


def test_fashion_is_refused_in_part_and_not_given_whole() -> None:
    with pytest.raises(DataProblem, match=r"train_per_class=5 .* fashion, .*; leave it out"):
        load("fashion", train_per_class=5)
    assert load("fashion").sizes["train"] == 6000


# --- Where the photographs come from -------------------------------------------------------------


@pytest.fixture
def not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without elpv-dataset, whose personal folder is new; returns that folder."""
    monkeypatch.setattr(solar_cells.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(solar_cells, "personal_folder", lambda: tmp_path)
    return tmp_path


def fetched(folder: Path) -> Path:
    """Lay the package out as pip does, with one cell in each class and split."""
    package = folder / "packages" / "elpv_dataset"
    (package / "data" / "images").mkdir(parents=True)
    lines = [
        f"images/c{i}.png {probability:.2f} {kind}"
        for i, (probability, kind) in enumerate(
            (p, k) for k in ("mono", "poly", "mono") for p in (0.0, 1.0)
        )
    ]
    (package / "data" / "labels.csv").write_text("\n".join(lines) + "\n")
    return package


def test_the_installed_package_is_used_without_a_network(monkeypatch, tmp_path: Path) -> None:
    spec = ModuleSpec("elpv_dataset", None, origin=str(tmp_path / "elpv_dataset" / "__init__.py"))
    monkeypatch.setattr(solar_cells.importlib.util, "find_spec", lambda name: spec)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("nothing to fetch"))
    assert solar_cells.elpv_package() == tmp_path / "elpv_dataset"


def test_a_missing_package_is_fetched_once_into_the_personal_folder(
    not_installed: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    commands = []

    def pip(command, **options):
        commands.append(command)
        assert options["capture_output"]  # pip's own words do not belong into a lesson
        fetched(not_installed)
        return SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setattr(subprocess, "run", pip)
    assert solar_cells.elpv_package() == not_installed / "packages" / "elpv_dataset"
    assert "91 MB, once" in capsys.readouterr().out
    assert commands[0][:4] == [sys.executable, "-m", "pip", "install"]
    assert "--no-deps" in commands[0]  # or it would pull in what Colab has in another version
    assert f"--target={not_installed / 'packages'}" in commands[0]
    assert commands[0][-1] == "elpv-dataset"

    files = solar_cells.solar_cells()
    assert len(commands) == 1  # the second time it lies there
    assert capsys.readouterr().out == ""
    found = {split: {c: len(group) for c, group in files[split].items()} for split in SPLITS}
    assert found == {split: {"defective": 1, "functional": 1} for split in SPLITS}


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        ("WARNING: retrying\nERROR: No matching distribution found\n", "No matching distribution"),
        ("", "no message"),
    ],
)
def test_without_a_network_the_way_out_is_said(not_installed, monkeypatch, stderr, said) -> None:
    failed = SimpleNamespace(returncode=1, stderr=stderr)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(DataProblem, match="pip install elpv-dataset") as problem:
        load("solar-cells")
    assert said in str(problem.value)
    assert "retrying" not in str(problem.value)
