import logging
import time
from typing import Any

import pytest

from local.aws.poller import MAX_PAYLOAD_BYTES, Poller
from local.settings import PollerSettings
from offpath.contracts.errors import Transient
from offpath.contracts.message import Message
from tests.support.local_fakes import FakeHandler, FakeQueue, failing


def settings(**changes: Any) -> PollerSettings:
    return PollerSettings(queue_url="q", **({"batch_window_seconds": 0.0} | changes))


def queue_of(*bodies: str, **options: Any) -> FakeQueue:
    queue = FakeQueue(**options)
    queue.send([Message(body, {"kind": "inline"}) for body in bodies])
    return queue


def test_what_succeeded_is_deleted() -> None:
    queue, handler = queue_of("a", "b"), FakeHandler()
    assert Poller(queue, handler, settings()).poll() == 2
    assert handler.batches == [["a", "b"]]
    assert queue.bodies() == []


def test_an_empty_queue_is_no_invocation() -> None:
    handler = FakeHandler()
    assert Poller(FakeQueue(), handler, settings()).poll() == 0
    assert handler.batches == []


def test_a_batch_is_filled_by_several_receives_within_its_window() -> None:
    queue, handler = queue_of(*(str(number) for number in range(35))), FakeHandler()
    assert Poller(queue, handler, settings(batch_size=25, batch_window_seconds=60)).poll() == 25
    assert len(handler.batches[0]) == 25
    assert len(queue.bodies()) == 10


def test_a_batch_that_is_not_full_goes_when_its_window_closes() -> None:
    handler = FakeHandler()
    assert Poller(queue_of("a"), handler, settings(batch_window_seconds=0.2)).poll() == 1
    assert handler.batches == [["a"]]


def test_a_batch_larger_than_lambdas_payload_is_several_invocations() -> None:
    third = "x" * (MAX_PAYLOAD_BYTES // 3)
    queue, handler = queue_of(third, third, third, "small"), FakeHandler()
    assert Poller(queue, handler, settings()).poll() == 4
    assert [len(batch) for batch in handler.batches] == [3, 1]
    assert queue.bodies() == []


def test_what_failed_stays_until_its_visibility_timeout_is_over() -> None:
    queue, handler = queue_of("a", "b", visibility_seconds=30), FakeHandler(lambda ids: failing(ids[1]))
    poller = Poller(queue, handler, settings())
    poller.poll()
    assert queue.bodies() == ["b"]
    assert poller.poll() == 0
    queue.now += 30
    handler.answer = lambda ids: None
    assert poller.poll() == 1
    assert queue.bodies() == []


def test_an_exception_of_the_handler_fails_the_whole_batch(caplog: pytest.LogCaptureFixture) -> None:
    def explode(ids: list[str]) -> Any:
        raise ValueError("no such table")

    queue = queue_of("a", "b")
    Poller(queue, FakeHandler(explode), settings()).poll()
    assert queue.bodies() == ["a", "b"]
    assert "the handler failed: 2 message(s) go back to the queue" in caplog.text
    assert "no such table" in caplog.text


def test_an_invocation_is_told_its_time() -> None:
    handler = FakeHandler()
    began = time.monotonic()
    Poller(queue_of("a"), handler, settings(writer_timeout_seconds=7)).poll()
    taken = time.monotonic() - began
    assert 6_000 - taken * 1000 < handler.milliseconds[0] <= 7_000


def test_draining_tries_what_failed_before_at_once() -> None:
    queue, handler = queue_of("a", "b"), FakeHandler(lambda ids: failing(*ids))
    poller = Poller(queue, handler, settings())
    poller.poll()
    handler.answer = lambda ids: None
    poller.drain()
    assert queue.bodies() == []


def test_draining_takes_more_than_one_batch() -> None:
    queue, handler = queue_of(*(str(number) for number in range(30))), FakeHandler()
    Poller(queue, handler, settings(batch_size=10)).drain()
    assert [len(batch) for batch in handler.batches] == [10, 10, 10]
    assert queue.bodies() == []


def test_draining_tries_once_and_leaves_what_fails_to_be_received() -> None:
    queue, handler = queue_of("a", "b"), FakeHandler(lambda ids: failing(*ids))
    Poller(queue, handler, settings()).drain()
    assert len(handler.batches) == 1
    assert queue.waiting() == (2, 0)


def test_draining_is_bounded_in_time() -> None:
    queue, handler = queue_of("a"), FakeHandler()
    Poller(queue, handler, settings(drain_seconds=0)).drain()
    assert handler.batches == []
    assert queue.waiting() == (1, 0)


def test_an_interrupted_invocation_gives_its_messages_back() -> None:
    def interrupted(ids: list[str]) -> Any:
        raise KeyboardInterrupt

    queue = queue_of("a", "b")
    poller = Poller(queue, FakeHandler(interrupted), settings())
    with pytest.raises(KeyboardInterrupt):
        poller.poll()
    assert queue.waiting() == (0, 2)
    poller.release()
    assert queue.waiting() == (2, 0)


def test_polling_survives_a_queue_that_does_not_answer_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    queue = queue_of("a")
    calls = iter([True, True, False])

    class Flaky(FakeQueue):
        def receive(self, limit: int, wait_seconds: int) -> Any:
            if next(calls, False):
                raise Transient("SQS does not answer")
            return queue.receive(limit, wait_seconds)

    def answer(ids: list[str]) -> Any:
        poller.stop()

    handler = FakeHandler(answer)
    poller = Poller(Flaky(), handler, settings())
    poller.run()
    assert handler.batches == [["a"]]
    assert [record.getMessage() for record in caplog.records if record.name == "poller"] == [
        "polling is in trouble, and goes on trying: SQS does not answer",
        "polling works again",
    ]


def test_what_was_received_before_the_queue_broke_is_still_delivered() -> None:
    class Breaking(FakeQueue):
        def receive(self, limit: int, wait_seconds: int) -> Any:
            received = super().receive(1, wait_seconds)
            self.broken = True
            return received

        def delete(self, messages: Any) -> None:
            self.broken = False
            super().delete(messages)

    queue, handler = Breaking(), FakeHandler()
    queue.send([Message("a", {}), Message("b", {})])
    assert Poller(queue, handler, settings(batch_window_seconds=60)).poll() == 1
    assert handler.batches == [["a"]]
    assert queue.bodies() == ["b"]
