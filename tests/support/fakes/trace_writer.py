"""Fakes for the trace writer's ports. tests/contract holds each to what the real service does."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from offpath.aws.s3 import S3Claims
from offpath.contracts.errors import Rejected, Transient
from offpath.contracts.event_summary import EventSummary
from offpath.contracts.receipt import Receipt
from offpath.testing import InMemoryBucket, ManualClock
from trace_writer.decode import Received
from trace_writer.delivery import Delivery
from trace_writer.delivery_run import BACKOFF
from trace_writer.probe import PROBE_TRACE_ID
from trace_writer.tracker import ExperimentRefused, TrackerUnavailable
from trace_writer.writer import TraceWriter

# Pauses without jitter, for tests that look at them.
STEADY = replace(BACKOFF, jitter=0.0)
NOON = datetime(2031, 7, 14, 12, 5, tzinfo=UTC)


def claims() -> S3Claims:
    """Return claims over an empty bucket of their own."""
    return S3Claims(InMemoryBucket())


class FakeArchive:
    """An archive in a list: one item a batch."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.waiting: set[str] = set()
        self.receipts: list[Receipt] = []
        self.down = self.takes_no_receipts = False

    def store(self, lines: Iterable[bytes]) -> str | None:
        batch = [line.decode() for line in lines]
        if not batch:
            return None
        if self.down:
            raise Transient("S3 does not answer")
        self.batches.append(batch)
        return f"archive/{len(self.batches)}"

    def holds(self, batch: Iterable[Received]) -> frozenset[str]:
        return frozenset(received.message_id for received in batch if received.receives > 1) & self.waiting

    def note(self, waiting: Sequence[Received], summaries: Mapping[str, EventSummary] | None = None) -> None:
        self.waiting |= {received.message_id for received in waiting}

    def record(self, receipts: Sequence[Receipt]) -> None:
        if receipts and (self.down or self.takes_no_receipts):
            raise Transient("S3 does not answer")
        self.receipts += receipts

    @property
    def lines(self) -> list[str]:
        return [line for batch in self.batches for line in batch]


class FakeTracker:
    """MLflow in a dictionary: trace ids by experiment.

    trouble: asked with experiment and trace ids before each request, and may raise. requests: trace ids of each, but
    for the writer's probes, which are counted alone.
    """

    def __init__(self, trouble: Callable[[str, set[str]], None] | None = None) -> None:
        self.trouble = trouble or (lambda experiment, trace_ids: None)
        self.traces: dict[str, set[str]] = {}
        self.requests: list[set[str]] = []
        self.timeouts: list[float] = []
        self.probes = 0
        self.probe_timeouts: list[float] = []

    def log(self, experiment: str, payload: bytes, timeout_seconds: float) -> None:
        try:
            spans = _spans(payload)
        except DecodeError as error:
            raise Rejected(f"HTTP 400 {error}") from error
        trace_ids = {trace_id for trace_id, _ in spans}
        if trace_ids == {PROBE_TRACE_ID.hex()}:
            self.probes += 1
            self.probe_timeouts.append(timeout_seconds)
            self.trouble(experiment, trace_ids)
            return
        self.requests.append(trace_ids)
        self.timeouts.append(timeout_seconds)
        self.trouble(experiment, trace_ids)
        if len(experiment) > 500:
            raise ExperimentRefused("HTTP 400 the name is too long")
        if len(spans) != len(set(spans)):
            raise Rejected("HTTP 400 ON CONFLICT DO UPDATE command cannot affect row a second time")
        self.traces.setdefault(experiment, set()).update(trace_ids)

    @property
    def stored(self) -> set[str]:
        return set().union(*self.traces.values())


def _spans(payload: bytes) -> list[tuple[str, str]]:
    request = ExportTraceServiceRequest.FromString(payload)
    return [
        (span.trace_id.hex(), span.span_id.hex())
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


class Bench:
    """A trace writer over fakes, with a deadline a minute away."""

    def __init__(self, trouble: Callable[[str, set[str]], None] | None = None, max_post_bytes: int = 8_000_000) -> None:
        self.large_bodies, self.archive = InMemoryBucket(), FakeArchive()
        self.claims = S3Claims(self.large_bodies)
        self.tracker, self.clock = FakeTracker(trouble), ManualClock()
        self.delivery = Delivery(self.tracker, self.clock, max_post_bytes, STEADY)
        self.writer = TraceWriter(self.claims, self.archive, self.delivery)
        self.deadline = self.clock.now() + 60


def down(experiment: str, trace_ids: set[str]) -> None:
    """An MLflow that cannot be reached."""
    raise TrackerUnavailable("connection refused")
