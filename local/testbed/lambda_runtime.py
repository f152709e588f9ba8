"""Run a function in Lambda's own runtime: the emulator that SAM CLI's wheel carries, and the real runtime client."""

import json
import os
import platform
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from local.ports import free_port, is_listening
from local.settings import HOST
from local.sources import ROOT
from offpath.retry import attempts, every

START_SECONDS = 300.0
ANSWER_SECONDS = 300.0
PAUSE_SECONDS = 0.05
PATH = "/2015-03-31/functions/function/invocations"
_DONE = re.compile(r"INVOKE RTDONE\(status: (\w+), produced bytes: \d+, duration: ([\d.]+)ms\)")


@dataclass(frozen=True, slots=True)
class LambdaRuntime:
    """Invoke a running function. port: the emulator's. process: the emulator, leader of its own process group."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the handler's answer to an event. Raises OSError or HTTPException when the emulator has ended."""
        with closing(HTTPConnection(HOST, self.port, timeout=ANSWER_SECONDS)) as connection:
            connection.request("POST", PATH, json.dumps(event).encode())
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        return answer

    def durations_ms(self) -> list[float]:
        """Return how long each invocation took until the runtime had its response, in milliseconds."""
        return [float(duration) for _, duration in _DONE.findall(self.log.read_text(errors="replace"))]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the emulator and to the function."""
        os.killpg(self.process.pid, number)


@contextmanager
def lambda_runtime(
    handler: str, environ: Mapping[str, str], log: Path, python: Path = Path(sys.executable), folder: Path = ROOT
) -> Iterator[LambdaRuntime]:
    """Run a handler (`module.function`) with these variables beside the ones that a process needs.

    python: one that has the runtime client. folder: the function's code, from which the client imports.
    """
    port, runtime_port = free_port(), free_port()
    command = [str(emulator()), "--log-level", "info"]
    command += ["--runtime-interface-emulator-address", f"{HOST}:{port}"]
    command += ["--runtime-api-address", f"{HOST}:{runtime_port}"]
    command += [str(python), "-m", "awslambdaric", handler]
    own = {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_FUNCTION_NAME": "offpath-test",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "300",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    }
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command, stdout=sink, stderr=sink, env=own | dict(environ), cwd=folder, start_new_session=True
        )
    try:
        _wait_until_open(port, process, log)
        yield LambdaRuntime(port, process, log)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def emulator() -> Path:
    """Return the emulator for this machine, from SAM CLI's environment (`make .venv-sam/.ready` installs it)."""
    architecture = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    found = sorted(ROOT.glob(f".venv-sam/lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{architecture}"))
    if not found:
        raise FileNotFoundError("SAM CLI is not installed; `make test` and `make bench` install it into .venv-sam")
    found[0].chmod(0o755)
    return found[0]


def _wait_until_open(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in attempts(every(PAUSE_SECONDS, budget_seconds=START_SECONDS)):
        if is_listening(port):
            return
        if process.poll() is not None:
            break
    raise RuntimeError(f"the runtime interface emulator did not start:\n{log.read_text()}")
