"""Run the trace writer behind the local queue, and its sweep: `python -m local.aws.writer_loop`."""

import importlib
import logging
import os
from collections.abc import Callable

from local.aws.log_subscription import LogSubscription
from local.aws.loop_process import configure_logging, on_stop_signal
from local.aws.poller import Handler, Poller
from local.aws.schedule import Schedule
from local.aws.sqs import SqsConsumer
from local.settings import PollerSettings
from offpath.aws.clients import sqs_client
from offpath.contracts.errors import Transient

log = logging.getLogger("poller")


def main() -> None:
    """Poll until SIGTERM or SIGINT, then drain the queue; a second signal interrupts the invocation."""
    configure_logging()
    settings = PollerSettings.load(os.environ)
    consumer = SqsConsumer(sqs_client(), settings.queue_url)
    poller = Poller(consumer, _handler(settings.writer_handler), settings, _between(settings))
    on_stop_signal(_stopper(poller))
    log.info("polling %s", settings.queue_url)
    try:
        poller.run()
        poller.drain()
    except KeyboardInterrupt:
        _leave(poller.release)
    except Transient as error:
        log.warning("the queue could not be drained: %s", error)


def _between(settings: PollerSettings) -> Callable[[], None]:
    """Return what is done between polls: on a schedule, what could not be queued is taken up."""
    if not settings.sweep_handler:
        return lambda: None
    sweep, timeout = _handler(settings.sweep_handler), settings.writer_timeout_seconds
    swept = Schedule("offpath-spill-sweep", sweep, settings.sweep_seconds, timeout)
    if settings.last_resort_file is None:
        return swept.run
    subscription = LogSubscription(settings.last_resort_file, "offpath-spill-sweep", sweep, timeout)
    handed = Schedule("the last resort's lines", lambda *_: subscription.run(), settings.sweep_seconds, timeout)

    def between() -> None:
        handed.run()
        swept.run()

    return between


def _stopper(poller: Poller) -> Callable[[], None]:
    """Return what stops the poller: the first call lets the invocation under way end, a second one interrupts it."""
    asked = False

    def stop() -> None:
        nonlocal asked
        poller.stop()
        if asked:
            raise KeyboardInterrupt
        asked = True

    return stop


def _leave(release: Callable[[], None]) -> None:
    try:
        release()
    except Transient as error:
        log.warning("messages that were received could not be given back: %s", error)


def _handler(name: str) -> Handler:
    module, _, attribute = name.partition(":")
    handler: Handler = getattr(importlib.import_module(module), attribute)
    return handler


if __name__ == "__main__":
    main()
