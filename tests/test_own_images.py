"""A learner's own folder of images: what is wrong with it is said at once, with the way out."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import struct
import subprocess
import sys
import time
import unicodedata
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

from helpers import data, network
from helpers.data import DataProblem, load, open_image, own_folder, tfds_sets
from helpers.data.images import counted, fit
from helpers.session import COURSE_ROOT

SIZE = (40, 40)
RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The personal folder, of this test alone."""
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def write(path: Path, colour: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SIZE, colour).save(path, "PNG")


def numbered(folder: Path, count: int, start: int = 0) -> None:
    """Write `count` images, each of a colour of its own."""
    for number in range(start, start + count):
        write(folder / f"{number:03d}.png", (number, 255 - number, 7))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three splits of two classes with two images each."""
    folder = tmp_path / "photos"
    for number, split in enumerate(("train", "val", "test")):
        numbered(folder / split / "cats", 2, start=10 * number)
        numbered(folder / split / "dogs", 2, start=100 + 10 * number)
    return folder


def snapshot(folder: Path) -> dict[Path, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def numbers(dataset) -> list[int]:
    """Which of the numbered images a dataset holds."""
    return [round(float(image[0, 0, 0])) for images, _ in dataset for image in images.numpy()]


@contextlib.contextmanager
def refused(*words: str) -> Iterator[None]:
    """The block raises DataProblem within five seconds, and its message has these words."""
    began = time.monotonic()
    with pytest.raises(DataProblem) as caught:
        yield
    assert time.monotonic() - began < 5
    for word in words:
        assert word in str(caught.value)


# --- Files that are not what their name says ---------------------------------------------------


def cut_off(path: Path, **save) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype="uint8")
    Image.fromarray(noise).save(path, **save)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_off_progressive(path: Path) -> None:
    cut_off(path, progressive=True)


def empty(path: Path) -> None:
    path.touch()


def text(path: Path) -> None:
    path.write_text("<!doctype html> the download failed")


def half_a_header(path: Path) -> None:
    path.write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF")


def dangling(path: Path) -> None:
    path.symlink_to(path.with_name("gone.jpg"))


def spoilt_avif(path: Path) -> None:
    """Its header is right and its colours are not: the decoder raises a RuntimeError."""
    noise = np.random.default_rng(0).integers(0, 255, (60, 60, 3), dtype="uint8")
    Image.fromarray(noise).save(path, "AVIF")
    whole = path.read_bytes()
    start = whole.index(b"mdat") + 4
    path.write_bytes(whole[:start] + bytes(40) + whole[start + 40 :])


def folder_named_like_an_image(path: Path) -> None:
    path.mkdir()


DAMAGED: list[tuple[str, Callable[[Path], None]]] = [
    ("cut.jpg", cut_off),
    ("cut.jpg", cut_off_progressive),
    ("cut.png", cut_off),
    ("empty.jpg", empty),
    ("text.jpg", text),
    ("header.jpeg", half_a_header),
    ("link.jpg", dangling),
    ("phone.heic", text),
    ("avif.jpg", spoilt_avif),
    ("photo.avif", spoilt_avif),
    ("scan.jp2", cut_off),
]


@pytest.mark.parametrize(("name", "spoil"), DAMAGED, ids=[f.__name__ for _, f in DAMAGED])
def test_a_damaged_file_is_named_with_the_way_out(folder, name, spoil) -> None:
    spoil(folder / "train" / "dogs" / name)
    with refused(f"train/dogs/{name}", "1 of 13 images", "skip_unreadable=True"):
        load(folder)
    if not (folder / "train" / "dogs" / name).is_symlink():
        with refused(f"{name} cannot be read"):
            open_image(folder / "train" / "dogs" / name)


@pytest.mark.parametrize(
    "kind", [RuntimeError, NotImplementedError, KeyError, struct.error, MemoryError]
)
def test_whatever_a_decoder_raises_is_a_fault_of_the_file(folder, monkeypatch, kind) -> None:
    def fail(*_, **__):
        raise kind()

    monkeypatch.setattr(Image.Image, "convert", fail)
    with refused("12 of 12 images", "test/cats/020.png", f"and 7 more ({kind.__name__})"):
        load(folder)
    with refused(f"000.png cannot be read ({kind.__name__})"):
        open_image(folder / "train" / "cats" / "000.png")


@pytest.mark.parametrize(("name", "spoil"), DAMAGED, ids=[f.__name__ for _, f in DAMAGED])
def test_a_damaged_file_can_be_left_out(folder, name, spoil, capsys) -> None:
    spoil(folder / "train" / "dogs" / name)
    splits = load(folder, image_size=SIZE, skip_unreadable=True)
    assert splits.sizes == {"train": 4, "val": 4, "test": 4}
    assert sorted(numbers(splits.train)) == [0, 1, 100, 101]
    assert name in capsys.readouterr().out


def test_many_damaged_files_are_counted_and_the_first_named(folder) -> None:
    for number in range(9):
        empty(folder / "train" / "cats" / f"broken{number}.jpg")
    with refused("9 of 21 images", "broken0.jpg", "broken4.jpg", "and 4 more"):
        load(folder)


def test_a_class_of_which_nothing_can_be_read_is_not_silently_dropped(folder) -> None:
    for path in (folder / "test" / "dogs").iterdir():
        path.write_bytes(b"")
    with refused("too few images of dogs"):
        load(folder, skip_unreadable=True)


def test_what_computers_leave_in_folders_is_not_an_image(folder) -> None:
    (folder / "train" / "cats" / "._001.png").write_bytes(b"Mac OS X")
    (folder / "train" / "cats" / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / "train" / "cats" / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0")
    (folder / "train" / ".ipynb_checkpoints").mkdir()
    write(folder / "train" / "cats" / ".ipynb_checkpoints" / "000-checkpoint.png", RED)
    folder_named_like_an_image(folder / "train" / "cats" / "best.jpg")
    assert load(folder).sizes["train"] == 4


def test_a_file_name_that_is_not_utf_8_is_no_obstacle(folder, home, capsys) -> None:
    path = folder / "train" / "cats" / "caf\udce9.png"  # é as Latin 1 writes it
    try:
        write(path, RED)
    except OSError:
        pytest.skip("this disk takes no such names")
    age(folder)
    assert sorted(numbers(load(folder, image_size=SIZE).train)) == [0, 1, 100, 101, 255]
    assert "caf\\udce9.png" in (home / "own_images.json").read_text()
    text(path)
    with refused("1 of 13 images", "caf\\udce9.png (empty, damaged or not an image)"):
        load(folder)
    assert load(folder, skip_unreadable=True).sizes["train"] == 4
    capsys.readouterr().out.encode()  # what was said can be shown


# --- Formats that TensorFlow would misread -----------------------------------------------------


def cmyk(path: Path) -> None:
    Image.new("CMYK", SIZE, (0, 255, 255, 0)).save(path, "JPEG", quality=95)  # red in print


def half_transparent(path: Path) -> None:
    """Blue on the left; on the right a red that nobody sees."""
    image = Image.new("RGBA", SIZE, (*BLUE, 255))
    image.paste((*RED, 0), (20, 0, 40, 40))
    image.save(path, "PNG")


def transparent_palette(path: Path) -> None:
    image = Image.new("P", SIZE, 1)
    image.putpalette([*RED, *BLUE])
    image.paste(0, (20, 0, 40, 40))
    image.save(path, "PNG", transparency=0)


def transparent_key_colour(path: Path) -> None:
    image = Image.new("RGB", SIZE, BLUE)
    image.paste(RED, (20, 0, 40, 40))
    image.save(path, "PNG", transparency=RED)


def transparent_grey(path: Path) -> None:
    image = Image.new("LA", SIZE, (0, 255))
    image.paste((99, 0), (20, 0, 40, 40))
    image.save(path, "PNG")


def deep_grey(path: Path) -> None:
    values = np.tile(np.linspace(0, 65_535, 40).astype("uint16"), (40, 1))
    Image.fromarray(values).save(path, "PNG")


def grey(path: Path) -> None:
    Image.fromarray(np.tile(np.linspace(0, 255, 40).astype("uint8"), (40, 1))).save(path, "PNG")


def float_grey(path: Path) -> None:
    Image.fromarray(np.tile(np.linspace(0, 1, 40, dtype="float32"), (40, 1))).save(path, "TIFF")


def png_without_its_end(path: Path) -> None:
    """As an interrupted download leaves it: all pixels, and not the 12 bytes after them."""
    Image.new("RGB", SIZE, RED).save(path, "PNG")
    path.write_bytes(path.read_bytes()[:-12])


def png_with_a_wrong_checksum(path: Path) -> None:
    Image.new("RGB", SIZE, RED).save(path, "PNG")
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\0")


def bitmap_of_16_bits(path: Path) -> None:
    """Five bits for each of red, green and blue, as old cameras and games wrote them."""
    width, height = SIZE
    pixels = b"\x00\x7c" * (width * height)
    start, sides = 54, struct.pack("<ii", width, height)
    head = b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start)
    info = struct.pack("<I", 40) + sides + struct.pack("<HHIIiiII", 1, 16, 0, len(pixels), *[0] * 4)
    path.write_bytes(head + info + pixels)


def turned(path: Path) -> None:
    """Red on the left, blue on the right, and the mark of a camera held upright."""
    image = Image.new("RGB", (80, 40), RED)
    image.paste(BLUE, (40, 0, 80, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter: left becomes top
    image.save(path, "JPEG", exif=exif, quality=95, subsampling=0)


def webp(path: Path) -> None:
    Image.new("RGB", SIZE, RED).save(path, "WEBP", lossless=True)


def tiff(path: Path) -> None:
    Image.new("RGB", SIZE, RED).save(path, "TIFF")


def png_named_jpg(path: Path) -> None:
    Image.new("RGB", SIZE, RED).save(path, "PNG")


def turning_gif(path: Path) -> None:
    frames = [Image.new("RGB", SIZE, RED), Image.new("RGB", SIZE, BLUE)]
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:])


ODD = [
    # name, how it is made, then what a model has to see at the left, right, top and bottom edge
    ("print.jpg", cmyk, RED, RED, RED, RED),
    ("cutout.png", half_transparent, BLUE, WHITE, None, None),
    ("palette.png", transparent_palette, BLUE, WHITE, None, None),
    ("key.png", transparent_key_colour, BLUE, WHITE, None, None),
    ("cutout_grey.png", transparent_grey, (0, 0, 0), WHITE, None, None),
    ("xray.png", deep_grey, (0, 0, 0), WHITE, None, None),
    ("map.tif", float_grey, (0, 0, 0), WHITE, None, None),
    ("download.png", png_without_its_end, RED, RED, RED, RED),
    ("checksum.png", png_with_a_wrong_checksum, RED, RED, RED, RED),
    ("old.bmp", bitmap_of_16_bits, RED, RED, RED, RED),
    ("camera.jpg", turned, None, None, RED, BLUE),
    ("web.webp", webp, RED, RED, RED, RED),
    ("scan.tif", tiff, RED, RED, RED, RED),
    ("turning.gif", turning_gif, RED, RED, RED, RED),
]
AS_IS = [
    ("photo.jpg", png_named_jpg, RED, RED, RED, RED),
    ("PHOTO.JPG", png_named_jpg, RED, RED, RED, RED),
    ("grey.png", grey, (0, 0, 0), WHITE, None, None),
]


def assert_edges(image: np.ndarray, left, right, top, bottom) -> None:
    middle = image.shape[0] // 2
    edges = (image[middle, 1], image[middle, -2], image[1, middle], image[-2, middle])
    for edge, expected in zip(edges, (left, right, top, bottom), strict=True):
        if expected is not None:
            np.testing.assert_allclose(edge, expected, atol=15)


@pytest.mark.parametrize(
    ("name", "make", "edges"),
    [(name, make, edges) for name, make, *edges in ODD],
    ids=[make.__name__ for _, make, *_ in ODD],
)
def test_what_tensorflow_would_misread_is_shown_right_and_nothing_is_written(
    folder, home, name, make, edges, capsys
) -> None:
    path = folder / "test" / "cats" / f"!{name}"  # sorts first
    make(path)
    age(folder)
    before = snapshot(folder)
    for _ in range(2):  # the second time by the index
        splits = load(folder, image_size=SIZE)
        images, labels = next(iter(splits.test))
        assert_edges(images[0].numpy(), *edges)
        assert labels[0] == 0
        assert splits.sizes["test"] == 5
    assert capsys.readouterr().out == ""
    assert snapshot(folder) == before
    assert [kept.name for kept in home.rglob("*")] == ["own_images.json"]
    seen = open_image(path, SIZE)[0]
    assert_edges(seen, *edges)
    np.testing.assert_array_equal(seen, images[0])  # a photograph looks alike to both


def test_odd_formats_load_where_nothing_can_be_written(folder, monkeypatch) -> None:
    for name, make, *_ in ODD:
        make(folder / "train" / "cats" / name)
    expected = contents(load(folder, image_size=SIZE))

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    monkeypatch.setattr(os, "replace", full)
    assert contents(load(folder, image_size=SIZE)) == expected
    assert len(expected["train"]) == 4 + len(ODD)


def test_pillows_remarks_do_not_stand_among_a_lessons_output(folder) -> None:
    broken_exif = b"Exif\0\0II*\0\x08\0\0\0\x05\0"  # says five entries and has none
    path = folder / "train" / "cats" / "remark.jpg"
    Image.new("RGB", SIZE, RED).save(path, exif=broken_exif)
    with pytest.warns(UserWarning, match="Corrupt EXIF"), warnings.catch_warnings():
        warnings.resetwarnings()
        Image.open(path).getexif()
    program = (
        "import sys; from helpers.data import load\n"
        "for _ in load(sys.argv[1], image_size=(8, 8)).train: pass"
    )
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", program, str(folder)],
        env=os.environ | {"PYTHONPATH": str(COURSE_ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "EXIF" not in done.stderr


@pytest.mark.parametrize("cache", [False, True])
def test_a_file_that_breaks_after_the_check_is_an_error_and_no_silence(folder, cache) -> None:
    train = load(folder, image_size=SIZE, cache=cache).train
    text(folder / "train" / "cats" / "000.png")
    with pytest.raises(tf.errors.OpError, match="cannot identify image file"):
        list(train)


@pytest.mark.parametrize(
    ("name", "make", "edges"),
    [(name, make, edges) for name, make, *edges in AS_IS],
    ids=["png_named_jpg", "capitals", "grey"],
)
def test_ordinary_files_of_any_name_are_shown_right(folder, name, make, edges, capsys) -> None:
    path = folder / "test" / "cats" / f"!{name}"
    make(path)
    splits = load(folder, image_size=SIZE)
    assert capsys.readouterr().out == ""
    assert_edges(next(iter(splits.test))[0][0].numpy(), *edges)
    assert_edges(open_image(path, SIZE)[0], *edges)


def seen_as(grey: np.ndarray) -> list[int]:
    """What a grey image of more than 8 bits becomes."""
    return np.asarray(data.to_rgb(Image.fromarray(grey)))[0, :, 0].tolist()


@pytest.mark.parametrize("dtype", ["uint16", "int32"])
def test_16_bits_are_scaled_alike_in_every_image(dtype: str) -> None:
    dark, bright = [[0, 200, 257, 5140]], [[0, 257, 32_896, 65_535]]
    assert seen_as(np.array(dark, dtype)) == [0, 1, 1, 20]
    assert seen_as(np.array(bright, dtype)) == [0, 1, 128, 255]


def deep(path: Path, low: int, high: int, dtype: str = "uint16") -> None:
    """A grey picture from `low` at the left to `high` at the right, in a file of 16 bits."""
    path.parent.mkdir(exist_ok=True, parents=True)
    values = np.tile(np.linspace(low, high, SIZE[1]).astype(dtype), (SIZE[0], 1))
    Image.fromarray(values).save(path)


@pytest.mark.parametrize(
    ("ending", "dtype"), [("png", "uint16"), ("tif", "uint16"), ("tif", "int32")]
)
@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_a_picture_of_fewer_bits_than_its_file_is_bright_and_said(
    tmp_path, capsys, bits, ending, dtype
) -> None:
    deep(tmp_path / f"xray.{ending}", 0, 2**bits - 1, dtype)
    image = open_image(tmp_path / f"xray.{ending}", SIZE)
    assert (image.min(), image.max()) == (0, 255)
    said = capsys.readouterr().out
    assert f"xray.{ending}: 16 bits of grey, of which none is above {2**bits - 1}" in said
    assert f"read as {bits} bits" in said


def test_16_bits_that_are_used_need_no_sentence(tmp_path, capsys) -> None:
    deep(tmp_path / "xray.png", 0, 65_535)
    assert open_image(tmp_path / "xray.png", SIZE).max() == 255
    write(tmp_path / "night.png", (0, 0, 1))
    assert open_image(tmp_path / "night.png", SIZE).max() == 1
    assert capsys.readouterr().out == ""


def test_pictures_of_a_folder_stay_as_bright_beside_each_other(folder, capsys) -> None:
    deep(folder / "test" / "cats" / "dark.png", 0, 1_000)
    deep(folder / "test" / "dogs" / "bright.png", 0, 4_000)
    for _ in range(2):  # the second time by the index
        age(folder)
        images = np.concatenate([i.numpy() for i, _ in load(folder, image_size=SIZE).test])
        assert sorted(images[..., 0].max(axis=(1, 2))) == [20, 21, 62, 120, 121, 249]
        said = capsys.readouterr().out
        assert "test/cats/dark.png, test/dogs/bright.png: 16 bits of grey" in said
        assert "above 4095; read as 12 bits" in said
    deep(folder / "train" / "cats" / "deep.png", 0, 60_000)  # so all of them are of 16
    images = np.concatenate([i.numpy() for i, _ in load(folder, image_size=SIZE).test])
    assert sorted(images[..., 0].max(axis=(1, 2)))[:2] == [4, 16]
    assert "bits" not in capsys.readouterr().out


def test_colours_of_16_bits_that_would_come_out_black_are_named(folder, tmp_path) -> None:
    """Pillow keeps the upper byte of each, which 12 bits leave empty."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    def png(path: Path, value: int) -> Path:
        line = b"\0" + struct.pack(">3H", value, value, value) * 8
        head = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
        parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(line * 8)), chunk(b"IEND", b"")
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
        return path

    assert open_image(png(tmp_path / "used.png", 40_000)).max() == 40_000 // 256
    with refused("12bit.png cannot be read (its 16 bits a colour hold 14 or fewer"):
        open_image(png(tmp_path / "12bit.png", 4_095))
    png(folder / "train" / "dogs" / "deep.png", 4_095)
    with refused("train/dogs/deep.png (its 16 bits a colour hold 14 or fewer; save it with 8"):
        load(folder)


def test_floats_are_shares_or_bytes() -> None:
    assert seen_as(np.array([[0, 0.2, 1]], "float32")) == [0, 51, 255]
    assert seen_as(np.array([[0, 0.2, 99.6, 255]], "float32")) == [0, 0, 100, 255]


@pytest.mark.parametrize(
    "grey",
    [
        np.array([[-0.5, 1]], "float32"),
        np.array([[0, 300]], "float32"),
        np.array([[0, np.nan]], "float32"),
        np.array([[-1000, 3000]], "int32"),
        np.array([[0, 70_000]], "int32"),
    ],
)
def test_grey_values_of_no_known_range_are_refused(folder, grey: np.ndarray) -> None:
    Image.fromarray(grey).save(folder / "train" / "dogs" / "height.tif")
    span = f"from {grey.min():g} to {grey.max():g}"
    with refused(f"train/dogs/height.tif (its grey values go {span}", "0..65535", "0..1 or 0..255"):
        load(folder)


def test_a_broad_photograph_is_cut_around_its_centre_and_not_squeezed(folder) -> None:
    image = Image.new("RGB", (120, 40), RED)
    image.paste(BLUE, (40, 0, 80, 40))
    image.save(folder / "test" / "cats" / "!broad.png")
    seen = next(iter(load(folder, image_size=(20, 20)).test))[0][0].numpy()
    assert seen.shape == (20, 20, 3)
    np.testing.assert_allclose(seen, np.broadcast_to(BLUE, (20, 20, 3)), atol=1)


def test_one_picture_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    with refused("there is no file", "cat.jpg", "check its name"):
        open_image(tmp_path / "cat.jpg")
    text(tmp_path / "cat.jpg")
    with refused("cat.jpg cannot be read", "save it again"):
        open_image(tmp_path / "cat.jpg")


# --- One picture ---------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [make for _, make, *_ in ODD], ids=lambda make: make.__name__)
def test_one_picture_is_read_where_nothing_can_be_written(
    home, tmp_path, monkeypatch, make
) -> None:
    path = tmp_path / "photo.jpg"
    make(path)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    for owner, name in ((Image.Image, "save"), (Path, "mkdir"), (os, "replace")):
        monkeypatch.setattr(owner, name, full)
    assert open_image(path, SIZE).shape == (1, *SIZE, 3)
    assert not home.exists()


ODD_SHAPES = [(1, 300), (300, 2), (7, 5), (64, 64), (333, 500), (500, 333), (225, 97)]


@pytest.mark.parametrize("size", [(64, 64), (20, 30), (33, 7), (1, 1)])
def test_a_picture_is_fitted_as_keras_resizing_does_it(tmp_path, size) -> None:
    layer = keras.layers.Resizing(*size, crop_to_aspect_ratio=True, dtype="float32")
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (*shape, 3), dtype="uint8") for shape in ODD_SHAPES]
    spec = tf.TensorSpec((None, None, 3), tf.uint8)
    source = tf.data.Dataset.from_generator(lambda: iter(pictures), output_signature=spec)
    mapped = list(source.map(lambda picture: fit(picture, size)).as_numpy_iterator())
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / "photo.png")
        expected = layer(picture.astype("float32")).numpy()
        assert mapped[number].dtype == np.float32
        np.testing.assert_array_equal(mapped[number], expected)
        np.testing.assert_array_equal(open_image(tmp_path / "photo.png", size)[0], expected)


def test_a_picture_is_fitted_in_full_precision_and_uses_up_no_layer_name(tmp_path) -> None:
    write(tmp_path / "photo.png", (3, 7, 251))
    before = keras.layers.Resizing(2, 2).name
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        assert open_image(tmp_path / "photo.png").dtype == np.float32
    finally:
        keras.mixed_precision.set_global_policy("float32")
    numbers_of = [
        int("0" + name.partition("_")[2]) for name in (before, keras.layers.Resizing(2, 2).name)
    ]
    assert numbers_of[1] == numbers_of[0] + 1


# --- What was found is kept ----------------------------------------------------------------------


@pytest.fixture
def settled(folder) -> Path:
    """The folder with one transparent image, no file of it changed lately."""
    half_transparent(folder / "train" / "cats" / "cutout.png")
    age(folder)
    return folder


def age(folder: Path) -> None:
    """Make files older than the two seconds in which they could change unseen."""
    for path in (path for path in folder.rglob("*") if path.is_file()):
        os.utime(path, ns=(0, path.stat().st_mtime_ns - 10**10))


@pytest.fixture
def opened(monkeypatch) -> list[str]:
    """The names of the files that are looked into, from now on."""
    names: list[str] = []
    decoded = own_folder.decoded

    def look(path):
        names.append(path.name)
        return decoded(path)

    monkeypatch.setattr(own_folder, "decoded", look)
    return names


def contents(splits) -> dict[str, list[int]]:
    return {split: sorted(numbers(getattr(splits, split))) for split in data.SPLITS}


def test_a_folder_that_did_not_change_is_not_opened_again(settled, opened, capsys) -> None:
    first = contents(load(settled, image_size=SIZE))
    assert len(opened) == len(set(opened)) == 13
    opened.clear()
    assert contents(load(settled, image_size=SIZE)) == first
    assert opened == []
    assert capsys.readouterr().out == ""


def test_a_changed_file_is_checked_again_and_no_other(settled, opened) -> None:
    load(settled)
    opened.clear()
    for change in (lambda path: write(path, (9, 9, 9)), text):
        change(settled / "val" / "cats" / "010.png")
        with contextlib.suppress(DataProblem):
            assert 9 in contents(load(settled, image_size=SIZE))["val"]
        assert set(opened) == {"010.png"}
    with refused("val/cats/010.png", "1 of 13 images"):
        load(settled)


def test_a_file_changed_just_now_is_not_believed_to_stay(folder, opened) -> None:
    for _ in range(2):  # its time may not show what is written in the same moment
        opened.clear()
        load(folder)
        assert len(set(opened)) == 12


@pytest.mark.parametrize(
    "spoiled", ["", "{", "[]", "5", '"ab"', "[[[], 1]]", '{"checked by": "an older rule"}', 1, 2, 3]
)
def test_an_index_that_is_of_no_use_is_no_obstacle(settled, home, opened, spoiled) -> None:
    own_folder.own_folder(settled, False)
    index = home / "own_images.json"
    kept = json.loads(index.read_text())
    if spoiled == 1:  # what another Pillow had found
        kept = {path: [*facts[:2], "Pillow 1.0", *facts[3:]] for path, facts in kept.items()}
    elif spoiled in (2, 3):
        kept = dict.fromkeys(kept, [1] if spoiled == 2 else "nonsense")
    index.write_text(json.dumps(kept) if isinstance(spoiled, int) else spoiled)
    opened.clear()
    assert len(own_folder.own_folder(settled, False)[0]["train"]["cats"]) == 3
    assert len(set(opened)) == 13
    opened.clear()
    own_folder.own_folder(settled, False)
    assert opened == []  # the index was mended


def test_an_index_that_cannot_be_written_only_costs_its_speed(
    settled, home, monkeypatch, opened, capsys
) -> None:
    load(settled)
    (home / "own_images.json").unlink()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    opened.clear()
    assert load(settled).sizes == {"train": 5, "val": 4, "test": 4}
    assert capsys.readouterr().out == ""
    assert not list(home.iterdir())
    assert len(set(opened)) == 13


def test_a_check_that_takes_long_says_how_far_it_is(settled, monkeypatch, capsys) -> None:
    monkeypatch.setattr(own_folder, "QUIET", 0.0)
    load(settled)
    said = capsys.readouterr().out
    assert "\rchecking images:   0%|" in said
    assert said.endswith(" \r")  # and nothing of it stays
    load(settled)


# --- Rooms and memory ----------------------------------------------------------------------------

CHILD = """
import json, sys
from pathlib import Path

def rooms():
    names = ("own_folder", "tfds_sets", "solar_cells")
    return [name for name in names if "helpers.data." + name in sys.modules]

from helpers import data
at_first = [name for name in sys.modules if name.startswith("helpers.data.")]
from helpers.data import DATA, DataProblem, load, open_image
assert (data.load, data.DataProblem) == (load, DataProblem)
next(iter(load("stamps", image_size=(160, 160), cache=True).val.take(1)))
after_stamps = rooms()

import tensorflow as tf
# Else TensorFlow prepares as many batches as a busy machine makes it, an epoch even, and its
# allocator keeps that memory: once it was more than half of what the cache takes.
tf.data.AUTOTUNE = 1
shuffle = tf.data.Dataset.shuffle

def images_twice(dataset, *given, **more):
    return shuffle(dataset.map(lambda image, label: (image + 0.0, label)), *given, **more)

def memory():
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0
    return next(int(r.split()[1]) for r in status.read_text().splitlines() if r[:5] == "VmRSS")

if sys.argv[2:] == ["images twice"]:
    tf.data.Dataset.shuffle = images_twice
cached = load("stamps", image_size=(160, 160), cache=True)
before = memory()
for _ in range(3):
    for batch in cached.train:
        pass
taken = (memory() - before) * 1024
tf.data.Dataset.shuffle = shuffle
load(sys.argv[1])
print(json.dumps([at_first, after_stamps, rooms(), taken]))
"""


def child(home: Path, *more: str) -> list:
    """What a Python of its own has opened of `helpers.data`, and how much a cache has taken."""
    for label, start in (("cats", 0), ("dogs", 100)):
        numbered(home / "photos" / label, 10, start)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(home / "photos"), *more],
        env=os.environ | {"COURSE_HOME": str(home), "PYTHONPATH": str(COURSE_ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def opened_by_child(tmp_path_factory) -> list:
    return child(tmp_path_factory.mktemp("child"))


def test_rooms_are_opened_when_they_are_needed(opened_by_child) -> None:
    assert opened_by_child[:3] == [[], [], ["own_folder"]]


def test_a_cache_holds_images_once(opened_by_child, tmp_path) -> None:
    if not opened_by_child[3]:
        pytest.skip("this system does not say how much memory a process takes")
    images = 750 * 160 * 160 * 12
    assert 0.5 * images < opened_by_child[3] < 2 * images
    # And what holds copies in the order of an epoch would be noticed: it takes 2.8 times as much.
    assert child(tmp_path, "images twice")[3] > 2 * images


def test_the_face_lists_its_names_and_knows_no_other() -> None:
    assert set(data.__all__) == set(dir(data)) >= {"load", "DataProblem", "MODULE", "to_rgb"}
    assert all(getattr(data, name) is not None for name in data.__all__)
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        _ = data.lode


# --- Words ---------------------------------------------------------------------------------------


def test_counts_agree_with_their_words(folder, capsys) -> None:
    for split, name in (("train", "a.png"), ("test", "b.png")):
        half_transparent(folder / split / "cats" / name)
    load(folder)
    assert "1 image lies in two splits: b.png (train and test)" in capsys.readouterr().out
    half_transparent(folder / "val" / "cats" / "c.png")
    load(folder)
    assert "2 images lie in two splits" in capsys.readouterr().out
    assert [counted(n, "class", "classes") for n in (0, 1, 2)] == [
        "0 classes",
        "1 class",
        "2 classes",
    ]
    assert counted(1_000, "image") == "1,000 images"


# --- Folders -----------------------------------------------------------------------------------


def test_a_folder_in_order_is_loaded_as_it_is(folder, capsys) -> None:
    splits = load(folder, image_size=SIZE, batch_size=3)
    assert splits.class_names == ("cats", "dogs")
    assert splits.sizes == {"train": 4, "val": 4, "test": 4}
    assert (sorted(numbers(splits.train)), numbers(splits.val)) == (
        [0, 1, 100, 101],
        [10, 11, 110, 111],
    )
    images, labels = next(iter(splits.test))
    assert images.shape == (3, *SIZE, 3)
    assert (images.dtype.name, labels.dtype.name) == ("float32", "int32")
    assert list(labels) == [0, 0, 1]
    assert "2 classes; images: train 4, val 4, test 4" in repr(splits)
    assert capsys.readouterr().out == ""


def test_names_that_others_use_for_splits_are_understood(folder) -> None:
    (folder / "train").rename(folder / "training")
    (folder / "val").rename(folder / "validation")
    assert load(folder).sizes == {"train": 4, "val": 4, "test": 4}


@pytest.mark.parametrize(
    "names",
    [
        ("Train", "VALID", "Test"),
        ("training_set", "validation_set", "test_set"),
        ("Training", "Validation", "Testing"),
        ("training", "Valid Set", "evaluation"),
        ("training", "validation-set", "testing_set"),
        ("train", "dev", "Test Set"),
        ("trainset", "valset", "test-set"),
        ("train_images", "val images", "eval"),
        ("01_train", "02_val", "03_hold-out"),
        ("train2017", "val2017", "test2017"),
        ("data_train", "data_val", "data_test"),
    ],
)
def test_split_names_are_understood_in_capitals_and_with_set(folder, names) -> None:
    for ours, theirs in zip(data.SPLITS, names, strict=True):
        (folder / ours).rename(folder / theirs)
    splits = load(folder, image_size=SIZE)
    assert splits.class_names == ("cats", "dogs")
    assert numbers(splits.test) == [20, 21, 120, 121]


def test_splits_of_unknown_names_are_not_taken_for_classes(folder) -> None:
    for ours, theirs in zip(data.SPLITS, ("learn", "check", "exam"), strict=True):
        (folder / ours).rename(folder / theirs)
    with refused("learn", "exam", "the same folders (cats, dogs)", "train/CLASS/, val/CLASS/"):
        load(folder)


@pytest.mark.parametrize(
    "name", ["evaluation", "testing_set", "test-set", "Test Set", "eval", "Evaluation", "hold_out"]
)
def test_a_test_folder_beside_training_is_used_and_what_is_missing_said(
    folder, name, capsys
) -> None:
    (folder / "train").rename(folder / "training")
    (folder / "test").rename(folder / name)
    for path in sorted((folder / "val").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (folder / "val").rmdir()
    splits = load(folder, image_size=SIZE)
    assert numbers(splits.test) == [20, 21, 120, 121]
    assert splits.sizes == {"train": 2, "val": 2, "test": 4}
    assert f"{folder} has train, test; what is missing is taken out" in capsys.readouterr().out


@pytest.mark.parametrize("names", [("test", "eval"), ("test", "Test Set"), ("val", "valid")])
def test_two_folders_that_read_as_one_split_are_said(folder, names) -> None:
    numbered(folder / names[1] / "cats", 2, start=50)
    numbered(folder / names[1] / "dogs", 2, start=150)
    with refused(*(str(folder / name) for name in names), f"both read as {names[0]}"):
        load(folder)


@pytest.mark.parametrize("name", ["exam", "Prüfung", "unseen pictures"])
def test_a_folder_of_classes_beside_the_splits_is_not_passed_over(folder, name) -> None:
    (folder / "test").rename(folder / name)
    with refused(f"{folder / name} has classes of 'train'", "'val' or 'test'"):
        load(folder)


@pytest.mark.parametrize("names", [("train", "test"), ("Training", "Test Set"), ("eval",)])
def test_splits_within_classes_are_not_mixed(tmp_path: Path, names) -> None:
    for number, label in enumerate(("cats", "dogs", "birds")):
        for name in names[: 1 + number]:  # not the same in each class
            numbered(tmp_path / "photos" / label / name, 6, start=20 * number)
    with refused("hold the same folders", "train/CLASS/"):
        load(tmp_path / "photos")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_an_accent_written_as_a_mac_does_is_the_same_class(folder, form) -> None:
    for split in data.SPLITS:
        name = unicodedata.normalize(form if split == "test" else "NFC", "cäts")
        (folder / split / "cats").rename(folder / split / name)
    assert load(folder).class_names == ("cäts", "dogs")


def test_classes_are_in_the_order_of_keras_on_every_system(tmp_path, monkeypatch) -> None:
    for start, name in enumerate(("b", "Zebra", "apple", "10", "9", "_a", "Éclair", "zoo")):
        numbered(tmp_path / "photos" / name, 8, start=10 * start)
    keras_set = keras.utils.image_dataset_from_directory(tmp_path / "photos", verbose=False)

    def as_on_windows(self: Path, other: Path) -> bool:
        return str(self).lower() < str(other).lower()

    before = load(tmp_path / "photos", image_size=SIZE)
    monkeypatch.setattr(PurePath, "__lt__", as_on_windows)
    after = load(tmp_path / "photos", image_size=SIZE)
    assert list(before.class_names) == list(after.class_names) == keras_set.class_names
    assert numbers(before.test) == numbers(after.test)


def test_classes_may_keep_their_images_in_one_folder_more(tmp_path: Path) -> None:
    numbered(tmp_path / "photos" / "cats" / "images", 10)
    numbered(tmp_path / "photos" / "dogs" / "images", 10, start=100)
    assert load(tmp_path / "photos").class_names == ("cats", "dogs")


@pytest.mark.parametrize("name", ["train", "Test", "dev"])
def test_a_class_with_the_name_of_a_split_is_said(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "photos"
    numbered(folder / "ship", 10)
    numbered(folder / name, 10, start=100)
    (folder / name / ".ipynb_checkpoints").mkdir()
    with refused(str(folder / name), f"{name!r} is read as a split; rename the class"):
        load(folder)


def test_labels_belong_to_their_images_in_shuffled_training_batches(folder) -> None:
    numbered(folder / "train" / "cats", 20, start=30)
    numbered(folder / "train" / "dogs", 20, start=130)
    train = load(folder, image_size=SIZE, batch_size=5).train
    labels = [int(label) for _, batch in train for label in batch]
    epochs = [[(round(float(i[0, 0, 0])), int(y)) for i, y in train.unbatch()] for _ in range(2)]
    assert labels != sorted(labels)
    assert [n for n, _ in epochs[0]] != [n for n, _ in epochs[1]]  # another order an epoch
    assert all((number >= 100) == bool(label) for epoch in epochs for number, label in epoch)


def test_an_empty_class_folder_is_named(folder) -> None:
    (folder / "train" / "birds").mkdir()
    with refused(str(folder / "train" / "birds"), "add some, or delete the folder"):
        load(folder)


def test_classes_that_differ_between_splits_are_named(folder) -> None:
    (folder / "val" / "dogs").rename(folder / "val" / "Dogs")
    with refused("val lacks dogs", "val has Dogs, which train has not", "spelled alike"):
        load(folder)


def test_a_split_that_lacks_a_class_is_named(folder) -> None:
    for path in (folder / "test" / "dogs").iterdir():
        path.unlink()
    (folder / "test" / "dogs").rmdir()
    with refused("test lacks dogs"):
        load(folder)


@pytest.mark.parametrize("classes", [0, 1])
def test_fewer_than_two_classes_are_not_a_classification(tmp_path: Path, classes: int) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    numbered(folder, 3)  # images beside the class folders belong to no class
    if classes:
        numbered(folder / "cats", 10)
    number = "1 class folder to train on;" if classes else "0 class folders to train on;"
    with refused(str(folder), number, "a folder of its own, two or more"):
        load(folder)


def test_test_images_without_training_images_are_refused(folder) -> None:
    (folder / "train").rename(folder / "trian")
    with refused("none called 'train'"):
        load(folder)


def test_a_missing_validation_split_is_taken_out_of_training(folder) -> None:
    for path in [*(folder / "val").rglob("*.png")]:
        path.unlink()
    for name in ("cats", "dogs", ""):
        (folder / "val" / name).rmdir()
    numbered(folder / "train" / "cats", 18, start=30)
    numbered(folder / "train" / "dogs", 18, start=130)
    splits = load(folder, image_size=SIZE)
    assert splits.sizes == {"train": 34, "val": 6, "test": 4}  # 15 % of each class
    assert numbers(splits.test) == [20, 21, 120, 121]
    train, val = set(numbers(splits.train)), set(numbers(splits.val))
    assert not train & val
    assert len(train | val) == 40
    assert set(numbers(load(folder, image_size=SIZE).val)) == val  # and so every time


def test_plain_class_folders_are_split_and_equal_files_stay_together(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    numbered(folder / "cats", 100)
    numbered(folder / "dogs", 100, start=120)
    for number in range(0, 100, 5):  # every fifth photograph twice, under another name
        write(folder / "cats" / f"copy{number:03d}.png", (number, 255 - number, 7))
    splits = load(folder, image_size=SIZE)
    found = {split: numbers(getattr(splits, split)) for split in data.SPLITS}
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        assert not set(found[one]) & set(found[other])
    assert sorted(n for group in found.values() for n in group) == sorted(
        [*range(100), *range(120, 220), *range(0, 100, 5)]
    )
    for split, share in (("train", 70), ("val", 15), ("test", 15)):
        assert len({n for n in found[split] if n < 100}) == share
        assert len({n for n in found[split] if n >= 100}) == share


def test_too_few_images_to_split_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    numbered(folder / "cats", 10)
    numbered(folder / "dogs", 2, start=100)
    with refused("too few images of dogs", "add some"):
        load(folder)


def test_the_same_image_in_two_splits_is_said(folder, capsys) -> None:
    image = folder / "train" / "dogs" / "100.png"
    (folder / "test" / "dogs" / "the_same.png").write_bytes(image.read_bytes())
    assert load(folder).sizes["test"] == 5
    said = capsys.readouterr().out
    assert "1 image lies in two splits: the_same.png (train and test)" in said
    assert "remove one" in said


@pytest.mark.parametrize("in_splits", [True, False])
def test_the_same_image_in_two_classes_is_said(folder, capsys, in_splits) -> None:
    if not in_splits:
        folder = folder / "train"
        for start, name in enumerate(("cats", "dogs")):
            numbered(folder / name, 9, start=9 * start + 30)
    image = next(p for p in sorted(folder.rglob("*.png")) if p.parent.name == "cats")
    place = image.parents[1] / "dogs"
    (place / "the_same.png").write_bytes(image.read_bytes())
    load(folder)
    said = capsys.readouterr().out
    assert "1 image lies in two classes: the_same.png (cats and dogs)" in said
    assert "One of the two names is then wrong; remove one" in said
    (place / "again.png").write_bytes(image.read_bytes())
    load(folder)
    assert "2 images lie in two classes" in capsys.readouterr().out


# --- Whatever the tree ---------------------------------------------------------------------------


def six(folder: Path) -> list[Path]:
    """A folder of two classes of six images; returns the first three of cats."""
    numbered(folder / "cats", 6)
    numbered(folder / "dogs", 6, start=100)
    return sorted((folder / "cats").iterdir())[:3]


@pytest.mark.parametrize(
    "ending", ["", ".avif", ".ppm", ".jp2", ".pgm", ".tga", ".ico", ".jpg_large", ".JPG~"]
)
def test_what_pillow_reads_is_loaded_whatever_its_ending(tmp_path, ending, capsys) -> None:
    for path in six(tmp_path / "photos"):
        image = Image.open(path)
        path.unlink()
        known = ending in Image.registered_extensions()
        image.save(path.with_suffix(ending), None if known else "PNG")
    splits = load(tmp_path / "photos")
    assert sum(splits.sizes.values()) == 12
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("ending", ["", ".txt", ".csv", ".mp4", ".svg", ".pdf"])
def test_what_is_no_image_is_named_and_the_rest_loaded(tmp_path, ending, capsys) -> None:
    for path in six(tmp_path / "photos"):
        path.unlink()
        path.with_suffix(ending).write_text("%PDF-1.4 of no use")
    with refused("too few images of cats"):
        (tmp_path / "few").mkdir()
        numbered(tmp_path / "few" / "dogs", 6)
        (tmp_path / "few" / "cats").mkdir()
        (tmp_path / "few" / "cats" / "a.txt").write_text("a cat")
        load(tmp_path / "few")
    capsys.readouterr()
    numbered(tmp_path / "photos" / "cats", 3)
    assert sum(load(tmp_path / "photos").sizes.values()) == 12
    said = capsys.readouterr().out
    assert f"Left out of {tmp_path / 'photos'}: 3 files, cats/000{ending}, cats/001{ending}" in said
    assert "(empty, damaged or not an image)" in said


def test_files_beside_the_class_folders_are_named(folder, capsys) -> None:
    write(folder / "loose.png", RED)
    write(folder / "train" / "loose.png", RED)
    (folder / "README.md").write_text("my photographs")
    write(folder / "raw" / "one.png", BLUE)
    load(folder)
    said = capsys.readouterr().out
    assert (
        "4 files, README.md, loose.png, raw/one.png, train/loose.png (in no class folder)" in said
    )


def test_links_to_folders_are_followed_but_not_in_circles(folder, tmp_path, capsys) -> None:
    numbered(tmp_path / "more", 3, start=60)
    (folder / "train" / "cats" / "more").symlink_to(tmp_path / "more")
    (folder / "train" / "cats" / "back").symlink_to(folder / "train" / "cats")
    (folder / "train" / "cats" / "up").symlink_to(folder)
    assert load(folder).sizes == {"train": 7, "val": 4, "test": 4}
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_is_named_and_not_waited_for(folder, capsys) -> None:
    os.mkfifo(folder / "train" / "cats" / "pipe")
    load(folder)
    assert "1 file, train/cats/pipe (no ordinary file)" in capsys.readouterr().out


def test_a_folder_that_may_not_be_opened_is_said(folder, monkeypatch) -> None:
    scan = os.scandir

    def refuse(path):
        if Path(os.fsdecode(path)).name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    write(folder / "train" / "cats" / "locked" / "a.png", RED)
    monkeypatch.setattr(os, "scandir", refuse)
    with refused(f"the folder {folder / 'train' / 'cats' / 'locked'} cannot be opened"):
        load(folder)


SPLIT_NAMES = "train training test Test_Set test-set eval val valid exam extra holdout".split()
KINDS = [write, *(make for _, make, *_ in ODD), *(spoil for _, spoil in DAMAGED)]
NAMES = "a.png b.jpg c.JPEG d e.txt f.avif g.tif h.bin i.ppm j.webp k.gif l.csv ü.png m.jpg.part"


def grow(folder: Path, rng: np.random.Generator) -> list[Path]:
    """Make a tree as people may have it, with files of any kind anywhere; return its files."""
    kinds = [k for k in KINDS if k not in (write, dangling, folder_named_like_an_image)]
    classes = list(rng.choice(["cats", "Dogs", "a b", "été", "train", "10"], 3, replace=False))
    tops = list(rng.choice(SPLIT_NAMES, rng.integers(2, 4), replace=False))
    if rng.random() < 0.7:
        tops[0] = "train"
    places = (
        classes
        if rng.random() < 0.4
        else [f"{t}/{c}" for t in dict.fromkeys(tops) for c in classes]
    )
    for place in places:
        for number in range(rng.integers(4, 7)):
            write(folder / place / f"{number}.png", tuple(rng.integers(0, 256, 3).tolist()))
    inside = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for _ in range(rng.integers(0, 8)):
        path = inside[rng.integers(len(inside))] / str(rng.choice(["", "deeper", ".hidden"]))
        path.mkdir(exist_ok=True)
        with contextlib.suppress(ValueError, OSError):  # Pillow may not write this kind so
            kinds[rng.integers(len(kinds))](path / str(rng.choice(NAMES.split())))
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("seed", range(60))
def test_each_file_of_any_tree_is_loaded_or_named_or_all_are_refused(
    tmp_path, seed, capsys, monkeypatch
) -> None:
    folder = tmp_path / "photos"
    files = grow(folder, np.random.default_rng(seed))
    seen = snapshot(folder)
    monkeypatch.setattr("helpers.data.images.listed", ", ".join)
    monkeypatch.setattr(own_folder, "listed", lambda items: ", ".join(map(str, items)))
    try:
        found, _ = own_folder.own_folder(folder, True)
    except DataProblem as problem:
        assert str(folder) in str(problem)
        return
    finally:
        assert snapshot(folder) == seen
        said = capsys.readouterr().out
    loaded = [path for groups in found.values() for group in groups.values() for path in group]
    assert len(loaded) == len(set(loaded))
    for path in files:
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        assert (path in loaded) + (str(name) in said) == (not hidden), (name, said)
    cut = "what is missing is taken out of train" in said
    for split, groups in found.items():  # as the learner made them, or a sentence
        for path in (path for group in groups.values() for path in group):
            made = own_folder._split_of(path.relative_to(folder).parts[0])
            assert made in (split, None) or (cut and made == "train"), path
    assert list(found["train"]) == sorted(found["train"]) == list(found["test"])


def test_a_folder_in_the_home_folder_may_be_written_with_a_tilde(folder, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    assert load("~/photos").sizes["train"] == 4


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with refused(f"there is no folder {tmp_path / 'fotos'}", "check the spelling"):
        load(tmp_path / "fotos")
    with refused("there is no folder", "check the spelling"):
        load("./fotos")


def test_real_photographs_as_a_learner_brings_them(photos: Path, capsys) -> None:
    splits = load(photos / "cats_dogs", image_size=(96, 96))
    assert splits.class_names == ("cats", "dogs")
    assert splits.sizes == {"train": 102, "val": 18, "test": 60}
    assert "two splits" not in capsys.readouterr().out
    seen = 0
    for images, labels in splits.test:
        assert images.shape[1:] == (96, 96, 3)
        assert 0 <= float(images.numpy().min()) < 50 < 200 < float(images.numpy().max()) <= 255
        assert set(labels.numpy()) <= {0, 1}
        seen += len(images)
    assert seen == 60


@pytest.mark.parametrize("size", [96, (96, 96, 3), (0, 96), None])
def test_a_size_is_height_and_width(folder, size) -> None:
    for name in (folder, "stamps", "mnist"):
        with refused(f"image_size is (height, width), e.g. (96, 96), and not {size!r}"):
            load(name, image_size=size)
    with refused("size is (height, width)"):
        open_image(folder / "train" / "cats" / "000.png", size)


# --- Names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "near"),
    [("stamp", "stamps"), ("Fashion", "fashion"), ("food_101", "food101"), ("tf_flower", "tf_flo")],
)
def test_an_unknown_name_gets_the_nearest_known_one(name: str, near: str) -> None:
    with refused(f"{name!r} is no folder, no bundled set and no TFDS set", f"did you mean {near}"):
        load(name)


def test_a_name_like_no_other_gets_no_guess() -> None:
    with pytest.raises(DataProblem) as caught:
        load("qqqqqqqq")
    assert "did you mean" not in str(caught.value)


@pytest.fixture
def no_tfds_sets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the sets that this machine may have."""
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "tfds"))


@pytest.mark.usefixtures("no_tfds_sets")
def test_without_a_network_a_tfds_set_is_refused_at_once(monkeypatch) -> None:
    monkeypatch.setattr(network, "reachable", lambda: False)
    with refused("tf_flowers", "no network", "go online once, or use 'stamps'"):
        load("tf_flowers")


@pytest.mark.usefixtures("no_tfds_sets")
def test_what_is_no_classification_is_refused_before_anything_is_downloaded(monkeypatch) -> None:
    def download(*_, **__):
        pytest.fail("nothing may be downloaded")

    monkeypatch.setattr(network, "reachable", lambda: True)
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", download)
    with refused("wider_face is not an image-classification set"):
        load("wider_face")


class _Numbered(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """A set in TFDS's own format that is generated here, so that nothing is downloaded."""

    VERSION = tfds.core.Version("1.0.0")
    SPLITS: tuple[str, ...] = ()
    CHANNELS = 3

    def _info(self) -> tfds.core.DatasetInfo:
        features = {
            "image": tfds.features.Image(shape=(None, None, self.CHANNELS)),
            "label": tfds.features.ClassLabel(names=["even", "odd"]),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager):
        return {name: self._generate_examples(60 * n) for n, name in enumerate(self.SPLITS)}

    def _generate_examples(self, start):
        for number in range(start, start + 60):
            image = np.full((20 + number % 3, 30, self.CHANNELS), number, "uint8")
            yield number, {"image": image, "label": number % 2}


class NumberedTrain(_Numbered):
    SPLITS = ("train",)


class NumberedTrainTest(_Numbered):
    SPLITS = ("train", "test")
    CHANNELS = 1


class NumberedTrainValidation(_Numbered):
    SPLITS = ("train", "validation")


class NumberedAll(_Numbered):
    SPLITS = ("train", "validation", "test")


@pytest.mark.parametrize(
    ("name", "train", "val", "test"),
    [
        ("numbered_train", (0, 42), (42, 51), (51, 60)),
        ("numbered_train_test", (0, 51), (51, 60), (60, 120)),
        ("numbered_train_validation", (0, 60), (60, 90), (90, 120)),
        ("numbered_all", (0, 60), (60, 120), (120, 180)),
    ],
)
@pytest.mark.usefixtures("no_tfds_sets")
def test_missing_splits_of_a_tfds_set_are_cut_out_of_others(
    monkeypatch, name: str, train, val, test
) -> None:
    monkeypatch.setattr(network, "reachable", lambda: True)
    splits = load(name, image_size=(16, 24), batch_size=8)
    assert splits.class_names == ("even", "odd")
    images, labels = next(iter(splits.train))
    assert images.shape == (8, 16, 24, 3)
    assert images.dtype.name == "float32"
    found = {split: numbers(getattr(splits, split)) for split in data.SPLITS}
    assert splits.sizes == {split: len(group) for split, group in found.items()}
    expected = {"train": train, "val": val, "test": test}
    assert {k: len(v) for k, v in found.items()} == {k: b - a for k, (a, b) in expected.items()}
    everything = [number for group in found.values() for number in group]
    assert sorted(everything) == list(range(test[1]))
    for images, labels in splits.test:
        assert [int(n) % 2 for n in images.numpy()[:, 0, 0, 0].round()] == labels.numpy().tolist()
    monkeypatch.setattr(network, "reachable", lambda: False)
    assert load(name, image_size=(16, 24)).sizes == splits.sizes  # it is on this computer now


@pytest.mark.usefixtures("no_tfds_sets")
def test_a_tfds_set_has_labels_as_the_others_and_is_cached_where_asked(monkeypatch) -> None:
    monkeypatch.setattr(network, "reachable", lambda: True)
    fitted = []

    def counted(image, size):
        tf.py_function(lambda: fitted.append(1), [], [])
        return fit(image, size)

    monkeypatch.setattr(tfds_sets, "fit", counted)
    for cache, expected in ((True, 42), (False, 84)):
        fitted.clear()
        train = load("numbered_train", image_size=(8, 8), cache=cache).train
        epochs = [numbers(train) for _ in range(2)]
        assert train.element_spec[1].dtype.name == "int32"
        assert len(fitted) == expected
        assert epochs[0] != epochs[1]  # still another order an epoch
        assert sorted(epochs[0]) == sorted(epochs[1])


@pytest.mark.usefixtures("no_tfds_sets")
def test_a_part_of_a_tfds_set_is_refused_before_anything_is_downloaded() -> None:
    with refused("train_per_class=3 cannot be had of mnist", "leave it out"):
        load("mnist", train_per_class=3)
    with refused("did you mean stamps"):  # the name comes first
        load("stamp", train_per_class=3)


@pytest.mark.parametrize(("name", "shape"), [("tf_flowers", None), ("mnist", (28, 28, 1))])
def test_real_tfds_sets_are_taken_for_classifications(monkeypatch, name: str, shape) -> None:
    monkeypatch.setattr(network, "reachable", lambda: False)
    builder = tfds.builder(name)
    assert builder.info.features["image"].shape == (shape or (None, None, 3))
    with refused("no network"):  # and not: no image-classification set
        load(name)
