"""Lambda's Extensions API over real HTTP, answered by a stub; `test_lambda_seam` has the real one."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from offpath.contracts.errors import Transient
from offpath.tracing._extensions_api import ExtensionsApi


class Lambda:
    """The stub's state: what it was asked, and what it answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None, Any]] = []
        self.status = 200
        self.event: dict[str, Any] = {}


@pytest.fixture
def served() -> Iterator[tuple[Lambda, ExtensionsApi]]:
    state = Lambda()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self._answer("Lambda-Extension-Name", json.loads(body))

        def do_GET(self) -> None:
            self._answer("Lambda-Extension-Identifier", None)

        def _answer(self, header: str, body: Any) -> None:
            state.asked.append((self.path, self.headers[header], body))
            content = json.dumps(state.event).encode()
            self.send_response(state.status)
            self.send_header("Lambda-Extension-Identifier", "id-1")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield state, ExtensionsApi(f"127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_registers_for_invocations_and_asks_with_its_identifier(served: tuple[Lambda, ExtensionsApi]) -> None:
    state, api = served
    api.register()
    state.event = {"eventType": "INVOKE", "requestId": "r-1", "deadlineMs": int((time.time() + 60) * 1000)}
    api.wait()
    invocation = api.read()
    assert state.asked == [
        ("/2020-01-01/extension/register", "offpath", {"events": ["INVOKE"]}),
        ("/2020-01-01/extension/event/next", "id-1", None),
    ]
    assert invocation.request_id == "r-1"
    assert 50 < invocation.remaining_seconds() <= 60


def test_a_deadline_that_is_over_leaves_no_time(served: tuple[Lambda, ExtensionsApi]) -> None:
    state, api = served
    state.event = {"requestId": "r-1", "deadlineMs": 1}
    api.wait()
    assert api.read().remaining_seconds() == 0


def test_nothing_is_read_that_was_not_waited_for(served: tuple[Lambda, ExtensionsApi]) -> None:
    _, api = served
    with pytest.raises(Transient, match="waited for"):
        api.read()


def test_a_refusal_says_what_lambda_answered(served: tuple[Lambda, ExtensionsApi]) -> None:
    state, api = served
    state.status, state.event = 403, {"errorType": "Extension.InvalidState"}
    with pytest.raises(Transient, match=r"register: status 403: .*InvalidState"):
        api.register()
