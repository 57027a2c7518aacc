"""Answers to lesson 06's exercises: the stub, right ones, and wrong ones with their hint codes."""

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


def cut_stub(base, cut): ...


def cut_and_head(
    base, cut, *, freeze="base", start="cut", gather="pool", units=1, last="sigmoid", give="model"
):
    if freeze == "base":
        base.trainable = False
    tensor = base.output if start == "end" else base.get_layer(cut).output
    gathers = {"pool": layers.GlobalAveragePooling2D, "flatten": layers.Flatten}
    x = gathers[gather]()(tensor) if gather else tensor
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


def names_stub(probabilities, names): ...


CATALOGUE = {
    "06.a": {
        "stub": last_stub,
        "right": [
            lambda model, prefix, side: fitting(model, prefix, side)[-1].name,
            last_by_loop,
            last_where(operator.ge),
            last_from_the_end,
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
        },
    },
    "06.b": {
        "stub": cut_stub,
        "right": [cut_and_head, cut_with_a_new_input, cut_with_a_sequential_head],
        "wrong": {
            "softmax": lambda base, cut: cut_and_head(base, cut, last="softmax"),
            "not-frozen": lambda base, cut: cut_and_head(base, cut, freeze=None),
            "from-the-end": lambda base, cut: cut_and_head(base, cut, start="end"),
            "units": lambda base, cut: cut_and_head(base, cut, units=2, last="softmax"),
            "no-pool": lambda base, cut: cut_and_head(base, cut, gather=None),
            "flatten": lambda base, cut: cut_and_head(base, cut, gather="flatten"),
            "no-sigmoid": lambda base, cut: cut_and_head(base, cut, last=None),
            "other-output": lambda base, cut: cut_and_head(base, cut, last="tanh"),
            "all-frozen": lambda base, cut: cut_and_head(base, cut, freeze="all"),
            "behind-the-cut": cut_and_freeze_the_front,
            "tensor": lambda base, cut: cut_and_head(base, cut, give="tensor"),
            "no-model": lambda base, cut: cut_and_head(base, cut, give=None),
            "sequential": cut_as_sequential,
            "layer": cut_at_the_layer_itself,
        },
    },
    "06.c": {
        "stub": parameters_stub,
        "right": [parameters_by_product, parameters_by_building],
        "wrong": {
            "half": lambda shape, units: (int(np.prod(shape)) + 1) * units,
            "pooled": lambda shape, units: (shape[-1] + 1) * units + units + 1,
            "last-bias": lambda shape, units: (int(np.prod(shape)) + 1) * units + units,
            "one-map": lambda shape, units: (shape[0] * shape[1] + 1) * units + units + 1,
            "first-biases": lambda shape, units: int(np.prod(shape)) * units + units + 1,
            "miscounted": lambda shape, units: int(np.prod(shape)) * units,
            "not-a-number": lambda shape, units: np.array(shape) * units,
        },
    },
    "06.d": {
        "stub": names_stub,
        "right": [
            lambda probabilities, names: [names[int(p > 0.5)] for p in probabilities[:, 0]],
            lambda probabilities, names: list(
                np.where(np.squeeze(probabilities) > 0.5, names[1], names[0])
            ),
            lambda probabilities, names: [names[int(np.rint(p[0]))] for p in probabilities],
            lambda probabilities, names: [names[int(p > 0.5)] for p in probabilities.ravel()],
            lambda probabilities, names: [names[round(p)] for p in probabilities[:, 0]],
            lambda probabilities, names: [names[p.item() > 0.5] for p in probabilities],
            lambda probabilities, names: [
                names[1] if row > 0.5 else names[0] for row in probabilities
            ],
        ],
        "wrong": {
            "argmax": lambda probabilities, names: [names[i] for i in probabilities.argmax(axis=1)],
            "reversed": lambda probabilities, names: [
                names[int(p < 0.5)] for p in probabilities[:, 0]
            ],
            "threshold": lambda probabilities, names: [
                names[int(p > 0.8)] for p in probabilities[:, 0]
            ],
            "nested": lambda probabilities, names: [
                [names[int(p > 0.5)] for p in row] for row in probabilities
            ],
            "row": lambda probabilities, names: [names[p > 0.5] for p in probabilities],
            "index": lambda probabilities, names: [names[p[0] > 0.5] for p in probabilities],
            "numbers": lambda probabilities, names: [int(p > 0.5) for p in probabilities[:, 0]],
            "no-list": lambda probabilities, names: names[int(probabilities[0, 0] > 0.5)],
            "fixed-names": lambda probabilities, names: [
                "dog" if p > 0.5 else "cat" for p in probabilities[:, 0]
            ],
            "length": lambda probabilities, names: sorted(
                {names[int(p > 0.5)] for p in probabilities[:, 0]}
            ),
        },
    },
}
