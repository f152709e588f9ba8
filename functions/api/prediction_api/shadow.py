"""Shadows: versions that predict in the background what another version answered, to be compared with it.

A shadow's prediction is a trace of its own, linked to the request's span, in an experiment of the shadows. Within the
request's trace it would stretch that: MLflow counts a trace's time to the end of its last span.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, Status, StatusCode, Tracer, format_trace_id
from pydantic_core import to_json

from offpath import attributes
from offpath.attributes import trace_tag
from prediction_api.errors import PredictionApiError
from prediction_api.format_predictions import format_predictions
from prediction_api.inputs.batch import Outputs
from prediction_api.models.served import ServedModel
from prediction_api.prediction_protocol import PredictionProtocol, PredictionRequest
from prediction_api.shadow_agreement import compare_predictions

# Where predictions come faster than shadows can follow, the newest go without one.
MAX_WAITING = 100
MAX_WAITING_BYTES = 32 * 1024 * 1024

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """A request and the version that answered it. outputs, records: of that answer. experiment: of the shadows."""

    request: PredictionRequest
    protocol: PredictionProtocol
    served: ServedModel
    outputs: Outputs
    records: int
    experiment: str


@dataclass(frozen=True, slots=True)
class _ShadowPrediction:
    """One prediction to make. root: the request's span."""

    shadow: ServedModel
    answered: AnsweredRequest
    root: SpanContext


class Shadows:
    """The queue of predictions that shadows are still to make."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._waiting: deque[_ShadowPrediction] = deque()
        self._bytes = 0  # of the bodies that wait
        self._lock = threading.Lock()

    def plan(self, answered: AnsweredRequest, shadows: Sequence[ServedModel], root: Span) -> Callable[[], None] | None:
        """Return what queues a prediction of each shadow that did not answer itself, to be called after the response.

        None where there is none to make, or too many wait already; root, the request's span, then says which are left
        out.
        """
        others = [shadow for shadow in shadows if shadow.version.number != answered.served.version.number]
        if others and (len(self._waiting) >= MAX_WAITING or self._bytes >= MAX_WAITING_BYTES):
            root.set_attribute(attributes.SHADOW_SKIPPED, [shadow.alias for shadow in others])
            return None
        planned = [_ShadowPrediction(shadow, answered, root.get_span_context()) for shadow in others]
        return partial(self._enqueue, planned) if planned else None

    def _enqueue(self, planned: Sequence[_ShadowPrediction]) -> None:
        """Keep the predictions for later and make none: in Lambda, the response waits for this."""
        self._add_bytes(sum(len(one.answered.request.body) for one in planned))
        self._waiting.extend(planned)

    def run(self) -> None:
        """Make the predictions that wait now; each becomes a trace, even one that fails.

        Those that are queued meanwhile are left to the next run: under steady traffic this one would not end, and no
        other periodic task would run.
        """
        for _ in range(len(self._waiting)):
            one = self._waiting.popleft()
            self._add_bytes(-len(one.answered.request.body))
            self._predict(one)

    def _add_bytes(self, change: int) -> None:
        with self._lock:
            self._bytes += change

    def _predict(self, one: _ShadowPrediction) -> None:
        shadow, answered = one.shadow, one.answered
        with self._tracer.start_as_current_span(
            f"{shadow.name} shadow",
            Context(),
            attributes=_span_attributes(one),
            links=[Link(one.root)],
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                outputs = shadow.predictor.run(answered.protocol.read(shadow, answered.request))
                _trace_outputs(span, shadow, answered, outputs)
            except PredictionApiError as error:
                _note_failure(span, error.detail)
            except Exception as error:
                _log.exception("the shadow %s of model %s failed", shadow.alias, shadow.name)
                span.record_exception(error)
                _note_failure(span, f"{type(error).__name__}: {error}")


def _note_failure(span: Span, reason: str) -> None:
    """Note that there is no prediction: another version had one, so that a refusal is this one's failure, too."""
    span.set_status(Status(StatusCode.ERROR, reason))
    span.set_attribute(trace_tag(attributes.OUTCOME), "failed")


def _span_attributes(one: _ShadowPrediction) -> dict[str, str | bool]:
    shadow, answered = one.shadow, one.answered
    return {
        attributes.TRACE_NAME: shadow.name,
        attributes.EXPERIMENT: answered.experiment,
        trace_tag("model"): shadow.name,
        trace_tag("model_version"): shadow.version.number,
        trace_tag("alias"): shadow.alias,
        trace_tag(attributes.ANSWERED_TRACE_ID): f"tr-{format_trace_id(one.root.trace_id)}",
        attributes.SPAN_TYPE: "TASK",
        attributes.SPAN_INPUTS: f'{{"records": {answered.records}}}',
        attributes.SHADOW: True,
        **attributes.of_model(shadow.name, shadow.version.number, shadow.alias),
    }


def _trace_outputs(span: Span, shadow: ServedModel, answered: AnsweredRequest, outputs: Outputs) -> None:
    """Note the shadow's predictions, and how far they agree with the answer."""
    made = format_predictions(shadow.version, outputs, answered.records)
    span.set_attribute(attributes.SPAN_OUTPUTS, to_json(made).decode())
    given = format_predictions(answered.served.version, answered.outputs, answered.records)
    if found := compare_predictions(given, made):
        span.set_attribute(attributes.SHADOW_AGREEMENT, found.share)
        if found.difference is not None:
            span.set_attribute(attributes.SHADOW_DIFFERENCE, found.difference)
