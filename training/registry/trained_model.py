"""A trained model in MLflow: what its run and its version tell of the training."""

from collections.abc import Callable
from importlib.metadata import version
from platform import python_version
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import Array

from training.recipes.recipe import Recipe, Say
from training.registry.earlier_attempts import JOB_TAG, end_runs, registered_version
from training.registry.promotion import Promotion
from training.registry.versions import NewVersion, Registered, ServedModel, mlflow_errors, place, register_version
from training.run import TrainingSpec, no_confirmation
from training.train_pipeline import Trained

_VERSIONS = ("scikit-learn", "skl2onnx", "onnx", "onnxruntime", "numpy", "pandas", "mlflow")


def register(  # noqa: PLR0913  what is registered, and how
    trained: Trained,
    tracking_uri: str,
    alias: str | None,
    say: Say,
    *,
    promotion: Promotion | None = None,
    job: str | None = None,
    confirm: Callable[[], None] = no_confirmation,
) -> Registered:
    """Register a version of a trained model and move aliases to it, as `register_version` does."""
    new = _new_version(trained, job)
    return register_version(new, tracking_uri, alias, say, promotion=promotion, confirm=confirm)


def finish(spec: TrainingSpec, tracking_uri: str, say: Say, confirm: Callable[[], None]) -> Registered | None:
    """Move the aliases to the version that an earlier attempt of the spec's job registered; None if there is none.

    Runs that such attempts left are ended. confirm: called before aliases move. Raises TrainingError.
    """
    assert spec.job is not None
    with mlflow_errors(tracking_uri):
        mlflow.set_tracking_uri(tracking_uri)
        client = MlflowClient()
        version = registered_version(client, spec.model, spec.job)
        end_runs(client, _experiment(spec.model), spec.job, keep=version.run_id if version else None)
        if version is None:
            return None
        say(f"version {version.version} was registered by an earlier attempt")
        confirm()
        return place(version, tracking_uri, spec.alias, spec.promotion)


def _new_version(trained: Trained, job: str | None) -> NewVersion:
    recipe = trained.recipe
    scores = ", ".join(f"{name} {value:.3f}" for name, value in trained.metrics.items())
    title = recipe.title[0].upper() + recipe.title[1:]
    return NewVersion(
        name=recipe.name,
        experiment=_experiment(recipe.name),
        title=recipe.title,
        about=f"{recipe.description} Learnt from {_data(trained)}.",
        model=_served(trained),
        params=_params(trained),
        metrics=_metrics(trained),
        tags=_tags(trained),
        description=_describe(recipe),
        version_description=f"{title} on {_data(trained)}; on {trained.test_rows} held-out rows: {scores}.",
        figures=trained.figures,
        marks={JOB_TAG: job} if job else {},
    )


def _served(trained: Trained) -> ServedModel:
    recipe, form = trained.recipe, trained.form
    return ServedModel(form.onnx, _signature(recipe), trained.example, recipe.task, recipe.labels, form.tokenizer)


def _experiment(model: str) -> str:
    return f"training/{model}"


def _params(trained: Trained) -> dict[str, Any]:
    return trained.parameters.model_dump() | {"seed": trained.seed, "test_share": trained.recipe.test_share}


def _metrics(trained: Trained) -> dict[str, float]:
    on_train = {f"train_{name}": value for name, value in trained.train_metrics.items()}
    held_out = {f"validation_{name}": value for name, value in trained.metrics.items()}
    about_onnx = {"onnx_largest_difference": trained.largest_difference, "onnx_bytes": float(trained.form.bytes)}
    return on_train | held_out | about_onnx | dict(trained.more_metrics)


def _data(trained: Trained) -> str:
    return f"{'SYNTHETIC data: ' if trained.data.synthetic else ''}{trained.data.source}"


def _tags(trained: Trained) -> dict[str, str]:
    data = {
        "data.source": trained.data.source,
        "data.synthetic": str(trained.data.synthetic).lower(),
        "data.bytes": str(trained.data.size_bytes),
        "data.sha256": trained.data.sha256,
        "data.rows": str(trained.train_rows + trained.test_rows),
        "data.train_rows": str(trained.train_rows),
        "data.test_rows": str(trained.test_rows),
    }
    extra = trained.recipe.extra
    versions = {f"version.{name}": version(name) for name in (*_VERSIONS, *(extra.packages if extra else ()))}
    return data | {"version.python": python_version()} | versions | dict(trained.tags)


def _signature(recipe: Recipe[Any]) -> ModelSignature:
    inputs = Schema([ColSpec(DataType[column.type], column.name) for column in recipe.columns])
    if recipe.task == "regression":
        return ModelSignature(inputs, Schema([ColSpec(DataType.float, "variable")]))
    outputs = Schema([ColSpec(DataType.long, "label"), ColSpec(Array(DataType.float), "probabilities")])
    return ModelSignature(inputs, outputs)


def _describe(recipe: Recipe[Any]) -> str:
    columns = "\n".join(f"- `{column.name}`: {column.description}" for column in recipe.columns)
    made_up = "\n\nA version on data that its description calls synthetic is of no use beyond a trial."
    return f"{recipe.description}\n\n{columns}{made_up if recipe.read else ''}"
