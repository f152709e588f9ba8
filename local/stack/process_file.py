"""Which processes belong to a stack, on file: so that what a killed supervisor left can be found and ended."""

import json
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from local.stack.process import signal_group, start_time

GRACE_SECONDS = 5.0


class ProcessFile:
    """A JSON file: part name → process id and start time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, pids: Mapping[str, int]) -> None:
        """Replace the list."""
        entries = {name: {"pid": pid, "started": start_time(pid)} for name, pid in pids.items()}
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(entries))
        new.replace(self._path)

    def alive(self) -> dict[str, int]:
        """The processes on file that are still the ones that were started."""
        try:
            entries = json.loads(self._path.read_text())
            return {
                name: entry["pid"]
                for name, entry in entries.items()
                if entry["started"] is not None and start_time(entry["pid"]) == entry["started"]
            }
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}

    def end_leftovers(self) -> dict[str, int]:
        """End those, gently first; which they were."""
        leftovers = self.alive()
        for pid in leftovers.values():
            signal_group(pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while self.alive() and time.monotonic() < deadline:
            time.sleep(0.1)
        for pid in self.alive().values():
            signal_group(pid, signal.SIGKILL)
        while self.alive():
            time.sleep(0.05)
        return leftovers
