"""Start the real stack, or one of its processes, as a user's shell would."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.ports import is_listening
from local.settings import S3_PORTS
from local.sources import ROOT


def wait_for(condition: Callable[[], bool], seconds: float, otherwise: Callable[[], str]) -> None:
    """Return once the condition is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.05)


def row_of_free_ports(count: int) -> int:
    """Return the first of so many free ports in a row, below those that the system gives out by itself."""
    for first in range(20_000 + os.getpid() % 97 * 100, 32_000, count):
        if not any(is_listening(port) for port in range(first, first + count)):
            return first
    raise AssertionError("no row of free ports")


@dataclass(frozen=True)
class Command:
    """Follow a process whose output goes to a file. See `start_command`."""

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def text(self) -> str:
        """The output so far."""
        return self.output.read_text()

    def wait_for(self, pattern: str, seconds: float = 30) -> str:
        """Wait for the pattern in the output, and return its first match."""
        wait_for(
            lambda: bool(re.search(pattern, self.text)) or self.process.poll() is not None, seconds, lambda: self.text
        )
        found = re.search(pattern, self.text)
        assert found, f"exit code {self.process.poll()}, and no {pattern!r} in:\n{self.text}"
        return found.group()

    def end(self, number: signal.Signals = signal.SIGINT, seconds: float = 60) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=seconds)

    def clean_up(self) -> None:
        """End the process and all that it started."""
        family = descendants(self.process.pid)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for process in family:
            if process.is_running():
                process.kill()


def start_command(output: Path, environ: Mapping[str, str], *arguments: str) -> Command:
    """Start `python -m …` in the repository's root, with these variables beside this process's own."""
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=os.environ | environ,
            cwd=ROOT,
            start_new_session=True,
        )
    return Command(process, output)


def descendants(pid: int) -> list[psutil.Process]:
    """Return the processes that it started, and they in turn."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def listening(processes: list[psutil.Process]) -> set[tuple[str, int]]:
    """Return address and port of each socket that these processes listen on."""
    connections = [connection for process in processes for connection in process.net_connections("inet")]
    return {
        (str(connection.laddr[0]), int(connection.laddr[1]))
        for connection in connections
        if connection.status == psutil.CONN_LISTEN
    }


def stack_environment(home: Path) -> dict[str, str]:
    """Return settings with a state folder, free ports, and a writer that gives up soon."""
    first = row_of_free_ports(len(S3_PORTS) + 3)
    names = ("OFFPATH_API_PORT", "OFFPATH_MLFLOW_PORT", "OFFPATH_SQS_PORT", "OFFPATH_S3_PORT")
    ports = {name: str(first + offset) for offset, name in enumerate(names)}
    return ports | {
        "OFFPATH_HOME": str(home),
        "OFFPATH_WRITER_TIMEOUT_SECONDS": "5",
        "OFFPATH_DRAIN_SECONDS": "4",
        "OFFPATH_VISIBILITY_SECONDS": "30",
        "COLUMNS": "200",
        "AWS_PROFILE": "production",
    }
