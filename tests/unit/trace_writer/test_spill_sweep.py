"""What could not be queued comes back by itself, and leaves S3 only when it is where it belongs."""

import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offpath.contracts import spilled
from offpath.contracts.errors import Rejected, Transient
from offpath.contracts.message import Message
from offpath.contracts.trace_event import TraceEvent
from offpath.testing import InMemoryBucket, InMemoryQueue
from tests.support.builders.trace_events import claimed, inline_message, prediction_event
from tests.support.fakes.trace_writer import Bench, down
from tests.unit.trace_writer.test_log_parts import large_message
from trace_writer.dead_letters import DeadLetters
from trace_writer.log_parts import keep_parts
from trace_writer.spill_listing import SpillListing
from trace_writer.spill_sweep import SpillSweep, Swept
from trace_writer.tracker import TrackerUnavailable
from trace_writer.writer import TraceWriter, Written

QUEUE = "offpath-traces"


class Setup:
    """A sweep over fakes, and a bucket in which events were spilled."""

    def __init__(self, bench: Bench | None = None) -> None:
        self.bench = bench or Bench()
        self.bucket, self.dead = self.bench.large_bodies, InMemoryQueue("dead")
        letters = DeadLetters(self.dead, self.bucket, 1)
        self.writer = TraceWriter(self.bench.claims, self.bench.archive, self.bench.delivery, letters)
        self.written: list[Written] = []
        self.chance = Random(3)

    def spill(self, message: Message) -> str:
        key = spilled.key(QUEUE, message)
        self.bucket.put(key, spilled.dump(message))
        return key

    def sweep(self, now: datetime | None = None) -> Swept:
        return self.made(now).run(self.bench.clock.now() + 60, self.written.append)

    def made(
        self, now: datetime | None = None, bucket: InMemoryBucket | None = None, *, has_time: bool = True
    ) -> SpillSweep:
        bucket = bucket or self.bucket
        listing = SpillListing(bucket, QUEUE, self.chance)
        return SpillSweep(listing, bucket, self.writer, lambda: now or datetime.now(UTC), lambda _: has_time)

    @property
    def left(self) -> list[str]:
        """Keys of what waits; a mark of what is written does not."""
        return [key for key in self.bucket.objects if key.startswith("spill/") and not key.endswith("/done")]


def test_spilled_events_are_archived_delivered_and_then_deleted() -> None:
    setup = Setup()
    events = [prediction_event() for _ in range(5)]
    for event in events:
        setup.spill(inline_message(event))
    large = prediction_event()
    setup.spill(claimed(large, setup.bench.claims))

    swept = setup.sweep()

    assert (swept.found, swept.written, swept.left, setup.left) == (6, 6, {}, [])
    assert sorted(setup.bench.archive.lines) == sorted(event.body for event in [*events, large])
    assert setup.bench.tracker.stored == {event.trace_id for event in [*events, large]}


def test_an_event_too_large_for_sqs_comes_back_too() -> None:
    setup, event = Setup(), prediction_event(attributes={"text": "é" * 3_000_000})
    setup.spill(inline_message(event))
    assert setup.sweep().written == 1
    assert setup.bench.tracker.stored == {event.trace_id}


@pytest.mark.parametrize("trouble", ["mlflow", "archive"])
def test_nothing_is_deleted_before_it_is_written(trouble: str) -> None:
    setup = Setup(Bench(down if trouble == "mlflow" else None))
    setup.bench.archive.down = trouble == "archive"
    keys = {setup.spill(inline_message(prediction_event())) for _ in range(3)}

    swept = setup.sweep()

    assert (set(setup.left), set(swept.left), swept.written) == (keys, keys, 0)


def test_an_outage_archives_spilled_events_once() -> None:
    outage = [True]

    def trouble(experiment: str, trace_ids: set[str]) -> None:
        if outage:
            raise TrackerUnavailable("HTTP 503")

    setup, event = Setup(Bench(trouble)), prediction_event()
    setup.spill(inline_message(event))
    for _ in range(5):
        setup.sweep()
        setup.bench.clock.advance(300)
    outage.clear()
    assert setup.sweep().written == 1
    assert setup.bench.archive.lines == [event.body]


def test_an_outage_ends_the_sweep_after_a_part() -> None:
    setup = Setup(Bench(down))
    for _ in range(250):
        setup.spill(inline_message(prediction_event()))
    swept = setup.sweep()
    assert (swept.found, len(setup.written), len(setup.left)) == (250, 1, 250)


def test_other_queues_are_left_alone() -> None:
    setup = Setup()
    setup.bucket.put("spill/offpath-traces-dlq/x.json", spilled.dump(inline_message(prediction_event())))
    assert setup.sweep() == Swept()
    assert setup.left == ["spill/offpath-traces-dlq/x.json"]


def test_poison_in_the_spill_is_dead_lettered_as_it_came() -> None:
    setup = Setup()
    setup.bucket.put(f"spill/{QUEUE}/odd.json", b"odd")
    setup.spill(Message("not json", inline_message(prediction_event()).attributes))
    good = prediction_event()
    setup.spill(inline_message(good))

    swept = setup.sweep()

    assert (swept.written, setup.left) == (3, [])
    assert sorted(setup.dead.bodies) == ["not json", "odd"]
    assert len([key for key in setup.bucket.objects if key.startswith("dead-letters/")]) == 2
    assert setup.bench.tracker.stored == {good.trace_id}


def test_a_refused_spilled_event_is_dead_lettered_by_verdicts() -> None:
    bad = prediction_event()

    def trouble(experiment: str, trace_ids: set[str]) -> None:
        if bad.trace_id in trace_ids:
            raise Rejected("HTTP 400")

    setup = Setup(Bench(trouble))
    setup.spill(inline_message(bad))
    setup.sweep()
    assert (setup.left, setup.dead.bodies) == ([], [bad.body])


def test_a_newer_versions_event_stays_for_a_newer_writer() -> None:
    setup = Setup()
    setup.bucket.put(f"spill/{QUEUE}/newer.json", b'{"schema": "spill/2"}')
    newer = setup.spill(inline_message(prediction_event(), schema="otlp-json/2"))
    swept = setup.sweep()
    assert set(swept.left) == set(setup.left) == {f"spill/{QUEUE}/newer.json", newer}
    assert setup.dead.bodies == []


def test_parts_of_the_log_are_joined_when_all_are_there() -> None:
    setup, message = Setup(), large_message()
    lines = list(spilled.to_log(message))
    keep_parts(lines[1:], setup.bucket)
    first = setup.sweep()
    assert (first.found, first.written, first.incomplete) == (len(lines) - 1, 0, 1)
    assert len(setup.left) == len(lines) - 1

    keep_parts(lines[:1], setup.bucket)
    second = setup.sweep()

    assert (second.written, second.incomplete, setup.left) == (1, 0, [])
    assert setup.bench.archive.lines == [message.body]


class Deletes(InMemoryBucket):
    """A bucket that stops answering after so many deletions."""

    left = 1

    def delete(self, key: str) -> None:
        self.left -= 1
        self.down = self.left < 0
        super().delete(key)


def test_parts_left_by_a_failed_deletion_go_later() -> None:
    setup, message = Setup(), large_message()
    keep_parts(spilled.to_log(message), setup.bucket)
    failing = Deletes(objects=setup.bucket.objects)
    with pytest.raises(Transient):
        setup.made(bucket=failing).run(setup.bench.clock.now() + 60, setup.written.append)
    setup.bucket.objects = failing.objects
    assert setup.left

    assert setup.sweep() == Swept()
    assert (setup.left, setup.bench.archive.lines) == ([], [message.body])


@settings(max_examples=15)
@given(again=st.lists(st.integers(0, 9), min_size=1, max_size=10))
def test_parts_that_come_again_are_passed_over(again: list[int]) -> None:
    setup, message = Setup(), large_message()
    lines = list(spilled.to_log(message))
    keep_parts(lines, setup.bucket)
    assert setup.sweep().written == 1

    keep_parts([lines[number % len(lines)] for number in again], setup.bucket)

    assert setup.sweep() == Swept()
    assert (setup.left, setup.bench.archive.lines) == ([], [message.body])


def test_marks_of_written_events_go_after_a_week() -> None:
    setup = Setup()
    keep_parts(spilled.to_log(large_message()), setup.bucket)
    setup.sweep()
    for days, marks in ((6, 1), (8, 0)):
        setup.sweep(datetime.now(UTC) + timedelta(days=days))
        assert len([key for key in setup.bucket.objects if key.startswith("spill/")]) == marks


@pytest.mark.parametrize("way", ["queue", "log"])
def test_events_that_cannot_be_written_hold_up_no_others(way: str) -> None:
    def trouble(experiment: str, trace_ids: set[str]) -> None:
        if experiment == "stuck":
            raise TrackerUnavailable("HTTP 503")

    setup = Setup(Bench(trouble))
    for number in range(260):
        message = inline_message(prediction_event("good" if number < 10 else "stuck"))
        if way == "queue":
            setup.spill(message)
        else:
            keep_parts(spilled.to_log(message), setup.bucket)

    for _ in range(100):
        setup.sweep()
        setup.bench.clock.advance(300)

    assert (len(setup.left), len(setup.bench.tracker.stored)) == (250, 10)


def test_damaged_parts_are_dead_lettered() -> None:
    setup = Setup()
    line = json.dumps({spilled.LOG_MARK: "m", "level": "ERROR", "part": 1, "parts": 1, "gzip": "bm90IGd6aXA="})
    keep_parts([line], setup.bucket)
    assert setup.sweep().written == 1
    [body] = setup.dead.bodies
    assert (json.loads(body)["gzip"], setup.left) == ("bm90IGd6aXA=", [])


def test_age_of_the_oldest_is_told_whatever_its_key() -> None:
    setup = Setup()
    keys = [setup.spill(inline_message(prediction_event())) for _ in range(3)]
    now = datetime.now(UTC)
    setup.bucket.modified |= {keys[1]: now - timedelta(hours=2)}
    assert round(setup.sweep(now).oldest_seconds) == 7200


def test_an_object_that_another_sweep_took_is_no_matter() -> None:
    setup = Setup()
    setup.spill(inline_message(prediction_event()))

    class Raced(InMemoryBucket):
        """A bucket whose objects go between listing and reading."""

        def get(self, key: str, max_bytes: int | None = None) -> bytes:
            self.objects.pop(key, None)
            return super().get(key, max_bytes)

    raced = Raced(objects=setup.bucket.objects)
    swept = setup.made(bucket=raced).run(setup.bench.clock.now() + 60, setup.written.append)
    assert (swept.found, swept.written, swept.left) == (1, 0, {})


def test_without_time_everything_is_left() -> None:
    setup = Setup()
    keys = {setup.spill(inline_message(prediction_event())) for _ in range(3)}
    assert set(setup.made(has_time=False).run(0, setup.written.append).left) == keys
    assert set(setup.left) == keys


def test_a_sweep_without_s3_fails() -> None:
    setup = Setup()
    setup.bucket.down = True
    with pytest.raises(Transient):
        setup.sweep()


@given(sizes=st.lists(st.integers(1, 40), max_size=30))
def test_every_spilled_event_is_written_once(sizes: list[int]) -> None:
    setup = Setup()
    events: list[TraceEvent] = [prediction_event(attributes={"text": "x" * size * 100}) for size in sizes]
    for event in events:
        setup.spill(inline_message(event))
    swept = setup.sweep()
    assert (swept.found, swept.written, setup.left) == (len(events), len(events), [])
    assert sorted(setup.bench.archive.lines) == sorted(event.body for event in events)
    assert setup.sweep() == Swept()
