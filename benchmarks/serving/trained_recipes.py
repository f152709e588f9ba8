"""Train and register the recipes' models as anybody would, and fit the estimators that they come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.report import Progress
from local.testbed.aws import Aws
from local.testbed.servers import mlflow_server, sqlite
from model_sync.adapters.mlflow_registry import MlflowRegistry
from model_sync.publisher import ModelPublisher
from model_sync.sync import ModelSync
from offpath.contracts.names import CHAMPION
from offpath.mlflow.http import MlflowHttp
from training.callbacks import NO_CALLBACKS, ignore_progress
from training.recipes.catalog import NAMES, find_recipe
from training.registry.mlflow_server import quiet_mlflow
from training.run import train_and_register
from training.training_spec import AliasPlan, TrainingSpec

SEED = 42
MAX_MODEL_BYTES = 500_000_000
HEAVY = {"sentiment-bert": "torch"}  # name → what has to be installed for it


@dataclass(frozen=True, slots=True)
class TrainedRecipe:
    """Hold a recipe's estimator, and records to call it with. folder: where MLflow's scoring server finds it."""

    name: str
    estimator: Any
    records: list[dict[str, Any]]
    is_classification: bool
    folder: Path

    def predict(self, frame: Any) -> Any:
        """Return the answer of a service that was built by hand."""
        return self.estimator.predict_proba(frame) if self.is_classification else self.estimator.predict(frame)


def names() -> list[str]:
    """Return the names of the recipes that can be trained here."""
    return [name for name in NAMES if name not in HEAVY or find_spec(HEAVY[name])]


def publish(aws: Aws, folder: Path, progress: Progress) -> None:
    """Train every recipe, register it in a real MLflow, and publish it to the bucket."""
    quiet_mlflow()
    with sqlite(folder) as database, mlflow_server(database, folder / "mlflow") as url:
        for name in names():
            progress(f"training {name}")
            train_and_register(TrainingSpec(name, url, SEED, {}, AliasPlan(CHAMPION)), NO_CALLBACKS)
        registry, bucket = MlflowRegistry(MlflowHttp(url)), aws.bucket()
        report = ModelSync(registry, bucket, ModelPublisher(registry, bucket, MAX_MODEL_BYTES)).run()
        if report.skipped:
            raise RuntimeError(f"not published: {report.skipped}")


def fit(name: str, folder: Path) -> TrainedRecipe:
    """Fit the recipe's estimator as its training does, and save it for MLflow's scoring server."""
    from benchmarks.serving.save_estimator import save  # it imports mlflow

    recipe = find_recipe(name)
    data = recipe.load()
    fitted = _fit(recipe, recipe.build(recipe.parameters(), SEED), data)
    save(fitted, data.features.iloc[:1], folder / name)
    records = data.features.sample(n=1_000, replace=True, random_state=SEED).to_dict("records")
    return TrainedRecipe(name, fitted, records, recipe.task == "classification", folder / name)


def _fit(recipe: Any, estimator: Any, data: Any) -> Any:
    if recipe.fit:
        return recipe.fit(estimator, data.features, data.target, ignore_progress)
    return estimator.fit(data.features, data.target)


def body_of(records: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return a request of MLflow's scoring protocol, which both servers take."""
    return {"dataframe_split": {"columns": list(records[0]), "data": [list(record.values()) for record in records]}}


def varied(record: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return the record, with another text for each number: an encoder may keep vectors of texts that it has seen."""
    return {
        name: f"{value} {number}" if isinstance(value, str) and len(value) > 1 else value
        for name, value in record.items()
    }
