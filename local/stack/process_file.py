"""List the stack's processes in a file, so that a start finds and ends what a killed supervisor left."""

import json
import math
import signal
from collections.abc import Mapping
from pathlib import Path

from local.stack.service import signal_group, start_time
from offpath.retry import attempts, every

GRACE_SECONDS = 5.0
PAUSE_SECONDS = 0.1


class ProcessFile:
    """Read and write a JSON file: service name → process id and start time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, pids: Mapping[str, int]) -> None:
        """Replace the list."""
        entries = {name: {"pid": pid, "started": start_time(pid)} for name, pid in pids.items()}
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(entries))
        new.replace(self._path)

    def alive(self) -> dict[str, int]:
        """Return the listed processes that are still the ones that were started, as service name → process id."""
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
        """End the processes that are alive, gently first, and return them as service name → process id."""
        leftovers = self.alive()
        for pid in leftovers.values():
            signal_group(pid, signal.SIGTERM)
        self._wait_for_end(GRACE_SECONDS)
        for pid in self.alive().values():
            signal_group(pid, signal.SIGKILL)
        self._wait_for_end(math.inf)
        return leftovers

    def _wait_for_end(self, seconds: float) -> None:
        for _ in attempts(every(PAUSE_SECONDS, budget_seconds=seconds)):
            if not self.alive():
                return
