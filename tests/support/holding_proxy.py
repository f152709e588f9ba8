"""A real HTTP proxy before MLflow that holds one kind of request back: what asks stands still at exactly that point."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class HoldingProxy:
    """Hands everything on to a server, but requests that begin with `holding`: these are never answered.

    held: set as soon as there is one.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.url = ""
        self.holding: str | None = None
        self.held = threading.Event()
        self.gone = threading.Event()

    def hold(self, line: str) -> None:
        """Hold requests such as `POST /api/2.0/mlflow/runs/create` from now on."""
        self.held.clear()
        self.holding = line

    def release(self) -> None:
        """Hand all requests on from now on; the held one stays unanswered."""
        self.holding = None

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Hand one request on, or hold it."""
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        if self.holding and f"{handler.command} {handler.path}".startswith(self.holding):
            self.held.set()
            self.gone.wait()
            return
        headers = {name: value for name, value in handler.headers.items() if name.lower() != "host"}
        request = urllib.request.Request(self.target + handler.path, body or None, headers, method=handler.command)
        try:
            reply = urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as error:
            reply = error
        with reply:
            content = reply.read()
            handler.send_response(reply.status)
            for name in ("content-type", "content-encoding"):
                if name in reply.headers:
                    handler.send_header(name, reply.headers[name])
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            handler.wfile.write(content)


@contextmanager
def holding_proxy(target: str) -> Iterator[HoldingProxy]:
    """A proxy before the server at that address."""
    proxy = HoldingProxy(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            proxy.answer(self)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield proxy
    proxy.gone.set()
    server.shutdown()
    server.server_close()
    thread.join()
