"""Answers to the exercises of lesson 01: the stub, right ones, and a wrong one for each hint."""

import keras
import numpy as np
from keras import layers


# --- a: the same network, functionally ---------------------------------------------------------
def a_stub():
    inputs = keras.Input((28, 28))
    outputs = ...
    return keras.Model(inputs, outputs)


def a_right():
    inputs = keras.Input((28, 28))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Flatten()(x)
    x = layers.Dense(32, activation="relu")(x)
    x = layers.Dense(16, activation="relu")(x)
    outputs = layers.Dense(10, activation="softmax")(x)
    return keras.Model(inputs, outputs)


def a_right_in_small_steps():
    pixels = keras.Input(shape=(28, 28))
    flat = keras.ops.reshape(pixels / 255.0, (-1, 784))
    hidden = keras.activations.relu(layers.Dense(32)(flat))
    hidden = layers.ReLU()(layers.Dense(16)(hidden))
    return keras.Model(inputs=[pixels], outputs=[layers.Softmax()(layers.Dense(10)(hidden))])


def a_sequential():
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(16, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def a_tensor():
    x = layers.Flatten()(layers.Rescaling(1 / 255)(keras.Input((28, 28))))
    x = layers.Dense(32, activation="relu")(x)
    x = layers.Dense(16, activation="relu")(x)
    return layers.Dense(10, activation="softmax")(x)


def a_returns_nothing():
    a_right()


def a_rescaling_thrown_away():
    inputs = keras.Input((28, 28))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Flatten()(inputs)
    x = layers.Dense(32, activation="relu")(x)
    x = layers.Dense(16, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def a_dense_thrown_away():
    inputs = keras.Input((28, 28))
    x = layers.Flatten()(layers.Rescaling(1 / 255)(inputs))
    x = layers.Dense(32, activation="relu")(x)
    layers.Dense(16, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def a_no_rescaling():
    inputs = keras.Input((28, 28))
    x = layers.Flatten()(inputs)
    x = layers.Dense(32, activation="relu")(x)
    x = layers.Dense(16, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def a_no_flatten():
    inputs = keras.Input((28, 28))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Dense(32, activation="relu")(x)
    x = layers.Dense(16, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def a_with(
    units=(32, 16, 10),
    activations=("relu", "relu", "softmax"),
    shape=(28, 28),
    scale=1 / 255,
    **more,
):
    inputs = keras.Input(shape)
    x = layers.Flatten()(layers.Rescaling(scale, **more)(inputs))
    for number, activation in zip(units, activations, strict=True):
        x = layers.Dense(number, activation=activation)(x)
    return keras.Model(inputs, x)


def a_two_pictures():
    pixels, other = keras.Input((28, 28)), keras.Input((28, 28))
    return keras.Model(pixels, layers.Dense(10)(layers.Flatten()(other)))


class Unfinished(keras.Model):
    pass


# --- b: parameters by hand ---------------------------------------------------------------------
def b_stub(sizes):
    return ...


def b_right(sizes):
    total = 0
    for i in range(len(sizes) - 1):
        total += (sizes[i] + 1) * sizes[i + 1]
    return total


def b_right_from_keras(sizes):
    network = [keras.Input((sizes[0],)), *(layers.Dense(units) for units in sizes[1:])]
    return keras.Sequential(network).count_params()


def b_right_numpy(sizes):
    sizes = np.array(sizes)
    return sizes[:-1] @ sizes[1:] + sizes[1:].sum()


# --- c: cut a model ----------------------------------------------------------------------------
def c_stub(model, layer_name):
    return keras.Model(model.input, ...)


def c_right(model, layer_name):
    return keras.Model(model.input, model.get_layer(layer_name).output)


def c_right_by_index(model, layer_name):
    names = [layer.name for layer in model.layers]
    return keras.Model(model.inputs, model.layers[names.index(layer_name)].output)


def c_right_sequential(model, layer_name):
    names = [layer.name for layer in model.layers]
    return keras.Sequential(model.layers[: names.index(layer_name) + 1])


def c_tensor(model, layer_name):
    return model.get_layer(layer_name).output


def c_layer(model, layer_name):
    return model.get_layer(layer_name)


def c_whole(model, layer_name):
    return model


def c_one_too_late(model, layer_name):
    names = [layer.name for layer in model.layers]
    return keras.Model(model.input, model.layers[names.index(layer_name) + 1].output)


def c_always_the_same(model, layer_name):
    return keras.Model(model.input, model.layers[-2].output)


def c_new_layer(model, layer_name):
    layer = model.get_layer(layer_name)
    return keras.Model(model.input, layers.Dense(layer.units, activation="tanh")(layer.input))


def c_clone(model, layer_name):
    clone = keras.models.clone_model(model)
    return keras.Model(clone.input, clone.get_layer(layer_name).output)


def c_clone_with_weights(model, layer_name):
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    return keras.Model(clone.input, clone.get_layer(layer_name).output)


def c_from_the_middle(model, layer_name):
    return keras.Model(model.get_layer("first").output, model.get_layer("third").output)


def c_all_outputs(model, layer_name):
    return keras.Model(model.input, [model.get_layer(layer_name).output, model.output])


def c_in_place(model, layer_name):
    layer = model.get_layer(layer_name)
    layer.set_weights([0 * weight for weight in layer.get_weights()])
    return keras.Model(model.input, layer.output)


# --- d: two inputs -----------------------------------------------------------------------------
def d_stub():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    outputs = ...
    return keras.Model([picture, weight], outputs)


def d_with(use_picture=True, use_weight=True, activation="softmax", units=10, names=False):
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    flat = layers.Flatten()(layers.Rescaling(1 / 255)(picture))
    used = [flat] * use_picture + [weight] * use_weight
    x = layers.Concatenate()(used) if len(used) == 2 else used[0]
    outputs = layers.Dense(units, activation=activation)(x)
    inputs = {"weight": weight, "picture": picture} if names else [picture, weight]
    return keras.Model(inputs, outputs)


def d_right_deeper():
    weight, picture = keras.Input((1,)), keras.Input((28, 28))
    seen = layers.Dense(8, activation="tanh")(layers.Flatten()(picture / 255.0))
    joined = keras.ops.concatenate([weight / 100, seen], axis=-1)
    return keras.Model([weight, picture], layers.Dense(10, activation="softmax")(joined))


def d_picture_only():
    picture = keras.Input((28, 28))
    return keras.Model(picture, layers.Dense(10, activation="softmax")(layers.Flatten()(picture)))


def d_weight_not_given():
    picture, weight = keras.Input((28, 28)), keras.Input((1,))
    joined = layers.Concatenate()([layers.Flatten()(picture), weight])
    return keras.Model(picture, layers.Dense(10, activation="softmax")(joined))


def d_picture_not_flat():
    picture, weight = keras.Input((28, 28)), keras.Input((1,))
    return keras.Model([picture, weight], layers.Concatenate()([picture, weight]))


def d_weight_without_axis():
    picture, weight = keras.Input((28, 28)), keras.Input((10,))
    joined = layers.Concatenate()([layers.Flatten()(picture), weight])
    return keras.Model([picture, weight], layers.Dense(10, activation="softmax")(joined))


def d_tensor():
    return d_with().output


CATALOGUE = {
    "01.a": {
        "stub": a_stub,
        "right": [a_right, a_right_in_small_steps],
        "wrong": {
            "sequential": a_sequential,
            "tensor": a_tensor,
            "no-model": a_returns_nothing,
            "not-a-function": "keras.Model(inputs, outputs)",
            "no-graph": lambda: Unfinished(),
            "not-connected": a_two_pictures,
            "thrown-away": a_dense_thrown_away,
            "no-rescaling": a_no_rescaling,
            "other-rescaling": lambda: a_with(scale=1 / 127.5, offset=-1),
            "no-flatten": a_no_flatten,
            "no-relu": lambda: a_with(activations=(None, "relu", "softmax")),
            "no-softmax": lambda: a_with(activations=("relu", "relu", None)),
            "units": lambda: a_with(units=(16, 32, 10)),
            "layer-count": lambda: a_with(units=(32, 10), activations=("relu", "softmax")),
            "input-shape": lambda: a_with(shape=(28, 28, 1)),
        },
    },
    "01.b": {
        "stub": b_stub,
        "right": [b_right, b_right_from_keras, b_right_numpy],
        "wrong": {
            "not-a-function": 55_050,
            "returns-nothing": lambda sizes: None,
            "not-a-number": lambda sizes: [a * b + b for a, b in zip(sizes, sizes[1:])],  # noqa: B905, RUF007
            "no-bias": lambda sizes: sum(a * b for a, b in zip(sizes, sizes[1:])),  # noqa: B905, RUF007
            "one-bias-a-layer": lambda s: sum(a * b + 1 for a, b in zip(s, s[1:])),  # noqa: B905, RUF007
            "bias-per-input": lambda s: sum(a * b + a for a, b in zip(s, s[1:])),  # noqa: B905, RUF007
            "activations": lambda sizes: sum(sizes),
            "activations-in-layers": lambda sizes: sum(sizes[1:]),
            "all-multiplied": lambda sizes: int(np.prod(sizes)),
            "inputs-get-bias": lambda sizes: b_right(sizes) + sizes[0],
            "first-layer-only": lambda sizes: sizes[0] * sizes[1] + sizes[1],
            "last-layer-missing": lambda sizes: b_right(sizes[:-1]),
            "first-layer-missing": lambda sizes: b_right(sizes[1:]),
            "one-network-only": lambda sizes: 784 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10,
            "miscounted": lambda sizes: sum(a * a for a in sizes),
        },
    },
    "01.c": {
        "stub": c_stub,
        "right": [c_right, c_right_by_index, c_right_sequential],
        "wrong": {
            "tensor": c_tensor,
            "no-model": c_layer,
            "whole": c_whole,
            "wrong-layer": c_one_too_late,
            "fresh-weights": c_new_layer,
            "copied-weights": c_clone_with_weights,
            "other-input": c_from_the_middle,
            "more-outputs": c_all_outputs,
            "changed-original": c_in_place,
            "raises": lambda model, layer_name: keras.Model(model.input, layer_name),
        },
    },
    "01.d": {
        "stub": d_stub,
        "right": [d_with, d_right_deeper, lambda: d_with(names=True)],
        "wrong": {
            "one-input": d_picture_only,
            "not-connected": d_weight_not_given,
            "raises": d_picture_not_flat,
            "input-shape": d_weight_without_axis,
            "output-shape": lambda: d_with(units=1),
            "weight-unused": lambda: d_with(use_weight=False),
            "picture-unused": lambda: d_with(use_picture=False),
            "no-softmax": lambda: d_with(activation=None),
            "tensor": d_tensor,
        },
    },
}
