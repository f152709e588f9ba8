"""Clients that predict all the time, each the next time once it has its answer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from urllib3.exceptions import HTTPError

from local.deployed.api import Api
from local.deployed.first_prediction import BODY, PREDICT

CLIENTS = 2
# More at once would be a test of this machine.
PAUSE_SECONDS = 0.1


@dataclass
class Traffic:
    """What the clients have got so far: trace ids, and what was not an answer."""

    traces: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def _send(self, api: Api) -> None:
        while not self.over.wait(PAUSE_SECONDS):
            try:
                answer = api.call("POST", PREDICT, BODY)
            except HTTPError as error:
                self.failures.append(repr(error))
                continue
            if answer.status == 200:
                self.traces.append(answer.json()["trace_id"])
            else:
                self.failures.append(f"{answer.status} {answer.data!r}")


@contextmanager
def traffic(api: Api) -> Iterator[Traffic]:
    """Let clients predict within the block."""
    seen = Traffic()
    clients = [threading.Thread(target=seen._send, args=(api,)) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield seen
    finally:
        seen.over.set()
        for client in clients:
            client.join()
