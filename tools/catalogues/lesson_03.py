"""Answers to lesson 03's exercises: the stub, right ones, and wrong ones with their hint codes."""

import math
from collections import Counter

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def pipelines_stub(train, val, augment):
    ...
    return train, val


def changed(augment, training=True):
    return lambda images, labels: (augment(images, training=training), labels)


def pipelines(train, val, augment):
    return train.cache().map(changed(augment)), val.cache()


def pipelines_in_steps(train, val, augment):
    train = train.unbatch().cache().batch(4)
    train = train.map(lambda x, y: (augment(x), y)).prefetch(2)
    return [train, val.cache()]


def pipelines_shuffled(train, val, augment):
    train = train.cache().shuffle(3).map(changed(augment))
    return train, val.unbatch().cache().shuffle(12).batch(5)


def pipelines_with_labels_swapped(train, val, augment):
    train = train.cache().map(lambda x, y: (augment(x, training=True), tf.reverse(y, [0])))
    return train, val


def leaked_stub(train_files, test_files, photograph): ...


def leaked(train_files, test_files, photograph):
    known = {photograph[file] for file in train_files}
    return sum(photograph[file] in known for file in test_files)


def leaked_with_numpy(train_files, test_files, photograph):
    train = [photograph[file] for file in train_files]
    return np.isin([photograph[file] for file in test_files], train).sum()


def shared_photographs(train_files, test_files, photograph):
    return len({photograph[f] for f in train_files} & {photograph[f] for f in test_files})


def digits_stub(): ...


def digits():
    return keras.Sequential(
        [
            layers.RandomRotation(0.05, fill_mode="nearest"),
            layers.RandomZoom((-0.1, 0.1)),
            layers.RandomContrast(0.3, value_range=(0, 255)),
        ]
    )


def digits_moved():
    return layers.RandomTranslation(0.1, 0.1, fill_mode="constant")


def fifty_stub(features, labels, photographs): ...


def of_each_class(labels, order, count=5):
    """The first places of each class in an order of all places."""
    return np.concatenate([order[labels[order] == kind][:count] for kind in range(10)])


def distances(features, groups):
    """How far each image lies from the middle of its group."""
    middles = {name: features[groups == name].mean(axis=0) for name in np.unique(groups)}
    return np.array([np.sum((f - middles[g]) ** 2) for f, g in zip(features, groups, strict=True)])


def fifty_near_the_middle_of_the_class(features, labels, photographs):
    return of_each_class(labels, np.argsort(distances(features, labels)))


def fifty_typical_ones(features, labels, photographs, sign=1):
    order, rank = np.argsort(sign * distances(features, photographs)), np.empty(len(labels))
    for name in np.unique(photographs):  # the most typical image of each photograph first
        own = order[photographs[order] == name]
        rank[own] = np.arange(len(own))
    return of_each_class(labels, np.argsort(rank, kind="stable"))


def fifty_typical_ones_in_a_list(features, labels, photographs):
    chosen = {kind: [] for kind in range(10)}
    away = distances(features, photographs)
    known = set()
    for place in sorted(range(len(labels)), key=away.__getitem__):
        own = chosen[labels[place]]
        if len(own) < 5 and photographs[place] not in known:
            own.append(place)
            known.add(photographs[place])
    rest = {k: [p for p in np.flatnonzero(labels == k) if p not in v] for k, v in chosen.items()}
    return [int(p) for k, own in chosen.items() for p in (own + rest[k])[:5]]


def fifty_of_few_photographs(features, labels, photographs):
    return of_each_class(labels, np.argsort(photographs, kind="stable"))


def fifty_hardly_balanced(features, labels, photographs):
    order = np.random.default_rng(0).permutation(len(labels))
    two = of_each_class(labels, order, 2)
    return [*two, *np.setdiff1d(order, two)[:30]]


def fifty_with_features_changed(features, labels, photographs):
    features -= features.mean(axis=0)
    return fifty_typical_ones(features, labels, photographs)


def pipelines_one_argument(train, val, augment):
    train = train.cache().map(lambda x: augment(x, training=True))
    return train, val.cache()


def pipelines_cache_not_assigned(train, val, augment):
    train.cache()
    val.cache()
    train = train.map(lambda x, y: (augment(x, training=True), y))
    return train, val


def pipelines_exchanged(train, val, augment):
    train = train.cache().map(lambda x, y: (augment(x, training=True), y))
    return val.cache(), train


def pipelines_wrong_one_augmented(train, val, augment):
    val = val.cache().map(lambda x, y: (augment(x, training=True), y))
    return train.cache(), val


def pipelines_augmented_once(train, val, augment):
    x, y = (np.concatenate(p) for p in zip(*train.as_numpy_iterator()))
    x = augment(x, training=True)
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(2), val.cache()


def pipelines_cached_twice(train, val, augment):
    train = train.cache().map(lambda x, y: (augment(x, training=True), y)).cache()
    return train, val.cache()


def pipelines_originals_kept(train, val, augment):
    train = train.cache()
    more = train.map(lambda x, y: (augment(x, training=True), y))
    return train.concatenate(more), val.cache()


def pipelines_unbatched(train, val, augment):
    train = train.unbatch().cache().map(lambda x, y: (augment(x, training=True), y))
    return train, val.cache()


def pipelines_below_the_dots_unchanged(train, val, augment):
    ...
    train = train.cache()
    return train, val


def pipelines_prefetched(train, val, augment):
    train = train.cache().map(lambda x, y: (augment(x), y), num_parallel_calls=tf.data.AUTOTUNE)
    return train.prefetch(2), val.cache().prefetch(2)


def pipelines_below_the_dots(train, val, augment):
    ...  # cache, augment: which, where, in which order?

    def change(images, labels):
        images = augment(images, training=True)
        return images, labels

    train, val = train.cache(), val.cache()
    return [train.map(change), val]


def pipelines_shuffled_between(train, val, augment):
    train = train.cache().shuffle(8).map(lambda x, y: (augment(x, training=True), y))
    return train, val.cache()


def pipelines_in_memory(train, val, augment):
    def memory(ds):
        x, y = (np.concatenate(p) for p in zip(*ds.as_numpy_iterator()))
        return tf.data.Dataset.from_tensor_slices((x, y)).batch(4)

    return memory(train).map(lambda x, y: (augment(x, training=True), y)), memory(val)


def leaked_counts_train_images(train_files, test_files, photograph):
    known = {photograph[f] for f in test_files}
    return sum(photograph[f] in known for f in train_files)


def leaked_not_leaked_counted(train_files, test_files, photograph):
    known = {photograph[f] for f in train_files}
    return sum(photograph[f] not in known for f in test_files)


def leaked_photograph_f_called(train_files, test_files, photograph):
    known = {photograph(f) for f in train_files}
    return sum(photograph(f) in known for f in test_files)


def leaked_list_of_leaked_files(train_files, test_files, photograph):
    known = {photograph[f] for f in train_files}
    return [f for f in test_files if photograph[f] in known]


def leaked_share(train_files, test_files, photograph):
    known = {photograph[f] for f in train_files}
    return sum(photograph[f] in known for f in test_files) / len(test_files)


def leaked_return_in_the_loop(train_files, test_files, photograph):
    known = {photograph[f] for f in train_files}
    n = 0
    for f in test_files:
        if photograph[f] in known:
            n += 1
            return n


def leaked_known_grows(train_files, test_files, photograph):
    known, n = set(photograph[f] for f in train_files), 0
    for f in test_files:
        if photograph[f] in known:
            n += 1
        known.add(photograph[f])
    return n


def leaked_known_shrinks(train_files, test_files, photograph):
    known, n = set(photograph[f] for f in train_files), 0
    for f in test_files:
        if photograph[f] in known:
            n += 1
            known.remove(photograph[f])
    return n


def leaked_removed(train_files, test_files, photograph):
    known = {photograph[f] for f in train_files}
    n = 0
    for f in list(test_files):
        if photograph[f] in known:
            test_files.remove(f)
            n += 1
    return n


def leaked_text(train_files, test_files, photograph):
    known = {photograph[f] for f in train_files}
    return str(sum(photograph[f] in known for f in test_files))


def leaked_both_sides(train_files, test_files, photograph):
    both = {photograph[f] for f in train_files} & {photograph[f] for f in test_files}
    return sum(photograph[f] in both for f in [*train_files, *test_files])


def leaked_np_isin(train_files, test_files, photograph):
    a = [photograph[f] for f in train_files]
    b = [photograph[f] for f in test_files]
    return np.isin(b, a).sum()


def leaked_counter(train_files, test_files, photograph):
    of_test = Counter(photograph[f] for f in test_files)
    return sum(n for p, n in of_test.items() if p in {photograph[f] for f in train_files})


def leaked_all_minus_unseen_list_membership(train_files, test_files, photograph):
    seen = list(map(photograph.get, train_files))
    return len(test_files) - len([t for t in test_files if photograph[t] not in seen])


def digits_applied():
    images = np.zeros((4, 96, 96, 3))
    return layers.RandomRotation(0.1)(images)


def digits_a_function():
    def augment(images):
        return layers.RandomRotation(0.1)(images)

    return augment


def digits_functional():
    inputs = keras.Input((None, None, 3))
    x = layers.RandomRotation(0.04, fill_mode="constant")(inputs)
    return keras.Model(inputs, layers.RandomZoom(0.1)(x))


def fifty_mask(features, labels, photographs):
    mask = np.zeros(len(labels), bool)
    mask[np.random.default_rng(0).permutation(len(labels))[:50]] = True
    return mask


def fifty_typical_by_angle(features, labels, photographs):
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    chosen = []
    for c in np.unique(labels):
        at = np.flatnonzero(labels == c)
        first = {}
        for n in np.unique(photographs[at]):
            own = at[photographs[at] == n]
            first[n] = own[np.argmax(unit[own] @ unit[own].mean(axis=0))]
        mine = list(first.values())[:5]
        rest = [i for i in at if i not in mine]
        chosen += mine + rest[: 5 - len(mine)]
    return tf.constant(chosen)


def digits_cropped():
    return keras.Sequential([layers.RandomCrop(80, 80), layers.Resizing(96, 96)])


CATALOGUE = {
    "03.a": {
        "stub": pipelines_stub,
        "right": [
            pipelines,
            pipelines_in_steps,
            pipelines_shuffled,
            pipelines_prefetched,
            pipelines_below_the_dots,
            pipelines_shuffled_between,
            pipelines_in_memory,
        ],
        "wrong": {
            "cached-too-late": lambda train, val, augment: (
                train.map(changed(augment)).cache(),
                val.cache(),
            ),
            "validation-changed": lambda train, val, augment: tuple(
                split.cache().map(changed(augment)) for split in (train, val)
            ),
            "nothing-changes": lambda train, val, augment: (
                train.cache().map(changed(augment, training=False)),
                val.cache(),
            ),
            "not-cached": lambda train, val, augment: (train.map(changed(augment)), val),
            "validation-not-cached": lambda train, val, augment: (
                train.cache().map(changed(augment)),
                val,
            ),
            "mixed-splits": lambda train, val, augment: (
                train.cache().map(changed(augment)),
                train.cache(),
            ),
            "labels-first": lambda train, val, augment: (
                train.cache().map(lambda x, y: (y, augment(x, training=True))),
                val.cache(),
            ),
            "endless": lambda train, val, augment: (
                train.cache().repeat().map(changed(augment)),
                val.cache(),
            ),
            "labels": pipelines_with_labels_swapped,
            "not-two": lambda train, val, augment: train.cache().map(changed(augment)),
            "no-datasets": lambda train, val, augment: (list(train), list(val)),
            "images-lost": lambda train, val, augment: (
                train.cache().map(changed(augment)).take(2),
                val,
            ),
            "one-argument": pipelines_one_argument,
            "labels-to-augment": lambda train, val, augment: (
                train.cache().map(augment),
                val.cache(),
            ),
            "labels-dropped": lambda train, val, augment: (
                train.cache().map(lambda x, y: augment(x, training=True)),
                val.cache(),
            ),
            "dataset-to-layer": lambda train, val, augment: (augment(train.cache()), val.cache()),
            "exchanged": pipelines_exchanged,
            "more-images": pipelines_originals_kept,
            "unbatched": pipelines_unbatched,
        },
        "also": [
            ("not-cached", pipelines_cache_not_assigned),
            ("validation-changed", pipelines_wrong_one_augmented),
            ("cached-too-late", pipelines_augmented_once),
            ("cached-too-late", pipelines_cached_twice),
            ("nothing-changes", lambda train, val, augment: (train.cache(), val.cache())),
            (
                "labels-to-augment",
                lambda train, val, augment: (
                    train.cache().map(lambda x, y: augment(x, y)),
                    val.cache(),
                ),
            ),
            ("nothing-changes", pipelines_below_the_dots_unchanged),
        ],
    },
    "03.b": {
        "stub": leaked_stub,
        "right": [
            leaked,
            leaked_with_numpy,
            leaked_np_isin,
            leaked_counter,
            lambda train_files, test_files, photograph: len(
                [t for t in test_files if any(photograph[t] == photograph[f] for f in train_files)]
            ),
            leaked_all_minus_unseen_list_membership,
        ],
        "wrong": {
            "files": lambda train, test, photograph: len(set(train) & set(test)),
            "photographs": shared_photographs,
            "one-short": lambda train, test, photograph: leaked(train, test[1:], photograph),
            "percent": lambda train, test, photograph: (
                100 * leaked(train, test, photograph) / len(test)
            ),
            "wrong-side": lambda train, test, photograph: leaked(test, train, photograph),
            "clean": lambda train, test, photograph: len(test) - leaked(train, test, photograph),
            "not-a-number": lambda train, test, photograph: leaked(train, test, photograph) > 0,
            "miscounted": lambda train, test, photograph: leaked(train, test, photograph) + 1,
            "by-luck": lambda train, test, photograph: 5,
            "pairs": lambda train_files, test_files, photograph: sum(
                photograph[a] == photograph[b] for a in train_files for b in test_files
            ),
            "same-place": lambda train_files, test_files, photograph: sum(
                photograph[a] == photograph[b] for a, b in zip(train_files, test_files)
            ),
            "raises": leaked_photograph_f_called,
            "share": leaked_share,
            "first-only": leaked_return_in_the_loop,
            "all": lambda train_files, test_files, photograph: sum(
                photograph[f] in photograph.values() for f in test_files
            ),
            "within-the-test": leaked_known_grows,
            "changed-in-place": leaked_removed,
            "both-sides": leaked_both_sides,
            "all-photographs": lambda train_files, test_files, photograph: len(
                {photograph[f] for f in train_files} | {photograph[f] for f in test_files}
            ),
        },
        "also": [
            ("wrong-side", leaked_counts_train_images),
            (
                "files",
                lambda train_files, test_files, photograph: sum(
                    f in train_files for f in test_files
                ),
            ),
            ("clean", leaked_not_leaked_counted),
            ("not-a-number", leaked_list_of_leaked_files),
            (
                "files",
                lambda train_files, test_files, photograph: sum(
                    photograph[f] in train_files for f in test_files
                ),
            ),
            ("photographs", leaked_known_shrinks),
            ("not-a-number", leaked_text),
        ],
    },
    "03.c": {
        "stub": digits_stub,
        "right": [
            digits,
            digits_moved,
            digits_cropped,
            lambda: layers.RandomTranslation(0.08, 0.08),
            lambda: keras.Sequential(
                [layers.RandomRotation(15 / 360), layers.RandomContrast(0.2, value_range=(0, 255))]
            ),
            digits_functional,
            lambda: layers.Pipeline(
                [layers.RandomShear(0.05, 0.05), layers.RandomBrightness(0.1, value_range=(0, 255))]
            ),
            lambda: keras.Sequential(
                [
                    layers.RandomColorJitter(
                        value_range=(0, 255),
                        brightness_factor=0.2,
                        contrast_factor=0.2,
                        saturation_factor=0.2,
                        hue_factor=0.1,
                    ),
                    layers.RandomErasing(0.2, scale=(0.02, 0.1)),
                    layers.RandomShear(0.1),
                ]
            ),
        ],
        "wrong": {
            "mirrored-horizontal": lambda: layers.RandomFlip("horizontal"),
            "mirrored-vertical": lambda: layers.RandomFlip("vertical"),
            "turned": lambda: layers.RandomRotation(0.5),
            "nothing-changes": lambda: layers.RandomRotation(0.0),
            "black": lambda: layers.RandomContrast(0.3, value_range=(0, 1)),
            "list": lambda: [layers.RandomRotation(0.1), layers.RandomZoom(0.1)],
            "no-layer": lambda: "RandomRotation",
            "always-on": lambda: keras.Sequential([layers.Rescaling(0.5)]),
            "shape": lambda: layers.Resizing(32, 32),
            "changes-in-use": lambda: keras.Sequential(
                [layers.Rescaling(0.9), layers.RandomRotation(0.05)]
            ),
            "factor": lambda: layers.RandomRotation(45),
            "class": lambda: layers.RandomRotation,
            "images": digits_applied,
            "lost": lambda: layers.RandomErasing(factor=1.0, scale=(0.5, 0.9)),
            "raises": lambda: layers.RandomRotation(),
            "all-alike": lambda: layers.RandomRotation((0.1, 0.1)),
        },
        "also": [
            ("turned", lambda: layers.RandomRotation(0.25)),
            (
                "black",
                lambda: keras.Sequential(
                    [layers.RandomRotation(0.1), layers.RandomBrightness(0.2, value_range=(0, 1))]
                ),
            ),
            (
                "no-layer",
                lambda: tf.keras.preprocessing.image.ImageDataGenerator(rotation_range=20),
            ),
            ("lost", lambda: layers.RandomTranslation(0.9, 0.9, fill_mode="constant")),
            ("black", lambda: layers.Rescaling(1 / 255)),
            ("turned", lambda: layers.RandomRotation(math.pi / 8)),
            ("shape", lambda: layers.RandomCrop(64, 64)),
            ("no-layer", digits_a_function),
            ("turned", lambda: layers.RandomRotation((0, 0.5))),
            ("factor", lambda: layers.RandomZoom((3.0, 5.0), fill_mode="constant")),
        ],
    },
    "03.d": {
        "stub": fifty_stub,
        "right": [
            fifty_typical_ones,
            fifty_near_the_middle_of_the_class,
            fifty_typical_ones_in_a_list,
            fifty_typical_by_angle,
        ],
        "wrong": {
            "class-missing": lambda features, labels, photographs: np.arange(50),
            "unequal": fifty_hardly_balanced,
            "few-photographs": fifty_of_few_photographs,
            "odd-images": lambda *given: fifty_typical_ones(*given, sign=-1),
            "count": lambda *given: fifty_typical_ones(*given)[:49],
            "twice": lambda *given: np.repeat(fifty_typical_ones(*given)[:25], 2),
            "range": lambda *given: fifty_typical_ones(*given) + 900,
            "not-whole": lambda *given: np.linspace(0, 1, 50),
            "no-places": lambda features, labels, photographs: None,
            "changed-in-place": fifty_with_features_changed,
            "names": lambda features, labels, photographs: np.unique(photographs)[:50],
            "nested": lambda features, labels, photographs: (
                [np.flatnonzero(labels == c)[:5] for c in range(10)]
            ),
        },
        "also": [
            ("not-whole", fifty_mask),
            (
                "twice",
                lambda features, labels, photographs: np.random.default_rng(0).choice(
                    len(labels), 50
                ),
            ),
            (
                "count",
                lambda features, labels, photographs: np.unique(photographs, return_index=True)[1],
            ),
        ],
    },
}

# --- As newcomers typed them, without sight of the checks --------------------------------------


def a_new_map_drops_the_labels(train, val, augment):
    train = train.cache().map(lambda images, labels: augment(images))
    return train, val.cache()


def a_new_only_val_cached(train, val, augment):
    train = train.map(lambda images, labels: (augment(images), labels))
    val = val.cache()
    return train, val


def b_new_counts_the_training_images(train_files, test_files, photograph):
    shown = {photograph[name] for name in test_files}
    return len([name for name in train_files if photograph[name] in shown])


def b_new_looks_a_name_up_among_photographs(train_files, test_files, photograph):
    known = [photograph[name] for name in train_files]
    return sum(name in known for name in test_files)


def c_new_a_quarter_turn():
    return keras.Sequential([layers.RandomRotation(0.25), layers.RandomZoom(0.1)])


def c_new_only_rescales():
    return keras.Sequential([layers.Rescaling(1 / 255)])


def d_new_drawn_with_replacement(features, labels, photographs):
    return np.random.choice(len(labels), 50)


def d_new_the_first_fifty(features, labels, photographs):
    return list(range(50))


def a_new_augments_the_validation_images_as_well(train, val, augment):
    def change(images, labels):
        return augment(images, training=True), labels

    return train.cache().map(change), val.cache().map(change)


def b_new_set_difference_the_wrong_way(train_files, test_files, photograph):
    train_p = set(photograph[f] for f in train_files)
    return len([f for f in test_files if photograph[f] not in train_p])


def c_new_flip_left_and_right_among_others():
    return keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.05)])


def d_new_five_of_each_class_the_first(features, labels, photographs):
    return np.concatenate([np.flatnonzero(labels == k)[:5] for k in range(10)])


CATALOGUE["03.a"].setdefault("also", []).extend(
    [
        ("labels-dropped", a_new_map_drops_the_labels),
        ("not-cached", a_new_only_val_cached),
        ("validation-changed", a_new_augments_the_validation_images_as_well),
    ]
)
CATALOGUE["03.b"].setdefault("also", []).extend(
    [
        ("wrong-side", b_new_counts_the_training_images),
        ("files", b_new_looks_a_name_up_among_photographs),
        ("clean", b_new_set_difference_the_wrong_way),
    ]
)
CATALOGUE["03.c"].setdefault("also", []).extend(
    [
        ("turned", c_new_a_quarter_turn),
        ("black", c_new_only_rescales),
        ("mirrored-horizontal", c_new_flip_left_and_right_among_others),
    ]
)
CATALOGUE["03.d"].setdefault("also", []).extend(
    [
        ("twice", d_new_drawn_with_replacement),
        ("class-missing", d_new_the_first_fifty),
        ("few-photographs", d_new_five_of_each_class_the_first),
    ]
)
