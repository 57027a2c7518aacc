"""EfficientNet-Lite0, the backbone that comes with the course, weights included."""

import os
import string
from collections.abc import Callable
from pathlib import Path
from textwrap import shorten

import keras
import numpy as np
from keras import layers

from helpers.backbones.labels import WeightsProblem, bundled

LITE0_FILE = "efficientnet_lite0_float16.npz"
LITE0_SHA256 = "832f88959802c4399d7988e52ef6a7fced2e9bc1edd3ab48d67b24c1e1af472f"

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

    Feed it RGB images with values in 0..255: its layer `rescaling` scales them. Layers carry
    EfficientNet's names. Without stochastic depth and without its top, whose Dropout is the only
    one, it is deterministic also during `fit`. 4,694,024 parameters, 3,413,024 without the top.

    Args:
        include_top: keep the classifier (`avg_pool`, `top_dropout`, `predictions`).
        weights: "imagenet" (bundled, checked against its SHA-256), None (random), or the path of
            a file: `.weights.h5` as Keras saves it, or `.npz` as bundled.
        input_shape: (height, width, 3), sides of at least 32 pixels or None for "any size".
        input_tensor: a Keras tensor to build on, instead of a new input.
        pooling: without the top, what follows `top_act`: None (output (rows, columns, 1280);
            7 x 7 at 224 pixels), "avg" or "max" (output (1280,)).
        classes: number of outputs of the top; 1000 with weights="imagenet".
        classifier_activation: "softmax", or None for logits.
        name: the model's name.

    Raises:
        ValueError: arguments that do not go together.
        WeightsProblem: the weights file is missing, damaged or does not fit.

    Source: M. Tan and Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural
    Networks", ICML 2019 (arXiv:1905.11946); the Lite variants (ReLU6, stem and head not scaled):
    R. Liu, "Higher accuracy on vision models with EfficientNet-Lite", TensorFlow blog, March 2020.
    """
    if include_top and weights == "imagenet" and classes != 1000:
        raise ValueError(
            f'weights="imagenet" with include_top=True has exactly 1000 classes, not {classes}: '
            "use include_top=False and put your own head on, or weights=None."
        )
    if pooling not in (None, "avg", "max"):
        raise ValueError(f'pooling is None, "avg" or "max", not {pooling!r}.')
    image = layers.Input(input_shape or (224, 224, 3)) if input_tensor is None else input_tensor
    shape = image.shape[1:]
    if len(shape) != 3 or shape[2] != 3 or any(s is not None and s < 32 for s in shape[:2]):
        raise ValueError(
            f"input_shape is (height, width, 3) with sides of at least 32 pixels, not {shape}."
        )
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescaling")(image)  # (x - 127) / 128
    x = _conv(x, "stem", 3, stride=2, filters=32)
    for number, (kernel, repeats, filters, expansion, stride) in enumerate(LITE0_STAGES, 1):
        for repeat in range(repeats):
            prefix = f"block{number}{string.ascii_lowercase[repeat]}"
            x = _block(x, prefix, kernel, filters, expansion, 1 if repeat else stride)
    x = _conv(x, "top", 1, filters=1280, activation="act")
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
        # Without the layers that come before `input_tensor`: the file knows nothing of those.
        _load(model if input_tensor is None else keras.Model(input_tensor, x), weights)
    return model


def _block(x, prefix: str, kernel: int, filters: int, expansion: int, stride: int):
    """Inverted residual block: expand, depthwise convolution, project; add where shapes allow."""
    inputs, channels = x, x.shape[-1]
    if expansion != 1:
        x = _conv(x, f"{prefix}_expand", 1, filters=channels * expansion)
    x = _conv(x, prefix, kernel, stride)
    x = _conv(x, f"{prefix}_project", 1, filters=filters, activation="")  # linear
    return layers.Add(name=f"{prefix}_add")([x, inputs]) if x.shape == inputs.shape else x


def _conv(x, prefix: str, kernel: int, stride=1, filters=0, activation="activation"):
    """Convolution (depthwise without `filters`), BatchNormalization, ReLU6 if it has a name."""
    # "same" is what the weights were trained with: at stride 2 it pads one pixel more at the
    # bottom and right, so a symmetric padding would shift every feature map. No bias: the
    # BatchNormalization that follows has one.
    how = {"strides": stride, "padding": "same", "use_bias": False}
    if filters:
        x = layers.Conv2D(filters, kernel, name=f"{prefix}_conv", **how)(x)
    else:
        x = layers.DepthwiseConv2D(kernel, name=f"{prefix}_dwconv", **how)(x)
    x = layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=f"{prefix}_bn")(x)
    return layers.Activation("relu6", name=f"{prefix}_{activation}")(x) if activation else x


def _load(model: keras.Model, weights: str | os.PathLike) -> None:
    """Put the bundled weights, or those of a file, into `model` (in place)."""
    path = bundled(LITE0_FILE, LITE0_SHA256) if weights == "imagenet" else Path(weights)
    if not path.is_file():
        raise WeightsProblem(
            f'No weights file {path}: give "imagenet", None or the path of a file that exists.'
        )
    try:
        if path.suffix != ".npz":
            return model.load_weights(path)
        with np.load(path) as file:
            arrays = dict(file)
    except Exception as problem:  # of many types, by what is wrong with it
        raise WeightsProblem(
            f"{path} is damaged or does not fit this model: copy it again, or build the model with "
            "the arguments that it had when its weights were saved. Its reader says: "
            f"{shorten(str(problem), 300)}"
        ) from problem
    for layer in model.layers:
        for variable in layer.weights:
            key = f"{layer.name}/{variable.name}"
            if key not in arrays or arrays[key].shape != tuple(variable.shape):
                raise WeightsProblem(f"{path} does not fit this model at {key}.")
            variable.assign(arrays[key].astype("float32"))
