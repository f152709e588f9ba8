"""Training jobs with the real processes: workers that are killed, stopped and held to their limits."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from offpath.contracts.names import RECIPES_KEY
from tests.support.servers.holding_proxy import HoldingProxy, holding_proxy
from tests.support.servers.stack import await_end, descendants
from tests.support.servers.training_jobs import Jobs, registered_version
from tests.support.waiting import wait_for
from training.worker.announce import announcement

# mlflow warns of its own type hints when parts of it are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")

# The first that a training asks of MLflow: it has fitted a model by then, and registered nothing.
HEALTH = "GET /health"
SET_ALIAS = "POST /api/2.0/mlflow/registered-models/alias"
LOG_MODEL = "POST /api/2.0/mlflow/logged-models"
CREATE_VERSION = "POST /api/2.0/mlflow/model-versions/create"


@pytest.fixture
def mlflow(mlflow_url: str) -> Iterator[HoldingProxy]:
    with holding_proxy(mlflow_url) as proxy:
        yield proxy


@pytest.fixture
def jobs(tmp_path: Path, mlflow: HoldingProxy, bucket_name: str, queue_url: str, aws_endpoint: str) -> Iterator[Jobs]:
    jobs = Jobs(tmp_path, mlflow, bucket_name, queue_url, aws_endpoint)
    jobs.bucket.put(RECIPES_KEY, announcement().to_json())  # the worker's own comes seconds after its start
    yield jobs
    jobs.clean_up()


def test_a_job_succeeds_or_fails_from_order_to_end(jobs: Jobs) -> None:
    jobs.bucket.delete(RECIPES_KEY)
    assert jobs.post("iris").status_code == 503
    jobs.worker()
    wait_for(lambda: jobs.bucket.exists(RECIPES_KEY), jobs.logs)
    jobs.bucket.put("datasets/abalone.data", b"M,1\n")
    answer = jobs.post("iris", parameters={"c": 0.5}, seed=4, alias="blue", promote={"metric": "validation_f1"})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/jobs/{answer.json()['id']}"
    assert answer.json()["state"] == "queued"
    refused = jobs.order("abalone", data=["datasets/abalone.data"])

    job = jobs.ended(answer.json()["id"])
    assert (job["state"], job["attempts"], job["progress"]["fraction"]) == ("succeeded", 1, 1.0)
    assert job["parameters"] == {"c": 0.5, "max_iter": 200}
    version = jobs.client.get_model_version_by_alias("iris", "blue")
    assert (job["result"]["version"], job["result"]["alias"]) == (version.version, "blue")
    assert version.tags == {"offpath.job": job["id"]}
    run = jobs.client.get_run(job["result"]["run_id"])
    assert (run.data.tags["offpath.job"], run.data.params["seed"], run.data.params["c"]) == (job["id"], "4", "0.5")
    assert job["result"]["metrics"] == run.data.metrics
    assert "champion" in job["result"]["promotion"]["reason"]

    job = jobs.ended(refused)
    assert (job["state"], job["attempts"]) == ("failed", 1)
    assert "abalone.data: the first row has 2 columns" in job["error"]


def test_a_job_whose_worker_is_killed_is_trained_again(jobs: Jobs, mlflow: HoldingProxy) -> None:
    mlflow.hold(HEALTH)
    first, job_id = jobs.worker(), jobs.order("abalone")
    jobs.at(job_id)
    jobs.kill(first)
    assert jobs.job(job_id)["state"] == "running"
    mlflow.release()

    jobs.worker()
    job = jobs.ended(job_id)
    assert (job["state"], job["attempts"], job["result"]["alias"]) == ("succeeded", 2, None)
    assert [version.version for version in jobs.versions("abalone", job_id)] == [job["result"]["version"]]
    assert jobs.runs("abalone", job_id) == ["FINISHED"]


def test_a_job_fails_cleanly_once_two_workers_are_killed(jobs: Jobs, mlflow: HoldingProxy) -> None:
    before = registered_version(jobs.client, "iris", "green")
    job_id = jobs.order("iris", alias="green")
    for request, runs in ((LOG_MODEL, ["RUNNING"]), (CREATE_VERSION, ["FINISHED", "KILLED"])):
        mlflow.hold(request)
        worker = jobs.worker()
        jobs.at(job_id)
        assert jobs.runs("iris", job_id) == runs
        jobs.kill(worker)

    mlflow.release()
    jobs.worker()
    job = jobs.ended(job_id)
    assert (job["state"], job["attempts"], job["result"]) == ("failed", 2, None)
    assert job["error"] == "it was tried twice, and each time its worker ended in the middle of it"
    assert jobs.client.get_model_version_by_alias("iris", "green").version == before
    assert jobs.versions("iris", job_id) == []
    assert jobs.models_of_runs("iris", job_id) == []


def test_a_worker_killed_between_version_and_alias_leaves_one_version(jobs: Jobs, mlflow: HoldingProxy) -> None:
    mlflow.hold(SET_ALIAS)
    first, job_id = jobs.worker(), jobs.order("iris", alias="red")
    jobs.at(job_id)
    jobs.kill(first)
    mlflow.release()
    jobs.worker()

    job = jobs.ended(job_id)
    assert (job["state"], job["attempts"]) == ("succeeded", 2)
    [version] = jobs.versions("iris", job_id)
    assert jobs.client.get_model_version_by_alias("iris", "red").version == version.version
    assert job["result"]["version"] == version.version
    assert jobs.runs("iris", job_id) == ["FINISHED"]


def test_a_worker_that_is_stopped_hands_its_job_back(jobs: Jobs, mlflow: HoldingProxy) -> None:
    mlflow.hold(HEALTH)
    first, job_id = jobs.worker(), jobs.order("abalone")
    jobs.at(job_id)
    family = descendants(first.process.pid)
    assert family
    assert first.end(signal.SIGTERM) == 0
    await_end(family)
    job = jobs.job(job_id)
    assert (job["state"], job["attempts"]) == ("queued", 0)

    second = jobs.worker()
    assert jobs.wait(job_id, lambda job: job["state"] == "running")["attempts"] == 1
    assert second.end(signal.SIGINT) == 0
    assert "Traceback" not in jobs.logs()


def test_a_training_is_held_to_its_limits(jobs: Jobs, mlflow: HoldingProxy) -> None:
    mlflow.hold(HEALTH)
    slow = jobs.order("abalone")
    worker = jobs.worker(OFFPATH_TRAINING_SECONDS="2")
    assert jobs.ended(slow)["error"] == "it took longer than 2 s (OFFPATH_TRAINING_SECONDS)"
    worker.end(signal.SIGTERM)
    large = jobs.order("iris")
    jobs.worker(OFFPATH_TRAINING_MEMORY_MB="100")
    job = jobs.ended(large)
    assert (job["state"], job["attempts"]) == ("failed", 1)
    assert job["error"].startswith("out of memory: it took ")
    assert "of 100 (OFFPATH_TRAINING_MEMORY_MB)" in job["error"]
