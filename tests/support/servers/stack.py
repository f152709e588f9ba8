"""Start the real stack, or one of its processes, as a user's shell would."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.ports import row_of_free_ports
from local.settings import S3_PORTS
from local.sources import ROOT
from tests.support.waiting import DEADLINE_SECONDS, wait_for


@dataclass(frozen=True)
class Command:
    """Follow a process whose output goes to a file. See `start_command`."""

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def text(self) -> str:
        """The output so far."""
        return self.output.read_text()

    def wait_for(self, pattern: str) -> str:
        """Wait for the pattern in the output, and return its first match."""
        wait_for(lambda: bool(re.search(pattern, self.text)) or self.process.poll() is not None, lambda: self.text)
        found = re.search(pattern, self.text)
        assert found, f"exit code {self.process.poll()}, and no {pattern!r} in:\n{self.text}"
        return found.group()

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(number)
        return self.exit_code()

    def exit_code(self) -> int:
        """Wait for the end, and return the exit code."""
        return self.process.wait(timeout=DEADLINE_SECONDS)

    def clean_up(self) -> None:
        """End the process and all that it started."""
        family = descendants(self.process.pid)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def start_command(output: Path, environ: Mapping[str, str], *arguments: str, folder: Path = ROOT) -> Command:
    """Start `python -m …` in the repository's root, or in another folder, with these variables beside its own."""
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=os.environ | environ,
            cwd=folder,
            start_new_session=True,
        )
    return Command(process, output)


def descendants(pid: int) -> list[psutil.Process]:
    """Return the processes that it started, and they in turn."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def lives(process: psutil.Process) -> bool:
    """Return whether it has not ended: one that nobody has asked how it ended has, too."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def await_end(processes: Sequence[psutil.Process]) -> None:
    """Return once none of them lives."""
    wait_for(lambda: not any(map(lives, processes)), lambda: f"still there: {[*filter(lives, processes)]}")


def listening(processes: Sequence[psutil.Process]) -> set[tuple[str, int]]:
    """Return address and port of each socket that these processes listen on. One that has ended listens nowhere."""
    found: set[tuple[str, int]] = set()
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            listeners = [one for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
            found |= {(str(one.laddr[0]), int(one.laddr[1])) for one in listeners}
    return found


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
        "OFFPATH_PUBLISH_BUDGET_SECONDS": "60",  # moto on a busy machine is not an SQS that is away
        "COLUMNS": "200",
        "AWS_PROFILE": "production",
    }
