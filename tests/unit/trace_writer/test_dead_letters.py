"""Poison leaves the queue with its reason; what MLflow was only not there for stays."""

from dataclasses import replace

import pytest

from offpath.contracts.errors import MalformedEvent, OffpathError, Transient
from offpath.contracts.message import Message
from offpath.testing import InMemoryQueue
from tests.support.builders.trace_events import batch_of, inline_message, prediction_event
from tests.support.fakes.trace_writer import Bench, down
from trace_writer.dead_letters import DeadLetters
from trace_writer.decode import Received
from trace_writer.writer import TraceWriter

POISON = Message("not json", inline_message(prediction_event()).attributes)


def received(message: Message, receives: int) -> Received:
    return Received("1", message, receives)


def writer_of(bench: Bench, queue: InMemoryQueue) -> TraceWriter:
    return TraceWriter(bench.claims, bench.archive, bench.delivery, DeadLetters(queue, max_receives=5))


def test_poison_is_moved_with_its_reason_after_five_receives() -> None:
    queue, bench = InMemoryQueue(), Bench()
    writer = writer_of(bench, queue)
    assert [len(writer.write([received(POISON, count)], bench.deadline).failures) for count in (1, 2, 3, 4)] == [1] * 4
    assert queue.messages == []

    written = writer.write([received(POISON, 5)], bench.deadline)

    assert written.failures == []
    assert [type(dead.error) for dead in written.dead_lettered] == [MalformedEvent]
    [letter] = queue.messages
    assert letter.body == "not json"
    assert letter.attributes["error"] == "MalformedEvent"
    assert "not JSON" in letter.attributes["reason"]
    assert letter.attributes.items() >= POISON.attributes.items()


def test_a_good_message_outlasts_any_outage_of_mlflow() -> None:
    queue, bench = InMemoryQueue(), Bench(down)
    [message] = batch_of({"1": inline_message(prediction_event())})
    written = writer_of(bench, queue).write([replace(message, receives=999)], bench.deadline)
    assert [failure.message_id for failure in written.failures] == ["1"]
    assert queue.messages == []


def test_poison_that_the_dead_letter_queue_does_not_take_stays() -> None:
    queue, bench = InMemoryQueue(), Bench()
    queue.fail_next()
    writer = writer_of(bench, queue)
    assert len(writer.write([received(POISON, 5)], bench.deadline).failures) == 1
    queue.refused = {"not json"}
    assert len(writer.write([received(POISON, 6)], bench.deadline).failures) == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [(MalformedEvent("é\x00" * 600), "??" * 250), (MalformedEvent(""), "?"), (Transient("later"), None)],
)
def test_the_reason_is_text_that_sqs_takes(error: OffpathError, reason: str | None) -> None:
    queue = InMemoryQueue()
    DeadLetters(queue, 1).take(received(POISON, 1), error)
    assert [letter.attributes["reason"] for letter in queue.messages] == ([reason] if reason else [])
