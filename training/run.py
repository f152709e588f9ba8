"""One training from its order to its registered version."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from training.catalog import check_name, find_recipe
from training.data_files import check_paths, read_dataset
from training.options import check_alias, parse_parameters
from training.server import checked_address, wait_for

if TYPE_CHECKING:
    from training.pattern import Say
    from training.recipe import Progress
    from training.versions import Registered


@dataclass(frozen=True, slots=True)
class Order:
    """What to train. parameters: texts `NAME=VALUE`. wait_seconds: for an MLflow server that is starting.

    data: files to learn from; if there are none, from what the recipe brings.
    """

    model: str
    tracking_uri: str
    seed: int
    parameters: Sequence[str]
    alias: str
    wait_seconds: float
    data: Sequence[Path] = ()


def train_and_register(order: Order, say: "Say", progress: "Progress") -> "Registered":
    """Train, check, register. Everything that can be told to be wrong is, before anything slow or lasting is done.

    Raises TrainingError.
    """
    check_name(order.model)
    address = checked_address(order.tracking_uri)
    check_alias(order.alias)
    check_paths(order.data)
    if not order.wait_seconds:
        wait_for(address, 0)
    say(f"training {order.model}")
    recipe = find_recipe(order.model)
    parameters = parse_parameters(recipe, order.parameters)
    data = read_dataset(recipe, order.data)

    from training.pattern import train

    trained = train(recipe, parameters, order.seed, say, data, progress)

    from training.registry import register  # mlflow takes seconds to import: the server may start meanwhile

    wait_for(address, order.wait_seconds)
    return register(trained, address, order.alias, say)
