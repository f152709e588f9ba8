"""Find what earlier attempts of a training job left in MLflow, and end it."""

from collections.abc import Iterator

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion

from offpath.contracts.names import JOB_TAG


def registered_version(client: MlflowClient, name: str, job: str) -> ModelVersion | None:
    """Return the version of that model that the job registered, if it came so far. Raises MlflowException."""
    found = client.search_model_versions(f"name = '{name}' and tags.`{JOB_TAG}` = '{job}'", max_results=1)
    return found[0] if found else None


def end_runs(client: MlflowClient, experiment: str, job: str, keep: str | None = None) -> None:
    """End the job's runs that are still marked as running, and delete the models of those without a version.

    keep: the id of the run that has a version. Raises MlflowException.
    """
    for run in _runs(client, experiment, job):
        if run.info.run_id == keep:
            continue
        if run.info.status == "RUNNING":
            client.set_terminated(run.info.run_id, status="KILLED")
        query = f"source_run_id = '{run.info.run_id}'"
        for model in client.search_logged_models([run.info.experiment_id], filter_string=query):
            client.delete_logged_model(model.model_id)


def _runs(client: MlflowClient, name: str, job: str) -> Iterator[Run]:
    experiment = client.get_experiment_by_name(name)
    if experiment:
        yield from client.search_runs([experiment.experiment_id], f"tags.`{JOB_TAG}` = '{job}'")
