"""Environments that are restored from one snapshot: each trace is sent once, and they share no number."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from local.sources import ROOT
from tests.support.otlp_json import attributes_of, spans_of
from tests.support.servers.http_server import Exchange, serving
from tests.support.waiting import DEADLINE_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Lambda's runtime client calls the hooks as here: before the snapshot, and in each environment that is restored.
PROGRAM = """
import os
import offpath
from awslambdaric import lambda_runtime_hooks_runner as runtime
tracing = offpath.install(os.environ, service_name="snapped")
tracer = tracing.tracer("snapped")
tracer.start_span("primed").end()
unended = tracer.start_span("unended")
runtime.run_before_snapshot()
tracer.start_span("primed by a later hook").end()
for environment in range(2):
    runtime.run_after_restore()
    for number in range(2):
        tracer.start_span(f"request {number} of {environment}").end()
unended.end()
tracing.shutdown()
"""


@pytest.fixture
def lambda_before_an_invocation() -> Iterator[str]:
    """Yield the address of a Lambda that takes extensions, and has no invocation for them."""
    over = threading.Event()

    def respond(exchange: Exchange) -> None:
        if exchange.command != "POST":
            over.wait(DEADLINE_SECONDS)
        exchange.body()
        exchange.answer(200, b"{}", {"Lambda-Extension-Identifier": "id-1"})

    with serving(respond) as port:
        yield f"127.0.0.1:{port}"
        over.set()


def test_each_restored_environment_is_an_instance_of_its_own(
    aws_endpoint: str, queue_url: str, bucket_name: str, sqs: SQSClient, lambda_before_an_invocation: str
) -> None:
    own = {
        "OFFPATH_QUEUE_URL": queue_url,
        "OFFPATH_BUCKET": bucket_name,
        "OFFPATH_PUBLISH_BUDGET_SECONDS": "60",
        "AWS_LAMBDA_RUNTIME_API": lambda_before_an_invocation,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
        "PYTHONPATH": str(ROOT / "layers" / "shared"),
    }
    subprocess.run([sys.executable, "-c", PROGRAM], env=os.environ | own, check=True, timeout=DEADLINE_SECONDS)
    events = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)["Messages"]
    numbers: dict[str, dict[int, str]] = {}
    for event in events:
        [(name, span)] = spans_of(event["Body"]).items()
        given = attributes_of(span)
        instance = json.dumps(given["offpath.instance"])
        numbers.setdefault(instance, {})[int(given["offpath.sequence"]["intValue"])] = name
    assert sorted(numbers.values(), key=str) == [
        {1: "primed", 2: "unended", 3: "primed by a later hook"},
        {1: "request 0 of 0", 2: "request 1 of 0"},
        {1: "request 0 of 1", 2: "request 1 of 1"},
    ]
