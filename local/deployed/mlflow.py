"""Look into MLflow as its administrator, by the tunnel."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from urllib3.util import make_headers

from local.stack.web import POOL

SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Mlflow:
    """MLflow at an address, with somebody's login."""

    url: str
    username: str
    password: str = field(repr=False)

    def trace(self, trace_id: str) -> dict[str, Any] | None:
        """Return what MLflow says of that trace; None while it has none."""
        headers = make_headers(basic_auth=f"{self.username}:{self.password}")
        answer = POOL.request(
            "GET", f"{self.url}/api/3.0/mlflow/traces/{quote(trace_id)}", headers=headers, timeout=SECONDS
        )
        return dict(answer.json()["trace"]["trace_info"]) if answer.status == 200 else None

    def link(self, trace_id: str) -> str | None:
        """Return the address of the trace's page; None while MLflow does not have it."""
        info = self.trace(trace_id)
        if info is None:
            return None
        experiment = info["trace_location"]["mlflow_experiment"]["experiment_id"]
        return f"{self.url}/#/experiments/{experiment}/traces/{trace_id}"
