"""A trained model in MLflow: what its run and its version tell of the training."""

from importlib.metadata import version
from platform import python_version
from typing import Any

from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import Array

from training.pattern import Say, Trained
from training.recipe import Recipe
from training.versions import NewVersion, Registered, ServedModel, register_version

_VERSIONS = ("scikit-learn", "skl2onnx", "onnx", "onnxruntime", "numpy", "pandas", "mlflow")


def register(trained: Trained, tracking_uri: str, alias: str, say: Say) -> Registered:
    """Register a version of a trained model and move the alias to it.

    Raises TrainingError when MLflow refuses or goes away: the alias then stands where it stood.
    """
    return register_version(_new_version(trained), tracking_uri, alias, say)


def _new_version(trained: Trained) -> NewVersion:
    recipe = trained.recipe
    scores = ", ".join(f"{name} {value:.3f}" for name, value in trained.metrics.items())
    title = recipe.title[0].upper() + recipe.title[1:]
    return NewVersion(
        name=recipe.name,
        experiment=f"training/{recipe.name}",
        title=recipe.title,
        about=f"{recipe.description} Learnt from {_data(trained)}.",
        model=ServedModel(trained.onnx, _signature(recipe), trained.example, recipe.task, recipe.labels),
        params=_params(trained),
        metrics=_metrics(trained),
        tags=_tags(trained),
        description=_describe(recipe),
        version_description=f"{title} on {_data(trained)}; on {trained.test_rows} held-out rows: {scores}.",
        figures=trained.figures,
    )


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
