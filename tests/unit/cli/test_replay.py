"""Events are delivered again, each of them once, and an interrupted replay goes on where it was."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath.aws.s3 import S3Claims
from offpath.contracts import dead_letter, spilled
from offpath.contracts.errors import Rejected, Transient
from offpath.contracts.message import Message, TypedAttribute
from offpath.contracts.receipt import Receipt
from offpath.contracts.replayed import as_replayed, is_replayed
from offpath.contracts.trace_event import TraceEvent, decode_message
from offpath.testing import InMemoryBucket, InMemoryQueue, ManualClock
from offpath_cli.audit.moments import moment
from offpath_cli.event_facts import event_facts
from offpath_cli.replay.archive_source import ArchiveSource, hours
from offpath_cli.replay.event import Period, ReplayEvent, Selection
from offpath_cli.replay.mlflow_target import MlflowTarget
from offpath_cli.replay.numbers import SeenNumbers
from offpath_cli.replay.other_sources import MessageSource
from offpath_cli.replay.queue_target import QueueTarget
from offpath_cli.replay.report import Report
from offpath_cli.replay.run import Rate, Replay
from tests.support.builders.trace_events import claimed, inline_message, prediction_event
from tests.support.fakes.trace_writer import NOON, Bench
from tests.unit.trace_writer.test_dead_letters import take
from trace_writer.decode import Received
from trace_writer.tracker import TrackerUnavailable

HOUR = timedelta(hours=1)


def numbered(sequence: int, model: str = "iris", outcome: str = "", instance: str = "a" * 32) -> TraceEvent:
    """An event with a number, as the API emits it."""
    said: dict[str, Any] = {"offpath.instance": instance, "offpath.sequence": sequence, "mlflow.traceTag.model": model}
    said["offpath.experiment"] = f"offpath/{model}"
    return prediction_event(f"offpath/{model}", said | ({"mlflow.traceTag.outcome": outcome} if outcome else {}))


def archive(bucket: InMemoryBucket, at: datetime, events: Sequence[TraceEvent], name: str = "a") -> None:
    """Put an object into the archive."""
    key = f"{at:archive/v1/date=%Y-%m-%d/hour=%H}/{name}.jsonl.gz"
    bucket.objects[key] = gzip.compress("\n".join(event.body for event in events).encode())


class Taken:
    """A target that takes events; trouble: raised at that batch."""

    most_events, most_bytes = 3, 1_000_000

    def __init__(self, trouble_at: int | None = None) -> None:
        self.trace_ids: list[str] = []
        self.batches = 0
        self.trouble_at = trouble_at

    def deliver(self, events: Sequence[ReplayEvent]) -> dict[int, str]:
        self.batches += 1
        if self.batches == self.trouble_at:
            raise Transient("away")
        self.trace_ids += [event.trace_id for event in events]
        return {}

    def close(self) -> None:
        return


def replayed(
    bucket: InMemoryBucket,
    since: datetime,
    until: datetime,
    target: Any = None,
    selection: Selection | None = None,
    *,
    report: Report | None = None,
) -> Report:
    report, selection = report or Report(), selection or Selection()
    source = ArchiveSource(bucket, since, until, report)
    Replay(selection, target, Rate(0, ManualClock()), report, lambda: None).run(source.events())
    return report


def test_each_archived_event_is_delivered_once() -> None:
    bucket, target = InMemoryBucket(), Taken()
    events = [numbered(number) for number in range(1, 6)]
    archive(bucket, NOON, events[:4])
    archive(bucket, NOON, events[2:], name="b")
    archive(bucket, NOON + HOUR, events, name="again")
    report = replayed(bucket, NOON, NOON + 2 * HOUR, target)
    assert sorted(target.trace_ids) == sorted(event.trace_id for event in events)
    assert (report.read, report.again, report.chosen, report.delivered, report.left) == (12, 7, 5, 5, {})


def test_events_without_a_number_are_all_delivered() -> None:
    bucket, target, event = InMemoryBucket(), Taken(), prediction_event()
    archive(bucket, NOON, [event, event])
    assert replayed(bucket, NOON, NOON + HOUR, target).delivered == 2


def test_only_the_hours_of_the_period_are_read() -> None:
    bucket = InMemoryBucket()
    for hour in range(4):
        archive(bucket, NOON + hour * HOUR, [numbered(hour + 1)])
    assert replayed(bucket, NOON + HOUR, NOON + 2 * HOUR).chosen == 2
    exact = NOON.replace(minute=0)
    assert list(hours(exact, exact + HOUR)) == [exact]
    assert list(hours(NOON, NOON + HOUR)) == [exact, exact + HOUR]


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(), {1, 2, 3}),
        (Selection(model="abalone"), {2}),
        (Selection(outcome="answered"), {1, 2}),
        (Selection(outcome="failed"), {3}),
        (Selection(outcome="refused", model="iris"), set()),
    ],
)
def test_events_are_chosen_by_model_and_outcome(selection: Selection, wanted: set[int]) -> None:
    bucket, target = InMemoryBucket(), Taken()
    events = {1: numbered(1), 2: numbered(2, "abalone"), 3: numbered(3, outcome="failed")}
    archive(bucket, NOON, list(events.values()))
    replayed(bucket, NOON, NOON + HOUR, target, selection)
    assert set(target.trace_ids) == {events[number].trace_id for number in wanted}
    one = Selection(trace_ids=frozenset({events[2].trace_id}))
    assert replayed(bucket, NOON, NOON + HOUR, selection=one).chosen == 1


def test_a_damaged_object_or_line_costs_no_other() -> None:
    bucket, target = InMemoryBucket(), Taken()
    archive(bucket, NOON, [numbered(1), TraceEvent("", "", "not json")], name="a")
    archive(bucket, NOON, [numbered(2)], name="b")
    whole = bucket.objects["archive/v1/date=2031-07-14/hour=12/b.jsonl.gz"]
    for name, content in {"c": whole[:-9], "d": b"not gzip", "e": whole[:20] + b"x" * 9 + whole[29:]}.items():
        bucket.objects[f"archive/v1/date=2031-07-14/hour=12/{name}.jsonl.gz"] = content
    archive(bucket, NOON, [numbered(3)], name="f")
    report = replayed(bucket, NOON, NOON + HOUR, target)
    assert report.delivered == 3
    assert {name[-10:-9] for name in report.left} == {"a", "c", "d", "e"}


@given(
    sizes=st.lists(st.integers(0, 9), min_size=1, max_size=6),
    trouble_at=st.integers(1, 12),
    odd=st.integers(1, 5),
)
def test_an_interrupted_replay_goes_on_where_it_was(sizes: list[int], trouble_at: int, odd: int) -> None:
    bucket, number = InMemoryBucket(), 0
    for hour, size in enumerate(sizes):
        events = []
        for _ in range(size):
            number += 1
            events.append(numbered(number, "other" if number % odd else "iris"))
        archive(bucket, NOON + hour * HOUR, events)
    until, selection = NOON + len(sizes) * HOUR, Selection(model="iris")
    whole, target, report = Taken(), Taken(trouble_at), Report()
    replayed(bucket, NOON, until, whole, selection)

    try:
        replayed(bucket, NOON, until, target, selection, report=report)
    except Transient:
        replayed(bucket, moment(report.place, NOON, "--since"), until, target, selection)

    assert set(target.trace_ids) == set(whole.trace_ids)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40_000)), max_size=60))
def test_seen_numbers_are_a_set(numbers: list[tuple[str, int]]) -> None:
    seen, known = SeenNumbers(), set[tuple[str, int]]()
    for number in numbers:
        assert seen.is_new(number) is (number not in known)
        known.add(number)


def test_seen_numbers_take_bounded_memory() -> None:
    seen = SeenNumbers(most_pages=3)
    assert all(seen.is_new(("a", 2**40 * number)) for number in range(100))
    assert len(seen._pages) == 3
    assert not seen.is_new(("a", 2**40 * 99))


def test_a_rate_is_held_on_the_average() -> None:
    clock = ManualClock()
    rate, begun = Rate(20, clock), clock.now()
    assert (rate.batch(100), Rate(0, clock).batch(100), Rate(0.1, clock).batch(100)) == (20, 100, 1)
    for _ in range(6):
        rate.wait(20)
    assert clock.now() - begun == pytest.approx(5)


class Kept:
    """Receipts in a list."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []

    def store(self, receipts: Sequence[Receipt]) -> None:
        self.receipts += receipts


def given_events(*events: TraceEvent) -> list[ReplayEvent]:
    return [ReplayEvent(one.body, "k", "p", one.trace_id, one.experiment, event_facts(one.body)) for one in events]


def test_mlflow_gets_what_it_takes_and_the_rest_is_named() -> None:
    good, bad = prediction_event(), prediction_event()

    def trouble(experiment: str, trace_ids: set[str]) -> None:
        if bad.trace_id in trace_ids:
            raise Rejected("HTTP 400")

    bench = Bench(trouble)
    kept = Kept()
    target = MlflowTarget(bench.delivery, bench.claims, kept, bench.clock)
    nameless, malformed = replace(good, experiment=""), replace(good, body="{}")
    left = target.deliver(given_events(good, bad, nameless, malformed))
    assert bench.tracker.stored == {good.trace_id}
    assert left.keys() == {1, 2, 3}
    assert "--experiment" in left[2]
    assert [(one.end, one.event.trace_id) for one in kept.receipts] == [("in_mlflow", good.trace_id)]


def test_mlflow_is_waited_for_and_then_given_up() -> None:
    answers = iter([True] * 8)

    def trouble(experiment: str, trace_ids: set[str]) -> None:
        if next(answers, False):
            raise TrackerUnavailable("connection refused")

    bench, event = Bench(trouble), prediction_event()
    assert MlflowTarget(bench.delivery, bench.claims, Kept(), bench.clock).deliver(given_events(event)) == {}
    assert bench.tracker.stored == {event.trace_id}
    answers = iter([True] * 1_000_000)
    begun = bench.clock.now()
    with pytest.raises(Transient, match="connection refused"):
        MlflowTarget(bench.delivery, bench.claims, Kept(), bench.clock, patience_seconds=120).deliver(
            given_events(event)
        )
    assert bench.clock.now() - begun < 300


def test_an_archived_event_is_not_archived_again() -> None:
    queue, bench = InMemoryQueue(), Bench()
    large = prediction_event(attributes={"mlflow.spanInputs": json.dumps("x" * 1_000_000)})
    done: list[ReplayEvent] = []
    target = QueueTarget(producer=queue, claims=bench.claims, clock=bench.clock, is_archived=True, done=done.append)
    events = given_events(prediction_event(), large)
    assert target.deliver(events) == {}

    batch = [Received(str(index), message) for index, message in enumerate(queue.messages)]
    assert bench.writer.write(batch, bench.deadline).failures == []
    assert bench.archive.lines == []
    assert bench.tracker.stored == {event.trace_id for event in events}
    assert done == events


def test_the_mark_of_a_replayed_message_is_the_projects_own() -> None:
    message = inline_message(prediction_event())
    assert is_replayed(as_replayed(message))
    assert decode_message(as_replayed(message), Bench().claims) == decode_message(message, Bench().claims)
    assert not is_replayed(message)
    assert not is_replayed(Message(message.body, {**message.attributes, "replayed": "archive"}))
    number = {"replayed": TypedAttribute("Number", "1")}
    assert not is_replayed(Message(message.body, message.attributes, number))


def test_what_sqs_does_not_take_is_sent_again() -> None:
    queue, clock, claims = InMemoryQueue(), ManualClock(), S3Claims(InMemoryBucket())
    target = QueueTarget(producer=queue, claims=claims, clock=clock, is_archived=False, done=lambda event: None)
    queue.fail_next(3)
    first, second = prediction_event(), prediction_event()
    assert target.deliver(given_events(first)) == {}
    queue.refused = {second.body}
    with pytest.raises(Transient, match="does not take 1"):
        target.deliver(given_events(first, second))
    assert queue.bodies == [first.body, first.body]


def test_spilled_logged_and_dead_events_are_read() -> None:
    bucket, report = InMemoryBucket(), Report()
    source = MessageSource(bucket, report)
    events = [prediction_event() for _ in range(3)]
    messages = [claimed(events[0], S3Claims(bucket)), *map(inline_message, events[1:])]
    for message in messages:
        bucket.put(spilled.key("offpath-traces", message), spilled.dump(message))
    bucket.put("spill/offpath-traces/odd.json", b"odd")
    bucket.put("spill/other/odd.json", b"odd")
    assert {one.trace_id for one in source.spilled("offpath-traces")} == {event.trace_id for event in events}
    assert list(report.left) == ["spill/offpath-traces/odd.json"]

    lines = ["START", *(line for message in messages for line in spilled.to_log(message)), '{"offpath_spill": 1}']
    assert [one.trace_id for one in source.log("the log", lines)] == [event.trace_id for event in events]
    assert "the log" in report.left

    assert take(messages[1], Rejected("HTTP 400"), InMemoryQueue(), bucket)
    [key] = [key for key in bucket.objects if key.startswith("dead-letters/")]
    [letter] = source.letters([key, "dead-letters/gone.json"])
    assert (letter.trace_id, letter.experiment) == (events[1].trace_id, "offpath/iris")
    assert dead_letter.load(bucket.objects[key]).is_open


def test_a_period_holds_its_beginning_and_what_has_no_time() -> None:
    period = Period(NOON, NOON + HOUR)
    assert [period.holds(time) for time in (NOON, NOON + HOUR, NOON - HOUR, None)] == [True, False, False, True]


_NAMES = st.sampled_from(["resourceSpans", "scopeSpans", "spans", "attributes", "key", "value", "startTimeUnixNano"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(_NAMES, inner),
)


@given(_JSON)
def test_any_json_says_something_or_nothing(document: object) -> None:
    assert event_facts(json.dumps(document)).outcome


def test_an_event_says_what_it_is_chosen_by() -> None:
    event = numbered(7, "abalone", "refused")
    facts = event_facts(event.body)
    assert (facts.trace_id, facts.experiment, facts.model) == (event.trace_id, "offpath/abalone", "abalone")
    assert (facts.outcome, facts.number) == ("refused", ("a" * 32, 7))
    assert facts.started_at is not None
    assert facts.started_at <= datetime.now(UTC)
