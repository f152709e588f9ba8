import json

import pytest

from local.stack.queue_snapshot import Snapshot, save_snapshot
from offpath.aws.sqs import SQS_MAX_BYTES
from offpath.contracts import spilled
from offpath.contracts.message import Message
from offpath.contracts.trace_event import TraceEvent, decode_message, inline_message
from offpath.replay import Replay, replay
from offpath.testing import InMemoryBucket, InMemoryQueue, ManualClock
from tests.support.fakes.trace_writer import claims as no_claims


def message(body: str) -> Message:
    return Message(body, {"kind": "inline", "trace_id": "0" * 32})


def stored(*bodies: str, queue: str = "offpath-traces") -> InMemoryBucket:
    bucket = InMemoryBucket()
    for number, body in enumerate(bodies):
        bucket.put(f"spill/{queue}/{number:04}.json", spilled.dump(message(body)))
    return bucket


def never() -> bool:
    return False


def test_a_replay_queues_what_the_snapshot_saved() -> None:
    bucket, queue, fresh = InMemoryBucket(), InMemoryQueue(), InMemoryQueue()
    for start in range(0, 25, 5):
        queue.send([message(f"body {number}") for number in range(start, start + 5)])
    assert save_snapshot(bucket, queue, never) == Snapshot(25, 0)
    assert queue.bodies == []
    assert replay(bucket, no_claims(), "offpath-traces", fresh) == Replay(25, {})
    assert sorted(fresh.bodies) == sorted(f"body {number}" for number in range(25))
    assert fresh.receive(1, 0)[0]["MessageAttributes"]["kind"]["StringValue"] == "inline"
    assert bucket.objects == {}


def test_a_saved_message_is_named_by_its_id() -> None:
    bucket, queue = InMemoryBucket(), InMemoryQueue(name="offpath-traces-dlq")
    queue.send([message("poison")])
    save_snapshot(bucket, queue, never)
    assert json.loads(bucket.objects["spill/offpath-traces-dlq/1.json"]) == {
        "schema": "spill/1",
        "attributes": {"kind": "inline", "trace_id": "0" * 32},
        "body": "poison",
    }


def test_a_message_in_flight_is_waited_for() -> None:
    bucket, clock = InMemoryBucket(), ManualClock()
    queue = InMemoryQueue(visibility_seconds=30, now=clock.now)
    queue.send([message("in flight")])
    queue.receive(1, 0)

    def time_passes() -> bool:
        clock.advance(30)
        return False

    assert save_snapshot(bucket, queue, time_passes) == Snapshot(1, 0)


def test_what_stays_in_flight_is_counted() -> None:
    queue = InMemoryQueue()
    queue.send([message("in flight")])
    queue.receive(1, 0)
    assert save_snapshot(InMemoryBucket(), queue, lambda: True) == Snapshot(0, 1)


def test_only_the_queues_own_messages_are_replayed() -> None:
    bucket, queue = stored("dead", queue="offpath-traces-dlq"), InMemoryQueue()
    assert replay(bucket, no_claims(), "offpath-traces", queue).queued == 0
    assert len(bucket.objects) == 1


def test_an_unreadable_object_stays_and_is_named() -> None:
    bucket, queue = stored("a"), InMemoryQueue()
    bucket.objects["spill/offpath-traces/broken.json"] = b"<html>"
    replayed = replay(bucket, no_claims(), "offpath-traces", queue)
    assert replayed.queued == 1
    assert "not a spilled message" in replayed.left["spill/offpath-traces/broken.json"]
    assert list(bucket.objects) == ["spill/offpath-traces/broken.json"]


def test_a_message_of_a_newer_schema_stays_and_is_named() -> None:
    bucket, queue = stored("a"), InMemoryQueue()
    bucket.put("spill/offpath-traces/newer.json", b'{"schema": "spill/2", "body": "b", "attributes": {}}')
    replayed = replay(bucket, no_claims(), "offpath-traces", queue)
    assert replayed.queued == 1
    assert "spill/2" in replayed.left["spill/offpath-traces/newer.json"]
    assert list(bucket.objects) == ["spill/offpath-traces/newer.json"]


@pytest.mark.parametrize("dead_letter", [{}, {"error": "Rejected", "reason": "HTTP 400"}])
def test_a_too_large_message_is_queued_as_a_claim_check(dead_letter: dict[str, str]) -> None:
    event = TraceEvent("ab" * 16, "offpath/iris", "x" * SQS_MAX_BYTES)
    large = Message(event.body, {**inline_message(event).attributes, **dead_letter})
    bucket, claims, queue = stored("a"), no_claims(), InMemoryQueue()
    bucket.objects["spill/offpath-traces/large.json"] = spilled.dump(large)

    assert replay(bucket, claims, "offpath-traces", queue) == Replay(2, {})

    check = queue.messages[1]
    assert check.size < 1000
    assert decode_message(check, claims) == event
    assert check.attributes.items() >= dead_letter.items()
    assert bucket.objects == {}


@pytest.mark.parametrize(
    ("too_large", "reason"),
    [
        (message("x" * SQS_MAX_BYTES), "no attribute 'schema'"),
        (inline_message(TraceEvent("ab" * 16, "x" * SQS_MAX_BYTES, "")), "SQS takes messages of 1,048,576 bytes"),
    ],
    ids=["no event", "large attributes"],
)
def test_a_message_without_possible_claim_check_stays_and_is_named(too_large: Message, reason: str) -> None:
    bucket = stored("a")
    bucket.objects["spill/offpath-traces/large.json"] = spilled.dump(too_large)
    replayed = replay(bucket, no_claims(), "offpath-traces", InMemoryQueue())
    assert replayed.queued == 1
    assert reason in replayed.left["spill/offpath-traces/large.json"]
    assert list(bucket.objects) == ["spill/offpath-traces/large.json"]


def test_what_the_queue_refuses_stays() -> None:
    bucket, queue = stored("a", "b"), InMemoryQueue()
    queue.refused.add("b")
    replayed = replay(bucket, no_claims(), "offpath-traces", queue)
    assert replayed == Replay(1, {"spill/offpath-traces/0001.json": "SQS refused it"})
    assert list(bucket.objects) == ["spill/offpath-traces/0001.json"]


@pytest.mark.parametrize(("size", "batches"), [(100, [10, 10, 5]), (300_000, [3, 3, 3, 3, 3, 3, 3, 3, 1])])
def test_batches_are_no_larger_than_sqs_takes(size: int, batches: list[int]) -> None:
    queue = InMemoryQueue()
    replay(stored(*["x" * size] * 25), no_claims(), "offpath-traces", queue)
    assert queue.sizes == batches
