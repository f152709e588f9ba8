"""Run processes in groups of their own on this machine; each ends with its `with` block."""

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from local.sources import ROOT
from local.stack.web import succeeds
from offpath.retry import attempts, every

START_SECONDS = 300.0
ANSWER_SECONDS = 10.0
STOP_SECONDS = 30.0
PAUSE_SECONDS = 0.1
Stream = IO[bytes] | int


@dataclass(frozen=True, slots=True)
class LineProcess:
    """Talk to a process that answers each line on its input with one on its output. See `line_process`."""

    process: subprocess.Popen[bytes]
    log: Path

    def ask(self, line: str = "") -> str:
        """Return the answer to a line. Raises RuntimeError with the end of the log if the process has ended."""
        requests, answers = self.process.stdin, self.process.stdout
        try:
            if requests and answers:
                requests.write(f"{line}\n".encode())
                requests.flush()
                if answer := answers.readline():
                    return answer.decode()
        except BrokenPipeError:
            pass
        raise RuntimeError(f"{_shown(self.process)} has ended:\n{_tail(self.log)}")


@contextmanager
def line_process(command: Sequence[str], log: Path, environ: Mapping[str, str]) -> Iterator[LineProcess]:
    """Run a process that answers lines. environ: its variables beside this process's own."""
    with log.open("wb") as sink, _group(command, environ, subprocess.PIPE, subprocess.PIPE, sink) as process:
        yield LineProcess(process, log)


@contextmanager
def running(
    command: Sequence[str], log: Path, environ: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process with its output in the log. environ: its variables beside this process's own."""
    with log.open("wb") as sink, _group(command, environ or {}, subprocess.DEVNULL, sink, sink) as process:
        yield process


def await_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the address answers with success. Raises RuntimeError with the end of the log when it does not."""
    for _ in attempts(every(PAUSE_SECONDS, budget_seconds=START_SECONDS)):
        if succeeds(url, ANSWER_SECONDS):
            return
        if process.poll() is not None:
            break
    raise RuntimeError(f"{_shown(process)} did not start:\n{_tail(log)}")


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a group of its own, and what it started: gently, and by force if that takes too long."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return


@contextmanager
def _group(
    command: Sequence[str], environ: Mapping[str, str], stdin: Stream, stdout: Stream, stderr: Stream
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that leads a group of its own, so that Ctrl-C reaches it only through this process."""
    process = subprocess.Popen(
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env={**os.environ, **environ},
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        end(process)


def _shown(process: subprocess.Popen[bytes]) -> str:
    return shlex.join(process.args) if isinstance(process.args, list) else str(process.args)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]
