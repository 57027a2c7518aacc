"""Answers to lesson 04's exercises: the stub, right ones, and wrong ones with their hint codes."""

import hashlib
import os
import random
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from keras.callbacks import EarlyStopping, ModelCheckpoint


def most_accurate_stub(where):
    return ModelCheckpoint(where / ...)


def most_accurate(where, name="kept.weights.h5", **changed):
    arguments = {
        "monitor": "val_accuracy",
        "mode": "max",
        "save_best_only": True,
        "save_weights_only": True,
    }
    return ModelCheckpoint(where / name, **(arguments | changed))


def most_accurate_in_a_folder(where):
    return ModelCheckpoint(
        str(where / "deeper" / "best.weights.h5"), "val_accuracy", 0, True, save_weights_only=True
    )


def most_accurate_by_a_subclass(where):
    class Quiet(ModelCheckpoint): ...

    where.mkdir(parents=True, exist_ok=True)
    return Quiet(where.joinpath("w.weights.h5"), "val_accuracy", 0, True, True)


def most_accurate_not_returned(where):
    most_accurate(where)


def value_stub(history):
    return ...


def value_by_loop(history):
    best = 0.0
    for value in history["val_accuracy"]:
        best = max(best, value)
    return best


def value_by_sorting_in_place(history):
    history["val_accuracy"].sort()
    return history["val_accuracy"][-1]


def value_with_dots_left(history):
    ...
    return max(history["val_accuracy"])


def value_by_emptying(history):
    best = 0
    while history["val_accuracy"]:
        best = max(best, history["val_accuracy"].pop())
    return best


def value_noted_in_the_history(history):
    history["best"] = max(history["val_accuracy"])
    return history["best"]


def value_returned_in_the_loop(history):
    best = 0
    for value in history["val_accuracy"]:
        best = max(best, value)
        return best


def order_stub(count, seed, epoch):
    return ...


def order_by_numpy(count, seed, epoch):
    return np.random.default_rng([seed, epoch]).permutation(count)


def order_by_python(count, seed, epoch):
    places = list(range(count))
    random.Random(f"{seed} {epoch}").shuffle(places)
    return places


def order_by_tensorflow(count, seed, epoch):
    return tf.random.experimental.stateless_shuffle(tf.range(count), seed=[seed, epoch])


def order_by_skipping(count, seed, epoch):
    generator = np.random.default_rng(seed)
    for _ in range(epoch + 1):
        order = generator.permutation(count)
    return order


def order_by_sampling(count, seed, epoch):
    return random.Random(f"{seed}/{epoch}").sample(range(count), count)


def order_by_sorting_numbers(count, seed, epoch):
    return np.argsort(np.random.default_rng((seed, epoch)).random(count))


def order_by_digest(count, seed, epoch):
    return sorted(
        range(count), key=lambda i: hashlib.sha256(f"{seed}/{epoch}/{i}".encode()).digest()
    )


def order_by_spawning(count, seed, epoch):
    sequence = np.random.SeedSequence(seed, spawn_key=(epoch,))
    return np.random.Generator(np.random.PCG64(sequence)).permutation(count).tolist()


def order_by_stateless_numbers(count, seed, epoch):
    return tf.argsort(tf.random.stateless_uniform((count,), seed=(seed, epoch)))


KEPT = {}


def order_by_a_generator_that_is_kept(count, seed, epoch):
    if epoch == 0 or seed not in KEPT:
        KEPT[seed] = np.random.default_rng(seed)
    return KEPT[seed].permutation(count)


def order_by_process(count, seed, epoch):
    return np.random.default_rng([seed, epoch, os.getpid()]).permutation(count)


def order_by_a_text(count, seed, epoch):
    return np.random.default_rng(f"{seed}{epoch}").permutation(count)


def order_of_a_set_of_texts(count, seed, epoch):
    texts = {f"{seed}/{epoch}/{place}" for place in range(count)}
    return [int(text.split("/")[2]) for text in texts]


def order_by_the_hash_of_a_text_itself(count, seed, epoch):
    return np.random.default_rng(abs(f"{seed} {epoch}".__hash__())).permutation(count)


def order_of_the_first_half(count, seed, epoch):
    order = np.arange(count)
    np.random.default_rng([seed, epoch]).shuffle(order[: count // 2])
    return order


def order_shuffled_nowhere(count, seed, epoch):
    return np.random.default_rng([seed, epoch]).shuffle(np.arange(count))


def order_by_global_state(count, seed, epoch):
    return np.random.permutation(count)


def order_by_one_permutation(count, seed, epoch):
    return np.roll(np.random.default_rng([seed, 0]).permutation(count), epoch)


def order_by_hash_of_text(count, seed, epoch):
    return np.random.default_rng(abs(hash(f"{seed} {epoch}"))).permutation(count)


def order_by_hash_of_numbers(count, seed, epoch):
    return np.random.default_rng(abs(hash((seed, epoch)))).permutation(count)


def order_by_global_seed(count, seed, epoch):
    if epoch == 0:
        np.random.seed(seed)
    return np.random.permutation(count)


def head(hidden=0, rate=1e-3, ending="softmax", units=10, dropout=0.3):
    model = keras.Sequential([keras.Input((1280,))])
    if hidden:
        model.add(layers.Dense(hidden, activation="relu"))
    model.add(layers.Dropout(dropout))
    model.add(layers.Dense(units, activation=ending))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=ending is None)
    model.compile(keras.optimizers.Adam(rate), loss=loss)
    return model


def fitted(model, train, val, epochs=40, *callbacks):
    model.fit(*train, validation_data=val, epochs=epochs, verbose=0, callbacks=[*callbacks])
    return model


def best_head_stub(train, val):
    return fitted(head(), train, val, ...)


def best_head_stopped_early(train, val):
    stopper = EarlyStopping(patience=4, restore_best_weights=True)
    return fitted(head(64, 5e-4), train, val, 40, stopper)


def best_head_from_a_file(train, val):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "best.keras")
        fitted(head(64, 5e-4), train, val, 12, ModelCheckpoint(file, save_best_only=True))
        return keras.models.load_model(file)


def best_head_by_hand(train, val):
    scaling = layers.Normalization()
    scaling.adapt(train[0])
    outputs = layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((1280,)), scaling, layers.Dropout(0.5), outputs])
    model.compile("adam", loss="categorical_crossentropy")
    one_hot, (best, weights) = keras.utils.to_categorical(train[1], 10), (np.inf, None)
    for _ in range(12):
        model.fit(train[0], one_hot, verbose=0)
        given = model.predict(val[0], verbose=0)[np.arange(len(val[1])), val[1]]
        loss = -np.mean(np.log(given))
        if loss < best:
            best, weights = loss, model.get_weights()
    model.set_weights(weights)
    return model


def best_head_normalised(train, val):
    model = keras.Sequential([keras.Input((1280,)), layers.LayerNormalization()])
    model.add(layers.Dropout(0.3))
    model.add(layers.Dense(10))
    model.add(layers.Softmax())
    model.compile("adam", loss="sparse_categorical_crossentropy")
    return fitted(model, train, val, 30, EarlyStopping(patience=3, restore_best_weights=True))


def best_head_last(train, val):
    return fitted(head(64, 4e-4, dropout=0.2), train, val)  # the lesson's own head


def best_head_scaled_outside(train, val):
    mean, spread = train[0].mean(axis=0), train[0].std(axis=0) + 1e-7
    stopper = EarlyStopping(patience=3, restore_best_weights=True)
    scaled = [((x - mean) / spread, y) for x, y in (train, val)]
    return fitted(head(), *scaled, 40, stopper)


def best_head_scaled_in_place(train, val):
    for features, _ in (train, val):
        features -= train[0].mean()
    return fitted(head(), train, val, 1)


def best_head_on_everything(train, val):
    both = [np.concatenate(pair) for pair in zip(train, val, strict=True)]
    return fitted(head(64, 3e-3), both, val, 12)


CATALOGUE = {
    "04.a": {
        "stub": most_accurate_stub,
        "right": [
            most_accurate,
            most_accurate_in_a_folder,
            lambda where: most_accurate(where, mode="auto"),
            most_accurate_by_a_subclass,
            lambda where: ModelCheckpoint(
                os.path.join(where, "x.weights.h5"), "val_accuracy", 1, True, True, "max"
            ),
            lambda where: tf.keras.callbacks.ModelCheckpoint(
                f"{where}/x.weights.h5",
                monitor="val_accuracy",
                save_best_only=True,
                save_weights_only=True,
                save_freq="epoch",
                initial_value_threshold=-1.0,
            ),
        ],
        "wrong": {
            "mode": lambda where: most_accurate(where, mode="min"),
            "last": lambda where: most_accurate(where, save_best_only=False),
            "loss": lambda where: most_accurate(where, monitor="val_loss", mode="min"),
            "training-accuracy": lambda where: most_accurate(where, monitor="accuracy"),
            "no-such-metric": lambda where: most_accurate(where, monitor="val_acc"),
            "whole-model": lambda where: most_accurate(where, "x.keras", save_weights_only=False),
            "ending": lambda where: most_accurate(where, "best.ckpt"),
            "many-files": lambda where: most_accurate(where, "{epoch}.weights.h5"),
            "elsewhere": lambda where: most_accurate(where.parent),
            "no-checkpoint": lambda where: where / "best.weights.h5",
            "nothing-saved": lambda where: most_accurate(where, initial_value_threshold=0.9),
            "by-batches": lambda where: most_accurate(where, save_freq=5),
            "no-such-mode": lambda where: most_accurate(where, mode="maximum"),
        },
        "also": [
            ("whole-model", lambda where: most_accurate(where, save_weights_only=False)),
            ("many-files", lambda where: most_accurate(where, "{val_accuracy:.2f}.weights.h5")),
            ("ending", lambda where: most_accurate(where, "best.h5")),
            ("elsewhere", lambda where: most_accurate(where, "/best.weights.h5")),
            ("elsewhere", lambda where: most_accurate(where.parent, f"{where.name}x.weights.h5")),
            ("loss", lambda where: most_accurate(where, monitor="val_loss")),
            ("no-checkpoint", lambda where: EarlyStopping("val_accuracy", mode="max")),
            ("no-checkpoint", lambda where: [most_accurate(where)]),
            ("no-checkpoint", most_accurate_not_returned),
            ("no-checkpoint", lambda where: ModelCheckpoint),
            ("raises", lambda where: most_accurate(str(where) / "x")),
            ("raises", lambda where: ModelCheckpoint(where + "/best.weights.h5")),
            ("raises", lambda where: most_accurate(where, save_best=True)),
        ],
    },
    "04.b": {
        "stub": value_stub,
        "right": [
            lambda history: max(history["val_accuracy"]),
            value_by_loop,
            lambda history: np.max(history["val_accuracy"]),
            lambda history: np.float32(max(history["val_accuracy"])),
            lambda history: tf.reduce_max(history["val_accuracy"]),
            lambda history: sorted(history["val_accuracy"], reverse=True)[0],
            lambda history: history["val_accuracy"][np.argmax(history["val_accuracy"])],
            lambda history: np.array(max(history.get("val_accuracy"))),
            value_with_dots_left,
        ],
        "wrong": {
            "last": lambda history: history["val_accuracy"][-1],
            "lowest": lambda history: min(history["val_accuracy"]),
            "training-accuracy": lambda history: max(history["accuracy"]),
            "loss": lambda history: min(history["val_loss"]),
            "epoch": lambda history: np.argmax(history["val_accuracy"]),
            "not-a-number": lambda history: history["val_accuracy"],
            "other-value": lambda history: np.mean(history["val_accuracy"]),
            "first": lambda history: history["val_accuracy"][0],
            "of-the-lowest-loss": lambda history: history["val_accuracy"][
                np.argmin(history["val_loss"])
            ],
            "more-than-the-best": lambda history: max(history["val_accuracy"]) + 0.01,
            "key": lambda history: max(history),
            "of-all": lambda history: max(map(max, history.values())),
            "no-such-key": lambda history: max(history["val_acc"]),
            "only-here": lambda history: history["val_accuracy"][1],
            "rounded": lambda history: round(max(history["val_accuracy"]), 2),
            "percent": lambda history: 100 * max(history["val_accuracy"]),
            "changed-in-place": value_by_sorting_in_place,
        },
        "also": [
            ("not-a-number", lambda history: f"{max(history['val_accuracy']):.4f}"),
            ("not-a-number", lambda history: str(max(history["val_accuracy"]))),
            ("not-a-number", lambda history: print(max(history["val_accuracy"]))),
            ("not-a-number", lambda history: [max(history["val_accuracy"])]),
            ("rounded", lambda history: int(max(history["val_accuracy"]))),
            ("other-value", lambda history: 1 - max(history["val_accuracy"])),
            ("other-value", lambda history: max(history["val_accuracy"][2:])),
            ("raises", lambda history: max(history("val_accuracy"))),
            ("rounded", lambda history: np.round(np.max(history["val_accuracy"]), 3)),
            ("changed-in-place", lambda history: sorted(history.pop("val_accuracy"))[-1]),
            ("changed-in-place", value_by_emptying),
            ("changed-in-place", value_noted_in_the_history),
            ("first", value_returned_in_the_loop),
            ("other-value", lambda history: np.mean(history["val_accuracy"][-3:])),
            ("raises", lambda history: max(history.history["val_accuracy"])),
        ],
    },
    "04.c": {
        "stub": order_stub,
        "right": [
            order_by_numpy,
            order_by_python,
            order_by_tensorflow,
            order_by_skipping,
            order_by_hash_of_numbers,
            order_by_sampling,
            order_by_sorting_numbers,
            order_by_digest,
            order_by_spawning,
            order_by_stateless_numbers,
        ],
        "wrong": {
            "same-every-epoch": lambda count, seed, epoch: order_by_numpy(count, seed, 0),
            "depends-on-calls": order_by_global_state,
            "collision": lambda count, seed, epoch: order_by_numpy(count, 0, seed + epoch),
            "ignores-seed": lambda count, seed, epoch: order_by_numpy(count, 0, epoch),
            "repeats": lambda count, seed, epoch: np.random.default_rng([seed, epoch]).integers(
                count, size=count
            ),
            "sorted": lambda count, seed, epoch: np.arange(count),
            "range": lambda count, seed, epoch: 1 + order_by_numpy(count, seed, epoch),
            "length": lambda count, seed, epoch: order_by_numpy(count, seed, epoch)[:-1],
            "no-list": lambda count, seed, epoch: None,
            "not-whole": lambda count, seed, epoch: order_by_numpy(count, seed, epoch) / 1,
            "one-order-turned": order_by_one_permutation,
            "differs-between-processes": order_by_hash_of_text,
            "some-stay": order_of_the_first_half,
            "some-epochs-alike": lambda count, seed, epoch: order_by_numpy(count, seed, epoch % 10),
        },
        "also": [
            ("depends-on-calls", order_by_global_seed),
            ("depends-on-calls", order_by_a_generator_that_is_kept),
            (
                "depends-on-calls",
                lambda count, seed, epoch: order_by_numpy(count, seed, time.time_ns()),
            ),
            ("differs-between-processes", order_by_process),
            (
                "one-order-turned",
                lambda count, seed, epoch: order_by_numpy(count, seed, 0)[:: 1 - 2 * (epoch % 2)],
            ),
            ("same-every-epoch", lambda count, seed, epoch: order_by_sampling(count, seed, "")),
            (
                "some-epochs-alike",
                lambda count, seed, epoch: order_by_numpy(count, seed, min(epoch, 9)),
            ),
            ("collision", lambda count, seed, epoch: order_by_numpy(count, 0, seed * epoch)),
            ("differs-between-processes", order_of_a_set_of_texts),
            ("differs-between-processes", order_by_the_hash_of_a_text_itself),
            (
                "collision",
                lambda count, seed, epoch: order_by_numpy(count, 0, int(f"{seed}{epoch}")),
            ),
            ("raises", order_by_a_text),
            ("no-list", order_shuffled_nowhere),
            ("no-list", lambda count, seed, epoch: tf.data.Dataset.range(count).shuffle(count)),
            ("not-whole", lambda count, seed, epoch: np.random.default_rng(epoch).random(count)),
            ("length", lambda count, seed, epoch: order_by_numpy(count, seed, epoch)[:32]),
        ],
    },
    "04.d": {
        "stub": best_head_stub,
        "right": [
            best_head_stopped_early,
            best_head_from_a_file,
            best_head_by_hand,
            best_head_normalised,
        ],
        "wrong": {
            "overconfident": best_head_last,
            "too-short": lambda train, val: fitted(head(), train, val, 1),
            "untrained": lambda train, val: head(),
            "trained-on-validation": best_head_on_everything,
            "scaled-outside": best_head_scaled_outside,
            "changed-in-place": best_head_scaled_in_place,
            "logits": lambda train, val: fitted(head(ending=None), train, val, 5),
            "shape": lambda train, val: fitted(head(units=11), train, val, 5),
            "no-model": lambda train, val: head().fit(*train, verbose=0),
        },
        "also": [
            ("raises", lambda train, val: head().fit(train, validation_data=val, verbose=0)),
            ("no-model", lambda train, val: (head(), 0.9)),
        ],
    },
}

# --- As newcomers typed them, without sight of the checks --------------------------------------


def a_new_watches_training_accuracy(where):
    return ModelCheckpoint(
        where / "best.weights.h5",
        monitor="accuracy",
        mode="max",
        save_best_only=True,
        save_weights_only=True,
    )


def a_new_text_name_joined_with(where):
    return ModelCheckpoint(
        where + "/best.weights.h5",
        monitor="val_accuracy",
        save_best_only=True,
        save_weights_only=True,
    )


def b_new_training_accuracy(history):
    return np.max(history["accuracy"])


def b_new_accuracy_at_the_lowest_loss(history):
    return history["val_accuracy"][np.argmin(history["val_loss"])]


def c_new_seed_times_epoch(count, seed, epoch):
    return np.random.default_rng(seed * epoch).permutation(count)


def c_new_drawn_with_repeats(count, seed, epoch):
    return np.random.default_rng(seed + epoch).integers(0, count, count)


def d_new_stops_on_training_loss(train, val):
    model = keras.Sequential([keras.Input((1280,)), layers.Dense(10, activation="softmax")])
    model.compile("adam", loss="sparse_categorical_crossentropy")
    model.fit(
        *train,
        validation_data=val,
        epochs=60,
        verbose=0,
        callbacks=[EarlyStopping(monitor="loss", patience=3, restore_best_weights=True)],
    )
    return model


def a_new_mode_left_at_min(where):
    return ModelCheckpoint(
        where / "w.weights.h5",
        monitor="val_accuracy",
        mode="min",
        save_best_only=True,
        save_weights_only=True,
    )


def b_new_takes_the_best_loss(history):
    return min(history["val_loss"])


def c_new_epoch_only(count, seed, epoch):
    np.random.seed(epoch)
    return np.random.permutation(count)


def d_new_one_epoch(train, val):
    model = keras.Sequential([keras.Input((1280,)), layers.Dense(10, activation="softmax")])
    model.compile("sgd", loss="sparse_categorical_crossentropy")
    model.fit(*train, validation_data=val, epochs=1, verbose=0)
    return model


CATALOGUE["04.d"]["right"] += [d_new_stops_on_training_loss]
CATALOGUE["04.a"].setdefault("also", []).extend(
    [
        ("training-accuracy", a_new_watches_training_accuracy),
        ("raises", a_new_text_name_joined_with),
        ("mode", a_new_mode_left_at_min),
    ]
)
CATALOGUE["04.b"].setdefault("also", []).extend(
    [
        ("training-accuracy", b_new_training_accuracy),
        ("of-the-lowest-loss", b_new_accuracy_at_the_lowest_loss),
        ("loss", b_new_takes_the_best_loss),
    ]
)
CATALOGUE["04.c"].setdefault("also", []).extend(
    [
        ("collision", c_new_seed_times_epoch),
        ("repeats", c_new_drawn_with_repeats),
        ("ignores-seed", c_new_epoch_only),
    ]
)
CATALOGUE["04.d"].setdefault("also", []).extend([("too-short", d_new_one_epoch)])
