"""Check that a model can be served: the sync's own code publishes it, and the API's own code loads and asks it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from model_sync.ports import Entry, Unservable, Version
from model_sync.publisher import ModelPublisher
from offpath.contracts.errors import ObjectMissing
from offpath.contracts.model_manifest import Manifest, ModelVersion
from offpath_cli.errors import ModelRefused
from offpath_cli.register.compare_answers import AnsweredRecord
from offpath_cli.register.original_answers import served_answers
from offpath_cli.register.record_forms import RecordForms
from prediction_api.adapters.onnx_model import OnnxModel
from prediction_api.errors import InvalidInputs, ModelUnusable, PredictionApiError, ScoringError
from prediction_api.format_predictions import format_predictions
from prediction_api.inputs.batch import Batch
from prediction_api.inputs.records import RecordSchema
from prediction_api.inputs.tensors import TensorSchema
from prediction_api.scoring.columns import ColumnReader
from prediction_api.scoring.tensors import TensorReader
from training.probes.answers import Answer, Ask, Record
from training.probes.asking import ask_all, in_parts

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class FolderRegistry:
    """Stand for a registry that holds the one model in a folder."""

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
class MemoryFiles:
    """Stand for the bucket of models, in memory."""

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


@dataclass(frozen=True, slots=True)
class ServingCheck:
    """Ask a model as the API does. See `load_as_served`."""

    version: ModelVersion
    model: OnnxModel

    def ask(self, forms: RecordForms) -> Ask:
        """Return the function that asks the model about records; what the API refuses is not answered.

        Raises ModelUnusable if the API could not answer a record although it takes it.
        """

        def ask(records: Sequence[Record]) -> list[Answer]:
            try:
                batch = self._read(forms, records)
                return served_answers(format_predictions(self.version, self.model.run(batch), batch.records))
            except (ValueError, LookupError) as error:
                raise ModelUnusable(f"its answer cannot be given: {error}") from error

        return in_parts(ask_all(ask, (InvalidInputs, ScoringError)), _AT_ONCE)

    def _read(self, forms: RecordForms, records: Sequence[Record]) -> Batch:
        columns, tensors = self.version.signature.columns, self.version.signature.tensors
        if any(column.name == "inputs" for column in columns):  # whose name takes several records from a body's field
            return ColumnReader(columns, len(records)).read("dataframe_records", [*records])
        if tensors and any(len(record) < tensors[0].shape[1] for record in records):  # a missing number in a tensor
            return TensorReader(tensors, len(records)).read("inputs", forms.lists(records))
        return self._schema(len(records)).read(forms.body(records))

    def _schema(self, records: int) -> TensorSchema | RecordSchema:
        signature = self.version.signature
        if signature.tensors:
            return TensorSchema(signature.tensors, records)
        return RecordSchema(signature.columns, records)

    def answers(self, body: bytes, records: int) -> list[AnsweredRecord]:
        """Return the answer to each record of a request with this body.

        Raises ModelRefused if the API would refuse it, ModelUnusable if the answer cannot be given.
        """
        try:
            batch = self._schema(records).read(body)
            answers = format_predictions(self.version, self.model.run(batch), batch.records)
        except PredictionApiError as error:
            fields = "; ".join(f"{one.field}: {one.message}" for one in error.errors[:3])
            raise ModelRefused(
                f"the API would not take the input example: {error.detail}{': ' if fields else ''}{fields}"
            ) from error
        except (ValueError, LookupError) as error:
            raise ModelUnusable(f"its answer for the input example cannot be given: {error}") from error
        return cast(list[AnsweredRecord], answers)


def load_as_served(folder: Path, max_model_bytes: int) -> ServingCheck:
    """Publish the model in a folder as the sync does, into memory, and load it as the API does.

    Raises Unservable with the message of the sync when that would not publish it, ModelUnusable with that of the API
    when that could not run it.
    """
    files, registry = MemoryFiles(), FolderRegistry(folder)
    published = ModelPublisher(registry, files, max_model_bytes).publish(registry.version("model", "1"), Manifest())
    version = published.model_copy(update={"key": "the ONNX file"})  # the API's errors name it
    return ServingCheck(version, OnnxModel.load(files.get(published.key), version))
