"""Call the API's code and the estimator itself in this process."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.serving.trained_recipes import TrainedRecipe, varied
from offpath.aws.s3 import Bucket
from offpath.contracts.model_manifest import Manifest
from prediction_api.adapters.onnx_model import load_model
from prediction_api.adapters.s3_models import S3Models
from prediction_api.format_predictions import format_predictions
from prediction_api.models.loader import ModelLoader, ModelStore
from prediction_api.routing.model_selector import CHAMPION_SELECTOR

Call = Callable[[bytes], Any]


class OneModelStore:
    """Show one model alone of another store."""

    def __init__(self, store: S3Models, name: str) -> None:
        self._store = store
        self._name = name

    def manifest_if_changed(self, etag: str | None) -> tuple[bytes, str] | None:
        """Return the manifest with that model alone, and its etag."""
        fetched = self._store.manifest_if_changed(etag)
        if fetched is None:
            return None
        content, tag = fetched
        models = Manifest.parse(content).models
        return Manifest(models={self._name: models[self._name]}).to_json(), tag

    def model_file(self, key: str) -> bytes:
        """Return a model's file."""
        return self._store.model_file(key)


class Function:
    """Call the models of the API's function. See `load_function`."""

    def __init__(self, store: S3Models, loader: ModelLoader) -> None:
        self._store = store
        self._loader = loader

    def load_milliseconds(self, name: str) -> float:
        """Return how long a model takes to answer once: its file is fetched, checked, loaded and tried."""
        loader = _loader(OneModelStore(self._store, name))
        start = time.perf_counter()
        loader.refresh()
        milliseconds = (time.perf_counter() - start) * 1000
        loader.catalog.find(name).select(CHAMPION_SELECTOR)  # raises what kept it from being served
        return milliseconds

    def caller(self, name: str) -> Call:
        """Return what reads a request, calls the model, and makes the predictions of its answer."""
        served = self._loader.catalog.find(name).select(CHAMPION_SELECTOR)

        def call(body: bytes) -> Any:
            batch = served.schema.read(body)
            return format_predictions(served.version, served.predictor.run(batch), batch.records)

        return call


def load_function(bucket: Bucket) -> Function:
    """Load the models from the bucket, as the API's function does."""
    store = S3Models(bucket)
    loader = _loader(store)
    loader.refresh()
    return Function(store, loader)


def _loader(store: ModelStore) -> ModelLoader:
    return ModelLoader(store, load_model, max_records=1_000, refresh_seconds=60)


def estimator_caller(recipe: TrainedRecipe) -> Call:
    """Return what reads a request into a data frame and asks the estimator, as a service built by hand would."""
    import pandas as pd  # type: ignore[import-untyped]

    return lambda body: recipe.predict(pd.DataFrame(json.loads(body)["inputs"]))


def in_turns(callers: Mapping[str, Call], record: Mapping[str, Any], rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds of each; they are called one after the other in every round."""
    samples: dict[str, list[float]] = {name: [] for name in callers}
    for number in range(rounds):
        body = json.dumps({"inputs": [varied(record, number)]}).encode()
        for name, call in callers.items():
            start = time.perf_counter()
            call(body)
            samples[name].append((time.perf_counter() - start) * 1000)
    return samples


def load_estimator_milliseconds(folder: Any) -> float:
    """Return how long MLflow takes to load the same model, once its library is imported."""
    import mlflow.pyfunc

    start = time.perf_counter()
    mlflow.pyfunc.load_model(str(folder))
    return (time.perf_counter() - start) * 1000
