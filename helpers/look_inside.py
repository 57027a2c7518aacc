"""Where in an image a model looked: Grad-CAM, also through a base model inside the model."""

from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

AT_ONCE = 4
"""Images in one pass: called layer by layer at 224 pixels, each takes some 80 MB."""


def grad_cam(
    model: keras.Model, images: np.ndarray, classes: Sequence[int] | None = None, *, layer: str = ""
) -> tuple[np.ndarray, np.ndarray]:
    """Compute where each image speaks for a class, and what the model says of it.

    The model itself runs, in inference mode, and the maps are picked up as they leave their layer:
    so it may lie anywhere, in a base within the model too. Gradients are those of logits: a sure
    model's probabilities hardly move any more.

    Args:
        model: Ends in a layer with an ``activation`` (or in logits): a unit a class, or one for
            two classes.
        images: A batch as `model` takes it, shape ``(images, height, width, channels)``.
        classes: For each image the class to explain; by default the one that the model names. Of
            one unit, class 1 is its logit and class 0 the same with the other sign.
        layer: Whose maps are weighted; by default those of the last layer that has maps.

    Returns:
        ``(heat, outputs)``: float32 of shape ``(images, rows, columns)``, from 0, in logits a
        place; and what ``model(images)`` is. Heat is zero where nothing speaks for the class.

    Raises:
        ValueError: No layer has that name, or none of them has maps.

    Source: Selvaraju et al., Grad-CAM (2017), section 3.
    """
    if len(images) > AT_ONCE:
        of = range(0, len(images), AT_ONCE)
        kinds = [None if classes is None else classes[k : k + AT_ONCE] for k in of]
        parts = [
            grad_cam(model, images[k : k + AT_ONCE], kind, layer=layer)
            for k, kind in zip(of, kinds, strict=True)
        ]
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))
    inside = [one for one in _layers(model) if not layer or one.name == layer]
    with_maps = [one for one in inside if hasattr(one, "output") and len(one.output.shape) == 4]
    if not with_maps:
        raise ValueError(f"{model.name} has no layer {layer!r} with maps of rows and columns")
    found, last, seen = with_maps[-1], [*_layers(model)][-1], []
    kept, call = getattr(last, "activation", keras.activations.linear), found.call
    with tf.GradientTape(watch_accessed_variables=False) as tape:  # nothing before the maps

        def watched(*arguments, **named) -> tf.Tensor:
            seen.append(call(*arguments, **named))
            tape.watch(seen[-1])
            return seen[-1]

        try:
            found.call, last.activation = watched, keras.activations.linear
            logits = model(images, training=False)
        finally:
            last.activation = kept
            del found.call
        both = keras.ops.concatenate([-logits, logits], 1) if logits.shape[-1] == 1 else logits
        classes = keras.ops.argmax(both, 1) if classes is None else classes
        score = keras.ops.sum(both * keras.ops.one_hot(classes, both.shape[-1]))
    weights = keras.ops.mean(tape.gradient(score, seen[-1]), axis=(1, 2), keepdims=True)
    heat = keras.ops.relu(keras.ops.sum(weights * seen[-1], axis=-1))
    return np.asarray(heat), np.asarray(kept(logits))


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Walk a model's layers in their order, through models within it."""
    for one in model.layers:
        yield from _layers(one) if isinstance(one, keras.Model) else [one]
