"""Keep lines of the API's log that hold events which neither queue nor S3 took, until the writer takes them up.

The log itself has them, too, but it is replaced at a second start, and nobody reads it.
"""

import threading
from pathlib import Path

from local.aws.log_subscription import LineFile
from offpath.contracts.spilled import LOG_MARK

_MARK = f'"{LOG_MARK}"'


class LastResort:
    """Adds such lines to a file. What cannot be written now, on a full disk, say, is kept in memory and tried again."""

    def __init__(self, file: Path) -> None:
        self._file = LineFile(file)
        self._waiting: list[str] = []
        self._lock = threading.Lock()

    def take(self, line: str) -> None:
        """Keep the line, if it holds an event or a part of one. Does not raise."""
        if _MARK not in line and not self._waiting:
            return
        with self._lock:
            if _MARK in line:
                self._waiting.append(line)
            self._write()

    def retry(self) -> int:
        """Write what could not be written before, and return how many lines still cannot."""
        with self._lock:
            self._write()
            return len(self._waiting)

    def _write(self) -> None:
        try:
            self._file.add(self._waiting)
        except OSError:
            return
        self._waiting = []
