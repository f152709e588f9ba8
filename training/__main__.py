"""`python -m training MODEL`: train a model, check it and register it in MLflow."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from offpath.contracts.names import CHAMPION
from training.callbacks import Callbacks
from training.checks import parse_assignments
from training.display import Display
from training.recipe import TrainingError
from training.recipes.catalog import NAMES
from training.registry.mlflow_server import quiet_mlflow
from training.run import train_and_register
from training.tracking_uri import TrackingUri
from training.training_spec import AliasPlan, TrainingSpec

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(  # noqa: PLR0913  an option each
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
    alias: Annotated[str, typer.Option(help="The alias that the new version gets.")] = CHAMPION,
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
                aliases=AliasPlan(alias),
                wait_seconds=wait,
                data=data,
            )
            registered = train_and_register(spec, Callbacks(display.report, display.progress))
    except TrainingError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print("error:", str(error), style="red", markup=False)
        raise typer.Exit(1) from error
    console.print(
        f"[green]{registered.name} version {registered.version} is {registered.alias}[/green]"
        f"\n         version  {registered.version_url}\n         run      {registered.run_url}"
    )


if __name__ == "__main__":
    app(prog_name="python -m training")
