"""Run `offpath status`."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from offpath_cli.printable import printable
from offpath_cli.status.finding import Finding, State, exit_code, looked_at
from offpath_cli.where import StackName, find_pipeline

if TYPE_CHECKING:
    from offpath_cli.where import Pipeline

_STYLES = {State.well: "green", State.attention: "bold red", State.unknown: "yellow", State.skipped: "dim"}
_TEXT_CHARACTERS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusOptions:
    """Hold the options of `offpath status`."""

    stack: StackName = ""
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False


def status(options: StatusOptions) -> None:
    """Show where everything is right now: queue, dead letters, spill, archive, writer, MLflow, models.

    Nothing is received from a queue. The exit code is 1 if something asks for attention, 3 if something could not be
    told.
    """
    pipeline = find_pipeline(options.stack)
    with Console(stderr=True, highlight=False).status("looking"):
        findings = list(_services(pipeline))
        if exit_code(findings[:1]) == 0:  # of a local stack that does not run, nothing else can be told
            findings += _parts(pipeline)
    if options.as_json:
        document = {"pipeline": pipeline.name, "parts": [asdict(finding) for finding in findings]}
        typer.echo(json.dumps(document, indent=2))
    else:
        console = Console(highlight=False)
        console.print(f"{pipeline.name}", style="bold")
        console.print(_table(findings))
    if code := exit_code(findings):
        raise typer.Exit(code)


def _services(pipeline: "Pipeline") -> Iterator[Finding]:
    if pipeline.s3_url:
        from local.settings import LocalSettings
        from offpath_cli.status.local_services import local_services

        yield from local_services(LocalSettings.load(os.environ))


def _parts(pipeline: "Pipeline") -> list[Finding]:
    """Look at all parts at the same time: each of them may take its time to fail."""
    looks = _looks(pipeline)
    with ThreadPoolExecutor(len(looks)) as pool:
        return list(pool.map(lambda named: looked_at(*named), looks.items()))


def _looks(pipeline: "Pipeline") -> dict[str, Callable[[], Finding]]:
    from random import Random

    from offpath_cli.status import parts, queues
    from trace_writer.spill_listing import SpillListing

    now, bucket, sqs = datetime.now(UTC), queues.quick_bucket(pipeline), queues.quick_sqs(pipeline)
    is_local = pipeline.s3_url is not None

    def queue() -> Finding:
        age = None if is_local else queues.oldest(pipeline.session, pipeline.queue_url)
        return parts.queue(queues.waiting(sqs, pipeline.queue_url), age)

    listing = SpillListing(bucket, pipeline.queue_url.rpartition("/")[2], Random())  # noqa: S311
    return {
        "queue": queue,
        "dead-letter queue": lambda: parts.dead_letter_queue(queues.waiting(sqs, pipeline.dead_letter_url)),
        "dead letters": lambda: parts.dead_letters(bucket),
        "spill": lambda: parts.spill(listing.waiting(), now),
        "archive": lambda: parts.archive(bucket.listed, now),
        "writer": lambda: parts.writer(bucket, now),
        "audit": lambda: parts.audit(bucket, now),
        "mlflow": lambda: parts.mlflow(pipeline.mlflow(), is_local=is_local),
        "models": lambda: parts.manifest(bucket, now),
    }


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings:
        text = printable(finding.text, _TEXT_CHARACTERS)
        table.add_row(finding.part, Text(finding.state, style=_STYLES[finding.state]), Text(text))
    return table
