"""Call Lambda's Extensions API, as far as an internal extension needs it."""

import http.client
import json
import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from offpath.contracts.errors import Transient

VERSION = "2020-01-01"
NAME = "offpath"


@dataclass(frozen=True, slots=True)
class Invocation:
    """An invocation that has begun. deadline_ms: when Lambda ends it, in milliseconds since the epoch."""

    request_id: str
    deadline_ms: int

    def remaining_seconds(self) -> float:
        """Return the seconds until the deadline, at least 0."""
        return max(0.0, self.deadline_ms / 1000 - time.time())


class ExtensionsApi:
    """The API as one extension calls it. address: the value of `AWS_LAMBDA_RUNTIME_API`, `host:port`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._identifier = ""
        self._asked: http.client.HTTPConnection | None = None

    def register(self) -> None:
        """Announce the extension; only possible while the function initialises. Raises Transient.

        An internal extension may subscribe to INVOKE alone
        (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html).
        """
        with self._errors("register"):
            connection = self._connection()
            body = json.dumps({"events": ["INVOKE"]})
            connection.request("POST", f"/{VERSION}/extension/register", body, {"Lambda-Extension-Name": NAME})
            _, headers = _answer(connection)
        self._identifier = headers["Lambda-Extension-Identifier"]

    def wait(self) -> None:
        """Ask for the next invocation, and wait until it has begun, reading nothing of it. Raises Transient.

        The environment may be frozen meanwhile.
        """
        with self._errors("event/next"):
            self._asked = self._connection()
            self._asked.request(
                "GET", f"/{VERSION}/extension/event/next", headers={"Lambda-Extension-Identifier": self._identifier}
            )
            with selectors.DefaultSelector() as selector:
                selector.register(self._asked.sock, selectors.EVENT_READ)
                selector.select()

    def read(self) -> Invocation:
        """Return the invocation that was waited for. Raises Transient."""
        if self._asked is None:
            raise Transient("no invocation was waited for")
        with self._errors("event/next"):
            event, _ = _answer(self._asked)
            return Invocation(str(event.get("requestId", "")), int(event.get("deadlineMs", 0)))

    def _connection(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self._address)
        connection.connect()
        return connection

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, TypeError, AttributeError, http.client.HTTPException) as error:
            raise Transient(f"Lambda's Extensions API at {self._address}: {doing}: {error}") from error


def _answer(connection: http.client.HTTPConnection) -> tuple[dict[str, Any], http.client.HTTPMessage]:
    """Return the answer to what the connection was asked, and close it."""
    try:
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise http.client.HTTPException(f"status {response.status}: {content[:200]!r}")
    answer: dict[str, Any] = json.loads(content)
    return answer, response.headers
