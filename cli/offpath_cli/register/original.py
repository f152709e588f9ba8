"""The model as it was trained: its flavor's own object, and what was logged beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from pydantic import BaseModel, ValidationError

from offpath_cli.register.errors import Refused, first_line
from offpath_cli.register.examples import Example, read_example
from offpath_cli.register.graph import read_graph

# In the order of what is served best: what is ONNX needs no conversion.
FLAVORS = ("onnx", "xgboost", "lightgbm", "sklearn")


class Mark(BaseModel):
    """What `metadata["offpath"]` of a model says, where somebody wrote it."""

    task: str | None = None
    labels: list[str | int | float | bool] = []


@dataclass(frozen=True, slots=True)
class Original:
    """A model before it is converted.

    native: an `onnx.ModelProto`, a scikit-learn estimator (XGBoost's and LightGBM's own among them) or a Booster.
    signature, example: as they were logged, or None.
    """

    flavor: str
    native: Any
    signature: ModelSignature | None = None
    example: Example | None = None
    mark: Mark = field(default_factory=Mark)

    @property
    def kind(self) -> str:
        """The class of the model, by its library."""
        return "ONNX graph" if self.flavor == "onnx" else f"{type(self.native).__name__} ({self.flavor})"


def read_file(path: Path) -> Original:
    """The model of an ONNX file. Raises Refused."""
    return Original("onnx", read_graph(path))


def read_folder(folder: Path, *, with_example: bool = True) -> Original:
    """The model of a folder that MLflow wrote. Raises Refused, for a flavor that is not supported by its name."""
    try:
        model = Model.load(str(folder))
    except (MlflowException, ValueError, TypeError, KeyError, OSError) as error:
        raise Refused(f"its MLmodel file cannot be read: {first_line(error)}") from error
    flavor = _flavor(model.flavors)
    example = (model.saved_input_example_info or {}).get("artifact_path")
    return Original(
        flavor=flavor,
        native=_load(flavor, folder, model.flavors),
        signature=model.signature,
        example=read_example(folder / example) if example and with_example else None,
        mark=_mark(model.metadata),
    )


def _flavor(flavors: Mapping[str, Any]) -> str:
    found = next((flavor for flavor in FLAVORS if flavor in flavors), None)
    if found is None:
        names = [name for name in flavors if name != "python_function"] or [_pyfunc(flavors)]
        raise Refused(
            f"it was logged in the flavor {', '.join(names)}, which cannot be converted: supported are "
            f"{', '.join(sorted(FLAVORS))}. Convert it to ONNX with its own library, and register the .onnx file"
        )
    return found


def _pyfunc(flavors: Mapping[str, Any]) -> str:
    loader = (flavors.get("python_function") or {}).get("loader_module", "unknown")
    return f"python_function (loaded by {loader})"


def _load(flavor: str, folder: Path, flavors: Mapping[str, Any]) -> Any:
    if flavor == "onnx":
        return read_graph(folder / flavors["onnx"]["data"])
    from importlib import import_module

    try:
        loaded = import_module(f"mlflow.{flavor}").load_model(str(folder))
    except ModuleNotFoundError as error:
        raise Refused(
            f"to be read it needs the Python package {error.name!r}, which is not installed here: install it into "
            ".venv, or put its folder on PYTHONPATH"
        ) from error
    except Exception as error:  # unpickling runs what the model's libraries please
        raise Refused(f"its {flavor} model cannot be read here: {type(error).__name__}: {first_line(error)}") from error
    return getattr(loaded, "best_estimator_", loaded)  # a search's winner is what predicts


def _mark(metadata: Any) -> Mark:
    try:
        return Mark.model_validate((metadata or {}).get("offpath") or {})
    except (ValidationError, AttributeError) as error:
        raise Refused(f"its metadata.offpath is not task and labels: {first_line(error)}") from error
