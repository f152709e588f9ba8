"""Ask MLflow itself whether it has the traces that receipts say it took."""

import json
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol
from urllib.parse import urlencode

from offpath.contracts.errors import Transient
from offpath.contracts.event_summary import EventSummary
from offpath.mlflow.http import Answer
from trace_writer.audit.ledger import ArchivedEvent

BATCH = 50
_PATH = "/api/3.0/mlflow/traces/batchGet"


class TraceServer(Protocol):
    """An MLflow server."""

    url: str

    def request(self, method: str, path: str) -> Answer:
        """Send one request, and return its answer. Raises Transient."""


@dataclass(frozen=True, slots=True)
class Expected:
    """An event as it is archived: which one it is, and how many spans it has."""

    event: EventSummary
    spans: int


@dataclass(frozen=True, slots=True)
class Absent:
    """A trace that MLflow has not, or not all of. found: how many of its spans there are."""

    trace_id: str
    model: str
    instance: str
    sequence: int
    expected: int
    found: int


class Sample:
    """Draws a number of events, each with the same chance, without knowing how many there will be."""

    def __init__(self, size: int, seed: int | None = None) -> None:
        self._size = size
        self._random = random.Random(seed)  # noqa: S311
        self._seen = 0
        self.drawn: list[Expected] = []

    def see(self, archived: ArchivedEvent) -> None:
        """Let an event take part in the draw."""
        self._seen += 1
        at = len(self.drawn) if len(self.drawn) < self._size else self._random.randrange(self._seen)
        if at < self._size:
            self.drawn[at : at + 1] = [expected(archived)]


def expected(archived: ArchivedEvent) -> Expected:
    """Return what MLflow should have of an archived event."""
    return Expected(archived.summary, len(set(_span_ids(archived.line))))


def absent(mlflow: TraceServer, events: Iterable[Expected], progress: Callable[[int], None]) -> Iterator[Absent]:
    """Yield those events whose traces MLflow has not, or not with as many spans.

    progress: is told how many events were asked for. Raises Transient if MLflow does not answer.
    """
    asked, waiting = 0, iter(events)
    while batch := list(islice(waiting, BATCH)):
        found = _spans_by_trace(mlflow, {one.event.trace_id for one in batch})
        for one in batch:
            spans = found.get(one.event.trace_id, 0)
            if spans < max(1, one.spans):
                event = one.event
                yield Absent(event.trace_id, event.model, event.instance, event.sequence, one.spans, spans)
        asked += len(batch)
        progress(asked)


def _span_ids(line: bytes) -> Iterator[str]:
    try:
        for resource in json.loads(line)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                yield from (span["spanId"] for span in scope["spans"])
    except (ValueError, KeyError, TypeError):
        return


def _spans_by_trace(mlflow: TraceServer, trace_ids: Iterable[str]) -> dict[str, int]:
    """Return how many spans MLflow has of each of these traces that it has. Raises Transient."""
    query = urlencode([("trace_ids", f"tr-{trace_id}") for trace_id in sorted(trace_ids)])
    answer = mlflow.request("GET", f"{_PATH}?{query}")
    if answer.status != 200:
        raise Transient(f"MLflow at {mlflow.url} does not hand out traces: HTTP {answer.status} {answer.body[:200]!r}")
    try:
        traces = json.loads(answer.body).get("traces", [])
        return {_id_of(trace): len(trace.get("spans", [])) for trace in traces}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Transient(f"what answers at {mlflow.url} is no MLflow: {answer.body[:200]!r}") from error


def _id_of(trace: dict[str, dict[str, str]]) -> str:
    return trace["trace_info"]["trace_id"].removeprefix("tr-")
