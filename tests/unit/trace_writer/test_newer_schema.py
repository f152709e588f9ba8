"""A message of a newer schema costs itself alone: it stays on the queue, and nothing else is held up by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath.contracts.errors import Transient, UnknownSchema
from offpath.contracts.message import Message
from offpath.testing import InMemoryQueue
from tests.support.builders.trace_events import claimed, inline_message, prediction_event
from tests.support.fakes.trace_writer import Bench, down
from trace_writer.dead_letters import DeadLetters
from trace_writer.decode import Received
from trace_writer.writer import TraceWriter, Written

MAX_RECEIVES = 5
EVENTS = [prediction_event(experiment) for experiment in ("offpath/iris", "offpath/abalone") * 6]
KINDS = ("good", "claimed", "poison", "lost", "newer", "newer claimed")
BATCHES = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 1_000)), max_size=len(EVENTS))


@dataclass(frozen=True)
class Outcome:
    """The outcome of a batch. dead_letters: bodies."""

    written: Written
    bench: Bench
    dead_letters: Sequence[str]

    @property
    def failed(self) -> set[str]:
        return {failure.message_id for failure in self.written.failures}

    @property
    def dead_lettered(self) -> set[str]:
        return {failure.message_id for failure in self.written.dead_lettered}


def message_of(kind: str, number: int, bench: Bench) -> Message:
    event = EVENTS[number]
    match kind:
        case "good":
            return inline_message(event)
        case "claimed":
            return claimed(event, bench.claims)
        case "poison":
            return Message("not json", inline_message(event).attributes)
        case "lost":
            return Message('{"bucket":"b","key":"claims/x","sha256":"0","bytes":1}', {**claimed_attributes(number)})
        case "newer":
            return inline_message(event, schema="otlp-json/2", encoding="zstd")
        case _:
            return Message("a claim of another form", {**claimed_attributes(number), "schema": "otlp-arrow/1"})


def claimed_attributes(number: int) -> dict[str, str]:
    return {**inline_message(EVENTS[number]).attributes, "kind": "claimed"}


def write(batch: Sequence[tuple[str, int]], bench: Bench) -> Outcome:
    """Write a batch of these kinds, each received so often; a message's id is its number."""
    queue = InMemoryQueue()
    writer = TraceWriter(
        bench.claims, bench.archive, bench.delivery, DeadLetters(queue, bench.large_bodies, MAX_RECEIVES)
    )
    messages = [
        Received(str(number), message_of(kind, number, bench), receives)
        for number, (kind, receives) in enumerate(batch)
    ]
    written = writer.write(messages, bench.deadline)
    return Outcome(written, bench, [letter.body for letter in queue.messages])


def ids(batch: Sequence[tuple[str, int]], *kinds: str, often: bool | None = None) -> set[str]:
    """The ids of the messages of these kinds. often: only those that were received often enough, or not."""
    return {
        str(number)
        for number, (kind, receives) in enumerate(batch)
        if kind in kinds and often in {None, receives >= MAX_RECEIVES}
    }


@given(batch=BATCHES)
def test_newer_messages_stay_and_disturb_no_other(batch: list[tuple[str, int]]) -> None:
    outcome = write(batch, Bench())
    assert outcome.failed == ids(batch, "newer", "newer claimed") | ids(batch, "poison", "lost", often=False)
    assert outcome.dead_lettered == ids(batch, "poison", "lost", often=True)
    good = [EVENTS[int(number)] for number in sorted(ids(batch, "good", "claimed"), key=int)]
    assert sorted(outcome.bench.archive.lines) == sorted(event.body for event in good)
    assert outcome.bench.tracker.stored == {event.trace_id for event in good}


@given(batch=BATCHES)
def test_newer_messages_are_never_dead_lettered(batch: list[tuple[str, int]]) -> None:
    outcome = write([(kind, 1_000) for kind, _ in batch], Bench())
    kept = {failure.message_id: failure.error for failure in outcome.written.failures}
    assert kept.keys() == ids(batch, "newer", "newer claimed")
    assert all(isinstance(error, UnknownSchema) for error in kept.values())
    assert len(outcome.dead_letters) == len(ids(batch, "poison", "lost"))


@given(batch=BATCHES)
def test_an_outage_of_mlflow_keeps_good_and_newer_messages(batch: list[tuple[str, int]]) -> None:
    outcome = write(batch, Bench(down))
    assert outcome.failed == ids(batch, "good", "claimed", "newer", "newer claimed") | ids(
        batch, "poison", "lost", often=False
    )
    archived = [EVENTS[int(number)].body for number in ids(batch, "good", "claimed")]
    assert sorted(outcome.bench.archive.lines) == sorted(archived)


def test_a_newer_message_is_no_reason_to_archive_again() -> None:
    bench = Bench()
    newer = Received("1", message_of("newer", 0, bench), 1)
    writer = TraceWriter(bench.claims, bench.archive, bench.delivery)
    for receives in range(1, 20):
        written = writer.write([replace(newer, receives=receives)], bench.deadline)
        assert [failure.message_id for failure in written.failures] == ["1"]
        assert written.archive_keys == []
    assert bench.tracker.requests == []


@pytest.mark.parametrize("schema", ["otlp-json/2", "otlp-json/1 ", "", "OTLP-JSON/1"])
def test_reason_names_the_schema_and_those_that_are_read(schema: str) -> None:
    bench = Bench()
    message = inline_message(EVENTS[0], schema=schema)
    [failure] = TraceWriter(bench.claims, bench.archive, bench.delivery).write([Received("1", message)], 0).failures
    assert isinstance(failure.error, UnknownSchema)
    assert not isinstance(failure.error, Transient)
    assert str(failure.error) == (
        f"a trace event of the schema {schema!r} is not known here; this version reads 'otlp-json/1': "
        "deploy a newer one"
    )
