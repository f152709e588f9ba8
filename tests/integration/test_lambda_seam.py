"""The prediction API in Lambda's own runtime lets callers wait for no trace, and loses none."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import events
from local.testbed.lambda_runtime import LambdaRuntime, lambda_runtime
from local.testbed.models import iris_onnx, iris_version, manifest_of
from offpath.contracts.event_summary import summarise_event
from offpath.contracts.model_manifest import Manifest, RegisteredModel
from offpath.contracts.names import MANIFEST_KEY
from tests.support.servers.held_sqs import held_sqs
from tests.support.waiting import DEADLINE_SECONDS, wait_for

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

HANDLER = "prediction_api.handler.handler"
REQUEST = events.load("api_predict_iris")


@pytest.fixture
def environ(aws_endpoint: str, s3: S3Client, bucket_name: str, queue_url: str) -> dict[str, str]:
    """Return the variables that the function needs, with iris in the bucket."""
    version = iris_version()
    s3.put_object(Bucket=bucket_name, Key=version.key, Body=iris_onnx())
    s3.put_object(Bucket=bucket_name, Key=MANIFEST_KEY, Body=manifest_of(iris=version).to_json())
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    slow = {"OFFPATH_PUBLISH_BUDGET_SECONDS": "60"}  # moto on a busy machine is not an SQS that is away
    return aws | slow | {"OFFPATH_BUCKET": bucket_name, "OFFPATH_QUEUE_URL": queue_url}


@pytest.fixture
def runtime(environ: dict[str, str], tmp_path: Path) -> Iterator[LambdaRuntime]:
    with lambda_runtime(HANDLER, environ, tmp_path / "lambda.log") as running:
        yield running


@pytest.fixture
def with_shadow(environ: dict[str, str], s3: S3Client) -> dict[str, str]:
    """Return the same variables, with a second version in the bucket that is a shadow."""
    aliases = {"champion": iris_version(), "next": iris_version("2", weight=0, shadow=True)}
    manifest = Manifest(models={"iris": RegisteredModel(aliases=aliases)})
    s3.put_object(Bucket=environ["OFFPATH_BUCKET"], Key=MANIFEST_KEY, Body=manifest.to_json())
    return environ


def predict(runtime: LambdaRuntime) -> str:
    """The trace id of one prediction."""
    answer = runtime.invoke(REQUEST)
    assert answer["statusCode"] == 200, answer
    return str(json.loads(answer["body"])["trace_id"])


def queued(sqs: SQSClient, url: str) -> list[str]:
    """The trace ids of every event on the queue, which is empty afterwards."""
    found: list[str] = []
    while True:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        messages = answer.get("Messages", [])
        if not messages:
            return found
        for message in messages:
            found.append(f"tr-{message['MessageAttributes']['trace_id']['StringValue']}")
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_every_predictions_event_is_on_the_queue(runtime: LambdaRuntime, sqs: SQSClient, queue_url: str) -> None:
    predicted = [predict(runtime) for _ in range(20)]
    assert sorted(queued(sqs, queue_url)) == sorted(predicted)


def test_events_say_which_invocations_they_are_of(runtime: LambdaRuntime, sqs: SQSClient, queue_url: str) -> None:
    for _ in range(5):
        predict(runtime)
    messages = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)["Messages"]
    found = {summarise_event(message["Body"].encode()).invocation_id for message in messages}
    begun = set(re.findall(r"START RequestId: ([0-9a-f-]{36})", runtime.log.read_text()))
    assert len(found) == 5
    assert found <= begun


def test_a_refused_request_is_on_the_queue_too(runtime: LambdaRuntime, sqs: SQSClient, queue_url: str) -> None:
    answer = runtime.invoke(events.load("api_predict_refused"))
    assert answer["statusCode"] == 422
    assert queued(sqs, queue_url) == [answer["headers"]["x-trace-id"]]


def test_health_answers_and_leaves_no_trace(runtime: LambdaRuntime, sqs: SQSClient, queue_url: str) -> None:
    answer = runtime.invoke(events.load("api_health"))
    assert json.loads(answer["body"])["status"] == "ok"
    assert queued(sqs, queue_url) == []


def test_shadow_prediction_is_queued_as_a_trace_of_its_own(
    with_shadow: dict[str, str], sqs: SQSClient, queue_url: str, tmp_path: Path
) -> None:
    with started(with_shadow, tmp_path) as runtime:
        predicted = predict(runtime)
        first, shadow = queued(sqs, queue_url)
        assert first == predicted != shadow


def test_an_untraced_function_answers_and_queues_nothing(
    environ: dict[str, str], sqs: SQSClient, queue_url: str, tmp_path: Path
) -> None:
    with started(environ | {"OFFPATH_TRACING": "iris=off"}, tmp_path) as runtime:
        answer = runtime.invoke(REQUEST)
    assert (answer["statusCode"], json.loads(answer["body"])["trace_id"]) == (200, None)
    assert "x-trace-id" not in answer["headers"]
    assert queued(sqs, queue_url) == []


def test_the_response_is_posted_while_sqs_has_not_answered(environ: dict[str, str], tmp_path: Path) -> None:
    with held_sqs(environ["AWS_ENDPOINT_URL"]) as held, started(environ | held.environ, tmp_path) as runtime:
        with in_background(runtime):
            await_response(runtime)
            assert held.arrived.wait(DEADLINE_SECONDS), "the flush comes after the response, and is under way"
            held.release()


def test_before_response_sqs_has_answered_when_the_response_is_posted(environ: dict[str, str], tmp_path: Path) -> None:
    before = environ | {"OFFPATH_DELIVERY": "before_response"}
    with held_sqs(environ["AWS_ENDPOINT_URL"]) as held, started(before | held.environ, tmp_path) as runtime:
        with in_background(runtime):
            assert held.arrived.wait(DEADLINE_SECONDS)
            assert runtime.durations_ms() == []
            held.release()
            await_response(runtime)


def test_an_environment_that_is_only_frozen_loses_nothing(
    environ: dict[str, str], sqs: SQSClient, queue_url: str, tmp_path: Path
) -> None:
    with held_sqs(environ["AWS_ENDPOINT_URL"]) as held, started(environ | held.environ, tmp_path) as runtime:
        with in_background(runtime):
            await_response(runtime)
            runtime.signal(signal.SIGSTOP)
            held.release()
            runtime.signal(signal.SIGCONT)
        assert len(queued(sqs, queue_url)) == 1


def test_environment_killed_before_the_receipt_loses_one_trace(
    environ: dict[str, str], sqs: SQSClient, queue_url: str, tmp_path: Path
) -> None:
    with held_sqs(environ["AWS_ENDPOINT_URL"]) as held, started(environ | held.environ, tmp_path) as runtime:
        with in_background(runtime):
            await_response(runtime)
            freeze_and_kill(runtime)
            held.drop()
    assert queued(sqs, queue_url) == []


def test_before_response_an_environment_killed_after_its_response_loses_nothing(
    environ: dict[str, str], sqs: SQSClient, queue_url: str, tmp_path: Path
) -> None:
    with started(environ | {"OFFPATH_DELIVERY": "before_response"}, tmp_path) as runtime, in_background(runtime):
        await_response(runtime)
        freeze_and_kill(runtime)
    assert len(queued(sqs, queue_url)) == 1


def started(environ: dict[str, str], folder: Path) -> AbstractContextManager[LambdaRuntime]:
    return lambda_runtime(HANDLER, environ, folder / "lambda.log")


def freeze_and_kill(runtime: LambdaRuntime) -> None:
    runtime.signal(signal.SIGSTOP)
    runtime.signal(signal.SIGKILL)
    runtime.process.wait(timeout=DEADLINE_SECONDS)


@contextmanager
def in_background(runtime: LambdaRuntime) -> Iterator[None]:
    """An invocation whose caller waits elsewhere: the emulator answers only when the extension, too, is done."""

    def invoke() -> None:
        # A killed emulator answers nothing: that is what some of these tests are about.
        with suppress(OSError, HTTPException):
            runtime.invoke(REQUEST)

    caller = threading.Thread(target=invoke)
    caller.start()
    yield
    caller.join(timeout=DEADLINE_SECONDS)
    assert not caller.is_alive()


def await_response(runtime: LambdaRuntime) -> None:
    """Wait until the runtime has posted its response, as the emulator's log tells."""
    wait_for(runtime.durations_ms, runtime.log.read_text)
