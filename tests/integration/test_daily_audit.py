"""The daily audit as Lambda starts it, over real HTTP to S3 and SQS."""

from __future__ import annotations

import importlib
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from offpath.aws.clients import s3_client
from offpath.aws.s3 import Bucket
from offpath.aws.sqs import count_messages
from offpath.contracts.errors import Transient
from tests.support.servers.trace_writer_lambda import Context
from tests.unit.trace_writer.test_audit_run import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sqs import SQSClient

    Start = Callable[..., Any]

MODULE = "trace_writer.audit.handler"
NEXT_MORNING = {"time": "2031-07-15T06:00:00Z"}


@pytest.fixture
def bucket(bucket_name: str) -> Bucket:
    return Bucket(s3_client(), bucket_name)


@pytest.fixture
def run(bucket: Bucket, queue_url: str, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Return the handler, called with the schedule's event."""

    def run(milliseconds: int = 60_000, url: str = queue_url) -> Any:
        monkeypatch.setenv("OFFPATH_BUCKET", bucket.name)
        monkeypatch.setenv("OFFPATH_QUEUE_URL", url)
        sys.modules.pop(MODULE, None)
        return importlib.import_module(MODULE).handler(NEXT_MORNING, Context(milliseconds))

    return run


def fill(bucket: Bucket, world: World) -> None:
    for key, content in world.bucket.objects.items():
        bucket.put(key, content)


def status(bucket: Bucket) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bucket.get("status/audit.json"))
    return found


def test_a_day_where_all_is_well_is_on_record(run: Start, bucket: Bucket) -> None:
    world = World()
    world.both(1, 2, 3)
    fill(bucket, world)
    assert run() == {"result": "well", "missing": 0}
    found = status(bucket)
    assert (found["schema"], found["result"], found["reason"]) == ("audit/1", "well", "")
    assert (found["since"], found["until"]) == ("2031-07-14T00:00:00.000Z", "2031-07-15T00:00:00.000Z")
    assert (found["emitted"], found["archived"], found["ends"], found["ranges"]) == (3, 3, {"in_mlflow": 3}, [])


def test_missing_events_are_counted_and_named(run: Start, bucket: Bucket, caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.both(1, 4)
    world.receipts([5])
    fill(bucket, world)
    assert run() == {"result": "missing", "missing": 3}
    ranges = status(bucket)["ranges"]
    assert [(one["kind"], one["first"], one["last"]) for one in ranges] == [("lost", 2, 3), ("not_archived", 5, 5)]
    assert caplog.messages.count("events are missing") == 2
    assert caplog.messages.count("audit made") == 1


def test_an_audit_without_time_says_so_and_fails(run: Start, bucket: Bucket) -> None:
    world = World()
    world.archive(range(1, 1_300))
    fill(bucket, world)
    with pytest.raises(Transient, match="there was no time left"):
        run(milliseconds=10_000)
    found = status(bucket)
    assert found["result"] == "unknown"
    assert "run `offpath audit` elsewhere" in found["reason"]


def test_a_queue_that_does_not_answer_fails_the_audit(run: Start, bucket: Bucket, nowhere: str) -> None:
    with pytest.raises(Transient):
        run(url=f"{nowhere}/123456789012/no-such-queue")
    assert status(bucket)["result"] == "unknown"


def test_what_is_from_before_receipts_is_not_called_well(run: Start, bucket: Bucket) -> None:
    world = World()
    world.archive([1, 2])
    fill(bucket, world)
    assert run()["result"] == "unknown"


def test_messages_in_flight_and_delayed_ones_count(sqs: SQSClient, queue_url: str) -> None:
    assert count_messages(sqs, queue_url) == 0
    for seconds in (0, 0, 60):
        sqs.send_message(QueueUrl=queue_url, MessageBody="x", DelaySeconds=seconds)
    assert len(sqs.receive_message(QueueUrl=queue_url)["Messages"]) == 1
    assert count_messages(sqs, queue_url) == 3
