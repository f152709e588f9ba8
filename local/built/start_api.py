"""Serve the API's routes over real HTTP with `sam local start-api`: each request reaches the built function."""

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.ports import free_port, is_listening
from local.settings import HOST
from local.sources import ROOT
from offpath.contracts.errors import Transient
from offpath.retry import attempts, every

START_SECONDS = 180.0  # some seconds, on a machine with nothing else to do
STOP_SECONDS = 30.0
PAUSE_SECONDS = 0.2


@contextmanager
def started(command: Sequence[str | Path], environ: Mapping[str, str]) -> Iterator[str]:
    """Serve within the block, and yield the address. command: `sam local start-api` with its options.

    Raises Transient when it does not start; it says why on standard error.
    """
    port = free_port()
    line = [*map(str, command), "--host", HOST, "--port", str(port)]
    process = subprocess.Popen(line, env=environ, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
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
    for _ in attempts(every(PAUSE_SECONDS, budget_seconds=START_SECONDS)):
        if is_listening(port):
            return
        if process.poll() is not None:
            break
    raise Transient("sam local start-api did not come up")
