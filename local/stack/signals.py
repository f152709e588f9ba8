"""Ctrl-C and its like, counted: the work in hand asks when it suits it."""

import signal
from types import FrameType

from local.errors import Interrupted

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """How often the user asked for an end."""

    def __init__(self) -> None:
        self.count = 0

    def install(self) -> None:
        """Count the stop signals of this process from now on."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_signal)

    def check(self) -> None:
        """Raises Interrupted once the user asked for an end."""
        if self.count:
            raise Interrupted("stopped by a signal")

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
