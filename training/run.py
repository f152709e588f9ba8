"""One training from its specification to its registered version."""

from typing import TYPE_CHECKING

from training.callbacks import Callbacks
from training.checks import check_alias, check_installed, parse_parameters
from training.data.files import check_paths, read_dataset
from training.recipes.catalog import check_name, find_recipe
from training.registry.mlflow_server import checked_address, wait_for
from training.training_spec import TrainingSpec

if TYPE_CHECKING:
    from training.registry.versions import Registered


def train_and_register(spec: TrainingSpec, callbacks: Callbacks) -> "Registered":
    """Train a model, check it and register a version. Raises TrainingError.

    What can be known to be wrong is refused before anything slow or lasting is done.
    """
    check_name(spec.model)
    address = checked_address(spec.tracking_uri)
    if spec.aliases.alias is not None:
        check_alias(spec.aliases.alias)
    check_paths(spec.data)
    if not spec.wait_seconds:
        wait_for(address, 0)
    callbacks.report(f"training {spec.model}")
    recipe = find_recipe(spec.model)
    check_installed(recipe)
    parameters = parse_parameters(recipe, spec.parameters)
    data = read_dataset(recipe, spec.data)

    from training.train_pipeline import train

    trained = train(recipe, parameters, spec.seed, data, callbacks)

    from training.registry.trained_model import register  # mlflow takes seconds to import: the server may start then

    wait_for(address, spec.wait_seconds)
    return register(trained, address, spec.aliases, callbacks, job=spec.job)


def finish_registered(spec: TrainingSpec, callbacks: Callbacks) -> "Registered | None":
    """Finish what an earlier attempt of the spec's job registered, or return None if it registered nothing.

    What else such attempts left in MLflow is ended. Raises TrainingError.
    """
    address = checked_address(spec.tracking_uri)
    wait_for(address, spec.wait_seconds)

    from training.registry.trained_model import finish

    return finish(spec, address, callbacks)
