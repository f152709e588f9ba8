"""The time that an audit is about."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

GRACE = timedelta(minutes=15)


def milliseconds(time: datetime) -> int:
    """Return the milliseconds since 1970."""
    return int(time.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Period:
    """Events that ended from `since` on and before `until` are judged, unless they are younger than the grace.

    now: when the audit is made. grace: how long an event may be on its way. All times have a time zone.
    """

    since: datetime
    until: datetime
    now: datetime
    grace: timedelta = GRACE

    @property
    def young_since(self) -> datetime:
        """Since when events may still be on their way."""
        return self.now - self.grace

    def holds(self, time: datetime | None) -> bool:
        """Tell whether an event of that time is counted; one that says no time is."""
        return time is None or self.since <= time < self.until

    def is_young(self, time: datetime | None) -> bool:
        """Tell whether an event of that time may still be on its way."""
        return time is not None and time >= self.young_since


def hour_of(time: datetime) -> datetime:
    """Return the hour, in UTC, that a time lies in."""
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
