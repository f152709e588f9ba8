"""Send one prediction, and find its trace in MLflow: the proof that the whole pipeline works."""

import json
import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from local.settings import FIRST_MODEL, LocalSettings
from local.stack.web import fetch
from offpath.contracts.errors import Transient

# Fisher's first record, which the README's call sends.
IRIS = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}


@dataclass(frozen=True, slots=True)
class FirstRequest:
    """Hold the name of a model that is served, and a record that it takes."""

    model: str
    record: dict[str, Any]

    def curl(self, settings: LocalSettings) -> str:
        """Return a shell command that sends the record."""
        body = shlex.quote(json.dumps({"inputs": [self.record]}))
        return (
            f"curl {settings.api_url}/models/{self.model}/predict \\\n"
            f"  -H 'content-type: application/json' \\\n"
            f"  -d {body}"
        )


def served_model(settings: LocalSettings) -> str | None:
    """Return the first model, or another one if that is not served; None while there is none."""
    try:
        models = fetch(f"{settings.api_url}/health")["models"]
    except Transient:  # 503 until the first manifest
        return None
    serving = [name for name, health in models.items() if health["state"] == "serving"]
    return FIRST_MODEL if FIRST_MODEL in serving else next(iter(serving), None)


def request_for(settings: LocalSettings, model: str) -> FirstRequest:
    """Return the model with the README's record, if its registered input example is like that, else with the example.

    Raises Transient.
    """
    example = fetch(f"{settings.api_url}/models/{quote(model)}").get("input_example") or IRIS
    return FirstRequest(model, IRIS if example.keys() == IRIS.keys() else example)


def predict(settings: LocalSettings, request: FirstRequest) -> str:
    """Send the record, and return the id of the prediction's trace. Raises Transient."""
    url = f"{settings.api_url}/models/{quote(request.model)}/predict"
    trace_id: str = fetch(url, {"inputs": [request.record]})["trace_id"]
    return trace_id


def trace_link(settings: LocalSettings, trace_id: str) -> str | None:
    """Return the address of that trace's page in MLflow, or None while MLflow does not have it."""
    try:
        info = fetch(f"{settings.mlflow_url}/api/3.0/mlflow/traces/{quote(trace_id)}")["trace"]["trace_info"]
        experiment = info["trace_location"]["mlflow_experiment"]["experiment_id"]
    except (Transient, KeyError):
        return None
    return f"{settings.mlflow_url}/#/experiments/{experiment}/traces/{trace_id}"


def has_models(settings: LocalSettings) -> bool:
    """Return whether any model is registered in MLflow. Raises Transient."""
    found = fetch(f"{settings.mlflow_url}/api/2.0/mlflow/registered-models/search?max_results=1")
    return bool(found.get("registered_models"))
