"""Choose which traces MLflow gets, where it should not get all. The archive keeps every one.

Kept are, in this order: what failed, what was slow, what the model was least sure of, and a share of the rest. What
is decided of an event depends on it alone, so that it is the same however often it comes.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from offpath.attributes import OUTCOME, SPAN_OUTPUTS, trace_tag
from trace_writer.decode import Decoded

FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Sampling:
    """The rules. By default everything is kept.

    share: of traces of which no other rule says that they are kept, from 0 to 1; drawn by a hash of the trace id, so
    that the parts of a trace are kept or left together. slow_milliseconds: a trace that took longer is kept; None: no
    such rule. uncertain_below: a trace is kept if the most probable class of one of its predictions is less probable.
    """

    share: float = 1.0
    slow_milliseconds: float | None = None
    uncertain_below: float | None = None

    def keeps(self, event: Decoded) -> bool:
        """Return whether MLflow gets the event."""
        if self.share >= 1 or _drawn(event.summary.trace_id) < self.share:
            return True
        return any(self._is_notable(span) for span in _outermost(event.payload))

    def _is_notable(self, span: Span) -> bool:
        values = {attribute.key: attribute.value.string_value for attribute in span.attributes}
        if span.status.code == Status.STATUS_CODE_ERROR or values.get(trace_tag(OUTCOME)) == FAILED:
            return True
        milliseconds = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
        if self.slow_milliseconds is not None and milliseconds > self.slow_milliseconds:
            return True
        bound = self.uncertain_below
        return bound is not None and any(one < bound for one in _certainties(values.get(SPAN_OUTPUTS, "")))


def _drawn(trace_id: str) -> float:
    """Return a number from 0 to 1 that is the same for each event of the trace."""
    return int.from_bytes(hashlib.sha256(trace_id.encode()).digest()[:8]) / 2**64


def _outermost(payload: bytes) -> Iterator[Span]:
    """Yield the spans whose parents are not in the event."""
    request = ExportTraceServiceRequest.FromString(payload)
    spans = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
    known = {span.span_id for span in spans}
    return (span for span in spans if span.parent_span_id not in known)


def _certainties(outputs: str) -> Iterator[float]:
    """Yield for each prediction in a trace's outputs how probable its most probable class is."""
    try:
        predictions: Any = json.loads(outputs)["predictions"]
    except (ValueError, TypeError, KeyError, RecursionError):  # outputs of another form say nothing of it
        return
    for prediction in predictions if isinstance(predictions, list) else []:
        probabilities = prediction.get("probabilities") if isinstance(prediction, dict) else None
        if isinstance(probabilities, dict):
            yield from _highest(probabilities.values())


def _highest(values: Iterable[object]) -> list[float]:
    numbers = [value for value in values if isinstance(value, int | float)]
    return [max(numbers)] if numbers else []


KEEP_ALL = Sampling()
