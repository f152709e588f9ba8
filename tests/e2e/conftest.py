"""Machines for the tests that set a server up for real."""

import uuid
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from local.testbed.database_machine import DatabaseMachine
from local.testbed.debian_machine import ensure_image, network
from tests.support.machines.mlflow_machine import DATABASE_HOST, Account, MlflowMachine


@pytest.fixture(scope="module")
def machine_network() -> Iterator[tuple[str, str]]:
    """The name of a network of containers, and this machine's address in it."""
    ensure_image()
    name = f"offpath-{uuid.uuid4().hex[:8]}"
    with network(name) as address:
        yield name, address


@pytest.fixture(scope="module")
def account(machine_network: tuple[str, str]) -> Iterator[Account]:
    """S3, SQS and Secrets Manager, where machines of the network reach them."""
    server = ThreadedMotoServer(machine_network[1], 0, verbose=False)
    server.start()
    address, port = server.get_host_and_port()
    url = f"http://{address}:{port}"
    s3, manager = boto3.client("s3", endpoint_url=url), boto3.client("secretsmanager", endpoint_url=url)
    account = Account(url, s3, manager, boto3.client("sqs", endpoint_url=url))
    account.provide()
    yield account
    server.stop()


@pytest.fixture(scope="module")
def database(machine_network: tuple[str, str], account: Account) -> Iterator[DatabaseMachine]:
    """PostgreSQL and MariaDB on a machine of their own."""
    name = f"{machine_network[0]}-database"
    machine = DatabaseMachine(name)
    try:
        machine.boot(machine_network[0], DATABASE_HOST)
        machine.provide(DATABASE_HOST, account.passwords["database"])
        yield machine
    finally:
        machine.remove()


@pytest.fixture(scope="module")
def mlflow_machine(
    machine_network: tuple[str, str], account: Account, database: DatabaseMachine
) -> Iterator[MlflowMachine]:
    """The MLflow server's machine with its settings, before its set-up."""
    machine = MlflowMachine(f"{machine_network[0]}-mlflow", machine_network[0], account, database.ca)
    try:
        machine.configure()
        yield machine
    finally:
        machine.remove()
