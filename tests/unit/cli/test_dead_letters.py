"""Dead letters are listed, brought back and given up, and none is lost whenever the command is killed."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath.aws.s3 import S3Claims
from offpath.contracts import dead_letter
from offpath.contracts.errors import MalformedEvent, Rejected, Transient
from offpath.contracts.message import Message, TypedAttribute
from offpath.testing import InMemoryBucket, InMemoryQueue, ManualClock
from offpath_cli.dead_letters.letters import Letter, letters
from offpath_cli.dead_letters.resolve import Resolution, Resolved
from offpath_cli.dead_letters.settle import Settlement
from offpath_cli.dead_letters.table import short_length
from tests.support.builders.trace_events import claimed, inline_message, prediction_event
from tests.support.fakes.trace_writer import NOON
from trace_writer.dead_letters import DeadLetters
from trace_writer.decode import Received


class Killed(BaseException):
    """The process is killed."""


@dataclass
class Services:
    """The queues and the bucket.

    kill_at: the number of the call at which the process is killed. on_send: what happens when events are sent.
    """

    kill_at: int | None = None
    on_send: Callable[[Sequence[Message]], None] = lambda messages: None
    calls: int = 0
    clock: ManualClock = field(default_factory=ManualClock)
    bucket: InMemoryBucket = field(init=False)
    events: InMemoryQueue = field(init=False)
    dead: InMemoryQueue = field(init=False)

    def __post_init__(self) -> None:
        class Bucket(InMemoryBucket):
            def _answer(one, doing: str) -> None:  # noqa: N805
                self.count()
                super()._answer(doing)

        class Queue(InMemoryQueue):
            def _answer(one, doing: str) -> None:  # noqa: N805
                self.count()
                super()._answer(doing)

        class Events(Queue):
            def send(one, messages: Sequence[Message]) -> list[Message]:  # noqa: N805
                self.on_send(messages)
                return super().send(messages)

        self.bucket, self.events, self.dead = Bucket(), Events(), Queue("dead", now=self.clock.now)

    def count(self) -> None:
        self.calls += 1
        if self.calls == self.kill_at:
            raise Killed

    def dead_letter(self, message_id: str, message: Message) -> None:
        """Let the writer dead-letter a message."""
        DeadLetters(self.dead, self.bucket, 1, lambda: NOON).take(Received(message_id, message), Rejected("HTTP 400"))

    def redrive(self, chosen: Iterable[str] | None = None, *, drop: bool = False) -> Resolved:
        """Redrive those of these ids, or all, those without a copy too."""
        known = list(letters(self.bucket))
        wanted = [one for one in known if one.is_open and (chosen is None or one.name in set(chosen))]
        settlement = Settlement(self.bucket, self.events, lambda: NOON, lambda count: None)
        settle = settlement.drop if drop else settlement.redrive
        return Resolution(self.bucket, self.dead, settle, lambda: NOON).run(known, wanted, orphans_too=chosen is None)

    def listed(self) -> dict[str, Letter]:
        return {letter.name: letter for letter in letters(self.bucket)}


def message_of(number: int, own: int = 0) -> Message:
    """A message that is no event, with so many attributes of its own."""
    return Message(f"not json {number}", {f"attribute {index}": "x" for index in range(own)})


def test_a_list_shows_what_an_operator_asks_and_disturbs_nothing() -> None:
    services, event = Services(), prediction_event()
    services.dead_letter("m-1", inline_message(event))
    services.dead_letter("m-2", Message("not json", {"experiment": "offpath/abalone/shadow", "trace_id": "b" * 32}))
    services.dead_letter("m-3", claimed(event, S3Claims(services.bucket)))
    first, second, third = letters(services.bucket)
    assert (first.name, first.model, first.trace_id, first.state) == ("m-1", "iris", event.trace_id, "open")
    assert (first.error, first.reason, first.kept_at) == ("Rejected", "HTTP 400", NOON)
    assert (second.model, second.trace_id) == ("abalone", "b" * 32)
    assert third.model == "iris"
    assert third.size == len(event.body.encode())
    assert [one["Attributes"]["ApproximateReceiveCount"] for one in services.dead.receive(10)] == ["1", "1", "1"]


def test_a_copy_that_cannot_be_read_is_listed_as_such() -> None:
    services = Services()
    services.bucket.put("dead-letters/date=2031-07-14/a.json", b"{")
    services.bucket.put("dead-letters/date=2031-07-14/b.json", b'{"schema": "dead-letter/9"}')
    listed = services.listed()
    assert [one.state for one in listed.values()] == ["unreadable", "unreadable"]
    assert "not a dead letter" in listed["a"].reason
    assert "deploy a newer one" in listed["b"].reason
    assert services.redrive().settled.done == []


def test_a_redrive_brings_the_message_back_as_it_was_once() -> None:
    services = Services()
    typed = Message("not json", {"count": "7"}, {"count": TypedAttribute("Number", "7")})
    services.dead_letter("m-1", typed)

    resolved = services.redrive()

    assert len(resolved.settled.done) == resolved.cleared.removed == 1
    assert services.events.messages == [typed]
    assert services.dead.messages == []
    assert services.listed()["m-1"].state == "redriven"
    again = services.redrive()
    assert (again.settled.done, again.cleared.removed, len(services.events.messages)) == ([], 0, 1)


def test_a_dropped_letter_leaves_its_queue_and_keeps_its_copy() -> None:
    services = Services()
    services.dead_letter("m-1", message_of(1))
    assert services.redrive(drop=True).cleared.removed == 1
    assert (services.dead.messages, services.events.messages) == ([], [])
    assert services.listed()["m-1"].state == "dropped"
    assert services.redrive().settled.done == []


def test_others_stay_and_can_be_received_at_once() -> None:
    services = Services()
    for number in range(25):
        services.dead_letter(f"m-{number}", message_of(number))
    assert services.redrive(["m-3", "m-14"]).cleared.kept == 23
    assert sorted(services.events.bodies) == ["not json 14", "not json 3"]
    assert services.dead.waiting() == (23, 0)


def test_a_claimed_body_that_expired_is_brought_back() -> None:
    services = Services()
    message = claimed(prediction_event(), S3Claims(services.bucket))
    services.dead_letter("m-1", message)
    claim = json.loads(message.body)
    content = services.bucket.objects.pop(claim["key"])
    assert services.redrive().settled.left == {}
    assert services.bucket.objects[claim["key"]] == content
    assert services.events.messages == [message]


def test_a_body_that_was_mended_by_hand_is_left_alone() -> None:
    services = Services()
    message = claimed(prediction_event(), S3Claims(services.bucket))
    key = json.loads(message.body)["key"]
    right = services.bucket.objects[key]
    services.bucket.objects[key] = b"altered"
    services.dead_letter("m-1", message)
    services.bucket.objects[key] = right
    assert services.redrive().settled.left == {}
    assert services.bucket.objects[key] == right


def test_a_letter_whose_body_is_gone_stays_with_the_reason() -> None:
    services = Services()
    services.dead_letter("m-1", claimed(prediction_event(), S3Claims(services.bucket)))
    for key in [key for key in services.bucket.objects if "claim" in key]:
        del services.bucket.objects[key]
    resolved = services.redrive()
    assert "is gone" in next(iter(resolved.settled.left.values()))
    assert services.listed()["m-1"].is_open
    assert len(services.dead.messages) == 1


def test_what_sqs_does_not_take_stays_with_the_reason() -> None:
    services = Services()
    services.dead_letter("m-1", message_of(1))
    services.dead_letter("m-2", message_of(2))
    services.events.refused = {"not json 1"}
    left = services.redrive().settled.left
    assert {key.rpartition("/")[2]: reason for key, reason in left.items()} == {"m-1.json": "SQS does not take it"}
    assert services.listed()["m-1"].is_open
    assert services.dead.bodies == ["not json 1"]


def test_a_letter_without_a_copy_gets_one_and_comes_back() -> None:
    services = Services()
    older = Message("not json", {"error": "Rejected", "reason": "HTTP 400"})
    services.dead.send([older])
    assert services.redrive([]).cleared.kept == 1
    assert services.redrive().cleared.removed == 1
    assert services.events.messages == [older]
    [copy] = services.listed().values()
    assert (copy.state, copy.reason) == ("redriven", "HTTP 400")


def test_letters_of_the_same_content_without_copies_all_come_back() -> None:
    services, crowded = Services(), message_of(1, own=10)
    for _ in range(3):
        services.dead.send([crowded] * 10)
    assert services.redrive().cleared.removed == 30
    assert services.events.messages == [crowded] * 30


def test_a_letter_that_came_back_again_is_another() -> None:
    services, crowded = Services(), message_of(1, own=10)
    services.dead_letter("m-1", crowded)
    services.redrive()
    services.dead_letter("m-2", services.events.messages[0])
    assert services.redrive([]).cleared.removed == 0
    assert services.redrive().cleared.removed == 1
    assert services.events.messages == [crowded, crowded]


@pytest.mark.parametrize("own", [0, 10])
def test_what_is_dead_lettered_meanwhile_keeps_its_twin(own: int) -> None:
    services = Services()
    for number in range(12):
        services.dead_letter(f"m-{number}", message_of(number % 4, own))

    def refuse_at_once(messages: Sequence[Message]) -> None:
        for message in messages:
            services.dead_letter(f"again-{services.calls}", message)

    services.on_send = refuse_at_once
    resolved = services.redrive()
    assert (len(resolved.settled.done), resolved.cleared.removed, resolved.cleared.kept) == (12, 12, 12)
    assert sorted(name for name, letter in services.listed().items() if letter.is_open) == sorted(
        name for name in services.listed() if name.startswith("again")
    )
    assert Counter(services.dead.bodies) == Counter(f"not json {number % 4}" for number in range(12))


def test_a_service_that_does_not_answer_changes_no_letter() -> None:
    services = Services()
    services.dead_letter("m-1", message_of(1))
    services.events.down = True
    with pytest.raises(Transient):
        services.redrive()
    assert services.listed()["m-1"].is_open
    services.events.down = False
    assert len(services.redrive().settled.done) == 1


_LETTERS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0, 7, 8, 10])), min_size=1, max_size=14)


@given(given_letters=_LETTERS, kill_at=st.integers(1, 120), orphans=st.integers(0, 2), drop=st.booleans())
def test_a_kill_at_any_moment_loses_nothing(
    given_letters: list[tuple[int, int]], kill_at: int, orphans: int, drop: bool
) -> None:
    services = Services()
    for number, (content, own) in enumerate(given_letters):
        services.dead_letter(f"m-{number}", message_of(content, own))
    services.dead.send([message_of(9, own=10)] * max(1, orphans))
    bodies = Counter(services.dead.bodies)
    services.calls, services.kill_at = 0, kill_at

    try:
        services.redrive(drop=drop)
        was_killed = False
    except Killed:
        was_killed = True
        services.clock.sleep(1_000)  # until what it had received can be received again
    services.kill_at = None
    copies = [dead_letter.load(services.bucket.objects[letter.key]) for letter in services.listed().values()]
    kept = Counter(copy.message.body for copy in copies if copy.is_open or drop) + Counter(services.dead.bodies)
    assert not bodies - kept - Counter(services.events.bodies)

    services.redrive(drop=drop)
    assert services.dead.messages == []
    assert not any(letter.is_open for letter in services.listed().values())
    if drop:
        assert services.events.messages == []
    else:
        assert not bodies - Counter(services.events.bodies)
        assert was_killed or bodies == Counter(services.events.bodies)


@given(st.lists(st.text("ab", min_size=6, max_size=12), unique=True))
def test_short_ids_name_one_letter_each(names: list[str]) -> None:
    length = short_length(names)
    assert len({name[:length] for name in names}) == len(names)
    assert length >= 8


@given(st.text())
def test_any_reason_and_body_can_be_listed(text: str) -> None:
    services = Services()
    letter = DeadLetters(services.dead, services.bucket, 1, lambda: NOON)
    letter.take(Received("m-1", Message(text, {"trace_id": text})), MalformedEvent(text))
    assert services.listed()["m-1"].reason == text
