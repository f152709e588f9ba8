"""`python -m local.aws.sync_loop`: the model sync on its schedule; it says something only when something changed."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Any

from local.settings import SyncSettings
from local.stack import process_log
from offpath.contracts.errors import OffpathError

log = logging.getLogger("sync")


class Reporter:
    """One sync after the other: reports what is new since the last one."""

    def __init__(self, sync: Callable[[], Mapping[str, Any]]) -> None:
        self._sync = sync
        self._last: tuple[Any, Any] | None = None
        self._trouble = ""

    def run(self) -> None:
        """Sync once. An error is reported when it is a new one."""
        try:
            report = self._sync()
        except OffpathError as error:
            self._failed(str(error))
        except Exception as error:
            self._failed(f"{type(error).__name__}: {error}", exc_info=True)
        else:
            self._succeeded(report["models"], report["skipped"])

    def _succeeded(self, models: Mapping[str, Mapping[str, str]], skipped: Mapping[str, str]) -> None:
        if self._trouble:
            log.info("the registry can be synced again")
        self._trouble = ""
        if (models, skipped) == self._last:
            return
        self._last = (models, skipped)
        log.info("published: %s", "; ".join(_listed(models)) or "no model yet")
        for name, reason in skipped.items():
            log.warning("not published: %s: %s", name, reason)

    def _failed(self, trouble: str, exc_info: bool = False) -> None:
        if not self._trouble:
            log.warning("the registry could not be synced, retrying: %s", trouble, exc_info=exc_info)
        self._trouble = trouble


def _listed(models: Mapping[str, Mapping[str, str]]) -> list[str]:
    return [f"{name} ({', '.join(f'{a} → {v}' for a, v in aliases.items())})" for name, aliases in models.items()]


def main() -> None:
    """Sync every few seconds until SIGTERM or SIGINT."""
    process_log.configure()
    settings = SyncSettings.load(os.environ)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())

    from model_sync.handler import handler

    log.info("syncing every %g s", settings.sync_seconds)
    reporter = Reporter(lambda: handler({}, None))
    while not stopping.is_set():
        reporter.run()
        stopping.wait(settings.sync_seconds)


if __name__ == "__main__":
    main()
