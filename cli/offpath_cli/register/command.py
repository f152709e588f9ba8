"""Run `offpath register SOURCE`."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console

from model_sync.settings import ModelSyncSettings
from offpath.contracts.model_manifest import Task
from offpath.contracts.names import CHAMPION
from offpath_cli.errors import ModelRefused
from offpath_cli.register.registration_spec import RegistrationSpec, split_labels
from offpath_cli.register.run import register_model
from training.display import Display
from training.promotion import Unmeasured
from training.registry.mlflow_server import quiet_mlflow
from training.tracking_uri import TrackingUri


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterOptions:
    """Hold the options of `offpath register`."""

    source: Annotated[
        str,
        typer.Argument(
            help="An .onnx file, or a model logged to MLflow: models:/NAME/VERSION, models:/NAME@ALIAS, models:/m-…, "
            "runs:/RUN/PATH."
        ),
    ]
    name: Annotated[str, typer.Option(help="The registered model's name, and that in the API's address.")]
    tracking_uri: TrackingUri
    alias: Annotated[
        str,
        typer.Option(
            help="The alias that the new version gets. The API serves champion; where there is one, you are asked "
            "before another version takes its place."
        ),
    ] = CHAMPION
    promote: Annotated[bool, typer.Option("--promote", help="Make the new version champion in any case.")] = False
    task: Annotated[
        str | None,
        typer.Option(metavar="TASK", help="classification or regression, where the model does not say it."),
    ] = None
    labels: Annotated[
        str, typer.Option(metavar="A,B,…", help="Names of the classes by class index, where the model has none.")
    ] = ""
    example: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            help="Records to compare on, instead of the input example that was logged: a record, a list of records, or "
            '{"inputs": nested lists}.',
        ),
    ] = None
    description: Annotated[str, typer.Option(help="What the model is, for people who look at it in MLflow.")] = ""
    opset: Annotated[
        int | None, typer.Option(min=9, help="ONNX operator set that a conversion writes.", show_default="21")
    ] = None
    time_limit: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="For reading, converting and comparing together.")
    ] = 600
    memory_limit: Annotated[int, typer.Option(min=1_000, metavar="MB", help="For the same.")] = 8_000
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of the records that both are compared on.", show_default="a new one")
    ] = None


def register(options: RegisterOptions) -> None:
    """Register a model of your own: an ONNX file, or one that was logged to MLflow with sklearn, xgboost or lightgbm.

    It is converted to ONNX where it is not, asked for its input example in the way that the API will ask it, and held
    against what the original predicts. Only a model that agrees gets a version, and last of all the alias.
    """
    quiet_mlflow()
    console = Console(highlight=False, soft_wrap=True)
    spec = _spec(options)
    if options.promote and options.alias != CHAMPION:
        raise ModelRefused(f"--promote moves {CHAMPION}, --alias {options.alias!r} another alias: leave one out")
    with Display(console) as display:
        ask = display.ask if sys.stdin.isatty() else None
        rule = Unmeasured(ask) if options.alias == CHAMPION and not options.promote else None
        registered = register_model(spec, _max_bytes(), display.report, rule)

    from training.outcome import outcome  # mlflow takes seconds to import, and is there by now

    console.print(outcome(registered))


def _spec(options: RegisterOptions) -> RegistrationSpec:
    return RegistrationSpec(
        source=options.source,
        name=options.name,
        tracking_uri=options.tracking_uri,
        alias=options.alias,
        task=_task(options.task),
        labels=split_labels(options.labels),
        example=options.example,
        description=options.description,
        opset=options.opset,
        seed=options.seed,
        time_limit=options.time_limit,
        memory_limit=options.memory_limit,
    )


def _task(text: str | None) -> Task | None:
    if text not in {None, "classification", "regression"}:
        raise ModelRefused(f"--task {text!r}: expected classification or regression")
    return cast("Task | None", text)


def _max_bytes() -> int:
    """Return the limit that the sync goes by, if this command is told the same setting."""
    limit = ModelSyncSettings.model_fields["max_model_bytes"]
    text = os.environ.get("OFFPATH_MAX_MODEL_BYTES") or str(limit.default)
    if not text.isdecimal() or int(text) == 0:
        raise ModelRefused(f"OFFPATH_MAX_MODEL_BYTES={text!r}: expected a number of bytes")
    return int(text)
