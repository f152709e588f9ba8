"""A command finds the local stack by its settings, and a deployed one by the outputs of its CloudFormation stack."""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from offpath.contracts.errors import SettingsError
from offpath_cli.errors import CommandError, CouldNotTell
from offpath_cli.where import find_pipeline

OUTPUTS = {
    "ArchiveBucket": "offpath-archivebucket-1",
    "TraceQueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/traces",
    "DeadLetterQueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/dead",
    "MlflowUrl": "http://localhost:5000, while the command of MlflowForward runs",
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield


def deploy(name: str, outputs: dict[str, str]) -> None:
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    boto3.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))


def test_the_local_stack_is_where_its_settings_say() -> None:
    found = find_pipeline("", {"OFFPATH_S3_PORT": "6577", "OFFPATH_SQS_PORT": "6566", "OFFPATH_MLFLOW_PORT": "6000"})
    assert (found.bucket_name, found.s3_url) == ("offpath-archive", "http://127.0.0.1:6577")
    assert found.queue_url == "http://127.0.0.1:6566/123456789012/offpath-traces"
    assert found.dead_letter_url == "http://127.0.0.1:6566/123456789012/offpath-traces-dlq"
    assert found.mlflow_url == "http://127.0.0.1:6000"


def test_mlflow_is_where_its_own_variable_says() -> None:
    assert find_pipeline("", {"MLFLOW_TRACKING_URI": "https://elsewhere"}).mlflow_url == "https://elsewhere"


def test_local_clients_leave_the_users_own_account_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://production")
    found = find_pipeline("", {})
    credentials = found.session.get_credentials()
    assert credentials is not None
    assert (credentials.access_key, found.session.region_name) == ("offpath", "us-east-1")
    assert found.sqs().meta.endpoint_url == "http://127.0.0.1:5566"
    assert found.sqs().meta.config.proxies == {}  # type: ignore[attr-defined]


def test_a_profile_that_is_not_there_could_not_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(CouldNotTell, match="nobody"):
        find_pipeline("offpath", {})


def test_unusable_settings_of_the_local_stack_are_named() -> None:
    with pytest.raises(SettingsError, match="OFFPATH_S3_PORT"):
        find_pipeline("", {"OFFPATH_S3_PORT": "x"})


@pytest.mark.usefixtures("aws")
def test_a_deployed_stack_is_where_its_outputs_say() -> None:
    deploy("offpath", OUTPUTS)
    found = find_pipeline("offpath", {})
    assert (found.bucket_name, found.queue_url) == (OUTPUTS["ArchiveBucket"], OUTPUTS["TraceQueueUrl"])
    assert found.dead_letter_url == OUTPUTS["DeadLetterQueueUrl"]
    assert (found.mlflow_url, found.s3_url, found.name) == ("http://localhost:5000", None, "the stack offpath")


@pytest.mark.usefixtures("aws")
def test_a_stack_of_something_else_is_refused() -> None:
    deploy("other", {"ArchiveBucket": "x"})
    with pytest.raises(CommandError, match="no output TraceQueueUrl, DeadLetterQueueUrl, MlflowUrl"):
        find_pipeline("other", {})


@pytest.mark.usefixtures("aws")
def test_a_stack_that_aws_does_not_show_ends_otherwise() -> None:
    with pytest.raises(CouldNotTell, match="nowhere"):
        find_pipeline("nowhere", {})


def test_certificates_that_cannot_be_read_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", "/no/such/file")
    with pytest.raises(CommandError, match="/no/such/file"):
        find_pipeline("", {}).mlflow()
