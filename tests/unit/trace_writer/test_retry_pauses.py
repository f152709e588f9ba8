"""What an outage kept from MLflow comes again soon at first; everything else when the queue says."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath.contracts.errors import OffpathError, Rejected, Transient, UnknownSchema
from offpath.contracts.message import Message
from trace_writer.decode import Received
from trace_writer.retry_pauses import JITTER, PAUSES, RetryPauses
from trace_writer.writer import Failure


class Visibility:
    """Notes for how long each receipt is hidden."""

    def __init__(self) -> None:
        self.hidden: dict[str, int] = {}
        self.calls = 0

    def hide(self, receipts: Sequence[str], seconds: int) -> None:
        assert 1 <= len(receipts) <= 10
        self.calls += 1
        self.hidden |= dict.fromkeys(receipts, seconds)


def batch(receives: Sequence[int]) -> list[Received]:
    return [
        Received(str(number), Message("{}", {}), count, receipt=f"r{number}") for number, count in enumerate(receives)
    ]


def failed(messages: Sequence[Received], error: OffpathError) -> list[Failure]:
    return [Failure(message.message_id, "", error) for message in messages]


@pytest.mark.parametrize(
    ("receives", "seconds"), [(1, 15), (2, 30), (3, 60), (4, 120), (5, None), (900, None), (12_000, None)]
)
def test_pauses_grow_until_the_queues_own_holds(receives: int, seconds: int | None) -> None:
    visibility, messages = Visibility(), batch([receives])
    RetryPauses(visibility, lambda: 0.0).shorten(messages, failed(messages, Transient("HTTP 503")))
    assert visibility.hidden == ({} if seconds is None else {"r0": seconds})


@pytest.mark.parametrize("error", [Rejected("HTTP 400"), UnknownSchema("otlp-json/2")])
def test_what_is_no_outage_waits_as_the_queue_says(error: OffpathError) -> None:
    visibility, messages = Visibility(), batch([1])
    RetryPauses(visibility).shorten(messages, failed(messages, error))
    assert visibility.hidden == {}


@given(receives=st.lists(st.integers(1, 8) | st.integers(1, 20_000), max_size=100), outages=st.sets(st.integers(0, 99)))
def test_each_failure_of_an_outage_gets_its_pause(receives: list[int], outages: set[int]) -> None:
    visibility, messages = Visibility(), batch(receives)
    chosen = [message for message in messages if int(message.message_id) in outages]
    RetryPauses(visibility).shorten(messages, failed(chosen, Transient("HTTP 503")))

    expected = {one.receipt: PAUSES[one.receives - 1] for one in chosen if one.receives <= len(PAUSES)}
    assert visibility.hidden.keys() == expected.keys()
    for receipt, seconds in visibility.hidden.items():
        assert expected[receipt] * (1 - JITTER) - 1 <= seconds <= expected[receipt]
    assert visibility.calls <= 14
