"""A frozen model through LiteRT: the same numbers as Keras, in about half the time on a CPU.

Converting costs a few seconds, so the converted model, the *engine*, is kept in the learner's
folder, and the next lesson with the same weights and input shape opens it at once.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import hashlib
import json
import logging
import os
import timeit
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from helpers.files import whole
from helpers.session import graphics_card, personal_folder, silenced_stderr

WORTH_IT = 8.0
"""Seconds that Keras has to need before converting (4 to 5 s here) saves more than it costs."""
LARGEST_DIFFERENCE = 1e-4
"""From Keras's output, as a share of its largest value where that is above one."""
MOST_KEPT = 8
CHECKED = 2
"""Images of the first batch that engine and Keras are compared on. Called layer by layer at 224
pixels, 2 of them cost a kernel 0.16 GiB for good, 8 cost 0.63."""
Run = Callable[[np.ndarray], np.ndarray]


def engine_for(model: keras.Model, images: np.ndarray, count: int, *, engine: str = "auto") -> Run:
    """Return what computes a model's output for batches of images in the least time.

    That is a LiteRT engine where one is kept already, or is worth converting for so many images;
    else the model itself. An engine is used only if it agrees with Keras on the first of
    the images given.

    Args:
        model: One input, one output. It runs in inference mode.
        images: A first batch, shape ``(images, height, width, channels)``.
        count: How many images there are in all.
        engine: ``"auto"`` as said above, ``"litert"`` also for few images, ``"keras"`` never.

    Returns:
        A function from a batch of images to its float32 outputs.
    """
    # A graphics card is faster than any engine for processor cores.
    if engine == "keras" or (engine == "auto" and graphics_card()):
        return _by_keras(model, len(images))
    few = images[:CHECKED]
    expected = _call(model, few).numpy()
    file = personal_folder() / "engines" / f"{_name(model)}.tflite"
    if engine == "auto" and not file.is_file() and _seconds(model, few, count) < WORTH_IT:
        return _by_keras(model, len(images))
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        _say("The package ai-edge-litert is missing, so Keras computes the features, more slowly.")
        return _by_keras(model, len(images))
    for content in _contents(model, file):
        try:
            run = _by_engine(Interpreter, content)
            largest = np.max(np.abs(run(few) - expected))
            if largest <= LARGEST_DIFFERENCE * max(1, np.max(np.abs(expected))):
                return run
        except (ValueError, RuntimeError):
            pass  # not a model, or one that LiteRT cannot run
    _say(f"LiteRT cannot run {model.name} as Keras does, so Keras computes its features.")
    return _by_keras(model, len(images))


def _seconds(model: keras.Model, few: np.ndarray, count: int) -> float:
    """What Keras needs for so many images: what one more costs, without what each call costs."""
    one = min(timeit.repeat(lambda: _call(model, few[:1]), number=1, repeat=3))
    all_of_them = min(timeit.repeat(lambda: _call(model, few), number=1, repeat=3))
    return (all_of_them - one) / max(len(few) - 1, 1) * count


def _contents(model: keras.Model, file: Path) -> Iterator[bytes]:
    """The kept engine, if it is whole, then a fresh one; none where it cannot be converted."""
    with contextlib.suppress(OSError):
        seal, content = file.read_bytes()[:32], file.read_bytes()[32:]
        if hashlib.sha256(content).digest() == seal:
            yield content
    try:
        content = convert(model)
    except Exception:  # whatever the converter dislikes about it, Keras can still run it
        return
    with contextlib.suppress(OSError), whole(file) as draft:  # a full disk keeps nothing
        draft.write_bytes(hashlib.sha256(content).digest() + content)
    kept = sorted(file.parent.glob("[0-9a-f]*.tflite"), key=lambda f: f.stat().st_mtime)
    for old in kept[:-MOST_KEPT]:
        with contextlib.suppress(OSError):
            old.unlink()
    yield content


def convert(model: keras.Model) -> bytes:
    """Convert a model to LiteRT: its weights become constants of the traced call.

    ``model.export(path, format="litert")`` gives the same bytes in four times the time, because it
    goes through a SavedModel on disk. The batch stays open.

    Args:
        model: One input, one output, built.

    Returns:
        The content of a ``.tflite`` file.

    Raises:
        Exception: As TensorFlow's converter does, where it cannot convert a layer.
    """
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    with silenced_stderr(), _quiet_log():
        spec = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)
        call = tf.function(lambda images: _call(model, images))
        # Not from_concrete_functions([call], model): that writes a file without the weights.
        constant = convert_variables_to_constants_v2(call.get_concrete_function(spec))
        content = tf.lite.TFLiteConverter.from_concrete_functions([constant]).convert()
    del call, constant
    _give_memory_back()
    return content


def _give_memory_back() -> None:
    """Ask the C library for what the converter has freed, a third of a gigabyte, where it can."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # only glibc has this function
        ctypes.CDLL(None).malloc_trim(0)


def _call(model: keras.Model, images: tf.Tensor | np.ndarray) -> tf.Tensor:
    """Call a model in inference mode, also one made as ``Model(model.inputs, ...)``, as a list."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The structure of `inputs`")
        return model(images, training=False)


@contextlib.contextmanager
def _quiet_log() -> Iterator[None]:
    """Hold back what the converter logs as a warning, which notebooks show in red."""
    log = logging.getLogger("absl")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _by_engine(interpreter_class: type, content: bytes) -> Run:
    with silenced_stderr():
        engine = interpreter_class(model_content=content, num_threads=os.cpu_count())
    into = engine.get_input_details()[0]["index"]
    out = engine.get_output_details()[0]["index"]
    shape = None

    def run(images: np.ndarray) -> np.ndarray:
        nonlocal shape
        if images.shape != shape:
            shape = images.shape
            with silenced_stderr():
                engine.resize_tensor_input(into, shape)
                engine.allocate_tensors()
        engine.set_tensor(into, np.asarray(images, dtype="float32"))
        engine.invoke()
        return engine.get_tensor(out).astype("float32", copy=False)

    return run


def _by_keras(model: keras.Model, batch_size: int) -> Run:
    def run(images: np.ndarray) -> np.ndarray:
        # For a smaller last batch Keras would build the graph anew, which takes seconds: fill it
        # up to the size of the first, and drop what comes out for the filling.
        missing = max(batch_size - len(images), 0)
        filled = np.pad(images, [(0, missing), *[(0, 0)] * (images.ndim - 1)])
        outputs = model.predict_on_batch(filled)[: len(images)]
        return outputs.astype("float32", copy=False)

    return run


def _name(model: keras.Model) -> str:
    """A digest of weights, layers and input shape: the same in every lesson, whatever its names."""
    digest = hashlib.sha256(repr((tf.__version__, model.input_shape)).encode())
    for layer in _layers(model):
        settings = json.dumps(_nameless(layer.get_config()), sort_keys=True, default=str)
        digest.update(f"{type(layer).__name__}{settings}".encode())
    for array in model.get_weights():
        digest.update(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:20]


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    for layer in model.layers:
        yield from _layers(layer) if isinstance(layer, keras.Model) else (layer,)


def _nameless(config: object) -> object:
    if isinstance(config, dict):
        kept = {key: value for key, value in config.items() if key not in ("name", "trainable")}
        return {key: _nameless(value) for key, value in kept.items()}
    return [_nameless(value) for value in config] if isinstance(config, list) else config


@functools.cache
def _say(sentence: str) -> None:
    """Print a sentence, once in this process."""
    print(sentence)
