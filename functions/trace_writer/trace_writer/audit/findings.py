"""Hold the result of an audit: counts by model, and the events that are missing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """Say how an event is missing."""

    lost = "lost"
    """Its process gave it a number, and nothing else is known of it."""
    no_end = "no_end"
    """It is in the archive, and neither in MLflow nor dead-lettered, nor does it wait anywhere."""
    not_archived = "not_archived"
    """A receipt says how it ended, and it is not in the archive."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Name events that are missing: the numbers first to last of a process.

    since, until: of lost events, when those beside them ended; of others, when they did themselves. model: empty if it
    is not known. trace_ids: of those that are known, in no order.
    """

    kind: Kind
    instance: str
    first: int
    last: int
    since: datetime
    until: datetime
    model: str = ""
    trace_ids: Sequence[str] = ()

    @property
    def count(self) -> int:
        """How many events these are."""
        return self.last - self.first + 1


@dataclass(slots=True)
class Tally:
    """Count the events of a model, each once.

    ends: how many ended how, by the strongest end of each. twice: those that are in the archive more than once, as a
    redelivery leaves them; readers take one. on_their_way: those that are too young to be judged. unrecorded: those
    from before receipts were kept. unarchived: those that ended and are not in the archive, dead letters that could not
    be read among them. missing: those that are missing and whose model is known.
    """

    archived: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    twice: int = 0
    waiting: int = 0
    on_their_way: int = 0
    spilled: int = 0
    unrecorded: int = 0
    unarchived: int = 0
    missing: int = 0

    @property
    def emitted(self) -> int:
        """How many events are known to have been emitted."""
        return self.archived + self.unarchived + self.spilled


@dataclass(slots=True)
class Findings:
    """Hold what an audit found. models: by name; that of an event that names none is its experiment.

    missing: in runs. unnumbered: events in the archive that have no number, and cannot be accounted for.
    nameless_dead_letters: those that do not say which events they are; lost events may be among them. spilled: how many
    events wait under `spill/`. on_queue: how many messages wait there, None if that is not known.
    """

    models: dict[str, Tally] = field(default_factory=dict)
    processes: int = 0
    missing: list[Missing] = field(default_factory=list)
    unnumbered: int = 0
    nameless_dead_letters: int = 0
    spilled: int = 0
    on_queue: int | None = None
    unreadable: list[str] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        """How many events the notes say wait on the queue."""
        return sum(tally.waiting for tally in self.models.values())

    @property
    def queue_lacks(self) -> int:
        """How many messages fewer are on the queue than events wait there by the notes."""
        return 0 if self.on_queue is None else max(0, self.waiting - self.on_queue)

    @property
    def missing_count(self) -> int:
        """How many events are missing, those among them that should wait on the queue."""
        return sum(one.count for one in self.missing) + self.queue_lacks

    @property
    def is_whole(self) -> bool:
        """Whether everything could be read, and is from when receipts were kept."""
        return not self.unreadable and not any(tally.unrecorded for tally in self.models.values())
