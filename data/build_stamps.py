"""Build the stamps images: cut-out photographs pasted on generated backgrounds.

Run once, from the repository's root; the result is committed:

    python data/build_stamps.py /usr/share/tuxpaint/stamps

The argument is the stamps folder of Debian's package `tuxpaint-stamps-default`. What goes in is
decided by hand in `stamps_sources.csv` (which photograph, which class, which split, and why the
others stay out). Everything random comes from `SEED`, through two separate streams: one draws the
backgrounds, the other the poses. The backgrounds therefore cannot know the class, and anybody can
render them again from the manifest alone with `background(np.random.default_rng(seed), size)`.

Needs Pillow and NumPy only.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageFilter

SEED = 20_221_122  # the only one tried
SIZE = 224
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
IMAGES_PER_CLASS = {"train": 75, "val": 20, "test": 30}
DEBIAN_FOLDER = Path("/usr/share/tuxpaint/stamps")
HERE = Path(__file__).resolve().parent
SOURCES_FILE = HERE / "stamps_sources.csv"

# Two photographs with fewer differing bits than this (of 240) are taken for the same object.
# Measured on the package: its mirrored and recoloured copies differ by 1 to 14 bits; of different
# objects that we kept, the closest two (slanting tools) by 32.
NEAR_DUPLICATE_BITS = 24

MANIFEST_COLUMNS = (
    "file",
    "class",
    "split",
    "source",
    "background_seed",
    "pose_seed",
    "scale",
    "angle",
    "flip",
    "quality",
    "sha256",
)

Array = np.ndarray
Palette = tuple[tuple[int, int, int], ...]


# --- the sources ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Source:
    """One row of `stamps_sources.csv`.

    `group` ties photographs of the same object together: a group never leaves its split. `erode`
    is the number of pixels taken off the cut-out's rim, where a fringe of its old background
    shows. `trim` cuts left, top, right, bottom pixels off before use.
    """

    path: str
    sha256: str
    label: str
    split: str
    group: str
    erode: int
    trim: tuple[int, int, int, int]
    reason: str

    @property
    def used(self) -> bool:
        """Whether the photograph went into a split."""
        return self.split in IMAGES_PER_CLASS


def read_sources(path: Path = SOURCES_FILE) -> list[Source]:
    """Read the list of candidate photographs, kept and left out, in the file's order."""
    with path.open(newline="", encoding="utf-8") as handle:
        return [
            Source(
                path=row["path"],
                sha256=row["sha256"],
                label=row["class"],
                split=row["split"],
                group=row["group"],
                erode=int(row["erode"] or 0),
                trim=tuple(int(n) for n in (row["trim"] or "0 0 0 0").split()),
                reason=row["reason"],
            )
            for row in csv.DictReader(handle)
        ]


def _every_so_often(count: int, chosen: int, start: float) -> set[int]:
    """Return `chosen` places out of 0..count-1, evenly apart; `start` in 0..1 shifts them all."""
    return {int((place + start) * count / chosen) for place in range(chosen)}


def draw_splits(sources: Iterable[Source], seed: int = SEED) -> dict[str, str]:
    """Draw a split for every kept photograph: about 58 % train, 17 % val, 25 % test.

    Whole groups are drawn, class by class, and evenly over the package's folders (strings,
    percussion, ...): a plain draw left all drums out of training. Returns {path: split};
    `stamps_sources.csv` holds the result, and a test checks that it is this draw.
    """
    members: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for source in sources:
        if source.label:
            members[source.label][source.group].append(source.path)
    splits: dict[str, str] = {}
    for number, label in enumerate(sorted(members)):
        rng = np.random.default_rng([seed, number])
        groups = [sorted(paths) for _, paths in sorted(members[label].items())]
        shuffled = [groups[index] for index in rng.permutation(len(groups))]
        # Python's sort keeps the shuffled order inside a folder.
        queue = sorted(shuffled, key=lambda paths: Path(paths[0]).parent.as_posix())
        test = _every_so_often(len(queue), max(3, round(0.25 * len(queue))), rng.random())
        rest = [place for place in range(len(queue)) if place not in test]
        val = {
            rest[place]
            for place in _every_so_often(len(rest), max(3, round(0.17 * len(queue))), rng.random())
        }
        for place, paths in enumerate(queue):
            split = "test" if place in test else "val" if place in val else "train"
            splits |= dict.fromkeys(paths, split)
    return splits


def open_cutout(folder: Path, source: Source) -> Image.Image:
    """Open a source photograph as RGBA, cropped to what is visible.

    Raises:
        ValueError: the file is not the one that the list was made from.
    """
    data = (folder / source.path).read_bytes()
    if hashlib.sha256(data).hexdigest() != source.sha256:
        raise ValueError(f"{source.path} differs from the photograph in {SOURCES_FILE.name}")
    picture = Image.open(io.BytesIO(data)).convert("RGBA")
    left, top, right, bottom = source.trim
    picture = picture.crop((left, top, picture.width - right, picture.height - bottom))
    alpha = picture.getchannel("A").point(lambda a: 0 if a < 24 else a)
    for _ in range(source.erode):
        # A transparent rim lets the erosion also work where the cut-out touches the file's edge.
        framed = Image.new("L", (alpha.width + 2, alpha.height + 2))
        framed.paste(alpha, (1, 1))
        alpha = framed.filter(ImageFilter.MinFilter(3)).crop(
            (1, 1, alpha.width + 1, alpha.height + 1)
        )
    picture.putalpha(alpha)
    return picture.crop(alpha.getbbox())


def difference_hash(cutout: Image.Image) -> Array:
    """Return a perceptual hash, 240 bits: where brightness rises from one cell to the next.

    The cut-out is laid on grey and squeezed to 16 x 16 cells, so size, shape of the frame and
    colour balance hardly matter. The method is the "dHash" of Krawetz, "Kind of Like That" (2013).
    """
    grey = Image.new("RGBA", cutout.size, (128, 128, 128, 255))
    grey.alpha_composite(cutout)
    cells = np.asarray(grey.convert("L").resize((16, 16), Image.Resampling.BOX), dtype=np.int16)
    return (cells[:, 1:] > cells[:, :-1]).ravel()


def near_duplicates(
    cutouts: dict[str, Image.Image], limit: int = NEAR_DUPLICATE_BITS
) -> list[tuple[int, str, str]]:
    """List the pairs of cut-outs, mirrored or not, whose hashes differ by fewer than `limit` bits.

    Returns (bits that differ, name, name), closest first.
    """
    names = sorted(cutouts)
    plain = {name: difference_hash(cutouts[name]) for name in names}
    mirrored = {
        name: difference_hash(cutouts[name].transpose(Image.Transpose.FLIP_LEFT_RIGHT))
        for name in names
    }
    pairs = []
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            bits = min(
                int((plain[first] != plain[second]).sum()),
                int((plain[first] != mirrored[second]).sum()),
            )
            if bits < limit:
                pairs.append((bits, first, second))
    return sorted(pairs)


# --- the backgrounds -----------------------------------------------------------------------------


def _noise(rng: np.random.Generator, size: int, cells: tuple[int, int], octaves: int) -> Array:
    """Smooth random field in about -1..1: `cells` is (down, across) for the coarsest octave."""
    field = np.zeros((size, size), dtype=np.float32)
    weight, total = 1.0, 0.0
    for octave in range(octaves):
        shape = tuple(min(int(count) * 2**octave, 256) for count in cells)
        grid = rng.standard_normal(shape).astype(np.float32)
        layer = Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC)
        field += weight * np.asarray(layer)
        total += weight**2
        weight *= 0.55
    return np.clip(field / (1.6 * total**0.5), -1.5, 1.5)


def _grid(size: int) -> tuple[Array, Array]:
    """Return the coordinates down and across, both 0..1."""
    line = (np.arange(size, dtype=np.float32) + 0.5) / size
    return line[:, None] * np.ones((1, size), np.float32), line[None, :] * np.ones(
        (size, 1), np.float32
    )


def _colours(rng: np.random.Generator, palettes: tuple[Palette, ...]) -> Array:
    """Pick a palette and shift it a little; returns (colours, 3), values about 0..255."""
    palette = np.array(palettes[rng.integers(len(palettes))], dtype=np.float32)
    return palette * rng.uniform(0.85, 1.12) + rng.normal(0, 4, size=(1, 3)).astype(np.float32)


def _paint(value: Array, colours: Array) -> Array:
    """Map a field in 0..1 to colours, interpolating between them; returns (size, size, 3)."""
    stops = np.linspace(0, 1, len(colours))
    clipped = np.clip(value, 0, 1)
    return np.stack([np.interp(clipped, stops, colours[:, c]) for c in range(3)], axis=-1)


SKIES: tuple[Palette, ...] = (
    ((120, 160, 200), (205, 220, 230)),
    ((150, 165, 180), (215, 215, 212)),
    ((140, 150, 185), (235, 205, 180)),
    ((105, 130, 165), (190, 200, 205)),
)
GROUNDS: tuple[Palette, ...] = (
    ((84, 98, 58), (122, 134, 82), (160, 164, 112)),
    ((150, 128, 96), (186, 164, 128), (212, 196, 164)),
    ((112, 104, 94), (146, 138, 126), (176, 170, 160)),
    ((104, 82, 62), (136, 112, 88), (164, 142, 116)),
    ((176, 184, 190), (206, 212, 216), (228, 231, 232)),
)
STONES: tuple[Palette, ...] = (
    ((112, 112, 110), (148, 147, 143), (184, 182, 176)),
    ((128, 116, 104), (164, 150, 134), (196, 184, 168)),
    ((96, 104, 112), (132, 140, 148), (172, 178, 184)),
    ((150, 124, 108), (182, 156, 138), (206, 186, 170)),
)
WOODS: tuple[Palette, ...] = (
    ((112, 80, 54), (150, 114, 80), (180, 146, 108)),
    ((138, 112, 84), (176, 150, 118), (206, 184, 152)),
    ((92, 76, 64), (124, 106, 92), (150, 134, 120)),
    ((138, 132, 124), (168, 163, 155), (194, 190, 183)),
)
LEAVES: tuple[Palette, ...] = (
    ((44, 62, 38), (88, 108, 62), (150, 162, 102), (200, 204, 160)),
    ((62, 74, 52), (104, 116, 82), (158, 160, 118), (206, 200, 168)),
    ((88, 66, 42), (140, 106, 66), (182, 148, 96), (214, 196, 156)),
    ((52, 66, 76), (88, 108, 116), (140, 158, 160), (196, 206, 204)),
)
FABRICS: tuple[Palette, ...] = (
    ((124, 132, 148), (160, 168, 182)),
    ((160, 146, 128), (194, 182, 164)),
    ((126, 138, 120), (162, 172, 154)),
    ((152, 122, 118), (184, 158, 152)),
    ((176, 172, 166), (208, 205, 199)),
)
WATERS: tuple[Palette, ...] = (
    ((66, 96, 112), (104, 136, 148), (162, 184, 190)),
    ((70, 100, 96), (110, 138, 130), (164, 184, 174)),
    ((88, 104, 128), (128, 144, 166), (182, 192, 204)),
)
WALLS: tuple[Palette, ...] = (
    ((196, 190, 178), (218, 213, 203)),
    ((156, 166, 168), (186, 194, 195)),
    ((170, 176, 156), (196, 201, 184)),
    ((190, 170, 156), (212, 195, 183)),
    ((120, 126, 136), (152, 158, 167)),
)


def _landscape(rng: np.random.Generator, size: int) -> Array:
    """Sky over ground, with a soft line of hills or trees between."""
    down, _ = _grid(size)
    horizon = rng.uniform(0.3, 0.62)
    sky = _colours(rng, SKIES)
    ground = _colours(rng, GROUNDS)
    clouds = _noise(rng, size, (4, 2), 4)
    above = _paint(down / horizon + 0.18 * clouds, sky)
    depth = np.clip((down - horizon) / (1 - horizon), 0, 1)
    near = _noise(rng, size, (18, 9), 4)
    far = _noise(rng, size, (7, 2), 2)
    below = _paint(0.5 + 0.30 * depth * near + 0.22 * far, ground)
    hills = _noise(rng, size, (1, 5), 3)[:1]
    top = horizon - rng.uniform(0.02, 0.12) * (0.8 + hills)
    blend = rng.uniform(0.008, 0.03)
    is_hill = 1 / (1 + np.exp(-np.clip((down - top) / blend, -30, 30)))
    is_ground = 1 / (1 + np.exp(-np.clip((down - horizon) / blend, -30, 30)))
    haze = 0.5 * sky.mean(axis=0) + 0.5 * ground[0]
    hill = haze + 9 * _noise(rng, size, (6, 12), 2)[..., None]
    picture = above * (1 - is_hill[..., None]) + hill * is_hill[..., None]
    return picture * (1 - is_ground[..., None]) + below * is_ground[..., None]


def _stone(rng: np.random.Generator, size: int) -> Array:
    """Stone, concrete or plaster: clouds of tone and fine speckle."""
    coarse = _noise(rng, size, (3, 3), 6)
    speckle = _noise(rng, size, (64, 64), 2)
    return _paint(0.5 + 0.34 * coarse + rng.uniform(0.03, 0.12) * speckle, _colours(rng, STONES))


def _sand(rng: np.random.Generator, size: int) -> Array:
    """Sand or soil, with or without wind ripples."""
    down, across = _grid(size)
    tilt = rng.uniform(-0.7, 0.7)
    bend = _noise(rng, size, (3, 3), 3)
    ripples = np.sin(2 * np.pi * rng.uniform(6, 16) * (down + tilt * across + 0.09 * bend))
    grain = _noise(rng, size, (80, 80), 2)
    value = 0.5 + rng.uniform(0, 0.16) * ripples + 0.2 * bend + 0.13 * grain
    return _paint(value, _colours(rng, GROUNDS))


def _wood(rng: np.random.Generator, size: int) -> Array:
    """Boards with grain, lying across or standing up."""
    down, _ = _grid(size)
    boards = int(rng.integers(2, 6))
    board = np.minimum((down * boards).astype(int), boards - 1)
    tone = rng.normal(0, 0.09, boards)[board]
    shift = rng.uniform(0, 4, boards)[board]
    wave = _noise(rng, size, (6, 2), 3)
    rings = np.sin(2 * np.pi * (rng.uniform(7, 15) * (down + 0.10 * wave) + shift))
    fibre = _noise(rng, size, (90, 5), 2)
    picture = _paint(0.5 + tone + 0.14 * rings + 0.15 * fibre + 0.1 * wave, _colours(rng, WOODS))
    to_gap = np.abs(down * boards - np.round(down * boards)) / boards
    inner = (np.round(down * boards) > 0) & (np.round(down * boards) < boards)
    picture = picture * (1 - 0.5 * inner * np.exp(-((to_gap / 0.006) ** 2)))[..., None]
    return picture.transpose(1, 0, 2) if rng.random() < 0.5 else picture


def _foliage(rng: np.random.Generator, size: int) -> Array:
    """Leaves far out of focus: soft discs of light over a dark, mottled ground."""
    down, across = _grid(size)
    value = 0.38 + 0.25 * _noise(rng, size, (4, 4), 3)
    for _ in range(int(rng.integers(14, 34))):
        radius = rng.uniform(0.025, 0.10)
        distance = np.hypot(down - rng.uniform(0, 1), across - rng.uniform(0, 1))
        edge = np.clip((distance - radius) / (0.22 * radius), -20, 20)
        value += rng.uniform(-0.10, 0.22) / (1 + np.exp(edge))
    return _paint(value, _colours(rng, LEAVES))


def _fabric(rng: np.random.Generator, size: int) -> Array:
    """Woven cloth with soft folds."""
    down, across = _grid(size)
    folds = _noise(rng, size, (2, 3), 3)
    threads = rng.uniform(28, 52)
    weave = np.sin(2 * np.pi * threads * (down + 0.012 * folds)) * np.sin(
        2 * np.pi * threads * (across + 0.012 * folds)
    )
    lint = _noise(rng, size, (48, 48), 2)
    value = 0.5 + 0.36 * folds + rng.uniform(0.05, 0.14) * weave + 0.09 * lint
    return _paint(value, _colours(rng, FABRICS))


def _water(rng: np.random.Generator, size: int) -> Array:
    """Water seen from above at a slant: long, flat ripples."""
    swell = _noise(rng, size, (10, 2), 3)
    ripple = _noise(rng, size, (36, 7), 3)
    return _paint(0.45 + 0.2 * swell + 0.2 * ripple, _colours(rng, WATERS))


def _room(rng: np.random.Generator, size: int) -> Array:
    """A wall and the table in front of it."""
    down, _ = _grid(size)
    wall = _paint(0.5 + 0.3 * _noise(rng, size, (2, 2), 4), _colours(rng, WALLS))
    table = _wood(rng, size) if rng.random() < 0.5 else _stone(rng, size)
    edge = rng.uniform(0.45, 0.75)
    is_table = 1 / (1 + np.exp(-np.clip((down - edge) / rng.uniform(0.003, 0.02), -30, 30)))
    shade = 1 - 0.22 * np.exp(-np.clip((down - edge) / 0.05, 0, 30))
    return wall * (1 - is_table[..., None]) + (table * shade[..., None]) * is_table[..., None]


SCENES: tuple[Callable[[np.random.Generator, int], Array], ...] = (
    _landscape,
    _stone,
    _sand,
    _wood,
    _foliage,
    _fabric,
    _water,
    _room,
)


def background(rng: np.random.Generator, size: int = SIZE) -> Array:
    """Render one background: muted, natural, and drawn without any knowledge of the class.

    Args:
        rng: decides everything; the manifest keeps its seed.
        size: side in pixels. The same seed gives the same scene at any size.

    Returns:
        (size, size, 3) uint8.
    """
    scene = SCENES[rng.integers(len(SCENES))]
    picture = scene(rng, size).astype(np.float32)
    down, across = _grid(size)
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.cos(angle) * (across - 0.5) + np.sin(angle) * (down - 0.5)
    vignette = (across - 0.5) ** 2 + (down - 0.5) ** 2
    light = 1 + rng.uniform(0, 0.28) * slope - rng.uniform(0, 0.35) * vignette
    grey = picture.mean(axis=-1, keepdims=True)
    picture = grey + rng.uniform(0.6, 1.0) * (picture - grey)
    return np.clip(picture * light[..., None], 0, 255).astype(np.uint8)


# --- one image -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pose:
    """How a cut-out is laid on its background; drawn alike for every class."""

    scale: float  # longer side of the cut-out over the side of the frame, before turning
    angle: float  # degrees, anticlockwise
    flip: bool
    place: tuple[float, float]  # 0..1 across and down the room that is left
    detail: int  # the cut-out's longer side is first reduced to at most so many pixels
    quality: int  # of the JPEG file


def draw_pose(rng: np.random.Generator) -> Pose:
    """Draw a pose, without any knowledge of the class.

    `detail` makes large sources as soft as small ones, so that sharpness says less about the class
    (fruit and vegetables come as small pictures).
    """
    return Pose(
        scale=float(rng.uniform(0.48, 0.95)),
        angle=float(np.clip(rng.normal(0, 14), -35, 35)),
        flip=bool(rng.random() < 0.5),
        place=(float(rng.random()), float(rng.random())),
        detail=int(np.exp(rng.uniform(np.log(64), np.log(200)))),
        quality=int(rng.integers(78, 89)),
    )


def _premultiplied(cutout: Image.Image) -> Array:
    """RGBA as float32 0..1 with colour times opacity: resampling then draws no dark fringes."""
    values = np.asarray(cutout, dtype=np.float32) / 255
    return np.concatenate([values[..., :3] * values[..., 3:], values[..., 3:]], axis=-1)


def _each_channel(layers: Array, change: Callable[[Image.Image], Image.Image]) -> Array:
    """Apply a Pillow operation to every channel of a float array (height, width, channels)."""
    channels = [np.asarray(change(Image.fromarray(layers[..., c]))) for c in range(4)]
    return np.clip(np.stack(channels, axis=-1), 0, 1)


def place_cutout(cutout: Image.Image, pose: Pose, size: int = SIZE) -> Array:
    """Scale, flip, turn and place a cut-out; returns (size, size, 4) float32, premultiplied."""
    layers = _premultiplied(cutout)
    if pose.flip:
        layers = layers[:, ::-1]
    height, width = layers.shape[:2]
    longer = max(height, width)
    if longer > pose.detail:
        small = (
            max(1, round(width * pose.detail / longer)),
            max(1, round(height * pose.detail / longer)),
        )
        layers = _each_channel(layers, lambda im: im.resize(small, Image.Resampling.BOX))
    target = 2 * pose.scale * size  # twice too large, halved at the end: smooth edges
    large = (max(1, round(width * target / longer)), max(1, round(height * target / longer)))
    layers = _each_channel(layers, lambda im: im.resize(large, Image.Resampling.BICUBIC))
    layers = _each_channel(
        layers, lambda im: im.rotate(pose.angle, Image.Resampling.BICUBIC, expand=True)
    )
    height, width = layers.shape[:2]
    canvas = np.zeros((2 * size, 2 * size, 4), dtype=np.float32)
    # Up to 6 % of the frame may be lost at either side; a larger cut-out is centred on its excess.
    starts = []
    for length, part in ((width, pose.place[0]), (height, pose.place[1])):
        spare = 2 * size - length
        slack = 0.06 * 2 * size
        low, high = min(-slack, spare + slack), max(-slack, spare + slack)
        if spare < -2 * slack:
            low = high = spare / 2
        starts.append(round(low + part * (high - low)))
    left, top = starts
    seen_x = slice(max(0, left), min(2 * size, left + width))
    seen_y = slice(max(0, top), min(2 * size, top + height))
    canvas[seen_y, seen_x] = layers[
        seen_y.start - top : seen_y.stop - top, seen_x.start - left : seen_x.stop - left
    ]
    return canvas.reshape(size, 2, size, 2, 4).mean(axis=(1, 3))


def _shadow(rng: np.random.Generator, alpha: Array) -> Array:
    """Return the share of light that a soft shadow takes away, (size, size) in 0..1."""
    size = alpha.shape[0]
    mask = Image.fromarray((alpha * 255).astype(np.uint8))
    radius = rng.uniform(3.0, 9.0)
    blurred = np.asarray(mask.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32) / 255
    shift_x, shift_y = int(rng.integers(-7, 8)), int(rng.integers(2, 10))
    moved = np.zeros_like(blurred)
    to_x = slice(max(0, shift_x), min(size, size + shift_x))
    from_x = slice(max(0, -shift_x), min(size, size - shift_x))
    moved[shift_y:, to_x] = blurred[: size - shift_y, from_x]
    return rng.uniform(0.25, 0.55) * moved


def compose(cutout: Image.Image, background_seed: int, pose_seed: int) -> tuple[bytes, Pose]:
    """Make one image. Returns the JPEG file's bytes and the pose that was drawn."""
    scene = background(np.random.default_rng(background_seed)).astype(np.float32) / 255
    rng = np.random.default_rng(pose_seed)
    pose = draw_pose(rng)
    layer = place_cutout(cutout, pose)
    alpha = layer[..., 3:]
    warmth = np.array([1, 0, -1], dtype=np.float32) * rng.normal(0, 0.025)
    colour = layer[..., :3] * (rng.uniform(0.86, 1.12) + warmth)
    shaded = scene * (1 - _shadow(rng, alpha[..., 0]))[..., None]
    picture = shaded * (1 - alpha) + np.minimum(colour, alpha)
    contrast = rng.uniform(0.88, 1.08)
    picture = (picture - 0.5) * contrast + 0.5 + rng.normal(0, 0.02)
    # The same lens and the same grain over object and background tie the two together.
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.0, 0.55)))
    grain = rng.normal(0, rng.uniform(0.5, 2.2), size=(SIZE, SIZE, 1))
    values = np.clip(np.asarray(image, dtype=np.float32) + grain, 0, 255)
    buffer = io.BytesIO()
    Image.fromarray(values.astype(np.uint8)).save(
        buffer, "JPEG", quality=pose.quality, optimize=True
    )
    return buffer.getvalue(), pose


# --- the whole set -------------------------------------------------------------------------------


def plan(sources: Iterable[Source], seed: int = SEED) -> list[dict[str, str | int]]:
    """Decide every image without rendering any: file, class, split, source and its two seeds.

    Within a class and split the sources take turns, so none appears more than once more often
    than another. Background seeds come from a stream of their own and are dealt out at random.
    """
    by_class: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source in sources:
        if source.used:
            by_class[source.split, source.label].append(source.path)
    rows: list[dict[str, str | int]] = []
    for label in CLASSES:
        number = 0
        for split, count in IMAGES_PER_CLASS.items():
            paths = sorted(by_class[split, label])
            for turn in range(count):
                rows.append(
                    {
                        "file": f"{split}/{label}/{label}_{number:03d}.jpg",
                        "class": label,
                        "split": split,
                        "source": paths[turn % len(paths)],
                    }
                )
                number += 1
    background_rng = np.random.default_rng([seed, 1_000])
    background_seeds = background_rng.choice(2**31, size=len(rows), replace=False)
    pose_seeds = np.random.default_rng([seed, 2_000]).choice(2**31, size=len(rows), replace=False)
    for row, background_seed, pose_seed in zip(rows, background_seeds, pose_seeds, strict=True):
        row["background_seed"] = int(background_seed)
        row["pose_seed"] = int(pose_seed)
    return rows


def check_sources(sources: list[Source], cutouts: dict[str, Image.Image]) -> None:
    """Refuse two photographs of one object in different splits.

    Raises:
        ValueError: a group, or a pair that the perceptual hash takes for one object, is divided.
    """
    split_of = {source.path: source.split for source in sources}
    splits_of_group: dict[str, set[str]] = defaultdict(set)
    for source in sources:
        if source.used:
            splits_of_group[source.group].add(source.split)
    divided = [group for group, splits in splits_of_group.items() if len(splits) > 1]
    divided += [
        f"{first} and {second} ({bits} bits apart)"
        for bits, first, second in near_duplicates(cutouts)
        if split_of[first] != split_of[second]
    ]
    if divided:
        raise ValueError("the same object in two splits: " + "; ".join(divided))


def build(
    folder: Path, target: Path, only: Callable[[dict[str, str | int]], bool] | None = None
) -> list[dict[str, str]]:
    """Render the images into `target` and return the manifest's rows.

    Args:
        folder: the package's stamps folder.
        target: where `train/`, `val/`, `test/` go.
        only: keep just the planned images for which this is true (the tests render a handful).
    """
    sources = read_sources()
    by_path = {source.path: source for source in sources if source.used}
    cutouts = {path: open_cutout(folder, source) for path, source in by_path.items()}
    check_sources(sources, cutouts)
    manifest = []
    for row in plan(sources):
        if only is not None and not only(row):
            continue
        data, pose = compose(
            cutouts[str(row["source"])], int(row["background_seed"]), int(row["pose_seed"])
        )
        file = target / str(row["file"])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        manifest.append(
            {key: str(value) for key, value in row.items()}
            | {
                "scale": f"{pose.scale:.3f}",
                "angle": f"{pose.angle:.1f}",
                "flip": str(int(pose.flip)),
                "quality": str(pose.quality),
                "sha256": hashlib.sha256(data).hexdigest(),
            }
        )
    return manifest


def write_manifest(rows: list[dict[str, str]], path: Path) -> None:
    """Write the manifest as CSV with Unix line ends, so that its checksum is the same anywhere."""
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, MANIFEST_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main(arguments: list[str] | None = None) -> int:
    """Build everything; the command line's entry point."""
    parser = argparse.ArgumentParser(description="Build data/stamps from the package's stamps.")
    default = os.environ.get("STAMPS_SOURCE", str(DEBIAN_FOLDER))
    parser.add_argument("folder", nargs="?", type=Path, default=Path(default))
    parser.add_argument("--target", type=Path, default=HERE / "stamps")
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        print(f"No folder {options.folder}: install tuxpaint-stamps-default or name the folder.")
        return 1
    for split in IMAGES_PER_CLASS:
        shutil.rmtree(options.target / split, ignore_errors=True)
    rows = build(options.folder, options.target)
    write_manifest(rows, options.target / "manifest.csv")
    size = sum((options.target / row["file"]).stat().st_size for row in rows)
    print(f"{len(rows)} images, {size / 1e6:.2f} MB, made with Pillow {PIL.__version__}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
