"""`install`: spans of any process arrive on a real queue."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import SpanProcessor

import offpath
from local.sources import ROOT
from offpath.contracts import spilled
from offpath.contracts.errors import SettingsError
from offpath.tracing import Tracing, install, new_provider
from tests.support.servers.held_sqs import held_sqs
from tests.support.waiting import DEADLINE_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef


@pytest.fixture
def environ(aws_endpoint: str, queue_url: str, bucket_name: str) -> dict[str, str]:
    slow = {"OFFPATH_PUBLISH_BUDGET_SECONDS": "60"}  # moto on a busy machine is not an SQS that is away
    return slow | {"OFFPATH_QUEUE_URL": queue_url, "OFFPATH_BUCKET": bucket_name}


def queued(sqs: SQSClient, url: str) -> list[MessageTypeDef]:
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return answer.get("Messages", [])


def trace_one(tracing: Tracing, text: str = "") -> str:
    with tracing.tracer("test").start_as_current_span("predict", attributes={"mlflow.spanInputs": text}) as span:
        pass
    return f"{span.get_span_context().trace_id:032x}"


def start(environ: dict[str, str]) -> Tracing:
    return install(environ, service_name="test", provider=new_provider("test"))


def test_trace_is_queued_when_the_process_has_shut_down(
    environ: dict[str, str], sqs: SQSClient, queue_url: str
) -> None:
    tracing = start(environ)
    trace_id = trace_one(tracing)
    assert tracing.shutdown()
    [message] = queued(sqs, queue_url)
    assert message["MessageAttributes"]["trace_id"]["StringValue"] == trace_id
    assert trace_id in message["Body"]


def test_before_response_has_the_receipt_before_the_span_is_over(
    environ: dict[str, str], sqs: SQSClient, queue_url: str
) -> None:
    tracing = start({**environ, "OFFPATH_DELIVERY": "before_response"})
    trace_id = trace_one(tracing)
    assert [message["MessageAttributes"]["trace_id"]["StringValue"] for message in queued(sqs, queue_url)] == [trace_id]
    tracing.shutdown()


def test_a_large_trace_is_a_claim_in_the_bucket(
    environ: dict[str, str], sqs: SQSClient, s3: S3Client, queue_url: str, bucket_name: str
) -> None:
    tracing = start({**environ, "OFFPATH_MAX_MESSAGE_BYTES": "2000"})
    trace_one(tracing, "x" * 5000)
    tracing.shutdown()
    [message] = queued(sqs, queue_url)
    claim = json.loads(message["Body"])
    content = s3.get_object(Bucket=bucket_name, Key=claim["key"])["Body"].read()
    assert len(content) == claim["bytes"] > 5000


def test_trace_is_spilled_when_its_queue_is_gone(
    environ: dict[str, str], s3: S3Client, bucket_name: str, queue_url: str
) -> None:
    tracing = start({**environ, "OFFPATH_QUEUE_URL": f"{queue_url}-gone", "OFFPATH_PUBLISH_BUDGET_SECONDS": "3"})
    trace_id = trace_one(tracing)
    tracing.shutdown()
    [found] = s3.list_objects_v2(Bucket=bucket_name, Prefix="spill/")["Contents"]
    assert trace_id in found["Key"]


def test_a_lambda_that_refuses_the_extension_still_traces(
    environ: dict[str, str], sqs: SQSClient, queue_url: str, nowhere: str, caplog: pytest.LogCaptureFixture
) -> None:
    tracing = start({**environ, "AWS_LAMBDA_RUNTIME_API": nowhere.removeprefix("http://")})
    handler = tracing.lambda_handler(lambda event, context: trace_one(tracing))
    trace_id = handler({}, None)
    assert "Extensions API" in caplog.text
    [message] = queued(sqs, queue_url)
    assert message["MessageAttributes"]["trace_id"]["StringValue"] == trace_id


README_EXAMPLE = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)[0]


def test_the_readmes_example_traces_a_prediction(environ: dict[str, str], sqs: SQSClient, queue_url: str) -> None:
    call = "print(handler({'body': '{\"items\": [1, 2]}'}, None)['body'])\ntracing.shutdown()\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{README_EXAMPLE}\n{call}"],
        env={**os.environ, **environ, "PYTHONPATH": str(ROOT / "layers" / "shared")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == '{"fraud": false}', done.stderr
    [message] = queued(sqs, queue_url)
    [group] = json.loads(message["Body"])["resourceSpans"]
    spans = {span["name"]: span for scope in group["scopeSpans"] for span in scope["spans"]}
    attributes = {item["key"]: item["value"] for item in spans["predict"]["attributes"]}
    assert attributes["mlflow.spanInputs"] == {"stringValue": '{"order": {"items": [1, 2]}}'}
    assert attributes["mlflow.spanOutputs"] == {"stringValue": '{"fraud": false}'}
    assert spans["features"]["parentSpanId"] == spans["predict"]["spanId"]


def test_a_process_with_unusable_settings_does_not_start() -> None:
    with pytest.raises(SettingsError, match="OFFPATH_QUEUE_URL"):
        install({}, service_name="test")


@pytest.mark.parametrize(
    "off", [{"OTEL_SDK_DISABLED": "true"}, {"OFFPATH_TRACING": "off"}], ids=lambda off: next(iter(off))
)
def test_what_is_switched_off_sends_nothing(
    off: dict[str, str], environ: dict[str, str], sqs: SQSClient, queue_url: str
) -> None:
    tracing = start(environ | off)
    trace_one(tracing)
    with offpath.traced("block"):
        tracing.prediction("fraud", "3", {}, "good")
    assert tracing.shutdown()
    assert queued(sqs, queue_url) == []


def test_resource_attributes_of_the_environment_are_sent(
    environ: dict[str, str], sqs: SQSClient, queue_url: str
) -> None:
    labels = "deployment.environment.name=staging,team=risk%20%26%20fraud,,service.name=other"
    provider = new_provider("fraud-api", {"OTEL_RESOURCE_ATTRIBUTES": labels})
    tracing = install(environ, service_name="fraud-api", provider=provider)
    trace_one(tracing)
    tracing.shutdown()
    [message] = queued(sqs, queue_url)
    [group] = json.loads(message["Body"])["resourceSpans"]
    assert {item["key"]: item["value"]["stringValue"] for item in group["resource"]["attributes"]} == {
        "deployment.environment.name": "staging",
        "team": "risk & fraud",
        "service.name": "fraud-api",
    }


def test_an_unfinished_request_is_sent_as_the_process_ends(
    environ: dict[str, str], sqs: SQSClient, queue_url: str
) -> None:
    tracing = start(environ)
    tracing.tracer("test").start_span("predict", attributes={"mlflow.spanInputs": "1"})
    tracing.shutdown()
    [message] = queued(sqs, queue_url)
    assert "the process ended before the request did" in message["Body"]


ENDS_WITHOUT_A_SHUTDOWN = """
import os, sys
import offpath
tracing = offpath.install(os.environ, service_name="script")
print(tracing.prediction("fraud", "3", {}, "good").trace_id)
"""


def test_a_script_that_just_ends_loses_nothing(environ: dict[str, str], sqs: SQSClient, queue_url: str) -> None:
    variables = {**os.environ, **environ, "PYTHONPATH": str(ROOT / "layers" / "shared")}
    done = subprocess.run(
        [sys.executable, "-c", ENDS_WITHOUT_A_SHUTDOWN], env=variables, capture_output=True, text=True, check=True
    )
    [message] = queued(sqs, queue_url)
    assert done.stdout.strip() == f"tr-{message['MessageAttributes']['trace_id']['StringValue']}"


def test_a_batch_in_hand_is_logged_when_the_process_ends(
    environ: dict[str, str], moto_url: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with held_sqs(moto_url) as held:
        for name, value in held.environ.items():
            monkeypatch.setenv(name, value)
        tracing = start({**environ, "OFFPATH_PUBLISH_BUDGET_SECONDS": "60"})
        trace_id = trace_one(tracing)
        assert held.arrived.wait(DEADLINE_SECONDS)
        assert not tracing.worker.close(0.1)
        held.release()
    [message] = spilled.from_log(capfd.readouterr().out.splitlines())
    assert message.attributes["trace_id"] == trace_id


class ShutDown(SpanProcessor):
    """A processor of the team's own."""

    called = False

    def shutdown(self) -> None:
        self.called = True


def test_a_given_provider_goes_on_after_the_shutdown(environ: dict[str, str], sqs: SQSClient, queue_url: str) -> None:
    provider, own = new_provider("test"), ShutDown()
    provider.add_span_processor(own)
    tracing = install(environ, service_name="test", provider=provider)
    trace_one(tracing)
    assert tracing.shutdown()
    assert not own.called
    assert len(queued(sqs, queue_url)) == 1
