"""The stubs of MLflow, and the proxy before one, answer as a real MLflow server does."""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from local.ports import free_port
from local.testbed.processes import await_answer, running
from offpath.mlflow.credentials import Credentials, StaticCredentials
from offpath.mlflow.http import Answer, MlflowHttp
from offpath.mlflow.stored_credentials import read_certificates
from offpath.testing import ManualClock
from tests.support.builders.trace_events import decoded, prediction_event
from tests.support.fakes.trace_writer import claims
from tests.support.servers.guarded_mlflow import guarded_mlflow
from tests.support.servers.holding_proxy import holding_proxy
from tests.support.servers.mlflow_rest import Mlflow
from tests.support.servers.mlflow_stub import error, stub_mlflow
from trace_writer.adapters.mlflow import MlflowTracker

EXPERIMENTS = "/api/2.0/mlflow/experiments"
JSON = {"Content-Type": "application/json"}
ADMIN = Credentials("admin", uuid.uuid4().hex)


def post(http: MlflowHttp, path: str, fields: Mapping[str, str]) -> Answer:
    return http.request("POST", path, headers=JSON, body=json.dumps(fields).encode())


def find(http: MlflowHttp, name: str) -> Answer:
    return http.request("GET", f"{EXPERIMENTS}/get-by-name?experiment_name={quote(name)}")


def shape(answer: Answer) -> Any:
    """Return the status, and the names and kinds of an answer's fields that the writer reads."""
    fields = json.loads(answer.body)
    return answer.status, _kinds(fields.get("experiment", fields))


def _kinds(fields: Mapping[str, Any]) -> dict[str, str]:
    read = {"experiment_id", "lifecycle_stage", "error_code", "message"}
    return {name: type(value).__name__ for name, value in fields.items() if name in read}


@pytest.fixture
def name() -> str:
    return f"offpath/{uuid.uuid4().hex}"


@dataclass
class Healthy:
    """A server that has an experiment. trace_ids: the traces that it has taken for it."""

    http: MlflowHttp
    trace_ids: Callable[[], set[str]]


@pytest.fixture(params=["stub", "mlflow", "mlflow behind the proxy"])
def healthy(request: pytest.FixtureRequest, name: str) -> Iterator[Healthy]:
    """A server that has an experiment of that name."""
    if request.param == "stub":
        with stub_mlflow() as stub:
            yield Healthy(MlflowHttp(stub.url), lambda: set().union(*(one.trace_ids for one in stub.requests)))
        return
    url: str = request.getfixturevalue("mlflow_url")
    assert post(MlflowHttp(url), f"{EXPERIMENTS}/create", {"name": name}).status == 200
    if request.param == "mlflow":
        yield Healthy(MlflowHttp(url), lambda: Mlflow(url).trace_ids(name))
        return
    with holding_proxy(url) as proxy:
        yield Healthy(MlflowHttp(proxy.url), lambda: Mlflow(url).trace_ids(name))


def test_an_experiment_is_described_alike(healthy: Healthy, name: str) -> None:
    found = find(healthy.http, name)
    assert shape(found) == (200, {"experiment_id": "str", "lifecycle_stage": "str"})
    assert json.loads(found.body)["experiment"]["lifecycle_stage"] == "active"


def test_spans_are_taken_alike(healthy: Healthy, name: str) -> None:
    event = prediction_event(name)
    MlflowTracker(healthy.http, ManualClock().now, 30).log(name, decoded("1", event, claims()).payload, 30)
    assert healthy.trace_ids() == {event.trace_id}


@pytest.fixture(params=["stub", "mlflow", "mlflow behind the proxy"])
def without(request: pytest.FixtureRequest) -> Iterator[MlflowHttp]:
    """A server that has no experiment of any name that is asked for."""
    if request.param == "stub":
        with stub_mlflow() as stub:
            stub.answer = lambda _: error(404, "RESOURCE_DOES_NOT_EXIST")
            yield MlflowHttp(stub.url)
        return
    url: str = request.getfixturevalue("mlflow_url")
    if request.param == "mlflow":
        yield MlflowHttp(url)
        return
    with holding_proxy(url) as proxy:
        yield MlflowHttp(proxy.url)


def test_an_error_is_described_alike(without: MlflowHttp, name: str) -> None:
    answer = find(without, name)
    assert shape(answer) == (404, {"error_code": "str", "message": "str"})
    assert json.loads(answer.body)["error_code"] == "RESOURCE_DOES_NOT_EXIST"


@dataclass
class Guarded:
    """A server with users. right: the credentials that it takes."""

    url: str
    right: Credentials


@pytest.fixture(scope="module")
def mlflow_with_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real MLflow server that asks for a user and a password."""
    folder = tmp_path_factory.mktemp("mlflow-with-users")
    url = f"http://127.0.0.1:{(port := free_port())}"
    settings = folder / "basic_auth.ini"
    settings.write_text(
        f"[mlflow]\ndefault_permission = READ\nadmin_username = {ADMIN.username}\nadmin_password = {ADMIN.password}\n"
        f"database_uri = sqlite:///{folder}/users.db\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    command = [sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    environ = {
        "MLFLOW_AUTH_CONFIG_PATH": str(settings),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": uuid.uuid4().hex,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "PATH": os.environ["PATH"],
    }
    with running(command, log := folder / "mlflow.log", environ) as process:
        await_answer(f"{url}/health", process, log)
        yield url


@pytest.fixture(params=["stub", "mlflow"])
def guarded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Guarded]:
    if request.param == "mlflow":
        yield Guarded(request.getfixturevalue("mlflow_with_users"), ADMIN)
        return
    with guarded_mlflow(tmp_path) as server:
        certificates = read_certificates(server.authority.pem)
        yield Guarded(server.url, Credentials("writer", server.password, certificates))


GIVEN: dict[str, tuple[Callable[[Credentials], Credentials], int]] = {
    "right": (lambda right: right, 200),
    "wrong password": (lambda right: replace(right, password="wrong"), 401),
    "another user": (lambda right: replace(right, username="nobody"), 401),
    "no user": (lambda right: replace(right, username=None), 401),
}


@pytest.mark.parametrize("given", GIVEN)
def test_only_the_right_user_is_let_in(guarded: Guarded, given: str) -> None:
    change, status = GIVEN[given]
    http = MlflowHttp(guarded.url, StaticCredentials(change(guarded.right)))
    assert http.request("GET", f"{EXPERIMENTS}/get?experiment_id=0").status == status
