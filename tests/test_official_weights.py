"""With official weights, the lessons load them, cut, freeze and train on them.

The weights are made here (official_weights.py): as large as the real ones, with fixed numbers.
Of each lesson those cells run that the weights decide: what is loaded, cut, scaled and frozen, and
one batch of training. They run in a copy of the course, in a kernel of its own.
"""

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import nbformat
import official_weights
import pytest
from nbclient import NotebookClient

from helpers.backbones.official import table

COURSE = Path(__file__).resolve().parents[1]
TESTS = Path(__file__).parent
LEFT_OUT = (".*", "*.egg-info", "__pycache__", "site", "slides", "tests", "runs")
LONGEST = 500  # seconds that a cell or a child process may take

# The cells are the lesson's own; only what they train on is less, because nothing can be learned:
# fewer images, and of those one batch for each call of fit.
ONE_BATCH = """
from helpers import data
every_image = data.load
def load(*which, **how):
    splits = every_image(*which, **(how | {"train_per_class": 4}))
    few = splits.val.unbatch().shard(8, 0).batch(32)
    import dataclasses
    return dataclasses.replace(splits, val=few)
data.load = load
import keras
whole_fit = keras.Model.fit
def fit(model, x, initial_epoch=0, **_):
    x, last = x.take(1), initial_epoch + 1
    how = {"initial_epoch": initial_epoch, "epochs": last, "verbose": 0}
    return whole_fit(model, x, validation_data=x, **how)
keras.Model.fit = fit
"""

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the course, to put files into."""
    course = tmp_path / "course"
    shutil.copytree(COURSE, course, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for brought_along in (course / "data" / "weights").glob("*.h5"):
        brought_along.unlink()
    return course


def environment(folder: Path, *import_from: Path, **more: str) -> dict[str, str]:
    """Variables for a process with a Keras cache of its own and, unless said, no network."""
    (folder / "keras").mkdir(exist_ok=True)
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, import_from)),
        "KERAS_HOME": str(folder / "keras"),
        "COURSE_HOME": str(folder / "home"),
        "COURSE_OFFLINE": "1",
        "COURSE_STRICT": "0",  # numbers that know nothing cannot keep a lesson's promises
        "COURSE_SEED": "42",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **more,
    }


def run_cells(course: Path, number: str, chosen: list[str], report: str, before: str) -> dict:
    """Run some cells of a lesson of the copy, in order; return what `report` says after the last.

    Args:
        course: The copy.
        number: Number of the lesson.
        chosen: Headings, without their hashes, of sections to run; and beginnings of single cells.
        report: Code of an expression, a dictionary that JSON can hold.
        before: Code to run between TensorFlow's start and the lesson's cells.
    """
    (path,) = (course / "notebooks").glob(f"{number}_*.ipynb")
    notebook = nbformat.read(path, as_version=4)
    answer = course.parent / "report.json"
    first = f"""
        import sys
        sys.path.append({str(TESTS)!r})
        import helpers
        helpers.start({number!r})
    """
    asked = f"""
        import json
        from pathlib import Path
        from official_weights import digest
        said = {report}
        said["helpers"] = helpers.__file__
        Path({str(answer)!r}).write_text(json.dumps(said))
    """
    section, cells, found = "", [textwrap.dedent(first) + before], set()
    for cell in notebook.cells:
        heading = re.search(r"^## (.+)", cell.source, re.MULTILINE)
        if heading and cell.cell_type == "markdown":
            section = heading[1]
        why = [one for one in chosen if one == section or cell.source.startswith(one)]
        found.update(why)
        if why and cell.cell_type == "code":
            cells.append(cell.source)
    assert found == set(chosen), f"{path.name} has no {set(chosen) - found} any more"
    cells.append(textwrap.dedent(asked))
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in cells]
    client = NotebookClient(
        notebook, timeout=LONGEST, resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute(env=environment(course.parent, course))
    said = json.loads(answer.read_text())
    assert Path(said["helpers"]).is_relative_to(course)
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    return said | {"printed": "".join(output.get("text", "") for output in outputs)}


def test_lesson_06_cuts_and_trains_on_inception_v3(copy: Path) -> None:
    file, made = official_weights.make("InceptionV3", copy / "data" / "weights")
    said = run_cells(
        copy,
        "06",
        [
            "Set up",
            "SIZE = (150, 150)",
            "local_weights_file = ",
            "One line picks the backbone",
            "TRAIN_FOLDER = ",
            "The recipe, as it is written now",
        ],
        """{
            "backbone": [backbone.name, backbone.weights, backbone.cut],
            "base": [base.name, len(base.layers), digest(base.get_weights())],
            "by hand": digest(inception.get_weights()),
            "cut": list(model.get_layer("up_to_cut").output.shape),
            "trainable": sum(int(np.prod(w.shape)) for w in model.trainable_weights),
            "frozen": not up_to_cut.trainable_weights,
            "scale": backbone.scale(tf.constant([0.0, 255.0])).numpy().tolist(),
            "in the model": [layer.name for layer in model.layers],
            "epochs": len(history.history["loss"]),
            "blocks": [base.get_layer(name).output.shape[-1] for name in backbone.blocks],
        }""",
        ONE_BATCH,
    )
    assert said["backbone"] == ["InceptionV3", str(file), "mixed7"]
    assert "No ImageNet weights" not in said["printed"]
    # Loaded, and after training still what is in the file.
    assert said["base"] == ["inception_v3", 311, made]
    assert said["by hand"] == made  # load_weights reads Keras's own file, too
    assert said["cut"] == [None, 7, 7, 768]
    assert said["frozen"]
    assert said["trainable"] == 7 * 7 * 768 * 1024 + 1024 + 1024 + 1 == 38_537_217
    assert said["scale"] == [-1, 1]
    assert said["in the model"].index("to_minus_one_to_one") < said["in the model"].index(
        "up_to_cut"
    )
    assert said["epochs"] == 1
    # The blocks whose depths the lesson compares, one feature a channel: 10,048 in all.
    assert said["blocks"] == [256, 288, 288, *[768] * 5, 1280, 2048, 2048]


def test_lesson_07_trains_the_recipe_on_vgg16(copy: Path) -> None:
    _, made = official_weights.make("VGG16", copy / "data" / "weights")
    said = run_cells(
        copy,
        "07",
        [
            "Set up",
            "The VGG16 recipe",
            "def arrays",
            "def compiled_head",
            "def accuracy_of",
            "def train_head",
            "families = ",
            "here = ",
        ],
        """{
            "backbone": [BACKBONE, CUT],
            "base": [base.name, len(base.layers)],
            "at first": digest(a for arrays in at_first.values() for a in arrays),
            "phase one": sorted(in_one),
            "phase two": sorted(in_two),
            "trainable": sorted({w.path.split("/")[0] for w in model.trainable_weights}),
            "epochs": phase_one.epoch + phase_two.epoch,
        }""",
        ONE_BATCH,
    )
    assert said["backbone"] == ["VGG16", "block5_conv1"]
    assert "No ImageNet weights" not in said["printed"]
    assert said["base"] == ["vgg16", 19]
    assert said["at first"] == made
    block5 = ["block5_conv1", "block5_conv2", "block5_conv3"]
    assert said["phase one"] == []  # frozen: still what is in the file
    assert said["phase two"] == block5
    assert said["trainable"] == [*block5, "classes", "hidden"]
    assert said["epochs"] == [0, 1]
    assert "pretrained here, beside EfficientNetLite0: VGG16\n" in said["printed"]
    assert "VGG16, as it wants: " in said["printed"]


def test_lesson_02_trains_on_efficientnetb0_with_its_rescaling(copy: Path) -> None:
    """Given as a path, B0 would lack a Rescaling layer that the official weights count on."""
    file, made = official_weights.make("EfficientNetB0", copy / "data" / "weights")
    said = run_cells(
        copy,
        "02",
        [
            "Set up",
            "SIZE = (224, 224)",
            "def feature_extractor",
            "backbones = ",
            "extractors = {",
            'for name in ("EfficientNetB0"',
        ],
        """{
            "weights": available["EfficientNetB0"],
            "base": digest(extractors["EfficientNetB0"].layers[1].get_weights()),
            "rescalings": sum(
                isinstance(layer, layers.Rescaling)
                for layer in extractors["EfficientNetB0"].layers[1].layers
            ),
            "trainable": sum(
                int(np.prod(w.shape)) for w in extractors["EfficientNetB0"].trainable_weights
            ),
        }""",
        f"""
import official_weights
official_weights.expect("EfficientNetB0", {official_weights.md5(file)!r})
{ONE_BATCH}""",
    )
    assert said["weights"] == "imagenet"
    assert said["rescalings"] == 2
    assert said["base"] == made
    assert said["trainable"] == 1280 * 10 + 10
    assert "EfficientNetB0: validation accuracy" in said["printed"]
    assert "EfficientNetV2B0: no weights here" in said["printed"]
    assert (copy.parent / "keras" / "models" / file.name).is_file()


# --- The download ------------------------------------------------------------------------------

LEARNER = """
import json, os, sys

name, made, address, server_folder = sys.argv[1:]
import helpers; helpers.start("06")
import keras
import keras.src.applications.efficientnet, keras.src.applications.inception_v3
import official_weights
from helpers import network
from helpers.backbones import official

official_weights.expect(name, made)
file = official.table()[name]["file"]
network.SERVER = address
keras.src.applications.efficientnet.BASE_WEIGHTS_PATH = address
keras.src.applications.inception_v3.WEIGHTS_PATH_NO_TOP = address + file


def ask(offline):
    os.environ["COURSE_OFFLINE"] = str(int(offline))
    weights = official.weights_for(name)
    said = {"weights": weights}
    if weights:
        try:
            model = getattr(keras.applications, name)(
                include_top=False, weights=weights, input_shape=(96, 96, 3)
            )
            said["loaded"] = official_weights.digest(model.get_weights())
        except Exception as problem:
            said["problem"] = f"{type(problem).__name__}: {problem}"
    return said


steps = {}
for step in ("damaged", "good"):
    os.rename(f"{server_folder}/{step}", f"{server_folder}/{file}")
    steps[step] = ask(offline=False)
    steps[f"after {step}, offline"] = ask(offline=True)
print("said", json.dumps(steps))
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, str, list[str]]]:
    """Stands in for the server of Keras's weights: its folder, its address, what it was asked."""
    folder, asked = tmp_path / "server", []
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments) -> None:
            super().__init__(*arguments, directory=str(folder))

        def do_GET(self) -> None:
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *_) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{running.server_port}/", asked
        running.shutdown()


@pytest.mark.parametrize("name", ["EfficientNetB0", "InceptionV3"])
def test_weights_are_downloaded_checked_and_kept(name: str, tmp_path: Path, server) -> None:
    folder, address, asked = server
    file, made = official_weights.make(name, tmp_path / "made")
    good, md5 = file.read_bytes(), official_weights.md5(file)
    file.unlink()
    (folder / "good").write_bytes(good)
    (folder / "damaged").write_bytes(good[:-1000] + bytes(1000))
    done = subprocess.run(
        [sys.executable, "-c", LEARNER, name, md5, address, str(folder)],
        env=environment(tmp_path, COURSE, TESTS, no_proxy="*"),
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    printed, _, said = done.stdout.rpartition("said ")
    said = json.loads(said)

    assert said["damaged"]["weights"] == "imagenet"  # the server answers, so it is worth a try
    assert "loaded" not in said["damaged"]
    assert "corrupt" in said["damaged"]["problem"].lower()
    # Whatever Keras leaves of it in its cache does not count.
    assert said["after damaged, offline"] == {"weights": None}
    assert printed.count(f"No ImageNet weights for {name} here") == 1

    assert said["good"] == {"weights": "imagenet", "loaded": made}
    kept = tmp_path / "keras" / "models" / table()[name]["file"]
    assert kept.read_bytes() == good
    assert said["after good, offline"] == {"weights": "imagenet", "loaded": made}
    assert asked == [f"/{kept.name}"] * 2  # once for each download, then from the cache
