"""Share the request, the model and the answer between the hand-built services."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from offpath.contracts.model_manifest import Manifest
from prediction_api.adapters.onnx_model import OnnxModel

ROUTE = "/models/iris/predict"
TAGS = {"model": "iris", "model_version": "1", "alias": "champion"}
FOLDER_VARIABLE = "BENCHMARK_MODEL_FOLDER"
MANIFEST_FILE = "manifest.json"
ONNX_FILE = "iris.onnx"


class Iris(BaseModel):
    """Hold one flower's measures, in centimetres."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    sepal_length: float
    sepal_width: float
    petal_length: float
    petal_width: float


class Inputs(BaseModel):
    """Hold a request's body."""

    inputs: list[Iris]


def load() -> OnnxModel:
    """Return the model that offpath serves, called in the same way."""
    folder = Path(os.environ[FOLDER_VARIABLE])
    manifest = Manifest.parse((folder / MANIFEST_FILE).read_bytes())
    return OnnxModel((folder / ONNX_FILE).read_bytes(), manifest.aliases("iris")["champion"])


def records_of(body: Inputs) -> list[dict[str, Any]]:
    """Return the records as the model takes them."""
    return [record.model_dump() for record in body.inputs]


def answer(predictions: Sequence[dict[str, Any]], trace_id: str = "") -> dict[str, Any]:
    """Return the answer as offpath gives it."""
    return {"model": "iris", "version": "1", "alias": "champion", "trace_id": trace_id, "predictions": predictions}
