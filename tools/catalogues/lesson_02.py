"""Answers to lesson 02's exercises: the stub, right ones, and wrong ones with their hint codes."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def pool_stub(maps): ...


def wire_stub(base, scale):
    inputs = keras.Input(shape=(32, 32, 3))
    ...


def wire(base, scale, *, freeze=True, order="right", pool="mean", give="model"):
    base.trainable = not freeze
    inputs = keras.Input(shape=(32, 32, 3))
    x = scale(inputs)
    if order == "twice":
        x = scale(x)
    x = base(inputs if order == "thrown away" else x, training=False)
    if pool == "mean":
        x = layers.GlobalAveragePooling2D()(x)
    elif pool == "max":
        x = layers.GlobalMaxPooling2D()(x)
    elif pool == "sum":
        x = keras.ops.sum(x, axis=(1, 2))
    elif pool == "min":
        x = keras.ops.min(x, axis=(1, 2))
    elif pool == "all":
        x = keras.ops.mean(x, axis=(1, 2, 3))
    if give == "tensor":
        return x
    if give == "nothing":
        return None
    return keras.Model(inputs, x)


def wire_with_ops(base, scale):
    inputs = keras.Input(shape=(32, 32, 3))
    maps = base(scale(inputs), training=False)
    base.trainable = False
    return keras.Model(inputs, keras.ops.mean(maps, axis=(1, 2)))


def wire_frozen_layer_by_layer(base, scale):
    for layer in base.layers:
        layer.trainable = False
    inputs = keras.Input(shape=(32, 32, 3))
    maps = base(scale(inputs), training=False)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(maps))


def wire_frozen_as_a_whole(base, scale):
    model = wire(base, scale, freeze=False)
    model.trainable = False
    return model


def changed_stub(before, after): ...


def changed_arrays(before, after):
    return sum(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def changed_with_is(before, after):
    return sum(a is not b for a, b in zip(before, after, strict=True))


def own_head_stub(train, val):
    inputs = keras.Input(shape=(1280,))
    ...


def own_head(train, val, *, ending="softmax", units=10, epochs=60, stop=True, hidden=0, rate=0.001):
    head = keras.Sequential([keras.Input((1280,)), layers.Dropout(0.5)])
    if hidden:
        head.add(layers.Dense(hidden, activation="relu"))
    head.add(layers.Dense(units, activation=ending))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=ending is None)
    head.compile(keras.optimizers.Adam(rate), loss=loss)
    best = keras.callbacks.EarlyStopping(patience=6, restore_best_weights=True)
    how = {"validation_data": val, "epochs": epochs, "verbose": 0, "batch_size": 64}
    head.fit(*train, **how, callbacks=[best] if stop else [])
    return head


def own_head_with_smoothing(train, val):
    one_hot = [(x, keras.utils.to_categorical(y, 10)) for x, y in (train, val)]
    inputs = keras.Input((1280,))
    outputs = layers.Dense(10, activation="softmax")(layers.Dropout(0.5)(inputs))
    head = keras.Model(inputs, outputs)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    head.compile(keras.optimizers.AdamW(0.002, weight_decay=0.01), loss=loss)
    best = keras.callbacks.EarlyStopping(patience=6, restore_best_weights=True)
    how = {"epochs": 40, "verbose": 0, "batch_size": 64, "callbacks": [best]}
    head.fit(*one_hot[0], validation_data=one_hot[1], **how)
    return head


def own_head_by_logistic_regression(train, val):
    """No fit at all: the regularised least squares of one-hot rows, with a temperature on top."""
    x, y = train[0], keras.utils.to_categorical(train[1], 10)
    mean = x.mean(axis=0)
    kernel = (x - mean).T @ np.linalg.solve((x - mean) @ (x - mean).T + 300 * np.eye(len(x)), y)
    logits = (val[0] - mean) @ kernel + 0.1

    def loss(scale):
        rows = np.exp(scale * logits)
        return -np.mean(np.log(rows[np.arange(len(rows)), val[1]] / rows.sum(axis=1)))

    scale = min(np.geomspace(1, 30, 30), key=loss)
    head = keras.Sequential([keras.Input((1280,)), layers.Dense(10, activation="softmax")])
    head.layers[-1].set_weights([scale * kernel, scale * (0.1 - mean @ kernel)])
    return head


def own_head_on_both(train, val):
    both = [np.concatenate(pair) for pair in zip(train, val, strict=True)]
    return own_head(both, val, hidden=64, stop=False)


def own_head_of_maps(train, val):
    inputs = keras.Input((3, 3, 1280))
    x = layers.GlobalAveragePooling2D()(inputs)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))


def own_head_that_scales_in_place(train, val):
    for features, _ in (train, val):
        features /= features.max()
    return own_head(train, val, epochs=1)


def pool_reshaped(maps):
    n, h, w, f = maps.shape
    return maps.reshape(n, f, h * w).mean(axis=2)


def pool_divided_in_place(maps):
    maps /= maps.shape[1] * maps.shape[2]
    return maps.sum(axis=(1, 2))


def wire_with_a_slip_of_the_pen(base, scale):
    base.trainble = False
    inputs = keras.Input(shape=(32, 32, 3))
    x = base(scale(inputs), training=False)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def wire_layer_of_a_tensor(base, scale):
    base.trainable = False
    inputs = keras.Input(shape=(32, 32, 3))
    x = base(scale(inputs), training=False)
    x = layers.GlobalAveragePooling2D(x)
    return keras.Model(inputs, x)


def wire_flattened(base, scale):
    base.trainable = False
    inputs = keras.Input(shape=(32, 32, 3))
    x = base(scale(inputs), training=False)
    return keras.Model(inputs, layers.Flatten()(x))


def wire_divided_and_scaled(base, scale):
    base.trainable = False
    inputs = keras.Input(shape=(32, 32, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    x = base(scale(x), training=False)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def wire_divided(base, scale):
    base.trainable = False
    inputs = keras.Input(shape=(32, 32, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    x = base(x, training=False)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def wire_as_in_training(base, scale):
    base.trainable = False
    inputs = keras.Input(shape=(32, 32, 3))
    x = base(scale(inputs), training=True)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def wire_with_a_head(base, scale):
    base.trainable = False
    inputs = keras.Input(shape=(32, 32, 3))
    x = base(scale(inputs), training=False)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(10, activation="softmax")(x)
    return keras.Model(inputs, x)


def wire_flag_called(base, scale):
    base.trainable(False)
    inputs = keras.Input(shape=(32, 32, 3))
    x = base(scale(inputs), training=False)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def wire_scaled_after(base, scale):
    base.trainable = False
    inputs = keras.Input(shape=(32, 32, 3))
    x = scale(base(inputs, training=False))
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def wire_base_of_a_layer(base, scale):
    base.trainable = False
    inputs = keras.Input(shape=(32, 32, 3))
    x = base(scale, training=False)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def wire_last_layer_frozen(base, scale):
    base.layers[-1].trainable = False
    inputs = keras.Input(shape=(32, 32, 3))
    x = base(scale(inputs), training=False)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def wire_from_base_output(base, scale):
    base.trainable = False
    inputs = keras.Input(shape=(32, 32, 3))
    x = scale(inputs)
    x = layers.GlobalAveragePooling2D()(base.output)
    return keras.Model(inputs, x)


def wire_training_set(base, scale):
    base.training = False
    inputs = keras.Input(shape=(32, 32, 3))
    x = base(scale(inputs))
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def wire_pooled_by_ops(base, scale):
    for layer in base.layers:
        layer.trainable = False
    inputs = keras.Input(shape=(32, 32, 3))
    x = base(scale(inputs), training=False)
    return keras.Model(inputs, keras.ops.mean(x, axis=(1, 2)))


def wire_sequential(base, scale):
    base.trainable = False
    return keras.Sequential(
        [keras.Input((32, 32, 3)), scale, base, layers.GlobalAveragePooling2D()]
    )


def wire_frozen_afterwards(base, scale):
    inputs = keras.Input(shape=(32, 32, 3))
    x = layers.GlobalAveragePooling2D(name="p")(base(scale(inputs)))
    model = keras.Model(inputs, x)
    base.trainable = False
    return model


def wire_below_the_dots(base, scale):
    inputs = keras.Input(shape=(32, 32, 3))
    ...  # freeze, rescale, pass through the base, pool, and return a keras.Model
    base.trainable = False
    x = base(scale(inputs), training=False)
    x = layers.AveragePooling2D(x.shape[1:3])(x)
    x = layers.Flatten()(x)
    return keras.Model(inputs, x)


def changed_asked_for_truth(before, after):
    n = 0
    for a, b in zip(before, after):
        if a != b:
            n += 1
    return n


def changed_return_in_the_loop(before, after):
    changed = 0
    for a, b in zip(before, after):
        if not np.array_equal(a, b):
            changed += 1
        return changed


def changed_subtracted_in_place(before, after):
    n = 0
    for a, b in zip(before, after):
        a -= b
        n += bool(np.any(a))
    return n


def changed_in_words(before, after):
    n = sum(not np.array_equal(a, b) for a, b in zip(before, after))
    return f"{n} arrays changed"


def plain_head(activation="softmax", units=10, dropout=0.3):
    inputs = keras.Input(shape=(1280,))
    x = layers.Dropout(dropout)(inputs)
    return keras.Model(inputs, layers.Dense(units, activation=activation)(x))


def own_head_on_whole_numbers(train, val):
    model = plain_head()
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    model.fit(*train, epochs=1, verbose=0)
    return model


def own_head_of_logits(train, val):
    model = plain_head(activation=None)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(*train, validation_data=val, epochs=1, verbose=0)
    return model


def own_head_history(train, val):
    model = plain_head()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model.fit(*train, validation_data=val, epochs=1, verbose=0)


def own_head_fit_on_the_pair(train, val):
    model = plain_head()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(train, validation_data=val, epochs=1, verbose=0)
    return model


def own_head_metrics_third(train, val):
    model = plain_head()
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])
    model.fit(*train, epochs=1, verbose=0)
    return model


def own_head_of_sigmoids(train, val):
    model = plain_head(activation="sigmoid")
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(*train, validation_data=val, epochs=1, verbose=0)
    return model


def own_head_with_weight_decay(train, val):
    model = keras.Sequential(
        [keras.Input((1280,)), layers.Dropout(0.5), layers.Dense(10, activation="softmax")]
    )
    model.compile(
        keras.optimizers.AdamW(1e-3, weight_decay=1e-2), "sparse_categorical_crossentropy"
    )
    stop = keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True)
    model.fit(*train, validation_data=val, epochs=40, batch_size=64, callbacks=[stop], verbose=0)
    return model


def own_head_normalised(train, val):
    norm = layers.Normalization()
    norm.adapt(train[0])
    inputs = keras.Input((1280,))
    x = layers.Dropout(0.5)(norm(inputs))
    x = layers.Dense(10, activation="softmax", kernel_regularizer="l2")(x)
    model = keras.Model(inputs, x)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    data = tf.data.Dataset.from_tensor_slices(train).shuffle(1000).batch(64)
    model.fit(data, epochs=15, verbose=0)
    return model


CATALOGUE = {
    "02.a": {
        "stub": pool_stub,
        "right": [
            lambda maps: maps.mean(axis=(1, 2)),
            lambda maps: np.average(maps.reshape(len(maps), -1, maps.shape[-1]), axis=1),
            lambda maps: layers.GlobalAveragePooling2D()(maps),
            lambda maps: maps.mean(axis=2).mean(axis=1),
            lambda maps: np.einsum("nhwf->nf", maps) / (maps.shape[1] * maps.shape[2]),
            lambda maps: np.stack(
                [one.reshape(-1, one.shape[-1]).astype("float64").mean(axis=0) for one in maps]
            ),
            lambda maps: np.average(maps, axis=(-3, -2)),
            lambda maps: np.squeeze(np.apply_over_axes(np.mean, maps, [1, 2]), axis=(1, 2)),
        ],
        "wrong": {
            "all-axes": lambda maps: maps.mean(),
            "max": lambda maps: maps.max(axis=(1, 2)),
            "sum": lambda maps: maps.sum(axis=(1, 2)),
            "batch-axis": lambda maps: maps.mean(axis=(0, 1)),
            "feature-axis": lambda maps: maps.mean(axis=-1),
            "flatten": lambda maps: maps.reshape(len(maps), -1),
            "one-axis": lambda maps: maps.mean(axis=1),
            "shape": lambda maps: np.median(maps, axis=1),
            "other-values": lambda maps: maps.std(axis=(1, 2)),
            "one-place": lambda maps: maps[:, 0, 0],
            "no-array": lambda maps: None,
            "shifted-axis": lambda maps: maps.mean(axis=1).mean(axis=2),
            "raises": lambda maps: maps.mean(1, 2),
            "other-size": lambda maps: maps.sum(axis=(1, 2)) / 49,
            "keepdims": lambda maps: maps.mean(axis=(1, 2), keepdims=True),
            "one-image": lambda maps: maps[0].mean(axis=(0, 1)),
            "mixed": pool_reshaped,
            "rounded": lambda maps: maps.mean(axis=(1, 2)).round(1),
            "list": lambda maps: maps.mean(axis=(1, 2)).tolist(),
            "changed-in-place": pool_divided_in_place,
            "transposed": lambda maps: maps.mean(axis=(1, 2)).T,
        },
        "also": [
            ("raises", lambda maps: np.mean(maps, axis=[1, 2])),
            ("feature-axis", lambda maps: maps.mean(axis=(2, 3))),
            ("raises", lambda maps: layers.GlobalAveragePooling2D(maps)),
            ("raises", lambda maps: maps.reshape(len(maps), -1, 1280).mean(axis=1)),
            ("other-size", lambda maps: maps.sum(axis=(1, 2)) / maps.shape[1] ** 2),
        ],
    },
    "02.b": {
        "stub": wire_stub,
        "right": [
            wire,
            wire_with_ops,
            wire_frozen_layer_by_layer,
            wire_frozen_as_a_whole,
            wire_pooled_by_ops,
            wire_sequential,
            wire_frozen_afterwards,
            wire_below_the_dots,
        ],
        "wrong": {
            "thrown-away": lambda base, scale: wire(base, scale, order="thrown away"),
            "twice": lambda base, scale: wire(base, scale, order="twice"),
            "no-pool": lambda base, scale: wire(base, scale, pool=None),
            "max": lambda base, scale: wire(base, scale, pool="max"),
            "sum": lambda base, scale: wire(base, scale, pool="sum"),
            "other-output": lambda base, scale: wire(base, scale, pool="min"),
            "other-shape": lambda base, scale: wire(base, scale, pool="all"),
            "not-frozen": lambda base, scale: wire(base, scale, freeze=False),
            "tensor": lambda base, scale: wire(base, scale, give="tensor"),
            "no-model": lambda base, scale: wire(base, scale, give="nothing"),
            "raises": wire_layer_of_a_tensor,
            "flatten": wire_flattened,
            "scaled-before": wire_divided_and_scaled,
            "other-scale": wire_divided,
            "training-true": wire_as_in_training,
            "head": wire_with_a_head,
            "scaled-after": wire_scaled_after,
            "not-connected": wire_from_base_output,
            "unknown-flag": wire_training_set,
        },
        "also": [
            ("unknown-flag", wire_with_a_slip_of_the_pen),
            ("raises", wire_flag_called),
            ("raises", wire_base_of_a_layer),
            ("not-frozen", wire_last_layer_frozen),
        ],
    },
    "02.c": {
        "stub": changed_stub,
        "right": [
            lambda before, after: sum(
                not np.array_equal(a, b) for a, b in zip(before, after, strict=True)
            ),
            lambda before, after: len(
                [1 for a, b in zip(before, after, strict=True) if (a != b).any()]
            ),
            lambda before, after: len(
                [1 for a, b in zip(before, after) if np.count_nonzero(a != b)]
            ),
            lambda before, after: sum(
                1 for i in range(len(before)) if np.abs(before[i] - after[i]).max() > 0
            ),
            lambda before, after: sum(a.tobytes() != b.tobytes() for a, b in zip(before, after)),
            lambda before, after: np.sum([(a != b).any() for a, b in zip(before, after)]),
        ],
        "wrong": {
            "tolerance": lambda before, after: sum(
                not np.allclose(a, b) for a, b in zip(before, after, strict=True)
            ),
            "is": changed_with_is,
            "last-number": lambda before, after: sum(a[-1] != b[-1] for a, b in zip(before, after)),
            "bool": lambda before, after: any(
                not np.array_equal(a, b) for a, b in zip(before, after, strict=True)
            ),
            "numbers": lambda before, after: sum(
                int((a != b).sum()) for a, b in zip(before, after, strict=True)
            ),
            "all": lambda before, after: sum(
                bool((a != b).all()) for a, b in zip(before, after, strict=True)
            ),
            "one-short": lambda before, after: changed_arrays(before[:-1], after[:-1]),
            "miscounted": lambda before, after: 3 * changed_arrays(before, after),
            "not-zero": lambda before, after: changed_arrays(before, after) + 1,
            "lower-only": lambda before, after: sum(
                bool((a > b).any()) for a, b in zip(before, after, strict=True)
            ),
            "raises": changed_asked_for_truth,
            "cancelled": lambda before, after: sum(
                a.sum() != b.sum() for a, b in zip(before, after)
            ),
            "first-array": changed_return_in_the_loop,
            "not-a-number": lambda before, after: (
                [i for i, (a, b) in enumerate(zip(before, after)) if not np.array_equal(a, b)]
            ),
            "higher-only": lambda before, after: sum(
                np.any(b - a > 0) for a, b in zip(before, after)
            ),
            "first-number": lambda before, after: sum(
                a.flat[0] != b.flat[0] for a, b in zip(before, after)
            ),
            "share": lambda before, after: np.mean(
                [not np.array_equal(a, b) for a, b in zip(before, after)]
            ),
            "changed-in-place": changed_subtracted_in_place,
            "always-none": lambda before, after: len(before) - len(after),
        },
        "also": [
            (
                "unchanged",
                lambda before, after: sum(np.array_equal(a, b) for a, b in zip(before, after)),
            ),
            ("raises", lambda before, after: int(np.sum(np.array(before) != np.array(after)))),
            (
                "tolerance",
                lambda before, after: sum(
                    np.abs(a - b).max() > 1e-6 for a, b in zip(before, after)
                ),
            ),
            ("not-a-number", changed_in_words),
            (
                "cancelled",
                lambda before, after: sum((a - b).sum() != 0 for a, b in zip(before, after)),
            ),
            ("raises", lambda before, after: len([a for a in before if a not in after])),
        ],
    },
    "02.d": {
        "stub": own_head_stub,
        "right": [
            own_head,
            own_head_with_smoothing,
            own_head_by_logistic_regression,
            own_head_with_weight_decay,
            own_head_normalised,
        ],
        "wrong": {
            "overconfident": lambda train, val: own_head(train, val, hidden=128, stop=False),
            "too-short": lambda train, val: own_head(train, val, epochs=1, rate=1e-3),
            "untrained": lambda train, val: own_head(train, val, epochs=0),
            "trained-on-validation": own_head_on_both,
            "logits": lambda train, val: own_head(train, val, epochs=1, ending=None),
            "shape": lambda train, val: own_head(train, val, epochs=1, units=11),
            "other-input": own_head_of_maps,
            "changed-in-place": own_head_that_scales_in_place,
            "no-model": lambda train, val: own_head(train, val, epochs=1).get_weights(),
            "raises": own_head_on_whole_numbers,
        },
        "also": [
            ("logits", own_head_of_logits),
            ("no-model", own_head_history),
            ("raises", own_head_fit_on_the_pair),
            ("raises", own_head_metrics_third),
            ("logits", own_head_of_sigmoids),
        ],
    },
}

# --- As newcomers typed them, without sight of the checks --------------------------------------


def a_new_second_mean_over_a_moved_axis(maps):
    return maps.mean(axis=1).mean(axis=2)


def a_new_mean_over_places_and_features_by(maps):
    return np.mean(maps.reshape(len(maps), -1), axis=1)


def b_new_scale_after_the_base(base, scale):
    base.trainable = False
    inputs = keras.Input(shape=(32, 32, 3))
    x = base(inputs, training=False)
    x = scale(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, x)


def b_new_freezes_the_layers_with_a_misspelt(base, scale):
    inputs = keras.Input(shape=(32, 32, 3))
    base.traineable = False
    x = base(scale(inputs), training=False)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def c_new_counts_arrays_of_which_no_element(before, after):
    return sum((a != b).all() for a, b in zip(before, after))


def c_new_sum_of_arrays_of_truth_values(before, after):
    return sum(a != b for a, b in zip(before, after))


def d_new_binary_cross_entropy_with_integers(train, val):
    inputs = keras.Input(shape=(1280,))
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(inputs))
    model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(train[0], train[1], epochs=5, verbose=0)
    return model


def d_new_two_hundred_epochs_without_a_stop(train, val):
    inputs = keras.Input(shape=(1280,))
    x = layers.Dense(256, activation="relu")(inputs)
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*train, validation_data=val, epochs=40, verbose=0)
    return model


def a_new_divides_the_sum_by_height_only(maps):
    return maps.sum(axis=(1, 2)) / maps.shape[1]


def b_new_forgets_to_freeze(base, scale):
    inputs = keras.Input(shape=(32, 32, 3))
    x = scale(inputs)
    x = base(x, training=False)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, x)


def c_new_compares_means(before, after):
    count = 0
    for b, a in zip(before, after):
        if round(float(np.mean(b)), 4) != round(float(np.mean(a)), 4):
            count += 1
    return count


def d_new_no_softmax_from_logits_loss(train, val):
    inputs = keras.Input(shape=(1280,))
    model = keras.Model(inputs, layers.Dense(10)(inputs))
    model.compile("adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(*train, validation_data=val, epochs=8, verbose=0)
    return model


CATALOGUE["02.c"]["wrong"] |= {"truth-values-added": c_new_sum_of_arrays_of_truth_values}
CATALOGUE["02.a"].setdefault("also", []).extend(
    [
        ("shifted-axis", a_new_second_mean_over_a_moved_axis),
        ("feature-axis", a_new_mean_over_places_and_features_by),
        ("other-size", a_new_divides_the_sum_by_height_only),
    ]
)
CATALOGUE["02.b"].setdefault("also", []).extend(
    [
        ("scaled-after", b_new_scale_after_the_base),
        ("unknown-flag", b_new_freezes_the_layers_with_a_misspelt),
        ("not-frozen", b_new_forgets_to_freeze),
    ]
)
CATALOGUE["02.c"].setdefault("also", []).extend(
    [("all", c_new_counts_arrays_of_which_no_element), ("cancelled", c_new_compares_means)]
)
CATALOGUE["02.d"].setdefault("also", []).extend(
    [
        ("raises", d_new_binary_cross_entropy_with_integers),
        ("overconfident", d_new_two_hundred_epochs_without_a_stop),
        ("logits", d_new_no_softmax_from_logits_loss),
    ]
)
