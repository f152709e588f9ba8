"""Requests that API Gateway has answered, by its access log: an account that does not depend on the function.

A process that was killed takes its last events with it, and no number after them shows the gap. But the log has the id
of each invocation, which the event's outermost span has, too.
"""

import gzip
import hashlib
import json
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np

from offpath_cli.errors import CommandError
from trace_writer.audit.period import Period

INVOCATION = "integrationRequestId"
# Requests that make an event, whatever they are answered: only without a key, or with a wrong one, nothing is traced.
_TRACED = re.compile(r"/models/[^/]+/(predict|invocations)|/chat")
_UNTRACED_STATUS = "401"
MOST_NAMED = 1_000


@dataclass(frozen=True, slots=True)
class Request:
    """A request that should have left an event."""

    invocation_id: str
    time: datetime
    path: str
    status: str


class AccessLog:
    """The requests of a period in a file of API Gateway's access log, of which nine bytes each are kept in memory.

    Raises CommandError for a file that cannot be read, or that lacks the invocations' ids.
    """

    def __init__(self, file: Path, period: Period) -> None:
        self._file = file
        self._period = period
        hashes = array("Q", (_hash(request.invocation_id) for request in self.requests()))
        if hashes:
            np.frombuffer(hashes, dtype=np.uint64).sort()  # in place
        self._hashes = hashes
        self._found = bytearray(len(hashes))

    @property
    def count(self) -> int:
        """How many requests there are."""
        return len(self._hashes)

    def see(self, invocation_id: str) -> None:
        """Note that there is an event of this invocation."""
        wanted = _hash(invocation_id)
        at = bisect_left(self._hashes, wanted)
        while at < len(self._hashes) and self._hashes[at] == wanted:
            self._found[at] = 1
            at += 1

    def missing(self) -> Iterator[Request]:
        """Yield the requests of which no event was seen."""
        for request in self.requests():
            if not self._found[bisect_left(self._hashes, _hash(request.invocation_id))]:
                yield request

    def requests(self) -> Iterator[Request]:
        """Yield the requests of the period that should have left an event. Raises CommandError."""
        try:
            with _opened(self._file) as lines:
                for line in lines:
                    request = self._request(line)
                    if request and self._period.holds(request.time) and not self._period.is_young(request.time):
                        yield request
        except (OSError, EOFError) as error:
            raise CommandError(f"the access log {self._file} cannot be read: {error}") from error

    def _request(self, line: bytes) -> Request | None:
        """Return the request in a line, whatever stands before its JSON."""
        try:
            fields = json.loads(line[line.index(b"{") :])
            path, status = str(fields["path"]), str(fields["status"])
            if fields["method"] != "POST" or status == _UNTRACED_STATUS or not _TRACED.fullmatch(path):
                return None
            time = datetime.strptime(fields["time"], "%d/%b/%Y:%H:%M:%S %z")
        except (ValueError, KeyError, TypeError):  # a line of something else
            return None
        if INVOCATION not in fields:
            raise CommandError(f"the access log {self._file} has lines without {INVOCATION}: the stack is an older one")
        invocation_id = str(fields[INVOCATION])
        # A request that API Gateway answered itself, such as one too many, reached no function.
        return Request(invocation_id, time, path, status) if invocation_id not in {"", "-"} else None


def _opened(file: Path) -> BinaryIO | gzip.GzipFile:
    with file.open("rb") as content:
        is_compressed = content.read(2) == b"\x1f\x8b"
    return gzip.open(file) if is_compressed else file.open("rb")


def _hash(invocation_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(invocation_id.encode(), digest_size=8).digest())
