"""Which event a line is can be told without reading all of it, whatever callers have sent."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offpath.contracts.event_summary import (
    NOTHING_SAID,
    EventSummary,
    numbers_begin,
    summarise_event,
    summarise_message,
)
from offpath.contracts.message import Message
from offpath.tracing._event_sequence import EventSequence, new_instance
from tests.support.builders.trace_events import inline_message, prediction_event
from tests.support.golden import golden_message

INSTANCE = "0123456789abcdef" * 2
NUMBERED = {"offpath.instance": INSTANCE, "offpath.sequence": 12, "offpath.experiment": "offpath/iris"}
HOSTILE = st.text(alphabet='"\\{}:,ofpathinsce.keyvlutrgV 1é\n') | st.sampled_from(
    [
        "offpath.instance",
        "offpath.sequence",
        json.dumps({"key": "offpath.instance", "value": {"stringValue": "f" * 32}}),
    ]
)


def walked(line: bytes) -> dict[str, Any]:
    """Return the attributes of the last span, read as JSON."""
    span = json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"][-1]
    return {item["key"]: next(iter(item["value"].values())) for item in span["attributes"]}


def test_a_published_event_says_which_one_it_is() -> None:
    message = golden_message("otlp-json/1/predicted.json")
    assert summarise_message(message) == EventSummary(
        "338d2b3ce1b64062b37cbdb415d88ff5",
        1,
        "530419e28b71ed55877312de63cfa8d1",
        "offpath/iris",
        "iris",
        datetime.fromtimestamp(1795580021980454 // 1_000_000, UTC) + timedelta(microseconds=980454),
    )


@given(inputs=HOSTILE, session=HOSTILE, indent=st.sampled_from([None, 2]))
def test_what_callers_send_is_taken_for_no_attribute(inputs: str, session: str, indent: int | None) -> None:
    told = {"mlflow.spanInputs": inputs, "session.id": session, **NUMBERED, "mlflow.spanOutputs": inputs}
    event = prediction_event(attributes=told)
    line = json.dumps(json.loads(event.body), ensure_ascii=False, indent=indent).encode()
    found = summarise_event(line)
    assert (found.instance, found.sequence) == (INSTANCE, 12)
    assert (found.trace_id, found.experiment, found.model) == (event.trace_id, "offpath/iris", "iris")
    assert walked(line)["offpath.instance"] == found.instance


@pytest.mark.parametrize(
    ("instance", "sequence"), [("", 1), ("short", 1), (INSTANCE, 0), (INSTANCE, -1), (INSTANCE, 2.5), (INSTANCE, "x")]
)
def test_a_number_counts_whole_or_not_at_all(instance: str, sequence: float | str) -> None:
    event = prediction_event(attributes={"offpath.instance": instance, "offpath.sequence": sequence})
    found = summarise_event(event.body.encode())
    assert (found.instance, found.sequence, found.is_numbered) == ("", 0, False)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"\xff\x00",
        b'{"traceId": 7}',
        b'{"key":"offpath.instance","value":{"stringValue":"\xff"}}',
    ],
)
def test_a_line_that_is_no_event_says_nothing(line: bytes) -> None:
    assert summarise_event(line) == NOTHING_SAID


@given(line=st.binary(max_size=200))
def test_any_bytes_can_be_looked_at(line: bytes) -> None:
    assert not summarise_event(line).is_numbered


def test_a_messages_own_attributes_go_first() -> None:
    event = prediction_event(attributes={**NUMBERED, "offpath.experiment": "other"})
    found = summarise_message(inline_message(event))
    assert (found.experiment, found.trace_id) == ("offpath/iris", event.trace_id)
    assert summarise_message(Message("\ud800", {"trace_id": "t"})) == EventSummary(trace_id="t")


def test_instance_says_since_when_it_counts() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    numbers = EventSequence()
    first = numbers.next()
    begin = numbers_begin(first.instance)
    assert begin is not None
    assert before <= begin <= datetime.now(UTC)
    assert uuid.UUID(first.instance).version == 7
    assert (first.sequence, numbers.next()) == (1, (first.instance, 2))
    assert len({new_instance() for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize(
    "instance", ["", "x" * 32, "9d1cd3b1f6c84a0ea1f9d6f0f6d2c3a7", "f" * 12 + "7fff8" + "f" * 15, "0" * 32]
)
def test_other_instances_do_not_say_since_when(instance: str) -> None:
    assert numbers_begin(instance) is None
