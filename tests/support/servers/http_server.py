"""Run an HTTP server of a test's own on a free port of 127.0.0.1."""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Exchange(BaseHTTPRequestHandler):
    """A request, and the way to answer it."""

    def body(self) -> bytes:
        """Read the request's body."""
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def answer(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        """Send a response with its length."""
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@contextmanager
def serving(
    respond: Callable[[Exchange], None], tls: ssl.SSLContext | None = None, *, keep_alive: bool = False
) -> Iterator[int]:
    """Yield the port of a server that responds so to each request until the block ends.

    tls: to answer over HTTPS. keep_alive: clients may keep connections, and the end does not wait for those.
    """

    class Handler(Exchange):
        protocol_version = "HTTP/1.1" if keep_alive else "HTTP/1.0"

        def handle_any(self) -> None:
            respond(self)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = keep_alive
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
