"""Small JSON files of the learner that several kernels share: progress, the ladder."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from helpers.files import whole
from helpers.session import personal_folder

PATIENCE = 3.0
"""Seconds to wait while another kernel writes; then the work counts for more than the record."""


class Kept:
    """A dictionary of entries in the learner's folder, e.g. ``.course/progress.json``.

    Args:
        name: Name of the file.
        what: What it holds, in one word that can begin a sentence, e.g. ``"Progress"``.
        is_entry: Whether a value read from the file is an entry; if one is not, the file is broken.
    """

    def __init__(self, name: str, what: str, is_entry: Callable[[object], bool]) -> None:
        self.name, self.what, self.is_entry = name, what, is_entry

    def file(self) -> Path:
        """Return where the entries are kept; the file may not exist yet."""
        return personal_folder() / self.name

    def read(self) -> dict[str, dict]:
        """Return the entries. A file that cannot be read is put aside, and a sentence says so."""
        file = self.file()
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
            if not isinstance(record, dict) or not all(map(self.is_entry, record.values())):
                raise ValueError("it holds something else")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as problem:
            broken = file.with_name(file.name + ".broken")
            with contextlib.suppress(OSError):  # whatever the disk says, the lesson goes on
                os.replace(file, broken)
            kept = f"was kept as {broken.name}" if broken.is_file() else "stays where it is"
            afresh = f"{self.what.lower()} starts afresh"
            print(f"{file} could not be read ({problem}); it {kept}, and {afresh}.")
            return {}
        return record

    def change(self, edit: Callable[[dict[str, dict]], None]) -> bool:
        """Let `edit` change the entries, and save them, while other kernels wait.

        Returns:
            Whether they were saved; if not, a sentence has said why.
        """
        with self._locked():
            record = self.read()
            edit(record)
            file = self.file()
            try:
                with whole(file) as draft:
                    draft.write_text(json.dumps(record, indent=1, sort_keys=True), encoding="utf-8")
            except OSError as problem:
                print(
                    f"{self.what} could not be saved in {file} ({problem.strerror}); all else is "
                    "fine. Free some space and run the cell again."
                )
                return False
        return True

    def reset(self) -> None:
        """Start over. The old file is kept with the ending ``.old``."""
        with self._locked():
            if (file := self.file()).is_file():
                os.replace(file, file.with_name(file.name + ".old"))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other kernels from changing the file meanwhile. Never raises because of the lock.

        The operating system takes the lock from a kernel that is killed.
        """
        with contextlib.ExitStack() as held:
            # None is to be had in a folder that is read-only, on a disk that knows no locks, where
            # another kernel hangs, or on Colab if it ever stops bringing filelock along. Go on
            # without; whoever cannot write there will say so.
            with contextlib.suppress(OSError, NotImplementedError, ImportError):
                from filelock import FileLock

                lock = FileLock(f"{self.file()}.lock")
                held.enter_context(lock.acquire(timeout=PATIENCE, poll_interval=0.005))
            yield
