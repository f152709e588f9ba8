"""Run `offpath promote MODEL VERSION` and `offpath rollback MODEL`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from offpath.contracts.names import CHAMPION
from training.registry.mlflow_server import checked_address, quiet_mlflow, wait_for
from training.tracking_uri import TrackingUri

if TYPE_CHECKING:
    from mlflow import MlflowClient

Model = Annotated[str, typer.Argument(help="The registered model's name.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteOptions:
    """Hold the options of `offpath promote`."""

    model: Model
    version: Annotated[str, typer.Argument(help="The number of the version.")]
    tracking_uri: TrackingUri


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackOptions:
    """Hold the options of `offpath rollback`."""

    model: Model
    tracking_uri: TrackingUri


def promote(options: PromoteOptions) -> None:
    """Make a version champion, whatever its scores; the API serves it within a minute or so."""
    with _registry(options.tracking_uri) as client:
        from training.outcome import way_back
        from training.registry import champions

        name = options.model
        number = str(champions.find_version(client, name, options.version).version)
        before = champions.promote(client, name, number)
    _print(f"{name} version {number} is {CHAMPION}{way_back(name, before)}")


def rollback(options: RollbackOptions) -> None:
    """Make the champion before the present one champion again; the API serves it within a minute or so."""
    with _registry(options.tracking_uri) as client:
        from training.outcome import command
        from training.registry import champions

        name = options.model
        left, now = champions.roll_back(client, name)
    _print(f"{name} version {now} is {CHAMPION}\n         forward to version {left}: {command()} promote {name} {left}")


@contextmanager
def _registry(tracking_uri: str) -> "Iterator[MlflowClient]":
    """Yield a client of the server. Raises TrainingError if it does not answer, or refuses."""
    quiet_mlflow()
    address = checked_address(tracking_uri)
    wait_for(address, 0)

    from mlflow import MlflowClient  # it takes seconds to import: a server that is away is told at once

    from training.registry.versions import mlflow_errors

    with mlflow_errors(address):
        yield MlflowClient(address)


def _print(text: str) -> None:
    Console(highlight=False, soft_wrap=True).print(text, style="green")
