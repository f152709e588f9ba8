"""A tracing whose traces a test reads, instead of SQS."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from offpath.contracts.trace_event import TraceEvent
from offpath.tracing import Tracing, _installed, new_provider
from offpath.tracing._collector import TraceCollector
from offpath.tracing._event_sequence import EventNumber, EventSequence
from offpath.tracing._light_span import readable
from offpath.tracing._otlp import EndedTrace, encode
from offpath.tracing._receipts import Receipts
from offpath.tracing._tracing import TracingChoices
from offpath.tracing._workers import Handler

DEFAULT_EXPERIMENT = "offpath"
AS_BY_DEFAULT = TracingChoices()


@dataclass(frozen=True, slots=True)
class RecordedTrace:
    """One trace as it leaves the request.

    spans: in the order of their ends. root: the request's own span, or the one that ended after it. event: what is put
    on the queue.
    """

    spans: Sequence[ReadableSpan]
    root: ReadableSpan
    event: TraceEvent

    def span(self, name: str) -> ReadableSpan:
        """Return the span of that name. Raises LookupError that names those that there are."""
        for span in self.spans:
            if span.name == name:
                return span
        raise LookupError(f"no span {name!r} in {[span.name for span in self.spans]}")


@dataclass(slots=True)
class RecordingWorker:
    """A background worker that keeps what it is given."""

    ended: list[EndedTrace] = field(default_factory=list)
    tasks: list[Callable[[], None]] = field(default_factory=list)
    closed: bool = False

    def submit(self, trace: EndedTrace) -> None:
        """Keep the trace."""
        self.ended.append(trace)

    def add_periodic_task(self, task: Callable[[], None]) -> None:
        """Keep the task."""
        self.tasks.append(task)

    def wrap(self, handler: Handler) -> Handler:
        """Return the handler as it is."""
        return handler

    def flush(self, timeout_seconds: float) -> bool:  # noqa: ARG002
        """Return True: nothing is ever left."""
        return True

    def when_published(self, notify: Callable[[bool], None]) -> None:
        """Call this now: nothing is ever left."""
        notify(True)

    def close(self, timeout_seconds: float) -> bool:  # noqa: ARG002
        """Note that there will be no more."""
        self.closed = True
        return True


class RecordingTracing(Tracing):
    """A tracing like that of `install`, whose traces stay in memory.

    As a context manager it is the one that `offpath.traced` makes spans with, within the block.

    >>> import offpath
    >>> with RecordingTracing() as tracing:
    ...     with offpath.traced("predict", attributes={"model": "iris"}):
    ...         pass
    >>> [trace] = tracing.traces
    >>> trace.span("predict").attributes["model"]
    'iris'
    >>> trace.event.experiment
    'offpath'
    """

    worker: RecordingWorker

    def __init__(
        self,
        service_name: str = "test",
        provider: TracerProvider | None = None,
        choices: TracingChoices = AS_BY_DEFAULT,
        receipts: Receipts | None = None,
    ) -> None:
        """Record the spans of a new provider, or of the one that is given."""
        worker = RecordingWorker()
        provider = provider or new_provider(service_name, sampler=choices.sampler)
        collector = TraceCollector(EventSequence(), choices.wants, continues_experiment=choices.continues)
        collector.deliver_to(worker.submit, worker.flush)
        provider.add_span_processor(collector)
        super().__init__(provider, worker, collector, choices, receipts)

    def __enter__(self) -> Self:
        """Let `offpath.traced` make its spans with this tracing."""
        _installed.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Let it do so no more."""
        _installed.remove(self)

    @property
    def traces(self) -> list[RecordedTrace]:
        """The traces that have ended, in the order of their ends."""
        return [_recorded(ended) for ended in self.worker.ended]

    @property
    def events(self) -> list[TraceEvent]:
        """The events of these traces."""
        return [trace.event for trace in self.traces]

    def spans(self, index: int = -1) -> dict[str, Mapping[str, Any]]:
        """Return the attributes of one trace's spans by their names; of the latest trace, if not told otherwise."""
        return {span.name: dict(span.attributes or {}) for span in self.traces[index].spans}

    def run_periodic_tasks(self) -> None:
        """Call each periodic task once, as it is called after a response."""
        for task in self.worker.tasks:
            task()


def event_of(
    spans: Sequence[ReadableSpan], experiment: str = DEFAULT_EXPERIMENT, *, instance: str = "0" * 32, sequence: int = 1
) -> TraceEvent:
    """Return the event of one trace's ended spans, the root last, as the process of that instance puts it on the queue.

    experiment: of a root that names none. sequence: which of the process's events it is.

    >>> tracing = RecordingTracing()
    >>> tracing.tracer("test").start_span("predict").end()
    >>> event_of(tracing.traces[0].spans, "offpath/iris").experiment
    'offpath/iris'
    """
    return encode(EndedTrace(spans, spans[-1], EventNumber(instance, sequence)), experiment)


def _recorded(ended: EndedTrace) -> RecordedTrace:
    spans = [readable(span) for span in ended.spans]
    return RecordedTrace(spans, readable(ended.head), encode(ended, DEFAULT_EXPERIMENT))
