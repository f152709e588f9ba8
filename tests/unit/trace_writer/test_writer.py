"""Every message of a batch ends in archive and MLflow, or is reported."""

import json

from offpath.errors import ClaimLost, MalformedEvent, Rejected, Transient
from offpath.event import Message
from tests.support.trace_events import batch_of, claimed, inline, nested_event, prediction_event
from tests.support.trace_writer_fakes import Bench, down


def test_a_batch_reaches_the_archive_in_one_object_and_mlflow_in_one_request_an_experiment() -> None:
    bench = Bench()
    iris, abalone, late = prediction_event(), prediction_event("offpath/abalone"), prediction_event()
    batch = batch_of({"1": inline(iris), "2": inline(abalone), "3": inline(late)})

    written = bench.writer.write(batch, bench.deadline)

    assert (written.received, written.failures, written.archive_key) == (3, [], "archive/1")
    assert bench.archive.batches == [[iris.body, abalone.body, late.body]]
    assert bench.tracker.requests == [{iris.trace_id, late.trace_id}, {abalone.trace_id}]
    assert bench.tracker.traces["offpath/abalone"] == {abalone.trace_id}


def test_messages_that_can_never_be_delivered_stop_no_other() -> None:
    bench = Bench()
    good, large, nested = prediction_event(), prediction_event(), nested_event(120)
    lost = claimed(prediction_event(), bench.claims)
    bench.claims.contents.clear()
    messages = {
        "not-json": Message("not json", inline(good).attributes),
        "good": inline(good),
        "lost": lost,
        "empty": Message("{}", inline(good).attributes),
        "nested": inline(nested),
        "large": claimed(large, bench.claims),
    }

    written = bench.writer.write(batch_of(messages), bench.deadline)

    assert [(failure.message_id, type(failure.error)) for failure in written.failures] == [
        ("not-json", MalformedEvent),
        ("lost", ClaimLost),
        ("empty", MalformedEvent),
        ("nested", Rejected),
    ]
    assert written.failures[0].trace_id == good.trace_id
    assert bench.tracker.stored == {good.trace_id, large.trace_id}
    assert bench.archive.lines == [good.body, json.dumps(json.loads(nested.body)), large.body]


def test_when_the_archive_is_down_nothing_goes_to_mlflow_and_all_is_reported() -> None:
    bench = Bench()
    bench.archive.down = True
    poison = Message("not json", {})

    written = bench.writer.write(batch_of({"1": inline(prediction_event()), "2": poison}), bench.deadline)

    assert [(failure.message_id, type(failure.error)) for failure in written.failures] == [
        ("1", Transient),
        ("2", MalformedEvent),
    ]
    assert (bench.tracker.requests, written.archive_key) == ([], None)


def test_when_the_claim_store_is_down_only_its_messages_are_reported() -> None:
    bench = Bench()
    small, large = prediction_event(), prediction_event()
    batch = batch_of({"small": inline(small), "large": claimed(large, bench.claims)})
    bench.claims.down = True

    written = bench.writer.write(batch, bench.deadline)

    assert [failure.message_id for failure in written.failures] == ["large"]
    assert bench.tracker.stored == {small.trace_id}


def test_when_mlflow_is_down_everything_is_archived_and_reported() -> None:
    bench = Bench(trouble=down)
    event = prediction_event()

    written = bench.writer.write(batch_of({"1": inline(event)}), bench.deadline)

    assert [(failure.message_id, str(failure.error)) for failure in written.failures] == [("1", "connection refused")]
    assert bench.archive.lines == [event.body]


def test_a_batch_of_nothing_but_poison_writes_no_object() -> None:
    bench = Bench()

    written = bench.writer.write(batch_of({"1": Message("", {})}), bench.deadline)

    assert (bench.archive.batches, written.archive_key, len(written.failures)) == ([], None, 1)


def test_the_same_trace_twice_in_a_batch_is_delivered_for_both_messages() -> None:
    bench = Bench()
    event = prediction_event()

    written = bench.writer.write(batch_of({"1": inline(event), "2": inline(event)}), bench.deadline)

    assert written.failures == []
    assert bench.tracker.requests == [{event.trace_id}]
