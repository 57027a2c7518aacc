"""Answers to the exercises of lesson 01: the stub, right ones, and a wrong one for each hint."""

import keras
import numpy as np
import tensorflow as tf
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
    use_bias=True,
    norm=False,
    **more,
):
    inputs = keras.Input(shape)
    x = layers.Flatten()(layers.Rescaling(scale, **more)(inputs))
    for number, activation in zip(units, activations, strict=True):
        x = layers.BatchNormalization()(x) if norm else x
        x = layers.Dense(number, activation=activation, use_bias=use_bias)(x)
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


def a_second_without_relu():
    inputs = keras.Input((28, 28))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Flatten()(x)
    x = layers.Dense(32, activation="relu")(x)
    x = layers.Dense(16)(x)
    outputs = layers.Dense(10, activation="softmax")(x)
    return keras.Model(inputs, outputs)


def a_two_layers_side_by_side():
    inputs = keras.Input((28, 28))
    x = layers.Rescaling(1 / 255)(inputs)
    f = layers.Flatten()(x)
    a = layers.Dense(32, activation="relu")(f)
    b = layers.Dense(16, activation="relu")(f)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(b))


def a_rescaling_255():
    inputs = keras.Input((28, 28))
    x = layers.Rescaling(255)(inputs)
    x = layers.Flatten()(x)
    x = layers.Dense(32, activation="relu")(x)
    x = layers.Dense(16, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def a_layer_of_a_tensor():
    inputs = keras.Input((28, 28))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Flatten(x)
    x = layers.Dense(32, activation="relu")(x)
    x = layers.Dense(16, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def a_activations_without_quotes():
    inputs = keras.Input((28, 28))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Flatten()(x)
    x = layers.Dense(32, activation=relu)(x)  # noqa: F821
    x = layers.Dense(16, activation=relu)(x)  # noqa: F821
    return keras.Model(inputs, layers.Dense(10, activation=softmax)(x))  # noqa: F821


def a_tensor_as_an_argument():
    inputs = keras.Input((28, 28))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Flatten()(x)
    x = layers.Dense(32, "relu", x)
    x = layers.Dense(16, "relu", x)
    return keras.Model(inputs, layers.Dense(10, "softmax", x))


def a_sigmoid_instead_of_softmax():
    inputs = keras.Input((28, 28))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Flatten()(x)
    x = layers.Dense(32, activation="relu")(x)
    x = layers.Dense(16, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(10, activation="sigmoid")(x))


def a_relu_at_the_end():
    inputs = keras.Input((28, 28))
    x = layers.Flatten()(layers.Rescaling(1 / 255)(inputs))
    for n in (32, 16, 10):
        x = layers.Dense(n, activation="relu")(x)
    return keras.Model(inputs, x)


def a_as_in_the_lesson():
    inputs = keras.Input((28, 28))
    x = layers.Flatten()(layers.Rescaling(1 / 255)(inputs))
    x = layers.Dense(64, activation="relu")(x)
    x = layers.Dense(64, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def a_outputs_first():
    inputs = keras.Input((28, 28))
    x = layers.Flatten()(layers.Rescaling(1 / 255)(inputs))
    x = layers.Dense(32, activation="relu")(x)
    x = layers.Dense(16, activation="relu")(x)
    outputs = layers.Dense(10, activation="softmax")(x)
    return keras.Model(outputs, inputs)


def a_dropout_added():
    inputs = keras.Input((28, 28))
    x = layers.Flatten()(layers.Rescaling(1 / 255)(inputs))
    x = layers.Dense(32, activation="relu")(x)
    x = layers.Dropout(0.3)(x)
    x = layers.Dense(16, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def a_right_in_a_loop():
    inputs = x = keras.Input((28, 28))
    for layer in (
        layers.Rescaling(1 / 255),
        layers.Flatten(),
        layers.Dense(32, "relu"),
        layers.Dense(16, "relu"),
        layers.Dense(10, "softmax"),
    ):
        x = layer(x)
    return keras.Model(inputs, x)


def a_right_with_activation_layers():
    inputs = keras.Input((28, 28))
    x = layers.Rescaling(1.0 / 255.0)(inputs)
    x = layers.Reshape((784,))(x)
    x = layers.ReLU()(layers.Dense(32)(x))
    x = layers.ReLU()(layers.Dense(16)(x))
    x = layers.Softmax()(layers.Dense(10)(x))
    return keras.Model(inputs=inputs, outputs=x)


def a_right_with_functions():
    inputs = keras.Input(shape=(28, 28), name="pixels")
    x = layers.Flatten()(inputs / 255.0)
    x = layers.Dense(32, activation=keras.activations.relu)(x)
    x = layers.Dense(16, activation=tf.nn.relu)(x)
    return keras.Model(inputs, layers.Dense(10, activation=keras.ops.softmax)(x), name="mine")


def a_right_flattened_first():
    inputs = keras.Input((28, 28))
    x = layers.Flatten()(inputs)
    x = layers.Rescaling(scale=1 / 255)(x)
    x = layers.Dense(units=32, activation="relu")(x)
    x = layers.Dense(units=16, activation="relu")(x)
    outputs = layers.Dense(units=10, activation="softmax")(x)
    return keras.models.Model([inputs], [outputs])


def b_one_round_too_many(sizes):
    total = 0
    for i in range(len(sizes)):
        total += sizes[i] * sizes[i + 1] + sizes[i + 1]
    return total


def b_of_four_sizes(sizes):
    a, b, c, d = sizes
    return a * b + b + b * c + c + c * d + d


def b_return_in_the_loop(sizes):
    total = 0
    for a, b in zip(sizes, sizes[1:]):
        total += a * b + b
        return total


def b_popped(sizes):
    total, before = 0, sizes.pop(0)
    while sizes:
        units = sizes.pop(0)
        total += before * units + units
        before = units
    return total


def b_sum_set_back(sizes):
    for a, b in zip(sizes, sizes[1:]):
        total = 0
        total += a * b + b
    return total


def b_numpy_dot(sizes):
    s = np.array(sizes)
    return int(s[:-1] @ s[1:] + s[1:].sum())


def b_right_recursive(sizes):
    def count(s):
        return 0 if len(s) < 2 else s[0] * s[1] + s[1] + count(s[1:])

    return count(sizes)


def b_np_int64_from_ndarray(sizes):
    s = np.asarray(sizes, dtype=np.int64)
    return np.sum((s[:-1] + 1) * s[1:])


def c_sequential_one_short(model, layer_name):
    names = [layer.name for layer in model.layers]
    return keras.Sequential(model.layers[: names.index(layer_name)])


def c_from_a_new_input(model, layer_name):
    inputs = keras.Input((28, 28))
    return keras.Model(inputs, model.get_layer(layer_name).output)


def c_one_layer(model, layer_name):
    layer = model.get_layer(layer_name)
    return keras.Model(layer.input, layer.output)


def c_frozen(model, layer_name):
    cut = keras.Model(model.input, model.get_layer(layer_name).output)
    cut.trainable = False
    return cut


def c_popped(model, layer_name):
    while len(model.layers) > 3:
        model.layers.pop()
        if model.layers[-1].name == layer_name or len(model.layers) > 3:
            break
    return model


def c_right_by_search(model, layer_name):
    [layer] = [layer for layer in model.layers if layer.name == layer_name]
    return keras.Model(model.input, layer.output)


def c_right_on_a_new_input(model, layer_name):
    inner = keras.Model(model.input, model.get_layer(layer_name).output)
    inputs = keras.Input(model.input_shape[1:])
    return keras.Model(inputs, inner(inputs))


def d_joined_unflattened():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    x = layers.Concatenate()([picture, weight])
    return keras.Model([picture, weight], layers.Dense(10, activation="softmax")(x))


def d_layer_of_a_list():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    x = layers.Concatenate([layers.Flatten()(picture), weight])
    return keras.Model([picture, weight], layers.Dense(10, activation="softmax")(x))


def d_two_arguments():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    x = layers.Concatenate()(layers.Flatten()(picture), weight)
    return keras.Model([picture, weight], layers.Dense(10, activation="softmax")(x))


def d_joined_along_the_batch():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    x = layers.Concatenate(axis=0)([layers.Flatten()(picture), weight])
    return keras.Model([picture, weight], layers.Dense(10, activation="softmax")(x))


def d_sigmoid():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    x = layers.Concatenate()([layers.Flatten()(picture), weight])
    return keras.Model([picture, weight], layers.Dense(10, activation="sigmoid")(x))


def d_joined_after_softmax():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    a = layers.Dense(10, activation="softmax")(layers.Flatten()(picture))
    b = layers.Dense(10, activation="softmax")(weight)
    return keras.Model([picture, weight], layers.Concatenate()([a, b]))


def d_softmax_of_one():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    w = layers.Dense(1, activation="softmax")(weight)
    x = layers.Concatenate()([layers.Flatten()(picture), w])
    return keras.Model([picture, weight], layers.Dense(10, activation="softmax")(x))


def d_added():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    x = layers.Add()([picture, weight])
    return keras.Model([picture, weight], layers.Dense(10, activation="softmax")(x))


def d_two_outputs():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    a = layers.Dense(10, activation="softmax")(layers.Flatten()(picture))
    b = layers.Dense(10, activation="softmax")(weight)
    return keras.Model([picture, weight], [a, b])


def d_softmax_over_the_batch():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    x = layers.Concatenate()([layers.Flatten()(picture), weight])
    return keras.Model([picture, weight], layers.Softmax(axis=0)(layers.Dense(10)(x)))


def d_by_numpy():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    x = np.concatenate([layers.Flatten()(picture), weight], axis=1)
    return keras.Model([picture, weight], layers.Dense(10, activation="softmax")(x))


def d_by_tensorflow():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    x = tf.concat([layers.Flatten()(picture), weight], axis=1)
    return keras.Model([picture, weight], layers.Dense(10, activation="softmax")(x))


def d_right_convolutional():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    x = layers.Reshape((28, 28, 1))(picture / 255)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 3, activation="relu")(x))
    w = layers.Dense(4, activation="tanh")(weight / 1000)
    x = keras.ops.concatenate([x, w], axis=-1)
    return keras.Model([picture, weight], layers.Dense(10, activation="softmax")(x))


def d_right_added():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    a = layers.Dense(10)(layers.Flatten()(layers.Rescaling(1 / 255)(picture)))
    b = layers.Dense(10)(layers.Rescaling(1 / 1000)(weight))
    return keras.Model([picture, weight], layers.Softmax()(layers.Add()([a, b])))


def d_right_multiplied():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    a = layers.Dense(32, activation="relu")(layers.Flatten()(picture) / 255)
    b = layers.Dense(32, activation="sigmoid")(weight / 500)
    x = layers.Dense(10, activation="softmax")(layers.multiply([a, b]))
    return keras.Model(inputs=[picture, weight], outputs=x)


def d_right_with_batch_norm():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    grams = layers.BatchNormalization()(weight)
    x = layers.concatenate([layers.Flatten()(picture), grams])
    x = layers.Dense(64, activation="relu")(x)
    return keras.Model((picture, weight), layers.Dense(10, activation="softmax")(x))


def d_right_in_bins():
    picture, weight = keras.Input((28, 28)), keras.Input((1,))
    bins = layers.Discretization(bin_boundaries=[50.0, 100.0, 200.0], output_mode="one_hot")(weight)
    joined = layers.Concatenate()([layers.Flatten()(picture), bins])
    return keras.Model([picture, weight], layers.Dense(10, activation="softmax")(joined))


CATALOGUE = {
    "01.a": {
        "stub": a_stub,
        "right": [
            a_right,
            a_right_in_small_steps,
            a_right_in_a_loop,
            a_right_with_activation_layers,
            a_right_with_functions,
            a_right_flattened_first,
        ],
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
            "without-bias": lambda: a_with(use_bias=False),
            "weights-too-many": lambda: a_with(norm=True),
            "layer-count": lambda: a_with(units=(32, 10), activations=("relu", "softmax")),
            "input-shape": lambda: a_with(shape=(28, 28, 1)),
            "raises": a_layer_of_a_tensor,
            "never-called": a_tensor_as_an_argument,
            "acts-in-training": a_dropout_added,
        },
        "also": [
            ("no-relu", a_second_without_relu),
            ("thrown-away", a_two_layers_side_by_side),
            ("other-rescaling", a_rescaling_255),
            ("raises", a_activations_without_quotes),
            ("no-softmax", a_sigmoid_instead_of_softmax),
            ("no-softmax", a_relu_at_the_end),
            ("units", a_as_in_the_lesson),
            ("not-connected", a_outputs_first),
        ],
    },
    "01.b": {
        "stub": b_stub,
        "right": [
            b_right,
            b_right_from_keras,
            b_right_numpy,
            lambda sizes: sum((sizes[i - 1] + 1) * sizes[i] for i in range(1, len(sizes))),
            b_numpy_dot,
            b_right_recursive,
            b_np_int64_from_ndarray,
        ],
        "wrong": {
            "not-a-function": 55_050,
            "returns-nothing": lambda sizes: None,
            "not-a-number": lambda sizes: [a * b + b for a, b in zip(sizes, sizes[1:])],
            "no-bias": lambda sizes: sum(a * b for a, b in zip(sizes, sizes[1:])),
            "one-bias-a-layer": lambda s: sum(a * b + 1 for a, b in zip(s, s[1:])),
            "bias-per-input": lambda s: sum(a * b + a for a, b in zip(s, s[1:])),
            "activations": lambda sizes: sum(sizes),
            "activations-in-layers": lambda sizes: sum(sizes[1:]),
            "all-multiplied": lambda sizes: int(np.prod(sizes)),
            "inputs-get-bias": lambda sizes: b_right(sizes) + sizes[0],
            "first-layer-only": lambda sizes: sizes[0] * sizes[1] + sizes[1],
            "last-layer-missing": lambda sizes: b_right(sizes[:-1]),
            "first-layer-missing": lambda sizes: b_right(sizes[1:]),
            "one-network-only": lambda sizes: 784 * 64 + 64 + 64 * 64 + 64 + 64 * 10 + 10,
            "miscounted": lambda sizes: sum(a * a for a in sizes),
            "miscounted-between": lambda sizes: (
                sum(b * b + b for b in sizes[1:-1]) + sizes[-2] * sizes[-1] + sizes[-1]
            ),
            "raises": b_one_round_too_many,
            "changed-in-place": b_popped,
            "last-layer-only": b_sum_set_back,
            "bias-of-the-first-only": lambda s: sum(a * b for a, b in zip(s, s[1:])) + s[1],
            "bias-of-the-last-only": lambda s: sum(a * b for a, b in zip(s, s[1:])) + s[-1],
            "bias-of-the-hidden-only": lambda s: b_right(s) - s[-1],
            "largest-layer-only": lambda s: max(a * b + b for a, b in zip(s, s[1:])),
            "mean-of-layers": lambda s: np.mean([a * b + b for a, b in zip(s, s[1:])]),
            "added-not-multiplied": lambda s: sum(a + b for a, b in zip(s, s[1:])),
            "in-bytes": lambda s: 4 * b_right(s),
            "always-from-the-inputs": lambda sizes: sum(sizes[0] * n + n for n in sizes[1:]),
            "in-thousands": lambda sizes: round(
                sum(a * b + b for a, b in zip(sizes, sizes[1:])) / 1000, 1
            ),
        },
        "also": [
            ("one-network-only", b_of_four_sizes),
            ("first-layer-only", b_return_in_the_loop),
            ("not-a-number", lambda sizes: f"{sum(a * b + b for a, b in zip(sizes, sizes[1:])):,}"),
        ],
    },
    "01.c": {
        "stub": c_stub,
        "right": [
            c_right,
            c_right_by_index,
            c_right_sequential,
            lambda model, layer_name: keras.Model(
                inputs=model.inputs, outputs=model.get_layer(layer_name).output, name="cut"
            ),
            c_right_by_search,
            lambda model, layer_name: keras.models.Model(
                model.layers[0].output, model.get_layer(name=layer_name).output
            ),
            c_right_on_a_new_input,
        ],
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
            "raises": lambda model, layer_name: keras.Model(
                model.input, model.layers[layer_name].output
            ),
            "the-rest": lambda model, layer_name: keras.Model(
                model.get_layer(layer_name).output, model.output
            ),
            "no-tensor": lambda model, layer_name: keras.Model(
                model.input, model.get_layer(layer_name)
            ),
            "fixed-name": lambda model, layer_name: keras.Model(
                model.input, model.get_layer("hidden_2").output
            ),
            "not-connected": c_from_a_new_input,
            "frozen": c_frozen,
        },
        "also": [
            (
                "wrong-layer",
                lambda model, layer_name: keras.Model(
                    model.input, model.get_layer(layer_name).input
                ),
            ),
            ("no-tensor", lambda model, layer_name: keras.Model(model.input, layer_name)),
            ("wrong-layer", c_sequential_one_short),
            ("fresh-weights", c_clone),
            ("other-input", c_one_layer),
            ("whole", c_popped),
            (
                "raises",
                lambda model, layer_name: keras.Model(
                    model.input, model.get_layer(index=layer_name).output
                ),
            ),
        ],
    },
    "01.d": {
        "stub": d_stub,
        "right": [
            d_with,
            d_right_deeper,
            lambda: d_with(names=True),
            d_right_convolutional,
            d_right_added,
            d_right_multiplied,
            d_right_with_batch_norm,
            d_right_in_bins,
        ],
        "wrong": {
            "one-input": d_picture_only,
            "not-connected": d_weight_not_given,
            "raises": d_layer_of_a_list,
            "input-shape": d_weight_without_axis,
            "output-shape": lambda: d_with(units=1),
            "weight-unused": lambda: d_with(use_weight=False),
            "picture-unused": lambda: d_with(use_picture=False),
            "no-softmax": lambda: d_with(activation=None),
            "tensor": d_tensor,
            "picture-not-flat": d_joined_unflattened,
            "joined-along-the-batch": d_joined_along_the_batch,
            "softmax-of-one": d_softmax_of_one,
            "not-flat": d_added,
            "more-outputs": d_two_outputs,
            "softmax-over-the-batch": d_softmax_over_the_batch,
        },
        "also": [
            ("picture-not-flat", d_picture_not_flat),
            ("raises", d_two_arguments),
            ("no-softmax", d_sigmoid),
            ("output-shape", d_joined_after_softmax),
            ("raises", d_by_numpy),
            ("raises", d_by_tensorflow),
        ],
    },
}

# --- As newcomers typed them, without sight of the checks --------------------------------------


def a_new_the_16_unit_layer_is_made():
    inputs = keras.Input((28, 28))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Flatten()(x)
    x = layers.Dense(32, activation="relu")(x)
    y = layers.Dense(16, activation="relu")(x)
    outputs = layers.Dense(10, activation="softmax")(x)
    return keras.Model(inputs, outputs)


def a_new_sigmoid_at_the_end():
    inputs = keras.Input((28, 28))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Flatten()(x)
    x = layers.Dense(32, activation="relu")(x)
    x = layers.Dense(16, activation="relu")(x)
    outputs = layers.Dense(10, activation="sigmoid")(x)
    return keras.Model(inputs, outputs)


def b_new_biases_of_the_inputs_not_of(sizes):
    return sum(a * b + a for a, b in zip(sizes, sizes[1:]))


def b_new_loop_one_too_far(sizes):
    total = 0
    for i in range(len(sizes)):
        total += sizes[i] * sizes[i + 1] + sizes[i + 1]
    return total


def c_new_name_as_index_into_layers(model, layer_name):
    return keras.Model(model.input, model.layers[layer_name].output)


def c_new_sequential_of_the_layers_before_it(model, layer_name):
    names = [layer.name for layer in model.layers]
    return keras.Sequential(model.layers[: names.index(layer_name)])


def d_new_inputs_swapped_in_the_model():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    x = layers.Concatenate()([layers.Flatten()(picture), weight])
    outputs = layers.Dense(10, activation="softmax")(x)
    return keras.Model([weight, picture], outputs)


def d_new_picture_not_flattened():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    x = layers.Concatenate()([picture, weight])
    outputs = layers.Dense(10, activation="softmax")(x)
    return keras.Model([picture, weight], outputs, name="picture_and_weight")


def c_new_index_name(model, layer_name):
    return keras.Model(model.input, model.get_layer(index=layer_name).output)


def a_new_rescaling_made_and_never_called_on():
    inputs = keras.Input((28, 28))
    scale = layers.Rescaling(1 / 255)
    x = layers.Flatten()(inputs)
    x = layers.Dense(32, activation="relu")(x)
    x = layers.Dense(16, activation="relu")(x)
    outputs = layers.Dense(10, activation="softmax")(x)
    return keras.Model(inputs, outputs)


def a_new_relu_on_the_output_softmax_on():
    inputs = keras.Input((28, 28))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Flatten()(x)
    x = layers.Dense(32, activation="softmax")(x)
    x = layers.Dense(16, activation="relu")(x)
    outputs = layers.Dense(10, activation="softmax")(x)
    return keras.Model(inputs, outputs)


def b_new_counts_from_the_second_layer_on(sizes):
    total = 0
    for i in range(1, len(sizes) - 1):
        total += sizes[i] * sizes[i + 1] + sizes[i + 1]
    return total


def c_new_fresh_clone_other_weights(model, layer_name):
    copy = keras.models.clone_model(model)
    return keras.Model(copy.input, copy.get_layer(layer_name).output)


def d_new_weight_left_out_of_the_sum():
    picture = keras.Input((28, 28), name="picture")
    weight = keras.Input((1,), name="weight")
    flat = layers.Flatten()(picture)
    both = layers.Concatenate()([flat, flat])
    outputs = layers.Dense(10, activation="softmax")(both)
    return keras.Model([picture, weight], outputs, name="picture_and_weight")


CATALOGUE["01.d"]["right"] += [d_new_inputs_swapped_in_the_model]
CATALOGUE["01.a"].setdefault("also", []).extend(
    [
        ("thrown-away", a_new_the_16_unit_layer_is_made),
        ("no-softmax", a_new_sigmoid_at_the_end),
        ("no-rescaling", a_new_rescaling_made_and_never_called_on),
        ("no-relu", a_new_relu_on_the_output_softmax_on),
    ]
)
CATALOGUE["01.b"].setdefault("also", []).extend(
    [
        ("bias-per-input", b_new_biases_of_the_inputs_not_of),
        ("raises", b_new_loop_one_too_far),
        ("first-layer-missing", b_new_counts_from_the_second_layer_on),
    ]
)
CATALOGUE["01.c"].setdefault("also", []).extend(
    [
        ("raises", c_new_name_as_index_into_layers),
        ("wrong-layer", c_new_sequential_of_the_layers_before_it),
        ("raises", c_new_index_name),
        ("fresh-weights", c_new_fresh_clone_other_weights),
    ]
)
CATALOGUE["01.d"].setdefault("also", []).extend(
    [
        ("picture-not-flat", d_new_picture_not_flattened),
        ("weight-unused", d_new_weight_left_out_of_the_sum),
    ]
)
