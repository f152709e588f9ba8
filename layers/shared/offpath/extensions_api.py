"""Lambda's Extensions API, as far as an internal extension needs it."""

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any

from offpath.errors import Transient

VERSION = "2020-01-01"
NAME = "offpath"


@dataclass(frozen=True, slots=True)
class Invocation:
    """An invocation that has begun. deadline_ms: when Lambda ends it, in milliseconds since the epoch."""

    request_id: str
    deadline_ms: int

    def remaining_seconds(self) -> float:
        """Time until the deadline, at least 0."""
        return max(0.0, self.deadline_ms / 1000 - time.time())


class ExtensionsApi:
    """One registered extension. address: the value of `AWS_LAMBDA_RUNTIME_API`, `host:port`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._identifier = ""

    def register(self) -> None:
        """Announce the extension; only possible while the function initialises. Raises Transient.

        An internal extension may subscribe to INVOKE alone
        (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html).
        """
        _, headers = self._call("POST", "register", {"Lambda-Extension-Name": NAME}, {"events": ["INVOKE"]})
        self._identifier = headers["Lambda-Extension-Identifier"]

    def next(self) -> Invocation:
        """Wait for the next invocation; the environment may be frozen meanwhile. Raises Transient."""
        event, _ = self._call("GET", "event/next", {"Lambda-Extension-Identifier": self._identifier})
        return Invocation(str(event.get("requestId", "")), int(event.get("deadlineMs", 0)))

    def _call(
        self, method: str, path: str, headers: dict[str, str], body: Any = None
    ) -> tuple[dict[str, Any], http.client.HTTPMessage]:
        connection = http.client.HTTPConnection(self._address)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, f"/{VERSION}/extension/{path}", payload, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Transient(f"Lambda's Extensions API at {self._address}: {path}: {error}") from error
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise Transient(f"Lambda's Extensions API: {path} answered {response.status}: {content[:200]!r}")
        answer: dict[str, Any] = json.loads(content)
        return answer, response.headers
