"""An HTTP server that gives every request one answer, and may hold it back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answering:
    """The server's state. status, content, content_type: its answer. asked: the bodies. open: lets answers go."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.content = b""
        self.content_type = "application/x-amz-json-1.0"
        self.asked: list[bytes] = []
        self.open = threading.Event()
        self.open.set()


@contextmanager
def answering() -> Iterator[Answering]:
    """Run such a server until the block ends."""
    state = Answering()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.asked.append(self.rfile.read(int(self.headers.get("content-length", 0))))
            state.open.wait()
            self.send_response(state.status)
            self.send_header("content-type", state.content_type)
            self.send_header("content-length", str(len(state.content)))
            self.end_headers()
            self.wfile.write(state.content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield state
    finally:
        state.open.set()
        server.shutdown()
        thread.join()
        server.server_close()
