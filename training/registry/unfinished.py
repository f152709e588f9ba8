"""Leave nothing half done in MLflow without a word: each run ends, and of a version without its alias is told."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import mlflow
from mlflow import ActiveRun, MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from requests.exceptions import RequestException

from training.recipe import TrainingError

# What MLflow's client raises: for artifacts also what is below it.
MLFLOW_ERRORS = (MlflowException, RequestException)


@contextmanager
def started_run(name: str, description: str, tags: Mapping[str, str]) -> Iterator[ActiveRun]:
    """Yield a run that is over after the block: finished, or failed if the block or its end did not come through.

    Only a server that is gone can leave it as running.
    """
    run = mlflow.start_run(run_name=name, description=description, tags=dict(tags))
    try:
        with run:
            yield run
    except BaseException:
        with suppress(*MLFLOW_ERRORS):
            MlflowClient().set_terminated(run.info.run_id, "FAILED")
        raise


@contextmanager
def told_version(version: ModelVersion, tracking_uri: str) -> Iterator[None]:
    """Raise a TrainingError that names the version if the block fails or is interrupted: that much is done."""
    try:
        yield
    except (*MLFLOW_ERRORS, KeyboardInterrupt) as error:
        what = "it was interrupted" if isinstance(error, KeyboardInterrupt) else f"MLflow at {tracking_uri} failed"
        raise TrainingError(
            f"version {version.version} of {version.name} is registered, but {what} before its alias was moved for sure"
            f"{_reason(error)}. See {tracking_uri}/#/models/{version.name}; `offpath promote` makes it champion"
        ) from error


def _reason(error: BaseException) -> str:
    return "" if isinstance(error, KeyboardInterrupt) else f": {error}"
