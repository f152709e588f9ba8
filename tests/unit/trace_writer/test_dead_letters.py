"""Poison leaves the queue with its reason; what MLflow was only not there for stays."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath.aws.sqs import SQS_MAX_BYTES
from offpath.contracts import dead_letter
from offpath.contracts.dead_letter import DeadLetter
from offpath.contracts.dead_letter_message import content_digest, original, received_message
from offpath.contracts.errors import MalformedEvent, OffpathError, Rejected, Transient, UnknownSchema
from offpath.contracts.message import Message, TypedAttribute
from offpath.retry import Backoff
from offpath.testing import InMemoryBucket, InMemoryQueue
from tests.support.builders.trace_events import batch_of, claimed, inline_message, prediction_event
from tests.support.fakes.trace_writer import NOON, Bench, down
from trace_writer.dead_letters import DeadLetters
from trace_writer.decode import Received
from trace_writer.delivery import Delivery
from trace_writer.tracker import TrackerUnavailable
from trace_writer.writer import TraceWriter

POISONED = MalformedEvent("no")
POISON = Message("not json", inline_message(prediction_event()).attributes)


def received(message: Message, receives: int) -> Received:
    return Received("1", message, receives)


def writer_of(bench: Bench, queue: InMemoryQueue) -> TraceWriter:
    return TraceWriter(
        bench.claims, bench.archive, bench.delivery, DeadLetters(queue, bench.large_bodies, max_verdicts=5)
    )


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
    DeadLetters(queue, InMemoryBucket(), 1).take(received(POISON, 1), error)
    assert [letter.attributes["reason"] for letter in queue.messages] == ([reason] if reason else [])


def kept(bucket: InMemoryBucket) -> list[DeadLetter]:
    """Return the copies of dead letters in the bucket."""
    return [
        dead_letter.load(content)
        for key, content in bucket.objects.items()
        if key.startswith("dead-letters/") and not key.endswith(".claim.json")
    ]


def take(message: Message, error: OffpathError, queue: InMemoryQueue, bucket: InMemoryBucket) -> bool:
    """Let a message be taken that was refused often enough."""
    return DeadLetters(queue, bucket, 1, lambda: NOON).take(received(message, 1), error)


def test_a_refusal_counts_and_a_receive_does_not() -> None:
    bad = prediction_event()
    refusals = iter([True, False, False, True, False, True])

    def trouble(experiment: str, trace_ids: set[str]) -> None:
        if bad.trace_id in trace_ids:
            raise Rejected("HTTP 400") if next(refusals) else TrackerUnavailable("HTTP 503")

    queue, bucket = InMemoryQueue(), InMemoryBucket()
    moved = []
    for receives in range(101, 107):
        bench = Bench(trouble)
        letters = DeadLetters(queue, bucket, max_verdicts=3)
        writer = TraceWriter(bench.claims, bench.archive, Once(bench), letters)
        moved.append(len(writer.write([received(inline_message(bad), receives)], bench.deadline).dead_lettered))

    assert moved == [0, 0, 0, 0, 0, 1]
    assert [letter.attributes["error"] for letter in queue.messages] == ["Rejected"]


class Once(Delivery):
    """A delivery that has no time for a second try."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench.tracker, bench.clock, 8_000_000, Backoff(first_seconds=3600.0))


def test_a_copy_with_the_whole_reason_is_kept_first() -> None:
    queue, bucket, reason = InMemoryQueue(), InMemoryBucket(), "é" * 2_000
    message = Message("body \ud800", {"kind": "inline", "trace_id": "a" * 32})
    sent = datetime(2031, 7, 13, 23, 59, tzinfo=UTC)
    letters = DeadLetters(queue, bucket, 1, lambda: NOON)
    queue.down = True

    assert not letters.take(Received("m/1", message, 7, sent), MalformedEvent(reason))

    assert list(bucket.objects) == ["dead-letters/date=2031-07-13/m-1.json"]
    assert kept(bucket) == [DeadLetter("m/1", message, "MalformedEvent", reason, 7, NOON)]


def test_a_letter_without_a_copy_stays_on_its_queue(caplog: pytest.LogCaptureFixture) -> None:
    queue, bucket = InMemoryQueue(), InMemoryBucket()
    bucket.down = True
    assert not take(POISON, MalformedEvent("no"), queue, bucket)
    assert queue.messages == []
    assert "could not be dead-lettered, and stays: writing s3://archive/dead-letters/" in caplog.text


def test_attributes_travel_with_their_types() -> None:
    queue, bucket = InMemoryQueue(), InMemoryBucket()
    typed = {
        "count": TypedAttribute("Number", "7"),
        "unit": TypedAttribute("String.unit", "cm"),
        "photo": TypedAttribute("Binary", b"\x00\xff"),
    }
    message = Message("not json", {"kind": "inline", "count": "7", "unit": "cm"}, typed)

    assert take(message, MalformedEvent("no"), queue, bucket)

    [letter] = queue.messages
    assert letter.all_attributes.items() >= message.all_attributes.items()
    assert kept(bucket)[0].message == message


@pytest.mark.parametrize(("own", "added"), [(8, {"error", "reason"}), (9, {"error"}), (10, set())])
def test_a_message_with_many_attributes_can_be_moved(own: int, added: set[str]) -> None:
    queue, bucket = InMemoryQueue(), InMemoryBucket()
    message = Message("not json", {f"attribute {number}": "x" for number in range(own)})

    assert take(message, MalformedEvent("no"), queue, bucket)

    [letter] = queue.messages
    assert letter.attributes.keys() - message.attributes.keys() == added


@pytest.mark.parametrize(("own", "says"), [(7, True), (8, False)])
def test_a_letter_names_its_copy_where_there_is_room(own: int, says: bool) -> None:
    queue, bucket = InMemoryQueue(), InMemoryBucket()
    assert take(Message("not json", {f"attribute {number}": "x" for number in range(own)}), POISONED, queue, bucket)
    [letter], [copy] = queue.messages, kept(bucket)
    assert (letter.attributes.get("message_id") == copy.message_id) is says
    assert content_digest(letter) == content_digest(copy.message)


@pytest.mark.parametrize("room", [0, 30, 100])
def test_a_message_that_fills_sqs_can_be_moved(room: int) -> None:
    queue, bucket = InMemoryQueue(), InMemoryBucket()
    message = Message("é" * ((SQS_MAX_BYTES - room) // 2), {})

    assert take(message, MalformedEvent("why " * 100), queue, bucket)

    [letter] = queue.messages
    assert letter.body == message.body
    assert letter.size <= SQS_MAX_BYTES
    assert kept(bucket)[0].reason == "why " * 100


def test_a_letter_that_came_back_gets_its_new_reason() -> None:
    queue, bucket = InMemoryQueue(), InMemoryBucket()
    assert take(POISON, MalformedEvent("first"), queue, bucket)
    [first] = queue.messages
    assert take(first, MalformedEvent("second"), queue, bucket)
    assert [letter.attributes["reason"] for letter in queue.messages] == ["first", "second"]


def test_the_original_is_what_was_there_before_the_reason() -> None:
    queue, bucket = InMemoryQueue(), InMemoryBucket()
    typed = {"count": TypedAttribute("Number", "7"), "photo": TypedAttribute("Binary", b"\x00\xff")}
    message = Message("not json", {"kind": "inline", "count": "7"}, typed)
    assert take(message, POISONED, queue, bucket)
    [received] = queue.receive(10)
    assert original(received_message(received)) == message


def test_a_producers_own_reason_is_no_part_of_the_writers() -> None:
    message = Message("not json", {"reason": "mine", "message_id": "mine, too"})
    assert original(message) == message


@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=2), st.booleans())
def test_digests_are_alike_for_the_same_content_alone(values: list[str], typed: bool) -> None:
    messages = [
        Message("body", {"x": value}, {"x": TypedAttribute("Number" if typed else "String", value)}) for value in values
    ]
    assert (content_digest(messages[0]) == content_digest(messages[1])) is (values[0] == values[1])


def test_a_copy_says_what_became_of_its_letter() -> None:
    queue, bucket = InMemoryQueue(), InMemoryBucket()
    assert take(POISON, POISONED, queue, bucket)
    [copy] = bucket.objects.values()
    newer = json.dumps({**json.loads(copy), "of a newer version": 1}).encode()
    assert dead_letter.load(copy).is_open
    assert dead_letter.load(dead_letter.redriven(newer, NOON)).redriven_at == NOON
    assert dead_letter.load(dead_letter.dropped(newer, NOON)).dropped_at == NOON
    assert json.loads(dead_letter.dropped(newer, NOON))["of a newer version"] == 1
    assert not dead_letter.load(dead_letter.dropped(newer, NOON)).is_open


def test_a_producers_own_reason_is_left_alone() -> None:
    queue, bucket = InMemoryQueue(), InMemoryBucket()
    assert take(Message("not json", {"reason": "mine"}), MalformedEvent("ours"), queue, bucket)
    [letter] = queue.messages
    assert (letter.attributes["reason"], letter.attributes["error"]) == ("mine", "MalformedEvent")


def test_the_body_behind_a_claim_is_kept_too() -> None:
    queue, bench = InMemoryQueue(), Bench()
    message = claimed(prediction_event(), bench.claims)
    [content] = bench.large_bodies.objects.values()

    assert take(message, Rejected("HTTP 400"), queue, bench.large_bodies)

    [letter] = kept(bench.large_bodies)
    assert letter.claim_key == "dead-letters/date=2031-07-14/1.claim.json"
    assert bench.large_bodies.objects[letter.claim_key] == content


@pytest.mark.parametrize("place", [("other", "claims/1.json"), ("archive", "models/1"), ("archive", "claims/gone")])
def test_a_claim_elsewhere_is_not_copied(place: tuple[str, str]) -> None:
    queue, bucket = InMemoryQueue(), InMemoryBucket(objects={"models/1": b"secret", "claims/1.json": b"x"})
    claim = {"bucket": place[0], "key": place[1], "sha256": "0", "bytes": 1}
    message = Message(json.dumps(claim), {"kind": "claimed"})

    assert take(message, MalformedEvent("no"), queue, bucket)

    assert [letter.claim_key for letter in kept(bucket)] == [None]


@given(body=st.text(), data_type=st.sampled_from(["Number", "String.x", "Binary"]), value=st.binary() | st.text())
def test_dead_letters_are_read_back_as_they_were(body: str, data_type: str, value: str | bytes) -> None:
    texts = {"count": value} if isinstance(value, str) else {}
    message = Message(body, {"kind": "inline", **texts}, {"count": TypedAttribute(data_type, value)})
    letter = DeadLetter("1", message, "Rejected", body, 5, NOON, None)
    assert dead_letter.load(dead_letter.dump(letter)) == letter


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"schema": "dead-letter/1"}', b"\xff"])
def test_what_is_no_dead_letter_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedEvent, match="not a dead letter"):
        dead_letter.load(content)


def test_a_dead_letter_of_a_newer_version_is_told() -> None:
    with pytest.raises(UnknownSchema, match="dead-letter/2"):
        dead_letter.load(b'{"schema": "dead-letter/2"}')
