"""Credentials are read from a secret and certificates from the bucket, or refused with what is wrong."""

import traceback

import pytest

from local.testbed.authority import Authority
from offpath.contracts.errors import Transient
from offpath.mlflow.credentials import Credentials
from offpath.mlflow.stored_credentials import StoredCertificates, StoredLogin
from offpath.testing import InMemoryBucket, InMemorySecrets


def test_user_and_password_are_the_secrets() -> None:
    secrets = InMemorySecrets(mlflow='{"username": "writer", "password": "paß:word", "note": "made by hand"}')
    found = StoredLogin(secrets, "mlflow").added_to(Credentials(ca_certificates="a certificate"))
    assert found == Credentials("writer", "paß:word", "a certificate")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("hunter2", "Invalid JSON"),
        ("", "Invalid JSON"),
        ('["writer", "hunter2"]', "should be an object"),
        ('{"password": "hunter2"}', "username: Field required"),
        ('{"username": "", "password": "hunter2"}', "username: String should have at least 1 character"),
        ('{"username": "hunter2"}', "password: Field required"),
        ('{"username": "writer", "password": ["hunter2"]}', "password: Input should be a valid string"),
    ],
)
def test_secret_without_credentials_is_named_not_shown(text: str, complaint: str) -> None:
    with pytest.raises(Transient) as trouble:
        StoredLogin(InMemorySecrets(mlflow=text), "mlflow").added_to(Credentials())
    assert "the secret 'mlflow' does not hold MLflow's credentials" in str(trouble.value)
    assert complaint in str(trouble.value)
    assert '{"username": "…", "password": "…"}' in str(trouble.value)
    assert "hunter2" not in "".join(traceback.format_exception(trouble.value))


def test_a_secret_that_does_not_exist_is_worth_another_try() -> None:
    with pytest.raises(Transient, match=r"the secret 'mlflow' does not exist.*OFFPATH_MLFLOW_SECRET"):
        StoredLogin(InMemorySecrets(), "mlflow").added_to(Credentials())


def test_certificates_are_the_buckets() -> None:
    bucket = InMemoryBucket()
    bucket.put("mlflow/ca.pem", pem := Authority().pem)
    assert StoredCertificates(bucket, "mlflow/ca.pem").added_to(Credentials("writer")) == Credentials(
        "writer", ca_certificates=pem.decode()
    )


def test_certificates_that_are_not_there_yet_are_worth_another_try() -> None:
    with pytest.raises(Transient, match=r"s3://archive/mlflow/ca.pem does not exist.*OFFPATH_MLFLOW_CA_KEY"):
        StoredCertificates(InMemoryBucket(), "mlflow/ca.pem").added_to(Credentials())


@pytest.mark.parametrize("content", [b"", b"<html>"])
def test_a_file_without_certificates_is_named(content: bytes) -> None:
    bucket = InMemoryBucket()
    bucket.put("mlflow/ca.pem", content)
    with pytest.raises(Transient, match=r"s3://archive/mlflow/ca.pem .* cannot be used: no usable certificates"):
        StoredCertificates(bucket, "mlflow/ca.pem").added_to(Credentials())
