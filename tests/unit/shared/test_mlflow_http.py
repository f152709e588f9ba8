"""A request to MLflow asks for credentials and checks its time before it is sent."""

import pytest

from offpath.contracts.errors import Transient
from offpath.mlflow.credentials import Credentials
from offpath.mlflow.http import MlflowHttp


class Slow:
    """Takes ten seconds to say how MLflow is reached."""

    def __init__(self) -> None:
        self.now = 0.0

    def credentials(self, refused: Credentials | None = None) -> Credentials:
        self.now += 10
        return Credentials()


def test_the_time_for_credentials_is_the_requests_own() -> None:
    slow = Slow()
    http = MlflowHttp("https://mlflow.example.com", slow, timeout_seconds=9, clock=lambda: slow.now)
    with pytest.raises(Transient, match=r"GET https://mlflow.example.com/health: there was no time left to ask MLflow"):
        http.request("GET", "/health")
