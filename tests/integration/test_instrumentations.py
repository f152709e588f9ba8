"""Beside real instrumentations each request is one whole trace, and there is nothing besides."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.built.sdk_wheel import build
from local.sources import ROOT
from tests.support import instrumentors
from tests.support.otlp_json import attributes_of
from tests.support.sdk_package import UV, environment
from tests.support.servers.answering import Answering, answering

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

SCRIPT = ROOT / "tests" / "support" / "instrumented_requests.py"
APP = ROOT / "tests" / "support" / "instrumented_app.py"
PROVIDERS = (("none", "on"), *product(("given", "theirs"), ("on", "off", "ratio")))
Seat = tuple[str, str, str]
SEATS: list[Seat] = [
    (*provider, delivery) for provider in PROVIDERS for delivery in ("after_response", "before_response")
]
# What each instrumentation adds where its spans are sent: the three calls over HTTP, and one to S3.
ADDED = {
    "nothing": [],
    "botocore": ["S3.PutObject"],
    "urllib3": ["GET", "GET", "PUT"],
    "requests": ["GET"],
    "httpx": ["GET"],
    "logging": [],
    "all": ["GET", "GET", "GET", "S3.PutObject"],
}
OWN = ["features", "inner", "request"]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the SDK's wheel and the instrumentations."""
    wheel = build(UV, tmp_path_factory.mktemp("wheel"))
    folder = tmp_path_factory.mktemp("instrumented") / "venv"
    return environment(folder, sys.executable, [wheel, *instrumentors.PACKAGES])


@pytest.fixture(scope="module")
def web() -> Iterator[Answering]:
    """What the team's code calls."""
    with answering() as server:
        server.content, server.content_type = b"ok", "text/plain"
        yield server


Made = dict[str, Any]


def make(python: Path, environ: Mapping[str, str], *arguments: str, script: Path = SCRIPT) -> Made:
    """Make requests in a process of their own, and return their traces' ids."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [python, "-I", script, *arguments], env={**inherited, **environ}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made: Made = json.loads(done.stdout.splitlines()[-1])
    return made


def on_queue(sqs: SQSClient, url: str) -> dict[str, list[dict[str, Any]]]:
    """Return the spans of each trace on the queue. Raises AssertionError if a trace is more than one message."""
    traces = {}
    for trace_id, messages in messages_on_queue(sqs, url).items():
        [traces[trace_id]] = messages
    return traces


def messages_on_queue(sqs: SQSClient, url: str) -> dict[str, list[list[dict[str, Any]]]]:
    """Return the messages of each trace on the queue, as their spans."""
    traces: dict[str, list[list[dict[str, Any]]]] = {}
    while True:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        if not answer.get("Messages"):
            return traces
        for message in answer["Messages"]:
            groups = json.loads(message["Body"])["resourceSpans"]
            trace_id = message["MessageAttributes"]["trace_id"]["StringValue"]
            spans = [span for group in groups for scope in group["scopeSpans"] for span in scope["spans"]]
            traces.setdefault(trace_id, []).append(spans)


def root_of(spans: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the one span without a parent in the trace. Raises AssertionError if there are others."""
    ids = {span["spanId"] for span in spans}
    [root] = [span for span in spans if span.get("parentSpanId") not in ids]
    return root


@pytest.mark.parametrize("seat", SEATS, ids="-".join)
def test_each_request_is_one_whole_trace(
    seat: Seat, python: Path, web: Answering, environ: dict[str, str], sqs: SQSClient
) -> None:
    provider, sampler, delivery = seat
    made = make(python, environ | {"OFFPATH_DELIVERY": delivery}, provider, sampler, web.url)
    traces = on_queue(sqs, environ["OFFPATH_QUEUE_URL"])
    assert traces.keys() == {trace_id for ids in made.values() for trace_id in ids}, "and nothing besides"
    for by, ids in made.items():
        for trace_id in ids:
            check(traces[trace_id], by, provider, sampler)


def check(spans: list[dict[str, Any]], by: str, provider: str, sampler: str) -> None:
    """Assert that the spans are those of one request, in one tree, with what MLflow reads from the root."""
    sampled = sampler == "on" or any(span["name"] == "handler" for span in spans)
    handler = ["handler"] if provider == "given" and sampled else []
    theirs = ADDED[by] if provider != "theirs" and sampler != "off" else []
    assert sorted(span["name"] for span in spans) == sorted([*OWN, *handler, *theirs])
    root = root_of(spans)
    assert root["name"] == (handler or ["request"])[0]
    found = attributes_of(root)
    assert found["mlflow.spanInputs"] == {"stringValue": json.dumps({"by": by})}
    assert found["mlflow.traceTag.by"] == {"stringValue": by}
    assert root.get("status", {}).get("code") in (None, 0, "STATUS_CODE_UNSET")


@pytest.mark.parametrize(
    "seat",
    [*product(("none", "given", "theirs"), ("inside", "outside"), ("after_response", "before_response"))],
    ids="-".join,
)
def test_each_request_of_an_instrumented_application_is_one_trace(
    seat: Seat, python: Path, environ: dict[str, str], sqs: SQSClient
) -> None:
    provider, order, delivery = seat
    made = make(python, environ | {"OFFPATH_DELIVERY": delivery}, provider, order, script=APP)
    traces = messages_on_queue(sqs, environ["OFFPATH_QUEUE_URL"])
    assert traces.keys() == set(made.values()), "and nothing besides"
    for path, trace_id in made.items():
        spans = [span for message in traces[trace_id] for span in message]
        route = f"GET /{path.split('/')[1]}/{{item}}"
        outermost = root_of(spans)
        assert bool(outermost.get("parentSpanId")) is (provider == "theirs" and order == "outside")
        theirs = [route if order == "inside" else f"GET {path}"] if provider != "theirs" else []
        assert outermost["name"] == [*theirs, route][0]
        own = [span["name"] for span in spans if "http" not in span["name"]]
        assert sorted(own) == sorted([route, *theirs, *["total"] * (3 if "stream" in path else 1)])
        assert len(traces[trace_id]) == messages_of(path, provider, order, delivery)


def messages_of(path: str, provider: str, order: str, delivery: str) -> int:
    """Return how many messages a request's spans come in.

    An instrumentation within `tracing.asgi` ends its span after the answer, too late for a receipt before it. That of
    ASGI ends its span before that of a stream's last `receive`. Neither comes where it is another provider's.
    """
    if provider == "theirs":
        return 1
    late = order == "inside" and delivery == "before_response"
    is_cut_off = "stream" in path and (late or order == "outside")
    return 1 + late + is_cut_off


@pytest.fixture
def environ(aws_endpoint: str, queue_url: str, bucket_name: str) -> dict[str, str]:
    """A team's variables."""
    slow = {"OFFPATH_PUBLISH_BUDGET_SECONDS": "60"}  # moto on a busy machine is not an SQS that is away
    return slow | {"OFFPATH_QUEUE_URL": queue_url, "OFFPATH_BUCKET": bucket_name, "AWS_ENDPOINT_URL": aws_endpoint}
