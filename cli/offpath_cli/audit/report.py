"""Show what an audit found, for people and for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from offpath_cli.audit.access_log import Request
from offpath_cli.audit.verify import Absent
from trace_writer.audit.findings import Findings, Kind, Missing, Tally
from trace_writer.audit.period import Period

MOST_SHOWN = 20
SAID = {
    Kind.lost: "nowhere: their process numbered them, and nothing else is known",
    Kind.no_end: "archived, and neither in MLflow nor dead-lettered nor waiting",
    Kind.not_archived: "ended by a receipt, and not in the archive",
}
FIRST_ENDS = ("in_mlflow", "dead_lettered")


@dataclass(slots=True)
class Verified:
    """What was asked of MLflow. trouble: why it could not be asked, or not to the end."""

    asked: int = 0
    absent: list[Absent] = field(default_factory=list)
    trouble: str = ""


@dataclass(slots=True)
class Answered:
    """What API Gateway's access log says. missing: requests without an event, the first ones; all are counted."""

    requests: int
    missing_count: int
    missing: list[Request]


@dataclass(slots=True)
class Report:
    """Everything that an audit says. model: the only one that is shown, if one was asked for."""

    pipeline: str
    period: Period
    found: Findings
    model: str = ""
    verified: Verified | None = None
    answered: Answered | None = None

    @property
    def tallies(self) -> dict[str, Tally]:
        """The models that are shown."""
        return {name: tally for name, tally in sorted(self.found.models.items()) if self.model in {"", name}}

    @property
    def missing(self) -> list[Missing]:
        """Missing events, of the model that was asked for those whose model is known, and those of which it is not."""
        return [one for one in self.found.missing if self.model in {"", one.model} or not one.model]

    @property
    def missing_count(self) -> int:
        """How many events are missing."""
        return sum(one.count for one in self.missing)

    @property
    def exit_code(self) -> int:
        """0: all is well. 1: something is missing. 3: that could not be told."""
        verified, answered = self.verified, self.answered
        if (
            self.missing
            or self.found.queue_lacks
            or (verified and verified.absent)
            or (answered and answered.missing_count)
        ):
            return 1
        is_unrecorded = any(tally.unrecorded for tally in self.tallies.values())
        return 3 if is_unrecorded or self.found.unreadable or (verified and verified.trouble) else 0


def document(report: Report) -> dict[str, object]:
    """Return the report as JSON has it; times are in UTC."""
    found = report.found
    return {
        "pipeline": report.pipeline,
        "since": _text(report.period.since),
        "until": _text(report.period.until),
        "exit_code": report.exit_code,
        "models": {name: _tally(tally) for name, tally in report.tallies.items()},
        "total": _tally(_total(report)),
        "processes": found.processes,
        "missing": [_missing(one) for one in report.missing],
        "unnumbered": found.unnumbered,
        "nameless_dead_letters": found.nameless_dead_letters,
        "spilled": found.spilled,
        "on_queue": found.on_queue,
        "unreadable": found.unreadable,
        "verified": asdict(report.verified) if report.verified else None,
        "access_log": _answered(report.answered) if report.answered else None,
    }


def show(report: Report, console: Console) -> None:
    """Print the report."""
    period = report.period
    console.print(f"{report.pipeline}: events of {period.since:%Y-%m-%d %H:%M} to {period.until:%Y-%m-%d %H:%M} UTC\n")
    console.print(_table(report))
    for line in _lines(report):
        console.print(line)
    color, said = {0: ("green", "all is well"), 1: ("red", "not all is well"), 3: ("yellow", "could not tell")}[
        report.exit_code
    ]
    console.print(f"\n[{color}]{said}[/{color}]")


def _total(report: Report) -> Tally:
    total = Tally()
    for tally in report.tallies.values():
        for name in ("archived", "twice", "waiting", "on_their_way", "spilled", "unrecorded", "unarchived"):
            setattr(total, name, getattr(total, name) + getattr(tally, name))
        total.ends.update(tally.ends)
    total.missing = report.missing_count
    return total


def _tally(tally: Tally) -> dict[str, object]:
    return {"emitted": tally.emitted, **asdict(tally), "ends": dict(+tally.ends)}


def _missing(one: Missing) -> dict[str, object]:
    return {**asdict(one), "count": one.count, "since": _text(one.since), "until": _text(one.until)}


def _answered(answered: Answered) -> dict[str, object]:
    requests = [{**asdict(one), "time": _text(one.time)} for one in answered.missing]
    return {"requests": answered.requests, "missing_count": answered.missing_count, "missing": requests}


def _text(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _table(report: Report) -> Table:
    tallies = report.tallies
    rows = {**tallies, "together": _total(report)}
    others = sorted({end for tally in tallies.values() for end in +tally.ends} - set(FIRST_ENDS))
    columns: dict[str, list[int]] = {
        "emitted": [tally.emitted for tally in rows.values()],
        "archived": [tally.archived for tally in rows.values()],
        "in MLflow": [tally.ends["in_mlflow"] for tally in rows.values()],
        "dead-lettered": [tally.ends["dead_lettered"] for tally in rows.values()],
        **{end.replace("_", " "): [tally.ends[end] for tally in rows.values()] for end in others},
        "waiting": [tally.waiting for tally in rows.values()],
        "spilled": [tally.spilled for tally in rows.values()],
        "on their way": [tally.on_their_way for tally in rows.values()],
        "unrecorded": [tally.unrecorded for tally in rows.values()],
        "twice": [tally.twice for tally in rows.values()],
        "missing": [tally.missing for tally in rows.values()],
    }
    always = {"emitted", "archived", "in MLflow", "dead-lettered", "missing"}
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    shown = [name for name, values in columns.items() if name in always or any(values)]
    for name in shown:
        table.add_column(name, justify="right")
    for index, model in enumerate(rows):
        table.add_row(Text(model), *(f"{columns[name][index]:,}" for name in shown))
    return table


def _lines(report: Report) -> Iterator[Text]:
    yield from _missing_lines(report.missing)
    found = report.found
    if found.queue_lacks:
        yield Text(
            f"\n{found.waiting:,} events should wait on the queue, which holds {found.on_queue:,} messages", "red"
        )
    if found.on_queue and any(one.kind == Kind.lost for one in report.missing):
        yield Text(f"{found.on_queue:,} message(s) are on the queue: what was not archived yet counts as lost")
    if found.nameless_dead_letters:
        yield Text(f"{found.nameless_dead_letters:,} dead letter(s) do not say which events they are; lost ones may be")
    if found.unnumbered:
        yield Text(f"{found.unnumbered:,} event(s) in the archive have no number, and cannot be accounted for")
    if any(tally.unrecorded for tally in report.tallies.values()):
        yield Text("unrecorded: archived before the trace writer kept receipts; whether MLflow has them is not told")
    yield from (Text(f"cannot be read: {text}", "yellow") for text in found.unreadable[:MOST_SHOWN])
    yield from _verified_lines(report.verified)
    yield from _answered_lines(report.answered)


def _missing_lines(missing: Sequence[Missing]) -> Iterator[Text]:
    for kind in Kind:
        of_kind = [one for one in missing if one.kind == kind]
        if of_kind:
            yield Text(f"\n{sum(one.count for one in of_kind):,} missing ({kind}), {SAID[kind]}:", "red")
        for one in of_kind[:MOST_SHOWN]:
            numbers = f"{one.first}" if one.first == one.last else f"{one.first} to {one.last}"
            between = f"{one.since:%Y-%m-%d %H:%M:%S} to {one.until:%H:%M:%S}"
            yield Text(f"  process {one.instance}, {numbers}, {between}{f', {one.model}' if one.model else ''}")
            if one.trace_ids:
                more = " …" if len(one.trace_ids) > 3 else ""
                yield Text(f"    {' '.join(f'tr-{trace_id}' for trace_id in one.trace_ids[:3])}{more}", "dim")
        if len(of_kind) > MOST_SHOWN:
            yield Text(f"  and {len(of_kind) - MOST_SHOWN:,} ranges more: --json has all of them")


def _verified_lines(verified: Verified | None) -> Iterator[Text]:
    if verified is None:
        return
    if verified.trouble:
        yield Text(f"\nMLflow was not asked: {verified.trouble}", "yellow")
        return
    if not verified.absent:
        yield Text(f"\nMLflow has all of {verified.asked:,} trace(s) that it was asked for")
        return
    yield Text(f"\nMLflow lacks {len(verified.absent):,} of {verified.asked:,} trace(s) that it was asked for:", "red")
    for one in verified.absent[:MOST_SHOWN]:
        has = f"{one.found} of {one.expected} spans" if one.found else "not there"
        yield Text(f"  tr-{one.trace_id}, {one.model}, process {one.instance}, {one.sequence}: {has}")


def _answered_lines(answered: Answered | None) -> Iterator[Text]:
    if answered is None:
        return
    if not answered.missing_count:
        yield Text(f"\neach of {answered.requests:,} answered requests of the access log has its event")
        return
    yield Text(f"\n{answered.missing_count:,} of {answered.requests:,} answered requests have no event:", "red")
    for one in answered.missing[:MOST_SHOWN]:
        yield Text(f"  {one.time:%Y-%m-%d %H:%M:%S} {one.path}, status {one.status}, invocation {one.invocation_id}")
