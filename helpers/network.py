"""Whether there is a network, decided within seconds."""

import os
import threading
import time
import urllib.error
import urllib.request

SERVER = "https://storage.googleapis.com/keras-applications/"
"""Where Keras fetches its weights from; TensorFlow Datasets keeps its lists at the same host."""

_last_answer: tuple[float, bool] | None = None


def reachable(patience: float = 2.0) -> bool:
    """Return whether `SERVER` answers within `patience` seconds; asked once a minute at most.

    Never where the environment has ``COURSE_OFFLINE=1``.
    """
    global _last_answer
    if os.environ.get("COURSE_OFFLINE") == "1":
        return False
    if _last_answer is None or time.monotonic() - _last_answer[0] > 60:
        answered = threading.Event()  # in a thread: looking up a host can hang, without a timeout
        threading.Thread(target=_ask_server, args=(answered, patience), daemon=True).start()
        _last_answer = (time.monotonic(), answered.wait(patience))
    return _last_answer[1]


def _ask_server(answered: threading.Event, patience: float) -> None:
    try:
        # urllib, as Keras uses: it knows about proxies, a bare socket does not.
        question = urllib.request.Request(SERVER, method="HEAD")
        urllib.request.urlopen(question, timeout=patience).close()
        answered.set()
    except urllib.error.HTTPError:  # any answer is an answer
        answered.set()
    except (OSError, ValueError):
        pass
