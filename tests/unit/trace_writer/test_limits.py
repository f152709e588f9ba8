"""One message beyond the limits of its own is refused with a reason, before it fills the memory."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath.contracts.errors import TooLarge
from tests.support.builders.trace_events import batch_of, claimed, inline_message, prediction_event
from tests.support.fakes.trace_writer import Bench, claims
from trace_writer.decode import Received, decode
from trace_writer.limits import Limits

EVENT = prediction_event()


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(event_bytes=1_000), "bytes in memory, of 1,000 at most"),
        (Limits(event_spans=2), "3 spans, of 2 at most"),
        (Limits(event_values=20), "more than 20 values and names"),
    ],
)
def test_an_event_beyond_a_limit_is_refused(limits: Limits, reason: str) -> None:
    with pytest.raises(TooLarge, match=reason):
        decode(Received("1", inline_message(EVENT)), claims(), limits)


def test_an_event_beyond_a_limit_stops_no_other() -> None:
    bench = Bench()
    large = prediction_event(attributes={"text": "x" * 40_000_000})

    written = bench.writer.write(
        batch_of({"large": claimed(large, bench.claims), "good": inline_message(EVENT)}), bench.deadline
    )

    assert [(failure.message_id, type(failure.error)) for failure in written.failures] == [("large", TooLarge)]
    assert bench.tracker.stored == {EVENT.trace_id}


@given(
    value=st.recursive(
        st.none() | st.integers() | st.text(alphabet='a[{,:"\\', max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('a,:"', max_size=3), inner, max_size=4),
    )
)
def test_values_are_counted_outside_of_texts(value: object) -> None:
    text = json.dumps(value)
    count = structural(text)
    Limits(event_values=count).check_text(text)
    if count:
        with pytest.raises(TooLarge):
            Limits(event_values=count - 1).check_text(text)


def structural(text: str) -> int:
    """Count the signs `[`, `{`, `,` and `:` of a JSON text that stand outside of its texts."""
    count, within, escaped = 0, False, False
    for sign in text:
        if within:
            within = escaped or sign != '"'
            escaped = not escaped and sign == "\\"
        elif sign == '"':
            within = True
        else:
            count += sign in "[{,:"
    return count


def test_a_wide_text_counts_as_the_memory_that_it_takes() -> None:
    Limits(event_bytes=100_000).check_text("x" * 90_000)
    with pytest.raises(TooLarge, match="in memory"):
        Limits(event_bytes=100_000).check_text("x" * 90_000 + "\N{GRINNING FACE}")
