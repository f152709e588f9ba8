"""Run `offpath compare MODEL`."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from offpath_cli.compare.archive import ArchivedTraces
from offpath_cli.compare.mlflow_traces import MlflowTraces
from offpath_cli.compare.observation import Observation, is_shadow, observations
from offpath_cli.compare.span import Span, TraceSource
from offpath_cli.compare.summary import summarise
from offpath_cli.compare.table import table_of
from offpath_cli.errors import CompareError
from training.registry.mlflow_server import checked_address, quiet_mlflow, wait_for
from training.tracking_uri import TrackingUri

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class SourceName(StrEnum):
    """Name a place that traces are read from."""

    mlflow = "mlflow"
    archive = "archive"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions:
    """Hold the options of `offpath compare`."""

    model: Annotated[str, typer.Argument(help="The registered model.")]
    since: Annotated[str, typer.Option(metavar="AGE", help="How far back: 30m, 24h or 7d.")] = "24h"
    source: Annotated[SourceName, typer.Option("--from", help="MLflow, or the archive in S3.")] = SourceName.mlflow
    limit: Annotated[int, typer.Option(min=1, help="The most traces to read from MLflow, the newest first.")] = 5_000
    tracking_uri: TrackingUri
    experiment: Annotated[
        str, typer.Option(envvar="OFFPATH_EXPERIMENT", help="The MLflow experiment above those of each model.")
    ] = "offpath"
    bucket: Annotated[
        str, typer.Option(envvar="OFFPATH_BUCKET", help="The archive's bucket; endpoint and credentials are AWS's own.")
    ] = "offpath-archive"
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False


def compare(options: CompareOptions) -> None:
    """Show the versions of MODEL side by side: requests, errors, times, predictions, and whether shadows agree.

    It reads the traces of what was answered; nothing is asked of the API.
    """
    traces = _source(options, _begin(options.since))
    found, count = _read(traces.spans(options.model), options.model)
    _print(options, found, count)


def _begin(since: str) -> datetime:
    try:
        return datetime.now(UTC) - _age(since)
    except OverflowError as error:
        raise CompareError(f"--since {since!r}: that is before the calendar begins") from error


def _age(text: str) -> timedelta:
    found = re.fullmatch(r"(\d+)([mhd])", text.strip())
    if not found:
        raise CompareError(f"--since {text!r}: expected a number with its unit, as 30m, 24h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _source(options: CompareOptions, begin: datetime) -> TraceSource:
    if options.source is SourceName.mlflow:
        quiet_mlflow()
        address = checked_address(options.tracking_uri)
        wait_for(address, 0)
        return MlflowTraces(address, options.experiment, begin, options.limit)

    from offpath.aws.clients import s3_client
    from offpath.aws.s3 import Bucket

    return ArchivedTraces(Bucket(s3_client(), options.bucket), begin, datetime.now(UTC))


def _read(traces: Iterator[list[Span]], model: str) -> tuple[list[Observation], int]:
    """Return the observations of the model, and the number of its requests' traces; a terminal shows it meanwhile.

    The spans themselves are let go: they hold whole requests.
    """
    found: list[Observation] = []
    ids: set[str] = set()
    with Console(stderr=True, highlight=False).status("reading traces") as status:
        for spans in traces:
            found.extend(observations(spans, model))
            ids.update(span.trace_id for span in spans if not is_shadow(span))
            status.update(f"reading traces: {len(ids):,}")
    return found, len(ids)


def _print(options: CompareOptions, found: list[Observation], count: int) -> None:
    model, since = options.model, options.since
    summaries = summarise(found)
    if not summaries:
        raise CompareError(f"no trace of the model {model!r} within the last {since}: look further back with --since")
    if options.as_json:
        typer.echo(json.dumps([asdict(summary) for summary in summaries], indent=2))
        return
    more = " (the newest: --limit raises it)" if count == options.limit else ""
    console = Console(highlight=False)
    console.print(f"{model}: {count:,} traces of the last {since}{more}\n")
    console.print(table_of(summaries))
