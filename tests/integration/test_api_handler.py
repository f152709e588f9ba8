"""The prediction API as it is composed: real S3 and SQS clients against moto's server."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

import events
from local.testbed.models import SETOSA, iris_onnx, iris_version, manifest_of
from offpath.contracts.errors import SettingsError
from offpath.contracts.names import MANIFEST_KEY

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

MODULE = "prediction_api.handler"


@dataclass
class Context:
    aws_request_id: str = "1"


def imported() -> ModuleType:
    """The handler module as Lambda imports it: anew, with the environment of now."""
    sys.modules.pop(MODULE, None)
    return importlib.import_module(MODULE)


@pytest.fixture
def composed(monkeypatch: pytest.MonkeyPatch, s3: S3Client, bucket_name: str, queue_url: str) -> Iterator[ModuleType]:
    """The handler module, imported anew with iris in the bucket."""
    version = iris_version()
    s3.put_object(Bucket=bucket_name, Key=version.key, Body=iris_onnx())
    s3.put_object(Bucket=bucket_name, Key=MANIFEST_KEY, Body=manifest_of(iris=version).to_json())
    monkeypatch.setenv("OFFPATH_BUCKET", bucket_name)
    monkeypatch.setenv("OFFPATH_QUEUE_URL", queue_url)
    monkeypatch.setenv("OFFPATH_PUBLISH_BUDGET_SECONDS", "60")  # moto on a busy machine is not an SQS that is away
    module = imported()
    yield module
    module.tracing.shutdown()


def queued(sqs: SQSClient, url: str) -> list[str]:
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return [f"tr-{found['MessageAttributes']['trace_id']['StringValue']}" for found in answer.get("Messages", [])]


def test_the_lambda_handler_answers_api_gateway(composed: ModuleType, sqs: SQSClient, queue_url: str) -> None:
    answer = composed.handler(events.load("api_predict_iris"), Context())
    assert answer["statusCode"] == 200
    assert composed.tracing.shutdown()
    assert queued(sqs, queue_url) == [json.loads(answer["body"])["trace_id"]]


def test_application_sends_its_traces_when_its_server_stops(
    composed: ModuleType, sqs: SQSClient, queue_url: str
) -> None:
    with TestClient(composed.app) as client:
        answer = client.post("/models/iris/predict", json=SETOSA).json()
    assert queued(sqs, queue_url) == [answer["trace_id"]]


def test_without_settings_it_does_not_start_and_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OFFPATH_BUCKET", raising=False)
    with pytest.raises(SettingsError, match="OFFPATH_BUCKET is not set"):
        imported()
