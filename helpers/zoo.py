"""Eight families of backbones: what they are, what they cost, and which one fits a budget.

The published figures carry their sources. What a network costs is counted from its layers
(`multiply_adds`) and measured where you are (`best_seconds`); tests/test_zoo.py holds the count
against the published figures, network by network.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import keras
from keras import layers

from helpers.backbones import EfficientNetLite0

KERAS_TABLE = "https://keras.io/api/applications/ (table; unrounded counts in its version of 2020)"
TORCHVISION = "github.com/pytorch/vision, torchvision/models ({}, entry of the weights)"


@dataclass(frozen=True)
class Published:
    """A published figure, its source, and what has to be known to compare it."""

    value: float
    source: str
    note: str = ""


@dataclass(frozen=True)
class Family:
    """A backbone of the zoo, with its published figures for the whole 1000-class network."""

    year: int
    idea: str
    paper: str
    size: int
    """Side in pixels of the images that are counted and timed. Some were trained at other sizes
    (EfficientNetV2B0 at up to 192), and `top1` may be for another size."""
    top: tuple[int, ...]
    """Widths of the classifier: what comes in, the hidden layers, 1000 classes."""
    multiply_adds: Published
    """Multiply-adds for one image."""
    parameters: Published
    moving_statistics: bool
    """Whether `parameters` counts BatchNorm's moving statistics, as Keras does."""
    top1: Published
    """Share of ImageNet's validation images whose class is named first, 0..1."""


FAMILIES = {
    "VGG16": Family(
        2014,
        "nothing but 3 x 3 convolutions, one after the other",
        "Simonyan and Zisserman, arXiv:1409.1556",
        224,
        (25_088, 4_096, 4_096, 1_000),
        Published(15.47e9, TORCHVISION.format("vgg.py")),
        Published(138_357_544, KERAS_TABLE),
        True,
        Published(0.713, KERAS_TABLE),
    ),
    "InceptionV3": Family(
        2015,
        "several kernel sizes side by side, large ones taken apart into small ones",
        "Szegedy et al., arXiv:1512.00567",
        299,
        (2_048, 1_000),
        Published(5.713e9, TORCHVISION.format("inception.py"), "the paper rounds to 5 billion"),
        Published(23_851_784, KERAS_TABLE),
        True,
        Published(0.779, KERAS_TABLE),
    ),
    "ResNet50V2": Family(
        2016,
        "every block adds a correction to what it was given, so deep networks train",
        "He et al., arXiv:1603.05027",
        224,
        (2_048, 1_000),
        Published(
            6.969e9 / 2 + 2_048 * 1_000,
            "github.com/google-research/receptive_field, RECEPTIVE_FIELD_TABLE.md, resnet_v2_50",
            "6.969 billion operations of the base, two to a multiply-add, plus the classifier. "
            "Keras has the strides of TF-Slim's resnet_v2_50, at the end of a stage; the often "
            "quoted 4.1 billion belong to networks that stride at its beginning.",
        ),
        Published(25_613_800, KERAS_TABLE),
        True,
        Published(0.760, KERAS_TABLE),
    ),
    "MobileNetV2": Family(
        2018,
        "a convolution a channel, between a widening and a narrowing 1 x 1 convolution",
        "Sandler et al., arXiv:1801.04381",
        224,
        (1_280, 1_000),
        Published(300e6, "documentation of keras.applications.MobileNetV2 (table)"),
        Published(3_538_984, KERAS_TABLE),
        True,
        Published(0.713, KERAS_TABLE),
    ),
    "MobileNetV3Large": Family(
        2019,
        "blocks found by a search for speed on a phone, with channels that are weighed",
        "Howard et al., arXiv:1905.02244",
        224,
        (960, 1_280, 1_000),
        Published(
            217e6,
            "documentation of keras.applications.MobileNetV3Large (table)",
            "the paper says 219 million, 1.1 % more; torchvision says 217 million too",
        ),
        Published(5_483_032, TORCHVISION.format("mobilenetv3.py")),
        False,
        Published(0.756, "documentation of keras.applications.MobileNetV3Large (table)"),
    ),
    "EfficientNetB0": Family(
        2019,
        "MobileNet's block, with depth, width and image size in a searched proportion",
        "Tan and Le, arXiv:1905.11946",
        224,
        (1_280, 1_000),
        Published(
            386e6,
            TORCHVISION.format("efficientnet.py"),
            "the paper rounds to 0.39 billion, which is 1.1 % more",
        ),
        Published(5_330_571, KERAS_TABLE),
        True,
        Published(0.771, KERAS_TABLE),
    ),
    "EfficientNetLite0": Family(
        2020,
        "EfficientNetB0 without what phones do slowly: no weighing of channels, ReLU6",
        "R. Liu, TensorFlow blog, March 2020",
        224,
        (1_280, 1_000),
        Published(
            385e6,
            "github.com/d-li14/efficientnet-lite.pytorch, README",
            "the announcement says 407 million (github.com/tensorflow/tpu, efficientnet/lite). "
            "Convolutions and classifier have no more than 385: the other 22 are some three for "
            "each of the 6.7 million outputs of BatchNorm, so its authors probably counted "
            "normalisation and activation too; Lite1 to Lite4 differ in the same way.",
        ),
        Published(4.7e6, "github.com/tensorflow/tpu, models/official/efficientnet/lite"),
        True,
        Published(0.751, "github.com/tensorflow/tpu, models/official/efficientnet/lite"),
    ),
    "EfficientNetV2B0": Family(
        2021,
        "full convolutions again in the early blocks, where they are faster",
        "Tan and Le, arXiv:2104.00298",
        224,
        (1_280, 1_000),
        Published(0.72e9, "github.com/google/automl, efficientnetv2/README.md"),
        Published(7.2e6, KERAS_TABLE),
        True,
        Published(0.787, KERAS_TABLE),
    ),
}
"""The zoo, oldest first."""


def builder(name: str) -> Callable[..., keras.Model]:
    """Return the function that builds a backbone: Keras's own, or the bundled EfficientNetLite0.

    Raises:
        KeyError: The zoo has no such backbone; the message names those it has.
    """
    if name not in FAMILIES:
        raise KeyError(f"the zoo has no {name!r}; it has {', '.join(FAMILIES)}")
    if name == "EfficientNetLite0":
        return EfficientNetLite0
    return getattr(keras.applications, name)


# --- Counting ----------------------------------------------------------------------------------


def multiply_adds(model: keras.Model) -> int:
    """Count a network's multiply-adds for one image, from its layers.

    Counted are convolutions (ordinary, grouped, depthwise, separable) and Dense layers, where
    nearly all the work is; not biases, normalisation, activation, pooling and additions. Papers
    call the same number "FLOPs", "MAdds" or "MACs"; some count two operations to each.

    Args:
        model: A functional or Sequential model with a known image size. A layer that is used
            twice counts twice, and models inside the model are counted through.

    Returns:
        Multiply-adds for a batch of one.

    Raises:
        ValueError: The image size is open, the model is no graph of layers, or a layer has a
            matrix of weights and is of none of the kinds above.
    """
    return sum(_cost(operation, outputs) for operation, outputs in _calls(model))


def top_cost(widths: Iterable[int]) -> tuple[int, int]:
    """Multiply-adds and parameters of a chain of Dense layers with biases.

    Args:
        widths: What comes in, then the width of each layer, e.g. ``(1280, 1000)``.
    """
    steps = list(pairwise(widths))
    return sum(a * b for a, b in steps), sum(a * b + b for a, b in steps)


def _calls(model: keras.Model) -> Iterator[tuple[Any, tuple]]:
    """Every use of a layer in a model, models inside taken apart: (layer, its output's shape)."""
    graph = getattr(model, "_functional", None) or model  # a Sequential keeps one inside
    if not hasattr(graph, "_nodes_by_depth"):
        raise ValueError(f"{model.name} is no graph of layers: call it on a keras.Input first")
    for nodes in graph._nodes_by_depth.values():
        for node in nodes:
            if not node.arguments.keras_tensors:
                continue  # the input itself
            inside = node.operation
            if not isinstance(inside, keras.Model):
                yield inside, tuple(node.outputs[0].shape)
                continue
            given = [tuple(tensor.shape[1:]) for tensor in node.arguments.keras_tensors]
            if given != [tuple(tensor.shape[1:]) for tensor in inside.inputs]:
                fresh = [keras.Input(shape) for shape in given]  # built for another image size
                fresh = keras.tree.pack_sequence_as(inside.input, fresh)
                inside = keras.models.clone_model(inside, input_tensors=fresh)
            yield from _calls(inside)


def _cost(layer: Any, outputs: tuple) -> int:
    """Multiply-adds of one use of a layer whose output has this shape (batch first)."""
    known = layers.Conv2D | layers.DepthwiseConv2D | layers.SeparableConv2D | layers.Dense
    if not isinstance(layer, known):
        if any(len(weight.shape) > 1 for weight in getattr(layer, "weights", ())):
            raise ValueError(f"no rule to count {type(layer).__name__} ({layer.name})")
        return 0
    first = getattr(layer, "data_format", "channels_last") == "channels_first"
    places = outputs[2:] if first else outputs[1:-1]
    if None in places:
        raise ValueError(
            f"{layer.name} has outputs of open size {outputs}: build the model with a fixed "
            "input_shape, because the work grows with the image"
        )
    if isinstance(layer, layers.SeparableConv2D):
        kernels = (layer.depthwise_kernel, layer.pointwise_kernel)
    else:
        kernels = (layer.kernel,)
    # A kernel's weights are used once at each place of the output. Its shape is that of one
    # group, (height, width, inputs of the group, outputs): grouping is in it already.
    return math.prod(places) * sum(math.prod(kernel.shape) for kernel in kernels)


# --- Measuring ---------------------------------------------------------------------------------


def best_seconds(
    function: Callable[[Any], Any], argument: Any, passes: int = 2, at_least: float = 0.5
) -> float:
    """Time a function: one call to warm up, then the quickest of some more.

    The quickest, because whatever else a computer does can only make a call slower.

    Args:
        function: Called with `argument`; its result must be ready when it returns.
        argument: A batch of images, say.
        passes: Timed calls, or more: a quick function is called again until
        at_least: so many seconds have been timed. A few calls of some milliseconds could all
            fall into a moment in which the computer was busy.

    Returns:
        Seconds of one call.
    """
    function(argument)
    seconds: list[float] = []
    while len(seconds) < passes or sum(seconds) < at_least:
        began = time.perf_counter()
        function(argument)
        seconds.append(time.perf_counter() - began)
    return min(seconds)


# --- Choosing ----------------------------------------------------------------------------------


class Candidate(NamedTuple):
    """A backbone as measured here."""

    name: str
    milliseconds: float
    """For one image."""
    megabytes: float
    """Of its weights, without the top."""
    top1: float
    """Published share of ImageNet named right, 0..1."""


class Ranked(NamedTuple):
    """A candidate in its place, and why it is there."""

    name: str
    fits: bool
    reason: str


def rank(
    candidates: Iterable[Candidate],
    *,
    milliseconds: float = math.inf,
    megabytes: float = math.inf,
    images: int,
) -> list[Ranked]:
    """Order backbones for a budget, the one to try first in front.

    Those that keep within both budgets come first. Among them, published accuracy decides as far
    as your images could tell: backbones closer to the best than `resolution(images)` count as
    equally good, and the quicker one is in front. It knows no more than these numbers: whether
    your images are like ImageNet's, and what fine-tuning would bring, you have to try.

    Args:
        candidates: Measured where the model will run.
        milliseconds: Budget for one image.
        megabytes: Budget for the weights.
        images: How many labelled images you have, all splits together.

    Returns:
        All candidates, with reasons.

    Raises:
        ValueError: `images` is not positive.
    """
    candidates = list(candidates)
    fitting = [c for c in candidates if c.milliseconds <= milliseconds and c.megabytes <= megabytes]
    best = max((c.top1 for c in fitting), default=0.0)
    apart = resolution(images)
    tied = sorted((c for c in fitting if best - c.top1 <= apart), key=lambda c: c.milliseconds)
    lower = sorted((c for c in fitting if best - c.top1 > apart), key=lambda c: -c.top1)
    over = sorted((c for c in candidates if c not in fitting), key=lambda c: -c.top1)
    rows = [Ranked(c.name, True, "as good as your images can tell") for c in tied]
    rows += [Ranked(c.name, True, f"{100 * (best - c.top1):.1f} points lower") for c in lower]
    for c in over:
        slow, large = c.milliseconds > milliseconds, c.megabytes > megabytes
        reason = "too slow and too large" if slow and large else "too slow" if slow else "too large"
        rows.append(Ranked(c.name, False, reason))
    return rows


def resolution(images: int, held_out_share: float = 0.2, accuracy: float = 0.75) -> float:
    """Return the difference in accuracy that a held-out split can just resolve, as a share.

    Two models, each right with probability p on n held-out images, differ by luck alone with a
    standard deviation of sqrt(2 p (1 - p) / n); twice that is a difference to take seriously.
    That is for models whose mistakes have nothing to do with each other. On the same images two
    models mostly fail on the same ones, and then less is enough: compare them image by image.

    Args:
        images: Labelled images, all splits together.
        held_out_share: Share of them that is held out for the comparison.
        accuracy: p, somewhere near what you expect.

    Raises:
        ValueError: `images` is not positive.
    """
    if images < 1:
        raise ValueError(f"images must be at least 1, not {images}")
    return 2 * math.sqrt(2 * accuracy * (1 - accuracy) / (held_out_share * images))
