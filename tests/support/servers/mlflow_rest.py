"""Read an MLflow server by its REST API, as a user sees it."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any, NoReturn


class Mlflow:
    """A real MLflow server."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, path: str, fields: dict[str, Any] | None = None) -> Any:
        """Send a GET, or with fields a POST, and return the answer's JSON; empty for a 404."""
        body = None if fields is None else json.dumps(fields).encode()
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404:
                    return {}
                raise AssertionError(error.read().decode()) from error

    def experiment(self, name: str) -> dict[str, Any]:
        """The experiment of that name, deleted or not; empty if there is none."""
        query = urllib.parse.urlencode({"experiment_name": name})
        found: dict[str, Any] = self.call(f"/api/2.0/mlflow/experiments/get-by-name?{query}").get("experiment", {})
        return found

    def delete_experiment(self, name: str) -> None:
        """Move the experiment to the trash."""
        self.call("/api/2.0/mlflow/experiments/delete", {"experiment_id": self.experiment(name)["experiment_id"]})

    def trace(self, trace_id: str) -> dict[str, Any]:
        """A trace's info by OpenTelemetry trace id: state, previews, tags; empty if there is none."""
        found = self.call(f"/api/3.0/mlflow/traces/tr-{trace_id}").get("trace", {}).get("trace_info", {})
        return dict(found)

    def spans(self, trace_id: str) -> list[dict[str, Any]]:
        """A trace's spans as the UI shows them."""
        found = self.call(f"/api/3.0/mlflow/traces/get?trace_id=tr-{trace_id}&allow_partial=true")
        return list(found.get("trace", {}).get("spans", []))

    def downloaded(self, trace_id: str) -> Any:
        """A trace's content as a browser gets it, of strict JSON."""
        path = f"/ajax-api/3.0/mlflow/get-trace-artifact?request_id=tr-{trace_id}"
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.loads(answer.read(), parse_constant=_refuse)

    def trace_ids(self, experiment: str) -> set[str]:
        """OpenTelemetry ids of the traces in an experiment, each once."""
        experiment_id = self.experiment(experiment)["experiment_id"] if self.experiment(experiment) else "0"
        location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment_id}}
        query: dict[str, Any] = {"locations": [location], "max_results": 500, "order_by": ["timestamp_ms ASC"]}
        ids: list[str] = []
        token: str | None = ""
        while token is not None:
            found = self.call("/api/3.0/mlflow/traces/search", query | ({"page_token": token} if token else {}))
            ids += [trace["trace_id"].removeprefix("tr-") for trace in found.get("traces", [])]
            token = found.get("next_page_token") or None
        assert len(ids) == len(set(ids))
        return set(ids)

    def register(self, name: str, files: Mapping[str, bytes]) -> str:
        """Register a version that has these files, by path, and return its number."""
        run = self._post("runs/create", {"experiment_id": "0"})["run"]["info"]
        for path, content in files.items():
            self._put(f"/api/2.0/mlflow-artifacts/artifacts/0/{run['run_id']}/artifacts/model/{path}", content)
        if not self.call(f"/api/2.0/mlflow/registered-models/get?name={name}"):
            self._post("registered-models/create", {"name": name})
        source = {"source": f"{run['artifact_uri']}/model", "run_id": run["run_id"]}
        return str(self._post("model-versions/create", {"name": name, **source})["model_version"]["version"])

    def point(self, name: str, alias: str, version: str) -> None:
        """Let an alias stand for a version."""
        self._post("registered-models/alias", {"name": name, "alias": alias, "version": version})

    def _post(self, path: str, fields: dict[str, Any]) -> Any:
        return self.call(f"/api/2.0/mlflow/{path}", fields)

    def _put(self, path: str, content: bytes) -> None:
        with urllib.request.urlopen(urllib.request.Request(self.url + path, content, method="PUT"), timeout=30):
            pass


def _refuse(constant: str) -> NoReturn:
    raise AssertionError(f"{constant} is no JSON")
