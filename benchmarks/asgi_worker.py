"""Call one ASGI application on demand, in a process of its own: `python -m benchmarks.asgi_worker MODULE:NAME`.

For each line on its input it makes one prediction, without a network, and prints the milliseconds that took.
"""

import asyncio
import os
import sys
import time
from importlib import import_module
from typing import Any

from benchmarks import sample


class Client:
    """Call an ASGI application as a server would."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._sent: list[dict[str, Any]] = []

    async def predict(self) -> float:
        """Return the milliseconds from the request to the end of its answer. Raises RuntimeError if that is no 200."""
        self._sent.clear()
        scope = self._scope()
        start = time.perf_counter()
        await self._app(scope, self._receive, self._send)
        milliseconds = (time.perf_counter() - start) * 1000
        if self._sent[0]["status"] != 200:
            raise RuntimeError(f"the prediction was refused: {self._sent}")
        return milliseconds

    async def _receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": sample.BODY, "more_body": False}

    async def _send(self, message: dict[str, Any]) -> None:
        self._sent.append(message)

    def _scope(self) -> dict[str, Any]:
        headers = {"host": "127.0.0.1", "content-type": "application/json", "content-length": str(len(sample.BODY))}
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": sample.PATH,
            "raw_path": sample.PATH.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8000),
        }


def main(path: str) -> None:
    """Serve until the input ends."""
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the application prints does not belong between the figures
    module, _, name = path.partition(":")
    client = Client(getattr(import_module(module), name))
    with asyncio.Runner() as runner:
        for _ in sys.stdin:
            print(runner.run(client.predict()), file=results, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
