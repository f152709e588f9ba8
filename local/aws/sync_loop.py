"""Run the model sync on its schedule: `python -m local.aws.sync_loop`. It logs only what changed."""

import logging
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from local.aws.loop_process import configure_logging, on_stop_signal
from local.settings import SyncSettings
from offpath.contracts.errors import OffpathError

log = logging.getLogger("sync")


class LoggedSync:
    """A sync that logs what is new since it last ran."""

    def __init__(self, sync: Callable[[], Mapping[str, Any]]) -> None:
        self._sync = sync
        self._last: tuple[Any, Any] | None = None
        self._failing = False

    def run(self) -> None:
        """Sync once. The first error of a row is logged; what the sync raises goes no further."""
        try:
            report = self._sync()
        except OffpathError as error:
            self._failed(str(error))
        except Exception as error:
            self._failed(f"{type(error).__name__}: {error}", exc_info=True)
        else:
            self._succeeded(report["models"], report["skipped"])

    def _succeeded(self, models: Mapping[str, Mapping[str, str]], skipped: Mapping[str, str]) -> None:
        if self._failing:
            log.info("the registry can be synced again")
        self._failing = False
        if (models, skipped) == self._last:
            return
        self._last = (models, skipped)
        log.info("published: %s", "; ".join(map(_listed, models.items())) or "no model yet")
        for name, reason in skipped.items():
            log.warning("not published: %s: %s", name, reason)

    def _failed(self, reason: str, exc_info: bool = False) -> None:
        if not self._failing:
            log.warning("the registry could not be synced, retrying: %s", reason, exc_info=exc_info)
        self._failing = True


def _listed(model: tuple[str, Mapping[str, str]]) -> str:
    name, aliases = model
    versions = ", ".join(f"{alias} → {version}" for alias, version in aliases.items())
    return f"{name} ({versions})"


def main() -> None:
    """Sync every few seconds until SIGTERM or SIGINT."""
    configure_logging()
    settings = SyncSettings.load(os.environ)
    stopping = threading.Event()
    on_stop_signal(stopping.set)

    from model_sync.handler import handler

    log.info("syncing every %g s", settings.sync_seconds)
    sync = LoggedSync(lambda: handler({}, None))
    while not stopping.is_set():
        sync.run()
        stopping.wait(settings.sync_seconds)


if __name__ == "__main__":
    main()
