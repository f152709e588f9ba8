"""Every message of a batch ends in archive and MLflow, or is reported."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath.contracts.errors import ClaimLost, MalformedEvent, Rejected, Transient
from offpath.contracts.message import Message
from offpath.contracts.trace_event import TraceEvent
from offpath.testing import InMemoryQueue
from tests.support.builders.trace_events import batch_of, claimed, inline_message, nested_event, prediction_event
from tests.support.fakes.trace_writer import Bench, down
from trace_writer.dead_letters import DeadLetters
from trace_writer.limits import Limits
from trace_writer.tracker import TrackerUnavailable
from trace_writer.writer import Rules, TraceWriter


def refusing(event: TraceEvent) -> Callable[[str, set[str]], None]:
    """An MLflow that refuses every request with this trace."""

    def trouble(experiment: str, trace_ids: set[str]) -> None:
        if event.trace_id in trace_ids:
            raise Rejected("HTTP 400")

    return trouble


def test_batch_is_one_object_and_one_request_per_experiment() -> None:
    bench = Bench()
    iris, abalone, late = prediction_event(), prediction_event("offpath/abalone"), prediction_event()
    batch = batch_of({"1": inline_message(iris), "2": inline_message(abalone), "3": inline_message(late)})

    written = bench.writer.write(batch, bench.deadline)

    assert (written.received, written.failures, written.archive_keys) == (3, [], ["archive/1"])
    assert bench.archive.batches == [[iris.body, abalone.body, late.body]]
    assert bench.tracker.requests == [{iris.trace_id, late.trace_id}, {abalone.trace_id}]
    assert bench.tracker.traces["offpath/abalone"] == {abalone.trace_id}


def test_messages_that_can_never_be_delivered_stop_no_other() -> None:
    good, large, bad = prediction_event(), prediction_event(), prediction_event()
    bench = Bench(refusing(bad))
    lost = claimed(prediction_event(), bench.claims)
    bench.large_bodies.objects.clear()
    messages = {
        "not-json": Message("not json", inline_message(good).attributes),
        "good": inline_message(good),
        "lost": lost,
        "empty": Message("{}", inline_message(good).attributes),
        "bad": inline_message(bad),
        "large": claimed(large, bench.claims),
    }

    written = bench.writer.write(batch_of(messages), bench.deadline)

    assert [(failure.message_id, type(failure.error)) for failure in written.failures] == [
        ("not-json", MalformedEvent),
        ("lost", ClaimLost),
        ("empty", MalformedEvent),
        ("bad", Rejected),
    ]
    assert written.failures[0].trace_id == good.trace_id
    assert bench.tracker.stored == {good.trace_id, large.trace_id}
    assert bench.archive.lines == [good.body, bad.body, large.body]


def test_odd_values_are_delivered_and_told() -> None:
    good, odd = prediction_event(), nested_event(120)
    bench = Bench()

    written = bench.writer.write(batch_of({"1": inline_message(good), "2": inline_message(odd)}), bench.deadline)

    assert (written.failures, bench.tracker.stored) == ([], {good.trace_id, odd.trace_id})
    assert [(changed.message_id, changed.trace_id, len(changed.changes)) for changed in written.changed] == [
        ("2", odd.trace_id, 1)
    ]
    assert bench.archive.lines == [good.body, odd.body]


def test_odd_values_are_not_told_before_they_are_delivered() -> None:
    bench = Bench(down)
    written = bench.writer.write(batch_of({"1": inline_message(nested_event(120))}), bench.deadline)
    assert (len(written.failures), written.changed) == (1, [])


def test_nothing_goes_to_mlflow_while_the_archive_is_down() -> None:
    bench = Bench()
    bench.archive.down = True
    poison = Message("not json", {})

    written = bench.writer.write(batch_of({"1": inline_message(prediction_event()), "2": poison}), bench.deadline)

    assert [(failure.message_id, type(failure.error)) for failure in written.failures] == [
        ("1", Transient),
        ("2", MalformedEvent),
    ]
    assert (bench.tracker.requests, written.archive_keys) == ([], [])


def test_claim_store_outage_costs_only_claimed_messages() -> None:
    bench = Bench()
    small, large = prediction_event(), prediction_event()
    batch = batch_of({"small": inline_message(small), "large": claimed(large, bench.claims)})
    bench.large_bodies.down = True

    written = bench.writer.write(batch, bench.deadline)

    assert [failure.message_id for failure in written.failures] == ["large"]
    assert bench.tracker.stored == {small.trace_id}


def test_when_mlflow_is_down_everything_is_archived_and_reported() -> None:
    bench = Bench(trouble=down)
    event = prediction_event()

    written = bench.writer.write(batch_of({"1": inline_message(event)}), bench.deadline)

    assert [(failure.message_id, str(failure.error)) for failure in written.failures] == [("1", "connection refused")]
    assert bench.archive.lines == [event.body]


def test_mlflow_outage_archives_each_event_once() -> None:
    bench = Bench(trouble=down)
    event = prediction_event()

    for receives in range(1, 20):
        written = bench.writer.write(batch_of({"1": inline_message(event)}, receives), bench.deadline)
        assert [failure.message_id for failure in written.failures] == ["1"]

    assert bench.archive.lines == [event.body]


@pytest.mark.parametrize("receives", [1, 2, 9])
def test_an_event_is_archived_once_through_an_outage(receives: int) -> None:
    outage = [True]

    def trouble(experiment: str, trace_ids: set[str]) -> None:
        if outage:
            raise TrackerUnavailable("HTTP 503")

    bench = Bench(trouble)
    events = [prediction_event() for _ in range(3)]
    messages = {str(number): inline_message(event) for number, event in enumerate(events)}
    bench.writer.write(batch_of(messages, receives), bench.deadline)
    outage.clear()
    bench.clock.advance(600)

    for number in range(3):  # they come back in other batches
        again = {str(number): messages[str(number)], f"new {number}": inline_message(prediction_event())}
        written = bench.writer.write(batch_of(again, receives + 1), bench.clock.now() + 60)
        assert written.failures == []

    assert [bench.archive.lines.count(event.body) for event in events] == [1, 1, 1]
    assert bench.tracker.stored >= {event.trace_id for event in events}


def test_redelivered_message_is_archived_before_mlflow_is_asked() -> None:
    new, again, bad, away = prediction_event(), prediction_event(), prediction_event(), prediction_event("away")

    def trouble(experiment: str, trace_ids: set[str]) -> None:
        assert bench.archive.lines == [new.body, again.body, bad.body, away.body]
        if experiment == "away":
            raise TrackerUnavailable("HTTP 503")
        refusing(bad)(experiment, trace_ids)

    bench = Bench(trouble)
    redelivered = batch_of(
        {"again": inline_message(again), "bad": inline_message(bad), "away": inline_message(away)}, receives=2
    )

    written = bench.writer.write(batch_of({"new": inline_message(new)}) + redelivered, bench.deadline)

    assert {failure.message_id for failure in written.failures} == {"bad", "away"}
    assert written.archive_keys == ["archive/1"]


@given(sizes=st.lists(st.integers(1, 60), min_size=1, max_size=12), lie=st.booleans())
def test_parts_hold_a_bounded_number_of_bytes(sizes: list[int], lie: bool) -> None:
    bench = Bench()
    unit = len(prediction_event().body)
    events = [prediction_event(attributes={"text": "x" * (size * unit // 10)}) for size in sizes]
    messages = {str(number): claimed(event, bench.claims) for number, event in enumerate(events)}
    if lie:
        messages = {key: Message(_lying(message.body), message.attributes) for key, message in messages.items()}
    writer = TraceWriter(bench.claims, bench.archive, bench.delivery, rules=Rules(limits=Limits(part_bytes=4 * unit)))

    written = writer.write(batch_of(messages), bench.deadline)

    assert (written.failures, bench.archive.lines) == ([], [event.body for event in events])
    largest = max(len(event.body) for event in events)
    assert all(sum(map(len, batch)) <= 4 * unit + largest for batch in bench.archive.batches)
    assert len(written.archive_keys) == len(bench.archive.batches)


def _lying(claim: str) -> str:
    """Return a claim that names a wrong size."""
    return json.dumps(json.loads(claim) | {"bytes": 1})


def test_parts_after_the_deadline_stay_on_the_queue() -> None:
    def slow(experiment: str, trace_ids: set[str]) -> None:
        bench.clock.advance(50)

    bench = Bench(slow)
    events = [prediction_event() for _ in range(4)]
    writer = TraceWriter(bench.claims, bench.archive, bench.delivery, rules=Rules(limits=Limits(part_bytes=1)))
    messages = {str(number): inline_message(event) for number, event in enumerate(events)}

    written = writer.write(batch_of(messages), bench.deadline)

    assert [failure.message_id for failure in written.failures] == ["2", "3"]
    assert bench.archive.lines == [event.body for event in events[:2]]


def test_a_failed_archive_ends_the_batch() -> None:
    bench = Bench()
    bench.archive.down = True
    writer = TraceWriter(bench.claims, bench.archive, bench.delivery, rules=Rules(limits=Limits(part_bytes=1)))
    messages = {str(number): inline_message(prediction_event()) for number in range(3)}

    written = writer.write(batch_of(messages), bench.deadline)

    assert [type(failure.error) for failure in written.failures] == [Transient] * 3
    assert bench.tracker.requests == []


def test_redelivered_message_stays_queued_until_archived() -> None:
    poison = prediction_event()
    queue, bench = InMemoryQueue(), Bench(refusing(poison))
    writer = TraceWriter(
        bench.claims, bench.archive, bench.delivery, DeadLetters(queue, bench.large_bodies, max_verdicts=2)
    )
    messages = {"good": inline_message(prediction_event()), "poison": inline_message(poison)}
    bench.archive.down = True

    written = writer.write(batch_of(messages, receives=9), bench.deadline)

    assert [(failure.message_id, type(failure.error)) for failure in written.failures] == [
        ("good", Transient),
        ("poison", Transient),
    ]
    assert (written.archive_keys, written.dead_lettered, queue.messages) == ([], [], [])


def test_failed_archive_of_new_events_holds_redelivered_ones() -> None:
    bench = Bench()
    bench.archive.down = True
    batch = batch_of({"new": inline_message(prediction_event())}) + batch_of(
        {"again": inline_message(prediction_event())}, receives=2
    )

    written = bench.writer.write(batch, bench.deadline)

    assert [failure.message_id for failure in written.failures] == ["new", "again"]
    assert bench.tracker.requests == []


def test_a_batch_of_nothing_but_poison_writes_no_object() -> None:
    bench = Bench()

    written = bench.writer.write(batch_of({"1": Message("", {})}), bench.deadline)

    assert (bench.archive.batches, written.archive_keys, len(written.failures)) == ([], [], 1)


def test_trace_twice_in_a_batch_settles_both_messages() -> None:
    bench = Bench()
    event = prediction_event()

    written = bench.writer.write(batch_of({"1": inline_message(event), "2": inline_message(event)}), bench.deadline)

    assert written.failures == []
    assert bench.tracker.requests == [{event.trace_id}]
