"""One image: opened in whatever format it is, turned into 8-bit RGB, and fitted to a size."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps, UnidentifiedImageError

from helpers.data.words import DataProblem

UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What reading and decoding raise on a file that is damaged or no image."""


def open_image(path: str | os.PathLike, size: tuple[int, int] = (224, 224)) -> np.ndarray:
    """Open one image file as a batch of one, ready for ``model.predict``; writes nothing.

    Args:
        path: An image of any format and mode that Pillow opens.
        size: Height and width in pixels; cut to this aspect ratio around its centre.

    Returns:
        float32 in 0..255, shape ``(1, height, width, 3)``.

    Raises:
        DataProblem: There is no such file, it is not an image, or `size` is not two numbers.
    """
    require_height_and_width("size", size)
    path = Path(path)
    if not path.is_file():
        raise DataProblem(f"there is no file {path.resolve()}; check its name and folder")
    try:
        with warnings.catch_warnings(action="ignore"):  # Pillow's remarks on metadata
            pixels = np.asarray(to_rgb(Image.open(io.BytesIO(path.read_bytes()))))
    except UNREADABLE as problem:
        raise DataProblem(
            f"{path} cannot be read ({reason(problem)}); save it again as JPEG or PNG from a "
            "picture program"
        ) from None
    return fit(tf.constant(pixels), size)[tf.newaxis].numpy()


def to_rgb(image: Image.Image) -> Image.Image:
    """Turn any Pillow image into 8-bit RGB: upright, transparent parts laid on white.

    Grey of more than 8 bits is scaled by a rule that does not look at the image's own maximum, so
    that images stay as bright beside each other as they were. Integers are 16-bit: 0..65535 is
    divided by 257, also where nothing exceeds 255. Floats are 0..1 where nothing exceeds 1, and
    0..255 otherwise.

    Args:
        image: An image of any mode (grey, palette, CMYK, with alpha, 16-bit, float).

    Returns:
        A new image of mode ``"RGB"``, values 0..255.

    Raises:
        OSError: The file behind the image is damaged.
        ValueError: Grey values lie outside these ranges.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):  # which convert() would cut off at 255
        grey = np.asarray(image)
        low, high = float(grey.min()), float(grey.max())
        top = 65_535 if grey.dtype.kind != "f" else 1 if high <= 1 else 255
        if not 0 <= low <= high <= top:  # nor is any of this true of NaN
            raise ValueError(
                f"its grey values go from {low:g} to {high:g}; whole numbers have to lie in "
                "0..65535, fractions in 0..1 or 0..255"
            )
        image = Image.fromarray(np.rint(grey * (255 / top)).astype("uint8"))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def fit(image: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Cut an image to an aspect ratio around its centre and resize it: float32, (*size, 3).

    As `keras.layers.Resizing` does; only that uses up a layer's name and minds mixed precision.
    """
    image = tf.ensure_shape(tf.cast(image, tf.float32), (None, None, 3))  # or it rounds
    cut = {"crop_to_aspect_ratio": True, "data_format": "channels_last"}
    return tf.ensure_shape(keras.ops.image.resize(image, size, **cut), (*size, 3))


def reason(problem: BaseException) -> str:
    """Say in a few words what one of `UNREADABLE` is about."""
    if isinstance(problem, UnidentifiedImageError):
        return "empty, damaged or not an image"
    return getattr(problem, "strerror", None) or str(problem)


def require_height_and_width(argument: str, size: tuple[int, int]) -> None:
    """Raise `DataProblem` if a size is not two numbers of at least 1."""
    if np.shape(size) != (2,) or min(size) < 1:
        raise DataProblem(f"{argument} is (height, width), e.g. (96, 96), and not {size!r}")
