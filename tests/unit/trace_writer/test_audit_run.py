"""An audit reads the ledger in S3, and looks further for what is not explained yet."""

import gzip
import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from offpath.aws.s3 import S3Claims
from offpath.contracts import dead_letter, receipt, spilled
from offpath.contracts.dead_letter import DeadLetter
from offpath.contracts.errors import Transient, UnknownSchema
from offpath.contracts.event_summary import EventSummary, summarise_event
from offpath.contracts.names import archive_hour_prefix, dead_letter_key, receipts_hour_prefix
from offpath.contracts.receipt import Receipt
from offpath.contracts.trace_event import TraceEvent
from offpath.testing import InMemoryBucket
from tests.support.builders.trace_events import claimed, inline_message
from trace_writer.audit.findings import Findings, Kind
from trace_writer.audit.ledger import Ledger
from trace_writer.audit.period import Period
from trace_writer.audit.run import Audit
from trace_writer.decode import Received
from trace_writer.waiting import WaitingNotes

NOON = datetime(2031, 7, 14, 12, 0, tzinfo=UTC)
OLD = "ab" * 16


class World:
    """A bucket as the writer leaves it, and a process that emits events, one a minute, number 0 at noon."""

    def __init__(self, instance: str = OLD, first_minute: int = 0) -> None:
        self.bucket = InMemoryBucket()
        self.instance = instance
        self.first_minute = first_minute

    def event(self, number: int, model: str = "iris") -> TraceEvent:
        told = {
            "offpath.instance": {"stringValue": self.instance},
            "offpath.sequence": {"intValue": str(number)},
            "offpath.experiment": {"stringValue": f"offpath/{model}"},
            "offpath.model": {"stringValue": model},
        }
        span = {
            "traceId": f"{number:032x}",
            "spanId": f"{number:016x}",
            "endTimeUnixNano": str(int(self.time(number).timestamp()) * 10**9),
            "attributes": [{"key": key, "value": value} for key, value in told.items()],
        }
        body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
        return TraceEvent(f"{number:032x}", f"offpath/{model}", body)

    def time(self, number: int) -> datetime:
        return NOON + timedelta(minutes=number + self.first_minute)

    def summary(self, number: int) -> EventSummary:
        return summarise_event(self.event(number).body.encode())

    def archive(self, numbers: Iterable[int], at: datetime | None = None) -> str:
        lines = [self.event(number).body.encode() for number in numbers]
        return self._put(archive_hour_prefix, lines, at or self.time(max(numbers)))

    def receipts(self, numbers: Iterable[int], at: datetime | None = None, end: str = "in_mlflow") -> str:
        lines = [receipt.dump(Receipt(end, self.summary(number))) for number in numbers]
        return self._put(receipts_hour_prefix, lines, at or self.time(max(numbers)))

    def both(self, *numbers: int) -> None:
        for number in numbers:
            self.archive([number])
            self.receipts([number])

    def audit(self, hours: float = 3, until: datetime | None = None) -> Findings:
        now = NOON + timedelta(hours=hours)
        period = Period(NOON, until or NOON + timedelta(hours=1), now)
        return Audit(Ledger(self.bucket), period, lambda _: None).run()

    def _put(self, prefix: object, lines: list[bytes], at: datetime) -> str:
        assert callable(prefix)
        key = f"{prefix(at)}{uuid.uuid4().hex}.jsonl.gz"
        self.bucket.put(key, gzip.compress(b"\n".join(lines) + b"\n"))
        self.bucket.modified[key] = at
        return key


def missing(found: Findings) -> list[tuple[Kind, int, int]]:
    return [(one.kind, one.first, one.last) for one in found.missing]


@pytest.fixture
def world() -> World:
    made = World()
    made.receipts([1], NOON - timedelta(hours=9), end="expired")  # receipts have been kept for a while
    made.bucket.objects |= {key: gzip.compress(b"") for key in made.bucket.objects}
    return made


def test_all_is_well_when_each_event_has_its_receipt(world: World) -> None:
    world.both(*range(1, 50))
    found = world.audit()
    assert (found.missing, found.processes, found.unreadable) == ([], 1, [])
    assert (found.models["iris"].archived, dict(found.models["iris"].ends)) == (49, {"in_mlflow": 49})


def test_an_archive_object_that_is_gone_is_named(world: World) -> None:
    world.both(1, 2, 6)
    world.receipts([3, 4, 5])
    key = world.archive([3, 4, 5])
    assert world.audit().missing == []
    del world.bucket.objects[key]
    found = world.audit()
    [gone] = found.missing
    assert (gone.kind, gone.instance, gone.first, gone.last) == (Kind.not_archived, OLD, 3, 5)
    assert set(gone.trace_ids) == {world.event(number).trace_id for number in (3, 4, 5)}
    assert found.models["iris"].missing == 3


def test_a_number_that_is_nowhere_is_lost(world: World) -> None:
    world.both(1, 2, 5)
    assert missing(world.audit()) == [(Kind.lost, 3, 4)]


@pytest.mark.parametrize("late", [timedelta(hours=5), timedelta(days=13)])
def test_what_ends_late_is_looked_for_until_now(world: World, late: timedelta) -> None:
    world.both(1, 2, 4)
    world.archive([3])
    world.receipts([3], at=world.time(3) + late)
    assert missing(world.audit(hours=4)) == [(Kind.no_end, 3, 3)]
    assert missing(world.audit(hours=24 * 14)) == []


def test_what_is_archived_late_is_looked_for_until_now(world: World) -> None:
    world.both(1, 3)
    for put in (world.archive, world.receipts):
        put([2], NOON + timedelta(hours=30))
    assert missing(world.audit(hours=4)) == [(Kind.lost, 2, 2)]
    assert missing(world.audit(hours=40)) == []


def test_numbers_before_the_period_are_found_in_earlier_receipts() -> None:
    world = World(first_minute=-1000)
    for put in (world.archive, world.receipts):
        put([400])
        put([1003])
    assert missing(world.audit()) == [(Kind.lost, 401, 1002)]
    world.receipts(range(401, 1003), NOON - timedelta(hours=1))
    assert missing(world.audit()) == [(Kind.not_archived, 1000, 1002)]


def test_a_process_whose_clock_is_ahead_misses_nothing(world: World) -> None:
    for number in range(1, 30):
        for put in (world.archive, world.receipts):
            put([number], world.time(number) - timedelta(hours=2))
    world.both(30)
    assert world.audit().missing == []


def test_numbers_from_before_receipts_are_found_in_the_archive() -> None:
    world = World(first_minute=-1000)
    world.archive([900])
    world.both(1003)
    assert missing(world.audit()) == [(Kind.lost, 901, 1002)]


def test_what_waits_on_the_queue_is_not_missing(world: World) -> None:
    world.both(1, 4)
    world.archive([2, 3])
    messages = [Received(f"m{number}", inline_message(world.event(number)), 2, world.time(number)) for number in (2, 3)]
    WaitingNotes(world.bucket).note(messages, {f"m{number}": world.summary(number) for number in (2, 3)})
    world.bucket.put("waiting/minute=2031-07-14T12-03/old.json", b'{"schema": "waiting/1", "message_ids": ["x"]}')
    found = world.audit()
    assert (missing(found), found.models["iris"].waiting) == ([], 2)


@pytest.mark.parametrize("form", ["inline", "claimed", "log"])
def test_what_waits_under_spill_is_not_lost(world: World, form: str) -> None:
    world.both(1, 3)
    event = world.event(2)
    message = claimed(event, S3Claims(world.bucket)) if form == "claimed" else inline_message(event)
    if form == "log":
        for part in map(spilled.log_part, spilled.to_log(message)):
            assert part is not None
            world.bucket.put(f"spill/parts/{part.mark}/{part.part:05d}-of-{part.parts:05d}.json", part.line.encode())
    else:
        world.bucket.put(spilled.key("q", message), spilled.dump(message))
    found = world.audit()
    assert (missing(found), found.models["iris"].spilled, found.spilled) == ([], 1, 1)


def test_parts_of_an_event_that_is_written_do_not_wait(world: World) -> None:
    world.both(1, 3)
    for part in map(spilled.log_part, spilled.to_log(inline_message(world.event(2)))):
        assert part is not None
        world.bucket.put(f"spill/parts/{part.mark}/{part.part:05d}-of-{part.parts:05d}.json", part.line.encode())
        world.bucket.put(f"spill/parts/{part.mark}/done", b"")
    found = world.audit()
    assert (missing(found), found.spilled) == ([(Kind.lost, 2, 2)], 0)


@pytest.mark.parametrize("is_claimed", [False, True])
def test_a_dead_letter_without_a_receipt_is_not_missing(world: World, is_claimed: bool) -> None:
    world.both(1, 3)
    message, claim_key = inline_message(world.event(2)), None
    if is_claimed:
        claim_key = "dead-letters/date=2031-07-14/m2.claim.json"
        world.bucket.put(claim_key, world.event(2).body.encode())
        message = claimed(world.event(2), S3Claims(InMemoryBucket()))
    letter = DeadLetter("m2", message, "Rejected", "why", 5, NOON, claim_key)
    world.bucket.put(dead_letter_key(world.time(2), "m2"), dead_letter.dump(letter))
    found = world.audit()
    assert (missing(found), found.models["iris"].ends["dead_lettered"]) == ([], 1)


def test_a_dead_letter_that_was_put_back_is_no_end(world: World) -> None:
    world.both(1, 3)
    world.archive([2])
    world.receipts([2], end="dead_lettered")
    letter = DeadLetter("m2", inline_message(world.event(2)), "Rejected", "HTTP 400", 5, world.time(3))
    key, redriven = dead_letter_key(world.time(2), "m2"), NOON + timedelta(hours=2)
    world.bucket.put(key, dead_letter.dump(letter))
    assert missing(world.audit()) == []

    world.bucket.put(key, dead_letter.redriven(world.bucket.objects[key], redriven))
    assert missing(world.audit(hours=2.1)) == []  # it may be on its way
    assert missing(world.audit()) == [(Kind.no_end, 2, 2)]

    world.bucket.put(dead_letter_key(redriven, "m2-again"), dead_letter.dump(letter))
    assert missing(world.audit()) == []
    world.receipts([2], redriven)
    assert +world.audit().models["iris"].ends == {"in_mlflow": 3}


def test_what_was_archived_before_receipts_is_unrecorded() -> None:
    world = World()
    world.archive([1, 2, 3])
    assert (world.audit().missing, world.audit().models["iris"].unrecorded) == ([], 3)
    for number in (20, 21):
        world.both(number)
    world.archive([4, *range(5, 20), 30])
    found = world.audit()
    assert missing(found) == [(Kind.lost, 22, 29), (Kind.no_end, 4, 19), (Kind.no_end, 30, 30)]
    assert found.models["iris"].unrecorded == 3


@pytest.mark.parametrize("prefix", [archive_hour_prefix, receipts_hour_prefix])
def test_an_object_that_cannot_be_read_is_told(world: World, prefix: object) -> None:
    assert callable(prefix)
    world.bucket.put(f"{prefix(NOON)}odd.jsonl.gz", b"odd")
    world.bucket.put(f"{receipts_hour_prefix(NOON)}odder.jsonl.gz", gzip.compress(b"odd\n"))
    unreadable = world.audit().unreadable
    assert any("odd.jsonl.gz" in text for text in unreadable)
    assert any("not a receipt: b'odd'" in text for text in unreadable)


def test_a_receipt_of_a_newer_version_stops_the_audit(world: World) -> None:
    world.bucket.put(f"{receipts_hour_prefix(NOON)}n.jsonl.gz", gzip.compress(b'{"schema": "receipt/2", "end": "x"}\n'))
    with pytest.raises(UnknownSchema):
        world.audit()


def test_without_s3_there_is_no_answer(world: World) -> None:
    world.bucket.down = True
    with pytest.raises(Transient):
        world.audit()


def test_progress_and_everything_read_is_told(world: World) -> None:
    world.archive(range(1, 41))
    world.receipts(range(1, 41))
    told: list[str] = []
    events: list[bytes] = []
    period = Period(NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=3))
    run = partial(Audit, Ledger(world.bucket), period, told.append)
    audit = run(on_event=lambda event: events.append(event.line))
    audit.run()
    assert [audit.end_of(world.summary(number)) for number in (40, 41)] == ["in_mlflow", None]
    assert audit.end_of(EventSummary("cd" * 16, 1)) is None
    assert len(events) == 40
    assert {json.loads(line)["resourceSpans"] is not None for line in events} == {True}
    assert "what could not be queued" in told
