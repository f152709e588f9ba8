"""The command that trains a model: `python -m training MODEL`, `make train`, `offpath train MODEL`."""

import sys
from math import isfinite
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from offpath.contracts.names import CHAMPION
from offpath.contracts.promotion import Promotion
from training.callbacks import Callbacks
from training.checks import parse_assignments
from training.display import Display
from training.metrics import metrics_of
from training.promotion import Asked, IfBetter, main_metric
from training.recipe import TrainingError
from training.recipes.catalog import NAMES, check_name, find_recipe
from training.registry.mlflow_server import quiet_mlflow
from training.run import train_and_register
from training.tracking_uri import TrackingUri
from training.training_spec import AliasPlan, TrainingSpec


def train(  # noqa: PLR0913  an option each
    model: Annotated[str, typer.Argument(help=f"The recipe: {', '.join(NAMES)}.")],
    *,
    tracking_uri: TrackingUri,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Random seed of the split and the training.")] = 42,
    param: Annotated[
        list[str], typer.Option("--param", "-p", metavar="NAME=VALUE", help="A hyperparameter; repeatable.")
    ] = [],  # noqa: B006  typer makes a new list
    data: Annotated[
        list[Path],
        typer.Option(
            "--data",
            metavar="PATH",
            help="A file or folder of data, for all recipes but iris; without it they learn from a made-up "
            "sample. Repeatable: a file of positive and one of negative sentences.",
        ),
    ] = [],  # noqa: B006
    alias: Annotated[
        str,
        typer.Option(
            help="The alias that the new version gets. Where there is a champion, you are asked before another version "
            "takes its place."
        ),
    ] = CHAMPION,
    promote: Annotated[bool, typer.Option("--promote", help="Make the new version champion in any case.")] = False,
    if_better: Annotated[
        str,
        typer.Option(
            metavar="METRIC[:MARGIN]",
            help="Make the new version champion if this metric is better than the champion's, by the margin or more; "
            "validation_accuracy:0.01, say.",
        ),
    ] = "",
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for an MLflow server that is starting.")] = 0,
) -> None:
    """Train MODEL, check that its ONNX form agrees, register a version in MLflow and give it the alias."""
    quiet_mlflow()
    console = Console(highlight=False, soft_wrap=True)
    try:
        with Display(console) as display:
            spec = TrainingSpec(
                model=model,
                tracking_uri=tracking_uri,
                seed=seed,
                parameters=parse_assignments(param),
                aliases=_alias_plan(model, alias, if_better, display, promote=promote),
                wait_seconds=wait,
                data=data,
            )
            registered = train_and_register(spec, Callbacks(display.report, display.progress))
    except TrainingError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print("error:", str(error), style="red", markup=False)
        raise typer.Exit(1) from error

    from training.outcome import outcome  # mlflow takes seconds to import, and is there by now

    console.print(outcome(registered))


def _alias_plan(model: str, alias: str, if_better: str, display: Display, *, promote: bool) -> AliasPlan:
    """Return what becomes of the aliases. Raises TrainingError for options that do not go together."""
    check_name(model)
    if promote and if_better:
        raise TrainingError("--promote and --if-better: the one moves champion in any case, the other does not")
    if alias != CHAMPION and promote:
        raise TrainingError(f"--promote moves {CHAMPION}, --alias {alias!r} another alias: leave one of them out")
    if if_better:
        rule = IfBetter(_promotion(model, if_better))
        return AliasPlan(None if alias == CHAMPION else alias, rule)
    if alias != CHAMPION or promote:
        return AliasPlan(alias)
    ask = display.ask if sys.stdin.isatty() else None
    return AliasPlan(rule=Asked(main_metric(find_recipe(model).task), ask))


def _promotion(model: str, text: str) -> Promotion:
    metric, colon, given = text.partition(":")
    known = metrics_of(find_recipe(model).task)
    if metric not in known:
        raise TrainingError(
            f"--if-better {text!r}: expected METRIC or METRIC:MARGIN; the metrics are {', '.join(known)}"
        )
    try:
        margin = float(given) if colon else 0.0
    except ValueError:
        margin = -1.0
    if not isfinite(margin) or margin < 0:
        raise TrainingError(f"--if-better {text!r}: the margin is a number from 0, such as 0.01")
    return Promotion(metric=metric, margin=margin)
