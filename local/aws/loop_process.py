"""Set up the processes that call a function again and again: their log, and the signals that stop them."""

import logging
import signal
import sys
from collections.abc import Callable
from types import FrameType


def configure_logging() -> None:
    """Log to standard output, as `LEVEL message`; of libraries, only warnings and worse."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stdout)
    for name in ("poller", "sync"):
        logging.getLogger(name).setLevel(logging.INFO)


def on_stop_signal(stop: Callable[[], None]) -> None:
    """Call `stop` at every SIGTERM and SIGINT from now on."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
