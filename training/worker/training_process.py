"""Run a training as a process in a session of its own, which sends how far it is."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

import psutil
from pydantic import ValidationError

from training.worker.task_protocol import CONFIRMED, TASK_MESSAGE, Assignment, Exited, TaskMessage

TASK = (sys.executable, "-m", "training.worker.task")


def start_process(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start a process whose standard input closes when the worker ends. Its errors go to the worker's log."""
    return subprocess.Popen(  # noqa: S603  the worker's own modules
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )


def end_process(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process, and what is left of those that it started."""
    with suppress(ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            with suppress(OSError):
                stream.close()


class TrainingProcess:
    """One attempt of one job: a process, and a thread that reads what it sends."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._messages: queue.SimpleQueue[TaskMessage] = queue.SimpleQueue()
        self._process = process
        self._listener = threading.Thread(target=self._listen, name="training", daemon=True)

    @classmethod
    def start(cls, assignment: Assignment, command: Sequence[str] = TASK) -> Self:
        """Start a process and tell it what to do."""
        training = cls(start_process(command))
        training._listener.start()
        training._send(assignment.model_dump_json(by_alias=True).encode() + b"\n")
        return training

    def next(self, seconds: float) -> TaskMessage | None:
        """Return what it sends next, or None if it sends nothing for so long."""
        try:
            return self._messages.get(timeout=seconds)
        except queue.Empty:
            return None

    def confirm_registration(self) -> None:
        """Let it register a version."""
        self._send(CONFIRMED)

    def memory_bytes(self) -> int:
        """Return how much memory it takes, with all that it started."""
        try:
            process = psutil.Process(self._process.pid)
            return sum(_resident(one) for one in [process, *process.children(recursive=True)])
        except psutil.Error:
            return 0

    def kill(self) -> None:
        """End it, and whatever it started. A process that has ended already is fine."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._listener.join(timeout=5)
        end_process(self._process)

    def _send(self, line: bytes) -> None:
        stream = self._process.stdin
        with suppress(BrokenPipeError):  # it has ended, and `next` returns that
            if stream:
                stream.write(line)
                stream.flush()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            with suppress(ValidationError):  # half a line, of a process that was killed
                self._messages.put(TASK_MESSAGE.validate_json(line))
        self._messages.put(Exited(code=self._process.wait()))


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
