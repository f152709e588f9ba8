"""Keep work under way while a part of a deployment is replaced: work that it shares with its neighbours."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from offpath.contracts.names import JOB_TAG
from tests.support.rolling.deployment import Deployment
from tests.support.rolling.served_models import iris_files
from tests.support.rolling.traffic import Account, ask
from tests.support.servers.holding_proxy import HoldingProxy
from tests.support.servers.mlflow_rest import Mlflow
from tests.support.waiting import wait_for

HEALTH = "GET /health"
CREATE_VERSION = "POST /api/2.0/mlflow/model-versions/create"


class Jobs:
    """Trainings that are ordered of the deployment's API."""

    def __init__(self, deployment: Deployment, mlflow: Mlflow) -> None:
        self._deployment = deployment
        self._mlflow = mlflow

    def order(self) -> str:
        """Order a training once the worker has announced what can be trained. Return the job's id."""
        found = wait_for(self._accepted, self._deployment.logs)
        return str(found["id"])

    def get(self, job_id: str) -> dict[str, Any]:
        """Return the job, as the API that is asked shows it."""
        with self._deployment.asked() as api:
            status, job = ask(f"{api.url}/jobs/{job_id}")
        assert status == 200, job
        return job

    def ended_once(self, job_id: str) -> None:
        """Return once the job has succeeded, with one version that comes from it."""
        wait_for(lambda: self.get(job_id)["ended_at"], lambda: f"{self.get(job_id)}\n{self._deployment.logs()}")
        job = self.get(job_id)
        assert (job["state"], job["attempts"]) == ("succeeded", 1), job
        assert self._versions(job_id) == [job["result"]["version"]]

    def _accepted(self) -> dict[str, Any] | None:
        with self._deployment.asked() as api:
            status, answer = ask(f"{api.url}/models/iris/train", {"parameters": {"max_iter": 50}})
        assert status in {202, 503}, answer
        return answer if status == 202 else None

    def _versions(self, job_id: str) -> list[str]:
        query = urlencode({"filter": f"name = 'iris' AND tags.`{JOB_TAG}` = '{job_id}'"})
        found = self._mlflow.call(f"/api/2.0/mlflow/model-versions/search?{query}")
        return [version["version"] for version in found.get("model_versions", [])]


class Work:
    """Work that is under way. The part is replaced after `begin`, and put back after `go_on`."""

    def __init__(self, deployment: Deployment, mlflow: Mlflow, proxy: HoldingProxy) -> None:
        self.deployment = deployment
        self.mlflow = mlflow
        self.proxy = proxy
        self.jobs = Jobs(deployment, mlflow)

    def begin(self) -> None:
        """Begin with the part that there was."""

    def go_on(self) -> None:
        """Go on with the other release's."""

    def end(self) -> None:
        """End with the one that was put back."""


class Publishing(Work):
    """The registry's aliases move: what each model_sync publishes is served by each API."""

    def go_on(self) -> None:
        self._publish(0.5)

    def end(self) -> None:
        self._publish(2.0)

    def _publish(self, regularisation: float) -> None:
        version = self.mlflow.register("iris", iris_files(regularisation))
        self.mlflow.point("iris", "champion", version)
        wait_for(
            lambda: self._served()["version"] == version,
            lambda: f"version {version} is not served: {self._served()}\n{self.deployment.logs()}",
        )

    def _served(self) -> dict[str, Any]:
        with self.deployment.asked() as api:
            return ask(f"{api.url}/models/iris")[1]


class Ordering(Work):
    """A job is ordered of one API and asked after at the other one; the same worker does it."""

    def go_on(self) -> None:
        self._id = self.jobs.order()
        assert self.jobs.get(self._id)["model"] == "iris"

    def end(self) -> None:
        self.jobs.ended_once(self._id)


class Delivering(Work):
    """Events wait and are delivered, by each writer."""

    def go_on(self) -> None:
        account = Account(self.deployment)
        account.deliver(account.answered_ids())


class Training(Work):
    """One job goes from worker to worker: each is stopped in the middle of it, and the last one ends it."""

    def begin(self) -> None:
        self.proxy.hold(HEALTH)
        self._id = self.jobs.order()
        self._wait_at_gate()
        self.proxy.hold(CREATE_VERSION)

    def go_on(self) -> None:
        self._wait_at_gate()
        self.proxy.release()

    def end(self) -> None:
        self.jobs.ended_once(self._id)

    def _wait_at_gate(self) -> None:
        wait_for(lambda: self.proxy.holds_one, lambda: f"{self.jobs.get(self._id)}\n{self.deployment.logs()}")


WORK: dict[str, type[Work]] = {
    "model_sync": Publishing,
    "api": Ordering,
    "writer": Delivering,
    "worker": Training,
}
