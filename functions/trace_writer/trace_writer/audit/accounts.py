"""Keep account of events, one at a time and in any order, in memory that their number does not fill.

Of an event no more is kept than its number, in a run with those beside it. So what is told first is told cheapest:
receipts before the archive, whose events then need not be remembered but for those without one.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from offpath.contracts.event_summary import EventSummary, numbers_begin
from offpath.contracts.receipt import DEAD_LETTERED, IN_MLFLOW, SAMPLED_OUT, Receipt
from trace_writer.audit.findings import Findings, Kind, Missing, Tally
from trace_writer.audit.numbers import Numbers, Run, count, gaps, union, without
from trace_writer.audit.period import Period, milliseconds

# Of several ends of an event the one that is named last here counts. One that this version does not know counts most.
ENDS = (DEAD_LETTERED, SAMPLED_OUT, IN_MLFLOW, "expired", "forgotten")
# Of events without an end, those whose traces are named; numbers are told of all.
MOST_NAMED = 10_000
_EPOCH = datetime.fromtimestamp(0, UTC)


def strength(end: str) -> int:
    """Return what orders ends, the strongest last."""
    return ENDS.index(end) if end in ENDS else len(ENDS)


@dataclass(slots=True)
class Process:
    """The numbers of one process. around: those of events that are not of the period, which leave no gap."""

    archived: Numbers = field(default_factory=Numbers)
    ends: dict[str, Numbers] = field(default_factory=dict)
    twice: Numbers | None = None
    waiting: Numbers | None = None
    spilled: Numbers | None = None
    around: Numbers | None = None

    def known(self) -> list[Run]:
        """Return the numbers of which anything is known."""
        return union(self.archived, self.spilled, self.around, *self.ends.values())

    def end_of(self, number: int) -> str | None:
        """Return the strongest end of an event, None of one that has none."""
        found = [end for end, numbers in self.ends.items() if number in numbers]
        return max(found, key=strength) if found else None


class Accounts:
    """The account of a period. Receipts are to be told before the archive's events of the same hours."""

    def __init__(self, period: Period) -> None:
        self._period = period
        self._processes: dict[str, Process] = {}
        self._open: dict[tuple[str, str], Numbers] = {}  # by model and process
        self._named: dict[str, dict[int, str]] = {}  # traces of what may be missing, by process and number
        self._named_count = 0
        self._told: dict[str, Numbers] = {}
        self._nameless = 0
        self._unnumbered = 0
        self.models: dict[str, Tally] = {}

    def add_receipt(self, receipt: Receipt) -> None:
        """Take in how an event ended."""
        event = receipt.event
        if not event.is_numbered:
            self._nameless += receipt.end == DEAD_LETTERED and self._period.holds(event.ended_at)
            return
        process = self._process(event.instance)
        if not self._period.holds(event.ended_at):
            self._add_around(process, event)
            return
        before = process.end_of(event.sequence)
        numbers = process.ends.get(receipt.end)
        if numbers is None:
            numbers = process.ends[sys.intern(receipt.end)] = Numbers()
        if numbers.add(event.sequence, _time_ms(event)) and (
            before is None or strength(receipt.end) > strength(before)
        ):
            tally = self._tally(event)
            tally.ends[receipt.end] += 1
            if before is not None:
                tally.ends[before] -= 1

    def add_archived(self, event: EventSummary, is_recorded: bool = True) -> None:
        """Take in an event of the archive. is_recorded: whether receipts were kept when it was archived."""
        if not event.is_numbered:
            self._unnumbered += self._period.holds(event.ended_at)
            return
        process = self._process(event.instance)
        if not self._period.holds(event.ended_at):
            self._add_around(process, event)
        elif process.archived.add(event.sequence, _time_ms(event)):
            self._judge(process, event, is_recorded)
        else:
            process.twice = process.twice or Numbers()
            self._tally(event).twice += process.twice.add(event.sequence)

    def add_waiting(self, instance: str, sequence: int) -> None:
        """Take in that an event is archived and waits on the queue."""
        process = self._processes.get(instance)
        if process is not None:
            process.waiting = process.waiting or Numbers()
            process.waiting.add(sequence)

    def add_spilled(self, event: EventSummary) -> None:
        """Take in an event that waits under `spill/`."""
        if not event.is_numbered:
            return
        process = self._process(event.instance)
        if not self._period.holds(event.ended_at):
            self._add_around(process, event)
            return
        process.spilled = process.spilled or Numbers()
        if process.spilled.add(event.sequence, _time_ms(event)) and event.sequence not in process.archived:
            self._tally(event).spilled += 1

    def end_of(self, event: EventSummary) -> str | None:
        """Return how an event of the period ended, by its strongest end; None if it has come to none."""
        process = self._processes.get(event.instance)
        return process.end_of(event.sequence) if process else None

    def open_count(self) -> int:
        """Return how many archived events have no end yet that could be told, and do not wait."""
        return count(run for _, _, run in self._without_end())

    def lost_count(self) -> int:
        """Return how many numbers there are of which nothing is known."""
        return count(run for _, run in self._lost())

    def unarchived_count(self) -> int:
        """Return how many events ended that are not in the archive, which for dead letters is no loss."""
        return sum(
            count(without(union(*process.ends.values()), process.archived)) for process in self._processes.values()
        )

    def has_earlier(self) -> bool:
        """Tell whether events before the period are to be known, for the lowest numbers of processes."""
        return any(not self._is_whole(instance, process) for instance, process in self._processes.items())

    def name_unarchived(self, receipt: Receipt) -> None:
        """Take in a receipt once more, when all is known, to count its event under its model if it is not archived."""
        event = receipt.event
        process = self._processes.get(event.instance)
        if process is None or not self._period.holds(event.ended_at) or event.sequence in process.archived:
            return
        end, told = process.end_of(event.sequence), self._told.setdefault(event.instance, Numbers())
        if end is None or not told.add(event.sequence):
            return
        tally = self._tally(event)
        tally.unarchived += 1
        if end != DEAD_LETTERED:
            tally.missing += 1
            self._name(event)

    def findings(self) -> Findings:
        """Return what was found."""
        found = Findings(self.models, len(self._processes))
        found.unnumbered, found.nameless_dead_letters = self._unnumbered, self._nameless
        found.missing += [self._missing(Kind.lost, instance, run) for instance, run in self._lost()]
        found.missing += [self._missing(Kind.not_archived, instance, run) for instance, run in self._unarchived()]
        for model, instance, run in self._without_end():
            found.missing.append(self._missing(Kind.no_end, instance, run, model))
            self.models[model].missing += run.size
        self._count_waiting()
        return found

    def _process(self, instance: str) -> Process:
        process = self._processes.get(instance)
        if process is None:
            process = self._processes[instance] = Process()
        return process

    def _tally(self, event: EventSummary) -> Tally:
        model = model_of(event)
        tally = self.models.get(model)
        if tally is None:
            tally = self.models[model] = Tally()
        return tally

    def _add_around(self, process: Process, event: EventSummary) -> None:
        process.around = process.around or Numbers()
        process.around.add(event.sequence, _time_ms(event))

    def _judge(self, process: Process, event: EventSummary, is_recorded: bool) -> None:
        tally = self._tally(event)
        tally.archived += 1
        if process.end_of(event.sequence) is not None:
            return
        if not is_recorded:
            tally.unrecorded += 1
        elif self._period.is_young(event.ended_at):
            tally.on_their_way += 1
        else:
            key = sys.intern(model_of(event)), event.instance
            self._open.setdefault(key, Numbers()).add(event.sequence, _time_ms(event))
            self._name(event)

    def _name(self, event: EventSummary) -> None:
        if self._named_count < MOST_NAMED:
            self._named.setdefault(event.instance, {})[event.sequence] = event.trace_id
            self._named_count += 1

    def _without_end(self) -> Iterator[tuple[str, str, Run]]:
        for (model, instance), numbers in self._open.items():
            process = self._processes[instance]
            for run in without(numbers, process.waiting, *process.ends.values()):
                yield model, instance, run

    def _count_waiting(self) -> None:
        for (model, instance), numbers in self._open.items():
            process = self._processes[instance]
            left = count(without(numbers, *process.ends.values()))
            self.models[model].waiting += left - count(without(numbers, process.waiting, *process.ends.values()))

    def _lost(self) -> Iterator[tuple[str, Run]]:
        """Yield the gaps that are of the period: the next number came within it or after, and not just now."""
        since, until = milliseconds(self._period.since), milliseconds(self._period.until)
        young = milliseconds(self._period.young_since)
        for instance, process in self._processes.items():
            begin, known = numbers_begin(instance), process.known()
            if not known:
                continue
            is_from_begin = begin is not None and begin >= self._period.since
            first = 1 if is_from_begin else known[0].first
            for gap in gaps(known, first, milliseconds(begin) if begin and is_from_begin else 0):
                if since <= gap.to_ms < young and gap.from_ms < until:
                    yield instance, gap

    def _is_whole(self, instance: str, process: Process) -> bool:
        """Tell whether the numbers of a process are known from before the period on, or from their begin."""
        begin = numbers_begin(instance)
        if begin is not None and begin >= self._period.since:
            return True
        known = process.known()
        return not known or known[0].first == 1 or known[0].from_ms < milliseconds(self._period.since)

    def _unarchived(self) -> Iterator[tuple[str, Run]]:
        for instance, process in self._processes.items():
            ended = union(*(numbers for end, numbers in process.ends.items() if end != DEAD_LETTERED))
            for run in without(ended, process.archived):
                yield instance, run

    def _missing(self, kind: Kind, instance: str, run: Run, model: str = "") -> Missing:
        named = self._named.get(instance, {})
        traces = tuple(named[number] for number in named if run.first <= number <= run.last)
        return Missing(kind, instance, run.first, run.last, _time(run.from_ms), _time(run.to_ms), model, traces)


def model_of(event: EventSummary) -> str:
    """Return what an event is counted under: its model, or the experiment of one that names none."""
    return event.model or event.experiment or "(none)"


def _time_ms(event: EventSummary) -> int:
    return milliseconds(event.ended_at) if event.ended_at else 0


def _time(time_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=time_ms)
