"""Secrets in memory behave as the real adapter does against moto's server."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from offpath.aws.clients import secrets_client
from offpath.aws.secrets import SecretsManager
from offpath.contracts.errors import ObjectMissing, Transient
from offpath.mlflow.credentials import Credentials
from offpath.mlflow.stored_credentials import Secrets, StoredLogin
from offpath.testing import InMemorySecrets

Put = Callable[[str, str | bytes], None]


@pytest.fixture(params=["memory", "moto"])
def shelf(request: pytest.FixtureRequest) -> tuple[Secrets, Put]:
    """Secrets, and the way to give one a value."""
    if request.param == "memory":
        memory = InMemorySecrets()
        return memory, memory.values.__setitem__
    request.getfixturevalue("aws_endpoint")
    return SecretsManager(secrets_client()), _put


def _put(name: str, value: str | bytes) -> None:
    client: Any = boto3.client("secretsmanager")
    kind = "SecretString" if isinstance(value, str) else "SecretBinary"
    try:
        client.create_secret(Name=name, **{kind: value})
    except client.exceptions.ResourceExistsException:
        client.put_secret_value(SecretId=name, **{kind: value})


@pytest.fixture
def name() -> str:
    return f"mlflow-{uuid.uuid4().hex[:8]}"


def test_the_value_of_now_is_read(shelf: tuple[Secrets, Put], name: str) -> None:
    secrets, put = shelf
    for text in ("first", "sécond"):
        put(name, text)
        assert secrets.text(name) == text


def test_a_secret_that_does_not_exist_is_missing(shelf: tuple[Secrets, Put], name: str) -> None:
    with pytest.raises(ObjectMissing, match=name):
        shelf[0].text(name)


def test_a_binary_secret_is_named(shelf: tuple[Secrets, Put], name: str) -> None:
    secrets, put = shelf
    put(name, b'{"username": "writer", "password": "hunter2"}')
    with pytest.raises(Transient, match=f"the secret '{name}' is binary"):
        secrets.text(name)


def test_credentials_and_what_is_none(shelf: tuple[Secrets, Put], name: str) -> None:
    secrets, put = shelf
    login = StoredLogin(secrets, name)
    with pytest.raises(Transient, match=f"{name}' does not exist"):
        login.added_to(Credentials())
    put(name, '{"user": "writer"}')
    with pytest.raises(Transient, match=f"{name}' does not hold MLflow's credentials: username: Field required"):
        login.added_to(Credentials())
    put(name, '{"username": "writer", "password": "s3cret"}')
    assert login.added_to(Credentials()) == Credentials("writer", "s3cret")


def test_a_secret_without_a_value_is_missing(aws_endpoint: str, name: str) -> None:
    boto3.client("secretsmanager").create_secret(Name=name)
    with pytest.raises(ObjectMissing, match=name):
        SecretsManager(secrets_client()).text(name)


def test_a_secret_has_an_arn_too(aws_endpoint: str, name: str) -> None:
    arn = boto3.client("secretsmanager").create_secret(Name=name, SecretString="text")["ARN"]
    assert SecretsManager(secrets_client()).text(arn) == "text"


def test_a_secret_that_is_being_deleted_is_worth_another_try(aws_endpoint: str, name: str) -> None:
    client = boto3.client("secretsmanager")
    client.create_secret(Name=name, SecretString="text")
    client.delete_secret(SecretId=name)
    with pytest.raises(Transient, match=name):
        SecretsManager(secrets_client()).text(name)


@pytest.fixture(params=["memory", "no answer"])
def gone(request: pytest.FixtureRequest, nowhere: str, monkeypatch: pytest.MonkeyPatch) -> Secrets:
    """Secrets that are not available."""
    if request.param == "memory":
        memory = InMemorySecrets(mlflow="text")
        memory.down = True
        return memory
    monkeypatch.setenv("AWS_ENDPOINT_URL", nowhere)
    return SecretsManager(secrets_client(0.2, attempts=1))


def test_secrets_that_do_not_answer_are_worth_another_try(gone: Secrets) -> None:
    with pytest.raises(Transient, match="reading the secret 'mlflow'"):
        gone.text("mlflow")
