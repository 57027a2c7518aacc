"""Answers to lesson 08's exercises: the stub, right ones, and wrong ones with their hint codes."""

import itertools

import keras
import numpy as np
import tensorflow as tf
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.neighbors import NearestNeighbors


def error_stub(probabilities, labels, bins):
    return ...


def error(probabilities, labels, bins):
    gaps, shares = gaps_of(probabilities, labels, bins)
    return np.sum(np.abs(gaps) * shares)


def gaps_of(probabilities, labels, bins):
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((sure * bins).astype(int), bins - 1)
    used = np.unique(bin_of)
    gaps = np.array([(sure - right)[bin_of == b].mean() for b in used])
    return gaps, np.array([np.mean(bin_of == b) for b in used])


def error_with_edges(probabilities, labels, bins):
    total, edges = 0.0, np.linspace(0, 1, bins + 1)
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    for low, high in itertools.pairwise(edges):
        inside = (sure > low) & (sure <= high)
        if inside.any():
            total += inside.sum() * abs(sure[inside].mean() - right[inside].mean())
    return total / len(labels)


def error_by_counting(probabilities, labels, bins):
    sure = tf.reduce_max(probabilities, axis=1)
    right = tf.cast(tf.argmax(probabilities, axis=1) == labels, sure.dtype)
    bin_of = tf.cast(sure * bins, "int32")
    return tf.reduce_sum(tf.abs(tf.math.unsorted_segment_sum(sure - right, bin_of, bins))) / 70


def error_of_the_label(probabilities, labels, bins):
    of_label = probabilities[np.arange(len(labels)), labels]
    right = probabilities.argmax(axis=1) == labels
    gaps = np.bincount(np.minimum((of_label * bins).astype(int), bins - 1), of_label - right, bins)
    return np.abs(gaps).sum() / len(labels)


def each_gap(probabilities, labels):
    return probabilities.max(axis=1) - (probabilities.argmax(axis=1) == labels)


def heat_stub(maps, gradients):
    return ...


def heat(maps, gradients):
    weights = gradients.mean(axis=(1, 2), keepdims=True)
    return np.maximum((weights * maps).sum(axis=-1), 0)


def heat_by_einsum(maps, gradients):
    weights = gradients.mean(axis=(1, 2))
    return np.einsum("nrck,nk->nrc", maps, weights).clip(min=0)


def heat_by_keras(maps, gradients):
    weights = keras.ops.mean(gradients, axis=(1, 2), keepdims=True)
    return keras.ops.relu(keras.ops.sum(weights * maps, axis=-1))


def heat_one_by_one(maps, gradients):
    found = []
    for image, gradient in zip(maps, gradients, strict=True):
        found.append(np.maximum(image @ gradient.mean(axis=(0, 1)), 0))
    return np.array(found)


def weighted(maps, gradients, **keep):
    return (gradients.mean(axis=(1, 2), keepdims=True) * maps).sum(axis=-1, **keep)


def temperature_stub(logits, labels):
    return ...


def temperature(logits, labels, candidates=None, loss=None):
    candidates = np.geomspace(0.05, 20, 600) if candidates is None else candidates
    return min(candidates, key=lambda t: (loss or mean_nll)(logits / t, labels))


def mean_nll(logits, labels):
    return -log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean()


def temperature_by_scipy(logits, labels):
    found = minimize_scalar(
        lambda log_t: mean_nll(logits / np.exp(log_t), labels), bounds=(-3, 3), method="bounded"
    )
    return np.exp(found.x)


def temperature_by_gradient(logits, labels):
    log_t = tf.Variable(0.0)
    optimizer = keras.optimizers.Adam(0.05)
    for _ in range(120):
        with tf.GradientTape() as tape:
            scaled = tf.cast(logits, "float32") / tf.exp(log_t)
            each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scaled)
            loss = tf.reduce_mean(each)
        optimizer.apply_gradients([(tape.gradient(loss, log_t), log_t)])
    return float(tf.exp(log_t))


def suspicious_stub(features, labels, photographs):
    return ...


def near_disagree(features, labels, at):
    return np.array([np.mean(labels[row] != label) for row, label in zip(at, labels, strict=True)])


def of_photographs(doubts, photographs):
    _, number = np.unique(photographs, return_inverse=True)
    return (np.bincount(number, doubts) / np.bincount(number))[number]


def suspicious(features, labels, photographs):
    near = NearestNeighbors(n_neighbors=60, metric="cosine").fit(features)
    order = near.kneighbors(features, return_distance=False)
    at = [row[photographs[row] != own][:6] for row, own in zip(order, photographs, strict=True)]
    return np.argsort(-of_photographs(near_disagree(features, labels, at), photographs))


def suspicious_by_products(features, labels, photographs):
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    alike = unit @ unit.T
    alike[photographs[:, None] == photographs] = -1
    doubts = near_disagree(features, labels, np.argsort(-alike, axis=1)[:, :6])
    return np.argsort(-of_photographs(doubts, photographs), kind="stable").tolist()


def suspicious_by_a_head(features, labels, photographs):
    said = cross_val_predict(
        Ridge(alpha=1000), features, np.eye(10)[labels], groups=photographs, cv=GroupKFold(5)
    )
    doubts = said.max(axis=1) - said[np.arange(len(labels)), labels]
    return tf.argsort(of_photographs(doubts, photographs), direction="DESCENDING")


def suspicious_by_any_neighbour(features, labels, photographs):
    near = NearestNeighbors(n_neighbors=7, metric="cosine").fit(features)
    at = near.kneighbors(features, return_distance=False)[:, 1:]
    return np.argsort(-near_disagree(features, labels, at))


def suspicious_in_place(features, labels, photographs):
    features -= features.mean(axis=0)
    return suspicious(features, labels, photographs)


CATALOGUE = {
    "08.a": {
        "stub": error_stub,
        "right": [error, error_with_edges, error_by_counting],
        "wrong": {
            "bins-alike": lambda p, y, bins: np.abs(gaps_of(p, y, bins)[0]).mean(),
            "empty-bins": lambda p, y, bins: np.abs(gaps_of(p, y, bins)[0]).sum() / bins,
            "signs": lambda p, y, bins: np.sum(np.prod(gaps_of(p, y, bins), axis=0)),
            "each-image": lambda p, y, bins: np.abs(each_gap(p, y)).mean(),
            "no-bins": lambda p, y, bins: abs(each_gap(p, y).mean()),
            "largest": lambda p, y, bins: np.abs(gaps_of(p, y, bins)[0]).max(),
            "of-the-label": error_of_the_label,
            "percent": lambda p, y, bins: 100 * error(p, y, bins),
            "fixed-bins": lambda p, y, bins: error(p, y, 10),
            "not-a-number": lambda p, y, bins: gaps_of(p, y, bins)[0],
            "other-number": lambda p, y, bins: error(p, y, bins) + 0.01,
        },
    },
    "08.b": {
        "stub": heat_stub,
        "right": [heat, heat_by_einsum, heat_by_keras, heat_one_by_one],
        "wrong": {
            "no-relu": weighted,
            "relu-first": lambda maps, gradients: heat(maps.clip(min=0), gradients),
            "positive-weights": lambda maps, gradients: np.maximum(
                (gradients.mean(axis=(1, 2), keepdims=True).clip(min=0) * maps).sum(axis=-1), 0
            ),
            "not-averaged": lambda maps, gradients: (gradients * maps).sum(axis=-1).clip(min=0),
            "summed": lambda maps, gradients: 20 * heat(maps, gradients),
            "all-images": lambda maps, gradients: np.maximum(
                maps @ gradients.mean(axis=(0, 1, 2)), 0
            ),
            "absolute": lambda maps, gradients: np.abs(weighted(maps, gradients)),
            "mean-of-channels": lambda maps, gradients: heat(maps, gradients) / 6,
            "scaled": lambda maps, gradients: (
                heat(maps, gradients) / heat(maps, gradients).max(axis=(1, 2), keepdims=True)
            ),
            "extra-axis": lambda maps, gradients: np.maximum(
                weighted(maps, gradients, keepdims=True), 0
            ),
            "shape": lambda maps, gradients: gradients.mean(axis=(1, 2)),
            "other-values": lambda maps, gradients: -weighted(maps, gradients).clip(max=0),
        },
    },
    "08.c": {
        "stub": temperature_stub,
        "right": [temperature, temperature_by_scipy, temperature_by_gradient],
        "wrong": {
            "inverse": lambda logits, labels: 1 / temperature(logits, labels),
            "softmax-twice": lambda logits, labels: temperature_by_scipy(
                softmax(logits, axis=1), labels
            ),
            "never-above-one": lambda logits, labels: temperature(
                logits, labels, np.linspace(0.05, 1, 200)
            ),
            "never-below-one": lambda logits, labels: temperature(
                logits, labels, np.linspace(1, 10, 300)
            ),
            "too-coarse": lambda logits, labels: temperature(
                logits, labels, np.arange(0.5, 10, 0.5)
            ),
            "not-a-number": lambda logits, labels: logits / temperature(logits, labels),
            "other-number": lambda logits, labels: np.abs(logits).max(),
        },
    },
    "08.d": {
        "stub": suspicious_stub,
        "right": [suspicious, suspicious_by_products, suspicious_by_a_head],
        "wrong": {
            "too-few-found": suspicious_by_any_neighbour,
            "turned-round": lambda *given: suspicious(*given)[::-1],
            "scores": lambda features, labels, photographs: features[:, 0],
            "mask": lambda features, labels, photographs: labels == 3,
            "no-places": lambda features, labels, photographs: None,
            "not-once": lambda features, labels, photographs: labels,
            "too-short": lambda *given: suspicious(*given)[:10],
            "changed-in-place": suspicious_in_place,
        },
    },
}

# --- As newcomers typed them, without sight of the checks --------------------------------------


def a_new_bins_not_weighted(probabilities, labels, bins):
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    gaps = []
    for low, high in zip(edges, edges[1:]):
        inside = (sure > low) & (sure <= high)
        if inside.any():
            gaps.append(abs(sure[inside].mean() - right[inside].mean()))
    return np.mean(gaps)


def b_new_positive_before_the_sum(maps, gradients):
    weights = gradients.mean(axis=(1, 2))
    return np.maximum(maps * weights[:, None, None, :], 0).sum(axis=-1)


def c_new_multiplies_by_t(logits, labels):
    from scipy.special import log_softmax

    best, best_t = 1e9, None
    for t in np.linspace(0.1, 10, 500):
        nll = -log_softmax(logits * t, axis=1)[np.arange(len(labels)), labels].mean()
        if nll < best:
            best, best_t = nll, t
    return best_t


def d_new_least_suspicious_first(features, labels, photographs):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=200).fit(features, labels)
    own = model.predict_proba(features)[
        np.arange(len(labels)), np.searchsorted(model.classes_, labels)
    ]
    return np.argsort(-own)


def a_new_bin_edges_from_quantiles(probabilities, labels, bins):
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    order = np.argsort(sure)
    total = 0
    for part in np.array_split(order, bins):
        total += len(part) / len(labels) * abs(sure[part].mean() - right[part].mean())
    return total


def c_new_chooses_by_accuracy(logits, labels):
    best, best_t = -1, 1
    for t in np.linspace(0.1, 5, 200):
        accuracy = np.mean(np.argmax(logits / t, axis=1) == labels)
        if accuracy > best:
            best, best_t = accuracy, t
    return best_t


CATALOGUE["08.a"]["wrong"] |= {"equally-full": a_new_bin_edges_from_quantiles}
CATALOGUE["08.b"]["wrong"] |= {"relu-each": b_new_positive_before_the_sum}
CATALOGUE["08.a"].setdefault("also", []).extend([("bins-alike", a_new_bins_not_weighted)])
CATALOGUE["08.c"].setdefault("also", []).extend(
    [("inverse", c_new_multiplies_by_t), ("never-above-one", c_new_chooses_by_accuracy)]
)
CATALOGUE["08.d"].setdefault("also", []).extend([("turned-round", d_new_least_suspicious_first)])
