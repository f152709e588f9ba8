"""Services that take a while to start, and the way of a trace from the queue into MLflow."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.testbed.servers import mlflow_server, postgres, sqlite
from offpath.contracts.message import Message
from tests.support.sdk_package import UV
from tests.support.servers.mlflow_rest import Mlflow
from tests.support.servers.trace_writer_lambda import WriterFunction

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

Delivered = Callable[[], list[str]]
NEXT_MLFLOW = "3.18.0"


@pytest.fixture(scope="session")
def postgres_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The SQLAlchemy URI of a real PostgreSQL's database, which is empty."""
    with postgres(tmp_path_factory.mktemp("postgres")) as uri:
        yield uri


@pytest.fixture(scope="session")
def mlflow_postgres_url(postgres_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real MLflow server over PostgreSQL."""
    with mlflow_server(postgres_uri, tmp_path_factory.mktemp("mlflow-postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def mlflow_next_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real MLflow server of the version after the pinned one, over SQLite.

    It is that version's wheel over the pinned one's dependencies: its companions are not there yet.
    """
    folder = tmp_path_factory.mktemp("mlflow-next")
    code = folder / "code"
    command: list[str | Path] = [
        UV,
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--python",
        sys.executable,
        "--target",
        code,
    ]
    found = subprocess.run([*command, f"mlflow=={NEXT_MLFLOW}"], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(f"MLflow {NEXT_MLFLOW} cannot be fetched: {found.stderr}")
    with sqlite(folder) as database, mlflow_server(database, folder, code) as url:
        with urllib.request.urlopen(f"{url}/version") as answer:
            assert answer.read().decode() == NEXT_MLFLOW
        yield url


@pytest.fixture
def environ(aws_endpoint: str, queue_url: str, bucket_name: str) -> dict[str, str]:
    """The variables that docs/sdk.md names, for moto."""
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    slow = {"OFFPATH_PUBLISH_BUDGET_SECONDS": "60"}  # moto on a busy machine is not an SQS that is away
    return aws | slow | {"OFFPATH_QUEUE_URL": queue_url, "OFFPATH_BUCKET": bucket_name}


@pytest.fixture
def delivered(
    sqs: SQSClient, queue_url: str, bucket_name: str, mlflow_url: str, monkeypatch: pytest.MonkeyPatch
) -> Delivered:
    """Give what is on the queue to the real writer, as Lambda does, and return the trace ids."""
    writer = WriterFunction(monkeypatch, bucket=bucket_name, mlflow_url=mlflow_url)

    def deliver() -> list[str]:
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        found = {message["MessageId"]: _message(message) for message in answer.get("Messages", [])}
        assert writer.invoke(found) == set()
        return [message.attributes["trace_id"] for message in found.values()]

    return deliver


def _message(found: MessageTypeDef) -> Message:
    return Message(found["Body"], {name: value["StringValue"] for name, value in found["MessageAttributes"].items()})


@pytest.fixture
def mlflow(mlflow_url: str) -> Mlflow:
    return Mlflow(mlflow_url)


@pytest.fixture(params=["mlflow_url", "mlflow_postgres_url", "mlflow_next_url"], ids=["sqlite", "postgres", "next"])
def each_mlflow(request: pytest.FixtureRequest) -> Mlflow:
    """MLflow over SQLite, over PostgreSQL, and of the next version, one after the other."""
    return Mlflow(request.getfixturevalue(request.param))


@pytest.fixture
def each_writer(each_mlflow: Mlflow, bucket_name: str, monkeypatch: pytest.MonkeyPatch) -> WriterFunction:
    """The writer's function, which writes to each of them."""
    return WriterFunction(monkeypatch, bucket=bucket_name, mlflow_url=each_mlflow.url)
