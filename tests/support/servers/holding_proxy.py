"""A real HTTP proxy before MLflow that holds one kind of request back, or refuses one request.

What asks stands still, or fails, at exactly that point.
"""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.servers.http_server import Exchange, serving
from tests.support.waiting import DEADLINE_SECONDS


@dataclass(frozen=True, slots=True)
class Gate:
    """Holds requests that begin with `line`. reached: set as soon as there is one."""

    line: str
    reached: threading.Event = field(default_factory=threading.Event)


class HoldingProxy:
    """Hands everything on to a server, but what is held, which is never answered, and what is refused.

    requests: how many there were since the last call of `refuse`.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.url = ""
        self.gone = threading.Event()
        self._gate: Gate | None = None
        self.requests = 0
        self._refused = -1

    def refuse(self, number: int) -> None:
        """Refuse one request, counted from now on and from 0, with 403; -1 for none."""
        self.requests, self._refused = 0, number

    def hold(self, line: str) -> None:
        """Hold requests such as `POST /api/2.0/mlflow/runs/create` from now on, and no others."""
        self._gate = Gate(line)

    def release(self) -> None:
        """Hand all requests on from now on; the held one stays unanswered."""
        self._gate = None

    @property
    def holds_one(self) -> bool:
        """Return whether a request stands still since the last call of `hold`."""
        return self._gate is not None and self._gate.reached.is_set()

    def hand_on(self, exchange: Exchange) -> None:
        """Hand one request on, or hold it."""
        body = exchange.body()
        gate, number = self._gate, self.requests
        self.requests += 1
        if number == self._refused:
            exchange.answer(403, b'{"error_code": "PERMISSION_DENIED", "message": "refused"}', {})
            return
        if gate and f"{exchange.command} {exchange.path}".startswith(gate.line):
            gate.reached.set()
            self.gone.wait()
            return
        headers = {name: value for name, value in exchange.headers.items() if name.lower() != "host"}
        request = urllib.request.Request(self.target + exchange.path, body or None, headers, method=exchange.command)
        try:
            reply = urllib.request.urlopen(request, timeout=DEADLINE_SECONDS)
        except urllib.error.HTTPError as error:
            reply = error
        with reply:
            content = reply.read()
            kept = {name: reply.headers[name] for name in ("content-type", "content-encoding") if name in reply.headers}
        with suppress(BrokenPipeError, ConnectionResetError):
            exchange.answer(reply.status, content, kept)


@contextmanager
def holding_proxy(target: str) -> Iterator[HoldingProxy]:
    """A proxy before the server at that address."""
    proxy = HoldingProxy(target)
    with serving(proxy.hand_on, keep_alive=True) as port:
        proxy.url = f"http://127.0.0.1:{port}"
        try:
            yield proxy
        finally:
            proxy.gone.set()
