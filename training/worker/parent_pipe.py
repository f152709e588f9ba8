"""Talk with the worker that started this process: lines on standard input, messages on standard output."""

import os
import queue
import signal
import sys
import threading
from contextlib import suppress
from typing import IO, Self

from offpath.contracts.training_job import Progress
from training.worker.task_protocol import CONFIRMED, Progressed, ReadyToRegister, TaskMessage

# The share of the training in the whole; the rest is registering.
TRAINING_SHARE = 0.9


class ParentPipe:
    """The worker's lines on standard input.

    Its end means that the worker is gone. Then this process and those that it started are killed, so that the next
    attempt is alone in what it does.
    """

    def __init__(self) -> None:
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    @classmethod
    def open(cls) -> Self:
        """Read from now on, in a thread."""
        parent_pipe = cls()
        threading.Thread(target=parent_pipe._listen, name="parent_pipe", daemon=True).start()
        return parent_pipe

    def line(self) -> bytes:
        """Wait for the next line, and return it."""
        return self._lines.get()

    def _listen(self) -> None:
        # Unbuffered: a buffer's lock, held while it waits, would hold up the end of the interpreter.
        with open(0, "rb", buffering=0, closefd=False) as stream:
            for line in iter(stream.readline, b""):
                self._lines.put(line)
        os.killpg(0, signal.SIGKILL)


class WorkerChannel:
    """The messages to the worker, on the standard output that this process was started with."""

    def __init__(self, stream: IO[bytes], parent_pipe: ParentPipe) -> None:
        self._stream = stream
        self._parent_pipe = parent_pipe
        self._fraction = 0.0

    def send(self, message: TaskMessage) -> None:
        """Send one message."""
        self._stream.write(message.model_dump_json().encode() + b"\n")
        self._stream.flush()

    def report(self, text: str) -> None:
        """Log a line of the training's, and send it as its progress."""
        with suppress(OSError):  # whoever reads the worker's log may be gone
            print(f"  {text}", file=sys.stderr, flush=True)  # noqa: T201
        self.send(Progressed(progress=Progress(fraction=self._fraction, text=text)))

    def progress(self, done: int, total: int) -> None:
        """Send how far the fitting is."""
        self._fraction = round(TRAINING_SHARE * done / max(total, 1), 3)
        self.send(Progressed(progress=Progress(fraction=self._fraction, text=f"fitting: {done} of {total}")))

    def confirm(self) -> None:
        """Wait until the worker confirms that the job is still this attempt's, so that a version may be registered."""
        self._fraction = TRAINING_SHARE
        self.send(ReadyToRegister())
        while self._parent_pipe.line() != CONFIRMED:
            pass
