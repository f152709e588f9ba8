"""Each part of the pipeline is replaced by that of another release, and put back, with events under way.

The neighbours of the previous release and of this one work together, in each direction: no event is lost, no model is
unserved at any moment, and each job ends once. What a next release writes waits until its own parts read it. All parts
are real processes, each of which runs its release's code.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.testbed.servers import mlflow_server, sqlite
from offpath.aws.s3 import Bucket, S3Claims
from offpath.aws.sqs import SqsQueue
from offpath.contracts.names import MANIFEST_KEY, spill_prefix
from offpath.replay import replay
from tests.support.rolling.deployment import Deployment, Services
from tests.support.rolling.next_schemas import EDITS, NEW_TENSOR_TYPE
from tests.support.rolling.pipelines import PARTS, Pipelines
from tests.support.rolling.releases import TODAY, HistoryMissing, Release, next_release, previous_release
from tests.support.rolling.served_models import FLOWERS, flowers_files, iris_files, register_all
from tests.support.rolling.traffic import Account, ask, callers, predict_each
from tests.support.rolling.work import HEALTH, WORK, Jobs
from tests.support.servers.holding_proxy import HoldingProxy, holding_proxy
from tests.support.servers.mlflow_rest import Mlflow
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

# Imports every module but those that act when they are imported, and prints those that are another release's.
# What no part of a running pipeline imports, and other environments or packages serve.
IMPORT_ALL = """
import importlib, pkgutil, sys
apart = ("local.deployed.", "local.emulator.", "local.zoo.")
for name in ("offpath", "prediction_api", "trace_writer", "model_sync", "local", "training.worker"):
    for module in pkgutil.walk_packages(importlib.import_module(name).__path__, name + "."):
        if module.name.split(".")[-1] not in {"handler", "__main__"} and not module.name.startswith(apart):
            importlib.import_module(module.name)
files = [module.__file__ for module in sys.modules.values() if getattr(module, "__file__", None)]
own, other = sys.argv[1:]
assert sum(file.startswith(own) for file in files) > 100
print([file for file in files if file.startswith(other) and "site-packages" not in file])
"""
SPILL = """
import sys
from offpath.contracts.message import Message
from offpath.contracts.spilled import dump
sys.stdout.write(dump(Message("a body", {"trace_id": "0" * 32})).decode())
"""
REPLAY = """
import sys
from offpath.aws.clients import s3_client, sqs_client
from offpath.aws.s3 import Bucket, S3Claims
from offpath.aws.sqs import SqsQueue
from offpath.replay import replay
bucket = Bucket(s3_client(), sys.argv[1])
print(replay(bucket, S3Claims(bucket), "traces", SqsQueue(sqs_client(), sys.argv[2])).queued)
"""


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return previous_release(tmp_path_factory.mktemp("previous"))


@pytest.fixture(scope="module")
def upcoming(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return next_release(tmp_path_factory.mktemp("next"), EDITS)


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mlflow]:
    folder = tmp_path_factory.mktemp("mlflow")
    with sqlite(folder) as database, mlflow_server(database, folder) as url:
        server = Mlflow(url)
        register_all(server)
        yield server


@pytest.fixture(scope="module")
def proxy(mlflow: Mlflow) -> Iterator[HoldingProxy]:
    with holding_proxy(mlflow.url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def pipelines(
    tmp_path_factory: pytest.TempPathFactory, moto_url: str, mlflow: Mlflow, proxy: HoldingProxy
) -> Iterator[Pipelines]:
    pipelines = Pipelines(Services(tmp_path_factory.mktemp("logs"), moto_url, mlflow.url, proxy.url))
    yield pipelines
    pipelines.clean_up()


@pytest.fixture(params=["forward", "back"])
def releases(request: pytest.FixtureRequest, previous: Release) -> tuple[Release, Release]:
    """The release that runs, and the one whose part takes the place of its own for a while."""
    return (previous, TODAY) if request.param == "forward" else (TODAY, previous)


@pytest.mark.parametrize("part", PARTS)
def test_part_is_replaced_and_put_back(
    part: str, releases: tuple[Release, Release], pipelines: Pipelines, mlflow: Mlflow, proxy: HoldingProxy
) -> None:
    release, other = releases
    with pipelines.of(release) as deployment:
        work = WORK[part](deployment, mlflow, proxy)
        with callers(deployment):
            work.begin()
            deployment.replace(part, other)
            work.go_on()
            deployment.replace(part, release)
            work.end()
        Account(deployment).settle()


@pytest.mark.parametrize("name", ["previous", "upcoming"])
def test_other_release_runs_its_own_modules_alone(name: str, request: pytest.FixtureRequest) -> None:
    release: Release = request.getfixturevalue(name)
    assert release.run(IMPORT_ALL, str(release.folder), str(TODAY.folder)).strip() == "[]"


def test_history_without_previous_release_is_said(tmp_path: Path) -> None:
    with pytest.raises(HistoryMissing, match=r"release 0\.0\.9 is the commit 0{40}, .*git fetch --unshallow"):
        previous_release(tmp_path, f"0.0.9 {'0' * 40}")


def test_events_of_next_release_wait_for_its_writer(pipelines: Pipelines, upcoming: Release) -> None:
    with pipelines.empty() as deployment:
        deployment.start(TODAY, "model_sync", "writer", "api")
        account = Account(deployment)
        deployment.replace("api", upcoming)
        newer = predict_each(deployment)
        deployment.replace("api", TODAY)
        known = predict_each(deployment)
        account.deliver(known)
        wait_for(lambda: all(deployment.log("writer").count(trace) > 1 for trace in newer), deployment.logs)
        assert account.archived_ids() == known
        deployment.replace("writer", upcoming)
        account.settle()


def test_job_of_next_release_is_left_to_its_worker(
    pipelines: Pipelines, upcoming: Release, mlflow: Mlflow, proxy: HoldingProxy
) -> None:
    with pipelines.empty() as deployment:
        deployment.start(TODAY, "model_sync", "api")
        deployment.start(upcoming, "worker")
        jobs = Jobs(deployment, mlflow)
        proxy.hold(HEALTH)
        job_id = jobs.order()
        wait_for(lambda: proxy.holds_one, deployment.logs)
        deployment.replace("worker", TODAY)  # the one that is stopped pauses the job
        proxy.release()
        wait_for(lambda: "a message is left on the queue" in deployment.log("worker"), deployment.logs)
        with deployment.asked() as api:
            status, answer = ask(f"{api.url}/jobs/{job_id}")
        assert (status, "'paused'" in answer["detail"]) == (503, True), answer
        deployment.replace("api", upcoming)
        assert jobs.get(job_id)["state"] == "paused"
        deployment.replace("worker", upcoming)
        jobs.ended_once(job_id)


def status_of(deployment: Deployment, model: str) -> int:
    """The status that a prediction of a model of tensors is answered with."""
    with deployment.asked() as api:
        return ask(f"{api.url}/models/{model}/predict", {"inputs": [FLOWERS]})[0]


def waves(deployment: Deployment) -> Any:
    """Return the manifest's entry of the model."""
    stored = deployment.s3.get_object(Bucket=deployment.name, Key=MANIFEST_KEY)["Body"].read()
    return json.loads(stored)["models"].get("waves")


def test_model_of_next_release_stays_served(pipelines: Pipelines, upcoming: Release, mlflow: Mlflow) -> None:
    mlflow.point("waves", "champion", mlflow.register("waves", flowers_files(NEW_TENSOR_TYPE)))
    with pipelines.empty() as deployment:
        deployment.start(upcoming, "model_sync")
        wait_for(lambda: deployment.has_manifest() and waves(deployment), deployment.logs)
        deployment.start(upcoming, "api")
        published = waves(deployment)
        deployment.replace("model_sync", TODAY)
        mlflow.point("iris", "rolled-back", mlflow.register("iris", iris_files(0.7)))
        wait_for(lambda: "rolled-back" in deployment.log("model_sync"), deployment.logs)
        assert waves(deployment) == published
        assert status_of(deployment, "waves") == 200
        deployment.replace("api", TODAY)
        assert (status_of(deployment, "waves"), status_of(deployment, "flowers")) == (503, 200)
        with deployment.asked() as api:
            health = ask(f"{api.url}/health")[1]
        assert health["status"] == "degraded"
        assert "deploy a newer version of this API" in health["models"]["waves"]["problem"]
        deployment.replace("api", upcoming)
        assert status_of(deployment, "waves") == 200


def test_spilled_message_of_next_release_stays_until_it_is_read(
    upcoming: Release, s3: S3Client, sqs: SQSClient, bucket_name: str, queue_url: str
) -> None:
    bucket = Bucket(s3, bucket_name)
    bucket.put(key := f"{spill_prefix('traces')}a.json", upcoming.run(SPILL).encode())
    left = replay(bucket, S3Claims(bucket), "traces", SqsQueue(sqs, queue_url))
    assert (left.queued, [*left.left]) == (0, [key])
    assert "'spill/2'" in left.left[key]
    assert upcoming.run(REPLAY, bucket_name, queue_url).strip() == "1"
    assert not bucket.exists(key)
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=queue_url)["Messages"]] == ["a body"]
