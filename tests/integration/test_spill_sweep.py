"""The sweep as Lambda starts it, over real S3 and a real MLflow server."""

from __future__ import annotations

import gzip
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from offpath.aws.clients import s3_client
from offpath.aws.s3 import Bucket, S3Claims
from offpath.contracts import spilled
from offpath.contracts.errors import SettingsError, Transient
from offpath.testing import InMemoryQueue, ManualClock
from offpath.tracing._destinations import Destinations
from offpath.tracing._otlp import encode
from offpath.tracing._publisher import PublisherSettings, TracePublisher
from tests.support.builders.spans import ended_trace
from tests.support.builders.trace_events import inline_message, prediction_event
from tests.support.servers.mlflow_rest import Mlflow
from tests.support.servers.mlflow_stub import error, stub_mlflow
from tests.support.servers.trace_writer_lambda import WriterFunction
from tests.unit.trace_writer.test_log_parts import subscribed

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sqs import SQSClient

    Start = Callable[..., WriterFunction]

QUEUE_URL = "http://127.0.0.1:1/123456789012/offpath-traces"


@pytest.fixture
def bucket(bucket_name: str) -> Bucket:
    return Bucket(s3_client(), bucket_name)


@pytest.fixture
def start(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Start:
    def start(mlflow_url: str, **settings: str) -> WriterFunction:
        known = {"bucket": bucket.name, "queue_url": QUEUE_URL, "mlflow_url": mlflow_url}
        return WriterFunction(monkeypatch, **{**known, **settings})

    return start


def spill(bucket: Bucket, count: int, experiment: str) -> set[str]:
    """Let a publisher spill so many traces, as its queue takes none; return their ids."""
    down = InMemoryQueue()
    down.down = True
    settings = PublisherSettings("offpath-traces", experiment, 900_000, budget_seconds=0.1)
    publisher = TracePublisher(Destinations(down, S3Claims(bucket), bucket), settings, ManualClock())
    traces = [ended_trace(text=f"é {number}") for number in range(count)]
    publisher.publish(traces)
    return {encode(trace, experiment).trace_id for trace in traces}


def archived(bucket: Bucket) -> list[bytes]:
    """Return the lines of the archive."""
    return [line for key in bucket.keys("archive/") for line in gzip.decompress(bucket.get(key)).splitlines()]


def test_what_the_publisher_spilled_comes_to_mlflow_by_itself(start: Start, bucket: Bucket, mlflow_url: str) -> None:
    experiment = f"offpath/{uuid.uuid4().hex}"
    spilled_ids = spill(bucket, 30, experiment)
    function = start(mlflow_url)

    assert function.sweep() == {"found": 30, "written": 30}

    assert Mlflow(mlflow_url).trace_ids(experiment) == spilled_ids
    assert len(archived(bucket)) == 30
    assert list(bucket.keys("spill/")) == []
    assert function.sweep() == {"found": 0, "written": 0}


def test_lines_of_the_log_come_to_mlflow_over_several_invocations(
    start: Start, bucket: Bucket, mlflow_url: str
) -> None:
    experiment = f"offpath/{uuid.uuid4().hex}"
    event = prediction_event(experiment, {"noise": uuid.uuid4().hex * 20_000, "more": [uuid.uuid4().hex] * 20_000})
    other = prediction_event(experiment, {"noise": "".join(uuid.uuid4().hex for _ in range(20_000))})
    lines = [line for it in (event, other) for line in spilled.to_log(inline_message(it))]
    assert len(lines) > 2
    function = start(mlflow_url)

    for line in reversed(lines):
        function.sweep(subscribed("START RequestId", line))
        function.sweep(subscribed(line))  # a subscription may hand it over twice
    assert function.sweep(subscribed(kind="CONTROL_MESSAGE"))["found"] == 0
    assert function.sweep()["written"] == 2
    function.sweep(subscribed(lines[0]))  # and again, hours later
    assert function.sweep() == {"found": 0, "written": 0}

    assert Mlflow(mlflow_url).trace_ids(experiment) == {event.trace_id, other.trace_id}
    assert [key.rpartition("/")[2] for key in bucket.keys("spill/")] == ["done", "done"]


def test_two_sweeps_at_once_write_each_event_once(start: Start, bucket: Bucket) -> None:
    spilled_ids = spill(bucket, 40, "offpath/iris")
    with stub_mlflow() as stub:
        functions = [start(stub.url) for _ in range(2)]
        with ThreadPoolExecutor() as pool:
            answers = list(pool.map(lambda function: function.sweep(), functions))

    assert sum(answer["written"] for answer in answers) == 40
    assert len(archived(bucket)) == 40
    posted = [trace_id for request in stub.requests for trace_id in request.trace_ids]
    assert sorted(posted) == sorted(spilled_ids)


def test_an_outage_leaves_everything_and_archives_it_once(start: Start, bucket: Bucket) -> None:
    spilled_ids = spill(bucket, 20, "offpath/iris")
    with stub_mlflow() as stub:
        stub.answer = lambda request: error(503, **{"Retry-After": "1000"}) if request.trace_ids else None
        for _ in range(3):  # each in a process of its own
            assert start(stub.url).sweep()["written"] == 0
        assert len(list(bucket.keys("spill/offpath-traces/"))) == 20

        stub.answer = lambda request: None
        assert start(stub.url).sweep()["written"] == 20

    assert len(archived(bucket)) == len(spilled_ids) == 20


def test_poison_leaves_the_spill_for_the_dead_letters(
    start: Start, bucket: Bucket, sqs: SQSClient, queue_url: str
) -> None:
    bucket.put("spill/offpath-traces/odd.json", b"odd")
    with stub_mlflow() as stub:
        assert start(stub.url, dead_letter_url=queue_url).sweep() == {"found": 1, "written": 1}

    [letter] = sqs.receive_message(QueueUrl=queue_url, MessageAttributeNames=["All"])["Messages"]
    assert letter["Body"] == "odd"
    assert letter["MessageAttributes"]["error"]["StringValue"] == "MalformedEvent"
    [copy] = bucket.keys("dead-letters/")
    assert b'"body": "odd"' in bucket.get(copy)
    assert list(bucket.keys("spill/")) == []


def test_a_sweep_without_s3_fails_so_that_lambda_tells(
    start: Start, nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", nowhere)
    function = start("http://127.0.0.1:1")
    with pytest.raises(Transient):
        function.sweep()
    with pytest.raises(Transient):
        function.sweep(subscribed(*spilled.to_log(inline_message(prediction_event()))))


def test_a_sweep_must_know_its_queue(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OFFPATH_QUEUE_URL", raising=False)
    with pytest.raises(SettingsError, match="OFFPATH_QUEUE_URL is not set"):
        WriterFunction(monkeypatch, bucket=bucket.name, mlflow_url="http://127.0.0.1:1").sweep()
