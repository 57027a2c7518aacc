"""Files: written whole or not at all, and told apart by their digest."""

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole(target: str | os.PathLike) -> Iterator[Path]:
    """Write a file so that it is there whole or not at all.

        with whole("progress.json") as draft:
            draft.write_text("{}")

    The draft lies beside the target under a name that no other process or thread has, and ends as
    the target does, because Keras and Pillow go by the ending. When the block has run through, it
    takes the target's place in one step. Whatever goes wrong before (a full disk, an exception),
    the target stays as it was and the draft is deleted.

    Args:
        target: Where the file is to be; its folder is made when needed.

    Yields:
        The path to write to, once the folder is there.

    Raises:
        OSError: The disk is full or read-only; and whatever the block raises.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{uuid.uuid4().hex[:12]}-{target.name}")
    try:
        yield draft
        with open(draft, "rb+") as written:  # or its name could reach the disk before its content
            os.fsync(written.fileno())
        os.replace(draft, target)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def digest(path: str | os.PathLike, algorithm: str = "sha256") -> str:
    """Return the digest of a file's content as hexadecimal digits; `algorithm` as in `hashlib`.

    Raises:
        OSError: The file cannot be read.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.new(algorithm, usedforsecurity=False)
        ).hexdigest()
