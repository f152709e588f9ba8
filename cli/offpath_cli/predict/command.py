"""Run `offpath predict MODEL FILE`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from offpath_cli.errors import PredictError
from offpath_cli.predict.api import PredictionApi
from offpath_cli.predict.batches import batches, predict
from offpath_cli.predict.results import Results, kept_on_interrupt
from offpath_cli.predict.rows import Table, format_of, open_rows


def default_url() -> str:
    """Return the address of the local stack's API."""
    return f"http://127.0.0.1:{os.environ.get('OFFPATH_API_PORT') or 8000}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictOptions:
    """Hold the options of `offpath predict`."""

    model: Annotated[str, typer.Argument(help="The name of the model that is served.")]
    file: Annotated[Path, typer.Argument(help="A .csv file with a header, or a .jsonl file with a record a line.")]
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Where the predictions go, a .csv or a .jsonl file.", show_default="FILE.predicted.…"
        ),
    ] = None
    url: Annotated[
        str,
        typer.Option(
            envvar="OFFPATH_API_URL",
            default_factory=default_url,
            show_default="the local stack's, by OFFPATH_API_PORT",
            help="Address of the prediction API.",
        ),
    ]
    api_key: Annotated[str, typer.Option(envvar="OFFPATH_API_KEY", help="An API key, if the API wants one.")] = ""
    alias: Annotated[str, typer.Option(help="Answer by this alias, whatever its share of the traffic.")] = ""
    version: Annotated[str, typer.Option(help="Answer by this version, if an alias stands for it.")] = ""
    records: Annotated[int, typer.Option(min=1, max=100_000, help="The most rows in one request.")] = 500
    skip: Annotated[int, typer.Option(min=0, help="Rows to pass over at the beginning: what an earlier run did.")] = 0


def predict_file(options: PredictOptions) -> None:
    """Predict every row of FILE, in requests of bounded size. Rows that the model does not take are put aside."""
    output = options.output or options.file.with_name(f"{options.file.stem}.predicted{options.file.suffix}")
    _check_paths(options.file, output)
    api = PredictionApi(options.url, options.model, options.api_key, _selection(options))
    columns = api.signature().columns
    console = Console(highlight=False, soft_wrap=True)
    results = Results(output, ())
    with open_rows(options.file, columns) as table, kept_on_interrupt(results, options.skip):
        results.header = table.header
        with results, _progress(console, options.file, table) as advance:
            for batch in batches(islice(table.rows, options.skip, None), options.records):
                results.add(predict(api, batch))
                advance(results)
    console.print(f"[green]{results.predicted} row(s) predicted[/green]: {output}")
    if results.refused:
        console.print(f"[yellow]{results.refused} row(s) put aside, with the reasons[/yellow]: {results.refused_path}")
        raise typer.Exit(1)


def _selection(options: PredictOptions) -> dict[str, str]:
    return {name: value for name, value in (("alias", options.alias), ("version", options.version)) if value}


def _check_paths(file: Path, output: Path) -> None:
    """Raise PredictError for files that cannot be meant. A table can be written as JSON lines, not the other way."""
    if format_of(output) != format_of(file) and format_of(output) == ".csv":
        raise PredictError(f"--output {output}: JSON lines have no header; name a .jsonl file")
    if file.resolve() == output.resolve():
        raise PredictError(f"--output {output}: that is the file to read")
    if not file.is_file():
        raise PredictError(f"there is no such file: {file} (looked for from {Path.cwd()})")


@contextmanager
def _progress(console: Console, file: Path, table: Table) -> Iterator["Advance"]:
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=30), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Advance(progress, table, file.stat().st_size)


class Advance:
    """Shows how far a run is. size: of the file, in bytes."""

    def __init__(self, progress: Progress, table: Table, size: int) -> None:
        self._progress = progress
        self._table = table
        self._task = progress.add_task("predicting", total=size)

    def __call__(self, results: Results) -> None:
        """Show the rows done so far."""
        told = f"{results.predicted} rows predicted, {results.refused} put aside"
        self._progress.update(self._task, completed=self._table.position(), description=told)
