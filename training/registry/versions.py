"""Put a model into MLflow's registry: a run, the model in its ONNX flavor, a version, and last the aliases."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import mlflow
import mlflow.onnx
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.models.model import ModelInfo

from offpath.contracts.model_manifest import ColumnLimits, Task
from offpath.contracts.names import CHAMPION
from offpath.contracts.promotion import Verdict
from training.callbacks import NO_CALLBACKS, Callbacks
from training.recipe import Onnx, TrainingError
from training.registry.aliases import Rescore, move_aliases
from training.registry.champions import champion_of
from training.registry.unfinished import MLFLOW_ERRORS, started_run, told_version
from training.training_spec import AliasPlan

_SERVED_BY = ("onnx", "onnxruntime", "numpy")
_TOKENIZER = "tokenizer.json"
TOKENIZER_PATH = f"extra_files/{_TOKENIZER}"  # where MLflow puts extra files


@dataclass(frozen=True, slots=True)
class OnnxPackage:
    """A model in ONNX, as a version holds it. example: an input as MLflow takes it. tokenizer: its file's content.

    limits: what the original refuses, by input. unit: of a regression's values.
    """

    onnx: Onnx
    signature: ModelSignature
    example: Any
    task: Task
    labels: tuple[str, ...]
    tokenizer: bytes | None = None
    unit: str = ""
    limits: Mapping[str, ColumnLimits] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version that is to be registered. title, about: the run's name and description. figures: by file name.

    description: of the registered model, if it is new. version_description: of the version. tags: of the run.
    shared_tags: of the run and of the version, which has them from its first moment.
    """

    name: str
    experiment: str
    title: str
    about: str
    model: OnnxPackage
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    description: str
    version_description: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    shared_tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Registered:
    """A registered version, and the addresses of its pages. alias: the one that was moved to it, if any.

    metrics: its run's. verdict: the plan's rule's, if it has one. champion_before: the number of the champion until
    then.
    """

    name: str
    version: str
    alias: str | None
    run_id: str
    run_url: str
    version_url: str
    metrics: Mapping[str, float]
    verdict: Verdict | None = None
    champion_before: str | None = None


def register_version(
    new: NewVersion,
    tracking_uri: str,
    plan: AliasPlan,
    callbacks: Callbacks = NO_CALLBACKS,
    rescore: Rescore | None = None,
) -> Registered:
    """Log the run and the model, register a version of it once that is confirmed, and move aliases to it last.

    rescore: measures a champion whose own scores are of other rows.
    Raises TrainingError when MLflow refuses or goes away: the aliases then stand where they stood, and it says whether
    the version is there.
    """
    with mlflow_errors(tracking_uri):
        mlflow.set_tracking_uri(tracking_uri)
        mlflow.set_experiment(new.experiment)
        with started_run(new.title, new.about, {**new.tags, **new.shared_tags}) as run:
            mlflow.log_params(dict(new.params))
            mlflow.log_metrics(dict(new.metrics))
            for name, figure in new.figures.items():
                mlflow.log_figure(figure, f"plots/{name}")
            info = _log(new.model)
        callbacks.report(f"logged: run {run.info.run_id}")
        callbacks.confirm()
        version = _new_version(new, info, run.info.run_id)
        with told_version(version, tracking_uri):
            return complete_registration(version, tracking_uri, plan, rescore)


def complete_registration(
    version: ModelVersion, tracking_uri: str, plan: AliasPlan, rescore: Rescore | None = None
) -> Registered:
    """Move aliases to a version, and describe what is registered. Once more changes nothing. Raises MlflowException."""
    client = MlflowClient()
    before = champion_of(client, version.name)
    verdict = move_aliases(client, version, plan, rescore)
    run = client.get_run(str(version.run_id))
    return Registered(
        name=version.name,
        version=str(version.version),
        alias=plan.alias or (CHAMPION if verdict and verdict.promoted else None),
        run_id=run.info.run_id,
        run_url=f"{tracking_uri}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}",
        version_url=f"{tracking_uri}/#/models/{version.name}/versions/{version.version}",
        metrics=run.data.metrics,
        verdict=verdict,
        champion_before=before,
    )


def save_model(model: OnnxPackage, folder: Path) -> None:
    """Write a model's files as they will be logged, into a folder that is not there yet."""
    empty = Model(metadata=_metadata(model))
    with _options(model) as options:
        _save(path=str(folder), mlflow_model=empty, validate_serving_input=False, **options)


@contextmanager
def mlflow_errors(tracking_uri: str) -> Iterator[None]:
    """Raise as TrainingError what MLflow's client raises."""
    try:
        yield
    except MLFLOW_ERRORS as error:
        raise TrainingError(f"MLflow at {tracking_uri} did not take the model: {error}") from error


def _log(model: OnnxPackage) -> ModelInfo:
    with _options(model) as options:
        info: ModelInfo = Model.log(
            artifact_path=None,
            name="model",
            flavor=SimpleNamespace(save_model=_save),
            flavor_name="mlflow.onnx",
            metadata=_metadata(model),
            validate_serving_input=False,
            **options,
        )
    return info


def _metadata(model: OnnxPackage) -> dict[str, Any]:
    described: dict[str, Any] = {"task": model.task, "labels": list(model.labels)}
    if model.unit:
        described["unit"] = model.unit
    if model.tokenizer:
        described["tokenizer"] = TOKENIZER_PATH
    if model.limits:
        described["limits"] = {
            name: limits.model_dump(mode="json", exclude_defaults=True) for name, limits in model.limits.items()
        }
    return {"offpath": described}


@contextmanager
def _options(model: OnnxPackage) -> Iterator[dict[str, Any]]:
    served_by = (*_SERVED_BY, "tokenizers") if model.tokenizer else _SERVED_BY
    with _files({_TOKENIZER: model.tokenizer} if model.tokenizer else {}) as files:
        yield {
            "onnx_model": model.onnx,
            "signature": model.signature,
            "input_example": model.example,
            "pip_requirements": [f"{name}=={version(name)}" for name in served_by],
            "onnx_execution_providers": ["CPUExecutionProvider"],
            "save_as_external_data": False,  # one file, so that what serves it needs no other
            "extra_files": files,
        }


@contextmanager
def _files(contents: Mapping[str, bytes]) -> Iterator[list[str]]:
    """Write files of these names and contents, and yield their paths; they are deleted afterwards."""
    with TemporaryDirectory() as folder:
        paths = {name: Path(folder) / name for name in contents}
        for name, content in contents.items():
            paths[name].write_bytes(content)
        yield [str(path) for path in paths.values()]


def _save(*, validate_serving_input: bool, **options: Any) -> None:  # noqa: ARG001
    """Call `mlflow.onnx.save_model` without an option meant for `Model.log`, which it would hand on to onnx.

    The validation would call the model through MLflow's pyfunc, which cannot hold labels and probabilities in one
    frame. That ONNX answers as it should was checked before.
    """
    mlflow.onnx.save_model(**options)


def _new_version(new: NewVersion, info: ModelInfo, run_id: str) -> ModelVersion:
    client = MlflowClient()
    try:
        client.create_registered_model(new.name, description=new.description)
    except MlflowException as error:  # a description that somebody wrote since is not written over
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    return client.create_model_version(
        new.name,
        info.model_uri,
        run_id=run_id,
        tags=dict(new.shared_tags),
        description=new.version_description,
        model_id=info.model_id,
    )
