"""Faults as they come: a disk that is really full or read-only, a network that refuses all.

Each costs a sentence at most, loses nothing that was there, and holds nobody up. What is tried with
a stand-in for the fault stands beside what it is a fault of: odd images in test_own_images.py,
altered weights and halves of downloads in test_backbones.py, test_official_weights.py and
test_bootstrap.py, kills and full disks while training in test_resume.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.session import COURSE_ROOT

KIB = 1024
BEGIN = """
import numpy as np
from helpers import ladder
from helpers.exercises.progress import remember, statuses
sure, even = np.eye(10)[np.arange(200) % 10], np.full((300, 10), 0.1)

def climb(rung):
    ladder.climb(rung, pixels=64, trained="x" * {words}, seconds=1.0,
                 validation=(sure, np.arange(200) % 10), test=even)
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mount("-t", "tmpfs", "-o", f"size={64 * KIB}", "tmpfs", folder):
        pytest.skip("a small disk can be made by the administrator of a Linux machine only")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def mount(*arguments: str | Path) -> bool:
    try:
        return not subprocess.run(["mount", *arguments], capture_output=True).returncode
    except FileNotFoundError:
        return False


def fill(disk: Path, leave: int) -> None:
    """Fill a disk up to so many bytes."""
    with open(disk / "holiday.mp4", "wb", buffering=0) as file:
        state = os.statvfs(disk)
        file.write(b"x" * (state.f_bavail * state.f_frsize - leave))


def run(code: str, home: Path, words: int = 1, **environment: str) -> str:
    """Run code in another Python with this personal folder; return what it prints."""
    (temporary := home.parent / "temporary").mkdir(exist_ok=True)
    found = subprocess.run(
        [sys.executable, "-c", BEGIN.replace("{words}", str(words)) + code],
        env=os.environ
        | {"COURSE_HOME": str(home), "PYTHONPATH": str(COURSE_ROOT), "TMPDIR": str(temporary)}
        | environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def sentences(shown: str) -> list[str]:
    return [
        line for line in shown.splitlines() if " cannot be " in line or " could not be " in line
    ]


EARLIER = "climb('02.small'); remember('00.a', 'passed')"
LATER = "climb('02.frozen'); remember('00.b', 'passed'); climb('05.fine-tuned')"


def both_files(home: Path) -> dict[str, bytes]:
    return {name: (home / name).read_bytes() for name in ("ladder.json", "progress.json")}


def test_on_a_full_disk_the_session_goes_on_elsewhere_and_says_so_once(disk: Path) -> None:
    run(EARLIER, disk)
    before = both_files(disk)
    fill(disk, leave=0)
    shown = run(LATER, disk)
    (said,) = sentences(shown)
    assert "No space left on device" in said and str(disk) in said and "Free some space" in said
    assert both_files(disk) == before
    assert sorted(path.name for path in disk.glob("*.json")) == sorted(before)
    (disk / "holiday.mp4").unlink()
    shown = run(LATER + "\nprint(statuses(['00.a', '00.b']), *ladder.KEPT.read())", disk)
    assert sentences(shown) == []
    assert shown.endswith("{'00.a': 'passed', '00.b': 'passed'} 02.frozen 02.small 05.fine-tuned\n")


def test_a_disk_on_which_the_next_entry_has_no_room_keeps_the_old_ones(disk: Path) -> None:
    run(EARLIER, disk)
    before = both_files(disk)
    fill(disk, leave=4 * KIB)  # the probe has room, and the draft of the ladder has not
    shown = run("climb('02.frozen')", disk, words=9_000)
    (said,) = sentences(shown)
    assert said.startswith("The ladder could not be saved") and "No space left on device" in said
    assert both_files(disk) == before
    assert not [path for path in disk.iterdir() if path.name.startswith(".")]  # no draft is left


def test_a_read_only_disk_is_said_once_and_can_still_be_read(disk: Path) -> None:
    run(EARLIER, disk)
    before = both_files(disk)
    assert mount("-o", "remount,ro", disk)
    (said,) = sentences(run(LATER, disk))
    assert "Read-only file system" in said and str(disk) in said
    assert both_files(disk) == before


ENGINE = """
import keras
from helpers.engine import engine_for
model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(2_000, 3),
                          keras.layers.GlobalAveragePooling2D()])
images = np.random.default_rng(1).random((2, 32, 32, 3), dtype="float32")
found = engine_for(model, images, 2, engine="litert")(images)
assert np.allclose(found, model(images), atol=1e-4)
"""


def test_an_engine_for_which_there_is_no_room_costs_nothing_but_the_keeping(disk: Path) -> None:
    run(EARLIER, disk)
    before = both_files(disk)
    assert sentences(run(ENGINE, disk)) == []
    assert both_files(disk) == before
    assert [*(disk / "engines").iterdir()] == []


REFUSED = """
import errno, socket, time

def refuse(*_, **__):
    raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")

socket.socket.connect = socket.socket.connect_ex = refuse
socket.create_connection = socket.getaddrinfo = refuse
"""
COURSE = """
import helpers
helpers.start("00")
from helpers.backbones import EfficientNetLite0, decode_predictions, weights_for
from helpers.data import DATA, load, open_image
from helpers.exercises import check
stamps = load("stamps", image_size=(64, 64))
load("fashion"), load("solar-cells", image_size=(64, 64))
photo = open_image(DATA / "stamps/train/bird/bird_006.jpg")
best = decode_predictions(EfficientNetLite0().predict(photo, verbose=0), top=1)[0]
print("it is a", best[0][0])
check("00.a", lambda probabilities, labels: labels[probabilities[0].argmax()])
climb("02.small")
began = time.perf_counter()
print("weights", [weights_for(name) for name in ("VGG16", "InceptionV3", "EfficientNetLite0")])
print("decided after", time.perf_counter() - began)
"""


def test_where_every_socket_is_refused_the_course_runs(tmp_path: Path) -> None:
    nowhere = {"KERAS_HOME": str(tmp_path / "keras")}
    shown = run(REFUSED + COURSE, tmp_path / "home", **nowhere)
    assert "it is a hen" in shown and "Right. Your answer is remembered." in shown
    assert "Rung 02.small" in shown
    assert "weights [None, None, 'imagenet']" in shown
    assert float(shown.split("decided after ")[1]) < 5
    assert shown.count("weights=None") == 2  # one sentence for each of the two models
