"""Run one service of the stack as a child process, in a session of its own, with its output in a log."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

EXIT_WITH_PARENT = Path(__file__).with_name("exit_with_parent.py")
TAIL_LINES = 15
# How long the rest of an ended process's output is waited for; only a process that left its group holds it open.
READ_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Service:
    """Describe a service; nothing is started by that.

    ready: whether it does its work yet. ready_text: the text of its log from which on it does. With neither, it is a
    task: it is ready once it has ended with exit code 0. restarts: it is started again when it ends by itself.
    grace_seconds: how long it may take to end after SIGTERM. orphan_signal: the signal that it gets when the supervisor
    was killed.
    """

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    ready: Callable[[], bool] | None = None
    ready_text: str = ""
    address: str = ""
    restarts: bool = False
    grace_seconds: float = 5.0
    orphan_signal: signal.Signals = signal.SIGTERM

    @property
    def is_task(self) -> bool:
        """Whether it is meant to end."""
        return self.ready is None and not self.ready_text


class ServiceProcess:
    """Follow the process of a service: its lines go to the log, and one by one to `show`. See `start_service`."""

    def __init__(
        self, service: Service, process: subprocess.Popen[bytes], log: Path, show: Callable[[str, str], None]
    ) -> None:
        self.service = service
        self.started = time.monotonic()
        self._process = process
        self._log = log
        self._show = show
        self._wrote_ready_text = False
        self._misses_lines = False
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._reader = threading.Thread(target=self._read, name=f"log of {service.name}", daemon=True)

    def follow(self) -> None:
        """Start to read what the process writes, in a thread. It can be called once."""
        self._reader.start()

    @property
    def pid(self) -> int:
        """The id of the process, and of its process group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, or None while the process runs."""
        return self._process.poll()

    @property
    def seconds(self) -> float:
        """How many seconds ago the process was started."""
        return time.monotonic() - self.started

    def is_ready(self) -> bool:
        """Return whether the service does its work."""
        if self.service.is_task:
            return self.exit_code == 0
        return self.service.ready() if self.service.ready else self._wrote_ready_text

    def terminate(self) -> None:
        """Ask the process to end."""
        signal_group(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End the process, and whatever it started that is left; all that it wrote is in the log then."""
        signal_group(self.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(timeout=READ_SECONDS)

    def tail(self) -> list[str]:
        """Return the last lines that the process wrote."""
        return list(self._tail)

    def _read(self) -> None:
        stream = self._process.stdout
        if stream is None:
            return
        with stream:
            for line in stream:
                self._keep(line)
                self._take(line.decode(errors="replace").rstrip())

    def _keep(self, line: bytes) -> None:
        """Add the line to the log. A full disk costs lines of the log, and holds up no service."""
        try:
            with self._log.open("ab") as log:
                log.write(line)
        except OSError as error:
            if not self._misses_lines:
                self._show(self.service.name, f"ERROR: {self._log} lacks lines from here on: {error}")
            self._misses_lines = True

    def _take(self, line: str) -> None:
        self._tail.append(line)
        self._show(self.service.name, line)
        if self.service.ready_text and self.service.ready_text in line:
            self._wrote_ready_text = True


def start_service(service: Service, log: Path, show: Callable[[str, str], None]) -> ServiceProcess:
    """Start the process of a service, which ends with this one, and follow it.

    log: the file that its output is added to. show: called with the service's name and each line, from another thread.
    """
    orphan_signal = str(int(service.orphan_signal))
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(EXIT_WITH_PARENT), orphan_signal, str(os.getpid()), *service.command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=service.environ,
        cwd=service.folder,
        start_new_session=True,
    )
    followed = ServiceProcess(service, process, log, show)
    followed.follow()
    return followed


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process group that was started here; one that is gone is passed over."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        return


def start_time(pid: int) -> float | None:
    """Return when the process of that id started, which tells it from a later one of that id; None if there is none."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None
