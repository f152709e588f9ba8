"""A trained model in MLflow: a run, the model, a registered version, and last of all its alias."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from platform import python_version
from types import SimpleNamespace
from typing import Any

import mlflow
import mlflow.onnx
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import Array

from training.aliases import move_aliases
from training.earlier_attempts import JOB_TAG, end_runs, registered_version
from training.pattern import Say, Trained
from training.promotion import Promotion, Verdict
from training.recipe import Recipe, TrainingError
from training.run import Order, unasked

_VERSIONS = ("scikit-learn", "skl2onnx", "onnx", "onnxruntime", "numpy", "pandas", "mlflow")
_SERVED_BY = ("onnx", "onnxruntime", "numpy")


@dataclass(frozen=True, slots=True)
class Registered:
    """A registered version, and where to look at it. alias: what was moved to it; None: nothing was.

    metrics: its run's. verdict: on its promotion, if that was asked for.
    """

    name: str
    version: str
    alias: str | None
    run_id: str
    run_url: str
    version_url: str
    metrics: Mapping[str, float]
    verdict: Verdict | None = None


def register(  # noqa: PLR0913  what is registered, and how
    trained: Trained,
    tracking_uri: str,
    alias: str | None,
    say: Say,
    *,
    promotion: Promotion | None = None,
    job: str | None = None,
    confirm: Callable[[], None] = unasked,
) -> Registered:
    """Log the run and the model, register a version of it and move aliases to that; they move last.

    confirm: called before the version is made. Raises TrainingError when MLflow refuses or goes away: the aliases then
    stand where they stood.
    """
    with _mlflow_errors(tracking_uri):
        mlflow.set_tracking_uri(tracking_uri)
        recipe = trained.recipe
        mark = {JOB_TAG: job} if job else {}
        mlflow.set_experiment(_experiment(recipe.name))
        about = f"{recipe.description} Learnt from {_data(trained)}."
        with mlflow.start_run(run_name=recipe.title, description=about, tags=_tags(trained) | mark) as run:
            mlflow.log_params(_params(trained))
            mlflow.log_metrics(_metrics(trained))
            for name, figure in trained.figures.items():
                mlflow.log_figure(figure, f"plots/{name}")
            info = _log_model(trained)
        say(f"logged: run {run.info.run_id}")
        confirm()
        version = _new_version(trained, info, run.info.run_id, mark)
        return _placed(version, tracking_uri, alias, promotion)


def finish(order: Order, tracking_uri: str, say: Say, confirm: Callable[[], None]) -> Registered | None:
    """Move the aliases to the version that an earlier attempt of the order's job registered; None if there is none.

    Runs that such attempts left are ended. confirm: called before aliases move. Raises TrainingError.
    """
    assert order.job is not None
    with _mlflow_errors(tracking_uri):
        mlflow.set_tracking_uri(tracking_uri)
        client = MlflowClient()
        version = registered_version(client, order.model, order.job)
        end_runs(client, _experiment(order.model), order.job, keep=version.run_id if version else None)
        if version is None:
            return None
        say(f"version {version.version} was registered by an earlier attempt")
        confirm()
        return _placed(version, tracking_uri, order.alias, order.promotion)


def _placed(version: ModelVersion, tracking_uri: str, alias: str | None, promotion: Promotion | None) -> Registered:
    client = MlflowClient()
    verdict = move_aliases(client, version, alias, promotion)
    run = client.get_run(str(version.run_id))
    return Registered(
        name=version.name,
        version=str(version.version),
        alias=alias,
        run_id=run.info.run_id,
        run_url=f"{tracking_uri}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}",
        version_url=f"{tracking_uri}/#/models/{version.name}/versions/{version.version}",
        metrics=run.data.metrics,
        verdict=verdict,
    )


def _experiment(model: str) -> str:
    return f"training/{model}"


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
    about_onnx = {"onnx_largest_difference": trained.largest_difference, "onnx_bytes": float(trained.onnx.ByteSize())}
    return on_train | held_out | about_onnx


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
    return data | {"version.python": python_version()} | {f"version.{name}": version(name) for name in _VERSIONS}


def _log_model(trained: Trained) -> ModelInfo:
    recipe = trained.recipe
    info: ModelInfo = Model.log(
        artifact_path=None,
        name="model",
        flavor=SimpleNamespace(save_model=_save_model),
        flavor_name="mlflow.onnx",
        onnx_model=trained.onnx,
        signature=_signature(recipe),
        input_example=trained.example,
        metadata={"offpath": {"task": recipe.task, "labels": list(recipe.labels)}},
        pip_requirements=[f"{name}=={version(name)}" for name in _SERVED_BY],
        onnx_execution_providers=["CPUExecutionProvider"],
        save_as_external_data=False,  # one file, so that what serves it needs no other
        validate_serving_input=False,
    )
    return info


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


def _new_version(trained: Trained, info: ModelInfo, run_id: str, tags: dict[str, str]) -> ModelVersion:
    client, recipe = MlflowClient(), trained.recipe
    try:
        client.create_registered_model(recipe.name, description=_describe(recipe))
    except MlflowException as error:  # a description that somebody wrote since is not written over
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    scores = ", ".join(f"{name} {value:.3f}" for name, value in trained.metrics.items())
    title = recipe.title[0].upper() + recipe.title[1:]
    about = f"{title} on {_data(trained)}; on {trained.test_rows} held-out rows: {scores}."
    return client.create_model_version(
        recipe.name, info.model_uri, run_id=run_id, tags=tags, description=about, model_id=info.model_id
    )


def _describe(recipe: Recipe[Any]) -> str:
    columns = "\n".join(f"- `{column.name}`: {column.description}" for column in recipe.columns)
    made_up = "\n\nA version on data that its description calls synthetic is of no use beyond a trial."
    return f"{recipe.description}\n\n{columns}{made_up if recipe.read else ''}"
