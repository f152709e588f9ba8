"""Share the request, the model and the answer between the hand-built services."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from offpath.contracts.model_manifest import Manifest, ModelVersion
from prediction_api.adapters.onnx_model import OnnxModel
from prediction_api.format_predictions import ClassPrediction, format_classes
from prediction_api.inputs.batch import Record, batch_of

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


@dataclass(frozen=True, slots=True)
class IrisModel:
    """The model that offpath serves, called in the same way."""

    model: OnnxModel
    version: ModelVersion

    def predict(self, records: Sequence[Record]) -> list[ClassPrediction]:
        """Return one prediction a record, by one call of the graph."""
        outputs = self.model.run(batch_of(records, self.version.signature.columns))
        return format_classes([*outputs.values()], self.version.labels)


def load() -> IrisModel:
    """Return the model in the folder that the benchmark names."""
    folder = Path(os.environ[FOLDER_VARIABLE])
    version = Manifest.parse((folder / MANIFEST_FILE).read_bytes()).aliases("iris")["champion"]
    return IrisModel(OnnxModel.load((folder / ONNX_FILE).read_bytes(), version), version)


def records_of(body: Inputs) -> list[dict[str, Any]]:
    """Return the records as the model takes them."""
    return [record.model_dump() for record in body.inputs]


def answer(predictions: Sequence[Mapping[str, object]], trace_id: str = "") -> dict[str, Any]:
    """Return the answer as offpath gives it."""
    return {"model": "iris", "version": "1", "alias": "champion", "trace_id": trace_id, "predictions": predictions}
