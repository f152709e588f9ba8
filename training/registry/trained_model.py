"""Register a trained model in MLflow: its run and its version tell of the training."""

from functools import partial
from importlib.metadata import version
from platform import python_version
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import Array

from offpath.contracts.names import JOB_TAG
from training.callbacks import NO_CALLBACKS, Callbacks
from training.metrics import TRAIN, VALIDATION
from training.recipe import Recipe
from training.registry.earlier_attempts import end_runs, registered_version
from training.registry.rescore import rescored
from training.registry.versions import (
    NewVersion,
    OnnxPackage,
    Registered,
    complete_registration,
    mlflow_errors,
    register_version,
)
from training.train_pipeline import Trained
from training.training_spec import AliasPlan, TrainingSpec

_VERSIONS = ("scikit-learn", "skl2onnx", "onnx", "onnxruntime", "numpy", "pandas", "mlflow")


def register(
    trained: Trained,
    tracking_uri: str,
    plan: AliasPlan,
    callbacks: Callbacks = NO_CALLBACKS,
    *,
    job: str | None = None,
) -> Registered:
    """Register a version of a trained model and move aliases to it, as `register_version` does.

    job: the id of the training job, which becomes a tag of run and version.
    """
    rescore = partial(rescored, trained, report=callbacks.report)
    return register_version(_new_version(trained, job), tracking_uri, plan, callbacks, rescore)


def finish(spec: TrainingSpec, tracking_uri: str, callbacks: Callbacks) -> Registered | None:
    """Move the aliases to the version that an earlier attempt of the spec's job registered; None if there is none.

    Runs that such attempts left are ended. The aliases move once that is confirmed. Raises TrainingError.
    """
    assert spec.job is not None
    with mlflow_errors(tracking_uri):
        mlflow.set_tracking_uri(tracking_uri)
        client = MlflowClient()
        version = registered_version(client, spec.model, spec.job)
        end_runs(client, _experiment(spec.model), spec.job, keep=version.run_id if version else None)
        if version is None:
            return None
        callbacks.report(f"version {version.version} was registered by an earlier attempt")
        callbacks.confirm()
        return complete_registration(version, tracking_uri, spec.aliases)


def _new_version(trained: Trained, job: str | None) -> NewVersion:
    recipe = trained.recipe
    scores = ", ".join(f"{name} {value:.3f}" for name, value in trained.metrics.items())
    title = recipe.title[0].upper() + recipe.title[1:]
    return NewVersion(
        name=recipe.name,
        experiment=_experiment(recipe.name),
        title=recipe.title,
        about=f"{recipe.description} Learnt from {_data(trained)}.",
        model=_package(trained),
        params=_params(trained),
        metrics=_metrics(trained),
        tags=_tags(trained),
        description=_describe(recipe),
        version_description=f"{title} on {_data(trained)}; on {trained.test_rows} held-out rows: {scores}.",
        figures=trained.figures,
        shared_tags={JOB_TAG: job} if job else {},
    )


def _package(trained: Trained) -> OnnxPackage:
    recipe, artifact = trained.recipe, trained.artifact
    return OnnxPackage(
        onnx=artifact.onnx,
        signature=_signature(recipe),
        example=trained.example,
        task=recipe.task,
        labels=recipe.labels,
        tokenizer=artifact.tokenizer,
        unit=recipe.unit,
        limits=trained.limits,
    )


def _experiment(model: str) -> str:
    return f"training/{model}"


def _params(trained: Trained) -> dict[str, Any]:
    return trained.parameters.model_dump() | {"seed": trained.seed, "test_share": trained.recipe.test_share}


def _metrics(trained: Trained) -> dict[str, float]:
    on_train = {f"{TRAIN}{name}": value for name, value in trained.train_metrics.items()}
    held_out = {f"{VALIDATION}{name}": value for name, value in trained.metrics.items()}
    about_onnx = {"onnx_largest_difference": trained.largest_difference, "onnx_bytes": float(trained.artifact.bytes)}
    return on_train | held_out | about_onnx | dict(trained.more_metrics)


def _data(trained: Trained) -> str:
    return f"SYNTHETIC data: {trained.data.source}" if trained.data.synthetic else trained.data.source


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
    extra = trained.recipe.extra_packages
    versions = {f"version.{name}": version(name) for name in (*_VERSIONS, *(extra.modules if extra else ()))}
    return data | {"version.python": python_version()} | versions | dict(trained.tags)


def _signature(recipe: Recipe[Any]) -> ModelSignature:
    inputs = Schema(
        [ColSpec(DataType[column.type], column.name, required=column.required) for column in recipe.columns]
    )
    if recipe.task == "regression":
        return ModelSignature(inputs, Schema([ColSpec(DataType.float, "variable")]))
    outputs = Schema([ColSpec(DataType.long, "label"), ColSpec(Array(DataType.float), "probabilities")])
    return ModelSignature(inputs, outputs)


def _describe(recipe: Recipe[Any]) -> str:
    columns = "\n".join(f"- `{column.name}`: {column.description}" for column in recipe.columns)
    text = f"{recipe.description}\n\n{columns}"
    if recipe.read:
        text += "\n\nA version on data that its description calls synthetic is of no use beyond a trial."
    return text
