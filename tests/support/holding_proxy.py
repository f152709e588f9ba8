"""A real HTTP proxy before MLflow that holds one kind of request back: what asks stands still at exactly that point."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.waiting import DEADLINE_SECONDS


@dataclass(frozen=True, slots=True)
class Gate:
    """What stands still: requests that begin with `line`. reached: set as soon as there is one."""

    line: str
    reached: threading.Event = field(default_factory=threading.Event)


class HoldingProxy:
    """Hands everything on to a server, but what is held: that is never answered."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.url = ""
        self.gone = threading.Event()
        self._gate: Gate | None = None

    def hold(self, line: str) -> None:
        """Hold requests such as `POST /api/2.0/mlflow/runs/create` from now on, and no others."""
        self._gate = Gate(line)

    def release(self) -> None:
        """Hand all requests on from now on; the held one stays unanswered."""
        self._gate = None

    @property
    def holds_one(self) -> bool:
        """Whether a request stands still since the last call of `hold`."""
        return self._gate is not None and self._gate.reached.is_set()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Hand one request on, or hold it."""
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        gate = self._gate
        if gate and f"{handler.command} {handler.path}".startswith(gate.line):
            gate.reached.set()
            self.gone.wait()
            return
        headers = {name: value for name, value in handler.headers.items() if name.lower() != "host"}
        request = urllib.request.Request(self.target + handler.path, body or None, headers, method=handler.command)
        try:
            reply = urllib.request.urlopen(request, timeout=DEADLINE_SECONDS)
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
