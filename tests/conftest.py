"""Real services for the tests that want them: moto's server for SQS and S3, MLflow, PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from moto.server import ThreadedMotoServer

from local.testbed.servers import mlflow_server, sqlite
from tests.support.drawn_order import drawn
from tests.support.servers.stack_user import User

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run draw the order of its tests."""
    parser.addoption("--order-seed", type=int, help="run the tests in the order that this number draws")


def pytest_report_header(config: pytest.Config) -> str:
    """Say how an order is drawn again."""
    seed = config.getoption("--order-seed")
    return "order: as in the files" if seed is None else f"order: drawn, --order-seed {seed}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Draw the order, if that is asked for; each worker of one run draws the same."""
    seed = config.getoption("--order-seed")
    if seed is not None:
        items[:] = drawn(items, seed)


def pytest_configure() -> None:
    """No test may see the developer's own AWS account or settings."""
    for name in [
        name for name in os.environ if name.startswith(("AWS_", "OFFPATH_", "MLFLOW_")) and name != "AWS_CA_BUNDLE"
    ]:
        del os.environ[name]
    os.environ["AWS_ACCESS_KEY_ID"] = "offpath"
    os.environ["AWS_SECRET_ACCESS_KEY"] = "offpath-local"
    os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"


@pytest.fixture(scope="session", autouse=True)
def main_event_loop() -> Iterator[None]:
    """Give Mangum a loop, which it would else make and leave open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """The address of a moto server: SQS and S3 over real HTTP."""
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address that refuses every connection: its port is taken for as long as the test runs, and nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture
def aws_endpoint(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Clients that read the environment talk to moto."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    return moto_url


@pytest.fixture
def s3(aws_endpoint: str) -> S3Client:
    return boto3.client("s3")


@pytest.fixture
def sqs(aws_endpoint: str) -> SQSClient:
    return boto3.client("sqs")


@pytest.fixture
def bucket_name(s3: S3Client) -> str:
    """An empty bucket."""
    name = f"archive-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def queue_url(sqs: SQSClient) -> str:
    """An empty queue, whose messages are not seen again by themselves while a test runs."""
    hidden: dict[QueueAttributeNameType, str] = {"VisibilityTimeout": "3600"}
    return sqs.create_queue(QueueName=f"traces-{uuid.uuid4().hex[:12]}", Attributes=hidden)["QueueUrl"]


@pytest.fixture(scope="session")
def mlflow_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real MLflow server over SQLite."""
    folder = tmp_path_factory.mktemp("mlflow")
    with sqlite(folder) as database, mlflow_server(database, folder) as url:
        yield url


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """The whole local stack, started as `make up` starts it, with somebody to call it."""
    user = User(tmp_path_factory.mktemp("stack"))
    try:
        user.up()
        yield user
        user.commands[0].end()
    finally:
        for command in user.commands:
            command.clean_up()
