"""Keep MLflow's own record of the traces under way, which its functions read and write."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from opentelemetry import context as current_context
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import NonRecordingSpan, format_span_id, format_trace_id
from typing_extensions import override

from offpath.attributes import CLIENT_REQUEST_ID, EXPERIMENT, SESSION, USER, trace_tag
from offpath.tracing._collector import TraceCollector
from offpath.tracing._context import is_sending
from offpath.tracing._root_attributes import SAID_STATE, SAID_STATES
from offpath.tracing._shown_span import ShownSpan, to_show, with_real, with_shown

if TYPE_CHECKING:
    from mlflow.entities import TraceInfo

    from offpath.tracing._mlflow_api import MlflowApi

_OF_METADATA = {"mlflow.trace.session": SESSION, "mlflow.trace.user": USER}
# As many as MLflow keeps (MLFLOW_TRACE_BUFFER_MAX_SIZE). One that never ends, such as a stream's that nobody reads to
# its end, makes room for another.
MOST_TRACES = 1_000


class MlflowTraces:
    """The traces that MLflow's functions, such as `mlflow.update_current_trace`, know in this process."""

    def __init__(self, mlflow: "MlflowApi") -> None:
        self._mlflow = mlflow
        self._lock = threading.RLock()  # the garbage collector may end a span within any line
        self._known: dict[int, None] = {}  # trace ids, the oldest first
        self._open: dict[int, set[int]] = {}  # MLflow's spans, by trace id

    def begin_anew(self) -> None:
        """Go on in a copy of the process, in which another thread may hold the lock for ever."""
        self._lock = threading.RLock()

    def started(self, span: Span) -> None:
        """Make one of MLflow's spans known to it. The outermost one names MLflow's experiment, if MLflow has a name."""
        own = span.get_span_context()
        with self._lock:
            others = self._open.setdefault(own.trace_id, set())
            is_outermost = not others
            others.add(own.span_id)
        if is_outermost and (experiment := self._mlflow.experiment_name()):
            span.set_attribute(EXPERIMENT, experiment)
        self._mlflow.traces.register_span(self._mlflow.new_span(span, self._trace(own.trace_id, span.start_time)))

    def ended(self, trace_id: int, span_id: int) -> None:
        """Note that one of MLflow's spans has ended."""
        with self._lock:
            others = self._open.get(trace_id, set())
            others.discard(span_id)
            if others:
                return
            self._open.pop(trace_id, None)
        self._mlflow.set_last_active_trace_id(_mlflow_id(trace_id))

    def shown(self, context: Context) -> Context:
        """Return the context as MLflow is to see it: each span that is current there is one that MLflow knows."""
        span = to_show(context)
        if span is None:
            return context
        own = span.get_span_context()
        if not span.is_recording() or is_sending(context):
            return with_shown(context, NonRecordingSpan(own))
        trace_id = self._trace(own.trace_id, span.start_time)
        shown = ShownSpan(span, json.dumps(trace_id))
        if self._mlflow.traces.get_span_from_id(trace_id, format_span_id(own.span_id)) is None:
            self._mlflow.traces.register_span(self._mlflow.new_span(shown, trace_id))
        return with_shown(context, shown)

    def describe(self, trace_id: int) -> Mapping[str, str]:
        """Return what MLflow's functions have said of the trace, as attributes of its root, and forget the trace.

        It is kept while one of MLflow's spans in it is open.
        """
        known = self._mlflow.traces.get_mlflow_trace_id_from_otel_id(trace_id)
        if known is None:
            return {}
        with self._mlflow.traces.get_trace(known) as trace:
            said = dict(_attributes(trace.info)) if trace else {}
        with self._lock:
            is_over = trace_id not in self._open
        if is_over:
            self._forget(trace_id)
        return said

    def _trace(self, trace_id: int, start_time: int | None) -> str:
        """Return MLflow's id of the trace, which MLflow knows from now on."""
        known = _mlflow_id(trace_id)
        with self._mlflow.traces.get_trace(known) as trace:
            if trace is not None:
                return known
            self._mlflow.traces.register_trace(trace_id, self._mlflow.new_trace(known, start_time or 0))
        with self._lock:
            self._known[trace_id] = None
            oldest = next(iter(self._known)) if len(self._known) > MOST_TRACES else None
        if oldest is not None:
            self._forget(oldest)
        return known

    def _forget(self, trace_id: int) -> None:
        with self._lock:
            self._known.pop(trace_id, None)
            self._open.pop(trace_id, None)
        with self._mlflow.traces.get_trace(_mlflow_id(trace_id)) as trace:
            if trace is not None:
                trace.span_dict.clear()  # else MLflow would copy them all as it forgets the trace
        with suppress(Exception):  # it is forgotten first, and MLflow's preview of it is of no use
            self._mlflow.traces.pop_trace(trace_id)


class MlflowSpans(SpanProcessor):
    """Makes MLflow's spans known to MLflow, and gives them to the collector."""

    def __init__(self, traces: MlflowTraces, collector: TraceCollector) -> None:
        self._traces = traces
        self._collector = collector

    @override
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note that the span has started."""
        context = current_context.get_current() if parent_context is None else parent_context
        self._traces.started(span)
        self._collector.on_start(span, with_real(context, context))

    @override
    def on_end(self, span: ReadableSpan) -> None:
        """Note that the span has ended."""
        if own := span.get_span_context():
            self._traces.ended(own.trace_id, own.span_id)
        self._collector.on_end(span)

    @override
    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Publish what was delivered so far. Return False if that did not end in time."""
        return self._collector.force_flush(timeout_millis)


def _mlflow_id(trace_id: int) -> str:
    return f"tr-{format_trace_id(trace_id)}"


def _attributes(info: "TraceInfo") -> Iterator[tuple[str, str]]:
    """Yield the root's attributes that say the same. What OTLP has no attribute for becomes tags.

    A state is one that `mlflow.update_current_trace` has set. Assessments are those of `mlflow.log_feedback` and
    `mlflow.log_expectation` within the trace; later ones go to the server.
    """
    if str(info.state) in SAID_STATES:
        yield SAID_STATE, str(info.state)
    if info.client_request_id:
        yield trace_tag(CLIENT_REQUEST_ID), str(info.client_request_id)
    for key, value in info.trace_metadata.items():
        yield _OF_METADATA.get(key) or trace_tag(key), str(value)
    for assessment in info.assessments:
        if told := assessment.feedback or assessment.expectation:
            yield trace_tag(f"assessment.{assessment.name}"), str(told.value)
    for key, value in info.tags.items():
        yield trace_tag(key), str(value)
