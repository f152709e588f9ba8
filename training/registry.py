"""A trained model in MLflow: a run, the model, a registered version, and last of all its alias."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import mlflow
import mlflow.onnx
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import Array

from training.pattern import Trained
from training.recipe import Recipe, Say, TrainingError

_VERSIONS = ("scikit-learn", "skl2onnx", "onnx", "onnxruntime", "numpy", "pandas", "mlflow")
_SERVED_BY = ("onnx", "onnxruntime", "numpy")
_TOKENIZER = "tokenizer.json"


@dataclass(frozen=True, slots=True)
class Registered:
    """A registered version, and where to look at it."""

    name: str
    version: str
    alias: str
    run_url: str
    version_url: str


def register(trained: Trained, tracking_uri: str, alias: str, say: Say) -> Registered:
    """Log the run and the model, register a version of it and move the alias to that; the alias moves last.

    Raises TrainingError when MLflow refuses or goes away: the alias then stands where it stood.
    """
    with _mlflow_errors(tracking_uri):
        mlflow.set_tracking_uri(tracking_uri)
        recipe = trained.recipe
        experiment = mlflow.set_experiment(f"training/{recipe.name}")
        about = f"{recipe.description} Learnt from {_data(trained)}."
        with mlflow.start_run(run_name=recipe.title, description=about, tags=_tags(trained)) as run:
            mlflow.log_params(_params(trained))
            mlflow.log_metrics(_metrics(trained))
            for name, figure in trained.figures.items():
                mlflow.log_figure(figure, f"plots/{name}")
            info = _log_model(trained)
        say(f"logged: run {run.info.run_id}")
        number = _new_version(trained, info, run.info.run_id)
        MlflowClient().set_registered_model_alias(recipe.name, alias, number)
    return Registered(
        name=recipe.name,
        version=number,
        alias=alias,
        run_url=f"{tracking_uri}/#/experiments/{experiment.experiment_id}/runs/{run.info.run_id}",
        version_url=f"{tracking_uri}/#/models/{recipe.name}/versions/{number}",
    )


@contextmanager
def _mlflow_errors(tracking_uri: str) -> Iterator[None]:
    try:
        yield
    except MlflowException as error:
        raise TrainingError(f"MLflow at {tracking_uri} did not take the model: {error}") from error


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


def _log_model(trained: Trained) -> ModelInfo:
    recipe, tokenizer = trained.recipe, trained.form.tokenizer
    named = {"tokenizer": f"extra_files/{_TOKENIZER}"} if tokenizer else {}  # where MLflow puts extra files
    served_by = (*_SERVED_BY, "tokenizers") if tokenizer else _SERVED_BY
    with _files({_TOKENIZER: tokenizer} if tokenizer else {}) as files:
        info: ModelInfo = Model.log(
            artifact_path=None,
            name="model",
            flavor=SimpleNamespace(save_model=_save_model),
            flavor_name="mlflow.onnx",
            onnx_model=trained.form.onnx,
            signature=_signature(recipe),
            input_example=trained.example,
            metadata={"offpath": {"task": recipe.task, "labels": list(recipe.labels), **named}},
            pip_requirements=[f"{name}=={version(name)}" for name in served_by],
            onnx_execution_providers=["CPUExecutionProvider"],
            save_as_external_data=False,  # one file, so that what serves it needs no other
            extra_files=files,
            validate_serving_input=False,
        )
    return info


@contextmanager
def _files(contents: Mapping[str, bytes]) -> Iterator[list[str]]:
    """The paths of files of these names and contents."""
    with TemporaryDirectory() as folder:
        paths = {name: Path(folder) / name for name in contents}
        for name, path in paths.items():
            path.write_bytes(contents[name])
        yield [str(path) for path in paths.values()]


def _save_model(*, validate_serving_input: bool, **options: Any) -> None:  # noqa: ARG001
    """`mlflow.onnx.save_model`, which hands an option meant for `Model.log` on to onnx.

    The validation would call the model through MLflow's pyfunc, which cannot hold labels and probabilities in one
    frame; that ONNX answers as it should is proven already.
    """
    mlflow.onnx.save_model(**options)


def _signature(recipe: Recipe[Any]) -> ModelSignature:
    inputs = Schema([ColSpec(DataType[column.type], column.name) for column in recipe.columns])
    if recipe.task == "regression":
        return ModelSignature(inputs, Schema([ColSpec(DataType.float, "variable")]))
    outputs = Schema([ColSpec(DataType.long, "label"), ColSpec(Array(DataType.float), "probabilities")])
    return ModelSignature(inputs, outputs)


def _new_version(trained: Trained, info: ModelInfo, run_id: str) -> str:
    client, recipe = MlflowClient(), trained.recipe
    try:
        client.create_registered_model(recipe.name, description=_describe(recipe))
    except MlflowException as error:  # a description that somebody wrote since is not written over
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    scores = ", ".join(f"{name} {value:.3f}" for name, value in trained.metrics.items())
    title = recipe.title[0].upper() + recipe.title[1:]
    about = f"{title} on {_data(trained)}; on {trained.test_rows} held-out rows: {scores}."
    made = client.create_model_version(
        recipe.name, info.model_uri, run_id=run_id, description=about, model_id=info.model_id
    )
    return str(made.version)


def _describe(recipe: Recipe[Any]) -> str:
    columns = "\n".join(f"- `{column.name}`: {column.description}" for column in recipe.columns)
    made_up = "\n\nA version on data that its description calls synthetic is of no use beyond a trial."
    return f"{recipe.description}\n\n{columns}{made_up if recipe.read else ''}"
