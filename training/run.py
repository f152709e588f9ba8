"""One training from its order to its registered version."""

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
class Order:
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


def unasked() -> None:
    """Nobody minds that a version is registered."""


def train_and_register(
    order: Order, say: "Say", progress: "Progress", confirm: Callable[[], None] = unasked
) -> "Registered":
    """Train, check, register. Everything that can be told to be wrong is, before anything slow or lasting is done.

    confirm: called before a version is made; it does not return if there is to be none. Raises TrainingError.
    """
    check_name(order.model)
    address = checked_address(order.tracking_uri)
    if order.alias is not None:
        check_alias(order.alias)
    check_paths(order.data)
    if not order.wait_seconds:
        wait_for(address, 0)
    say(f"training {order.model}")
    recipe = find_recipe(order.model)
    check_installed(recipe)
    parameters = parse_parameters(recipe, order.parameters)
    data = read_dataset(recipe, order.data)

    from training.train_pipeline import train

    trained = train(recipe, parameters, order.seed, say, data, progress)

    from training.registry.trained_model import (
        register,  # mlflow takes seconds to import: the server may start meanwhile
    )

    wait_for(address, order.wait_seconds)
    return register(trained, address, order.alias, say, promotion=order.promotion, job=order.job, confirm=confirm)


def finish_registered(order: Order, say: "Say", confirm: Callable[[], None]) -> "Registered | None":
    """Finish what an earlier attempt of the order's job registered; None if it registered nothing.

    What else such attempts left in MLflow is ended. confirm: called before aliases move. Raises TrainingError.
    """
    address = checked_address(order.tracking_uri)
    wait_for(address, order.wait_seconds)

    from training.registry.trained_model import finish

    return finish(order, address, say, confirm)
