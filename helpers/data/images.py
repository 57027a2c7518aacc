"""One image: opened in whatever format it is, turned into 8-bit RGB, and fitted to a size."""

import os
import re
import warnings
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps, UnidentifiedImageError

warnings.filterwarnings("ignore", module="PIL")  # what it remarks on metadata


class DataProblem(ValueError):
    """Images that cannot be used as they are; the message names the files and the way out."""


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
        bits = grey_bits(path)
        image = decoded(path, bits)
    except Exception as problem:  # of damage, decoders raise whatever they like
        way_out = "save it again as JPEG or PNG from a picture program"
        raise DataProblem(f"{path} cannot be read ({reason(problem)}); {way_out}") from None
    mention_depth(path, bits)
    return fit(tf.constant(image), size)[tf.newaxis].numpy()


def decoded(path: str | bytes | os.PathLike, bits: int = 16) -> np.ndarray:
    """Read an image file as `to_rgb` does: uint8, (height, width, 3); damage raises anything."""
    with open(path, "rb") as file:
        return np.asarray(to_rgb(Image.open(file), bits))


def grey_bits(path: str | os.PathLike) -> int:
    """Return the fewest bits that hold an image's grey values, if its file has more than 8."""
    with Image.open(path) as image:
        high = np.max(image) if image.mode.startswith("I") else 2**16
        return next((bits for bits in (8, 10, 12, 14, 16) if high < 2**bits), 0)


def mention_depth(what: object, bits: int) -> None:
    """Print a sentence where grey of fewer bits lies in 16: as 16, it would be dark or black."""
    if 0 < bits < 16:
        print(f"{what}: 16 bits of grey, of which none is above {2**bits - 1}; read as {bits} bits")


def to_rgb(image: Image.Image, bits: int = 16) -> Image.Image:
    """Turn any Pillow image into 8-bit RGB: upright, transparent parts laid on white.

    Grey of more than 8 bits is scaled without a look at the image's own maximum, so that images
    stay as bright beside each other as they were: integers are of so many `bits`, 0..65535 for
    16; floats are 0..1 where nothing exceeds 1, and 0..255 otherwise.

    Args:
        image: An image of any mode (grey, palette, CMYK, with alpha, 16-bit, float).
        bits: How deep whole-numbered grey is; 0 is 16.

    Returns:
        A new image of mode ``"RGB"``, values 0..255.

    Raises:
        OSError: The file behind the image is damaged.
        ValueError: Grey values lie outside these ranges; or colours of 16 bits are nearly black,
            as those of 12 bits are: Pillow keeps the upper 8.
    """
    if image.mode[0] != "I" and re.search(";16[BLN]", str(getattr(image, "tile", ""))):
        if max(high for _, high in image.convert("RGB").getextrema()) < 64:
            raise ValueError("its 16 bits a colour hold 14 or fewer; save it with 8 bits a colour")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):  # which convert() would cut off at 255
        grey = np.asarray(image)
        low, high = float(grey.min()), float(grey.max())
        top = 2 ** (bits or 16) - 1 if grey.dtype.kind != "f" else 1 if high <= 1 else 255
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
    """Say in a few words why a file could not be read as an image."""
    if isinstance(problem, UnidentifiedImageError):
        return "empty, damaged or not an image"
    return getattr(problem, "strerror", None) or str(problem) or type(problem).__name__


def require_height_and_width(argument: str, size: tuple[int, int]) -> None:
    """Raise `DataProblem` if a size is not two numbers of at least 1."""
    if np.shape(size) != (2,) or min(size) < 1:
        raise DataProblem(f"{argument} is (height, width), e.g. (96, 96), and not {size!r}")


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number and its words: ``1 image lies``, ``2 images lie``, ``0 images lie``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(items: Iterable[object], most: int = 5) -> str:
    """Join names for a sentence, the first few and how many more."""
    names = [str(item) for item in items]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    shown = ", ".join(names[:most]) + more
    return shown.encode(errors="backslashreplace").decode()  # file names may not be UTF-8
