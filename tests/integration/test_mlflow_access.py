"""Credentials and certificates that change behind a process's back, against a real server over TLS."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from offpath.aws.clients import secrets_client
from offpath.aws.secrets import SecretsManager
from offpath.contracts.errors import Transient
from offpath.mlflow.credentials import (
    FETCH_INTERVAL_SECONDS,
    Credentials,
    RefreshableCredentials,
    StaticCredentials,
    StoredPart,
)
from offpath.mlflow.http import MlflowHttp, Untrusted
from offpath.mlflow.stored_credentials import StoredCertificates, StoredLogin, read_certificates
from offpath.retry import SYSTEM_CLOCK
from offpath.testing import InMemoryBucket, InMemorySecrets
from tests.support.servers.guarded_mlflow import USER, GuardedMlflow, guarded_mlflow
from tests.support.servers.mlflow_stub import Reply
from trace_writer.adapters.mlflow import MlflowTracker
from trace_writer.tracker import Faulted, TrackerUnavailable

CA_KEY = "mlflow/ca.pem"


@pytest.fixture
def mlflow(tmp_path: Path) -> Iterator[GuardedMlflow]:
    with guarded_mlflow(tmp_path) as server:
        yield server


@dataclass
class Deployment:
    """MLflow, what is stored of it, and a function's requests to it. now: the function's clock."""

    mlflow: GuardedMlflow
    secrets: InMemorySecrets = field(default_factory=InMemorySecrets)
    bucket: InMemoryBucket = field(default_factory=InMemoryBucket)
    now: float = 1000.0

    def __post_init__(self) -> None:
        parts: list[StoredPart] = [StoredLogin(self.secrets, "mlflow"), StoredCertificates(self.bucket, CA_KEY)]
        self.http = MlflowHttp(self.mlflow.url, RefreshableCredentials(Credentials(), parts, lambda: self.now))

    def store(self) -> None:
        """Put in place what opens MLflow now."""
        self.secrets.values["mlflow"] = json.dumps({"username": USER, "password": self.mlflow.password})
        self.bucket.put(CA_KEY, self.mlflow.authority.pem)

    def status(self) -> int:
        return self.http.request("GET", "/api").status

    @property
    def fetches(self) -> int:
        return len(self.secrets.fetched)


@pytest.fixture
def deployed(mlflow: GuardedMlflow) -> Deployment:
    """A deployment in which everything is in place, and was used some time ago."""
    deployment = Deployment(mlflow)
    deployment.store()
    assert [deployment.status(), deployment.status()] == [200, 200]
    assert deployment.fetches == 1
    deployment.now += FETCH_INTERVAL_SECONDS
    mlflow.stub.requests.clear()
    return deployment


def test_rotated_password_is_fetched_once_without_a_failure(deployed: Deployment) -> None:
    deployed.mlflow.password = "rotated"
    deployed.store()

    assert [deployed.status() for _ in range(5)] == [200] * 5

    assert deployed.fetches == 2
    assert deployed.mlflow.refusals == 1
    assert len(deployed.mlflow.stub.requests) == 6


def test_a_body_is_sent_whole_the_second_time_too(deployed: Deployment) -> None:
    deployed.mlflow.password = "rotated"
    deployed.store()

    answer = deployed.http.request("POST", "/api", headers={"X-Kind": "spans"}, body=b"content")

    assert answer.status == 200
    assert [request.headers["X-Kind"] for request in deployed.mlflow.stub.requests] == ["spans", "spans"]
    assert [request.headers["Content-Length"] for request in deployed.mlflow.stub.requests] == ["7", "7"]


def test_replaced_machine_is_trusted_by_its_new_certificates(deployed: Deployment) -> None:
    deployed.mlflow.replace()
    deployed.store()

    assert [deployed.status() for _ in range(5)] == [200] * 5

    assert deployed.fetches == 2
    assert len(deployed.mlflow.stub.requests) == 5


def test_a_machine_and_its_password_may_change_together(deployed: Deployment) -> None:
    deployed.mlflow.replace()
    deployed.mlflow.password = "rotated"
    deployed.store()

    assert deployed.status() == 200
    assert deployed.fetches == 2


def test_wrong_password_is_fetched_again_at_intervals(deployed: Deployment) -> None:
    deployed.mlflow.password = "rotated in MLflow alone"

    for _ in range(20):
        assert deployed.status() == 401
        deployed.now += FETCH_INTERVAL_SECONDS / 10

    assert deployed.fetches == 1 + 2
    assert deployed.mlflow.refusals == 20  # nothing new was found, so nothing was sent twice


def test_certificates_that_stay_wrong_are_fetched_once_in_a_while(deployed: Deployment) -> None:
    deployed.mlflow.replace()

    for _ in range(20):
        with pytest.raises(Untrusted, match="certificate"):
            deployed.status()
        deployed.now += FETCH_INTERVAL_SECONDS / 10

    assert deployed.fetches == 1 + 2
    assert deployed.mlflow.stub.requests == []
    deployed.store()
    assert deployed.status() == 200


def test_other_failures_do_not_fetch_the_password(deployed: Deployment) -> None:
    deployed.mlflow.stub.answer = lambda _: Reply(403, "forbidden")
    assert deployed.status() == 403
    assert deployed.fetches == 1


def test_a_password_cannot_be_fetched_anew(deployed: Deployment) -> None:
    deployed.mlflow.password = "rotated"
    deployed.secrets.down = True
    with pytest.raises(Transient, match="cannot be fetched: reading the secret 'mlflow'"):
        deployed.status()

    deployed.secrets.down = False
    deployed.store()
    deployed.now += FETCH_INTERVAL_SECONDS
    assert deployed.status() == 200


def test_what_is_not_there_yet_is_waited_for(mlflow: GuardedMlflow) -> None:
    deployment = Deployment(mlflow)
    with pytest.raises(Transient, match="the secret 'mlflow' does not exist"):
        deployment.status()

    deployment.store()
    deployment.bucket.delete(CA_KEY)
    deployment.now += FETCH_INTERVAL_SECONDS
    with pytest.raises(Transient, match=f"s3://archive/{CA_KEY} does not exist"):
        deployment.status()
    assert mlflow.stub.requests == []

    deployment.store()
    deployment.now += FETCH_INTERVAL_SECONDS
    assert deployment.status() == 200


@pytest.mark.parametrize("password", ["s3cret", "wrong"])
def test_what_is_fixed_is_asked_with_once(mlflow: GuardedMlflow, password: str) -> None:
    trust = read_certificates(mlflow.authority.pem)
    http = MlflowHttp(mlflow.url, StaticCredentials(Credentials(USER, password, trust)))
    assert http.request("GET", "/api").status == (200 if password == mlflow.password else 401)
    assert len(mlflow.stub.requests) == 1


def test_a_second_try_has_no_time_of_its_own(mlflow: GuardedMlflow) -> None:
    trust = read_certificates(mlflow.authority.pem)
    wrong, right = Credentials(USER, "wrong", trust), Credentials(USER, mlflow.password, trust)
    clock = SimpleNamespace(now=0.0)

    class Slow:
        def credentials(self, refused: Credentials | None = None) -> Credentials:
            clock.now += 20
            return right if refused else wrong

    with pytest.raises(Transient, match="no time left"):
        MlflowHttp(mlflow.url, Slow(), timeout_seconds=30, clock=lambda: clock.now).request("GET", "/api")
    assert MlflowHttp(mlflow.url, Slow(), timeout_seconds=50, clock=lambda: clock.now).request("GET", "/").status == 200


def test_a_secret_that_hangs_is_not_taken_for_mlflows_fault(
    mlflow: GuardedMlflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        secret = StoredLogin(SecretsManager(secrets_client(0.2, attempts=2)), "mlflow")
        http = MlflowHttp(mlflow.url, RefreshableCredentials(Credentials(), [secret]))
        with pytest.raises(TrackerUnavailable, match="reading the secret 'mlflow'") as trouble:
            MlflowTracker(http, SYSTEM_CLOCK.now, 30).log("offpath/iris", b"", 30)
    assert not isinstance(trouble.value, Faulted)
    assert mlflow.stub.requests == []
