import json

import pytest

from local.stack import queue_snapshot
from offpath.aws.sqs import SQS_MAX_BYTES
from offpath.contracts import spilled
from offpath.contracts.message import Message
from offpath.contracts.trace_event import TraceEvent, decode_message, inline_message
from offpath.testing import InMemoryQueue
from tests.support.local_fakes import FakeFiles, FakeQueue
from tests.support.trace_writer_fakes import claims as no_claims


def message(body: str) -> Message:
    return Message(body, {"kind": "inline", "trace_id": "0" * 32})


def stored(*bodies: str, queue: str = "offpath-traces") -> FakeFiles:
    return FakeFiles(
        {f"spill/{queue}/{number:04}.json": spilled.dump(message(body)) for number, body in enumerate(bodies)}
    )


def never() -> bool:
    return False


def test_what_is_on_the_queue_is_saved_and_restored_as_it_was() -> None:
    files, queue, fresh = FakeFiles(), FakeQueue(), FakeQueue()
    queue.send([message(f"body {number}") for number in range(25)])
    assert queue_snapshot.save(files, queue, never) == (25, 0)
    assert queue.bodies() == []
    assert queue_snapshot.restore(files, no_claims(), "offpath-traces", fresh) == queue_snapshot.Restored(25, {})
    assert sorted(fresh.bodies()) == sorted(f"body {number}" for number in range(25))
    assert fresh.receive(1, 0)[0]["MessageAttributes"]["kind"]["StringValue"] == "inline"
    assert files.content == {}


def test_a_saved_message_is_a_readable_object_named_by_its_id() -> None:
    files, queue = FakeFiles(), FakeQueue(name="offpath-traces-dlq")
    queue.send([message("poison")])
    queue_snapshot.save(files, queue, never)
    assert json.loads(files.content["spill/offpath-traces-dlq/1.json"]) == {
        "schema": "spill/1",
        "attributes": {"kind": "inline", "trace_id": "0" * 32},
        "body": "poison",
    }


def test_a_message_in_flight_is_waited_for() -> None:
    files, queue = FakeFiles(), FakeQueue(visibility_seconds=30)
    queue.send([message("in flight")])
    queue.receive(1, 0)

    def time_passes() -> bool:
        queue.now += 30
        return False

    assert queue_snapshot.save(files, queue, time_passes) == (1, 0)


def test_what_stays_in_flight_is_counted() -> None:
    queue = FakeQueue()
    queue.send([message("in flight")])
    queue.receive(1, 0)
    assert queue_snapshot.save(FakeFiles(), queue, lambda: True) == (0, 1)


def test_only_the_queues_own_messages_are_restored_to_it() -> None:
    files, queue = stored("dead", queue="offpath-traces-dlq"), FakeQueue()
    assert queue_snapshot.restore(files, no_claims(), "offpath-traces", queue).queued == 0
    assert len(files.content) == 1


def test_an_object_that_is_no_message_stays_and_is_named() -> None:
    files, queue = stored("a"), FakeQueue()
    files.content["spill/offpath-traces/broken.json"] = b"<html>"
    restored = queue_snapshot.restore(files, no_claims(), "offpath-traces", queue)
    assert restored.queued == 1
    assert "not a spilled message" in restored.left["spill/offpath-traces/broken.json"]
    assert list(files.content) == ["spill/offpath-traces/broken.json"]


@pytest.mark.parametrize("dead_letter", [{}, {"error": "Rejected", "reason": "HTTP 400"}])
def test_a_message_that_is_too_large_for_sqs_is_queued_as_a_claim_check(dead_letter: dict[str, str]) -> None:
    event = TraceEvent("ab" * 16, "offpath/iris", "x" * SQS_MAX_BYTES)
    large = Message(event.body, {**inline_message(event).attributes, **dead_letter})
    files, claims, queue = stored("a"), no_claims(), InMemoryQueue()
    files.content["spill/offpath-traces/large.json"] = spilled.dump(large)

    assert queue_snapshot.restore(files, claims, "offpath-traces", queue) == queue_snapshot.Restored(2, {})

    check = queue.messages[1]
    assert check.size < 1000
    assert decode_message(check, claims) == event
    assert check.attributes.items() >= dead_letter.items()
    assert files.content == {}


@pytest.mark.parametrize(
    ("too_large", "reason"),
    [
        (message("x" * SQS_MAX_BYTES), "no attribute 'schema'"),
        (inline_message(TraceEvent("ab" * 16, "x" * SQS_MAX_BYTES, "")), "SQS takes messages of 1,048,576 bytes"),
    ],
    ids=["no event", "large attributes"],
)
def test_a_large_message_that_no_claim_check_can_stand_for_stays_and_is_named(too_large: Message, reason: str) -> None:
    files = stored("a")
    files.content["spill/offpath-traces/large.json"] = spilled.dump(too_large)
    restored = queue_snapshot.restore(files, no_claims(), "offpath-traces", FakeQueue())
    assert restored.queued == 1
    assert reason in restored.left["spill/offpath-traces/large.json"]
    assert list(files.content) == ["spill/offpath-traces/large.json"]


def test_what_the_queue_refuses_stays() -> None:
    class Refusing(FakeQueue):
        def send(self, messages: object) -> list[Message]:
            return [one for one in messages if one.body == "b"]  # type: ignore[attr-defined]

    files = stored("a", "b")
    restored = queue_snapshot.restore(files, no_claims(), "offpath-traces", Refusing())
    assert restored == queue_snapshot.Restored(1, {"spill/offpath-traces/0001.json": "SQS refused it"})
    assert list(files.content) == ["spill/offpath-traces/0001.json"]


@pytest.mark.parametrize(("size", "batches"), [(100, [10, 10, 5]), (300_000, [3, 3, 3, 3, 3, 3, 3, 3, 1])])
def test_no_more_is_sent_at_once_than_sqs_takes(size: int, batches: list[int]) -> None:
    sent: list[int] = []

    class Counting(FakeQueue):
        def send(self, messages: object) -> list[Message]:
            sent.append(len(messages))  # type: ignore[arg-type]
            return []

    queue_snapshot.restore(stored(*["x" * size] * 25), no_claims(), "offpath-traces", Counting())
    assert sent == batches
