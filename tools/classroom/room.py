"""A kernel in which a learner's answers are judged, where they can do no harm by accident.

It has an empty folder, limits of time and memory, no input, and no network as far as Python and its
proxies go. That guards against accidents; it is no prison for hostile code.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from queue import Empty

from tools.classroom.slicing import Answer, Stopped
from tools.lessons import COURSE_ROOT

# What a kernel runs before any answer: no output to flood us with, no connection to other machines
# (what does not ask Python is sent to a dead proxy), no more memory than a lesson may take.
PREPARED = """\
import os, socket, sys
sys.stdout = sys.stderr = open(os.devnull, "w")
for number in (1, 2):
    os.dup2(sys.stdout.fileno(), number)
def refuse(self, address, connect=socket.socket.connect):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError("no network while answers are gathered")
    return connect(self, address)
socket.socket.connect = refuse
try:
    import resource
    resource.setrlimit(resource.RLIMIT_DATA, ({memory}, {memory}))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**30, 2**30))
except (ImportError, ValueError, OSError):
    pass
import helpers.exercises
helpers.exercises.find({exercise_id!r})
"""
MEMORY = 6 * 2**30  # bytes; TensorFlow asks for more than it uses
START_SECONDS = 300  # of ours, not of the learner's
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Outcome:
    """What became of an answer: "passed", "wrong", "untouched" or "not run", and why."""

    exercise_id: str
    status: str
    code: str = ""
    sentence: str = ""


class Room:
    """A kernel for one learner's answers, started when first needed and again after it died."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.manager = self.client = None
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)

    def __enter__(self) -> Room:
        return self

    def __exit__(self, *problem: object) -> None:
        self._stop()
        self.folder.cleanup()

    def judge(self, answer: Answer) -> Outcome:
        """Run an answer and its check."""
        if answer.problem:
            return Outcome(answer.exercise_id, "not run", sentence=answer.problem)
        module = "import helpers.exercises as _exercises"
        result = f"_exercises.evaluate({answer.exercise_id!r}, {answer.expression})"
        ask = f"(lambda r: __import__('json').dumps([r.status, r.code, r.sentence]))({result})"
        try:
            if self.client is None:
                self._start(answer.exercise_id)
            self._run("%reset -f", self.seconds)  # what another answer defined is not there now
            self._run(answer.code, self.seconds)
            value = self._run(module, self.seconds, {"result": ask})["result"]
            status, code, sentence = json.loads(ast.literal_eval(value))
            return Outcome(answer.exercise_id, status, code, sentence)
        except Stopped as problem:
            return Outcome(answer.exercise_id, "not run", sentence=str(problem))

    def _run(self, code: str, seconds: float, ask: dict[str, str] | None = None) -> dict[str, str]:
        """Execute code; return the values that were asked for, as text.

        Raises:
            Stopped: It raised, took too long, or ended the kernel.
        """
        message = self.client.execute(
            code, user_expressions=ask or {}, allow_stdin=False, store_history=False
        )
        deadline = time.monotonic() + seconds
        while True:
            try:
                reply = self.client.get_shell_msg(timeout=0.5)
                if reply["parent_header"].get("msg_id") == message:
                    break
            except Empty:
                if not self.manager.is_alive():
                    self._stop()
                    raise Stopped("it ended the kernel, or took too much memory") from None
            if time.monotonic() > deadline:
                self._stop()
                raise Stopped(f"still running after {seconds:.0f} s")
        content = reply["content"]
        for problem in [content, *content.get("user_expressions", {}).values()]:
            if problem["status"] == "error":
                raise Stopped(f"{problem['ename']}: {problem['evalue']}"[:200])
            if problem["status"] != "ok":
                raise Stopped("it was aborted")
        return {k: v["data"]["text/plain"] for k, v in content["user_expressions"].items()}

    def _start(self, exercise_id: str) -> None:
        """Start a kernel in which this exercise can be checked.

        Raises:
            RuntimeError: It does not start; that is no fault of the answer.
        """
        from jupyter_client.kernelspec import KernelSpecManager
        from jupyter_client.manager import KernelManager

        own = ("TOKEN", "KEY", "SECRET", "PASSWORD")
        environment = {k: v for k, v in os.environ.items() if not any(w in k.upper() for w in own)}
        for name in ("COURSE_HOME", "IPYTHONDIR"):
            environment[name] = self.folder.name
        # Without graphics cards, whose drivers ask for more memory than the limit.
        environment |= {"MPLBACKEND": "agg", "CUDA_VISIBLE_DEVICES": "-1"}
        environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
        environment["PYTHONPATH"] = str(COURSE_ROOT)
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            environment |= {name: NOWHERE, name.upper(): NOWHERE}
        # Without folders to search, the kernel is this Python, whatever else is installed.
        specs = KernelSpecManager(kernel_dirs=[])
        self.manager = KernelManager(kernel_name="python3", kernel_spec_manager=specs)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.manager.start_kernel(env=environment, cwd=self.folder.name, **quiet)
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        try:
            self.client.wait_for_ready(timeout=START_SECONDS)
            self._run(PREPARED.format(memory=MEMORY, exercise_id=exercise_id), START_SECONDS)
        except (RuntimeError, Stopped) as problem:
            self._stop()
            raise RuntimeError(f"the kernel did not start: {problem}") from None

    def _stop(self) -> None:
        """End the kernel and, where processes have groups, what it has started."""
        if self.client is None:
            return
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.client = self.manager = None
