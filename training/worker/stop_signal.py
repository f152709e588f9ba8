"""The signals that stop the worker, SIGTERM and SIGINT: it hands its job back and ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopSignal:
    """Tell whether this process was asked to stop. received: a signal came."""

    def __init__(self) -> None:
        self.received = False
        self._idle = False

    def install(self) -> None:
        """Handle the stop signals of this process from now on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    @contextmanager
    def idle(self) -> Iterator[None]:
        """Raise KeyboardInterrupt where a signal comes meanwhile, or came before: the worker waits for something.

        A message that was just being received is received again once its visibility timeout is over.
        """
        self._idle = True
        try:
            if self.received:
                raise KeyboardInterrupt
            yield
        finally:
            self._idle = False

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.received = True
        if self._idle:
            raise KeyboardInterrupt
