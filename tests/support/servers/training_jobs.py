"""Training jobs with the real processes: the API over moto, workers as a system would start them, a real MLflow."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from offpath.aws.clients import s3_client, sqs_client
from offpath.aws.job_store import JobStore
from offpath.aws.s3 import Bucket
from offpath.aws.sqs import SqsQueue
from offpath.testing import RecordingTracing
from prediction_api.http.app import create_app
from prediction_api.jobs.recipe_book import RecipeBook
from prediction_api.jobs.training import Training
from tests.support.builders.api import Api
from tests.support.servers.holding_proxy import HoldingProxy
from tests.support.servers.stack import Command, await_end, descendants, start_command
from tests.support.waiting import DEADLINE_SECONDS, wait_for

# After how long a job is tried again whose worker was killed.
VISIBILITY_SECONDS = 3


class Jobs:
    """Somebody who orders trainings, starts workers and ends them."""

    def __init__(self, folder: Path, mlflow: HoldingProxy, bucket: str, queue_url: str, endpoint: str) -> None:
        self.folder = folder
        self.mlflow = mlflow
        self.client = MlflowClient(mlflow.target)
        self.workers: list[Command] = []
        self.bucket = Bucket(s3_client(), bucket)
        self.store = JobStore(self.bucket)
        self._environ = {
            "AWS_ENDPOINT_URL": endpoint,
            "OFFPATH_BUCKET": bucket,
            "OFFPATH_TRAINING_QUEUE_URL": queue_url,
            "OFFPATH_TRAINING_VISIBILITY_SECONDS": str(VISIBILITY_SECONDS),
            "OFFPATH_TRAINING_MLFLOW_WAIT_SECONDS": str(DEADLINE_SECONDS),
            "MLFLOW_TRACKING_URI": mlflow.url,
        }
        training = Training(RecipeBook(self.bucket), self.store, SqsQueue(sqs_client(), queue_url), self.bucket)
        served = Api()
        self.api = TestClient(create_app(served.loader, RecordingTracing(), served.settings, training))

    def worker(self, **environ: str) -> Command:
        """Start a worker's process."""
        log = self.folder / f"worker-{len(self.workers)}.log"
        self.workers.append(start_command(log, self._environ | environ, "training.worker"))
        self.workers[-1].wait_for("waiting for jobs on")
        return self.workers[-1]

    def order(self, model: str, **body: Any) -> str:
        """Order a job and return its id."""
        answer = self.post(model, **body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def post(self, model: str, **body: Any) -> Response:
        return self.api.post(f"/models/{model}/train", json=body)

    def job(self, job_id: str) -> dict[str, Any]:
        """Return the job as the API shows it."""
        answer = self.api.get(f"/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def wait(self, job_id: str, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the job once it is so far."""
        return wait_for(lambda: self._job_if(job_id, until), lambda: f"{self.job(job_id)}\n{self.logs()}")

    def _job_if(self, job_id: str, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
        job = self.job(job_id)
        return job if until(job) else None

    def ended(self, job_id: str) -> dict[str, Any]:
        """Return the job once it has ended."""
        return self.wait(job_id, lambda job: job["state"] in {"succeeded", "failed"})

    def at(self, job_id: str) -> None:
        """Return once the job's training stands still before the request to MLflow that is held."""
        wait_for(lambda: self.mlflow.holds_one, lambda: f"{self.job(job_id)}\n{self.logs()}")

    def kill(self, worker: Command) -> None:
        """Kill the worker alone, and wait until its training has ended, too."""
        family = descendants(worker.process.pid)
        assert family
        worker.process.send_signal(signal.SIGKILL)
        worker.process.wait()
        await_end(family)

    def versions(self, model: str, job_id: str) -> list[ModelVersion]:
        """Return the versions that the job registered."""
        return [one for one in self.client.search_model_versions(f"name = '{model}'") if _of(one, job_id)]

    def runs(self, model: str, job_id: str) -> list[str]:
        """Return the states of the job's runs."""
        experiment = self.client.get_experiment_by_name(f"training/{model}")
        if experiment is None:
            return []
        found = self.client.search_runs([experiment.experiment_id], f"tags.`offpath.job` = '{job_id}'")
        return sorted(run.info.status for run in found)

    def models_of_runs(self, model: str, job_id: str) -> list[str]:
        """Return the models that the job logged and that are not deleted."""
        experiment = self.client.get_experiment_by_name(f"training/{model}")
        assert experiment is not None
        found = self.client.search_runs([experiment.experiment_id], f"tags.`offpath.job` = '{job_id}'")
        queries = [f"source_run_id = '{run.info.run_id}'" for run in found]
        models = [self.client.search_logged_models([experiment.experiment_id], filter_string=one) for one in queries]
        return [logged.model_id for page in models for logged in page]

    def logs(self) -> str:
        return "\n".join(worker.text for worker in self.workers)

    def clean_up(self) -> None:
        for worker in self.workers:
            worker.clean_up()


def registered_version(
    client: MlflowClient, name: str, alias: str, metrics: Mapping[str, float] | None = None, sha256: str = "0"
) -> str:
    """Register a version without a model: only what its run says is there."""
    experiment = client.get_experiment_by_name("measured")
    experiment_id = experiment.experiment_id if experiment else client.create_experiment("measured")
    run = client.create_run(experiment_id, tags={"data.sha256": sha256})
    for metric, value in (metrics or {}).items():
        client.log_metric(run.info.run_id, metric, value)
    with suppress(MlflowException):
        client.create_registered_model(name)
    made = client.create_model_version(name, f"{run.info.artifact_uri}/model", run.info.run_id)
    client.set_registered_model_alias(name, alias, made.version)
    return str(made.version)


def _of(version: ModelVersion, job_id: str) -> bool:
    return version.tags.get("offpath.job") == job_id
