"""Fakes for the prediction API's ports, and a client of an application that uses them."""

import hashlib
from collections.abc import Sequence
from typing import Any

from fastapi.testclient import TestClient

from local.testbed.models import Model, iris_onnx, iris_version, manifest_of, sum_onnx, sum_version
from offpath.contracts.model_manifest import Manifest, ModelVersion
from offpath.contracts.names import MANIFEST_KEY, model_file_key, tokenizer_file_key
from offpath.testing import InMemoryBucket, RecordingTracing
from prediction_api.adapters.onnx_model import OnnxModel, load_model
from prediction_api.adapters.s3_models import S3Models
from prediction_api.http.app import create_app
from prediction_api.inputs.batch import Batch, Outputs
from prediction_api.models.loader import Load, ModelFiles, ModelLoader
from prediction_api.settings import ApiSettings


class ModelBucket(InMemoryBucket):
    """A bucket in memory, and the ways in which models come into it."""

    def __init__(self, *files: bytes) -> None:
        super().__init__("offpath-archive")
        for content in files:
            self.add(content)

    def add(self, content: bytes) -> None:
        self.objects[model_file_key(hashlib.sha256(content).hexdigest())] = content

    def add_tokenizer(self, content: bytes) -> None:
        self.objects[tokenizer_file_key(hashlib.sha256(content).hexdigest())] = content

    def publish(self, manifest: Manifest | bytes) -> None:
        self.objects[MANIFEST_KEY] = manifest if isinstance(manifest, bytes) else manifest.to_json()


class BrokenPredictor:
    """A model that fails whenever it is called."""

    def __init__(self, files: ModelFiles, version: ModelVersion) -> None:
        pass

    def run(self, batch: Batch) -> Outputs:
        raise RuntimeError("the model broke")


def breaking(broken: bytes) -> Load:
    """Loads models, of which the one with that content fails whenever it is called."""
    return lambda files, version: (BrokenPredictor if files.graph == broken else load_model)(files, version)


class Calls:
    """Loads models that note how many records each call of them had."""

    def __init__(self) -> None:
        self.records: list[int] = []

    def load(self, files: ModelFiles, version: ModelVersion) -> OnnxModel:
        records = self.records

        class Noted(OnnxModel):
            def run(self, batch: Batch) -> Outputs:
                records.append(batch.records)
                return super().run(batch)

        return Noted.load(files.graph, version)


class Api:
    """The application over fakes: its client, its store and what it traced."""

    def __init__(
        self,
        load: Load = load_model,
        missing: str = "",
        models: Sequence[Model] = (),
        tracing: RecordingTracing | None = None,
        **settings: Any,
    ) -> None:
        self.store = ModelBucket(iris_onnx(), sum_onnx(), *(model.content for model in models))
        versions = {"iris": iris_version(), "sum": sum_version()} | {model.name: model.version for model in models}
        self.store.publish(manifest_of(**versions))
        self.store.objects.pop(missing, None)
        self.now = 1000.0
        self.settings = ApiSettings(bucket="offpath-archive", **settings)
        self.loader = ModelLoader(
            S3Models(self.store),
            load,
            max_records=self.settings.max_records,
            refresh_seconds=self.settings.model_refresh_seconds,
            clock=lambda: self.now,
        )
        self.loader.refresh()
        self.traced = tracing or RecordingTracing()
        self.app = create_app(self.loader, self.traced, self.settings)
        self.client = TestClient(self.app, raise_server_exceptions=False)
