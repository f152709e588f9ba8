"""One part of the stack as a child process: in a session of its own, with its output in a log and on the terminal."""

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
# How long the rest of an ended part's output is waited for; only a process that left its group holds it open.
READ_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Part:
    """What runs as one process.

    ready: whether it does its work yet. says: the text of its log from which on it does. With neither, it is a task:
    ready once it has ended well. restarts: it is started again when it ends by itself. grace_seconds: how long it may
    take to end after SIGTERM. orphan_signal: what it gets when the supervisor was killed.
    """

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    ready: Callable[[], bool] | None = None
    says: str = ""
    address: str = ""
    restarts: bool = False
    grace_seconds: float = 5.0
    orphan_signal: signal.Signals = signal.SIGTERM

    @property
    def is_task(self) -> bool:
        """Whether it is meant to end."""
        return self.ready is None and not self.says


class Child:
    """A running part. Its lines go to the log whole, and to `show` one by one."""

    def __init__(self, part: Part, log: Path, show: Callable[[str, str], None]) -> None:
        self.part = part
        self.started = time.monotonic()
        self._log = log
        self._show = show
        self._said = False
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        command = [sys.executable, "-I", "-S", str(EXIT_WITH_PARENT), str(int(part.orphan_signal)), str(os.getpid())]
        self._process = subprocess.Popen(
            [*command, *part.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=part.environ,
            cwd=part.folder,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"log of {part.name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process id, and its process group's."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    @property
    def seconds(self) -> float:
        """How long ago it was started."""
        return time.monotonic() - self.started

    def is_ready(self) -> bool:
        """Whether it does its work."""
        if self.part.is_task:
            return self.exit_code == 0
        return self.part.ready() if self.part.ready else self._said

    def terminate(self) -> None:
        """Ask it to end."""
        signal_group(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it, and whatever it started that is left; all that it wrote is in the log then."""
        signal_group(self.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(timeout=READ_SECONDS)

    def tail(self) -> list[str]:
        """The last lines that it wrote."""
        return list(self._tail)

    def _read(self) -> None:
        stream = self._process.stdout
        if stream is None:
            return
        with stream, self._log.open("ab") as log:
            for line in stream:
                log.write(line)
                log.flush()
                text = line.decode(errors="replace").rstrip()
                self._tail.append(text)
                self._show(self.part.name, text)
                self._said = self._said or bool(self.part.says and self.part.says in text)


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process group that we started; one that is gone is no matter."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        return


def start_time(pid: int) -> float | None:
    """When the process of that id started, which tells it from a later one of the same id; None if there is none."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None
