"""`offpath compare MODEL`."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from offpath_cli.compare.archive import ArchivedTraces
from offpath_cli.compare.mlflow_traces import MlflowTraces
from offpath_cli.compare.observation import Observation, observations
from offpath_cli.compare.span import CompareError, Source, Span
from offpath_cli.compare.summary import summarise
from offpath_cli.compare.table import table_of
from training.recipes.recipe import TrainingError
from training.registry.mlflow_server import checked_address, quiet_mlflow, wait_for
from training.tracking_uri import TrackingUri

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class From(StrEnum):
    """Where traces are read."""

    mlflow = "mlflow"
    archive = "archive"


def compare(  # noqa: PLR0913  an option each
    model: Annotated[str, typer.Argument(help="The registered model.")],
    *,
    since: Annotated[str, typer.Option(metavar="AGE", help="How far back: 30m, 24h or 7d.")] = "24h",
    source: Annotated[From, typer.Option("--from", help="MLflow, or the archive in S3.")] = From.mlflow,
    limit: Annotated[int, typer.Option(min=1, help="The most traces to read from MLflow, the newest first.")] = 5_000,
    tracking_uri: TrackingUri,
    experiment: Annotated[
        str, typer.Option(envvar="OFFPATH_EXPERIMENT", help="The MLflow experiment above those of each model.")
    ] = "offpath",
    bucket: Annotated[
        str, typer.Option(envvar="OFFPATH_BUCKET", help="The archive's bucket; endpoint and credentials are AWS's own.")
    ] = "offpath-archive",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show the versions of MODEL side by side: requests, errors, times, what they said, and whether shadows agree.

    It reads the traces of what was answered; nothing is asked of the API.
    """
    try:
        begin = _begin(since)
        traces = _source(source, tracking_uri, experiment, begin, limit, bucket)
        _print(model, since, traces, limit, as_json=as_json)
    except (CompareError, TrainingError) as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print("error:", str(error), style="red", markup=False)
        raise typer.Exit(1) from error


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


def _source(  # noqa: PLR0913, PLR0917  the options
    source: From, tracking_uri: str, experiment: str, begin: datetime, limit: int, bucket: str
) -> Source:
    if source is From.mlflow:
        quiet_mlflow()
        address = checked_address(tracking_uri)
        wait_for(address, 0)
        return MlflowTraces(address, experiment, begin, limit)

    from offpath.aws.clients import s3_client
    from offpath.aws.s3 import Bucket

    return ArchivedTraces(Bucket(s3_client(), bucket), begin, datetime.now(UTC))


def _print(model: str, since: str, traces: Source, limit: int, *, as_json: bool) -> None:
    found, count = _read(traces.spans(model), model)
    summaries = summarise(found)
    if not summaries:
        raise CompareError(f"no trace of the model {model!r} within the last {since}: look further back with --since")
    if as_json:
        typer.echo(json.dumps([asdict(summary) for summary in summaries], indent=2))
        return
    more = " (the newest: --limit raises it)" if count == limit else ""
    console = Console(highlight=False)
    console.print(f"{model}: {count:,} traces of the last {since}{more}\n")
    console.print(table_of(summaries))


def _read(traces: Iterator[list[Span]], model: str) -> tuple[list[Observation], int]:
    """What the traces say of the model, and how many there are; on a terminal, how many so far.

    The spans themselves are let go: they hold whole requests.
    """
    found: list[Observation] = []
    ids: set[str] = set()
    with Console(stderr=True, highlight=False).status("reading traces") as status:
        for spans in traces:
            found.extend(observations(spans, model))
            ids.update(span.trace_id for span in spans)
            status.update(f"reading traces: {len(ids):,}")
    return found, len(ids)
