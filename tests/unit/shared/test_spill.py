"""Spilled messages can be read back."""

import json
import random

import pytest

from offpath.contracts import spilled
from offpath.contracts.errors import MalformedEvent, UnknownSchema
from offpath.contracts.message import Message

MESSAGE = Message('{"é":"\\u0000"}', {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "kind": "inline"})
LARGE = Message(random.Random(7).randbytes(400_000).hex(), {"trace_id": "f" * 32})


def test_an_object_holds_the_message() -> None:
    assert spilled.load(spilled.dump(MESSAGE)) == MESSAGE


@pytest.mark.parametrize("content", [b"", b"x", b"[]", b'{"body": ""}', b'{"body": "", "attributes": 1}'])
def test_an_object_that_holds_none_says_so(content: bytes) -> None:
    with pytest.raises(MalformedEvent, match="not a spilled message"):
        spilled.load(content)


def test_object_without_schema_is_read() -> None:
    content = json.dumps({"attributes": dict(MESSAGE.attributes), "body": MESSAGE.body}).encode()
    assert spilled.load(content) == MESSAGE


def test_object_of_unknown_schema_is_left_for_a_newer_reader() -> None:
    later = json.dumps({**json.loads(spilled.dump(MESSAGE)), "schema": "spill/2"}).encode()
    with pytest.raises(UnknownSchema, match="spill/2"):
        spilled.load(later)


def test_key_depends_on_the_message_alone() -> None:
    key = spilled.key("offpath-traces", MESSAGE)
    assert key.startswith("spill/offpath-traces/4bf92f3577b34da6a3ce929d0e0e4736-")
    assert key == spilled.key("offpath-traces", MESSAGE)
    assert key != spilled.key("offpath-traces", Message("{}", MESSAGE.attributes))


def test_log_lines_stay_below_cloudwatchs_limit() -> None:
    lines = list(spilled.to_log(LARGE))
    assert len(lines) > 1
    assert max(len(line.encode()) for line in lines) < 256 * 1024


def test_log_is_read_back_in_any_order_among_other_lines() -> None:
    lines = [
        f"2026-11-21T10:00:00Z\t[INFO]\t{line}" for message in (MESSAGE, LARGE) for line in spilled.to_log(message)
    ]
    mixed = [*reversed(lines), "START RequestId: 1", *lines]
    assert sorted(spilled.from_log(mixed), key=lambda message: len(message.body)) == [MESSAGE, LARGE]


def test_a_log_that_lacks_a_part_says_of_which_message() -> None:
    with pytest.raises(MalformedEvent, match="lacks parts"):
        list(spilled.from_log(list(spilled.to_log(LARGE))[:-1]))


def test_fields_that_a_log_adds_do_not_hide_it() -> None:
    lines = [json.dumps({"timestamp": "2026-11-21T10:00:00Z", **json.loads(line)}) for line in spilled.to_log(MESSAGE)]
    assert list(spilled.from_log(["{not it}", *lines, '{"about": "offpath_spill"}'])) == [MESSAGE]


def test_no_level_of_logging_passes_it_over() -> None:
    assert {json.loads(line)["level"] for line in spilled.to_log(MESSAGE)} == {"ERROR"}
