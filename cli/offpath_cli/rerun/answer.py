"""Answer a request as the API does, with a version's files as they are in MLflow's registry."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offpath.contracts.errors import OffpathError
from offpath.contracts.model_manifest import Manifest
from offpath_cli.errors import ModelRefused, RerunError
from offpath_cli.register.source import fetch
from offpath_cli.rerun.traced import TracedPrediction

if TYPE_CHECKING:
    from prediction_api.models.served import ServedModel

# A version that was served was small enough.
_ANY_SIZE = 2**40
_MOST_RECORDS = 2**31


def answer(prediction: TracedPrediction, tracking_uri: str) -> Any:
    """Return the predictions of the same version for the same request. Raises RerunError."""
    uri = f"models:/{prediction.model}/{prediction.version}"
    try:
        with tempfile.TemporaryDirectory(prefix="offpath-") as folder:
            served = _load(fetch(uri, tracking_uri, Path(folder)), prediction)
        return _ask(served, prediction)
    except (ModelRefused, OffpathError, ValueError) as error:
        raise RerunError(f"{uri} cannot be asked again: {error}") from error


def _load(folder: Path, prediction: TracedPrediction) -> "ServedModel":
    """Publish the files as the sync does, into memory, and load them as the API does."""
    from model_sync.publisher import ModelPublisher  # these take a second to import
    from offpath_cli.register.serving_check import FolderRegistry, MemoryFiles
    from prediction_api.adapters.onnx_model import load_model
    from prediction_api.inputs.records import RecordSchema
    from prediction_api.inputs.tensors import TensorSchema
    from prediction_api.models.loader import ModelFiles
    from prediction_api.models.on_demand import OnDemand
    from prediction_api.models.served import ServedModel

    files, registry = MemoryFiles(), FolderRegistry(folder)
    found = registry.version(prediction.model, prediction.version)
    version = ModelPublisher(registry, files, _ANY_SIZE).publish(found, Manifest())
    tokenizer = files.get(version.tokenizer.key) if version.tokenizer else None
    content = ModelFiles(files.get(version.key), tokenizer)
    tensors, columns = version.signature.tensors, version.signature.columns
    schema = TensorSchema(tensors, _MOST_RECORDS) if tensors else RecordSchema(columns, _MOST_RECORDS)
    predictor = OnDemand(lambda: load_model(content, version))
    return ServedModel(prediction.model, "", version, predictor, schema)


def _ask(served: "ServedModel", prediction: TracedPrediction) -> Any:
    from pydantic_core import to_json

    predictions = _score(served, prediction) if prediction.is_invocation else _predict(served, prediction)
    return json.loads(to_json(predictions, inf_nan_mode="null"))


def _predict(served: "ServedModel", prediction: TracedPrediction) -> Any:
    from prediction_api.format_predictions import format_predictions

    batch = served.schema.read(prediction.body)
    return format_predictions(served.version, served.predictor.run(batch), batch.records)


def _score(served: "ServedModel", prediction: TracedPrediction) -> Any:
    from prediction_api.prediction_protocol import PredictionRequest
    from prediction_api.scoring.protocol import ScoringProtocol

    protocol = ScoringProtocol(_MOST_RECORDS)
    headers = {"content-type": prediction.content_type}
    batch = protocol.read(served, PredictionRequest(prediction.model, prediction.body, {}, headers))
    outputs = served.predictor.run(batch) if batch.values else {}
    return protocol.format(served, outputs, batch.records).predictions
