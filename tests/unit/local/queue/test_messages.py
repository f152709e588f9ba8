"""Messages in a file are received, hidden, moved and counted as a plain list of them would be."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.queue.messages import Counts, Messages

QUEUE, OTHER = "queue", "other"


@pytest.fixture
def messages(tmp_path: Path) -> Iterator[Messages]:
    messages = Messages(tmp_path / "queues.db")
    yield messages
    messages.close()


def message(number: int, sent_at: float = 0.0, delay: float = 0.0) -> dict[str, Any]:
    state = {"sent_at": sent_at, "visible_at": sent_at + delay, "receive_count": 0, "first_receive_at": None}
    return {"id": str(number), "body": "é" * number, **state}


def ids(received: list[dict[str, Any]]) -> list[str]:
    return [found["id"] for found in received]


def test_what_is_received_says_how_often_and_since_when(messages: Messages) -> None:
    messages.add(QUEUE, [message(1)])
    first, again = (messages.receive(QUEUE, 10, now, now + 5)[0] for now in (1.0, 7.0))
    assert (first["receive_count"], again["receive_count"]) == (1, 2)
    assert (again["first_receive_at"], again["body"]) == (1.0, "é")
    assert first["receipt_handle"] != again["receipt_handle"]
    assert not messages.delete(QUEUE, first["receipt_handle"])
    assert messages.delete(QUEUE, again["receipt_handle"])


def test_a_receipt_of_another_queue_is_none(messages: Messages) -> None:
    messages.add(QUEUE, [message(1)])
    [received] = messages.receive(QUEUE, 1, 1, 9)
    assert not messages.delete(OTHER, received["receipt_handle"])
    assert not messages.show_at(OTHER, received["receipt_handle"], 1)
    assert messages.count(QUEUE, 1) == Counts(0, 0, 1)


def test_what_failed_too_often_goes_to_another_queue(messages: Messages) -> None:
    messages.add(QUEUE, [message(1), message(2)])
    for now in (1, 2):
        messages.receive(QUEUE, 1, now, now)
    messages.redrive(QUEUE, 1, OTHER, 3)
    assert ids(messages.receive(OTHER, 10, 3, 9)) == ["1", "2"]
    assert messages.count(QUEUE, 3) == Counts(0, 0, 0)


def test_moved_messages_are_as_new(messages: Messages) -> None:
    messages.add(QUEUE, [message(1), message(2, delay=50)])
    messages.receive(QUEUE, 1, 1, 1)
    messages.move(QUEUE, OTHER, 10)
    [moved] = messages.receive(OTHER, 10, 10, 20)
    assert (moved["sent_at"], moved["receive_count"], moved["first_receive_at"]) == (10, 1, 10)
    assert messages.count(QUEUE, 10) == Counts(0, 1, 0)


def test_released_messages_can_be_received_at_once(messages: Messages) -> None:
    messages.add(QUEUE, [message(1), message(2), message(3, delay=50)])
    messages.receive(QUEUE, 1, 1, 100)
    assert messages.release_all(2) == 1
    assert messages.count(QUEUE, 2) == Counts(2, 1, 0)


def test_a_failed_transaction_leaves_everything(messages: Messages) -> None:
    with pytest.raises(KeyError), messages.transaction():
        messages.add(QUEUE, (made for made in (message(1), {})))
    assert messages.count(QUEUE, 1) == Counts(0, 0, 0)


def test_everything_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    messages = Messages(tmp_path / "queues.db")
    messages.keep_queue(QUEUE, {"name": "q"})
    messages.add(QUEUE, [message(number) for number in range(3)])
    [received] = messages.receive(QUEUE, 1, 1, 9)
    opened = Messages(tmp_path / "queues.db")  # the first was never closed
    assert opened.queues() == {QUEUE: {"name": "q"}}
    assert opened.count(QUEUE, 1) == Counts(2, 0, 1)
    assert opened.delete(QUEUE, received["receipt_handle"])


@dataclass
class Plain:
    """The same with a list, in the plainest way."""

    held: list[dict[str, Any]] = field(default_factory=list)

    def receive(self, limit: int, now: float, again: float) -> list[str]:
        found = sorted((m for m in self.held if m["visible_at"] <= now), key=lambda m: m["visible_at"])[:limit]
        for one in found:
            one |= {"visible_at": again, "receive_count": one["receive_count"] + 1}
        return ids(found)

    def count(self, now: float) -> Counts:
        hidden = [m for m in self.held if m["visible_at"] > now]
        delayed = sum(1 for m in hidden if not m["receive_count"])
        return Counts(len(self.held) - len(hidden), delayed, len(hidden) - delayed)


Step = tuple[str, int]
STEPS = st.lists(st.tuples(st.sampled_from(["add", "late", "receive", "delete", "show", "expire"]), st.integers(0, 9)))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_steps_end_as_those_with_a_plain_list(messages: Messages, steps: list[Step]) -> None:
    messages.purge(QUEUE)
    plain, receipts, now = Plain(), dict[str, str](), 0.0
    for number, (step, amount) in enumerate(steps):
        now += 1
        if step in ("add", "late"):
            made = message(number, now, 0 if step == "add" else amount)
            messages.add(QUEUE, [made])
            plain.held.append(json.loads(json.dumps(made)))
        elif step == "receive":
            received = messages.receive(QUEUE, amount, now, now + 3.5)
            receipts |= {found["id"]: found["receipt_handle"] for found in received}
            assert ids(received) == plain.receive(amount, now, now + 3.5)
        elif step == "expire":
            messages.expire(QUEUE, now - 8 * amount)
            plain.held = [m for m in plain.held if m["sent_at"] > now - 8 * amount]
        elif receipts:
            chosen = sorted(receipts)[amount % len(receipts)]
            there = [m for m in plain.held if m["id"] == chosen]
            if step == "delete":
                assert messages.delete(QUEUE, receipts.pop(chosen)) == bool(there)
                plain.held = [m for m in plain.held if m["id"] != chosen]
            else:
                assert messages.show_at(QUEUE, receipts[chosen], now + amount) == bool(there)
                for one in there:
                    one["visible_at"] = now + amount
        assert messages.count(QUEUE, now) == plain.count(now)
