"""A span as the comparison reads it, wherever it was kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Span:
    """start, end: nanoseconds since the epoch. failed: whether its status is ERROR."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start: int
    end: int
    failed: bool
    attributes: Mapping[str, Any]

    @property
    def milliseconds(self) -> float:
        """How long it took."""
        return (self.end - self.start) / 1e6


class Source(Protocol):
    """Where traces are kept."""

    def spans(self, model: str) -> Iterator[list[Span]]:
        """The spans of the model's traces, those of one request together. Raises CompareError."""


class CompareError(Exception):
    """A comparison that cannot be made; the message says what to do."""
