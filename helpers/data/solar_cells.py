"""Electroluminescence photographs of solar cells: where they come from and how they are split."""

import importlib.util
import itertools
import subprocess
import sys
from pathlib import Path

from helpers.data.images import DataProblem
from helpers.data.loading import SPLITS, FilesOfSplit
from helpers.session import personal_folder

MODULE = 60  # cells of one solar module, as far as the numbering of the pictures shows


def solar_cells() -> dict[str, FilesOfSplit]:
    """List the photographs, split by module.

    Cells of one module look alike and are numbered one after another, so neighbours must not be
    divided: each stretch of one kind (mono- or polycrystalline) is cut into blocks of `MODULE`
    cells. (Modules of other sizes can still straddle a cut; the package does not name them.) A
    cell counts as defective above a probability of 0.5.

    Source: S. Deitsch et al., Solar Energy 185, 2019. Photographs CC BY-NC-SA 4.0.
    """
    folder = elpv_package() / "data"
    rows = (folder / "labels.csv").read_text(encoding="utf-8").splitlines()
    cells = [row.split() for row in rows if row.strip()]
    files = {split: {"defective": [], "functional": []} for split in SPLITS}
    for number, (_, group) in enumerate(itertools.groupby(cells, key=lambda cell: cell[2])):
        stretch = list(group)
        blocks = max(1, round(len(stretch) / MODULE))
        for index, (name, probability, _) in enumerate(stretch):
            split = split_of_block(min(index // MODULE, blocks - 1), blocks, number)
            kind = "defective" if float(probability) > 0.5 else "functional"
            files[split][kind].append(folder / name)
    return files


def split_of_block(block: int, blocks: int, stretch: int) -> str:
    """Say where a block goes: of five, three to training; a single one to each split in turn."""
    if blocks == 1:
        return SPLITS[stretch % 3]
    apart = max(1, round(blocks / 5))
    if block >= blocks - apart:
        return "test"
    return "val" if block >= blocks - 2 * apart else "train"


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
