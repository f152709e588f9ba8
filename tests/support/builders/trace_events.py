"""Trace events as OpenTelemetry's SDK and encoder make them, and the batches of SQS messages that carry them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from opentelemetry.exporter.otlp.json.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span, StatusCode, Tracer

from offpath.contracts.message import Message
from offpath.contracts.trace_event import ClaimStore, TraceEvent, encode_message
from trace_writer.decode import Decoded, Received, decode
from trace_writer.sqs import received


def ended_spans(work: Callable[[Tracer], None]) -> Sequence[Any]:
    """The spans that the work starts with a tracer, in the order they end."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "prediction-api"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    work(provider.get_tracer("offpath"))
    return exporter.get_finished_spans()


def as_event(spans: Sequence[Any], experiment: str = "offpath/iris") -> TraceEvent:
    """The event of these spans."""
    body = json.dumps(encode_spans(spans).to_dict(), separators=(",", ":"))
    return TraceEvent(f"{spans[0].context.trace_id:032x}", experiment, body)


def prediction_event(
    experiment: str = "offpath/iris",
    attributes: Mapping[str, Any] | None = None,
    *,
    failed: bool = False,
    name: str = "POST /predict",
) -> TraceEvent:
    """A prediction's trace: request, validation and model call, with inputs, outputs and tags."""

    def predict(tracer: Tracer) -> None:
        with tracer.start_as_current_span(name, attributes={**_ROOT, **(attributes or {})}) as root:
            with tracer.start_as_current_span("validate", attributes={"records": 1}):
                pass
            with tracer.start_as_current_span("model", attributes={"mlflow.spanType": "LLM", "confident": True}):
                pass
            _end(root, failed=failed)

    return as_event(ended_spans(predict), experiment)


_ROOT: Mapping[str, Any] = {
    "mlflow.spanInputs": '{"petal_length": 1.4}',
    "mlflow.spanOutputs": '{"label": "setosa"}',
    "mlflow.spanType": "CHAIN",
    "mlflow.traceTag.model": "iris",
    "mlflow.traceTag.model_version": "3",
    "mlflow.traceTag.mlflow.traceName": "iris",
    "offpath.sequence": 7,
}


def _end(root: Span, *, failed: bool) -> None:
    if failed:
        root.set_status(StatusCode.ERROR, "the model refused the record")


def inline_message(event: TraceEvent, **attributes: str) -> Message:
    """The message that holds an event, with some attributes changed."""
    own = {"kind": "inline", "schema": "otlp-json/1", "experiment": event.experiment, "trace_id": event.trace_id}
    return Message(event.body, own | attributes)


def claimed(event: TraceEvent, claims: ClaimStore) -> Message:
    """The message that stands for an event in the claim store."""
    return encode_message(event, claims, max_bytes=1)


def sqs_event(messages: Mapping[str, Message], receives: int = 1) -> dict[str, Any]:
    """Return the event that Lambda hands over for messages of these ids, each received so often."""
    return {"Records": [_record(message_id, message, receives) for message_id, message in messages.items()]}


def _record(message_id: str, message: Message, receives: int) -> dict[str, Any]:
    attributes = {name: {"stringValue": value, "dataType": "String"} for name, value in message.attributes.items()}
    return {
        "messageId": message_id,
        "body": message.body,
        "attributes": {"ApproximateReceiveCount": str(receives)},
        "messageAttributes": attributes,
        "eventSource": "aws:sqs",
    }


def batch_of(messages: Mapping[str, Message], receives: int = 1) -> list[Received]:
    """These messages as the writer takes them, each received so often."""
    return received(sqs_event(messages, receives))


def decoded(message_id: str, event: TraceEvent, claims: ClaimStore) -> Decoded:
    """An event, decoded."""
    return decode(Received(message_id, inline_message(event)), claims)


def nested_event(depth: int, experiment: str = "offpath/iris") -> TraceEvent:
    """A trace with an attribute of lists in lists."""
    event = prediction_event(experiment)
    document = json.loads(event.body)
    value: dict[str, Any] = {"stringValue": "the innermost"}
    for _ in range(depth):
        value = {"arrayValue": {"values": [value]}}
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"].append({"key": "nested", "value": value})
    return TraceEvent(event.trace_id, event.experiment, json.dumps(document))


def refused(event: Decoded) -> Decoded:
    """The event with lists in lists deeper than protobuf's parsers go, which decoding never lets through."""
    request = ExportTraceServiceRequest.FromString(event.payload)
    value = request.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="nested").value
    for _ in range(120):
        value = value.array_value.values.add()
    value.string_value = "the innermost"
    return replace(event, payload=request.SerializeToString())
