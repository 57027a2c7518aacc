"""Answers to the exercises of lesson 05: the stub, right ones, and wrong ones by hint code."""

from __future__ import annotations

import statistics

import keras
import numpy as np
from keras import layers
from scipy import stats

from helpers.intervals import student_t


def unfreeze_stub(base, n):
    base.trainable = True
    ...


def unfreeze_last(base, n, *, norms=False, kept=lambda base, n: base.layers[-n:]):
    base.trainable = True
    chosen = kept(base, n)
    for layer in base.layers:
        norm = isinstance(layer, layers.BatchNormalization)
        layer.trainable = any(layer is one for one in chosen) and (norms or not norm)


def unfreeze_by_freezing(base, n, *, norm=lambda one: isinstance(one, layers.BatchNormalization)):
    base.trainable = False
    base.trainable = True
    freeze(base, n, norm=norm)
    return base


def freeze(base, n, *, norm=lambda one: isinstance(one, layers.BatchNormalization)):
    for layer in base.layers[:-n]:
        layer.trainable = False
    for layer in base.layers:
        if norm(layer):
            layer.trainable = False


def unfreeze_by_type_name(base, n):
    base.trainable = True
    for layer in base.layers:
        layer.trainable = False
    for layer in base.layers[-n:]:
        if layer.__class__.__name__ != "BatchNormalization":
            layer.trainable = True


def unfreeze_by_counting_down(base, n):
    base.trainable = True
    left = n
    for layer in reversed(base.layers):
        layer.trainable = left > 0 and type(layer) is not layers.BatchNormalization
        left -= 1


def unfreeze_by_place(base, n):
    ...
    base.trainable = True
    first = len(base.layers) - n
    for place, layer in enumerate(base.layers):
        layer.trainable = place >= first and not isinstance(layer, layers.BatchNormalization)


def unfreeze_where_already_true(base, n):
    base.trainable = True
    freeze(base, n)


def unfreeze_with_training(base, n):
    unfreeze_by_freezing(base, n, norm=lambda layer: setattr(layer, "training", False))


def unfreeze_a_copy(base, n):
    unfreeze_last(keras.models.clone_model(base), n)


def unfreeze_norms_only(base, n):
    unfreeze_by_freezing(base, n, norm=lambda one: not isinstance(one, layers.BatchNormalization))


def unfreeze_misspelt(base, n):
    base.trainable = False
    base.trainable = True
    for layer in base.layers[:-n]:
        layer.trainible = False


def unfreeze_comparing(base, n):
    base.trainable = False
    base.trainable = True
    for layer in base.layers[:-n]:
        layer.trainable == False  # noqa: B015, E712


def unfreeze_without_import(base, n):
    unfreeze_by_freezing(base, n, norm=lambda layer: isinstance(layer, BatchNormalization))  # noqa: F821


def unfreeze_counting(counts):
    """An answer that opens the last n of the layers that count, BatchNorm excepted."""
    return lambda base, n: unfreeze_last(
        base, n, kept=lambda base, n: [one for one in base.layers if counts(one)][-n:]
    )


def children_only(base, n):
    base.trainable = False
    for layer in base.layers[-n:]:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)


def children_first(base, n):
    base.trainable = False
    for layer in base.layers:
        layer.trainable = layer in base.layers[-n:]
    base.trainable = True


def all_but_norms(base, n):
    base.trainable = True
    for layer in base.layers:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)


def freeze_all(base, n):
    base.trainable = True
    for layer in base.layers:
        layer.trainable = False


def continue_stub(history, more):
    return {"epochs": ..., "initial_epoch": ...}


def go_on(history, more):
    done = history.epoch[-1] + 1
    return {"epochs": done + more, "initial_epoch": done}


def go_on_with_dots_left(history, more):
    ...
    done = history.epoch[-1] + 1
    return {"epochs": done + more, "initial_epoch": done}


def go_on_by_params(history, more):
    done = history.params["epochs"]
    return {"epochs": done + more, "initial_epoch": done}


def go_on_in_numpy(history, more):
    done = np.asarray(history.epoch)[-1] + 1
    return {"epochs": np.add(done, more), "initial_epoch": done}


def go_on_by_unpacking(history, more):
    *_, last = history.epoch
    return dict(zip(("initial_epoch", "epochs"), (last + 1, last + 1 + more), strict=True))


def go_on_by_popping(history, more):
    done = history.epoch.pop() + 1
    return {"epochs": done + more, "initial_epoch": done}


def go_on_by_extending(history, more):
    arguments = go_on(history, more)
    history.epoch.extend(range(arguments["initial_epoch"], arguments["epochs"]))
    return arguments


def arguments_from(done):
    """An answer that asks something else for how many epochs are done."""
    return lambda history, more: {"epochs": done(history) + more, "initial_epoch": done(history)}


def fine_tune_stub(train, val, tail):
    model = ...
    return model


def head_on(tail, activation="softmax", units=10):
    inputs = keras.Input(tail.input_shape[1:])
    x = layers.GlobalAveragePooling2D()(tail(inputs, training=False))
    x = layers.Dropout(0.2)(x)
    return keras.Model(inputs, layers.Dense(units, activation=activation)(x))


def fit(model, train, val, *, rate, epochs, smoothing=0.1):
    model.compile(
        keras.optimizers.AdamW(rate),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=smoothing),
        metrics=[keras.metrics.CategoricalCrossentropy(name="ce")],
    )
    (maps, labels), (val_maps, val_labels) = train, val
    best = keras.callbacks.EarlyStopping(
        "val_ce", mode="min", patience=5, restore_best_weights=True
    )
    model.fit(
        maps,
        np.eye(10)[labels],
        validation_data=(val_maps, np.eye(10)[val_labels]),
        epochs=epochs,
        verbose=0,
        callbacks=[best],
    )


def fine_tune(train, val, tail, *, rate=5e-4, epochs=12, opened=True, smoothing=0.1):
    model = head_on(tail)
    fit(model, train, val, rate=2e-3, epochs=8, smoothing=smoothing)
    tail.trainable = opened
    for layer in tail.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False
    fit(model, train, val, rate=rate, epochs=epochs, smoothing=smoothing)
    return model


def until_the_end(train, val, tail):
    """No smoothing, and whatever the last epoch leaves."""
    model = head_on(tail)
    for rate, opened in ((2e-3, False), (5e-4, True)):
        for layer in tail.layers:
            layer.trainable = opened and not isinstance(layer, layers.BatchNormalization)
        model.compile(keras.optimizers.AdamW(rate), "sparse_categorical_crossentropy")
        model.fit(*train, epochs=12, verbose=0)
    return model


def fine_tune_smoothed(train, val, tail):
    """One-hot labels, another optimizer, the tail opened from the start."""
    model = head_on(tail)
    tail.trainable = True
    for layer in tail.layers:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    model.compile(
        keras.optimizers.Adam(3e-4),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
    )
    (maps, labels), (val_maps, val_labels) = train, val
    one_hot = np.eye(10)
    model.fit(
        maps,
        one_hot[labels],
        validation_data=(val_maps, one_hot[val_labels]),
        epochs=12,
        verbose=0,
        callbacks=[keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True)],
    )
    return model


def interval_stub(control, fine_tuned):
    gain = ...
    return gain.mean() - 0, gain.mean() + 0


def interval(control, tuned, *, times=None, ddof=1, divide=np.sqrt, tail=0.975, used=1):
    gain = np.subtract(tuned, control)
    times = times or stats.t.ppf(tail, len(gain) - used)
    half = times * np.std(gain, ddof=ddof) / divide(len(gain))
    return gain.mean() - half, gain.mean() + half


def interval_by_hand(control, tuned):
    gains = [b - a for a, b in zip(control, tuned, strict=True)]
    mean = sum(gains) / len(gains)
    variance = sum((gain - mean) ** 2 for gain in gains) / (len(gains) - 1)
    half = stats.t.isf(0.025, len(gains) - 1) * (variance / len(gains)) ** 0.5
    return [mean - half, mean + half]


def interval_by_scipy(control, tuned):
    gain = tuned - control
    return stats.t.interval(0.95, len(gain) - 1, loc=gain.mean(), scale=stats.sem(gain))


def interval_by_a_paired_test(control, tuned):
    return stats.ttest_rel(tuned, control).confidence_interval(0.95)


def interval_by_statistics(control, tuned):
    gain = [float(b) - float(a) for a, b in zip(control, tuned, strict=True)]
    half = float(stats.t.ppf(0.975, len(gain) - 1)) * statistics.stdev(gain) / len(gain) ** 0.5
    return [statistics.fmean(gain) - half, statistics.fmean(gain) + half]


def interval_as_an_array(control, tuned):
    gain = np.subtract(tuned, control)
    half = stats.t.ppf(0.025, gain.size - 1) * np.sqrt(gain.var(ddof=1) / gain.size)
    return gain.mean() + np.array([half, -half])


def interval_after_sorting_in_place(control, tuned):
    ends = interval(control, tuned)
    control.sort()
    return ends


def interval_by_subtracting_in_place(control, tuned):
    tuned -= control
    return interval(np.zeros(len(tuned)), tuned)


def interval_of_the_median(control, tuned):
    low, high = interval(control, tuned)
    shift = np.median(tuned - control) - np.mean(tuned - control)
    return low + shift, high + shift


def interval_by_variance(control, tuned):
    gain = tuned - control
    half = stats.t.ppf(0.975, len(gain) - 1) * gain.var(ddof=1) / np.sqrt(len(gain))
    return gain.mean() - half, gain.mean() + half


def interval_with_the_spread_of_one(control, tuned):
    half = stats.t.ppf(0.975, len(tuned) - 1) * stats.sem(tuned)
    return np.mean(tuned - control) - half, np.mean(tuned - control) + half


def interval_of_seven(control, tuned):
    return interval(control, tuned, times=stats.t.ppf(0.975, 6))


def student_t_of_gain(control, tuned):
    return student_t(np.subtract(tuned, control))


def interval_unpaired(control, tuned):
    gain = tuned.mean() - control.mean()
    half = stats.t.ppf(0.975, len(control) - 1) * np.sqrt(
        control.var(ddof=1) / len(control) + tuned.var(ddof=1) / len(tuned)
    )
    return gain - half, gain + half


CATALOGUE = {
    "05.a": {
        "stub": unfreeze_stub,
        "right": [
            unfreeze_last,
            unfreeze_by_freezing,
            unfreeze_by_type_name,
            unfreeze_by_counting_down,
            unfreeze_by_place,
        ],
        "wrong": {
            "batch-norm": lambda base, n: unfreeze_last(base, n, norms=True),
            "outer-flag": children_only,
            "all": children_first,
            "all-but-norms": all_but_norms,
            "none": freeze_all,
            "first": lambda base, n: unfreeze_last(base, n, kept=lambda b, n: b.layers[:n]),
            "counted-from-the-front": lambda base, n: unfreeze_last(
                base, n, kept=lambda b, n: b.layers[n:]
            ),
            "one-early": lambda base, n: unfreeze_last(
                base, n, kept=lambda b, n: b.layers[-n - 1 :]
            ),
            "one-late": lambda base, n: unfreeze_last(base, n, kept=lambda b, n: b.layers[1 - n :]),
            "turned-round": lambda base, n: unfreeze_last(base, n, kept=lambda b, n: b.layers[:-n]),
            "with-weights-only": unfreeze_counting(lambda layer: layer.weights),
            "without-norms": unfreeze_counting(
                lambda layer: not isinstance(layer, layers.BatchNormalization)
            ),
            "fixed": lambda base, n: unfreeze_last(base, 10),
            "only-norms": unfreeze_norms_only,
            "without-the-last": lambda base, n: unfreeze_last(
                base, n, kept=lambda b, n: b.layers[-n:-1]
            ),
            "only-one": lambda base, n: unfreeze_last(base, n, kept=lambda b, n: [b.layers[-n]]),
            "already-true": unfreeze_where_already_true,
            "unknown-flag": unfreeze_with_training,
            "base-untouched": unfreeze_a_copy,
            "other-layers": lambda base, n: unfreeze_last(
                base, n, kept=lambda b, n: b.layers[-n::2]
            ),
        },
        "also": [
            (
                "batch-norm",
                lambda base, n: unfreeze_by_freezing(base, n, norm=lambda one: "norm" in one.name),
            ),
            (
                "batch-norm",
                lambda base, n: unfreeze_by_freezing(base, n, norm=lambda one: "bn" in one.name),
            ),
            (
                "batch-norm",
                lambda base, n: unfreeze_by_freezing(
                    base, n, norm=lambda one: one.__class__ == "BatchNormalization"
                ),
            ),
            ("outer-flag", freeze),
            ("with-weights-only", unfreeze_counting(lambda layer: layer.get_weights())),
            ("fixed", lambda base, n: unfreeze_last(base, 5)),
            ("unknown-flag", unfreeze_misspelt),
            ("all", unfreeze_comparing),
            ("raises", lambda base, n: base.trainable(True)),
            ("raises", lambda base, n: base[-n:]),
            ("raises", unfreeze_without_import),
            ("raises", lambda base: unfreeze_last(base, 10)),
        ],
    },
    "05.b": {
        "stub": continue_stub,
        "right": [
            go_on,
            lambda history, more: {
                "initial_epoch": max(history.epoch) + 1,
                "epochs": max(history.epoch) + 1 + more,
            },
            go_on_with_dots_left,
            go_on_by_params,
            go_on_in_numpy,
            go_on_by_unpacking,
        ],
        "wrong": {
            "repeats": lambda history, more: {
                "epochs": history.epoch[-1] + more,
                "initial_epoch": history.epoch[-1],
            },
            "how-many-more": lambda history, more: {
                "epochs": more,
                "initial_epoch": history.epoch[-1] + 1,
            },
            "this-fit-only": lambda history, more: {
                "epochs": len(history.epoch) + more,
                "initial_epoch": len(history.epoch),
            },
            "from-the-start": lambda history, more: {
                "epochs": history.epoch[-1] + 1 + more,
                "initial_epoch": 0,
            },
            "wrong-end": lambda history, more: {
                "epochs": history.epoch[-1] + more,
                "initial_epoch": history.epoch[-1] + 1,
            },
            "other-keys": lambda history, more: {"epochs": more, "initial": 5},
            "not-a-dict": lambda history, more: (8, 5),
            "not-whole": lambda history, more: {"epochs": history.epoch, "initial_epoch": 5},
            "skips-one": arguments_from(lambda history: history.epoch[-1] + 2),
            "swapped": lambda history, more: dict(
                zip(("epochs", "initial_epoch"), (history.epoch[-1] + 1, 8), strict=True)
            ),
            "changed-in-place": go_on_by_popping,
            "other-numbers": lambda history, more: {"epochs": 5 + more, "initial_epoch": 5},
            "first-of-the-fit": arguments_from(lambda history: history.epoch[0]),
            "only-here": lambda history, more: {
                "epochs": len(history.epoch) + more + 4 * (history.epoch[0] > 0),
                "initial_epoch": len(history.epoch) + 4 * (history.epoch[0] > 0),
            },
        },
        "also": [
            ("changed-in-place", go_on_by_extending),
            ("other-numbers", lambda history, more: {"epochs": 2 * more, "initial_epoch": more}),
            ("raises", arguments_from(lambda history: history["epoch"][-1] + 1)),
            ("this-fit-only", arguments_from(lambda history: len(history.history["loss"]))),
            ("not-whole", arguments_from(lambda history: history.epoch[-1] + 1.0)),
            (
                "not-whole",
                lambda history, more: {k: str(v) for k, v in go_on(history, more).items()},
            ),
            ("other-keys", lambda history, more: {"initial_epoch": history.epoch[-1] + 1}),
            ("not-a-dict", lambda history, more: go_on(history, more).update(verbose=0)),
            (
                "wrong-end",
                lambda history, more: go_on(history, more) | {"epochs": history.epoch[0] + more},
            ),
            ("raises", arguments_from(lambda history: history.epoch + 1)),
            ("raises", arguments_from(lambda history: history.history.epoch[-1] + 1)),
            ("raises", arguments_from(lambda history: history.history["epoch"][-1] + 1)),
        ],
    },
    "05.c": {
        "stub": fine_tune_stub,
        "right": [fine_tune, fine_tune_smoothed],
        "wrong": {
            "still-frozen": lambda train, val, tail: fine_tune(
                train, val, tail, opened=False, smoothing=0, epochs=1
            ),
            "overconfident": until_the_end,
            "untrained": lambda train, val, tail: head_on(tail),
            "logits": lambda train, val, tail: head_on(tail, activation=None),
            "shape": lambda train, val, tail: head_on(tail, units=1000),
            "no-model": lambda train, val, tail: head_on(tail).predict(val[0], verbose=0),
        },
        "also": [
            ("raises", lambda train, val, tail: layers.GlobalAveragePooling2D(tail.output)),
            ("no-model", lambda train, val, tail: (head_on(tail), tail)),
        ],
    },
    "05.d": {
        "stub": interval_stub,
        "right": [
            interval,
            interval_by_hand,
            interval_by_scipy,
            student_t_of_gain,
            interval_by_a_paired_test,
            interval_by_statistics,
            interval_as_an_array,
        ],
        "wrong": {
            "sign": lambda control, tuned: interval(tuned, control),
            "high-low": lambda control, tuned: interval(control, tuned)[::-1],
            "deviation": lambda control, tuned: interval(control, tuned, divide=lambda n: 1),
            "divided-by-n": lambda control, tuned: interval(control, tuned, divide=lambda n: n),
            "one-error": lambda control, tuned: interval(control, tuned, times=1),
            "normal": lambda control, tuned: interval(control, tuned, times=2),
            "normal-exactly": lambda control, tuned: interval(
                control, tuned, times=stats.norm.ppf(0.975)
            ),
            "one-sided": lambda control, tuned: interval(control, tuned, tail=0.95),
            "degrees": lambda control, tuned: interval(control, tuned, used=0),
            "population": lambda control, tuned: interval(control, tuned, ddof=0),
            "unpaired": interval_unpaired,
            "range": lambda control, tuned: ((tuned - control).min(), (tuned - control).max()),
            "not-two": lambda control, tuned: np.mean(tuned - control),
            "other-numbers": lambda control, tuned: (0.0, 1.0),
            "half-width": lambda control, tuned: (
                np.mean(tuned - control),
                interval(control, tuned)[1] - np.mean(tuned - control),
            ),
            "percent": lambda control, tuned: interval(100 * control, 100 * tuned),
            "relative": lambda control, tuned: interval(0 * control, tuned / control - 1),
            "broken-pairs": lambda control, tuned: interval(np.sort(control), np.sort(tuned)),
            "root-of-n-1": lambda control, tuned: interval(
                control, tuned, divide=lambda n: np.sqrt(n - 1)
            ),
            "variance": interval_by_variance,
            "absolute": lambda control, tuned: interval(0 * control, abs(tuned - control)),
            "tuned-only": lambda control, tuned: interval(0 * control, tuned),
            "99-percent": lambda control, tuned: interval(control, tuned, tail=0.995),
            "degrees-twice": lambda control, tuned: interval(control, tuned, used=2),
            "doubled": lambda control, tuned: interval(
                control, tuned, divide=lambda n: np.sqrt(n) / 2
            ),
            "halved": lambda control, tuned: interval(
                control, tuned, divide=lambda n: np.sqrt(n) * 2
            ),
            "no-quantile": lambda control, tuned: interval(
                control, tuned, times=stats.t.pdf(0.975, len(control) - 1)
            ),
            "spread-of-one": interval_with_the_spread_of_one,
            "percentiles": lambda control, tuned: np.percentile(tuned - control, [2.5, 97.5]),
            "median": interval_of_the_median,
            "five-seeds": lambda control, tuned: interval(
                control, tuned, times=2.776, divide=lambda n: np.sqrt(5)
            ),
            "only-here": interval_of_seven,
            "rounded": lambda control, tuned: np.round(interval(control, tuned), 3),
            "changed-in-place": interval_after_sorting_in_place,
            "not-numbers": lambda control, tuned: [
                f"{end:.4f}" for end in interval(control, tuned)
            ],
        },
        "also": [
            ("changed-in-place", interval_by_subtracting_in_place),
            ("high-low", lambda control, tuned: interval(control, tuned, tail=0.025)),
            (
                "unpaired",
                lambda control, tuned: stats.ttest_ind(tuned, control).confidence_interval(),
            ),
            ("population", lambda control, tuned: interval(control, tuned, ddof=0, times=1.96)),
            ("one-error", lambda control, tuned: interval(control, tuned, times=1, divide=abs)),
            ("sign", lambda control, tuned: interval(tuned, control)[::-1]),
            ("normal-exactly", lambda control, tuned: interval(control, tuned, times=1.96)),
            ("not-two", lambda control, tuned: interval(control, tuned)[0]),
            (
                "not-two",
                lambda control, tuned: "{:.3f} to {:.3f}".format(*interval(control, tuned)),
            ),
            ("not-two", lambda control, tuned: set(interval(control, tuned))),
            ("not-numbers", lambda control, tuned: [str(end) for end in interval(control, tuned)]),
            ("rounded", lambda control, tuned: [round(end, 2) for end in interval(control, tuned)]),
            ("raises", lambda control, tuned: interval([*control], [*tuned].sort())),
        ],
    },
}

# --- As newcomers typed them, without sight of the checks --------------------------------------


def a_new_the_first_n_by_a_slice(base, n):
    base.trainable = True
    for layer in base.layers[n:]:
        layer.trainable = False
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False


def a_new_compares_the_name_with_the_class(base, n):
    base.trainable = False
    base.trainable = True
    for layer in base.layers[:-n]:
        layer.trainable = False
    for layer in base.layers:
        if layer.name == "BatchNormalization":
            layer.trainable = False


def b_new_epochs_is_only_what_is_more(history, more):
    return {"epochs": more, "initial_epoch": history.epoch[-1] + 1}


def b_new_last_epoch_counted_again(history, more):
    return {"epochs": history.epoch[-1] + more, "initial_epoch": history.epoch[-1]}


def c_new_opened_not_compiled_again_rate_0(train, val, tail):
    inputs = keras.Input(tail.input_shape[1:])
    x = layers.GlobalAveragePooling2D()(tail(inputs))
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
    model.fit(*train, epochs=3, verbose=0)
    tail.trainable = True
    model.fit(*train, epochs=5, verbose=0)
    return model


def d_new_95_one_sided_t(control, fine_tuned):
    from scipy.stats import t

    gain = np.array(fine_tuned) - np.array(control)
    half = t.ppf(0.95, len(gain) - 1) * gain.std(ddof=1) / np.sqrt(len(gain))
    return gain.mean() - half, gain.mean() + half


def d_new_spread_of_the_two_arms_added(control, fine_tuned):
    from scipy.stats import t

    n = len(control)
    error = np.sqrt(np.var(control, ddof=1) / n + np.var(fine_tuned, ddof=1) / n)
    gain = np.mean(fine_tuned) - np.mean(control)
    half = t.ppf(0.975, n - 1) * error
    return gain - half, gain + half


def a_new_weights_flag(base, n):
    for w in base.weights:
        w.trainable = False
    for layer in base.layers[-n:]:
        if not isinstance(layer, layers.BatchNormalization):
            for w in layer.weights:
                w.trainable = True


def a_new_weights_flag_2(base, n):
    base.trainable = True
    for layer in base.layers[:-n]:
        for w in layer.weights:
            w.trainable = False


def b_new_sum(history, more):
    return {"epochs": sum(history.epoch) + more, "initial_epoch": sum(history.epoch)}


def b_new_sum_1(history, more):
    return {"epochs": sum(history.epoch) + 1 + more, "initial_epoch": sum(history.epoch) + 1}


def a_new_enumerates_with_n(base, n):
    base.trainable = True
    for i, layer in enumerate(base.layers):
        if i < n or isinstance(layer, layers.BatchNormalization):
            layer.trainable = False


def b_new_uses_params_epochs_as_initial(history, more):
    return {
        "epochs": history.params["epochs"] + more,
        "initial_epoch": len(history.history["loss"]),
    }


def d_new_population_spread(control, fine_tuned):
    from scipy.stats import t

    gain = np.array(fine_tuned) - np.array(control)
    half = t.ppf(0.975, len(gain) - 1) * np.std(gain) / np.sqrt(len(gain))
    return gain.mean() - half, gain.mean() + half


CATALOGUE["05.a"]["wrong"] |= {"set-on-weights": a_new_weights_flag}
CATALOGUE["05.b"]["wrong"] |= {"summed": b_new_sum}
CATALOGUE["05.a"].setdefault("also", []).extend(
    [
        ("first", a_new_the_first_n_by_a_slice),
        ("batch-norm", a_new_compares_the_name_with_the_class),
        ("set-on-weights", a_new_weights_flag_2),
        ("counted-from-the-front", a_new_enumerates_with_n),
    ]
)
CATALOGUE["05.b"].setdefault("also", []).extend(
    [
        ("how-many-more", b_new_epochs_is_only_what_is_more),
        ("repeats", b_new_last_epoch_counted_again),
        ("summed", b_new_sum_1),
        ("this-fit-only", b_new_uses_params_epochs_as_initial),
    ]
)
CATALOGUE["05.c"].setdefault("also", []).extend(
    [("still-frozen", c_new_opened_not_compiled_again_rate_0)]
)
CATALOGUE["05.d"].setdefault("also", []).extend(
    [
        ("one-sided", d_new_95_one_sided_t),
        ("unpaired", d_new_spread_of_the_two_arms_added),
        ("population", d_new_population_spread),
    ]
)
