"""Which rooms of a package of helpers open, seen from outside: a fresh Python says it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

from helpers.session import COURSE_ROOT


def opened(package: str, steps: Iterable[str]) -> list[str]:
    """Run steps one after the other; return after each the open rooms, and whether Keras is there.

    Args:
        package: Name of a package below helpers, such as ``"plots"``.
        steps: Expressions in which the package has its name.

    Raises:
        AssertionError: A step raised something; the message ends with what was said.
    """
    code = f"""
import sys
from helpers import {package}
for step in {list(steps)}:
    eval(step)
    mine = [name for name in sys.modules if name.startswith("helpers.{package}.")]
    print(*sorted(name.rpartition(".")[2] for name in mine), "keras" in sys.modules)
"""
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, cwd=COURSE_ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()
