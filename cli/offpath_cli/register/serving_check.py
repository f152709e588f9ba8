"""A model as it will be served: published by the sync's own code, loaded and asked by the API's own."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from model_sync.ports import Entry, Unservable, Version
from model_sync.publisher import ModelPublisher
from offpath.contracts.errors import ObjectMissing
from offpath.contracts.model_manifest import Manifest, ModelVersion
from offpath_cli.register.errors import Refused
from prediction_api.adapters.onnx_model import OnnxModel
from prediction_api.errors import ModelUnusable, PredictionApiError
from prediction_api.format_predictions import Prediction, format_predictions
from prediction_api.inputs.records import RecordSchema
from prediction_api.inputs.tensors import TensorSchema


@dataclass(frozen=True, slots=True)
class Folder:
    """A registry of the one model in a folder."""

    folder: Path

    def models(self) -> Iterator[Entry]:
        yield from ()

    def version(self, name: str, number: str) -> Version:
        return Version(name, number, ready=True, source=str(self.folder), run_id=None)

    def artifact(self, version: Version, path: str) -> bytes:
        try:
            return (self.folder / path).read_bytes()
        except OSError as error:
            raise Unservable(f"version {version.number} has no file {path}") from error


@dataclass(frozen=True, slots=True)
class Memory:
    """A bucket that is gone with the process."""

    files: dict[str, bytes] = field(default_factory=dict)

    def get(self, key: str) -> bytes:
        if key not in self.files:
            raise ObjectMissing(key)
        return self.files[key]

    def exists(self, key: str) -> bool:
        return key in self.files

    def put(self, key: str, content: bytes, content_type: str = "application/json") -> str:  # noqa: ARG002
        self.files[key] = content
        return "memory"


class Rehearsal:
    """A served model.

    Raises Unservable with the words of the sync when that would not publish it, ModelUnusable with those of the API
    when that could not run it.
    """

    def __init__(self, folder: Path, max_model_bytes: int) -> None:
        files, registry = Memory(), Folder(folder)
        published = ModelPublisher(registry, files, max_model_bytes).publish(registry.version("model", "1"), Manifest())
        self.bytes = published.bytes
        self._version: ModelVersion = published.model_copy(update={"key": "the ONNX file"})
        self._model = OnnxModel.load(files.get(published.key), self._version)

    def answers(self, body: bytes, records: int) -> Sequence[Prediction]:
        """The predictions that a request with this body gets. Raises Refused, or ModelUnusable."""
        signature = self._version.signature
        schema = (
            TensorSchema(signature.tensors, records) if signature.tensors else RecordSchema(signature.columns, records)
        )
        try:
            batch = schema.read(body)
            answers = format_predictions(self._version, self._model.run(batch), batch.records)
        except PredictionApiError as error:
            fields = "; ".join(f"{one.field}: {one.message}" for one in error.errors[:3])
            raise Refused(
                f"the API would not take the input example: {error.detail}{': ' if fields else ''}{fields}"
            ) from error
        except (ValueError, LookupError) as error:
            raise ModelUnusable(f"its answer for the input example cannot be given: {error}") from error
        json.dumps(answers, allow_nan=False)
        return answers
