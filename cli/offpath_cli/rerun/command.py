"""Run `offpath trace rerun ID`."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer
from rich.console import Console

from offpath_cli.rerun.answer import answer
from offpath_cli.rerun.differences import Difference, differences
from offpath_cli.rerun.traced import TracedPrediction, fetch
from training.registry.mlflow_server import checked_address, quiet_mlflow, wait_for
from training.tracking_uri import TrackingUri

MOST_LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RerunOptions:
    """Hold the options of `offpath trace rerun`."""

    trace_id: Annotated[str, typer.Argument(help="MLflow's id of the trace, as an answer's header x-trace-id has it.")]
    tracking_uri: TrackingUri
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False


def rerun(options: RerunOptions) -> None:
    """Predict the inputs of a trace again, by the same version, and show where the answer differs.

    The version's files come from MLflow's registry, and the API's own code answers: nothing is asked of the API, and
    nothing is traced. The exit code is 1 where the answer differs by more than rounding.
    """
    quiet_mlflow()
    address = checked_address(options.tracking_uri)
    wait_for(address, 0)
    traced = fetch(address, options.trace_id)
    now = answer(traced, address)
    found = list(differences(traced.outputs, now))
    different = [one for one in found if not one.is_rounding]
    console = Console(highlight=False, soft_wrap=True)
    if options.as_json:
        console.print_json(json.dumps(_document(traced, now, found)))
    else:
        _print(console, traced, found, different)
    if different:
        raise typer.Exit(1)


def _document(traced: TracedPrediction, now: Any, found: Sequence[Difference]) -> dict[str, Any]:
    listed = [asdict(one) | {"is_rounding": one.is_rounding} for one in found]
    return {
        "model": traced.model,
        "version": traced.version,
        "before": traced.outputs,
        "now": now,
        "differences": listed,
    }


def _print(
    console: Console, traced: TracedPrediction, found: Sequence[Difference], different: Sequence[Difference]
) -> None:
    title = f"{traced.model} version {traced.version}"
    if not found:
        console.print(f"[green]{title} answers the same[/green]")
        return
    if not different:
        largest = max(abs(one.before - one.now) for one in found)
        console.print(f"[green]{title} answers the same[/green] but for rounding: largest difference {largest:.1e}")
        return
    console.print(f"[red]{title} answers otherwise[/red]: {len(different)} difference(s)")
    for one in different[:MOST_LISTED]:
        console.print(f"  {one.path}: {one.before!r} before, {one.now!r} now", markup=False)
