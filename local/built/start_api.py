"""The API's routes over real HTTP, as `sam local start-api` serves them: each request reaches the built function."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.ports import free_port
from local.settings import HOST
from local.sources import ROOT
from offpath.contracts.errors import Transient

START_SECONDS = 60.0
STOP_SECONDS = 30.0


@contextmanager
def started(command: Sequence[str | Path], environ: Mapping[str, str]) -> Iterator[str]:
    """Serve within the block, at the address given. command: `sam local start-api` with its options.

    Raises Transient when it does not come up; its own words are on standard error.
    """
    port = free_port()
    words = [*map(str, command), "--host", HOST, "--port", str(port)]
    process = subprocess.Popen(words, env=environ, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        _await_port(process, port)
        yield f"http://{HOST}:{port}"
    finally:
        process.send_signal(signal.SIGINT)  # it removes its containers
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_port(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _listens(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise Transient("sam local start-api did not come up")
        time.sleep(0.2)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
