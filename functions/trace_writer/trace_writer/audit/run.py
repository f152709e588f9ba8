"""Audit a period: read what is needed, and look further only for what is not explained yet."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from offpath.contracts.event_summary import EventSummary
from offpath.contracts.receipt import DEAD_LETTERED, Receipt
from trace_writer.audit.accounts import Accounts
from trace_writer.audit.findings import Findings
from trace_writer.audit.ledger import ArchivedEvent, Ledger
from trace_writer.audit.period import Period, hour_of

HOUR = timedelta(hours=1)
# A message is kept on the queue for 14 days: whatever ends later was put back by a person.
LONGEST_LATE = timedelta(days=15)
# How far back the numbers of processes are looked for that began before the period, in receipts.
LONGEST_EARLIER = timedelta(hours=24)
# A process whose clock is ahead says later times than those of the archive's objects.
LONGEST_CLOCK_ERROR = timedelta(hours=3)
# Of spilled events, beyond which they are read only if some are lost.
MOST_SPILLED = 1_000
# Objects that were written before the first receipt, or just then, are from before receipts were kept.
_RECORDED_AFTER = timedelta(minutes=5)


def ignore_event(_: ArchivedEvent) -> None:
    """Do nothing with an event."""


class Audit:
    """An audit of one period.

    progress: is told what is being read. on_event: is handed each event of the archive that is read.
    """

    def __init__(
        self,
        ledger: Ledger,
        period: Period,
        progress: Callable[[str], None],
        on_event: Callable[[ArchivedEvent], None] = ignore_event,
    ) -> None:
        self._ledger = ledger
        self._period = period
        self._progress = progress
        self._on_event = on_event
        self._accounts = Accounts(period)
        self._recorded_since: datetime | None = None
        self._redriven: frozenset[tuple[str, int]] = frozenset()
        self._hours: list[datetime] = []
        self._events = self._spilled = 0

    def run(self) -> Findings:
        """Return what was found. Raises Transient if S3 does not answer, or UnknownSchema for a newer receipt."""
        first = self._ledger.first_receipt_at()
        self._recorded_since = first + _RECORDED_AFTER if first else None
        since, now = self._period.since.astimezone(UTC), self._period.now.astimezone(UTC)
        self._redriven = self._ledger.redriven(since, now, self._period.young_since)
        last = min(hour_of(self._period.until) + HOUR, hour_of(self._period.now))
        hours = list(_hours(hour_of(self._period.since), last))
        for hour in hours:
            self._read_receipts(hour)
        for hour in hours:
            self._read_archive(hour)
        self._look_back(hours[0])
        self._look_on(last)
        self._look_elsewhere()
        if self._accounts.unarchived_count():
            self._name_unarchived()
        found = self._accounts.findings()
        found.spilled = self._spilled
        found.unreadable = self._ledger.unreadable
        return found

    def end_of(self, event: EventSummary) -> str | None:
        """Return how an event ended, once the audit has run; None if it has come to no end that is known."""
        return self._accounts.end_of(event)

    def _read_receipts(self, hour: datetime) -> bool:
        """Read the receipts of an hour, and tell whether there are any."""
        self._hours.append(hour)
        count = 0
        for receipt in self._ledger.receipts(hour):
            if not self._is_redriven(receipt):
                self._accounts.add_receipt(receipt)
            count += 1
            if count % 1_000 == 0:
                self._progress(f"receipts of {hour:%Y-%m-%d %H:00}: {count:,}")
        return count > 0

    def _is_redriven(self, receipt: Receipt) -> bool:
        """Tell whether a dead letter is on the queue again, so that its event has yet to come to an end."""
        return receipt.end == DEAD_LETTERED and (receipt.event.instance, receipt.event.sequence) in self._redriven

    def _read_archive(self, hour: datetime) -> None:
        for event in self._ledger.archived(hour):
            is_recorded = self._recorded_since is not None and event.written_at >= self._recorded_since
            self._accounts.add_archived(event.summary, is_recorded)
            self._on_event(event)
            self._events += 1
            if self._events % 1_000 == 0:
                self._progress(f"archive of {hour:%Y-%m-%d %H:00}: {self._events:,} events")

    def _look_back(self, first: datetime) -> None:
        """Read earlier hours, as long as the number before a process's lowest one is not known."""
        for hour in _hours_back(first - HOUR, first - LONGEST_EARLIER):
            if not self._accounts.has_earlier():
                break
            if not self._read_receipts(hour):
                self._read_archive(hour)
        for hour in _hours_back(first - HOUR, first - LONGEST_CLOCK_ERROR):
            if not self._accounts.unarchived_count():
                return
            self._read_archive(hour)

    def _look_on(self, last: datetime) -> None:
        """Read what was written since, as long as there are events without an end, or lost ones."""
        if not self._is_open():
            return
        self._read_receipts(last)  # those that were written while the archive was read
        for hour in _hours(last + HOUR, min(last + LONGEST_LATE, hour_of(self._period.now))):
            if not self._is_open():
                return
            self._read_receipts(hour)
            self._read_archive(hour)

    def _look_elsewhere(self) -> None:
        """Look for what has come to no end, and for what is lost, where it may wait, and among the dead letters."""
        since, now = self._period.since.astimezone(UTC), self._period.now.astimezone(UTC)
        if self._accounts.open_count():
            self._progress("what waits on the queue")
            for instance, sequence in self._ledger.waiting(since, now):
                self._accounts.add_waiting(instance, sequence)
        if self._is_open():
            self._progress("dead letters")
            for event in self._ledger.dead_letters(since, now):
                if event.is_numbered:
                    self._accounts.add_receipt(Receipt(DEAD_LETTERED, event))
        self._spilled = self._ledger.spilled_count()
        if self._spilled <= MOST_SPILLED or self._accounts.lost_count():
            self._progress("what could not be queued")
            for event in self._ledger.spilled():
                self._accounts.add_spilled(event)

    def _is_open(self) -> bool:
        return bool(self._accounts.open_count() or self._accounts.lost_count())

    def _name_unarchived(self) -> None:
        self._progress("what is not in the archive")
        for hour in dict.fromkeys(self._hours):
            for receipt in self._ledger.receipts(hour):
                self._accounts.name_unarchived(receipt)


def _hours(first: datetime, last: datetime) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += HOUR


def _hours_back(last: datetime, first: datetime) -> Iterator[datetime]:
    while last >= first:
        yield last
        last -= HOUR
