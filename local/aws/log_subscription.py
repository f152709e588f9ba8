"""Hand lines of a log to a function, as a subscription of CloudWatch Logs does."""

import base64
import fcntl
import gzip
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.aws.lambda_event import LocalContext

# Of one invocation; a line has 200,000 characters at most.
LINES = 20

log = logging.getLogger("poller")


class LineFile:
    """A file of lines that one process adds to, and another one takes from."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._taken = path.with_suffix(".taken")

    def add(self, lines: Sequence[str]) -> None:
        """Add lines, all or none. Raises OSError."""
        if not lines:
            return
        content = "".join(f"{line}\n" for line in lines).encode(errors="surrogatepass")
        with self._locked(), self._path.open("ab") as file:
            size = file.tell()
            try:
                file.write(content)
                file.flush()
            except OSError:
                os.ftruncate(file.fileno(), size)
                raise

    def take(self) -> list[str]:
        """Return all lines, which are the same again until `done` is called. Raises OSError."""
        with self._locked():
            if not self._taken.exists() and self._path.exists():
                self._path.replace(self._taken)
        return self._taken.read_text(errors="replace").splitlines() if self._taken.exists() else []

    def done(self) -> None:
        """Remove what was taken. Raises OSError."""
        self._taken.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._path.with_suffix(".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class LogSubscription:
    """Hands over the lines of a file whenever `run` is called, some in each invocation."""

    def __init__(
        self, path: Path, name: str, handler: Callable[[dict[str, Any], Any], Any], timeout_seconds: float
    ) -> None:
        self._file = LineFile(path)
        self._name = name
        self._handler = handler
        self._timeout_seconds = timeout_seconds

    def run(self) -> None:
        """Hand over what there is. What the function raises is logged, and its lines are handed over again."""
        try:
            lines = self._file.take()
            for start in range(0, len(lines), LINES):
                context = LocalContext(self._name, time.monotonic() + self._timeout_seconds)
                self._handler(subscribed(lines[start : start + LINES]), context)
            self._file.done()
        except Exception:
            log.exception("%s failed, and is tried again", self._name)


def subscribed(lines: Sequence[str]) -> dict[str, Any]:
    """Return the event that CloudWatch Logs makes of lines."""
    entries = [{"id": str(number), "timestamp": 0, "message": line} for number, line in enumerate(lines)]
    data = json.dumps({"messageType": "DATA_MESSAGE", "logGroup": "api", "logEvents": entries}).encode()
    return {"awslogs": {"data": base64.b64encode(gzip.compress(data)).decode()}}
