"""An HTTP server that answers as Lambda's Extensions API does."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


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
    state.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
