"""Registering that fails on the way, at whichever request to MLflow: nothing is left half done without a word."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from random import Random
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from onnx import ModelProto

from local.testbed.models import sum_onnx
from tests.support.servers.holding_proxy import HoldingProxy, holding_proxy
from training.callbacks import Callbacks
from training.recipe import TrainingError
from training.registry.versions import NewVersion, OnnxPackage, Registered, register_version
from training.training_spec import AliasPlan

# mlflow warns of its own type hints when parts of it are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType")

TRIED = 5


@pytest.fixture(scope="module")
def proxy(mlflow_url: str) -> Iterator[HoldingProxy]:
    with holding_proxy(mlflow_url) as found, pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_URI", found.url)
        environment.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        yield found
        mlflow.set_tracking_uri(mlflow_url)


def new_version(name: str) -> NewVersion:
    graph = ModelProto.FromString(sum_onnx())
    signature = ModelSignature(Schema([ColSpec(DataType.float, column) for column in "ab"]))
    package = OnnxPackage(graph, signature, [{"a": 1.0, "b": 2.0}], "regression", ())
    return NewVersion(name, f"registered/{name}", "sum", "a sum", package, {"a": 1}, {"b": 2.0}, {}, "a sum", "a sum")


def attempt(proxy: HoldingProxy, name: str, refused: int) -> Registered | str:
    """Return what was registered, or what is told."""
    proxy.refuse(refused)
    try:
        return register_version(new_version(name), proxy.url, AliasPlan("champion"), Callbacks(lambda _: None))
    except TrainingError as error:
        return str(error)
    finally:
        proxy.refuse(-1)


def versions(client: MlflowClient, name: str) -> Any:
    return client.search_model_versions(f"name='{name}'")


def test_a_registration_that_fails_anywhere_tells_what_is_done(proxy: HoldingProxy, mlflow_url: str) -> None:
    client = MlflowClient(mlflow_url, mlflow_url)
    first = f"whole-{uuid.uuid4().hex[:8]}"
    proxy.refuse(-1)
    register_version(new_version(first), proxy.url, AliasPlan("champion"), Callbacks(lambda _: None))
    requests = proxy.requests
    assert requests > TRIED
    named = 0
    last = [requests - 1, requests - 3]  # the alias has its turn at the end
    for number in [*last, *Random(7).sample(range(requests), TRIED)]:
        name = f"half-{uuid.uuid4().hex[:8]}"
        told = attempt(proxy, name, number)
        experiment = client.get_experiment_by_name(f"registered/{name}")
        runs = client.search_runs([experiment.experiment_id]) if experiment else []
        assert all(run.info.status != "RUNNING" for run in runs), (number, told)
        if isinstance(told, str) and versions(client, name):
            assert told.startswith(f"version 1 of {name} is registered, but "), number
            named += 1
    assert named
