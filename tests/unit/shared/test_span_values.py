"""Whatever is set on a span, its trace can be read by the writer, and a value that cannot be kept is left out alone."""

import enum
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import Status, StatusCode, Tracer

from offpath.aws.s3 import S3Claims
from offpath.contracts.message import Message
from offpath.contracts.trace_event import inline_message
from offpath.testing import InMemoryBucket, RecordingTracing
from tests.support.otlp_json import attributes_of, spans_of
from trace_writer.decode import Received, decode

pytestmark = pytest.mark.filterwarnings("ignore")

KINDS = ("light", "sdk")
# What the tracers raise within the code that is traced: offpath's own raises nothing.
RAISES: Mapping[str, tuple[type[Exception], ...]] = {"light": (), "sdk": (Exception,)}


class Colour(enum.Enum):
    RED = "red"
    NESTED = ("red", 2**70)


class Level(enum.IntEnum):
    HIGH = 2**65


class Mode(enum.StrEnum):
    FAST = "fa\ud800st"


class Silent:
    """Has no text of its own."""


class Broken:
    """Has a text that raises, and for people who debug a name."""

    def __str__(self) -> str:
        raise RuntimeError("a defect")

    def __repr__(self) -> str:
        return "Broken()"


def endless() -> list[Any]:
    items: list[Any] = []
    items += [items] * 10
    return items


ODD: tuple[Any, ...] = (
    2**63,
    -(2**63) - 1,
    [1, 2**64],
    math.nan,
    -math.inf,
    None,
    b"\xff",
    bytearray(b"\x00"),
    "\ud800 alone",
    "\x00",
    Colour.RED,
    Colour.NESTED,
    Level.HIGH,
    Mode.FAST,
    Silent(),
    Broken(),
    datetime(2026, 1, 1, tzinfo=UTC),
    Decimal("1.5"),
    np.float32(1.5),
    np.int64(7),
    np.arange(3),
    np.array(7),
    {"a": {"b": [2**64, Silent(), "\udfff"]}},
    {5: "five", "": "empty", None: "none"},
    {1, 2},
    endless(),
    [[[[[[[[[[[[[[[[[[[[["deep"]]]]]]]]]]]]]]]]]]]]],
    object(),
    Silent,
)


def told(kind: str, story: Callable[[Tracer], None]) -> dict[str, dict[str, Any]]:
    """Return the spans of the one trace that the story tells, by name, as the writer archives them."""
    tracing = RecordingTracing()
    story(tracing.tracer("x") if kind == "light" else tracing.provider.get_tracer("x"))
    [event] = tracing.events
    decoded = decode(Received("1", _on_sqs(inline_message(event))), S3Claims(InMemoryBucket()))
    return spans_of(decoded.line.decode())


def _on_sqs(message: Message) -> Message:
    """The message as SQS carries it: in UTF-8."""
    return Message(
        message.body.encode().decode(), {key: value.encode().decode() for key, value in message.attributes.items()}
    )


odd = st.sampled_from(ODD) | st.text() | st.integers() | st.floats() | st.binary()
values = st.recursive(odd, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
times: st.SearchStrategy[Any] = (
    st.none() | st.integers() | st.floats() | st.sampled_from([2**63, 2**64, -1, 0, 10_413_792_000 * 10**9, "now"])
)


@given(
    kind=st.sampled_from(KINDS), key=odd.filter(lambda value: value.__hash__ is not None), value=values, data=st.data()
)
def test_whatever_is_set_the_trace_can_be_read(kind: str, key: Any, value: Any, data: st.DataObject) -> None:
    def story(tracer: Tracer) -> None:
        root: Any = tracer.start_span("root", start_time=data.draw(times, "start"))
        with suppress(*RAISES[kind]):
            root.set_attribute(key, value)
        with suppress(*RAISES[kind]):
            root.add_event(data.draw(odd, "event"), {"odd": value}, data.draw(times, "event time"))
        root.set_attribute("good", "kept")
        root.set_status(Status(StatusCode.ERROR, data.draw(st.text(), "status")))
        root.end(data.draw(times, "end"))

    [span] = told(kind, story).values()
    assert attributes_of(span)["good"] == {"stringValue": "kept"}
    assert 0 < int(span["startTimeUnixNano"]) < 2**63
    assert 0 < int(span["endTimeUnixNano"]) < 2**63


@given(kind=st.sampled_from(KINDS), name=odd)
def test_a_span_of_any_name_can_be_read(kind: str, name: Any) -> None:
    [span] = told(kind, lambda tracer: tracer.start_span(name).end()).values()
    assert isinstance(span["name"], str)
    assert span["name"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("experiment", ["a\ud800b", Colour.RED, 7, 2**70], ids=ascii)
def test_an_experiment_of_any_kind_is_a_name(kind: str, experiment: Any) -> None:
    tracing = RecordingTracing()
    tracer = tracing.tracer("x") if kind == "light" else tracing.provider.get_tracer("x")
    for given_experiment in (experiment, "good"):
        tracer.start_span("root", attributes={"offpath.experiment": given_experiment}).end()
    first, second = (event.experiment for event in tracing.events)
    assert first.encode()
    assert second == "good"


def light(key: str, value: Any) -> Any:
    span = told("light", lambda tracer: tracer.start_span("root", attributes={key: value}).end())["root"]
    return attributes_of(span).get(key)


def test_an_integer_of_more_than_64_bits_becomes_decimal_text() -> None:
    assert light("n", 2**63) == {"stringValue": "9223372036854775808"}
    assert light("n", [2**63 - 1, -(2**63) - 1]) == {
        "arrayValue": {"values": [{"intValue": "9223372036854775807"}, {"stringValue": "-9223372036854775809"}]}
    }
    assert light("n", 10**5000) == {"stringValue": hex(10**5000)}


def test_objects_become_the_value_that_they_stand_for() -> None:
    assert light("enum", Colour.RED) == {"stringValue": "red"}
    assert light("numpy", np.float32(1.5)) == {"doubleValue": 1.5}
    assert light("array", np.arange(2)) == {"arrayValue": {"values": [{"intValue": "0"}, {"intValue": "1"}]}}
    assert light("decimal", Decimal("1.5")) == {"stringValue": "1.5"}
    assert light("key", {5: "five"}) == {"kvlistValue": {"values": [{"key": "5", "value": {"stringValue": "five"}}]}}


def test_an_object_without_a_text_is_left_out_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    given_attributes: Any = {"a": Silent(), "b": 1}
    span = told("light", lambda tracer: tracer.start_span("root", attributes=given_attributes).end())["root"]
    assert "a" not in attributes_of(span)
    assert span["droppedAttributesCount"] == 1
    assert "1 value(s) are left out: attribute 'a' of 'root': a Silent cannot be shown" in caplog.text


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_is_noted_as_it_is_at_the_call(kind: str) -> None:
    history = ["hi"]

    def story(tracer: Tracer) -> None:
        root = tracer.start_span("root")
        root.set_attribute("turns", history)
        root.add_event("turn", {"turns": history})
        history.append("and more")
        root.end()

    span = told(kind, story)["root"]
    noted = {"arrayValue": {"values": [{"stringValue": "hi"}]}}
    assert attributes_of(span)["turns"] == noted
    assert attributes_of(span["events"][0])["turns"] == noted


def test_texts_and_bytes_are_kept_by_reference() -> None:
    tracing, text, content = RecordingTracing(), "x" * 1_000_000, b"y" * 1_000_000
    span = tracing.tracer("x").start_span("root", attributes={"text": text})
    span.set_attribute("bytes", content)
    span.end()
    noted = tracing.traces[0].root.attributes or {}
    assert noted["text"] is text
    assert noted["bytes"] is content


def test_a_key_that_cannot_be_shown_costs_itself_alone() -> None:
    class Mute:
        def __repr__(self) -> str:
            raise RuntimeError("a defect")

    story = told("light", lambda tracer: tracer.start_span("root", attributes={Mute(): 1, "b": 1}).end())  # type: ignore[dict-item]
    assert attributes_of(story["root"])["b"] == {"intValue": "1"}


def test_an_exception_without_a_message_is_noted() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("a defect")

    def story(tracer: Tracer) -> None:
        with pytest.raises(Mute), tracer.start_as_current_span("root"):
            raise Mute

    assert told("light", story)["root"]["events"][0]["name"] == "exception"


def test_a_key_that_cannot_be_one_raises_nothing() -> None:
    wrong: Any = ["k"]

    def story(tracer: Tracer) -> None:
        span = tracer.start_span("root", attributes={"a": 1})
        span.set_attribute(wrong, 1)
        span.end()

    assert attributes_of(told("light", story)["root"])["a"] == {"intValue": "1"}
