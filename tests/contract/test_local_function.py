"""A fake function takes batches and answers as the trace writer does behind the poller."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from local.aws.lambda_event import LocalContext, failed_ids, sqs_event
from offpath.contracts.message import Message
from offpath.testing import InMemoryQueue
from tests.support.builders.trace_events import inline_message, prediction_event
from tests.support.fakes.local import FakeHandler, failing
from tests.support.fakes.trace_writer import Bench
from trace_writer.sqs import batch_response, received

Function = Callable[[dict[str, Any], Any], Any]
POISON = Message("not json", {"kind": "inline"})


def fake(poisoned: bool) -> Function:
    """A function that fails the second message, if that is poison."""
    return FakeHandler(lambda ids: failing(ids[1]) if poisoned else failing())


def writer(poisoned: bool) -> Function:
    """The trace writer, as its handler calls it."""
    bench = Bench()
    return lambda event, _: batch_response(bench.writer.write(received(event), bench.deadline).failures)


@pytest.mark.parametrize("make", [fake, writer])
@pytest.mark.parametrize("poisoned", [False, True])
def test_only_what_failed_is_named(make: Callable[[bool], Function], poisoned: bool) -> None:
    queue = InMemoryQueue()
    good = [inline_message(prediction_event()) for _ in range(2)]
    queue.send([good[0], POISON if poisoned else good[1]])
    messages = queue.receive(10)
    ids = [message["MessageId"] for message in messages]
    context = LocalContext("writer", time.monotonic() + 60)

    answer = make(poisoned)(sqs_event(messages, queue.name), context)

    assert failed_ids(answer, ids) == ({ids[1]} if poisoned else set())
