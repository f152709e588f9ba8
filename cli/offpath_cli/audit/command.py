"""Run `offpath audit`."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from offpath.aws.sqs import count_messages
from offpath.contracts.errors import ObjectMissing, Transient, UnknownSchema
from offpath.contracts.receipt import IN_MLFLOW
from offpath_cli.audit.access_log import MOST_NAMED, AccessLog
from offpath_cli.audit.moments import duration, moment
from offpath_cli.audit.report import Answered, Report, Verified, document, show
from offpath_cli.audit.verify import Expected, Sample, absent, expected
from offpath_cli.errors import CouldNotTell
from offpath_cli.where import Pipeline, StackName, find_pipeline
from trace_writer.audit.ledger import ArchivedEvent, Ledger
from trace_writer.audit.period import Period, hour_of
from trace_writer.audit.run import HOUR, Audit

ALL = "all"
INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditOptions:
    """Hold the options of `offpath audit`."""

    since: Annotated[str, typer.Option(metavar="TIME", help="From when on: 24h, 7d, 2026-11-25, 2026-11-25T14:00.")] = (
        "24h"
    )
    until: Annotated[str, typer.Option(metavar="TIME", help="Until when.", show_default="now")] = "0m"
    model: Annotated[str, typer.Option(help="Only this model. Events that are lost do not say whose they were.")] = ""
    access_log: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="API Gateway's access log, which tells of events whose process was killed with them.",
        ),
    ] = None
    verify: Annotated[
        str, typer.Option(metavar="N|all", help="How many traces, drawn by chance, MLflow is asked for; 0: none.")
    ] = "1000"
    grace: Annotated[str, typer.Option(metavar="AGE", help="How long an event may be on its way.")] = "15m"
    stack: StackName = ""
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False


def audit(options: AuditOptions) -> None:
    """Prove that every event of a period is accounted for, or name what is missing.

    It joins what lies in S3: the archive, the receipts of how events ended, and what waits; and asks MLflow whether it
    has what it acknowledged. The exit code is 0 if all is well, 1 if something is missing, and 3 if that could not be
    told. Only the last events of a process that was killed leave no gap: --access-log tells of those.
    """
    period, size = _period(options), _size(options.verify)
    console = Console(stderr=True, highlight=False)
    try:
        with _progress(console) as progress:
            report = _report(options, period, size, progress)
    except (Transient, ObjectMissing, UnknownSchema) as error:
        raise CouldNotTell(str(error)) from error
    except KeyboardInterrupt:
        console.print("stopped: nothing was found out")
        raise typer.Exit(INTERRUPTED) from None
    if options.as_json:
        typer.echo(json.dumps(document(report), indent=2))
    else:
        show(report, Console(highlight=False, soft_wrap=True))
    raise typer.Exit(report.exit_code)


def _period(options: AuditOptions) -> Period:
    now = datetime.now(UTC)
    since, until = moment(options.since, now, "--since"), moment(options.until, now, "--until")
    if since >= until:
        raise typer.BadParameter(f"{options.since!r} is not before --until {options.until!r}", param_hint="--since")
    return Period(since.astimezone(UTC), min(until.astimezone(UTC), now), now, duration(options.grace, "--grace"))


def _size(text: str) -> int | None:
    """Return how many traces to ask MLflow for, None for all."""
    if text == ALL:
        return None
    if not text.isdecimal():
        raise typer.BadParameter(f"{text!r}: expected a number, or all", param_hint="--verify")
    return int(text)


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[str], None]]:
    with console.status("reading the ledger") as status:
        yield lambda text: status.update(f"reading {text}")


def _report(options: AuditOptions, period: Period, size: int | None, progress: Callable[[str], None]) -> Report:
    pipeline = find_pipeline(options.stack)
    log = AccessLog(options.access_log, period) if options.access_log else None
    on_queue = _on_queue(pipeline)  # before the notes of what waits there
    ledger, sample = Ledger(pipeline.bucket()), Sample(size or 0)

    def see(archived: ArchivedEvent) -> None:
        if log and archived.summary.invocation_id:
            log.see(archived.summary.invocation_id)
        if period.holds(archived.summary.ended_at):
            sample.see(archived)

    run = Audit(ledger, period, progress, see)
    found = run.run()
    found.on_queue = on_queue
    report = Report(pipeline.name, period, found, options.model)
    if size is None or size:
        events = iter(sample.drawn) if size else _all(ledger, period)
        report.verified = _verified(pipeline, _in_mlflow(events, run, options.model), progress)
    if log:
        missing = log.missing()
        named = list(islice(missing, MOST_NAMED))
        report.answered = Answered(log.count, len(named) + sum(1 for _ in missing), named)
    return report


def _on_queue(pipeline: Pipeline) -> int | None:
    """Return how many messages are on the queue, None if it does not say."""
    try:
        return count_messages(pipeline.sqs(), pipeline.queue_url)
    except (Transient, ObjectMissing):
        return None


def _all(ledger: Ledger, period: Period) -> Iterator[Expected]:
    hour, last = hour_of(period.since), min(hour_of(period.until) + HOUR, hour_of(period.now))
    while hour <= last:
        yield from (expected(one) for one in ledger.archived(hour) if period.holds(one.summary.ended_at))
        hour += timedelta(hours=1)


def _in_mlflow(events: Iterator[Expected], run: Audit, model: str) -> Iterator[Expected]:
    return (one for one in events if run.end_of(one.event) == IN_MLFLOW and model in {"", one.event.model})


def _verified(pipeline: Pipeline, events: Iterator[Expected], progress: Callable[[str], None]) -> Verified:
    verified = Verified()

    def note(asked: int) -> None:
        verified.asked = asked
        progress(f"MLflow: {asked:,} traces")

    try:
        verified.absent += absent(pipeline.mlflow(), events, note)
    except Transient as error:
        verified.trouble = str(error)
    return verified
