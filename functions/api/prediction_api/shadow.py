"""Versions that answer nobody: they predict, behind the response, what another version answered.

What they say is a span of the request's own trace, which travels in a message of its own: the request's was on its way
before, whatever becomes of the shadow.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, Status, StatusCode, Tracer, set_span_in_context
from pydantic_core import to_json
from starlette.background import BackgroundTask

from offpath import attributes
from prediction_api.errors import PredictionApiError
from prediction_api.format_predictions import predictions
from prediction_api.inputs.batch import Batch, Outputs
from prediction_api.models.served import ServedModel
from prediction_api.shadow_agreement import agreement

# Where predictions come faster than shadows can follow, the newest go without one.
MAX_WAITING = 100
MAX_WAITING_BYTES = 32 * 1024 * 1024

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was answered: by whom, with what, and how its body is read for a model."""

    served: ServedModel
    outputs: Outputs
    records: int
    body: bytes
    read: Callable[[ServedModel, bytes], Batch]
    root: SpanContext
    experiment: str


class Shadows:
    """Predictions that are still to be made."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._waiting: deque[tuple[ServedModel, Answered]] = deque()
        self._bytes = 0  # of the bodies that wait
        self._lock = threading.Lock()

    def behind(self, answered: Answered, shadows: tuple[ServedModel, ...], root: Span) -> BackgroundTask | None:
        """What is to be done once the response is sent, for the shadows that did not answer themselves."""
        others = [shadow for shadow in shadows if shadow.version.number != answered.served.version.number]
        if others and (len(self._waiting) >= MAX_WAITING or self._bytes >= MAX_WAITING_BYTES):
            root.set_attribute(attributes.SHADOW_SKIPPED, [shadow.alias for shadow in others])
            return None
        return BackgroundTask(self._follow, others, answered) if others else None

    async def _follow(self, shadows: list[ServedModel], answered: Answered) -> None:
        """Only notes what to do: in Lambda, the response waits for this."""
        self._count(len(answered.body) * len(shadows))
        self._waiting.extend((shadow, answered) for shadow in shadows)

    def run(self) -> None:
        """Make the predictions that wait; each becomes a span, whatever comes of it.

        Those that come meanwhile are left to the next time: under steady traffic this would not end, and no other task
        would have its turn.
        """
        for _ in range(len(self._waiting)):
            shadow, answered = self._waiting.popleft()
            self._count(-len(answered.body))
            self._predict(shadow, answered)

    def _count(self, change: int) -> None:
        with self._lock:
            self._bytes += change

    def _predict(self, shadow: ServedModel, answered: Answered) -> None:
        context = set_span_in_context(NonRecordingSpan(answered.root))
        with self._tracer.start_as_current_span(
            f"{shadow.name} shadow",
            context,
            attributes=_described(shadow, answered),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                outputs = shadow.predictor.run(answered.read(shadow, answered.body))
                _note(span, shadow, answered, outputs)
            except PredictionApiError as error:
                span.set_status(Status(StatusCode.ERROR, error.detail))
            except Exception as error:
                _log.exception("the shadow %s of model %s failed", shadow.alias, shadow.name)
                span.record_exception(error)
                span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))


def _described(shadow: ServedModel, answered: Answered) -> dict[str, str | bool]:
    return {
        attributes.EXPERIMENT: answered.experiment,
        attributes.SPAN_TYPE: "TASK",
        attributes.SPAN_INPUTS: f'{{"records": {answered.records}}}',
        attributes.SHADOW: True,
        **attributes.of_model(shadow.name, shadow.version.number, shadow.alias),
    }


def _note(span: Span, shadow: ServedModel, answered: Answered, outputs: Outputs) -> None:
    said = predictions(shadow.version, outputs, answered.records)
    span.set_attribute(attributes.SPAN_OUTPUTS, to_json(said).decode())
    given = predictions(answered.served.version, answered.outputs, answered.records)
    if found := agreement(given, said):
        span.set_attribute(attributes.SHADOW_AGREEMENT, found.share)
        if found.difference is not None:
            span.set_attribute(attributes.SHADOW_DIFFERENCE, found.difference)
