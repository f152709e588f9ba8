"""Lines of a function's log that hold events come to S3, whatever stands beside them."""

import base64
import gzip
import json
import random
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offpath.contracts import spilled
from offpath.contracts.errors import Transient
from offpath.contracts.message import Message
from offpath.testing import InMemoryBucket
from tests.support.builders.trace_events import inline_message, prediction_event
from trace_writer.log_parts import Kept, keep_parts, subscribed_lines


def subscribed(*lines: str, kind: str = "DATA_MESSAGE") -> dict[str, Any]:
    """Return the event that CloudWatch Logs makes of lines."""
    entries = [{"id": str(number), "timestamp": 1, "message": line} for number, line in enumerate(lines)]
    data = json.dumps({"messageType": kind, "logGroup": "api", "logEvents": entries}).encode()
    return {"awslogs": {"data": base64.b64encode(gzip.compress(data)).decode()}}


@cache
def large_message() -> Message:
    """Return a message that is several lines in a log."""
    noise = random.Random(7).randbytes(600_000).hex()
    return inline_message(prediction_event(attributes={"noise": noise}))


def test_a_subscription_hands_over_its_lines() -> None:
    assert subscribed_lines(subscribed("one", "é")) == ["one", "é"]
    assert subscribed_lines(subscribed("probe", kind="CONTROL_MESSAGE")) == []


@pytest.mark.parametrize(
    "event", [{}, {"awslogs": {}}, {"awslogs": {"data": "x"}}, {"awslogs": {"data": base64.b64encode(b"{}").decode()}}]
)
def test_what_is_no_subscription_is_told(event: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not an event of a log's subscription"):
        subscribed_lines(event)


def test_each_part_is_an_object_under_its_mark() -> None:
    lines, bucket = list(spilled.to_log(large_message())), InMemoryBucket()
    assert len(lines) > 2

    kept = keep_parts(["START", *lines, "REPORT"], bucket)

    mark = json.loads(lines[0])[spilled.LOG_MARK]
    assert kept == Kept(len(lines), 0)
    assert list(bucket.objects) == [
        f"spill/parts/{mark}/{number:05d}-of-{len(lines):05d}.json" for number in range(1, len(lines) + 1)
    ]


@settings(max_examples=20)
@given(seed=st.integers(0, 999), prefix=st.text(max_size=20))
def test_parts_are_read_back_whatever_order_they_come_in(seed: int, prefix: str) -> None:
    message, bucket = large_message(), InMemoryBucket()
    lines = [prefix + line for line in spilled.to_log(message)]
    random.Random(seed).shuffle(lines)
    for line in [*lines, *lines]:  # a subscription may hand over a line twice, and each in an invocation of its own
        keep_parts([line], bucket)
    assert list(spilled.from_log(content.decode() for content in bucket.objects.values())) == [message]


def test_an_unreadable_part_is_kept_as_it_came() -> None:
    bucket = InMemoryBucket()
    assert keep_parts(['{"offpath_spill": 7}', "other"], bucket) == Kept(1, 1)
    [(key, content)] = bucket.objects.items()
    assert key.startswith("spill/parts/unreadable/")
    assert content == b'{"offpath_spill": 7}'


@given(share=st.floats(0, 1, exclude_max=True), prefix=st.sampled_from(["", "[ERROR] ", '{"message": ']))
def test_a_line_that_was_cut_off_is_kept(share: float, prefix: str) -> None:
    [line], bucket = spilled.to_log(inline_message(prediction_event())), InMemoryBucket()
    shortest = len('{"offpath_spill":')
    cut = prefix + line[: shortest + int(share * (len(line) - shortest))]
    assert keep_parts([cut], bucket) == Kept(1, 1)
    assert list(bucket.objects.values()) == [cut.encode()]


@pytest.mark.parametrize("line", ["see offpath_spill", 'looked for "offpath_spill" in vain', r"{\"offpath_spill\": 1}"])
def test_lines_that_name_the_mark_alone_are_passed_over(line: str) -> None:
    assert keep_parts([line], InMemoryBucket()) == Kept(0, 0)


def test_without_s3_the_line_is_handed_over_again() -> None:
    bucket = InMemoryBucket()
    bucket.down = True
    with pytest.raises(Transient):
        keep_parts(spilled.to_log(large_message()), bucket)
