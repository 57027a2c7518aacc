"""Where pretrained backbones and their weights come from, with or without a network.

`EfficientNetLite0` is bundled with the course (weights included) and needs no network.
`weights_for` and `preprocessing_for` answer, for the official `keras.applications` models,
"can I have the ImageNet weights here and now?" and "what does this family want as input?".
The lessons call Keras themselves: this module only finds files and checks them.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import os
import re
import shutil
import string
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from textwrap import shorten
from typing import NamedTuple

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
        WeightsProblem: the weights file is missing, damaged or does not fit.

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
        # Without the layers that come before `input_tensor`: the file knows nothing of those.
        _load_lite0(model if input_tensor is None else keras.Model(input_tensor, x), weights)
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
        return _load_saved(model, weights)
    else:
        content = Path(weights).read_bytes()
    arrays = _arrays(content, weights)
    for layer in model.layers:
        for variable in layer.weights:
            key = f"{layer.name}/{variable.name}"
            if key not in arrays or arrays[key].shape != tuple(variable.shape):
                raise WeightsProblem(f"{weights} does not fit this model at {key}.")
            variable.assign(arrays[key].astype("float32"))


def _load_saved(model: keras.Model, path: str | os.PathLike) -> None:
    """Load a file that Keras has saved, or say that it cannot be loaded."""
    try:
        model.load_weights(path)
    except Exception as problem:  # of many types, by what is wrong with it
        raise WeightsProblem(
            f"{path} is damaged or does not fit this model: copy it again, or build the model with "
            "the arguments that it had when its weights were saved. Keras says: "
            f"{shorten(str(problem), 300)}"
        ) from problem


def _arrays(content: bytes, name: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file by name, or WeightsProblem if it cannot be read."""
    try:
        with np.load(io.BytesIO(content)) as arrays:
            return dict(arrays)
    except Exception as problem:  # of many types, by where the damage is
        raise WeightsProblem(
            f"{name} is damaged or no .npz file ({problem}): copy it again."
        ) from problem


def _checked_bytes(path: Path, sha256: str) -> bytes:
    """The content of a bundled file, or WeightsProblem if it is missing or altered."""
    if not path.is_file():
        raise WeightsProblem(f"The bundled file {path} is missing. {_way_out(path)}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise WeightsProblem(
            f"The bundled file {path} is altered or incomplete: expected SHA-256 "
            f"{sha256[:12]}..., found {found[:12]}... {_way_out(path)}"
        )
    return content


def _way_out(path: Path) -> str:
    return (
        f"Get it back with `git checkout -- data/weights/{path.name}`, or clone the course again."
    )


# --- ImageNet's class names -----------------------------------------------------------------


@functools.cache
def _labels() -> tuple[str, ...]:
    path = WEIGHTS_DIR / LABELS_FILE
    if not path.is_file():
        raise WeightsProblem(f"The bundled file {path} is missing. {_way_out(path)}")
    return tuple(path.read_text(encoding="utf-8").splitlines())


def imagenet_labels() -> list[str]:
    """The readable names of ImageNet's 1000 classes, in the order of the models' outputs.

    Raises WeightsProblem if the bundled list is missing. Unlike
    `keras.applications.imagenet_utils.decode_predictions`, nothing is downloaded.
    """
    return list(_labels())


def decode_predictions(probabilities: np.ndarray, top: int = 5) -> list[list[tuple[str, float]]]:
    """The `top` most probable ImageNet classes of each image, most probable first.

    Args:
        probabilities: (images, 1000), each row in 0..1 (the output of an ImageNet top).
        top: how many classes an image, 1 to 1000.

    Returns:
        For each image a list of (label, probability).

    Raises:
        ValueError: `probabilities` has another shape.
    """
    probabilities = np.asarray(probabilities)
    if probabilities.ndim != 2 or probabilities.shape[1] != 1000:
        raise ValueError(
            f"probabilities have the shape (images, 1000), not {probabilities.shape}: "
            "these names belong to the 1000 classes of an ImageNet top."
        )
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    return [
        [(_labels()[i], float(row[i])) for i in order]
        for row, order in zip(probabilities, best, strict=True)
    ]


# --- The official Keras models --------------------------------------------------------------

# Model -> its module in keras.applications and the input values that it wants.
_BUILT_IN, _UNIT, _BGR = (
    "0..255, rescaled inside the model",
    "[-1, 1]",
    "BGR minus the ImageNet mean",
)
INPUTS = {
    "EfficientNetLite0": ("efficientnet", _BUILT_IN),  # not in Keras; treated as its family
    "EfficientNetB0": ("efficientnet", _BUILT_IN),
    "EfficientNetV2B0": ("efficientnet_v2", _BUILT_IN),
    "InceptionV3": ("inception_v3", _UNIT),
    "MobileNetV2": ("mobilenet_v2", _UNIT),
    "MobileNetV3Large": ("mobilenet_v3", _BUILT_IN),
    "MobileNetV3Small": ("mobilenet_v3", _BUILT_IN),
    "ResNet50": ("resnet", _BGR),
    "ResNet50V2": ("resnet_v2", _UNIT),
    "VGG16": ("vgg16", _BGR),
    "Xception": ("xception", _UNIT),
}
# Model -> the file without its top, and the MD5 that Keras checks (none for MobileNetV2). Keras
# tells neither without downloading; a test holds this table against the installed Keras.
_TF, _V3 = "weights_tf_dim_ordering_tf_kernels", "weights_mobilenet_v3"
_V3_END = "224_1.0_float_no_top_v2.h5"
FILES = {
    "EfficientNetB0": ("efficientnetb0_notop.h5", "50bc09e76180e00e4465e1a485ddc09d"),
    "EfficientNetV2B0": ("efficientnetv2-b0_notop.h5", "893217f2bb855e2983157299931e43ff"),
    "InceptionV3": (f"inception_v3_{_TF}_notop.h5", "bcbd6486424b2319ff4ef7d526e38f63"),
    "MobileNetV2": (f"mobilenet_v2_{_TF}_1.0_224_no_top.h5", ""),
    "MobileNetV3Large": (f"{_V3}_large_{_V3_END}", "07fb09a5933dd0c8eaafa16978110389"),
    "MobileNetV3Small": (f"{_V3}_small_{_V3_END}", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "ResNet50": (f"resnet50_{_TF}_notop.h5", "4d473c1dd8becc155b73f8504c6f6626"),
    "ResNet50V2": (f"resnet50v2_{_TF}_notop.h5", "fac2f116257151a9d068a22e544a4917"),
    "VGG16": (f"vgg16_{_TF}_notop.h5", "6d6bbae143d832006294945121d1f1fc"),
    "Xception": (f"xception_{_TF}_notop.h5", "b0042744bf5b25fce3cb969f33bebb97"),
}
# Given a path, Keras builds EfficientNetB0 without a Rescaling layer that its weights need: it only
# adds it for "imagenet". Its file with the top has to be recognised, too; this is that one's MD5.
B0_TOP_MD5 = "902e53a9f72be733fc0bcb005b3ebbac"


class Preprocessing(NamedTuple):
    """What a backbone wants as input: the range in words, and Keras's function that makes it.

    `function` takes RGB values in 0..255; given a float NumPy array, Keras's functions for the
    [-1, 1] and BGR families change that array in place.
    """

    range: str
    function: Callable


def preprocessing_for(name: str) -> Preprocessing:
    """The input that the backbone `name` wants; ValueError if the course does not know it."""
    _check_known(name)
    module, values = INPUTS[name]
    return Preprocessing(values, getattr(keras.applications, module).preprocess_input)


def weights_for(
    name: str, include_top: bool = False, size: int = 224, download: bool = True
) -> str | None:
    """What to pass as `weights=` to `keras.applications.<name>`, here and now.

    Looks, in this order, into Keras's cache, into `data/weights/` (an instructor's USB stick;
    Keras's own file name, or `<name>_notop.weights.h5`, `<name>_notop.h5`, with the top
    `<name>.weights.h5`, `<name>.h5`) and whether the server answers. Takes under three seconds.
    A damaged file counts as absent: in the cache when its MD5 is not the one Keras checks (with
    the top, of all but EfficientNetB0: when it does not open), in `data/weights/` when it does
    not open as HDF5. EfficientNetB0's official file is copied from there into the cache.

    Args:
        name: a model in `keras.applications`, or "EfficientNetLite0" (always "imagenet").
        include_top: whether the model will have its 1000-class top.
        size: side of the input in pixels; only MobileNetV2 has a file a size.
        download: False looks only for what is on this computer already, and says nothing if there
            is nothing.

    Returns:
        "imagenet", the path of a file, or None after one printed sentence that says what this
        means. COURSE_OFFLINE=1 in the environment skips asking the server.

    Raises:
        ValueError: a model the course does not know; the message names those it does.
    """
    _check_known(name)
    if name == "EfficientNetLite0":
        return "imagenet"
    file, md5 = FILES[name]
    if include_top:  # left to Keras, which checks these (up to half a gigabyte) when it loads them
        md5 = B0_TOP_MD5 if name == "EfficientNetB0" else ""
        file = re.sub(r"_no_?top(_v2)?", "", file)
    if name == "MobileNetV2" and size in (96, 128, 160, 192):  # as Keras chooses
        file = file.replace("_224", f"_{size}")
    cached = _keras_cache() / file
    if cached.is_file() and _is_keras_file(cached, md5):
        return "imagenet"

    suffix = "" if include_top else "_notop"
    damaged = ""
    for candidate in (file, f"{name}{suffix}.weights.h5", f"{name}{suffix}.h5"):
        path = WEIGHTS_DIR / candidate
        if not path.is_file():
            continue
        if not _opens(path):
            damaged = f" ({path} is there but damaged: copy it again)"
        elif name == "EfficientNetB0" and md5 and _is_keras_file(path, md5):
            # Not as a path (see B0_TOP_MD5): let Keras find it where it would have put it.
            return "imagenet" if _copied(path, cached) else None
        else:
            return str(path)
    if not download:
        return None
    if network_reachable():
        return "imagenet"
    print(
        f"No ImageNet weights for {name} here{damaged}: weights=None builds it untrained; to get "
        f"them, run this cell once with a network, or put {file} into data/weights/."
    )
    return None


def _check_known(name: str) -> None:
    if name not in INPUTS:
        raise ValueError(f"The course knows no backbone {name!r}; it knows {', '.join(INPUTS)}.")


def _keras_cache() -> Path:
    """The folder in which `keras.applications` will look (see `keras.utils.get_file`)."""
    from keras.src.backend.config import keras_home  # Keras has no public name for it

    home = Path(keras_home()).expanduser()
    if not os.access(home, os.W_OK):
        home = Path("/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir()) / ".keras"
    return home / "models"


def _is_keras_file(path: Path, md5: str) -> bool:
    if not md5:
        return _opens(path)
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() == md5


def _copied(path: Path, cached: Path) -> bool:
    """Copy a file of weights into Keras's cache; say so in a sentence where that fails."""
    # Of this process alone, because two notebooks may be doing this.
    draft = cached.with_name(f"{cached.name}.{os.getpid()}")
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, draft)
        os.replace(draft, cached)
    except OSError as problem:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        print(
            f"No ImageNet weights here: {path} could not be copied to {cached.parent} "
            f"({problem.strerror or problem}), so weights=None builds the model untrained; to get "
            "them, free some space there, or make it writable, and run this cell again."
        )
        return False
    return True


def _opens(path: Path) -> bool:
    try:
        with h5py.File(path) as file:
            return len(file) > 0
    except OSError:  # empty, cut short, or a web page saved under the name
        return False


_last_answer: tuple[float, bool] | None = None


def network_reachable(patience: float = 2.0) -> bool:
    """Return whether the server of Keras's weights answers; it is asked once a minute at most.

    In a thread of its own, because looking up a host name can hang and takes no timeout.

    Args:
        patience: Seconds to wait for it.

    Returns:
        False also where the environment has ``COURSE_OFFLINE=1``.
    """
    global _last_answer
    if os.environ.get("COURSE_OFFLINE") == "1":
        return False
    if _last_answer is None or time.monotonic() - _last_answer[0] > 60:
        answered = threading.Event()
        threading.Thread(target=_ask_server, args=(answered, patience), daemon=True).start()
        _last_answer = (time.monotonic(), answered.wait(patience))
    return _last_answer[1]


def _ask_server(answered: threading.Event, patience: float) -> None:
    try:
        from keras.src.applications.efficientnet import BASE_WEIGHTS_PATH

        # urllib, as Keras uses: it knows about proxies, a bare socket does not.
        question = urllib.request.Request(BASE_WEIGHTS_PATH, method="HEAD")
        urllib.request.urlopen(question, timeout=patience).close()
        answered.set()
    except urllib.error.HTTPError:  # any answer is an answer
        answered.set()
    except (OSError, ImportError, ValueError):
        pass
