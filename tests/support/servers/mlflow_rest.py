"""What a user sees of an MLflow server, by its REST API."""

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any


class Mlflow:
    """A real MLflow server."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, path: str, fields: dict[str, Any] | None = None) -> Any:
        """The JSON that a GET, or with fields a POST, is answered; empty for a 404."""
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

    def trace_ids(self, experiment: str) -> set[str]:
        """OpenTelemetry ids of the traces in an experiment, each once."""
        experiment_id = self.experiment(experiment)["experiment_id"] if self.experiment(experiment) else "0"
        location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment_id}}
        found = self.call("/api/3.0/mlflow/traces/search", {"locations": [location], "max_results": 500})
        ids = [trace["trace_id"].removeprefix("tr-") for trace in found.get("traces", [])]
        assert len(ids) == len(set(ids))
        return set(ids)
