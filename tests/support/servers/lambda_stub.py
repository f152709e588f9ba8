"""An HTTP server that answers as Lambda's Extensions API does."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.servers.http_server import Exchange, serving


class LambdaStub:
    """The stub's state. asked: path, header and body of each request. status, event: what it answers."""

    def __init__(self) -> None:
        self.address = ""
        self.asked: list[tuple[str, str | None, Any]] = []
        self.status = 200
        self.event: dict[str, Any] = {}


@contextmanager
def lambda_stub() -> Iterator[LambdaStub]:
    """Run a stub until the block ends."""
    state = LambdaStub()

    def respond(exchange: Exchange) -> None:
        is_registration = exchange.command == "POST"
        header = "Lambda-Extension-Name" if is_registration else "Lambda-Extension-Identifier"
        body = json.loads(exchange.body()) if is_registration else None
        state.asked.append((exchange.path, exchange.headers[header], body))
        exchange.answer(state.status, json.dumps(state.event).encode(), {"Lambda-Extension-Identifier": "id-1"})

    with serving(respond) as port:
        state.address = f"127.0.0.1:{port}"
        yield state
