"""A model in MLflow's registry: a run, the model in its ONNX flavor, a registered version, and last the alias."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import mlflow.onnx
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.models.model import ModelInfo

from training.pattern import Say
from training.recipe import Onnx, Task, TrainingError

_SERVED_BY = ("onnx", "onnxruntime", "numpy")


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model as it is served. example: what MLflow takes for an input example, or None."""

    onnx: Onnx
    signature: ModelSignature
    example: Any
    task: Task
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What is to be registered. title, about: the run's name and description. figures: by file name.

    description: of the registered model, if it is new. version_description: of the version.
    """

    name: str
    experiment: str
    title: str
    about: str
    model: ServedModel
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    description: str
    version_description: str
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Registered:
    """A registered version, and where to look at it."""

    name: str
    version: str
    alias: str
    run_url: str
    version_url: str


def register_version(new: NewVersion, tracking_uri: str, alias: str, say: Say) -> Registered:
    """Log the run and the model, register a version of it and move the alias to that; the alias moves last.

    Raises TrainingError when MLflow refuses or goes away: the alias then stands where it stood.
    """
    with mlflow_errors(tracking_uri):
        mlflow.set_tracking_uri(tracking_uri)
        experiment = mlflow.set_experiment(new.experiment)
        with mlflow.start_run(run_name=new.title, description=new.about, tags=dict(new.tags)) as run:
            mlflow.log_params(dict(new.params))
            mlflow.log_metrics(dict(new.metrics))
            for name, figure in new.figures.items():
                mlflow.log_figure(figure, f"plots/{name}")
            info = _log(new.model)
        say(f"logged: run {run.info.run_id}")
        number = _new_version(new, info, run.info.run_id)
        MlflowClient().set_registered_model_alias(new.name, alias, number)
    return Registered(
        name=new.name,
        version=number,
        alias=alias,
        run_url=f"{tracking_uri}/#/experiments/{experiment.experiment_id}/runs/{run.info.run_id}",
        version_url=f"{tracking_uri}/#/models/{new.name}/versions/{number}",
    )


def save_model(model: ServedModel, folder: Path) -> None:
    """Write a model's files as they will be logged, into a folder that is not there yet."""
    metadata = _metadata(model)
    _save(path=str(folder), mlflow_model=Model(metadata=metadata), validate_serving_input=False, **_options(model))


@contextmanager
def mlflow_errors(tracking_uri: str) -> Iterator[None]:
    """What MLflow raises as a TrainingError."""
    try:
        yield
    except MlflowException as error:
        raise TrainingError(f"MLflow at {tracking_uri} did not take the model: {error}") from error


def _log(model: ServedModel) -> ModelInfo:
    info: ModelInfo = Model.log(
        artifact_path=None,
        name="model",
        flavor=SimpleNamespace(save_model=_save),
        flavor_name="mlflow.onnx",
        metadata=_metadata(model),
        validate_serving_input=False,
        **_options(model),
    )
    return info


def _metadata(model: ServedModel) -> dict[str, Any]:
    return {"offpath": {"task": model.task, "labels": list(model.labels)}}


def _options(model: ServedModel) -> dict[str, Any]:
    return {
        "onnx_model": model.onnx,
        "signature": model.signature,
        "input_example": model.example,
        "pip_requirements": [f"{name}=={version(name)}" for name in _SERVED_BY],
        "onnx_execution_providers": ["CPUExecutionProvider"],
        "save_as_external_data": False,  # one file, so that what serves it needs no other
    }


def _save(*, validate_serving_input: bool, **options: Any) -> None:  # noqa: ARG001
    """`mlflow.onnx.save_model`, which hands an option meant for `Model.log` on to onnx.

    The validation would call the model through MLflow's pyfunc, which cannot hold labels and probabilities in one
    frame; that ONNX answers as it should is proven already.
    """
    mlflow.onnx.save_model(**options)


def _new_version(new: NewVersion, info: ModelInfo, run_id: str) -> str:
    client = MlflowClient()
    try:
        client.create_registered_model(new.name, description=new.description)
    except MlflowException as error:  # a description that somebody wrote since is not written over
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    made = client.create_model_version(
        new.name, info.model_uri, run_id=run_id, description=new.version_description, model_id=info.model_id
    )
    return str(made.version)
