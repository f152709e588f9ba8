"""Describe a span as the comparison reads it, wherever it was kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Span:
    """Hold what a comparison reads of a span.

    start, end: nanoseconds since the epoch. failed: whether its status is ERROR. attributes: texts, numbers, booleans
    and None; from MLflow also lists and objects.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start: int
    end: int
    failed: bool
    attributes: Mapping[str, object]

    @property
    def milliseconds(self) -> float:
        """The duration."""
        return (self.end - self.start) / 1e6


class TraceSource(Protocol):
    """Read traces from where they are kept."""

    def spans(self, model: str) -> Iterator[list[Span]]:
        """Yield the spans of the model's traces, those of one request together. Raises CompareError."""
