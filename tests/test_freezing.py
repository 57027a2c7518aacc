"""The layer table, and what is frozen after unfreezing: also after a real step of training."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from helpers.backbones import EfficientNetLite0
from helpers.freezing import layer_table, split_at, unfreeze


@pytest.fixture
def small() -> keras.Model:
    """A base of seven layers, two of them BatchNorm, with 2,212 parameters."""
    inputs = keras.Input((16, 16, 3), name="image")
    x = layers.Conv2D(4, 3, name="conv_a")(inputs)
    x = layers.BatchNormalization(name="norm_a")(x)
    x = layers.Activation("relu", name="act_a")(x)
    x = layers.Conv2D(8, 3, name="conv_b")(x)
    x = layers.BatchNormalization(name="norm_b")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, x, name="small")


@pytest.fixture(scope="module")
def lite0() -> keras.Model:
    """A real backbone, small in pixels only; tests say themselves what is frozen in it."""
    return EfficientNetLite0(include_top=False, weights=None, input_shape=(32, 32, 3))


def with_head(base: keras.Model) -> keras.Model:
    """A compiled classifier on the base, which it calls with training=False.

    A large base runs eagerly: a single step is then over before a graph would be built.
    """
    inputs = keras.Input(base.input_shape[1:])
    x = base(inputs, training=False)
    if len(x.shape) == 4:
        x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
    eagerly = len(base.layers) > 20
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=eagerly)
    return model


def one_step(model: keras.Model) -> None:
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (4, *model.input_shape[1:])).astype("float32")
    model.fit(images, np.array([0, 1, 0, 1]), batch_size=4, verbose=0)


def batch_norms(model: keras.Model) -> list[layers.BatchNormalization]:
    return [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]


def weights_by_layer(model: keras.Model) -> dict[str, list[np.ndarray]]:
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def moved(before: dict[str, list[np.ndarray]], model: keras.Model) -> set[str]:
    """Names of the layers of which any weight has changed."""
    return {
        name
        for name, now in weights_by_layer(model).items()
        if any(not np.array_equal(a, b) for a, b in zip(before[name], now, strict=True))
    }


# --- The table ---------------------------------------------------------------------------------


def test_the_table_lists_every_layer_of_a_small_model(small) -> None:
    table = layer_table(small)
    assert [row.name for row in table.rows] == [layer.name for layer in small.layers]
    conv = table.rows[1]
    assert (conv.index, conv.kind, conv.parameters) == (1, "Conv2D", 3 * 3 * 3 * 4 + 4)
    assert conv.output_shape == "(batch, 14, 14, 4)"
    assert [row.trainable for row in table.rows] == ["–", "yes", "yes", "–", "yes", "yes", "–"]
    assert table.hidden == 0
    trainable = 112 + 296 + 2 * 4 + 2 * 8
    assert table.summary == f"7 layers, {trainable + 24} parameters, {trainable} of them trainable"


def test_the_table_follows_freezing(small) -> None:
    small.trainable = False
    table = layer_table(small)
    assert {row.trainable for row in table.rows} == {"–", "frozen"}
    assert table.summary.endswith("parameters, 0 of them trainable")
    unfreeze(small, last=3)
    changed = [row.name for row in layer_table(small).rows if row.trainable == "yes"]
    assert changed == ["conv_b"]


def test_a_model_inside_is_trainable_in_part(small) -> None:
    inputs = keras.Input((16, 16, 3))
    outer = keras.Model(inputs, layers.Dense(2, name="head")(small(inputs)))
    assert [row.trainable for row in layer_table(outer).rows] == ["–", "yes", "yes"]
    unfreeze(small, last=3)
    assert [row.trainable for row in layer_table(outer).rows] == ["–", "partly", "yes"]
    small.trainable = False
    assert [row.trainable for row in layer_table(outer).rows] == ["–", "frozen", "yes"]


def test_of_a_model_inside_the_layers_decide_and_not_its_flag(small) -> None:
    """The third fact at the head of helpers/freezing.py."""
    small.trainable = False
    small.get_layer("conv_b").trainable = True
    assert small.trainable_weights == []
    model = with_head(small)
    assert layer_table(model).rows[1].trainable == "partly"
    before = weights_by_layer(small)
    one_step(model)
    assert moved(before, small) == {"conv_b"}


def wrappers() -> dict[str, tuple[keras.Model, list[layers.Layer]]]:
    """Models of one layer that holds layers, and what it holds."""
    images, steps = keras.Input((3, 8, 8, 3)), keras.Input((3, 6))
    frames = layers.TimeDistributed(layers.Conv2D(4, 1))
    both = layers.Bidirectional(layers.LSTM(3))
    normed = layers.SpectralNormalization(layers.Dense(2))
    attention = layers.MultiHeadAttention(2, 2)
    made = {
        "TimeDistributed": keras.Model(images, frames(images)),
        "Bidirectional": keras.Model(steps, both(steps)),
        "SpectralNormalization": keras.Model(steps, normed(steps)),
        "MultiHeadAttention": keras.Model(steps, attention(steps, steps)),
    }
    parts = [attention.query_dense, attention.key_dense, attention.value_dense]
    held = {
        "TimeDistributed": [frames.layer],
        "Bidirectional": [both.forward_layer, both.backward_layer],
        "SpectralNormalization": [normed.layer],
        "MultiHeadAttention": [*parts, attention.output_dense],
    }
    return {kind: (made[kind], held[kind]) for kind in made}


@pytest.mark.parametrize(
    "kind", ["TimeDistributed", "Bidirectional", "SpectralNormalization", "MultiHeadAttention"]
)
def test_of_a_wrapper_what_it_holds_decides(kind: str) -> None:
    model, held = wrappers()[kind]
    layer = model.layers[-1]

    def shown() -> str:
        return layer_table(model).rows[-1].trainable

    assert shown() == "yes"
    for part in held:
        part.trainable = False
    assert (shown(), layer.trainable_weights) == ("frozen", [])
    held[0].trainable = True
    assert shown() == ("partly" if len(held) > 1 else "yes")
    layer.trainable = False
    assert shown() == "frozen"


def test_a_layer_with_weights_of_its_own_and_a_frozen_part_is_partly_trainable() -> None:
    class Scaled(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.scale, self.inner = self.add_weight(shape=()), layers.Dense(2)

        def call(self, x):
            return self.scale * self.inner(x)

    model = keras.Sequential([keras.Input((3,)), Scaled()])
    model.layers[0].inner.trainable = False
    assert layer_table(model).rows[0].trainable == "partly"
    assert len(model.trainable_weights) == 1


def test_a_long_table_is_cut_in_the_middle(lite0) -> None:
    table = layer_table(lite0, first=3, last=4)
    assert len(table.rows) == 3 + 4 + 1
    assert [row.index for row in table.rows if row] == [0, 1, 2, *range(len(lite0.layers))[-4:]]
    assert table.rows[3] is None
    assert table.hidden == len(lite0.layers) - 7
    assert f"({table.hidden} more layers)" in str(table)
    assert f"{len(lite0.layers)} layers, 3,413,024 parameters" in table.summary


@pytest.mark.parametrize(("first", "last"), [(0, 5), (5, 0), (0, 0), (1, 1), (3, 3), (8, 12)])
def test_the_table_never_has_more_rows_than_promised(small, first: int, last: int) -> None:
    table = layer_table(small, first, last)
    assert len(table.rows) <= first + last + 1
    assert (
        len([row for row in table.rows if row]) + (table.hidden if None in table.rows else 0) == 7
    )


def test_a_single_hidden_layer_is_shown_instead_of_announced(small) -> None:
    assert None not in layer_table(small, first=3, last=3).rows


def test_columns_are_aligned(small) -> None:
    heading, *rows = str(layer_table(small)).splitlines()[:-1]
    place = heading.index("trainable")
    cells = [row[place:].split()[0] for row in rows]
    assert cells == ["–", "yes", "yes", "–", "yes", "yes", "–"]


def test_html_has_a_row_a_layer_and_escapes_names() -> None:
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, name="a<b")])
    html = layer_table(model)._repr_html_()
    assert html.count("<tr>") == 1 + 1
    assert "a&lt;b" in html
    assert "<div>1 layers, 3 parameters, 3 of them trainable</div>" in html


def test_shapes_that_are_open_or_several_are_said() -> None:
    inputs = keras.Input((None, 8))
    _, state, _ = layers.LSTM(4, return_state=True, name="memory")(inputs)
    table = layer_table(keras.Model(inputs, state))
    assert table.rows[0].output_shape == "(batch, any, 8)"
    assert table.rows[1].output_shape == "(batch, 4) and (batch, 4) and (batch, 4)"


# --- Unfreezing --------------------------------------------------------------------------------


def test_unfreezing_the_last_layers_keeps_batch_norm_frozen(small) -> None:
    assert unfreeze(small, last=3) == ["conv_b"]
    assert [layer.trainable for layer in small.layers] == [False] * 4 + [True, False, True]
    assert len(small.trainable_weights) == 2


def test_unfreezing_from_a_named_layer(small) -> None:
    assert unfreeze(small, start="act_a") == ["conv_b"]
    assert unfreeze(small, start="image") == ["conv_a", "conv_b"]
    assert not any(layer.trainable for layer in batch_norms(small))


def test_unfreezing_again_starts_from_scratch(small) -> None:
    unfreeze(small, last=7)
    assert unfreeze(small, last=3) == ["conv_b"]
    assert not small.get_layer("conv_a").trainable


def test_batch_norm_of_a_model_within_the_model_stays_frozen_too(small) -> None:
    inputs = keras.Input((16, 16, 3))
    block = keras.Sequential([layers.Conv2D(3, 1), layers.BatchNormalization()], name="block")
    x = layers.Conv2D(3, 1, name="one")(block(inputs))
    x = layers.Conv2D(3, 1, name="two")(x)
    x = layers.Conv2D(3, 1, name="three")(x)
    base = keras.Model(inputs, x)
    block.layers[0].trainable = False  # unfreezing everything has to undo this
    assert unfreeze(base, last=4) == ["block", "one", "two", "three"]
    assert [layer.trainable for layer in block.layers] == [True, False]


def five(name: str = "base") -> keras.Model:
    convolutions = [layers.Conv2D(4, 1, name=f"{name}_{i}") for i in range(5)]
    base = keras.Sequential([keras.Input((8, 8, 4)), *convolutions], name=name)
    base.trainable = False
    return base


def around_sequential() -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 4)), five(), layers.Flatten(), layers.Dense(2)])


def around_with_augmentation() -> keras.Model:
    inputs = keras.Input((8, 8, 4))
    augment = keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.1)], name="augment")
    x = layers.GlobalAveragePooling2D()(five()(augment(inputs), training=False))
    return keras.Model(inputs, layers.Dense(2)(layers.Dense(9)(x)))


def around_in_frames_of_a_video() -> keras.Model:
    inputs = keras.Input((3, 8, 8, 4))
    x = layers.Flatten()(layers.TimeDistributed(five())(inputs))
    return keras.Model(inputs, layers.Dense(2)(x))


def around_two() -> keras.Model:
    inputs = keras.Input((8, 8, 4))
    x = layers.Concatenate()([five("other")(inputs), five()(inputs)])
    return keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))


def around_twice() -> keras.Model:
    inner = keras.Sequential([keras.Input((8, 8, 4)), five(), layers.Flatten()], name="inner")
    return keras.Sequential([keras.Input((8, 8, 4)), inner, layers.Dense(2)])


class Around(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.base, self.head = five(), layers.Dense(2)
        self(np.ones((1, 8, 8, 4)))

    def call(self, images):
        return self.head(self.base(images))


AROUND = [
    around_sequential,
    around_with_augmentation,
    around_in_frames_of_a_video,
    around_two,
    around_twice,
    Around,
]


@pytest.mark.parametrize("make", AROUND, ids=lambda make: make.__name__)
@pytest.mark.parametrize("given", [{"last": 3}, {"last": 1}, {"start": "base_3"}])
def test_a_model_around_the_base_is_refused_and_the_base_named(make, given) -> None:
    model = make()
    flags = [layer.trainable for layer in model._flatten_layers()]
    with pytest.raises(ValueError, match=r"is a model around 'base', the base; give the base"):
        unfreeze(model, **given)
    assert [layer.trainable for layer in model._flatten_layers()] == flags
    if make in (around_sequential, around_with_augmentation, around_two):
        assert unfreeze(model.get_layer("base"), last=3) == ["base_2", "base_3", "base_4"]


def test_layers_that_training_cannot_change_are_not_named() -> None:
    inputs = keras.Input((4,))
    x = layers.Normalization(name="normalization")(inputs)
    only_norm = keras.Sequential([keras.Input((4,)), layers.BatchNormalization()], name="only_norm")
    base = keras.Model(inputs, layers.Dense(2, name="dense")(only_norm(x)))
    assert base.get_layer("normalization").weights and only_norm.weights
    assert unfreeze(base, last=4) == ["dense"]


def test_unfreezing_a_real_backbone_from_a_block(lite0) -> None:
    names = unfreeze(lite0, start="block7a_expand_conv")
    assert names[0] == "block7a_expand_conv"
    assert names[-1] == "top_conv"
    assert not any("_bn" in name for name in names)
    assert len(batch_norms(lite0)) == 49
    assert not any(layer.trainable for layer in batch_norms(lite0))
    assert {w.path.split("/")[-2] for w in lite0.trainable_weights} == set(names)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "not both"),
        ({"last": 3, "start": "conv_b"}, "not both"),
        ({"last": 0}, "between 1 and 7, not 0"),
        ({"last": 8}, "between 1 and 7, not 8"),
        ({"last": -1}, "between 1 and 7"),
        ({"start": "mixed7"}, r"small has no layer 'mixed7'\. All names: \[layer\.name for"),
        ({"start": "conv_c"}, "small has no layer 'conv_c'; did you mean conv_. or conv_."),
        ({"start": ""}, "has no layer ''"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(small, arguments, message) -> None:
    small.trainable = False
    with pytest.raises(ValueError, match=message):
        unfreeze(small, **arguments)
    assert small.trainable_weights == []


# --- What a step of training really changes ----------------------------------------------------


def test_a_step_moves_the_unfrozen_layers_and_nothing_else(small) -> None:
    unfreeze(small, last=3)
    model = with_head(small)
    before = weights_by_layer(small)
    one_step(model)
    assert moved(before, small) == {"conv_b"}


@pytest.mark.parametrize(("name", "start"), [("small", "conv_b"), ("lite0", "block7a_expand_conv")])
def test_training_false_does_not_protect_batch_norm_but_unfreeze_does(
    name: str, start: str, request: pytest.FixtureRequest
) -> None:
    """The fact of Keras 3 that unfreeze exists for; see the head of helpers/freezing.py."""
    base = request.getfixturevalue(name)
    norms = {norm.name for norm in batch_norms(base)}
    base.trainable = False
    base.trainable = True
    before = weights_by_layer(base)
    one_step(with_head(base))
    assert moved(before, base) & norms

    unfrozen = set(unfreeze(base, start=start))
    before = weights_by_layer(base)
    one_step(with_head(base))
    assert moved(before, base) == unfrozen
    assert not unfrozen & norms


def test_lite0_fine_tuned_from_its_last_ten_keeps_every_statistic(lite0) -> None:
    """What lesson 05 does, against the older recipe: freeze all but the last ten, no more."""
    norms = {norm.name for norm in batch_norms(lite0)}
    last = {layer.name for layer in lite0.layers[-10:]}
    lite0.trainable = False
    lite0.trainable = True
    for layer in lite0.layers[:-10]:
        layer.trainable = False
    before = weights_by_layer(lite0)
    one_step(with_head(lite0))
    assert moved(before, lite0) & norms == last & norms
    assert len(last & norms) == 4

    assert unfreeze(lite0, last=10) == ["block7a_dwconv", "block7a_project_conv", "top_conv"]
    before = weights_by_layer(lite0)
    one_step(with_head(lite0))
    assert moved(before, lite0) == {"block7a_dwconv", "block7a_project_conv", "top_conv"}


def test_without_compile_unfreezing_trains_nothing(small) -> None:
    """The silent failure that unfreeze's docstring warns of."""
    small.trainable = False
    model = with_head(small)
    one_step(model)
    unfreeze(small, last=3)
    before = weights_by_layer(small)
    one_step(model)
    assert moved(before, small) == set()
    model.compile("sgd", "sparse_categorical_crossentropy")
    one_step(model)
    assert moved(before, small) == {"conv_b"}


def test_the_outer_flag_resets_the_children_only_where_it_changes(small) -> None:
    """The first fact at the head of helpers/freezing.py."""
    small.trainable = False
    small.get_layer("conv_b").trainable = True
    assert small.trainable_weights == []  # the outer flag hides it
    small.trainable = True
    assert all(layer.trainable for layer in small.layers)

    small.get_layer("conv_a").trainable = False
    small.trainable = True  # it was True already
    assert not small.get_layer("conv_a").trainable


# --- Cutting -----------------------------------------------------------------------------------


def some_images(base: keras.Model, count: int = 3) -> np.ndarray:
    rng = np.random.default_rng(1)
    return rng.uniform(0, 255, (count, *base.input_shape[1:])).astype("float32")


@pytest.mark.parametrize("cut", ["conv_a", "norm_a", "act_a", "conv_b", "norm_b"])
def test_front_and_back_together_are_the_base(small, cut: str) -> None:
    images = some_images(small)
    front, back = split_at(small, cut)
    assert front.layers[-1].name == cut
    assert front.output_shape == back.input_shape
    assert np.allclose(back(front(images)), small(images), atol=1e-6)
    assert len(front.layers) + len(back.layers) == len(small.layers) + 1  # the back's own input


@pytest.mark.parametrize("cut", ["block4c_add", "block6d_add", "block7a_expand_activation"])
def test_a_real_backbone_in_two_halves_is_the_backbone(lite0, cut: str) -> None:
    images = some_images(lite0, 2)
    front, back = split_at(lite0, cut)
    assert np.allclose(back(front(images)), lite0(images), atol=1e-4)
    inside = {layer.name for layer in front.layers} | {layer.name for layer in back.layers}
    assert inside >= {layer.name for layer in lite0.layers}


def test_halves_share_weights_and_flags_with_the_base(small) -> None:
    front, back = split_at(small, "act_a")
    unfreeze(small, last=3)
    assert front.trainable_weights == []
    assert [w.path for w in back.trainable_weights] == [w.path for w in small.trainable_weights]
    kernel = small.get_layer("conv_b").kernel
    kernel.assign(np.zeros(kernel.shape))
    assert back.get_layer("conv_b") is small.get_layer("conv_b")
    assert not np.any(back.get_layer("conv_b").get_weights()[0])


def test_training_behind_the_cut_is_training_the_base(small) -> None:
    """The fast path of lesson 05: the same step, through the base and behind a cached cut."""
    unfreeze(small, last=3)
    begin, images = small.get_weights(), some_images(small, 4)
    front, back = split_at(small, "act_a")
    cached, ends = front.predict(images, verbose=0), []
    for part, inputs in ((small, images), (back, cached)):
        small.set_weights(begin)
        keras.utils.set_random_seed(3)
        inner = keras.Input(part.input_shape[1:])
        head = layers.Dense(2, activation="softmax")
        model = keras.Model(inner, head(part(inner, training=False)))
        model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy")
        model.fit(inputs, np.array([0, 1, 0, 1]), batch_size=4, epochs=3, verbose=0)
        ends.append([*small.get_weights(), *head.get_weights()])
    assert not all(np.array_equal(a, b) for a, b in zip(begin, ends[0], strict=False))
    assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(*ends, strict=True))


def test_a_half_can_be_cut_again(lite0) -> None:
    """Its layers then stand in two models, and `layer.output` is that of the first."""
    images = some_images(lite0, 1)
    front, rest = split_at(lite0, "block4c_add")
    middle, back = split_at(rest, "block6d_add")
    assert np.allclose(back(middle(front(images))), lite0(images), atol=1e-4)


@pytest.mark.parametrize("cut", ["block6d_project_bn", "block6d_dwconv", "block5b_expand_conv"])
def test_a_cut_inside_a_residual_block_is_refused(lite0, cut: str) -> None:
    with pytest.raises(ValueError, match=f"another path leads around '{cut}'.*end of a block"):
        split_at(lite0, cut)


@pytest.mark.parametrize("input_first", [True, False])
def test_a_sequential_base_is_cut_too(input_first: bool) -> None:
    base = keras.Sequential(name="row")
    if input_first:
        base.add(keras.Input((4,)))
    for name in ("one", "two", "three"):
        base.add(layers.Dense(3, name=name))
    images = np.random.default_rng(0).uniform(0, 1, (2, 4)).astype("float32")
    if not input_first:
        with pytest.raises(ValueError, match=r"row has no graph .* build it from keras\.Input"):
            split_at(base, "two")
        base(images)
    front, back = split_at(base, "two")
    assert [layer.name for layer in back.layers[1:]] == ["three"]
    assert back.get_layer("three") is base.get_layer("three")
    assert np.allclose(back(front(images)), base(images))
    with pytest.raises(ValueError, match="'three' is the last layer of row"):
        split_at(base, "three")


def test_a_base_without_a_graph_is_refused() -> None:
    class Subclassed(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="written")
            self.dense = layers.Dense(2, name="dense")

        def call(self, images):
            return self.dense(images)

    base = Subclassed()
    base(np.ones((1, 3), "float32"))
    with pytest.raises(ValueError, match=r"written has no graph of layers to cut"):
        split_at(base, "dense")


def test_a_cut_that_is_no_cut_is_refused(small) -> None:
    with pytest.raises(ValueError, match="small has no layer 'conv_c'; did you mean conv_"):
        split_at(small, "conv_c")
    with pytest.raises(ValueError, match=r"no layer 'mixed7'\. All names: \[layer\.name for"):
        split_at(small, "mixed7")
    with pytest.raises(ValueError, match="'pool' is the last layer of small"):
        split_at(small, "pool")
