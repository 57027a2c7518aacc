"""A file is written whole or not at all, and known by its digest."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from helpers import files
from helpers.files import digest, whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "a.json"  # made when needed
    with whole(target) as draft:
        assert draft.parent == target.parent
        assert draft.suffix == ".json"
        assert not draft.exists()
        draft.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert names(target.parent) == ["a.json"]


def test_an_ending_of_two_parts_is_kept(tmp_path: Path) -> None:
    """Keras refuses a file of weights that does not end in .weights.h5."""
    with whole(tmp_path / "epoch 3.weights.h5") as draft:
        assert draft.name.endswith(".weights.h5")
        draft.write_bytes(b"")


@pytest.mark.parametrize("problem", [OSError(errno.ENOSPC, "full"), ValueError, KeyboardInterrupt])
def test_whatever_goes_wrong_the_old_file_stays(problem, tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises((OSError, ValueError, KeyboardInterrupt)), whole(target) as draft:
        draft.write_text("half")
        raise problem
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_fails_at_the_end_leaves_the_old_file(step: str, tmp_path, monkeypatch) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fails(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(files.os, step, fails)
    with pytest.raises(OSError, match="Input/output"), whole(target) as draft:
        draft.write_text("new")
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_block_that_writes_nothing_is_an_error_and_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(FileNotFoundError), whole(target):
        pass
    assert target.read_text() == "old"


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OSError), whole(tmp_path / "taken" / "a.txt"):
        pytest.fail("the block must not run")


def test_a_process_killed_while_writing_leaves_the_old_file_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    code = f"""
import os, signal
from helpers.files import whole
with whole({str(target)!r}) as draft:
    draft.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode < 0
    assert target.read_text() == "old"


def test_writers_side_by_side_have_drafts_of_their_own(tmp_path: Path) -> None:
    """One predictable name, and two processes once wrote into the same draft."""
    target, texts = tmp_path / "a.txt", [letter * 100_000 for letter in "abcdefgh"]
    together = threading.Barrier(len(texts))

    def write(text: str) -> None:
        with whole(target) as draft:
            together.wait(timeout=20)
            draft.write_text(text)

    threads = [threading.Thread(target=write, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert target.read_text() in texts
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
@pytest.mark.parametrize("content", [b"", b"abc", b"x" * 3_000_000])
def test_a_digest_is_that_of_the_content(algorithm: str, content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(content)
    assert digest(file, algorithm) == hashlib.new(algorithm, content).hexdigest()
    assert digest(str(file)) == hashlib.sha256(content).hexdigest()


def test_a_digest_of_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        digest(tmp_path / "nowhere")
    with pytest.raises(IsADirectoryError):
        digest(tmp_path)
