"""A training as the worker sees it: a process in a session of its own, that tells how far it is."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

import psutil
from pydantic import ValidationError

from training.worker.task_protocol import GO, TASK_MESSAGE, Assignment, Exited, TaskMessage

TASK = (sys.executable, "-m", "training.worker.task")


def start_process(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    """A process of the worker's, that hears on standard input whether the worker lives. Its errors go to the log."""
    return subprocess.Popen(  # noqa: S603  the worker's own modules
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )


def end_process(process: "subprocess.Popen[bytes]") -> None:
    """Kill it, and whatever it started that is left."""
    with suppress(ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            with suppress(OSError):
                stream.close()


class TrainingProcess:
    """One attempt of one job."""

    def __init__(self, assignment: Assignment, command: Sequence[str] = TASK) -> None:
        self._words: queue.SimpleQueue[TaskMessage] = queue.SimpleQueue()
        self._process = start_process(command)
        self._listener = threading.Thread(target=self._listen, name="training", daemon=True)
        self._listener.start()
        self._say(assignment.model_dump_json(by_alias=True).encode() + b"\n")

    def next(self, seconds: float) -> TaskMessage | None:
        """What it says next; None if it says nothing for so long."""
        try:
            return self._words.get(timeout=seconds)
        except queue.Empty:
            return None

    def go(self) -> None:
        """Let it register a version."""
        self._say(GO)

    def memory_bytes(self) -> int:
        """The memory that it takes, with all that it started."""
        try:
            process = psutil.Process(self._process.pid)
            return sum(_resident(one) for one in [process, *process.children(recursive=True)])
        except psutil.Error:
            return 0

    def kill(self) -> None:
        """End it, and whatever it started; one that has ended is no matter."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._listener.join(timeout=5)
        end_process(self._process)

    def _say(self, line: bytes) -> None:
        stream = self._process.stdin
        with suppress(BrokenPipeError):  # it has ended, and the worker hears of that
            if stream:
                stream.write(line)
                stream.flush()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            with suppress(ValidationError):  # half a line, of one that was killed
                self._words.put(TASK_MESSAGE.validate_json(line))
        self._words.put(Exited(code=self._process.wait()))


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
