"""Decode an SQS message into the forms that the archive and MLflow take."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from offpath.contracts.errors import MalformedEvent
from offpath.contracts.event_summary import NOTHING_SAID, EventSummary, summarise_event
from offpath.contracts.message import Message
from offpath.contracts.trace_event import ClaimStore, decode_message
from trace_writer.changes import Change, Changes
from trace_writer.json_text import one_line, storable_escapes
from trace_writer.limits import LIMITS, Limits
from trace_writer.otlp_request import all_spans, read_request
from trace_writer.remote_parent import detach_remote_parents
from trace_writer.storable import fit_experiment, fit_request


@dataclass(frozen=True, slots=True)
class Received:
    """Hold a message and the id that SQS gave it.

    receives: how often it was received, this time included. sent_at: when it was put on the queue, if that is known.
    receipt: what SQS knows this receive by; empty for what came otherwise.
    """

    message_id: str
    message: Message
    receives: int = 1
    sent_at: datetime | None = None
    receipt: str = ""

    @property
    def trace_id(self) -> str:
        """Return the trace that the message says it is of; empty if it does not say."""
        return self.message.attributes.get("trace_id", "")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Hold a trace event in both forms.

    line: OTLP/JSON, UTF-8, without a line break, as it came; empty once the archive has it. payload: OTLP/protobuf, as
    MLflow takes it. experiment: likewise. changes: what differs in these two. summary: which event it is.
    """

    source: Received
    experiment: str
    line: bytes
    payload: bytes
    changes: Sequence[Change] = ()
    summary: EventSummary = NOTHING_SAID


def decode(received: Received, claims: ClaimStore, limits: Limits = LIMITS) -> Decoded:
    """Decode a message, or the claim that it stands for. Raises Poison, UnknownSchema, or Transient."""
    try:
        event = decode_message(received.message, claims)
        limits.check_text(event.body)
        line = one_line(event.body)
    except (ValueError, OverflowError, RecursionError) as error:
        raise MalformedEvent(f"the message's content cannot be read: {error}") from error
    changes = Changes()
    experiment = fit_experiment(event.experiment, changes)
    request = _request(line, event.trace_id, changes, limits)
    content = line.encode()
    summary = replace(summarise_event(content), trace_id=event.trace_id)
    return Decoded(received, experiment, content, request.SerializeToString(), list(changes), summary)


def _request(line: str, trace_id: str, changes: Changes, limits: Limits) -> ExportTraceServiceRequest:
    fields = read_request(storable_escapes(line), trace_id, changes)
    limits.check_spans(len(all_spans(fields)))
    fit_request(fields, changes)
    if changes.by_span:
        changes.show(all_spans(fields))
    request = ExportTraceServiceRequest(**fields)
    detach_remote_parents(request)
    return request
