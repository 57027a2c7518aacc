"""Answers to the exercises of lesson 05: the stub, right ones, and wrong ones by hint code."""

from __future__ import annotations

import numpy as np
from keras import layers


def unfreeze_stub(base, n):
    base.trainable = True
    ...


def unfreeze_last(base, n, *, norms=False, kept=lambda base, n: base.layers[-n:]):
    base.trainable = True
    chosen = kept(base, n)
    for layer in base.layers:
        norm = isinstance(layer, layers.BatchNormalization)
        layer.trainable = any(layer is one for one in chosen) and (norms or not norm)


def unfreeze_by_freezing(base, n):
    base.trainable = False
    base.trainable = True
    for layer in base.layers[:-n]:
        layer.trainable = False
    for layer in base.layers:
        if "norm" in layer.name:
            layer.trainable = False
    return base


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


def rate_stub(epoch):
    return ...


def rate(epoch):
    return 1e-3 if epoch < 5 else 1e-4


def rate_once(epoch, lr):
    return lr / 10 if epoch == 5 else lr


def rate_compounding(epoch, lr):
    return lr if epoch < 5 else lr * 0.1


def interval_stub(control, fine_tuned):
    gain = ...
    return gain.mean() - 0, gain.mean() + 0


def interval(control, tuned, *, times=2.0, ddof=1, divide=np.sqrt):
    gain = np.subtract(tuned, control)
    half = times * np.std(gain, ddof=ddof) / divide(len(gain))
    return gain.mean() - half, gain.mean() + half


def interval_by_hand(control, tuned):
    gains = [b - a for a, b in zip(control, tuned, strict=True)]
    mean = sum(gains) / len(gains)
    variance = sum((gain - mean) ** 2 for gain in gains) / (len(gains) - 1)
    half = 2 * (variance / len(gains)) ** 0.5
    return [mean - half, mean + half]


def interval_unpaired(control, tuned):
    gain = tuned.mean() - control.mean()
    half = 2 * np.sqrt(control.var(ddof=1) / len(control) + tuned.var(ddof=1) / len(tuned))
    return gain - half, gain + half


CATALOGUE = {
    "05.a": {
        "stub": unfreeze_stub,
        "right": [unfreeze_last, unfreeze_by_freezing],
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
            "other-layers": lambda base, n: unfreeze_last(
                base, n, kept=lambda b, n: b.layers[-n - 1 :]
            ),
        },
    },
    "05.b": {
        "stub": continue_stub,
        "right": [
            go_on,
            lambda history, more: {
                "initial_epoch": max(history.epoch) + 1,
                "epochs": max(history.epoch) + 1 + more,
            },
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
        },
    },
    "05.c": {
        "stub": rate_stub,
        "right": [
            rate,
            lambda epoch, lr: 1e-3 * 0.1 ** (epoch >= 5),
            lambda epoch: np.float32(0.0001) if epoch > 4 else np.float32(0.001),
        ],
        "wrong": {
            "one-late": lambda epoch: 1e-3 if epoch <= 5 else 1e-4,
            "one-early": lambda epoch: 1e-3 if epoch < 4 else 1e-4,
            "again-and-again": rate_compounding,
            "needs-the-start": rate_once,
            "constant": lambda epoch: 1e-4,
            "upside-down": lambda epoch: 1e-4 if epoch < 5 else 1e-3,
            "other-rates": lambda epoch: 1.0 if epoch < 5 else 0.1,
            "other-epoch": lambda epoch: 1e-3 if epoch < 8 else 1e-4,
            "not-a-number": lambda epoch: None,
            "raises": lambda epoch, lr: lr / (epoch > "5"),
        },
    },
    "05.d": {
        "stub": interval_stub,
        "right": [interval, interval_by_hand],
        "wrong": {
            "sign": lambda control, tuned: interval(tuned, control),
            "high-low": lambda control, tuned: interval(control, tuned)[::-1],
            "deviation": lambda control, tuned: interval(control, tuned, divide=lambda n: 1),
            "divided-by-n": lambda control, tuned: interval(control, tuned, divide=lambda n: n),
            "one-error": lambda control, tuned: interval(control, tuned, times=1),
            "population": lambda control, tuned: interval(control, tuned, ddof=0),
            "unpaired": interval_unpaired,
            "range": lambda control, tuned: ((tuned - control).min(), (tuned - control).max()),
            "not-two": lambda control, tuned: np.mean(tuned - control),
            "other-numbers": lambda control, tuned: (0.0, 1.0),
        },
    },
}
