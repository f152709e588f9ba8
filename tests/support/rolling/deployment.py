"""The parts of one pipeline, each a process of some release, around a bucket and queues of their own."""

from __future__ import annotations

import signal
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from local.ports import free_port
from offpath.contracts.names import MANIFEST_KEY
from tests.support.rolling.releases import Release
from tests.support.rolling.served_models import MAX_MESSAGE_BYTES
from tests.support.servers.stack import Command, start_command
from tests.support.waiting import DEADLINE_SECONDS, wait_for

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

READY = {"writer": "polling ", "model_sync": "syncing every ", "worker": "waiting for jobs on "}
VISIBILITY_SECONDS = 5


@dataclass
class Api:
    """A running API. answered: the trace id of each prediction that it was asked for, and the model."""

    release: Release
    command: Command
    url: str
    answered: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Services:
    """The services that the parts use. tracking_url: MLflow as the training worker reaches it."""

    folder: Path
    aws_url: str
    mlflow_url: str
    tracking_url: str


class Deployment:
    """One pipeline. apis: every process of the API that there was, the last one is asked."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.name = f"rolling-{uuid.uuid4().hex[:8]}"
        self.s3: S3Client = boto3.client("s3", endpoint_url=services.aws_url)
        self.sqs: SQSClient = boto3.client("sqs", endpoint_url=services.aws_url)
        self.s3.create_bucket(Bucket=self.name)
        self.dead_letters = self.sqs.create_queue(QueueName=f"{self.name}-dlq")["QueueUrl"]
        self.jobs_queue = self.sqs.create_queue(QueueName=f"{self.name}-jobs")["QueueUrl"]
        hidden: dict[QueueAttributeNameType, str] = {"VisibilityTimeout": str(VISIBILITY_SECONDS)}
        self.traces = self.sqs.create_queue(QueueName=self.name, Attributes=hidden)["QueueUrl"]
        self.apis: list[Api] = []
        self._parts: dict[str, Command] = {}
        self._logs = 0
        self._turn = threading.Lock()

    def start(self, release: Release, *parts: str) -> None:
        """Start these parts of the release; the API once there is a manifest."""
        for part in parts:
            if part == "api":
                self._start_api(release)
            else:
                self._parts[part] = self._command(release, part)
                self._parts[part].wait_for(READY[part])

    def replace(self, part: str, release: Release) -> None:
        """Put a part of that release in the place of the one that runs.

        Of the API both run for a moment, as in Lambda: requests go to the new one, and then the old one ends.
        """
        if part == "api":
            before = self.apis[-1]
            self._start_api(release)
            assert before.command.end(signal.SIGTERM) == -signal.SIGTERM, self.logs()  # uvicorn passes the signal on
        else:
            self.stop(part)
            self.start(release, part)

    def stop(self, part: str) -> None:
        """Let a part end as a deployment ends it."""
        assert self._parts.pop(part).end(signal.SIGTERM) == 0, self.logs()

    @contextmanager
    def asked(self) -> Iterator[Api]:
        """The API that answers requests; it is not replaced meanwhile."""
        with self._turn:
            yield self.apis[-1]

    def has_manifest(self) -> bool:
        """Return whether models are published."""
        listed = self.s3.list_objects_v2(Bucket=self.name, Prefix=MANIFEST_KEY)
        return bool(listed["KeyCount"])

    def log(self, part: str) -> str:
        """Return the log of the part that runs."""
        return self._parts[part].text

    def logs(self) -> str:
        """Return the last lines that each process has logged."""
        return "\n".join(f"--- {path.name}\n{path.read_text()[-3_000:]}" for path in sorted(self._folder.glob("*.log")))

    def clean_up(self) -> None:
        for command in (*self._parts.values(), *(api.command for api in self.apis)):
            command.clean_up()

    @property
    def _folder(self) -> Path:
        folder = self.services.folder / self.name
        folder.mkdir(exist_ok=True)
        return folder

    def _start_api(self, release: Release) -> None:
        wait_for(self.has_manifest, self.logs)
        port = free_port()
        arguments = ("prediction_api.handler:app", "--host", "127.0.0.1", "--port", str(port))
        command = self._command(release, "api", *arguments, "--no-access-log", "--timeout-graceful-shutdown", "5")
        command.wait_for("Uvicorn running on")
        with self._turn:
            self.apis.append(Api(release, command, f"http://127.0.0.1:{port}"))

    def _command(self, release: Release, part: str, *arguments: str) -> Command:
        self._logs += 1
        log = self._folder / f"{self._logs:02}-{part}-{release.name}.log"
        environ = release.environ | self._environ()
        return start_command(log, environ, release.module(part), *arguments, folder=release.folder)

    def _environ(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.services.aws_url,
            "MLFLOW_TRACKING_URI": self.services.tracking_url,
            "OFFPATH_BATCH_WINDOW_SECONDS": "0.1",
            "OFFPATH_BUCKET": self.name,
            "OFFPATH_DEAD_LETTER_URL": self.dead_letters,
            "OFFPATH_DRAIN_SECONDS": "0",
            "OFFPATH_EXPERIMENT": self.name,
            "OFFPATH_MAX_MESSAGE_BYTES": str(MAX_MESSAGE_BYTES),
            "OFFPATH_MLFLOW_URL": self.services.mlflow_url,
            "OFFPATH_MODEL_REFRESH_SECONDS": "0.5",
            "OFFPATH_PUBLISH_BUDGET_SECONDS": "60",
            "OFFPATH_QUEUE_URL": self.traces,
            "OFFPATH_SYNC_SECONDS": "0.5",
            "OFFPATH_TRAINING_MLFLOW_WAIT_SECONDS": str(DEADLINE_SECONDS),
            "OFFPATH_TRAINING_QUEUE_URL": self.jobs_queue,
            "OFFPATH_TRAINING_RECIPES": "iris",
            "OFFPATH_TRAINING_VISIBILITY_SECONDS": "3",
            "POWERTOOLS_LOG_LEVEL": "WARNING",
        }
