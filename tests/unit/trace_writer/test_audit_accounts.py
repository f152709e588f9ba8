"""Each event is accounted for, whatever became of it and in which order it is told, or named as missing."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from offpath.contracts.event_summary import EventSummary
from offpath.contracts.receipt import Receipt
from trace_writer.audit.accounts import Accounts, strength
from trace_writer.audit.findings import Findings, Kind, Missing
from trace_writer.audit.period import Period

NOON = datetime(2031, 7, 14, 12, 0, tzinfo=UTC)
PERIOD = Period(NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=3))
ENDS = ["in_mlflow", "dead_lettered", "sampled_out", "expired", "forgotten", "of_tomorrow"]


def instance(begin: datetime, serial: int = 0) -> str:
    return f"{int(begin.timestamp() * 1000):012x}7{0:03x}8{serial:015x}"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one event. copies: in the archive."""

    copies: int
    ends: tuple[str, ...]
    waits: bool
    is_spilled: bool

    @property
    def is_known(self) -> bool:
        return bool(self.copies or self.ends or self.is_spilled)


FATES = st.builds(
    Fate,
    st.sampled_from([1, 1, 1, 1, 0, 2, 3]),
    st.sampled_from([("in_mlflow",)] * 6 + [()]) | st.lists(st.sampled_from(ENDS), max_size=3).map(tuple),
    st.booleans(),
    st.sampled_from([False] * 5 + [True]),
)


def event(number: int, process: str, minutes: float = 0, model: str = "iris") -> EventSummary:
    ended = NOON + timedelta(minutes=minutes)
    return EventSummary(process, number, f"{number:032x}", f"offpath/{model}", model, ended)


def strongest(ends: tuple[str, ...]) -> str:
    return max(ends, key=strength)


def numbers(found: Findings, kind: Kind, process: str) -> list[int]:
    runs = [one for one in found.missing if one.kind == kind and one.instance == process]
    return sorted(number for run in runs for number in range(run.first, run.last + 1))


def steps(accounts: Accounts, process: str, number: int, fate: Fate) -> Iterator[Callable[[], object]]:
    """Yield what an audit is told of one event."""
    of_it = event(number, process, number / 100)
    yield from [partial(accounts.add_archived, of_it)] * fate.copies
    yield from [partial(accounts.add_receipt, Receipt(end, of_it)) for end in fate.ends]
    if fate.is_spilled:
        yield partial(accounts.add_spilled, of_it)


def told(process: str, fates: Mapping[int, Fate], random: Random) -> Findings:
    """Tell of each event, in any order."""
    accounts = Accounts(PERIOD)
    all_steps = [step for number, fate in fates.items() for step in steps(accounts, process, number, fate)]
    random.shuffle(all_steps)
    for step in all_steps:
        step()
    for number, fate in fates.items():
        if fate.waits:
            accounts.add_waiting(process, number)
        for end in fate.ends:
            accounts.name_unarchived(Receipt(end, event(number, process, number / 100)))
    return accounts.findings()


@given(fates=st.lists(FATES, max_size=40), random=st.randoms(use_true_random=False))
def test_account_is_that_of_a_list_of_all_events(fates: list[Fate], random: Random) -> None:
    process, by_number = instance(NOON), dict(enumerate(fates, 1))
    found = told(process, by_number, random)

    last = max((number for number, fate in by_number.items() if fate.is_known), default=0)
    lost = [number for number, fate in by_number.items() if not fate.is_known and number < last]
    open_ = [number for number, fate in by_number.items() if fate.copies and not fate.ends]
    no_end = [number for number in open_ if not by_number[number].waits]
    unarchived = [number for number, fate in by_number.items() if not fate.copies and fate.ends]
    not_archived = [number for number in unarchived if set(by_number[number].ends) != {"dead_lettered"}]
    assert numbers(found, Kind.lost, process) == lost
    assert numbers(found, Kind.no_end, process) == no_end
    assert numbers(found, Kind.not_archived, process) == not_archived
    if not last:
        return
    tally = found.models["iris"]
    assert tally.spilled <= sum(fate.is_spilled for fate in fates)
    assert tally.archived == sum(fate.copies > 0 for fate in fates)
    assert tally.twice == sum(fate.copies > 1 for fate in fates)
    assert +tally.ends == Counter(strongest(fate.ends) for fate in fates if fate.ends)
    assert tally.waiting == len(open_) - len(no_end)
    assert tally.unarchived == len(unarchived)
    assert tally.missing == len(no_end) + len(
        [one for one in not_archived if strongest(by_number[one].ends) != ENDS[1]]
    )


def clean(accounts: Accounts, process: str, *spans: tuple[int, float]) -> None:
    """Tell of events that are in archive and MLflow: number and minutes after noon."""
    for number, minutes in spans:
        accounts.add_receipt(Receipt("in_mlflow", event(number, process, minutes)))
        accounts.add_archived(event(number, process, minutes))


def test_what_is_missing_has_times_and_traces() -> None:
    accounts, process = Accounts(PERIOD), instance(NOON)
    clean(accounts, process, (1, 1), (2, 2), (5, 6))
    accounts.add_archived(event(6, process, 7))
    [lost, no_end] = accounts.findings().missing
    assert lost == Missing(Kind.lost, process, 3, 4, NOON + timedelta(minutes=2), NOON + timedelta(minutes=6))
    seven = NOON + timedelta(minutes=7)
    assert no_end == Missing(Kind.no_end, process, 6, 6, seven, seven, "iris", (f"{6:032x}",))


def test_first_numbers_are_missing_only_of_a_new_process() -> None:
    accounts = Accounts(PERIOD)
    new, old, silent = instance(NOON + timedelta(minutes=1)), instance(NOON - timedelta(days=1)), "ab" * 16
    for process in (new, old, silent):
        clean(accounts, process, (4, 5))
    assert accounts.has_earlier()
    found = accounts.findings()
    assert [(one.instance, one.first, one.last) for one in found.missing] == [(new, 1, 3)]
    for process in (old, silent):
        accounts.add_receipt(Receipt("in_mlflow", event(2, process, -1)))
    assert not accounts.has_earlier()
    assert {one.instance: one.first for one in accounts.findings().missing} == {new: 1, old: 3, silent: 3}


def test_gaps_beside_the_period_are_others_business() -> None:
    accounts, process = Accounts(PERIOD), instance(NOON - timedelta(days=1))
    clean(accounts, process, (1, -9), (4, -3), (5, 1), (7, 62), (9, 70))
    found = accounts.findings()
    assert [(one.first, one.last) for one in found.missing] == [(6, 6)]
    assert (found.models["iris"].archived, found.models["iris"].emitted) == (1, 1)


def test_what_is_young_may_be_on_its_way() -> None:
    period = Period(NOON, NOON + timedelta(hours=1), NOON + timedelta(minutes=20), timedelta(minutes=15))
    accounts, process = Accounts(period), instance(NOON)
    clean(accounts, process, (1, 1), (3, 19))
    accounts.add_archived(event(4, process, 6))
    accounts.add_archived(event(5, process, 4))
    found = accounts.findings()
    assert [(one.kind, one.first) for one in found.missing] == [(Kind.no_end, 5)]
    assert found.models["iris"].on_their_way == 1


def test_events_from_before_receipts_are_not_called_missing() -> None:
    accounts, process = Accounts(PERIOD), instance(NOON)
    for number in (1, 2):
        accounts.add_archived(event(number, process, number), is_recorded=False)
    found = accounts.findings()
    assert (found.missing, found.models["iris"].unrecorded) == ([], 2)


def test_a_dead_letter_that_was_put_back_is_in_mlflow() -> None:
    accounts, process = Accounts(PERIOD), instance(NOON)
    for end in ("dead_lettered", "in_mlflow", "dead_lettered"):
        accounts.add_receipt(Receipt(end, event(1, process, 1)))
    accounts.add_archived(event(1, process, 1))
    assert +accounts.findings().models["iris"].ends == Counter(in_mlflow=1)


def test_events_without_a_number_are_counted_apart() -> None:
    accounts = Accounts(PERIOD)
    accounts.add_archived(EventSummary(trace_id="t", ended_at=NOON))
    accounts.add_receipt(Receipt("dead_lettered", EventSummary(trace_id="t")))
    accounts.add_spilled(EventSummary())
    found = accounts.findings()
    assert (found.unnumbered, found.nameless_dead_letters, found.models, found.missing) == (1, 1, {}, [])


def test_events_of_no_model_are_counted_under_their_experiment() -> None:
    accounts, process = Accounts(PERIOD), instance(NOON)
    for number, experiment in ((1, "offpath"), (2, "")):
        accounts.add_archived(EventSummary(process, number, "", experiment, "", NOON))
    assert set(accounts.findings().models) == {"offpath", "(none)"}


def test_many_missing_events_are_all_counted_and_some_named() -> None:
    accounts, process = Accounts(PERIOD), instance(NOON)
    for number in range(1, 10_051):
        accounts.add_archived(event(number, process, number / 1000))
    [found] = accounts.findings().missing
    assert (found.count, len(found.trace_ids)) == (10_050, 10_000)
