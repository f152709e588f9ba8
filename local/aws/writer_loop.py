"""`python -m local.aws.writer_loop`: the trace writer behind the local queue."""

import importlib
import logging
import os
import signal
from collections.abc import Callable
from types import FrameType

from local.aws.poller import Handler, Poller
from local.aws.sqs import SqsConsumer
from local.settings import PollerSettings
from local.stack import process_log
from offpath.aws.clients import sqs_client
from offpath.contracts.errors import Transient

log = logging.getLogger("poller")


class Signals:
    """SIGTERM and SIGINT: the first lets the invocation in hand end, a second one interrupts it."""

    def __init__(self, poller: Poller) -> None:
        self._poller = poller
        self._asked = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        """Called by the interpreter, in the main thread."""
        self._poller.stop()
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True


def main() -> None:
    """Poll until SIGTERM or SIGINT, then drain."""
    process_log.configure()
    settings = PollerSettings.load(os.environ)
    poller = Poller(SqsConsumer(sqs_client(), settings.queue_url), _handler(settings.writer_handler), settings)
    on_signal = Signals(poller)
    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    log.info("polling %s", settings.queue_url)
    try:
        poller.run()
        poller.drain()
    except KeyboardInterrupt:
        _leave(poller.release)
    except Transient as error:
        log.warning("the queue could not be drained: %s", error)


def _leave(release: Callable[[], None]) -> None:
    try:
        release()
    except Transient as error:
        log.warning("messages in hand could not be given back: %s", error)


def _handler(name: str) -> Handler:
    module, _, attribute = name.partition(":")
    handler: Handler = getattr(importlib.import_module(module), attribute)
    return handler


if __name__ == "__main__":
    main()
