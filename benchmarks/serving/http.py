"""Time the requests of one client to one server, over a connection that stays open."""

import json
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit


class Caller:
    """Post to one path. The connection is opened by the first request."""

    def __init__(self, url: str, path: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
        self._path = path

    def milliseconds(self, body: bytes) -> float:
        """Return how long one request takes, to the end of its answer. Raises RuntimeError if that is not a 200."""
        start = time.perf_counter()
        self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        content = answer.read()
        milliseconds = (time.perf_counter() - start) * 1000
        if answer.status != 200:
            raise RuntimeError(f"{self._path} answered {answer.status}: {content[:500]!r}")
        return milliseconds


def written(body: Mapping[str, Any]) -> bytes:
    """Return the body as JSON."""
    return json.dumps(body).encode()
