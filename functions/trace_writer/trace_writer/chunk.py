"""Chunks: the events that go to MLflow in one request."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from offpath.aws.sqs import batches
from trace_writer.decode import Decoded
from trace_writer.tracker import TrackerUnavailable


@dataclass(frozen=True, slots=True)
class Chunk:
    """Events of one experiment. trouble: why they are still here. faults: how often MLflow failed on each alone."""

    experiment: str
    events: Sequence[Decoded]
    trouble: TrackerUnavailable | None = None
    faults: int = 0

    @property
    def retry_after(self) -> float:
        """Seconds that its trouble asked to be left alone, or 0."""
        return self.trouble.retry_after if self.trouble else 0.0

    @property
    def payload(self) -> bytes:
        """One OTLP request of all events.

        Serialized requests joined end to end are the request of all their parts: that is how protobuf encodes a
        repeated field. The same event twice goes once: PostgreSQL refuses an upsert that meets its own row.
        """
        return b"".join(dict.fromkeys(event.payload for event in self.events))

    def halves(self) -> "tuple[Chunk, Chunk]":
        """The same events as two chunks."""
        middle = len(self.events) // 2
        return replace(self, events=self.events[:middle]), replace(self, events=self.events[middle:])


def chunks(events: Iterable[Decoded], max_bytes: int, max_events: int) -> list[Chunk]:
    """Return the events by experiment, in order, in chunks of at most so many bytes and events.

    An event that alone is larger is a chunk of its own.
    """
    by_experiment: dict[str, list[Decoded]] = {}
    for event in events:
        by_experiment.setdefault(event.experiment, []).append(event)
    return [
        Chunk(experiment, part)
        for experiment, members in by_experiment.items()
        for part in batches(members, lambda event: len(event.payload), max_events, max_bytes)
    ]
