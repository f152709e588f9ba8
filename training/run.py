"""One training from its spec to its registered version."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.checks import check_alias, check_installed, parse_parameters
from training.data.files import check_paths, read_dataset
from training.recipes.catalog import check_name, find_recipe
from training.registry.mlflow_server import checked_address, wait_for

if TYPE_CHECKING:
    from training.recipes.recipe import Progress, Say
    from training.registry.promotion import Promotion
    from training.registry.versions import Registered


@dataclass(frozen=True, slots=True)
class TrainingSpec:
    """What to train. parameters: values or their texts. wait_seconds: for an MLflow server that is starting.

    alias: None for a version without one. data: files to learn from; if there are none, from what the recipe brings.
    promotion: when the new version becomes champion, if that is asked for. job: the id of the training job, if it is
    one: run and version bear it.
    """

    model: str
    tracking_uri: str
    seed: int
    parameters: Mapping[str, Any]
    alias: str | None
    wait_seconds: float
    data: Sequence[Path] = ()
    promotion: "Promotion | None" = None
    job: str | None = None


def no_confirmation() -> None:
    """Nobody minds that a version is registered."""


def train_and_register(
    spec: TrainingSpec, say: "Say", progress: "Progress", confirm: Callable[[], None] = no_confirmation
) -> "Registered":
    """Train, check, register. Everything that can be told to be wrong is, before anything slow or lasting is done.

    confirm: called before a version is made; it does not return if there is to be none. Raises TrainingError.
    """
    check_name(spec.model)
    address = checked_address(spec.tracking_uri)
    if spec.alias is not None:
        check_alias(spec.alias)
    check_paths(spec.data)
    if not spec.wait_seconds:
        wait_for(address, 0)
    say(f"training {spec.model}")
    recipe = find_recipe(spec.model)
    check_installed(recipe)
    parameters = parse_parameters(recipe, spec.parameters)
    data = read_dataset(recipe, spec.data)

    from training.train_pipeline import train

    trained = train(recipe, parameters, spec.seed, say, data, progress)

    from training.registry.trained_model import (
        register,  # mlflow takes seconds to import: the server may start meanwhile
    )

    wait_for(address, spec.wait_seconds)
    return register(trained, address, spec.alias, say, promotion=spec.promotion, job=spec.job, confirm=confirm)


def finish_registered(spec: TrainingSpec, say: "Say", confirm: Callable[[], None]) -> "Registered | None":
    """Finish what an earlier attempt of the spec's job registered; None if it registered nothing.

    What else such attempts left in MLflow is ended. confirm: called before aliases move. Raises TrainingError.
    """
    address = checked_address(spec.tracking_uri)
    wait_for(address, spec.wait_seconds)

    from training.registry.trained_model import finish

    return finish(spec, address, say, confirm)
