"""The body of an event is what any OTLP backend reads."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from offpath.testing import RecordingTracing
from offpath.tracing._otlp import encode
from tests.support.builders.spans import ended_trace
from tests.support.otlp_json import attributes_of, spans_of


def test_ids_are_hex_and_times_are_strings() -> None:
    event = encode(ended_trace(), "offpath")
    root = spans_of(event.body)["predict"]
    assert root["traceId"] == event.trace_id
    assert len(root["spanId"]) == 16
    assert root["startTimeUnixNano"].isdigit()


def test_experiment_is_the_roots_own_or_the_default() -> None:
    own, default = encode(ended_trace(**{"offpath.experiment": "offpath/iris"}), "offpath"), encode(ended_trace(), "x")
    assert (own.experiment, default.experiment) == ("offpath/iris", "x")
    for event in (own, default):
        found = attributes_of(spans_of(event.body)["predict"])
        assert found["offpath.experiment"] == {"stringValue": event.experiment}


def test_only_the_head_carries_the_emission() -> None:
    spans = spans_of(encode(ended_trace(), "offpath").body)
    assert "offpath.sequence" in attributes_of(spans["predict"])
    assert "offpath.sequence" not in attributes_of(spans["model"])


def test_the_resource_names_the_service_and_nothing_else() -> None:
    [group] = json.loads(encode(ended_trace(), "offpath").body)["resourceSpans"]
    assert group["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": "test"}}]


# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
OF_SQS = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")


def test_any_text_travels_in_characters_that_sqs_takes() -> None:
    event = encode(ended_trace(**{"mlflow.spanInputs": "\x00\ud800￾é😀"}), "offpath")
    assert OF_SQS.fullmatch(event.body)
    assert attributes_of(spans_of(event.body)["predict"])["mlflow.spanInputs"]["stringValue"] == "\x00\ufffd￾é😀"


@given(text=st.text(min_size=1))
def test_a_text_is_carried_as_it_is(text: str) -> None:
    event = encode(ended_trace(note=text), "offpath")
    assert OF_SQS.fullmatch(event.body)
    assert attributes_of(spans_of(event.body)["predict"])["note"]["stringValue"] == text


@pytest.mark.parametrize("text", ["é", "中", "😀"])
def test_a_text_takes_no_more_bytes_than_in_utf8(text: str) -> None:
    empty, full = (encode(ended_trace(**{"mlflow.spanInputs": text * size}), "offpath").body for size in (1, 10_001))
    assert len(full.encode()) - len(empty.encode()) == len(text.encode()) * 10_000


@pytest.mark.parametrize(("own", "sent"), [({}, "fraud-api"), ({"service.name": "theirs"}, "theirs")])
def test_a_provider_without_a_service_gets_the_processs(own: dict[str, str], sent: str) -> None:
    tracing = RecordingTracing(provider=TracerProvider(resource=Resource.create(own), shutdown_on_exit=False))
    tracing.tracer("x").start_span("predict").end()
    [group] = json.loads(encode(tracing.worker.ended[0], "offpath", "fraud-api").body)["resourceSpans"]
    names = [item["value"] for item in group["resource"]["attributes"] if item["key"] == "service.name"]
    assert names == [{"stringValue": sent}]
