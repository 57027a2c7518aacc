"""Electroluminescence photographs of solar cells: where they come from and how they are split."""

import importlib.util
import itertools
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from helpers.data.images import DataProblem
from helpers.data.loading import SPLITS, FilesOfSplit
from helpers.session import personal_folder

MODULE = 60  # cells of one solar module, as far as the numbering of the pictures shows


class Cell(NamedTuple):
    """One photograph: how likely its cell is defective, its block of neighbours, and their fifth.

    `fifth` is 4 for the blocks that are tested on, 3 for those of validation. To split otherwise,
    by whole blocks too, let the five take turns: then every cell is tested on once.
    """

    path: Path
    probability: float
    block: int
    fifth: int


def cells() -> list[Cell]:
    """List all photographs in the order of the package.

    Cells of one module look alike and are numbered one after another, so neighbours must not be
    divided: each stretch of one kind (mono- or polycrystalline) is cut into blocks of `MODULE`
    cells. (Modules of other sizes can still straddle a cut; the package does not name them.)

    Source: S. Deitsch et al., Solar Energy 185, 2019. Photographs CC BY-NC-SA 4.0.
    """
    folder = elpv_package() / "data"
    rows = (folder / "labels.csv").read_text(encoding="utf-8").splitlines()
    known, blocks_before = [], 0
    lines = [row.split() for row in rows if row.strip()]
    for number, (_, group) in enumerate(itertools.groupby(lines, key=lambda line: line[2])):
        stretch = list(group)
        blocks = max(1, round(len(stretch) / MODULE))
        for index, (name, probability, _) in enumerate(stretch):
            block = min(index // MODULE, blocks - 1)
            fifth = fifth_of_block(block, blocks, number)
            known.append(Cell(folder / name, float(probability), blocks_before + block, fifth))
        blocks_before += blocks
    return known


def solar_cells() -> dict[str, FilesOfSplit]:
    """List the photographs, split by block; above a probability of 0.5 a cell is defective."""
    files = {split: {"defective": [], "functional": []} for split in SPLITS}
    for cell in cells():
        split = SPLITS[max(cell.fifth - 2, 0)]
        files[split]["defective" if cell.probability > 0.5 else "functional"].append(cell.path)
    return files


def fifth_of_block(block: int, blocks: int, stretch: int) -> int:
    """Return 4 for a block that is tested on, 3 for one of validation, else 0, 1 or 2."""
    if blocks == 1:
        return (stretch % 3, 3, 4)[stretch % 3]
    apart = max(1, round(blocks / 5))
    if block >= blocks - 2 * apart:
        return 4 if block >= blocks - apart else 3
    return (3 * block // (blocks - 2 * apart) + stretch) % 3


def elpv_package() -> Path:
    """Return the folder of the package elpv_dataset; on Colab, fetch it into the personal folder.

    Raises:
        DataProblem: It is not installed and cannot be fetched.
    """
    if installed := importlib.util.find_spec("elpv_dataset"):
        return Path(installed.origin).parent
    own = personal_folder() / "packages"
    if not (own / "elpv_dataset" / "data" / "labels.csv").is_file():
        print("Fetching the photographs of solar cells (91 MB, once) ...")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", f"--target={own}"]
        done = subprocess.run([*pip, "elpv-dataset"], capture_output=True, text=True)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise DataProblem(
                "the photographs of solar cells could not be fetched; install their package with "
                f"a network: pip install elpv-dataset ({last})"
            )
    return own / "elpv_dataset"
