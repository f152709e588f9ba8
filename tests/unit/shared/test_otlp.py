"""The body of an event is what any OTLP backend reads."""

import json

import pytest
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


def test_any_text_travels_in_characters_that_sqs_takes() -> None:
    event = encode(ended_trace(**{"mlflow.spanInputs": "\x00\ud800￾é😀"}), "offpath")
    assert event.body.isascii()
    assert attributes_of(spans_of(event.body)["predict"])["mlflow.spanInputs"]["stringValue"] == "\x00\ufffd￾é😀"


@pytest.mark.parametrize(("own", "sent"), [({}, "fraud-api"), ({"service.name": "theirs"}, "theirs")])
def test_a_provider_without_a_service_gets_the_processs(own: dict[str, str], sent: str) -> None:
    tracing = RecordingTracing(provider=TracerProvider(resource=Resource.create(own), shutdown_on_exit=False))
    tracing.tracer("x").start_span("predict").end()
    [group] = json.loads(encode(tracing.worker.ended[0], "offpath", "fraud-api").body)["resourceSpans"]
    names = [item["value"] for item in group["resource"]["attributes"] if item["key"] == "service.name"]
    assert names == [{"stringValue": sent}]
