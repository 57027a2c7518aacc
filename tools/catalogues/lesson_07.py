"""Answers to lesson 07's exercises: the stub, right ones, and wrong ones with their hint codes."""

import math
import operator

import keras
import numpy as np
from keras import layers

MEAN = np.float32([103.939, 116.779, 123.68])


def cost_stub(height, width, kernel, channels, filters, depthwise=False):
    return ...


def cost(height, width, kernel, channels, filters, depthwise=False):
    weights = kernel * kernel * channels * (1 if depthwise else filters)
    return weights * height * width


def cost_by_counting(height, width, kernel, channels, filters, depthwise=False):
    image = keras.Input((height, width, channels))
    if depthwise:
        layer = layers.DepthwiseConv2D(kernel, padding="same")
    else:
        layer = layers.Conv2D(filters, kernel, padding="same")
    places = math.prod(layer(image).shape[1:-1])
    return places * math.prod(layer.kernel.shape)


def depthwise_as(wrong):
    """An answer that is right but for depthwise layers."""

    def answer(height, width, kernel, channels, filters, depthwise=False):
        if depthwise:
            return wrong(height * width * kernel**2, channels, filters)
        return cost(height, width, kernel, channels, filters)

    return answer


def input_stub(images):
    return ...


def input_with_keras(images):
    return keras.applications.vgg16.preprocess_input(images.copy())


def input_by_channels(images):
    red, green, blue = images[..., 0], images[..., 1], images[..., 2]
    return np.stack([blue - MEAN[0], green - MEAN[1], red - MEAN[2]], axis=-1)


def input_in_place(images):
    images[...] = images[..., ::-1].copy()
    images -= MEAN
    return images


def unfreeze_stub(base, name): ...


def unfreeze(base, name, *, chosen=lambda index, start: index >= start, norms=False):
    start = [layer.name for layer in base.layers].index(name)
    for index, layer in enumerate(base.layers):
        norm = isinstance(layer, layers.BatchNormalization)
        layer.trainable = chosen(index, start) and (norms or not norm)


def unfreeze_by_walking(base, name):
    base.trainable = True
    reached = False
    for layer in base.layers:
        reached = reached or layer.name == name
        layer.trainable = reached and type(layer).__name__ != "BatchNormalization"


def unfreeze_by_slices(base, name):
    start = base.layers.index(base.get_layer(name))
    for layer in base.layers[:start]:
        layer.trainable = False
    for layer in base.layers[start:]:
        layer.trainable = True
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False


def unfreeze_by_freezing(base, name):
    base.trainable = False  # so that the next line changes the flag, and with it every layer
    base.trainable = True
    for layer in base.layers:
        if layer.name == name:
            break
        layer.trainable = False
    freeze_norms(base)


def freeze_norms(base):
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False


def unfreeze_by_name(test):
    """An answer that goes by the layers' names only."""

    def answer(base, name):
        for layer in base.layers:
            norm = isinstance(layer, layers.BatchNormalization)
            layer.trainable = test(layer.name, name) and not norm

    return answer


def unfreeze_by_the_outer_flag(base, name):
    base.trainable = True
    start = [layer.name for layer in base.layers].index(name)
    for layer in base.layers[:start]:
        layer.trainable = False
    freeze_norms(base)


def freeze_the_front(base, name):
    start = [layer.name for layer in base.layers].index(name)
    for layer in base.layers[:start]:
        layer.trainable = False
    freeze_norms(base)


def unfreeze_only_from(base, name):
    start = [layer.name for layer in base.layers].index(name)
    for layer in base.layers[start:]:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)


def unfreeze_whole_block(base, name):
    block = name.split("_")[0]
    unfreeze(base, next(one.name for one in base.layers if one.name.startswith(block)))


def shut_then_unfreeze(base, name):
    base.trainable = False
    unfreeze(base, name)


def unfreeze_then_open(base, name):
    unfreeze(base, name)
    base.trainable = True


def camera_stub(candidates, milliseconds, megabytes):
    return ...


def to_try(candidates, milliseconds=math.inf, megabytes=math.inf, crops=3, float16=2):
    fits = [c for c in candidates if crops * c.milliseconds <= milliseconds]
    fits = [c for c in fits if c.megabytes <= float16 * megabytes]
    return sorted(fits, key=lambda c: (-c.top1, c.milliseconds))


def camera(candidates, milliseconds, megabytes, **changes):
    fits = to_try(candidates, milliseconds, megabytes, **changes)
    return fits[0].name if fits else None


def camera_by_changing_candidates(candidates, milliseconds, megabytes):
    real = [
        c._replace(milliseconds=3 * c.milliseconds, megabytes=c.megabytes / 2) for c in candidates
    ]
    rows = to_try(real, milliseconds, megabytes, crops=1, float16=1)
    return next((row.name for row in rows), None)


def camera_in_a_loop(candidates, milliseconds, megabytes):
    best = None
    for name, ms, mb, top1 in candidates:
        if 3 * ms <= milliseconds and mb / 2 <= megabytes:
            if best is None or (top1, -ms) > best[:2]:
                best = top1, -ms, name
    return best and best[2]


def camera_with_rounded_time(candidates, milliseconds, megabytes):
    return camera(candidates, milliseconds // 3 * 3, megabytes)


def camera_by(key):
    """An answer that keeps what fits and takes the first by another order."""

    def answer(candidates, milliseconds, megabytes):
        return min(to_try(candidates, milliseconds, megabytes), key=key, default=None)

    return lambda *budget: getattr(answer(*budget), "name", None)


def camera_ignoring_ties(candidates, milliseconds, megabytes):
    fits = [c for c in candidates if 3 * c.milliseconds <= milliseconds]
    fits = [c for c in fits if c.megabytes / 2 <= megabytes]
    return max(fits, key=lambda c: c.top1).name if fits else None


def camera_the_nearest_if_none(candidates, milliseconds, megabytes):
    fits = to_try(candidates, milliseconds, megabytes)
    return (fits or sorted(candidates, key=lambda c: c.milliseconds))[0].name


CATALOGUE = {
    "07.a": {
        "stub": cost_stub,
        "right": [cost, cost_by_counting],
        "wrong": {
            "no-places": lambda h, w, k, c, f, depthwise=False: k * k * c * f,
            "two-operations": lambda h, w, k, c, f, depthwise=False: 2 * h * w * k * k * c * f,
            "no-channels": lambda h, w, k, c, f, depthwise=False: h * w * k * k * f,
            "no-filters": lambda h, w, k, c, f, depthwise=False: h * w * k * k * c,
            "one-side": lambda h, w, k, c, f, depthwise=False: h * w * k * c * f,
            "biases": lambda h, w, k, c, f, depthwise=False: h * w * (k * k * c + 1) * f,
            "not-a-number": lambda h, w, k, c, f, depthwise=False: (h * w, k * k * c * f),
            "other-number": lambda h, w, k, c, f, depthwise=False: h * w + k * k * c * f,
            "depthwise-as-full": lambda h, w, k, c, f, depthwise=False: cost(h, w, k, c, f),
            "depthwise-one-channel": depthwise_as(lambda once, channels, filters: once),
            "depthwise-no-places": depthwise_as(lambda once, channels, filters: 9 * channels),
            "depthwise-filters": depthwise_as(lambda once, channels, filters: once * filters),
            "depthwise-other": depthwise_as(lambda once, channels, filters: once + channels),
        },
    },
    "07.b": {
        "stub": input_stub,
        "right": [lambda images: images[..., ::-1] - MEAN, input_with_keras, input_by_channels],
        "wrong": {
            "rgb-order": lambda images: images - MEAN[::-1],
            "means-swapped": lambda images: images[..., ::-1] - MEAN[::-1],
            "only-means": lambda images: images - MEAN,
            "no-means": lambda images: images[..., ::-1],
            "unit-range": lambda images: images[..., ::-1] / 255 - MEAN,
            "divided": lambda images: (images[..., ::-1] - MEAN) / 255,
            "one-minus-one": lambda images: images / 127.5 - 1,
            "image-flipped": lambda images: images[:, :, ::-1] - MEAN,
            "in-place": input_in_place,
            "shape": lambda images: images[..., 0] - MEAN[0],
            "other-values": lambda images: images / 255,
        },
    },
    "07.c": {
        "stub": unfreeze_stub,
        "right": [unfreeze, unfreeze_by_walking, unfreeze_by_slices, unfreeze_by_freezing],
        "wrong": {
            "position": lambda *given: unfreeze(*given, chosen=lambda index, start: index >= 9),
            "all-free": unfreeze_only_from,
            "one-late": lambda *given: unfreeze(*given, chosen=operator.gt),
            "one-early": unfreeze_whole_block,
            "only-one": lambda *given: unfreeze(*given, chosen=operator.eq),
            "turned-round": lambda *given: unfreeze(*given, chosen=operator.lt),
            "batchnorm": lambda *given: unfreeze(*given, norms=True),
            "alphabet": unfreeze_by_name(operator.ge),
            "one-block": unfreeze_by_name(lambda layer, name: layer.startswith("block3")),
            "fixed-name": lambda base, name: unfreeze(base, "block3_conv1"),
            "other-layers": unfreeze_by_name(lambda layer, name: layer.endswith("conv1")),
            "base-frozen": shut_then_unfreeze,
            "outer-last": unfreeze_then_open,
            "outer-flag": unfreeze_by_the_outer_flag,
            "nothing": freeze_the_front,
        },
    },
    "07.d": {
        "stub": camera_stub,
        "right": [
            camera,
            camera_by_changing_candidates,
            camera_in_a_loop,
            camera_with_rounded_time,
        ],
        "wrong": {
            "one-crop": lambda *budget: camera(*budget, crops=1),
            "not-halved": lambda *budget: camera(*budget, float16=1),
            "memory-turned": lambda *budget: to_try(*budget, float16=1 / 2)[0].name,
            "too-large": lambda *budget: camera(*budget, float16=4),
            "does-not-fit": camera_the_nearest_if_none,
            "tie": camera_ignoring_ties,
            "quickest": camera_by(lambda c: c.milliseconds),
            "smallest": camera_by(lambda c: c.megabytes),
            "turned-round": camera_by(lambda c: c.top1),
            "row": lambda *budget: to_try(*budget)[0],
            "list": lambda *budget: to_try(*budget),
            "raises-if-none": lambda *budget: to_try(*budget)[0].name,
            "none": lambda *budget: None,
        },
    },
}
