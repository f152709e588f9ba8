"""Deliver events from a source to a target, in bounded batches and at a bounded rate."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from offpath.aws.sqs import batches
from offpath.retry import Clock
from offpath_cli.replay.event import ReplayEvent, Selection
from offpath_cli.replay.report import Report
from offpath_cli.replay.target import Target

# Of a batch that is looked at and goes nowhere.
_DRY_EVENTS, _DRY_BYTES = 1_000, 16_000_000


class Rate:
    """Holds a number of events a second on the average. per_second: 0 for no bound."""

    def __init__(self, per_second: float, clock: Clock) -> None:
        self._per_second = per_second
        self._clock = clock
        self._next = clock.now()

    def batch(self, most: int) -> int:
        """Return how many events to deliver at once: no more than there may be in a second."""
        return max(1, min(most, int(self._per_second))) if self._per_second else most

    def wait(self, count: int) -> None:
        """Return when so many events may go."""
        if not self._per_second:
            return
        pause = self._next - self._clock.now()
        if pause > 0:
            self._clock.sleep(pause)
        self._next = max(self._next, self._clock.now()) + count / self._per_second


class Replay:
    """Delivers the events that are wanted, and notes in the report what became of them.

    target: None for a dry run. tell: called after each batch.
    """

    def __init__(
        self, selection: Selection, target: Target | None, rate: Rate, report: Report, tell: Callable[[], None]
    ) -> None:
        self._selection = selection
        self._target = target
        self._rate = rate
        self._report = report
        self._tell = tell

    def run(self, events: Iterable[ReplayEvent]) -> None:
        """Deliver all of these. Raises Transient when source or target do not answer."""
        target = self._target
        most_events = self._rate.batch(target.most_events) if target else _DRY_EVENTS
        most_bytes = target.most_bytes if target else _DRY_BYTES
        for batch in batches(self._chosen(events), lambda event: len(event.body), most_events, most_bytes):
            if target:
                self._deliver(target, batch)
            self._tell()

    def _deliver(self, target: Target, batch: Sequence[ReplayEvent]) -> None:
        self._report.place = batch[0].place
        self._rate.wait(len(batch))
        left = target.deliver(batch)
        for index, reason in left.items():
            self._report.leave(batch[index].trace_id or batch[index].key, reason)
        self._report.delivered += len(batch) - len(left)
        self._report.handled += len(batch)
        self._report.place = batch[-1].place

    def _chosen(self, events: Iterable[ReplayEvent]) -> Iterator[ReplayEvent]:
        for event in events:
            if self._selection.fits(event):
                self._report.chosen += 1
                yield event
