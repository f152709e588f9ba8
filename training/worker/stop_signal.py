"""SIGTERM and Ctrl-C: the worker hands its job back and ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """Whether the worker is to end."""

    def __init__(self) -> None:
        self.asked = False
        self._idle = False

    def install(self) -> None:
        """Listen to the stop signals of this process from now on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    @contextmanager
    def idle(self) -> Iterator[None]:
        """While this lasts, a signal ends what is waited for at once, by KeyboardInterrupt.

        A message that was just being received then is received again once its visibility timeout is over.
        """
        self._idle = True
        try:
            if self.asked:
                raise KeyboardInterrupt
            yield
        finally:
            self._idle = False

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        if self._idle:
            raise KeyboardInterrupt
