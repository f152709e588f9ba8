"""Read the model as it was trained: the object of its own library, and what was logged beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeGuard

from mlflow.models import Model, ModelSignature
from onnx import ModelProto
from pydantic import BaseModel, ValidationError

from offpath_cli.errors import ModelRefused, first_line
from offpath_cli.register.examples import Example, read_example
from offpath_cli.register.graph import read_graph

if TYPE_CHECKING:
    import lightgbm
    import xgboost

_SHOWN = 80
# In the order of what is served best: what is ONNX needs no conversion.
FLAVORS = ("onnx", "xgboost", "lightgbm", "sklearn")


class Estimator(Protocol):
    """Follow the conventions of scikit-learn's estimators, as those of XGBoost and LightGBM do."""

    def get_params(self, deep: bool = True) -> Mapping[str, object]:
        """Return its parameters, and with `deep` those of the estimators within it."""

    def predict(self, rows: object) -> object:
        """Return one class or value a row."""


Booster: TypeAlias = "xgboost.Booster | lightgbm.Booster"
Native: TypeAlias = "ModelProto | Estimator | Booster"


def is_estimator(native: object) -> TypeGuard[Estimator]:
    """Return whether it is an estimator: neither a Booster nor an ONNX graph is one."""
    return hasattr(native, "predict") and hasattr(native, "get_params")


class OffpathMetadata(BaseModel):
    """Hold what `metadata["offpath"]` of a model says, where somebody wrote it."""

    task: str | None = None
    labels: list[str | int | float | bool] = []


@dataclass(frozen=True, slots=True)
class Original:
    """Hold a model before it is converted. signature, example: as they were logged, or None."""

    flavor: str
    native: Native
    signature: ModelSignature | None = None
    example: Example | None = None
    metadata: OffpathMetadata = field(default_factory=OffpathMetadata)

    @property
    def kind(self) -> str:
        """The class of the model, by its library."""
        return "ONNX graph" if self.flavor == "onnx" else f"{type(self.native).__name__} ({self.flavor})"


def read_file(path: Path) -> Original:
    """Return the model of an ONNX file. Raises ModelRefused."""
    return Original("onnx", read_graph(path))


def read_folder(folder: Path, *, with_example: bool = True) -> Original:
    """Return the model of a folder that MLflow wrote. Raises ModelRefused, for one that is not supported too."""
    model = _described(folder)
    _check_params(model.signature)
    flavor = _flavor(model.flavors)
    example = (model.saved_input_example_info or {}).get("artifact_path")
    return Original(
        flavor=flavor,
        native=_load(flavor, folder, model.flavors),
        signature=model.signature,
        example=read_example(folder / example) if example and with_example else None,
        metadata=_offpath_metadata(model.metadata),
    )


def _described(folder: Path) -> Model:
    """Return what the MLmodel file says. Raises ModelRefused."""
    try:
        model = Model.load(str(folder))
        _check_form(model)
    except ModelRefused:
        raise
    except Exception as error:  # mlflow raises what YAML, JSON and its own classes do
        raise ModelRefused(f"its MLmodel file cannot be read: {first_line(error)}") from error
    return model


def _check_form(model: Model) -> None:
    """Refuse an MLmodel file that says something else than MLflow writes: it reads any value for any field."""
    forms: Mapping[str, tuple[object, type]] = {
        "flavors": (model.flavors, Mapping),
        "signature": (model.signature, ModelSignature),
        "saved_input_example_info": (model.saved_input_example_info, Mapping),
    }
    for name, (value, expected) in forms.items():
        if value is not None and not isinstance(value, expected):
            raise ModelRefused(f"its MLmodel file cannot be read: {name} is {str(value)[:_SHOWN]!r}")


def _check_params(signature: ModelSignature | None) -> None:
    """Refuse a model that takes parameters with a request: its ONNX form takes none."""
    names = [param.name for param in signature.params] if signature and signature.params else []
    if names:
        raise ModelRefused(
            f"its signature has the params {', '.join(names)}, which a request may set: an ONNX graph takes inputs "
            "alone. Log it with their values fixed, and without params in its signature"
        )


def _flavor(flavors: Mapping[str, Mapping[str, str]]) -> str:
    found = next((flavor for flavor in FLAVORS if flavor in flavors), None)
    if found is None:
        names = [name for name in flavors if name != "python_function"] or [_pyfunc(flavors)]
        raise ModelRefused(
            f"it was logged in the flavor {', '.join(map(str, names))}, which cannot be converted: supported are "
            f"{', '.join(sorted(FLAVORS))}. Convert it to ONNX with its own library, and register the .onnx file"
        )
    return found


def _pyfunc(flavors: Mapping[str, Mapping[str, str]]) -> str:
    loader = (flavors.get("python_function") or {}).get("loader_module", "unknown")
    return f"python_function (loaded by {loader})"


def _load(flavor: str, folder: Path, flavors: Mapping[str, Mapping[str, str]]) -> Native:
    if flavor == "onnx":
        return read_graph(_onnx_file(folder, flavors["onnx"]))
    try:
        loaded: Native = import_module(f"mlflow.{flavor}").load_model(str(folder))
    except ModuleNotFoundError as error:
        raise ModelRefused(f"to be read it needs {_missing_text(str(error.name))}") from error
    except Exception as error:  # unpickling runs what the model's libraries please
        raise ModelRefused(
            f"its {flavor} model cannot be read here: {type(error).__name__}: {first_line(error)}"
        ) from error
    best: Native = getattr(loaded, "best_estimator_", loaded)  # a search's winner is what predicts
    return best


def _missing_text(module: str) -> str:
    """Return what is to be done about a module that is not there: its package may be of another version."""
    package = module.partition(".")[0]
    if package != module and find_spec(package) is not None:
        return (
            f"the module {module!r}, which the version of {package} here has not: the model was pickled by another; "
            "train it again, or log it from that version as ONNX"
        )
    return (
        f"the Python package {module!r}, which is not installed here: install it into .venv, or put its folder on "
        "PYTHONPATH"
    )


def _onnx_file(folder: Path, flavor: object) -> Path:
    """Return the file that the flavor names. Raises ModelRefused for none, or one that is not in the folder."""
    name = flavor.get("data") if isinstance(flavor, Mapping) else None
    path = (folder / str(name)).resolve()
    if not name or not path.is_relative_to(folder.resolve()):
        raise ModelRefused(f"its MLmodel file names no ONNX file of the model's folder: data is {name!r}")
    return path


def _offpath_metadata(metadata: Mapping[str, object] | None) -> OffpathMetadata:
    try:
        return OffpathMetadata.model_validate((metadata or {}).get("offpath") or {})
    except (ValidationError, AttributeError) as error:
        raise ModelRefused(f"its metadata.offpath is not task and labels: {first_line(error)}") from error
