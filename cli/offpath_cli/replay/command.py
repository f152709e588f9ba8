"""Run `offpath replay`."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace as changed
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from offpath.contracts.errors import ObjectMissing, Transient
from offpath_cli.errors import CommandError
from offpath_cli.printable import printable
from offpath_cli.replay.options import ReplayOptions, SourceName
from offpath_cli.replay.report import Report
from offpath_cli.where import find_pipeline

if TYPE_CHECKING:
    from offpath_cli.where import Pipeline

_SHOWN_LEFT = 10
_NOT_REACHED, _INTERRUPTED = 3, 130


def replay(options: ReplayOptions) -> None:
    """Deliver events again: what MLflow lost, from the archive; or anything to another backend that takes OTLP.

    What MLflow has already stays as it is: more than is needed can be replayed, and twice. The exit code is 1 if some
    events could not be delivered, and 3 if source or target did not answer. Interrupted, it says where to go on.
    """
    file, url = options.paths()
    period = options.period(datetime.now(UTC))
    options.headers()  # before anything is read
    pipeline, report = find_pipeline(options.stack), Report()

    from offpath.retry import SYSTEM_CLOCK  # these take a second to import
    from offpath_cli.replay.ends import lines_of, source_events, target_of
    from offpath_cli.replay.run import Rate, Replay

    with _said(options, pipeline, report), lines_of(file) as lines, _progress(report) as tell:
        target = None if options.dry_run else target_of(options, pipeline, url)
        found = source_events(options.source, pipeline, period, lines, report)
        events = (changed(event, experiment=event.experiment or options.experiment) for event in found)
        Replay(options.selection(), target, Rate(options.rate, SYSTEM_CLOCK), report, tell).run(events)
        if target:
            target.close()
    if report.left_count:
        raise typer.Exit(1)


@contextmanager
def _said(options: ReplayOptions, pipeline: "Pipeline", report: Report) -> Iterator[None]:
    """Print what was done, however it ends."""
    error = ""
    try:
        yield
    except KeyboardInterrupt:
        error = "interrupted"
    except (Transient, ObjectMissing) as found:
        error = f"{pipeline.name} or the target does not answer: {found}"
    except CommandError as found:
        error = str(found)
        raise
    finally:
        _print(options, report, error)
    if error:
        raise typer.Exit(_INTERRUPTED if error == "interrupted" else _NOT_REACHED)


def _print(options: ReplayOptions, report: Report, error: str) -> None:
    again = _again(options, report) if error and report.place else ""
    if options.as_json:
        typer.echo(json.dumps({**report.document(), "error": error, "go_on": again}, indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    done = "would be delivered" if options.dry_run else "delivered"
    count = report.chosen if options.dry_run else report.delivered
    twice = f" ({report.again:,} of them again)" if report.again else ""
    console.print(
        f"{count:,} event(s) {done} to {options.target}; {report.read:,} read{twice}, {report.left_count} left"
    )
    for name, reason in list(report.left.items())[:_SHOWN_LEFT]:
        console.print(f"  {printable(name)}: {printable(reason)}", markup=False)
    if error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"error: {error}{f'; go on with: {again}' if again else ''}", style="red", markup=False
        )


def _again(options: ReplayOptions, report: Report) -> str:
    """Return what to call to go on; what was delivered already is delivered once more, which changes nothing."""
    if options.source is SourceName.archive:
        return f"--since {report.place}"
    return "the same command"


@contextmanager
def _progress(report: Report) -> Iterator[Callable[[], None]]:
    """Show on a terminal how far it is, and yield what is to be called now and then."""
    with Console(stderr=True, highlight=False).status("reading events") as status:

        def tell() -> None:
            status.update(f"{report.reading}: {report.read:,} read, {report.delivered:,} delivered")

        yield tell
