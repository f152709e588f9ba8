"""Count the signals that ask the stack to stop; what is being done looks at the count between its steps."""

import signal
from types import FrameType

from local.errors import Interrupted

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Count how often the user asked the stack to stop."""

    def __init__(self) -> None:
        self.count = 0

    def install(self) -> None:
        """Count the stop signals of this process from now on."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_signal)

    def check(self) -> None:
        """Raise Interrupted once the user asked the stack to stop."""
        if self.count:
            raise Interrupted("stopped by a signal")

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1
