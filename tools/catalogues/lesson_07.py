"""Answers to lesson 07's exercises: the stub, right ones, and wrong ones with their hint codes."""

import itertools
import math
import operator

import keras
import numpy as np
from keras import layers


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


def cost_by_product(height, width, kernel, channels, filters, depthwise=False):
    sizes = [height, width, kernel, kernel, channels, 1 if depthwise else filters]
    return np.prod(sizes, dtype="int64")


def cost_by_a_power(height, width, kernel, channels, filters, depthwise=False):
    return height * width * kernel**2 * channels * filters ** (not depthwise)


def cost_by_parameters(height, width, kernel, channels, filters, depthwise=False):
    make = (
        layers.DepthwiseConv2D
        if depthwise
        else lambda *how, **more: layers.Conv2D(filters, *how, **more)
    )
    layer = make(kernel, use_bias=False)
    layer.build((None, height, width, channels))
    return layer.count_params() * height * width


def cost_where(change):
    """An answer that is right for other numbers than those that it was asked with."""

    def answer(height, width, kernel, channels, filters, depthwise=False):
        sizes = change(height, width, kernel, channels, filters)
        return cost(*sizes, depthwise)

    return answer


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


def unfreeze_from_the_back(base, name):
    behind = True
    for layer in base.layers[::-1]:
        layer.trainable = behind and not isinstance(layer, layers.BatchNormalization)
        behind = behind and layer.name != name


def unfreeze_by_a_dictionary(base, name):
    ...
    place = {layer.name: number for number, layer in enumerate(base.layers)}
    for layer in base.layers:
        free = place[layer.name] >= place[name] and not isinstance(layer, layers.BatchNormalization)
        layer.trainable = free


def unfreeze_from_a_part_of_the_name(base, name):
    reached = False
    for layer in base.layers:
        reached = reached or name in layer.name
        layer.trainable = reached and not isinstance(layer, layers.BatchNormalization)


def unfreeze_but_the_last(base, name):
    unfreeze(base, name)
    base.layers[-1].trainable = False


def unfreeze_the_layer_that_is_a_name(base, name):
    reached = False
    for layer in base.layers:
        reached = reached or layer == name
        layer.trainable = reached


def unfreeze_misspelt(base, name):
    for layer in base.layers:
        layer.trainible = layer.name == name


def unfreeze_with_training(base, name):
    unfreeze(base, name, norms=True)
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.training = False


def unfreeze_shut_then_open(base, name):
    base.trainable = False
    unfreeze_only_from(base, name)
    base.trainable = True


def freeze_by_a_slice_of_names(base, name):
    for layer in base.layers[:name]:
        layer.trainable = False


def freeze_by_the_index_of_a_layer(base, name):
    unfreeze(base, base.layers[base.layers.index(name)].name)


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


def camera_by_max(candidates, milliseconds, megabytes):
    fits = (
        c for c in candidates if c.milliseconds * 3 <= milliseconds and c.megabytes / 2 <= megabytes
    )
    best = max(fits, key=lambda c: (c.top1, -c.milliseconds), default=None)
    return best.name if best else None


def camera_in_order(candidates, milliseconds, megabytes):
    ordered = sorted(candidates, key=lambda c: (-c.top1, c.milliseconds))
    fits = (c for c in ordered if c.milliseconds <= milliseconds / 3)
    return next((c.name for c in fits if c.megabytes * 0.5 <= megabytes), None)


def camera_sorting_in_place(candidates, milliseconds, megabytes):
    candidates.sort(key=lambda c: -c.top1)
    return camera(candidates, milliseconds, megabytes)


def camera_removing(candidates, milliseconds, megabytes):
    for c in candidates:
        if 3 * c.milliseconds > milliseconds or c.megabytes / 2 > megabytes:
            candidates.remove(c)
    return camera(candidates, milliseconds, megabytes)


def camera_in_a_hurry(candidates, milliseconds, megabytes):
    for c in candidates:
        if 3 * c.milliseconds <= milliseconds and c.megabytes / 2 <= megabytes:
            return c.name


def camera_until_one_is_too_slow(candidates, milliseconds, megabytes):
    fits = list(itertools.takewhile(lambda c: 3 * c.milliseconds <= milliseconds, candidates))
    return camera(fits, milliseconds, megabytes)


def camera_below(candidates, milliseconds, megabytes):
    return camera(candidates, milliseconds - 1e-6, megabytes - 1e-6)


def camera_with_a_margin(candidates, milliseconds, megabytes, margin=0.02):
    fits = to_try(candidates, milliseconds, megabytes)
    near = [c for c in fits if c.top1 >= fits[0].top1 - margin]
    return min(near, key=lambda c: c.milliseconds).name if fits else None


def camera_of_other_candidates(candidates, milliseconds, megabytes):
    return "EfficientNetLite0"


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


def head_stub(train, val): ...


def head(
    train,
    val,
    *,
    gather=layers.GlobalAveragePooling2D,
    middle=(),
    epochs=15,
    rate=1e-3,
    last="softmax",
    smoothing=0.1,
):
    """A head, trained; what it gets is `layers` and numbers, and each mistake changes one."""
    maps, labels = train
    model = keras.Sequential([keras.Input(maps.shape[1:]), gather(), *middle])
    model.add(layers.Dense(10, activation=last))
    model.compile(
        keras.optimizers.Adam(rate),
        keras.losses.CategoricalCrossentropy(label_smoothing=smoothing, from_logits=not last),
    )
    model.fit(maps, keras.utils.to_categorical(labels, 10), epochs=epochs, batch_size=64, verbose=0)
    return model


def head_with_dropout(train, val):
    return head(train, val, middle=[layers.Dropout(0.5)])


def head_functional(train, val):
    inputs = keras.Input(train[0].shape[1:])
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(inputs))
    model = keras.Model(inputs, layers.Dense(10, "softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy")
    stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    model.fit(*train, validation_data=val, epochs=20, verbose=0, callbacks=[stop], batch_size=64)
    return model


def head_by_a_convolution(train, val):
    inputs = keras.Input(train[0].shape[1:])
    x = layers.Dropout(0.5)(layers.GlobalAveragePooling2D(keepdims=True)(inputs))
    x = layers.Softmax()(layers.Flatten()(layers.Conv2D(10, 1)(x)))
    model = keras.Model(inputs, x)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy())
    model.fit(*train, validation_data=val, epochs=12, verbose=0, batch_size=64)
    return model


def head_that_forgot_to_pool_inside(train, val):
    pooled = [(maps.mean(axis=(1, 2)), labels) for maps, labels in (train, val)]
    return head(*pooled, gather=layers.Identity, epochs=1)


def head_in_place(train, val):
    train[0][:] = train[0] / 2
    return head(train, val, epochs=1)


CATALOGUE = {
    "07.a": {
        "stub": cost_stub,
        "right": [cost, cost_by_counting, cost_by_product, cost_by_a_power, cost_by_parameters],
        "wrong": {
            "no-places": lambda h, w, k, c, f, depthwise=False: k * k * c * f,
            "two-operations": lambda h, w, k, c, f, depthwise=False: 2 * h * w * k * k * c * f,
            "no-channels": lambda h, w, k, c, f, depthwise=False: h * w * k * k * f,
            "no-filters": lambda h, w, k, c, f, depthwise=False: h * w * k * k * c,
            "one-side": lambda h, w, k, c, f, depthwise=False: h * w * k * c * f,
            "biases": lambda h, w, k, c, f, depthwise=False: h * w * (k * k * c + 1) * f,
            "not-a-number": lambda h, w, k, c, f, depthwise=False: (h * w, k * k * c * f),
            "other-number": lambda h, w, k, c, f, depthwise=False: h * w / k * c * f,
            "depthwise-as-full": lambda h, w, k, c, f, depthwise=False: cost(h, w, k, c, f),
            "depthwise-one-channel": depthwise_as(lambda once, channels, filters: once),
            "depthwise-no-places": depthwise_as(lambda once, channels, filters: 25 * channels),
            "depthwise-filters": depthwise_as(lambda once, channels, filters: once * filters),
            "depthwise-other": depthwise_as(lambda once, channels, filters: once + channels),
            "separable": depthwise_as(
                lambda once, channels, filters: once * channels + 187 * channels * filters
            ),
            "millions": lambda *sizes, depthwise=False: cost(*sizes, depthwise) / 1e6,
            "square": cost_where(lambda h, w, k, c, f: (h, h, k, c, f)),
            "billions": lambda *sizes, depthwise=False: cost(*sizes, depthwise) / 1e9,
            "stride": cost_where(lambda h, w, k, c, f: (h // 2, w // 2, k, c, f)),
            "padded": cost_where(lambda h, w, k, c, f: (h + k - 1, w + k - 1, k, c, f)),
            "border": cost_where(lambda h, w, k, c, f: (h + 2, w + 2, k, c, f)),
            "factors": cost_where(lambda h, w, k, c, f: (h, 1, k, c, f)),
            "sum-of-sides": cost_where(lambda h, w, k, c, f: (h + w, 1, k, c, f)),
            "shrunk": cost_where(lambda h, w, k, c, f: (h - k + 1, w - k + 1, k, c, f)),
            "added": cost_where(lambda h, w, k, c, f: (h, w, k, 1, c + f)),
            "caret": lambda h, w, k, c, f, depthwise=False: h * w * (k ^ 2) * c * f,
            "three": cost_where(lambda h, w, k, c, f: (h, w, 3, c, f)),
            "fixed-kernel": cost_where(lambda h, w, k, c, f: (h, w, 5, c, f)),
        },
        "also": [
            ("not-a-number", lambda *sizes, depthwise=False: f"{cost(*sizes, depthwise):,}"),
            ("not-a-number", lambda *sizes, depthwise=False: print(cost(*sizes, depthwise))),
            ("no-filters", lambda *sizes, depthwise=False: cost(*sizes, not depthwise)),
            ("factors", lambda h, w, k, c, f, depthwise=False: h * w * k * 2 * c * f),
            ("factors", lambda h, w, k, c, f, depthwise=False: h * w * c * f),
            ("factors", lambda h, w, k, c, f, depthwise=False: h * w * k**3 * c * f),
            ("not-a-number", depthwise_as(lambda once, channels, filters: None)),
            ("depthwise-other", depthwise_as(lambda once, channels, filters: once * channels**2)),
            ("depthwise-filters", depthwise_as(lambda once, channels, filters: once * filters / 1)),
            ("places-added", lambda h, w, k, c, f, depthwise=False: h * w + k * k * c * f),
            ("raises", lambda h, w, k, c, f: cost(h, w, k, c, f)),
            ("raises", lambda h, w, k, c, f, depthwise=False: math.prod([h, w, k, k, c, f].sort())),
        ],
    },
    "07.c": {
        "stub": unfreeze_stub,
        "right": [
            unfreeze,
            unfreeze_by_walking,
            unfreeze_by_slices,
            unfreeze_by_freezing,
            unfreeze_from_the_back,
            unfreeze_by_a_dictionary,
        ],
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
            "without-the-last": unfreeze_but_the_last,
            "part-of-the-name": unfreeze_from_a_part_of_the_name,
            "unknown-flag": unfreeze_with_training,
            "base-untouched": lambda base, name: unfreeze(keras.models.clone_model(base), name),
        },
        "also": [
            ("position", lambda *given: unfreeze(*given, chosen=lambda index, start: index >= 15)),
            ("outer-last", unfreeze_shut_then_open),
            ("nothing", unfreeze_the_layer_that_is_a_name),
            ("unknown-flag", unfreeze_misspelt),
            (
                "one-early",
                lambda *given: unfreeze(*given, chosen=lambda index, start: index >= start - 1),
            ),
            ("nothing", lambda base, name: freeze_the_front(base, base.layers[-1].name)),
            ("base-frozen", lambda base, name: setattr(base, "trainable", False)),
            ("raises", freeze_by_a_slice_of_names),
            ("raises", freeze_by_the_index_of_a_layer),
            ("raises", lambda base, name: unfreeze(base, "block5_conv1")),
        ],
    },
    "07.b": {
        "stub": camera_stub,
        "right": [
            camera,
            camera_by_changing_candidates,
            camera_in_a_loop,
            camera_with_rounded_time,
            camera_by_max,
            camera_in_order,
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
            "two-crops": lambda *budget: camera(*budget, crops=2),
            "first-that-fits": camera_in_a_hurry,
            "no-such-field": lambda candidates, *budget: max(candidates, key=lambda c: c.accuracy),
            "changed-in-place": camera_sorting_in_place,
            "at-most": camera_below,
            "margin": camera_with_a_margin,
            "no-candidate": camera_of_other_candidates,
            "time-ignored": lambda candidates, ms, mb: camera(candidates, math.inf, mb),
            "swapped": lambda candidates, ms, mb: camera(candidates, 6 * mb, ms / 6),
        },
        "also": [
            ("changed-in-place", camera_removing),
            ("first-that-fits", camera_until_one_is_too_slow),
            ("no-such-field", lambda candidates, *budget: candidates[0]["name"]),
            ("list", lambda *budget: to_try(*budget)[0][:2]),
            ("does-not-fit", lambda *budget: camera(*budget) or False),
            ("one-crop", lambda *budget: camera(*budget, crops=1 / 3)),
            ("memory-turned", lambda *budget: camera(*budget, float16=1 / 2)),
            ("tie", camera_by(lambda c: (-c.top1, c.megabytes))),
            ("tie", camera_by(lambda c: (-c.top1, -c.milliseconds))),
            ("does-not-fit", lambda *budget: str(camera(*budget))),
            ("does-not-fit", lambda *budget: camera(*budget) or ""),
            ("list", lambda *budget: [c.name for c in to_try(*budget)]),
            ("no-candidate", lambda *budget: camera(*budget) and 0.76),
        ],
    },
    "07.d": {
        "stub": head_stub,
        "right": [head_with_dropout, head_functional, head_by_a_convolution],
        "wrong": {
            "over-budget": lambda train, val: head(train, val, gather=layers.Flatten, epochs=1),
            "untrained": lambda train, val: head(train, val, epochs=1, rate=0.0),
            "too-short": lambda train, val: head(train, val, epochs=1, rate=1e-3),
            "overconfident": lambda train, val: head(train, val, rate=0.3, smoothing=0),
            "other-input": head_that_forgot_to_pool_inside,
            "logits": lambda train, val: head(train, val, epochs=1, last=None),
            "shape": lambda train, val: (
                head(train, val, epochs=1).layers[0]
                and keras.Sequential([keras.Input((3, 3, 1280)), layers.GlobalMaxPooling2D()])
            ),
            "changed-in-place": head_in_place,
            "no-model": lambda train, val: None,
        },
        "also": [("no-model", lambda train, val: keras.callbacks.History())],
    },
}

# --- As newcomers typed them, without sight of the checks --------------------------------------


def a_new_kernel_not_squared(height, width, kernel, channels, filters, depthwise=False):
    if depthwise:
        return height * width * kernel * channels
    return height * width * kernel * channels * filters


def b_new_budget_of_time_times_three(candidates, milliseconds, megabytes):
    fits = to_try(candidates, milliseconds * 3, megabytes * 2, crops=1, float16=1)
    return fits[0].name if fits else None


def c_new_only_the_named_layer_opens(base, name):
    base.trainable = False
    for layer in base.layers:
        if layer.name == name:
            layer.trainable = True


def c_new_slice_from_an_index_of_a(base, name):
    start = base.layers.index(name)
    for layer in base.layers[:start]:
        layer.trainable = False


def d_new_flatten_too_many_parameters(train, val):
    model = keras.Sequential(
        [keras.Input((3, 3, 1280)), layers.Flatten(), layers.Dense(10, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(*train, validation_data=val, epochs=8, verbose=0)
    return model


def c_new_weights_flag(base, name):
    start = [layer.name for layer in base.layers].index(name)
    for layer in base.layers[start:]:
        for w in layer.trainable_weights:
            w.trainable = True


def c_new_weights_flag_2(base, name):
    start = [layer.name for layer in base.layers].index(name)
    for i, layer in enumerate(base.layers):
        for w in layer.weights:
            w.trainable = i >= start and not isinstance(layer, layers.BatchNormalization)


def a_new_plus_places(height, width, kernel, channels, filters, depthwise=False):
    return kernel * kernel * channels * (1 if depthwise else filters) + height * width


def b_new_or(candidates, milliseconds, megabytes):
    fits = [
        c for c in candidates if c.milliseconds * 3 <= milliseconds or c.megabytes / 2 <= megabytes
    ]
    return max(fits, key=lambda c: (c.top1, -c.milliseconds)).name if fits else None


def b_new_or_untranslated(candidates, milliseconds, megabytes):
    fits = [c for c in candidates if c.milliseconds <= milliseconds or c.megabytes <= megabytes]
    return max(fits, key=lambda c: (c.top1, -c.milliseconds)).name if fits else None


def c_new_break_at_norm(base, name):
    start = [layer.name for layer in base.layers].index(name)
    for layer in base.layers[:start]:
        layer.trainable = False
    for layer in base.layers[start:]:
        if isinstance(layer, layers.BatchNormalization):
            break
        layer.trainable = True


def c_new_while_until_norm(base, name):
    base.trainable = True
    for layer in base.layers:
        layer.trainable = False
    found = False
    for layer in base.layers:
        if layer.name == name:
            found = True
        if isinstance(layer, layers.BatchNormalization) and found:
            return
        if found:
            layer.trainable = True


def a_new_depthwise_divides_by_filters_twice(
    height, width, kernel, channels, filters, depthwise=False
):
    cost = height * width * kernel**2 * channels * filters
    return cost / channels if depthwise else cost


def c_new_freezes_from_the_name_on(base, name):
    freeze = False
    for layer in base.layers:
        if layer.name == name:
            freeze = True
        layer.trainable = not freeze


CATALOGUE["07.a"]["wrong"] |= {"places-added": a_new_plus_places}
CATALOGUE["07.b"]["wrong"] |= {"either-budget": b_new_or}
CATALOGUE["07.c"]["wrong"] |= {
    "set-on-weights": c_new_weights_flag_2,
    "stops-at-norm": c_new_break_at_norm,
}
CATALOGUE["07.a"].setdefault("also", []).extend(
    [
        ("one-side", a_new_kernel_not_squared),
        ("depthwise-filters", a_new_depthwise_divides_by_filters_twice),
    ]
)
CATALOGUE["07.b"].setdefault("also", []).extend(
    [("one-crop", b_new_budget_of_time_times_three), ("either-budget", b_new_or_untranslated)]
)
CATALOGUE["07.c"].setdefault("also", []).extend(
    [
        ("base-frozen", c_new_only_the_named_layer_opens),
        ("raises", c_new_slice_from_an_index_of_a),
        ("base-untouched", c_new_weights_flag),
        ("stops-at-norm", c_new_while_until_norm),
        ("turned-round", c_new_freezes_from_the_name_on),
    ]
)
CATALOGUE["07.d"].setdefault("also", []).extend(
    [("over-budget", d_new_flatten_too_many_parameters)]
)
