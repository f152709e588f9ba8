"""A server as a process of its own, from its first answer to its end."""

import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.waiting import wait_for

STOP_SECONDS = 60.0


@contextmanager
def server_process(
    command: Sequence[str], url: str, log: Path, environ: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run the command, which writes to the log, until the block ends; url: what it answers once it is up."""
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command, stdout=sink, stderr=sink, env=os.environ | dict(environ or {}), start_new_session=True
        )
    try:
        wait_for(lambda: _answers(url) or process.poll() is not None, lambda: log.read_text()[-2000:])
        assert process.poll() is None, f"{url} did not come up:\n{log.read_text()[-2000:]}"
        yield
    finally:
        _end(process)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10):
            return True
    except (urllib.error.URLError, OSError):
        return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End it and what it started: gently, and by force if that takes too long."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(timeout=STOP_SECONDS)
