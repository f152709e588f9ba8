"""An SQS that answers when the test says so: a proxy before moto's server that holds every request."""

import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.servers.http_server import Exchange, serving
from tests.support.waiting import DEADLINE_SECONDS


class HeldSqs:
    """The proxy's state. url: its address. A request has arrived when `arrived` is set, and goes on once released."""

    def __init__(self, forward_to: str) -> None:
        self.forward_to = forward_to
        self.url = ""
        self.arrived = threading.Event()
        self._go_on = threading.Event()
        self._drop = False

    @property
    def environ(self) -> dict[str, str]:
        """The variables that send a process's SQS requests, and no others, through here."""
        return {"AWS_ENDPOINT_URL_SQS": self.url}

    def release(self) -> None:
        """Let every request go on, those to come as well."""
        self._go_on.set()

    def drop(self) -> None:
        """Answer nothing: the requests that are held never reach SQS."""
        self._drop = True
        self._go_on.set()

    def wait(self) -> bool:
        """Hold a request, and return whether it may go on."""
        self.arrived.set()
        self._go_on.wait()
        return not self._drop


@contextmanager
def held_sqs(forward_to: str) -> Iterator[HeldSqs]:
    """A running proxy. forward_to: moto's address."""
    held = HeldSqs(forward_to)

    def hand_on(exchange: Exchange) -> None:
        body = exchange.body()
        if not held.wait():
            return
        request = urllib.request.Request(held.forward_to + exchange.path, body, dict(exchange.headers))
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as response:
            exchange.answer(response.status, response.read(), {"content-type": response.headers["content-type"]})

    with serving(hand_on) as port:
        held.url = f"http://127.0.0.1:{port}"
        try:
            yield held
        finally:
            held.drop()
