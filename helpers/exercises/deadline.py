"""An end for an answer that never comes to one, such as a loop whose condition stays true."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class OutOfTime(BaseException):
    """An answer has used up its processor time.

    No `Exception`, so that an answer, or Keras, that catches all of those does not go on.
    """


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """Stop what runs inside when it has used so much processor time.

    The clock is that of the process and not the one on the wall: on a busy machine nobody is
    stopped sooner. It does not tick while Python waits, and it stops nothing on Windows and in
    other threads than the main one, in which Jupyter runs cells. May be nested: the time inside is
    not counted outside.

    Args:
        seconds: Of processor time in user mode, of all threads together; above 0.

    Raises:
        OutOfTime: The time is used up. Raised again each second where somebody catches it.
    """
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise OutOfTime(f"{seconds:.0f} s of processor time are used up")

    handler = signal.signal(signal.SIGVTALRM, stop)
    outside = signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)  # or it could tick for the old handler
        signal.signal(signal.SIGVTALRM, handler)
        signal.setitimer(signal.ITIMER_VIRTUAL, *outside)
