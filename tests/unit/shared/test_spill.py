"""Spilled messages can be read back."""

import base64
import gzip
import json
import random
from collections.abc import Iterable

import pytest

from offpath.contracts import spilled
from offpath.contracts.errors import MalformedEvent, OffpathError, UnknownSchema
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


def log_line(content: bytes, mark: str = "newer") -> str:
    """Return the only line of a message, whatever its content is."""
    text = base64.b64encode(gzip.compress(content)).decode()
    return json.dumps({spilled.LOG_MARK: mark, "part": 1, "parts": 1, "gzip": text})


def newer_line() -> str:
    """Return the line of a message that a newer version logged."""
    return log_line(json.dumps({**json.loads(spilled.dump(MESSAGE)), "schema": "spill/2"}).encode())


def read_all(lines: Iterable[str]) -> tuple[list[Message], OffpathError | None]:
    """Return the messages in a log, and the error after the last one."""
    messages = []
    try:
        for message in spilled.from_log(lines):
            messages += [message]
    except OffpathError as error:
        return messages, error
    return messages, None


UNREADABLE = {
    "newer schema": (newer_line(), UnknownSchema, "'spill/2'"),
    "no message": (log_line(b"[]"), MalformedEvent, "not a spilled message"),
    "deep": (log_line(b"[" * 100_000), MalformedEvent, "not a spilled message"),
    "no base64": ('{"offpath_spill": "m", "part": 1, "parts": 1, "gzip": "é"}', MalformedEvent, "message m in"),
    "no gzip": ('{"offpath_spill": "m", "part": 1, "parts": 1, "gzip": "AAAA"}', MalformedEvent, "message m in"),
    "cut gzip": ('{"offpath_spill": "m", "part": 1, "parts": 1, "gzip": "H4sIAAAA"}', MalformedEvent, "message m in"),
    "no parts": ('{"offpath_spill": "m", "gzip": "AAAA"}', MalformedEvent, "part: Field required"),
    "another mark": ('{"offpath_spill": {"id": 1}}', MalformedEvent, "offpath_spill: Input should be"),
    "no part of one": ('{"offpath_spill": "m", "part": 1, "parts": 2, "gzip": ""}', MalformedEvent, "m (1 parts)"),
}


@pytest.mark.parametrize(("line", "kind", "said"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_line_costs_no_other_message(line: str, kind: type[OffpathError], said: str) -> None:
    messages, error = read_all([*spilled.to_log(MESSAGE), line, line, *spilled.to_log(LARGE)])
    assert messages == [MESSAGE, LARGE]
    assert isinstance(error, kind)
    assert str(error).count(said) == 1


def test_one_error_names_all_that_a_log_lacks() -> None:
    lines = [newer_line(), log_line(b"[]", "none"), *spilled.to_log(MESSAGE), *list(spilled.to_log(LARGE))[:-1]]
    messages, error = read_all(lines)
    assert messages == [MESSAGE]
    assert isinstance(error, UnknownSchema)
    assert all(said in str(error) for said in ("'spill/2'", "b'[]'", "lacks parts"))


def test_fields_that_a_log_adds_do_not_hide_it() -> None:
    lines = [json.dumps({"timestamp": "2026-11-21T10:00:00Z", **json.loads(line)}) for line in spilled.to_log(MESSAGE)]
    assert list(spilled.from_log(["{not it}", *lines, '{"about": "offpath_spill"}'])) == [MESSAGE]


def test_no_level_of_logging_passes_it_over() -> None:
    assert {json.loads(line)["level"] for line in spilled.to_log(MESSAGE)} == {"ERROR"}
