"""Where pretrained backbones and their weights come from, with or without a network.

`EfficientNetLite0` is bundled with the course (weights included) and needs no network.
`weights_for` and `preprocessing_for` answer, for the official `keras.applications` models,
"can I have the ImageNet weights here and now?" and "what does this family want as input?".
The lessons call Keras themselves: this module only finds files and checks them.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import shutil
import string
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import keras
import numpy as np
from keras import layers

WEIGHTS_DIR = Path(__file__).resolve().parents[1] / "data" / "weights"
LITE0_FILE = "efficientnet_lite0_float16.npz"
LITE0_SHA256 = "832f88959802c4399d7988e52ef6a7fced2e9bc1edd3ab48d67b24c1e1af472f"
LABELS_FILE = "imagenet_classes.txt"


class WeightsProblem(RuntimeError):
    """A weights file is missing or is not the file it should be; the message says what to do."""


# --- EfficientNet-Lite0 ---------------------------------------------------------------------

# One row a stage: kernel size, repeats, filters, expansion, stride of the first block.
# (Tan & Le, 2019, table 1; the Lite variant drops squeeze-and-excitation, not the stages.)
LITE0_STAGES = (
    (3, 1, 16, 1, 1),
    (3, 2, 24, 6, 2),
    (5, 2, 40, 6, 2),
    (3, 3, 80, 6, 2),
    (5, 3, 112, 6, 1),
    (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
)
HE_NORMAL = keras.initializers.VarianceScaling(2.0, "fan_out", "truncated_normal")


def EfficientNetLite0(
    include_top: bool = True,
    weights: str | os.PathLike | None = "imagenet",
    input_shape: tuple[int | None, int | None, int] | None = None,
    input_tensor: keras.KerasTensor | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | Callable | None = "softmax",
    name: str = "efficientnet_lite0",
) -> keras.Model:
    """EfficientNet-Lite0 as a Keras functional model, called like the `keras.applications`.

    Feed it RGB images with values in 0..255: the model rescales them itself, in its layer
    `rescaling`. Layers carry EfficientNet's names (`stem_conv`, `block1a_dwconv`,
    `block2b_add`, ..., `top_conv`, `top_bn`, `top_act`). There is no stochastic depth
    (drop-connect): it only acts in training, and without it the model without its top is
    deterministic also during `fit`. The one Dropout, `top_dropout`, belongs to the top.

    Args:
        include_top: keep the classifier (`avg_pool`, `top_dropout`, `predictions`).
        weights: "imagenet" (bundled, checked against its SHA-256), None (random), or the
            path of a file: `.weights.h5` as Keras saves it, or `.npz` as bundled.
        input_shape: (height, width, 3), each side at least 32 pixels or None for "any size";
            default (224, 224, 3).
        input_tensor: a Keras tensor to build on, instead of a new input.
        pooling: without the top, what follows `top_act`: None (output (rows, columns, 1280);
            7 x 7 at 224 pixels), "avg" or "max" (output (1280,)).
        classes: number of outputs of the top; 1000 with weights="imagenet".
        classifier_activation: "softmax", or None for logits.
        name: the model's name.

    Returns:
        A `keras.Model`; 4,694,024 parameters with its 1000-class top, 3,413,024 without.

    Raises:
        ValueError: arguments that do not go together.
        WeightsProblem: the weights file is missing, altered or does not fit.

    Source: M. Tan and Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional
    Neural Networks", ICML 2019 (arXiv:1905.11946); the Lite variants (ReLU6, no
    squeeze-and-excitation, stem and head not scaled) were announced by R. Liu, "Higher
    accuracy on vision models with EfficientNet-Lite", TensorFlow blog, March 2020.
    """
    if include_top and weights == "imagenet" and classes != 1000:
        raise ValueError(
            f'weights="imagenet" with include_top=True has exactly 1000 classes, not {classes}: '
            "use include_top=False and put your own head on, or weights=None."
        )
    if pooling not in (None, "avg", "max"):
        raise ValueError(f'pooling is None, "avg" or "max", not {pooling!r}.')
    if input_tensor is None:
        image = layers.Input(_checked_shape(input_shape))
    else:
        _checked_shape(tuple(input_tensor.shape[1:]))
        image = input_tensor

    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescaling")(image)  # (x - 127) / 128
    x = _conv_bn(x, "stem", layers.Conv2D(32, 3, strides=2, **_conv_arguments("stem_conv")))
    for number, (kernel, repeats, filters, expansion, stride) in enumerate(LITE0_STAGES, 1):
        for repeat in range(repeats):
            prefix = f"block{number}{string.ascii_lowercase[repeat]}"
            x = _block(x, prefix, kernel, filters, expansion, 1 if repeat else stride)
    x = _conv_bn(x, "top", layers.Conv2D(1280, 1, **_conv_arguments("top_conv")), "act")

    if include_top or pooling == "avg":
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    elif pooling == "max":
        x = layers.GlobalMaxPooling2D(name="max_pool")(x)
    if include_top:
        x = layers.Dropout(0.2, name="top_dropout")(x)
        x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)

    inputs = image if input_tensor is None else keras.utils.get_source_inputs(input_tensor)
    model = keras.Model(inputs, x, name=name)
    if weights is not None:
        _load_lite0(model, weights)
    return model


def _checked_shape(shape: tuple | None) -> tuple:
    shape = (224, 224, 3) if shape is None else tuple(shape)
    if len(shape) != 3 or shape[2] != 3 or any(s is not None and s < 32 for s in shape[:2]):
        raise ValueError(
            f"input_shape is (height, width, 3) with sides of at least 32 pixels, not {shape}."
        )
    return shape


def _conv_arguments(name: str) -> dict:
    # "same" is what the weights were trained with: at stride 2 it pads one pixel more at the
    # bottom and right, so a symmetric padding would shift every feature map. No bias: the
    # BatchNormalization that follows has one.
    return {"padding": "same", "use_bias": False, "name": name}


def _conv_bn(x, prefix: str, conv: layers.Layer, activation: str | None = "activation"):
    x = conv(x)
    x = layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=f"{prefix}_bn")(x)
    return layers.Activation("relu6", name=f"{prefix}_{activation}")(x) if activation else x


def _block(x, prefix: str, kernel: int, filters: int, expansion: int, stride: int):
    """Inverted residual block: expand, depthwise convolution, project; add where shapes allow."""
    inputs, channels = x, x.shape[-1]
    if expansion != 1:
        name = f"{prefix}_expand"
        conv = layers.Conv2D(channels * expansion, 1, **_conv_arguments(f"{name}_conv"))
        x = _conv_bn(x, name, conv)
    depthwise = layers.DepthwiseConv2D(kernel, stride, **_conv_arguments(f"{prefix}_dwconv"))
    x = _conv_bn(x, prefix, depthwise)
    name = f"{prefix}_project"  # linear: no activation after the projection
    x = _conv_bn(x, name, layers.Conv2D(filters, 1, **_conv_arguments(f"{name}_conv")), None)
    if stride == 1 and channels == filters:
        x = layers.Add(name=f"{prefix}_add")([x, inputs])
    return x


def _load_lite0(model: keras.Model, weights: str | os.PathLike) -> None:
    """Put the bundled weights, or those of a file, into `model` (in place)."""
    if weights == "imagenet":
        content = _checked_bytes(WEIGHTS_DIR / LITE0_FILE, LITE0_SHA256)
    elif not Path(weights).is_file():
        raise WeightsProblem(
            f'No weights file {weights}: give "imagenet", None or the path of a file that exists.'
        )
    elif Path(weights).suffix != ".npz":
        return model.load_weights(weights)
    else:
        content = Path(weights).read_bytes()
    with np.load(io.BytesIO(content)) as arrays:
        for layer in model.layers:
            for variable in layer.weights:
                key = f"{layer.name}/{variable.name}"
                if key not in arrays or arrays[key].shape != tuple(variable.shape):
                    raise WeightsProblem(f"{weights} does not fit this model at {key}.")
                variable.assign(arrays[key].astype("float32"))


def _checked_bytes(path: Path, sha256: str) -> bytes:
    """The content of a bundled file, or WeightsProblem if it is missing or altered."""
    way_out = (
        f"Get it back with `git checkout -- data/weights/{path.name}`, or clone the course again."
    )
    if not path.is_file():
        raise WeightsProblem(f"The bundled file {path} is missing. {way_out}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise WeightsProblem(
            f"The bundled file {path} is altered or incomplete: expected SHA-256 "
            f"{sha256[:12]}..., found {found[:12]}... {way_out}"
        )
    return content
