"""What a process of the worker's hears from it. It ends with the worker, however that ends, on every system."""

import os
import queue
import signal
import threading


class ParentPipe:
    """The worker's lines on standard input.

    Its end means that the worker is gone: then this process is killed, and whatever it started, so that what the next
    attempt does it does alone.
    """

    def __init__(self) -> None:
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="parent_pipe", daemon=True).start()

    def line(self) -> bytes:
        """The next line; waits for it."""
        return self._lines.get()

    def _listen(self) -> None:
        # Unbuffered: a buffer's lock, held while it waits, would hold up the end of the interpreter.
        with open(0, "rb", buffering=0, closefd=False) as stream:
            for line in iter(stream.readline, b""):
                self._lines.put(line)
        os.killpg(0, signal.SIGKILL)
