"""A function in Lambda's own runtime: the emulator that SAM CLI's wheel carries, and the real runtime client."""

import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.ports import free_port
from tests.support.waiting import DEADLINE_SECONDS, wait_for

ROOT = Path(__file__).parents[2]
_DONE = re.compile(r"INVOKE RTDONE\(status: (\w+), produced bytes: \d+, duration: ([\d.]+)ms\)")


@dataclass(frozen=True)
class LambdaRuntime:
    """A running function. url: where it is invoked. process: the emulator, leader of its own process group."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The handler's answer to an event."""
        request = urllib.request.Request(self.url, json.dumps(event).encode())
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as response:
            answer: dict[str, Any] = json.loads(response.read())
        return answer

    def durations_ms(self) -> list[float]:
        """How long each invocation took until the runtime had its response, in milliseconds."""
        return [float(duration) for _, duration in _DONE.findall(self.log.read_text(errors="replace"))]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the emulator and to the function."""
        os.killpg(self.process.pid, number)


@contextmanager
def lambda_runtime(handler: str, environ: Mapping[str, str], log: Path) -> Iterator[LambdaRuntime]:
    """Run a handler (`module.function`) with these variables beside the ones that a process needs."""
    port, runtime_port = free_port(), free_port()
    command = [
        str(emulator()),
        "--log-level",
        "info",
        "--runtime-interface-emulator-address",
        f"127.0.0.1:{port}",
        "--runtime-api-address",
        f"127.0.0.1:{runtime_port}",
        sys.executable,
        "-m",
        "awslambdaric",
        handler,
    ]
    own = {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_FUNCTION_NAME": "offpath-test",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "300",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    }
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, env=own | dict(environ), start_new_session=True)
    try:
        wait_for(lambda: _is_open(port) or process.poll() is not None, log.read_text)
        assert process.poll() is None, f"the emulator ended by itself:\n{log.read_text()}"
        yield LambdaRuntime(f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations", process, log)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def emulator() -> Path:
    """The emulator for this machine, from SAM CLI's environment (`make .venv-sam/.ready` installs it)."""
    architecture = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    found = sorted(ROOT.glob(f".venv-sam/lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{architecture}"))
    if not found:
        raise FileNotFoundError("SAM CLI is not installed; `make test` and `make bench` install it into .venv-sam")
    found[0].chmod(0o755)
    return found[0]


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
