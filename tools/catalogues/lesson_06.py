"""Answers to lesson 06's exercises: the stub, right ones, and wrong ones with their hint codes."""

import math
import operator

import keras
import numpy as np
from keras import layers


def last_stub(model, prefix, side): ...


def fitting(model, prefix, side):
    return [
        layer
        for layer in model.layers
        if layer.name.startswith(prefix) and min(layer.output.shape[1:3]) >= side
    ]


def last_by_loop(model, prefix, side):
    found = None
    for layer in model.layers:
        _, rows, columns, *_ = layer.output.shape
        if layer.name.startswith(prefix) and rows >= side and columns >= side:
            found = layer.name
    return found


def last_from_the_end(model, prefix, side):
    return next(
        layer.name
        for layer in reversed(model.layers)
        if layer.name.startswith(prefix) and all(n >= side for n in layer.output.shape[1:-1])
    )


def last_where(compare, measure=min, belongs=str.startswith):
    """An answer that compares one measure of an output's (rows, columns) with the side asked.

    Only layers count of which `belongs` says so, asked with their name and the prefix.
    """

    def answer(model, prefix, side):
        return [
            layer.name
            for layer in model.layers
            if belongs(layer.name, prefix) and compare(measure(layer.output.shape[1:3]), side)
        ][-1]

    return answer


def last_by_the_alphabet(model, prefix, side):
    return sorted(layer.name for layer in fitting(model, prefix, side))[-1]


def last_of_exact_size(model, prefix, side):
    return next(
        layer.name
        for layer in model.layers
        if layer.name.startswith(prefix) and layer.output.shape[1] == side
    )


def last_in_numpy(model, prefix, side):
    answer = ""
    for layer in model.layers:
        if layer.name[: len(prefix)] == prefix and np.min(layer.output.shape[1:-1]) >= side:
            answer = layer.name
    return np.str_(answer)


def last_by_unpacking(model, prefix, side):
    sizes = {one.name: keras.ops.shape(one.output)[1:3] for one in model.layers}
    *_, last = (name for name in sizes if name.find(prefix) == 0 and min(sizes[name]) >= side)
    return last


def last_before_the_maps_get_too_small(model, prefix, side):
    last = None
    for layer in model.layers:
        if layer.name.startswith(prefix):
            if min(layer.output.shape[1:3]) < side:
                break
            last = layer.name
    return last


def last_by(measure):
    """An answer that compares some number of the layer itself with the side asked."""
    return lambda model, prefix, side: [
        one.name for one in model.layers if one.name.startswith(prefix) and measure(one) >= side
    ][-1]


def cut_stub(base, cut): ...


def cut_and_head(
    base, cut, *, freeze="base", start="cut", gather="pool", units=1, last="sigmoid", give="model"
):
    if freeze == "base":
        base.trainable = False
    tensor = base.output if start == "end" else base.get_layer(cut).output
    gathers = {
        "pool": layers.GlobalAveragePooling2D,
        "flatten": layers.Flatten,
        "largest": layers.GlobalMaxPooling2D,
    }
    x = gathers[gather]()(tensor) if gather else tensor
    if units:
        x = layers.Dense(units, activation=last)(x)
    if give == "tensor":
        return x
    model = keras.Model(base.input, x)
    if freeze == "all":
        model.trainable = False
    return model if give == "model" else None


def cut_with_a_new_input(base, cut):
    for layer in base.layers:
        layer.trainable = False
    front = keras.Model(base.inputs, base.get_layer(cut).output)
    inputs = keras.Input(base.input.shape[1:])
    x = keras.ops.mean(front(inputs, training=False), axis=(1, 2))
    x = layers.Dense(1)(x)
    return keras.Model(inputs, layers.Activation("sigmoid")(x))


def cut_and_freeze_the_front(base, cut):
    front = keras.Model(base.input, base.get_layer(cut).output)
    front.trainable = False
    x = layers.GlobalAveragePooling2D()(front.output)
    return keras.Model(base.input, layers.Dense(1, activation="sigmoid")(x))


def cut_with_a_sequential_head(base, cut):
    base.trainable = False
    pool = layers.GlobalAveragePooling2D()
    head = keras.Sequential([pool, layers.Dense(1, activation="sigmoid")])
    return keras.Model(base.input, head(base.get_layer(cut).output))


def cut_as_sequential(base, cut):
    base.trainable = False
    front = keras.Model(base.input, base.get_layer(cut).output)
    pool = layers.GlobalAveragePooling2D()
    return keras.Sequential([front, pool, layers.Dense(1, activation="sigmoid")])


def headed(base, x, dropout=0.0):
    """A model from the base's input to one sigmoid unit on `x`."""
    x = layers.Dropout(dropout)(x)
    return keras.Model(base.input, layers.Dense(1, activation="sigmoid")(x))


def cut_layer_by_layer(base, cut):
    for layer in base.layers:
        layer.trainable = False
    x = layers.Dense(1)(keras.ops.mean(base.get_layer(cut).output, axis=(1, 2)))
    return keras.Model(base.inputs, layers.Activation("sigmoid")(x))


def cut_without_a_bias(base, cut):
    base.trainable = False
    x = layers.GlobalAveragePooling2D()(base.get_layer(cut).output)
    return keras.Model(base.input, layers.Dense(1, "sigmoid", use_bias=False)(x))


def cut_and_average_by_hand(base, cut):
    base.trainable = False
    maps = base.get_layer(cut).output
    return headed(base, layers.Flatten()(layers.AveragePooling2D(maps.shape[1:3])(maps)))


def cut_and_reshape(base, cut):
    maps = base.get_layer(cut).output
    x = layers.Reshape((-1, maps.shape[-1]))(maps)
    model = headed(base, layers.GlobalAveragePooling1D()(x), dropout=0.2)
    base.trainable = False
    return model


def cut_the_whole_base(base, cut):
    base.trainable = False
    unit = layers.Dense(1, activation="sigmoid")
    return keras.Sequential([base, layers.GlobalAveragePooling2D(), unit])


def cut_and_freeze_up_to_it(base, cut):
    names = [layer.name for layer in base.layers]
    for layer in base.layers[: names.index(cut) + 1]:
        layer.trainable = False
    return headed(base, layers.GlobalAveragePooling2D()(base.get_layer(cut).output))


def cut_and_set_training(base, cut):
    for layer in base.layers:
        layer.training = False
    return cut_and_head(base, cut, freeze=None)


def cut_one_before(base, cut):
    base.trainable = False
    place = [layer.name for layer in base.layers].index(cut)
    return headed(base, layers.GlobalAveragePooling2D()(base.layers[place - 1].output))


def cut_without_a_call(base, cut):
    base.trainable = False
    return headed(base, layers.GlobalAveragePooling2D(base.get_layer(cut).output))


def cut_from_an_unconnected_input(base, cut):
    x = layers.GlobalAveragePooling2D()(base.get_layer(cut).output)
    return keras.Model(keras.Input(base.input_shape[1:]), layers.Dense(1, "sigmoid")(x))


def cut_with_two_sigmoids(base, cut):
    model = cut_and_head(base, cut)
    return keras.Model(base.input, layers.Activation("sigmoid")(model.output))


def cut_with_a_hidden_layer(base, cut):
    base.trainable = False
    x = layers.GlobalAveragePooling2D()(base.get_layer(cut).output)
    return headed(base, layers.Dense(64, activation="relu")(x))


def cut_at_the_layer_itself(base, cut):
    base.trainable = False
    x = layers.GlobalAveragePooling2D()(base.get_layer(cut))
    return keras.Model(base.input, layers.Dense(1, activation="sigmoid")(x))


def parameters_stub(shape, units): ...


def parameters_by_product(shape, units):
    return int(np.prod(shape)) * units + units + units * 1 + 1


def parameters_by_building(shape, units):
    stack = [keras.Input(shape), layers.Flatten(), layers.Dense(units), layers.Dense(1)]
    return keras.Sequential(stack).count_params()


def parameters_layer_by_layer(shape, units):
    total, width = 0, math.prod(shape)
    for out in (units, 1):
        total += width * out + out
        width = out
    return total


def parameters_of_four(shape, units):
    _, rows, columns, channels = shape
    return parameters_by_product((rows, columns, channels), units)


def see_stub(base): ...


def see(base, cuts=("block5c_add", "block6b_add"), pool=layers.GlobalAveragePooling2D):
    base.trainable = False
    seen = [pool()(base.get_layer(cut).output) for cut in cuts]
    return keras.Model(base.input, layers.Concatenate()(seen) if len(seen) > 1 else seen[0])


def see_with_ops(base):
    base.trainable = False
    maps = base.get_layer("block6b_add").output
    return keras.Model(base.input, keras.ops.mean(maps, axis=(1, 2)))


def see_by_another_model(base):
    """A cut as a model of its own, used like a layer, on the base's input."""
    base.trainable = False
    part = keras.Model(base.input, base.get_layer("block6b_add").output)
    x = part(base.input, training=False)
    both = [layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)]
    return keras.Model(base.input, layers.Concatenate()(both))


def see_nothing(base):
    return keras.Model(base.input, layers.GlobalAveragePooling2D()(base.input * 0))


def see_afresh(base):
    other = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(96, 96, 3), pooling="avg", alpha=0.35
    )
    other.trainable = False
    return other


def see_in_four_ways(base):
    base.trainable = False
    seen = [
        layers.GlobalAveragePooling2D()(base.get_layer(name).output)
        for name in ("block5c_add", "block6a_project_bn", "block6b_add")
    ]
    seen.append(layers.GlobalMaxPooling2D()(base.get_layer("block5c_add").output))
    return keras.Model(base.input, layers.Concatenate()(seen))


def see_unjoined(base):
    both = [
        layers.GlobalAveragePooling2D()(base.get_layer(f"block{n}c_add").output) for n in (4, 5)
    ]
    return keras.Model(base.input, both)


def see_through_a_new_layer(base):
    return keras.Model(base.input, layers.Dense(4)(see(base).output))


def see_unfrozen(base):
    base.trainable = True
    return keras.Model(
        base.input, layers.GlobalAveragePooling2D()(base.get_layer("block6b_add").output)
    )


CATALOGUE = {
    "06.a": {
        "stub": last_stub,
        "right": [
            lambda model, prefix, side: fitting(model, prefix, side)[-1].name,
            last_by_loop,
            last_where(operator.ge),
            last_from_the_end,
            last_in_numpy,
            last_by_unpacking,
        ],
        "wrong": {
            "all-of-them": lambda model, prefix, side: [
                layer.name for layer in fitting(model, prefix, side)
            ],
            "layer": lambda model, prefix, side: fitting(model, prefix, side)[-1],
            "no-name": lambda model, prefix, side: model.layers.index(
                fitting(model, prefix, side)[-1]
            ),
            "prefix": last_where(operator.ge, belongs=lambda name, prefix: True),
            "anywhere": last_where(operator.ge, belongs=operator.contains),
            "alphabet": last_by_the_alphabet,
            "too-small": lambda model, prefix, side: fitting(model, prefix, 1)[-1].name,
            "rows-only": last_where(operator.ge, operator.itemgetter(0)),
            "columns-only": last_where(operator.ge, operator.itemgetter(1)),
            "exactly": last_where(operator.eq),
            "more-than": last_where(operator.gt),
            "no-layer": last_where(operator.ge, belongs=operator.eq),
            "not-last": last_of_exact_size,
            "fixed-prefix": lambda model, prefix, side: fitting(model, "mixed", side)[-1].name,
            "no-such-layer": lambda model, prefix, side: prefix,
            "input": last_by(lambda layer: min(layer.input.shape[1:3])),
            "stops-early": last_before_the_maps_get_too_small,
        },
        "also": [
            ("not-last", lambda model, prefix, side: fitting(model, prefix, side)[0].name),
            ("columns-only", last_where(operator.ge, max)),
            ("columns-only", last_where(lambda size, side: math.prod(size) >= side**2, tuple)),
            ("no-layer", last_by(lambda layer: min(layer.output.shape[2:4]))),
            ("too-small", last_where(operator.le)),
            ("no-name", lambda model, prefix, side: print(fitting(model, prefix, side)[-1].name)),
            (
                "all-of-them",
                lambda model, prefix, side: tuple(x.name for x in fitting(model, prefix, side)),
            ),
            ("raises", last_by(lambda layer: min(layer.output_shape[1:3]))),
            ("raises", last_by(lambda layer: layer.output.shape[0])),
        ],
    },
    "06.b": {
        "stub": cut_stub,
        "right": [
            cut_and_head,
            cut_with_a_new_input,
            cut_with_a_sequential_head,
            cut_as_sequential,
            cut_layer_by_layer,
            cut_without_a_bias,
            cut_and_average_by_hand,
            cut_and_reshape,
        ],
        "wrong": {
            "softmax": lambda base, cut: cut_and_head(base, cut, last="softmax"),
            "not-frozen": lambda base, cut: cut_and_head(base, cut, freeze=None),
            "from-the-end": lambda base, cut: cut_and_head(base, cut, start="end"),
            "units": lambda base, cut: cut_and_head(base, cut, units=2, last="softmax"),
            "no-pool": lambda base, cut: cut_and_head(base, cut, gather=None),
            "flatten": lambda base, cut: cut_and_head(base, cut, gather="flatten"),
            "no-sigmoid": lambda base, cut: cut_and_head(base, cut, last=None),
            "other-output": lambda base, cut: cut_and_head(base, cut, last="softplus"),
            "tanh": lambda base, cut: cut_and_head(base, cut, last="tanh"),
            "relu": lambda base, cut: cut_and_head(base, cut, last="relu"),
            "largest": lambda base, cut: cut_and_head(base, cut, gather="largest"),
            "sum": lambda base, cut: headed(
                base, keras.ops.sum(base.get_layer(cut).output, axis=(1, 2))
            ),
            "two-sigmoids": cut_with_two_sigmoids,
            "before-the-cut": cut_one_before,
            "no-head": lambda base, cut: cut_and_head(base, cut, units=0),
            "head": cut_with_a_hidden_layer,
            "axes": lambda base, cut: headed(
                base, keras.ops.mean(base.get_layer(cut).output, axis=(2, 3))
            ),
            "copy": lambda base, cut: cut_and_head(keras.models.clone_model(base), cut),
            "unknown-flag": cut_and_set_training,
            "all-frozen": lambda base, cut: cut_and_head(base, cut, freeze="all"),
            "behind-the-cut": cut_and_freeze_the_front,
            "tensor": lambda base, cut: cut_and_head(base, cut, give="tensor"),
            "no-model": lambda base, cut: cut_and_head(base, cut, give=None),
            "layer": cut_at_the_layer_itself,
        },
        "also": [
            ("from-the-end", cut_the_whole_base),
            ("behind-the-cut", cut_and_freeze_up_to_it),
            (
                "axes",
                lambda base, cut: headed(
                    base, keras.ops.mean(base.get_layer(cut).output, axis=(1, 3))
                ),
            ),
            (
                "before-the-cut",
                lambda base, cut: headed(
                    base, layers.GlobalAveragePooling2D()(base.get_layer(cut).input)
                ),
            ),
            ("units", lambda base, cut: cut_and_head(base, cut, units=2)),
            ("tensor", lambda base, cut: base.get_layer(cut).output),
            ("raises", cut_without_a_call),
            ("raises", cut_from_an_unconnected_input),
            ("raises", lambda base, cut: headed(base, base.layers[cut].output)),
            ("raises", lambda base, cut: headed(base, layers.Flatten(base.get_layer(cut).output))),
        ],
    },
    "06.c": {
        "stub": parameters_stub,
        "right": [
            parameters_by_product,
            parameters_by_building,
            parameters_layer_by_layer,
            lambda shape, units: np.prod(shape) * units + 2 * units + 1,
            lambda shape, units: units * (math.prod(shape) + 2) + 1,
            lambda shape, units: sum(((np.prod(shape) + 1) * units, units, 1)),
        ],
        "wrong": {
            "half": lambda shape, units: (int(np.prod(shape)) + 1) * units,
            "pooled": lambda shape, units: (shape[-1] + 1) * units + units + 1,
            "last-bias": lambda shape, units: (int(np.prod(shape)) + 1) * units + units,
            "one-map": lambda shape, units: (shape[0] * shape[1] + 1) * units + units + 1,
            "first-biases": lambda shape, units: int(np.prod(shape)) * units + units + 1,
            "miscounted": lambda shape, units: math.prod(shape) ** 2,
            "no-rows": lambda shape, units: parameters_by_product(shape[1:], units),
            "no-columns": lambda shape, units: parameters_by_product(shape[::2], units),
            "no-first": lambda shape, units: units + 1,
            "second-as-wide": lambda shape, units: (math.prod(shape) + 1 + units + 1) * units,
            "two-classes": lambda shape, units: parameters_by_product(shape, units) + units + 1,
            "one-more": lambda shape, units: parameters_by_product(shape, units) + 1,
            "flatten": lambda shape, units: parameters_by_product(shape, units) + math.prod(shape),
            "bytes": lambda shape, units: 4 * parameters_by_product(shape, units),
            "not-a-number": lambda shape, units: np.array(shape) * units,
            "sum": lambda shape, units: parameters_by_product([sum(shape)], units),
            "square": lambda shape, units: parameters_by_product([shape[0], *shape[::2]], units),
            "one-bias": lambda shape, units: math.prod(shape) * units + 1 + units + 1,
            "bias-of-inputs": lambda shape, units: (math.prod(shape) + 1) * (units + 1),
            "millions": lambda shape, units: parameters_by_product(shape, units) / 1e6,
            "lesson-shape": lambda shape, units: parameters_by_product((7, 7, 768), units),
            "lesson-units": lambda shape, units: parameters_by_product(shape, 1024),
        },
        "also": [
            ("half", lambda shape, units: math.prod(shape) * units + units),
            ("not-a-number", lambda shape, units: f"{parameters_by_product(shape, units):,}"),
            ("not-a-number", lambda shape, units: ((math.prod(shape) + 1) * units, units + 1)),
            ("pooled", lambda shape, units: parameters_by_product(shape[2:], units)),
            ("pooled", lambda shape, units: (shape[2] + 1) * units + units),
            ("lesson-shape", lambda shape, units: parameters_by_product((7, 7, 768), 1024)),
            ("first-biases", lambda shape, units: math.prod(shape) * units),
            ("sum", lambda shape, units: np.sum(shape) * units + 2 * units + 1),
            ("not-a-number", lambda shape, units: shape * units),
            ("raises", lambda shape, units: (shape.prod() + 1) * units + units + 1),
            ("raises", parameters_of_four),
        ],
    },
    "06.d": {
        "stub": see_stub,
        "right": [see, see_with_ops, see_by_another_model, see_in_four_ways],
        "wrong": {
            "not-deep-enough": lambda base: see(base, ["block5c_add"]),  # the recipe's cut
            "too-early": lambda base: see(base, ["block3b_add"]),
            "knows-nothing": see_nothing,
            "over-budget": lambda base: see(base, ["top_conv"]),
            "too-wide": lambda base: see(base, ["block5c_add", "block3b_add"], layers.Flatten),
            "maps": lambda base: see(base, ["block6b_add"], layers.Identity),
            "other-input": see_afresh,
            "not-frozen": see_unfrozen,
            "tensor": lambda base: see(base).output,
            "no-model": lambda base: None,
        },
        "also": [
            ("maps", see_unjoined),
            ("not-frozen", see_through_a_new_layer),
            ("raises", lambda base: see(base, ["mixed7"])),
        ],
    },
}

# --- As newcomers typed them, without sight of the checks --------------------------------------


def a_new_looks_at_rows_only(model, prefix, side):
    found = None
    for layer in model.layers:
        if layer.name.startswith(prefix) and layer.output.shape[1] >= side:
            found = layer.name
    return found


def a_new_prefix_anywhere_in_the_name(model, prefix, side):
    names = [
        layer.name
        for layer in model.layers
        if prefix in layer.name and layer.output.shape[1] >= side and layer.output.shape[2] >= side
    ]
    return names[-1]


def b_new_two_units_softmax(base, cut):
    base.trainable = False
    x = layers.GlobalAveragePooling2D()(base.get_layer(cut).output)
    return keras.Model(base.input, layers.Dense(2, activation="softmax")(x))


def b_new_calls_the_layer_on_the_base(base, cut):
    base.trainable = False
    x = base.get_layer(cut)(base.output)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(base.input, layers.Dense(1, activation="sigmoid")(x))


def c_new_as_if_pooled_channels_only(shape, units):
    return shape[-1] * units + units + units + 1


def c_new_bias_of_the_last_unit_left(shape, units):
    return shape[0] * shape[1] * shape[2] * units + units + units


def d_new_maps_not_rows(base):
    return keras.Model(base.input, base.get_layer("block5c_add").output)


def b_new_index_name(base, cut):
    base.trainable = False
    x = layers.GlobalAveragePooling2D()(base.get_layer(index=cut).output)
    return keras.Model(base.input, layers.Dense(1, activation="sigmoid")(x))


def c_new_thousands_rounded(shape, units):
    a, b, c = shape
    return round(((a * b * c + 1) * units + units + 1) / 1000)


def c_new_thousands(shape, units):
    a, b, c = shape
    return ((a * b * c + 1) * units + units + 1) // 1000


def c_new_thousands_too(shape, units):
    a, b, c = shape
    return ((a * b * c + 1) * units + units + 1) / 1000


def a_new_first_rather_than_last(model, prefix, side):
    for layer in model.layers:
        if layer.name.startswith(prefix):
            s = layer.output.shape
            if s[1] >= side and s[2] >= side:
                return layer.name


def b_new_no_activation_on_the_unit(base, cut):
    for layer in base.layers:
        layer.trainable = False
    x = layers.GlobalAveragePooling2D()(base.get_layer(cut).output)
    return keras.Model(base.input, layers.Dense(1)(x))


CATALOGUE["06.a"].setdefault("also", []).extend(
    [
        ("rows-only", a_new_looks_at_rows_only),
        ("anywhere", a_new_prefix_anywhere_in_the_name),
        ("not-last", a_new_first_rather_than_last),
    ]
)
CATALOGUE["06.b"].setdefault("also", []).extend(
    [
        ("units", b_new_two_units_softmax),
        ("from-the-end", b_new_calls_the_layer_on_the_base),
        ("raises", b_new_index_name),
        ("no-sigmoid", b_new_no_activation_on_the_unit),
    ]
)
CATALOGUE["06.c"].setdefault("also", []).extend(
    [
        ("pooled", c_new_as_if_pooled_channels_only),
        ("last-bias", c_new_bias_of_the_last_unit_left),
        ("thousands", c_new_thousands_rounded),
        ("thousands", c_new_thousands),
        ("thousands", c_new_thousands_too),
    ]
)
CATALOGUE["06.d"].setdefault("also", []).extend([("maps", d_new_maps_not_rows)])
