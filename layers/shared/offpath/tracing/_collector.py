"""Collect the spans of each trace, and hand over whole traces when the request's own span ends."""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor

from offpath.tracing._event_sequence import EventSequence
from offpath.tracing._light_span import AnySpan, LightSpan
from offpath.tracing._otlp import EndedTrace


def _nothing_to_flush(_: float) -> bool:
    return True


class TraceCollector(SpanProcessor):
    """Gathers ended spans by trace, and delivers them when the local root ends.

    The local root is the span with no parent in this process: it has none at all, or continues a caller's trace. A span
    that ends after its root (work done behind the response) is delivered on its own: MLflow adds it to the same trace.
    """

    def __init__(
        self,
        deliver: Callable[[EndedTrace], None],
        event_sequence: EventSequence,
        flush: Callable[[float], bool] = _nothing_to_flush,
    ) -> None:
        self._deliver = deliver
        self._flush = flush
        self._event_sequence = event_sequence
        self._lock = threading.Lock()
        self._open_roots: Counter[int] = Counter()
        self._ended: defaultdict[int, list[AnySpan]] = defaultdict(list)

    def on_start(self, span: Span | LightSpan, parent_context: Context | None = None) -> None:  # noqa: ARG002
        """Note a local root."""
        if _is_local_root(span) and span.context.trace_flags.sampled:
            with self._lock:
                self._open_roots[span.context.trace_id] += 1

    def on_end(self, span: AnySpan) -> None:
        """Keep the span, or deliver its trace."""
        context = span.get_span_context()
        if context is None or not context.trace_flags.sampled:
            return
        with self._lock:
            self._ended[context.trace_id].append(span)
            if not self._is_complete(context.trace_id, span):
                return
            spans = self._ended.pop(context.trace_id)
        self._deliver(EndedTrace(spans, span, self._event_sequence.next()))

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Publish what was delivered so far. Return False if that did not end in time."""
        return self._flush(timeout_millis / 1000)

    def _is_complete(self, trace_id: int, span: AnySpan) -> bool:
        if not _is_local_root(span):
            return trace_id not in self._open_roots
        self._open_roots[trace_id] -= 1
        if self._open_roots[trace_id] <= 0:
            del self._open_roots[trace_id]
        return True


def _is_local_root(span: AnySpan) -> bool:
    return span.parent is None or span.parent.is_remote
