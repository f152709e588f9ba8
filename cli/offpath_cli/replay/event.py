"""An event that is to be delivered again, and which events those are."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from offpath_cli.event_facts import EventFacts


@dataclass(frozen=True, slots=True)
class ReplayEvent:
    """Hold an event.

    key: of the object it was read from. place: where the reading was then. experiment: that of its message, or that it
    names itself.
    """

    body: str
    key: str
    place: str
    trace_id: str
    experiment: str
    facts: EventFacts


@dataclass(frozen=True, slots=True)
class Selection:
    """Choose events; what is empty rules nothing out. trace_ids: 32 hex digits each."""

    model: str = ""
    trace_ids: Collection[str] = ()
    outcome: str = ""

    def fits(self, event: ReplayEvent) -> bool:
        """Return whether the event is one of those that are wanted."""
        return (
            self.model in ("", event.facts.model)
            and self.outcome in ("", event.facts.outcome)
            and (not self.trace_ids or event.trace_id in self.trace_ids)
        )


@dataclass(frozen=True, slots=True)
class Period:
    """Hold from when to when, in UTC; None for no bound."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, time: datetime | None) -> bool:
        """Return whether the time is within the period; one that is not known is within every one."""
        if time is None:
            return True
        return (self.since is None or self.since <= time) and (self.until is None or time < self.until)
