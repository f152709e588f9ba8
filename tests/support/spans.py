"""A tracer whose traces the test can read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.trace import Tracer

from offpath.contracts.trace_event import TraceEvent
from offpath.tracing import Tracing, new_provider
from offpath.tracing._collector import TraceCollector
from offpath.tracing._event_sequence import EventSequence
from offpath.tracing._otlp import EndedTrace, encode
from offpath.tracing._workers import Handler


@dataclass
class Recorded:
    """A worker that keeps what it is given, and its events."""

    traces: list[EndedTrace] = field(default_factory=list)
    tasks: list[Callable[[], None]] = field(default_factory=list)
    closed: bool = False

    def submit(self, trace: EndedTrace) -> None:
        self.traces.append(trace)

    def add_periodic_task(self, task: Callable[[], None]) -> None:
        self.tasks.append(task)

    def wrap(self, handler: Handler) -> Handler:
        return handler

    def flush(self, timeout_seconds: float) -> bool:
        return True

    def close(self, timeout_seconds: float) -> bool:
        self.closed = True
        return True

    @property
    def events(self) -> list[TraceEvent]:
        return [encode(trace, "offpath") for trace in self.traces]

    def spans(self, index: int = -1) -> dict[str, dict[str, Any]]:
        """Name → attributes of the spans of one trace."""
        return {span.name: dict(span.attributes or {}) for span in self.traces[index].spans}


def recorded_tracing() -> tuple[Tracing, Recorded]:
    """Tracing as `install` sets it up, up to the worker."""
    provider, worker = new_provider("test"), Recorded()
    collector = TraceCollector(worker.submit, EventSequence())
    provider.add_span_processor(collector)
    return Tracing(provider, worker, collector), worker


def ended_trace(name: str = "predict", **attributes: str) -> EndedTrace:
    """One trace of two spans."""
    tracing, worker = recorded_tracing()
    tracer: Tracer = tracing.tracer("test")
    with tracer.start_as_current_span(name, attributes=attributes), tracer.start_as_current_span("model"):
        pass
    return worker.traces[0]
