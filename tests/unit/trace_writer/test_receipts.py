"""How an event ended is on record before its message leaves the queue."""

import gzip
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath.contracts import receipt
from offpath.contracts.errors import Rejected, Transient
from offpath.contracts.event_summary import EventSummary
from offpath.contracts.message import Message
from offpath.contracts.receipt import DEAD_LETTERED, IN_MLFLOW, Receipt
from offpath.contracts.trace_event import TraceEvent
from offpath.testing import InMemoryBucket, InMemoryQueue
from tests.support.builders.trace_events import batch_of, claimed, inline_message, prediction_event
from tests.support.fakes.trace_writer import NOON, Bench, down
from trace_writer.archive import BucketArchive
from trace_writer.dead_letters import DeadLetters
from trace_writer.limits import Limits
from trace_writer.tracker import TrackerUnavailable
from trace_writer.writer import TraceWriter

INSTANCE = "ab" * 16


def event(sequence: int) -> TraceEvent:
    return prediction_event(attributes={"offpath.instance": INSTANCE, "offpath.sequence": sequence})


def ends(receipts: Sequence[Receipt]) -> set[tuple[str, int]]:
    return {(one.end, one.event.sequence) for one in receipts}


def test_what_mlflow_took_has_a_receipt_and_nothing_else() -> None:
    events = [event(number) for number in (1, 2, 3)]

    def trouble(experiment: str, trace_ids: set[str]) -> None:
        if events[1].trace_id in trace_ids:
            raise TrackerUnavailable("HTTP 503")

    bench = Bench(trouble, max_post_bytes=1)
    messages = {str(number): inline_message(one) for number, one in enumerate(events, 1)}
    bench.writer.write(batch_of({**messages, "odd": Message("odd", {})}), bench.deadline)

    assert ends(bench.archive.receipts) == {(IN_MLFLOW, 1), (IN_MLFLOW, 3)}
    [first] = [one.event for one in bench.archive.receipts if one.event.sequence == 1]
    assert (first.instance, first.trace_id, first.model) == (INSTANCE, events[0].trace_id, "iris")


def test_a_dead_letter_has_a_receipt_once_it_has_moved() -> None:
    bad, large = event(1), event(2)

    def trouble(experiment: str, trace_ids: set[str]) -> None:
        if bad.trace_id in trace_ids:
            raise Rejected("HTTP 400")

    bench = Bench(trouble)
    letters = DeadLetters(InMemoryQueue(), bench.large_bodies, max_verdicts=2)
    writer = TraceWriter(bench.claims, bench.archive, bench.delivery, letters)
    lost = claimed(event(3), bench.claims)
    bench.large_bodies.objects.clear()
    messages = {"bad": inline_message(bad), "large": inline_message(large), "lost": lost, "odd": Message("odd", {})}

    writer.write(batch_of(messages), bench.deadline)
    assert ends(bench.archive.receipts) == {(IN_MLFLOW, 2)}
    bench.archive.receipts.clear()
    del messages["large"]
    writer.write(batch_of(messages, receives=2), bench.deadline)

    assert ends(bench.archive.receipts) == {(DEAD_LETTERED, 1), (DEAD_LETTERED, 0)}
    told = {one.event.trace_id for one in bench.archive.receipts}
    assert told == {bad.trace_id, lost.attributes["trace_id"], ""}


def test_without_a_receipt_a_message_stays_and_is_archived_once() -> None:
    bench = Bench()
    bench.archive.takes_no_receipts = True
    messages = {"1": inline_message(event(1)), "2": inline_message(event(2))}

    written = bench.writer.write(batch_of(messages), bench.deadline)
    assert {failure.message_id for failure in written.failures} == {"1", "2"}
    assert all(isinstance(failure.error, Transient) for failure in written.failures)

    bench.archive.takes_no_receipts = False
    assert bench.writer.write(batch_of(messages, receives=2), bench.deadline).failures == []
    assert len(bench.archive.lines) == 2
    assert ends(bench.archive.receipts) == {(IN_MLFLOW, 1), (IN_MLFLOW, 2)}


def test_a_dead_letter_leaves_the_queue_without_a_receipt_too() -> None:
    bench, queue = Bench(), InMemoryQueue()
    bench.archive.takes_no_receipts = True
    writer = TraceWriter(bench.claims, bench.archive, bench.delivery, DeadLetters(queue, bench.large_bodies, 1))
    written = writer.write(batch_of({"odd": Message("odd", {}), "1": inline_message(event(1))}), bench.deadline)
    assert [failure.message_id for failure in written.failures] == ["1"]
    assert queue.bodies == ["odd"]
    assert [key.split("/")[0] for key in bench.large_bodies.objects] == ["dead-letters"]


def test_batch_in_many_parts_leaves_one_object() -> None:
    bench, bucket = Bench(), InMemoryBucket()
    archive = BucketArchive(bucket, lambda: NOON)
    writer = TraceWriter(bench.claims, archive, bench.delivery, limits=Limits(part_bytes=1))
    writer.write(batch_of({str(number): inline_message(event(number)) for number in range(1, 6)}), bench.deadline)
    [key] = [key for key in bucket.objects if key.startswith("receipts/v1/date=2031-07-14/hour=12/")]
    lines = gzip.decompress(bucket.objects[key]).splitlines()
    assert [receipt.load(line).event.sequence for line in lines] == [1, 2, 3, 4, 5]
    assert len([key for key in bucket.objects if key.startswith("archive/")]) == 5


def test_the_same_receipts_are_the_same_object() -> None:
    bucket = InMemoryBucket()
    kept = [Receipt(IN_MLFLOW, EventSummary(INSTANCE, 1, ended_at=NOON))]
    BucketArchive(bucket, lambda: NOON).record(kept)
    BucketArchive(bucket, lambda: NOON + timedelta(minutes=40)).record(kept)
    assert len(bucket.objects) == 1


@pytest.mark.parametrize("refusal", [down, None])
def test_note_of_what_waits_names_the_events(refusal: object) -> None:
    bench, bucket = Bench(down if refusal else None), InMemoryBucket()
    bucket_archive = BucketArchive(bucket, lambda: NOON)
    writer = TraceWriter(bench.claims, bucket_archive, bench.delivery)
    writer.write(batch_of({"1": inline_message(event(7)), "2": inline_message(prediction_event())}), bench.deadline)
    notes = [content for key, content in bucket.objects.items() if key.startswith("waiting/")]
    assert len(notes) == (1 if refusal else 0)
    assert all(f'"events": [["{INSTANCE}", 7]]'.encode() in note for note in notes)


@given(takes=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=6), count=st.integers(1, 4))
def test_whatever_leaves_the_queue_has_a_receipt(takes: list[tuple[bool, bool]], count: int) -> None:
    """Draw, for each delivery, whether MLflow answers and whether S3 takes receipts."""
    answers = [True]

    def trouble(experiment: str, trace_ids: set[str]) -> None:
        if not answers[0]:
            raise TrackerUnavailable("HTTP 503", retry_after=1000)

    bench = Bench(trouble)
    queue = {str(number): inline_message(event(number)) for number in range(1, count + 1)}
    for receives, (mlflow, s3) in enumerate([*takes, (True, True)], 1):
        answers[0], bench.archive.takes_no_receipts = mlflow, not s3
        bench.clock.advance(2_000)
        failed = bench.writer.write(batch_of(queue, receives), bench.clock.now() + 60).failures
        queue = {failure.message_id: queue[failure.message_id] for failure in failed}
        receipted = {str(one.event.sequence) for one in bench.archive.receipts}
        assert receipted | queue.keys() == {str(number) for number in range(1, count + 1)}
    assert not queue
    assert len(bench.archive.lines) == count
