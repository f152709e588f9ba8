"""Read the settings of the local stack, and name the addresses that follow from them."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from offpath.settings import Settings, variable

Port = Annotated[int, Field(ge=1, le=65_535)]

HOST = "127.0.0.1"
REGION = "us-east-1"
ACCOUNT = "123456789012"  # of the local queues
ACCESS_KEY = "offpath"
SECRET_KEY = "offpath-local"  # noqa: S105  (it opens nothing but a loopback port)

QUEUE = "offpath-traces"
DEAD_LETTERS = "offpath-traces-dlq"
TRAINING = "offpath-training"
ARCHIVE = "offpath-archive"
ARTIFACTS = "offpath-artifacts"
FIRST_MODEL = "iris"

# SeaweedFS is several servers in one process; each listens on a port of its own, from the S3 port on.
S3_PORTS = ("s3", "filer", "filer.grpc", "master", "master.grpc", "volume", "volume.grpc", "s3.grpc")


class LocalSettings(Settings):
    """Hold what is read from `OFFPATH_HOME`, `OFFPATH_API_PORT` and so on."""

    home: Path = Field(Path(".offpath"), description="the folder of the local stack's state")
    api_port: Port = Field(8000, description="the TCP port of the prediction API")
    mlflow_port: Port = Field(5000, description="the TCP port of the MLflow server")
    sqs_port: Port = Field(5566, description="the TCP port of SQS")
    s3_port: Annotated[int, Field(ge=1, le=65_535 - len(S3_PORTS) + 1)] = Field(
        5577, description=f"the first of {len(S3_PORTS)} TCP ports in a row of S3 (SeaweedFS)"
    )
    batch_size: int = Field(100, ge=1, le=10_000, description="the most messages in one batch of the writer")
    batch_window_seconds: float = Field(0.5, ge=0, le=300, description="how long the writer's batch waits to be full")
    writer_timeout_seconds: float = Field(20, gt=0, le=900, description="the time of one invocation of the writer")
    visibility_seconds: int = Field(120, ge=1, description="when a message that the writer failed on is tried again")
    max_receives: int = Field(5, ge=1, le=1_000, description="how often poison is received before it is dead-lettered")
    # Times visibility_seconds, more than the 14 days that a message is kept: AWS takes 1,000 at most, local/queue more.
    queue_max_receives: int = Field(
        12_000, ge=1, description="how often any message is received before SQS itself dead-letters it"
    )
    drain_seconds: float = Field(10, ge=0, description="how long the writer may go on emptying the queue at a stop")
    sync_seconds: float = Field(3, gt=0, description="how often the model registry is read")
    sweep_seconds: float = Field(30, gt=0, description="how often the writer takes up what could not be queued")
    model_refresh_seconds: float = Field(2, gt=0, description="how often, at most, the API reads the model manifest")
    start_seconds: float = Field(180, gt=0, description="how long a service may take until it is ready")

    @property
    def api_url(self) -> str:
        """The address of the prediction API."""
        return f"http://{HOST}:{self.api_port}"

    @property
    def mlflow_url(self) -> str:
        """The address of MLflow's server and its pages."""
        return f"http://{HOST}:{self.mlflow_port}"

    @property
    def sqs_url(self) -> str:
        """The address of SQS."""
        return f"http://{HOST}:{self.sqs_port}"

    @property
    def s3_url(self) -> str:
        """The address of S3."""
        return f"http://{HOST}:{self.s3_port}"

    @property
    def queue_url(self) -> str:
        """The URL of the queue of trace events."""
        return self.url_of(QUEUE)

    def url_of(self, queue: str) -> str:
        """Return the URL of a queue, as SQS gives it."""
        return f"{self.sqs_url}/{ACCOUNT}/{queue}"

    def ports(self) -> list[tuple[str, int, str]]:
        """Return for every port of the stack its server's name, its number, and the setting that moves it."""
        named = [("api", self.api_port, "api_port"), ("mlflow", self.mlflow_port, "mlflow_port")]
        named += [("sqs", self.sqs_port, "sqs_port")]
        named += [(name, self.s3_port + offset, "s3_port") for offset, name in enumerate(S3_PORTS)]
        return [(name, port, variable(field)) for name, port, field in named]


class PollerSettings(Settings):
    """Hold what the poller's process reads, of the same variables."""

    queue_url: str = Field(description="the URL of the queue of trace events")
    batch_size: int = Field(100, ge=1, description="the most messages in one batch")
    batch_window_seconds: float = Field(0.5, ge=0, description="how long a batch waits to be full")
    writer_timeout_seconds: float = Field(20, gt=0, description="the time of one invocation")
    drain_seconds: float = Field(10, ge=0, description="how long to go on emptying the queue at a stop")
    writer_handler: str = Field(
        "trace_writer.handler:handler", pattern=r"^[\w.]+:\w+$", description="the handler, as MODULE:FUNCTION"
    )
    sweep_handler: str = Field(
        "", pattern=r"^([\w.]+:\w+)?$", description="the handler that takes up what could not be queued; none if empty"
    )
    sweep_seconds: float = Field(30, gt=0, description="how often that is called")
    last_resort_file: Path | None = Field(None, description="the file of lines of a log that it is handed")


class SyncSettings(Settings):
    """Hold what the process of the model sync's schedule reads."""

    sync_seconds: float = Field(3, gt=0, description="how often the model registry is read")
