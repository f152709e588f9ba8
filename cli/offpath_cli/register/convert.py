"""Convert a trained model to ONNX, in several ways, the likeliest first."""

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import numpy as np
from onnx import ModelProto
from skl2onnx import convert_sklearn
from skl2onnx.common import data_types
from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator
from sklearn.pipeline import Pipeline

from offpath.contracts.model_manifest import Column, ColumnLimits, Signature, Tensor
from offpath_cli.errors import ModelRefused, first_line
from offpath_cli.register.converters import (
    register_converters,
    register_histogram_tree_converters,
    without_feature_names,
)
from offpath_cli.register.model_task import ModelTask
from offpath_cli.register.original import Estimator, Original, is_estimator
from offpath_cli.register.precision import cast_before_last_step
from training.double_precision.convert import NotWritten
from training.double_precision.model import write
from training.onnx_artifact.convert import OPSET

if TYPE_CHECKING:
    import xgboost

# Operator set 3 of ai.onnx.ml is the last that onnxmltools writes.
_ML_OPSET = 3
# Onnxmltools writes Boosters in no later one.
_BOOSTER_OPSET = 15
_ADVICE = (
    "replace that part, or convert the model with a converter of your own (skl2onnx.update_registered_converter) and "
    "register the .onnx file"
)
_COLUMNS = {
    "long": "Int64TensorType",
    "integer": "Int32TensorType",
    "boolean": "BooleanTensorType",
    "string": "StringTensorType",
}
_TENSORS = {
    "int64": "Int64TensorType",
    "int32": "Int32TensorType",
    "int8": "Int8TensorType",
    "uint8": "UInt8TensorType",
    "bool": "BooleanTensorType",
    "str": "StringTensorType",
}

Precision: TypeAlias = Literal["single", "double"]


@dataclass(frozen=True, slots=True)
class Converted:
    """Hold a model that was converted. limits: how its texts are prepared. is_ours: written in this project's form."""

    onnx: ModelProto
    limits: Mapping[str, ColumnLimits] = field(default_factory=dict)
    is_ours: bool = False


Conversion: TypeAlias = Callable[[], Converted]
# A type of skl2onnx's: made of a tensor's shape.
InputType: TypeAlias = Callable[[list[int | None]], object]


def conversions(
    original: Original, model_task: ModelTask, signature: Signature, opset: int | None
) -> Iterator[tuple[str, Conversion]]:
    """Yield ways to convert a model that is not ONNX; each raises ModelRefused where it leads to no graph.

    The first is this project's own, in double precision; it writes one operator set alone. Of others, a pipeline is
    tried first with all but its last step in double precision, anything else in single precision.
    """
    if opset in {None, OPSET}:
        yield "in double precision", lambda: _convert_exactly(original, model_task, signature)
    for precision, convert in _by_libraries(original, signature, opset):
        yield f"with {'skl2onnx' if is_estimator(original.native) else 'onnxmltools'}{precision}", convert


def _convert_exactly(original: Original, model_task: ModelTask, signature: Signature) -> Converted:
    with _conversion_errors(original.native):
        try:
            written = write(original.native, signature, model_task.labels)
        except NotWritten as error:
            raise ModelRefused(f"there is no converter to ONNX for {error}: {_ADVICE}") from error
    return Converted(written.onnx, written.limits, is_ours=True)


def _by_libraries(original: Original, signature: Signature, opset: int | None) -> Iterator[tuple[str, Conversion]]:
    native = original.native
    if not is_estimator(native):
        yield "", lambda: Converted(_convert_booster(original, signature, opset))
        return
    if not _names_are_plain(native, signature):
        return
    _register_needed_converters(native)
    converted: Pipeline | Estimator = native
    precisions: tuple[Precision, Precision] = ("single", "double")
    if isinstance(native, Pipeline) and len(native.steps) > 1:
        converted, precisions = cast_before_last_step(native), ("double", "single")
    first, second = (_types(native, signature, precision) for precision in precisions)
    yield f", {precisions[0]}", lambda: Converted(_convert_estimator(converted, native, first, opset))
    yield f", {precisions[1]}", lambda: Converted(_convert_estimator(native, native, second, opset))


def _names_are_plain(native: Estimator, signature: Signature) -> bool:
    """Return whether skl2onnx can make inputs of the columns' names, where it has to."""
    if signature.tensors or not _selects_by_name(native):
        return True
    taken = {"label", "probabilities", "variable", "output_label", "output_probability"}
    return all(column.name.isidentifier() and column.name not in taken for column in signature.columns)


def _register_needed_converters(estimator: Estimator) -> None:
    kinds = [type(inner) for inner in _estimators(estimator)]
    for library in sorted({kind.__module__.partition(".")[0] for kind in kinds} & {"xgboost", "lightgbm"}):
        register_converters(library)
    if any(kind.__name__.startswith("HistGradientBoosting") for kind in kinds):
        register_histogram_tree_converters()


def _estimators(estimator: Estimator) -> Iterator[object]:
    """Yield an estimator and those within it."""
    yield estimator
    yield from (value for value in estimator.get_params(deep=True).values() if hasattr(value, "get_params"))


def _convert_estimator(
    converted: Estimator, native: Estimator, types: list[tuple[str, object]], opset: int | None
) -> ModelProto:
    """Convert the estimator, or a form of it. native: the estimator itself, which an error names."""
    opsets = {"": opset or OPSET, "ai.onnx.ml": _ML_OPSET}
    with _conversion_errors(native):
        model: ModelProto = convert_sklearn(
            converted, "model", types, target_opset=opsets, options=_conversion_options(native)
        )
        return model


def _conversion_options(native: Estimator) -> dict[str, bool] | dict[int, dict[str, bool]]:
    """Return options by which probabilities become a tensor.

    A pipeline without probabilities names its last step, with no option: skl2onnx would take one that is not for it.
    """
    if hasattr(native, "predict_proba"):
        return {"zipmap": False}
    if isinstance(native, Pipeline):
        no_options: dict[str, bool] = {}
        return {id(native.steps[-1][1]): no_options}
    return {}


def _types(native: Estimator, signature: Signature, precision: Precision) -> list[tuple[str, object]]:
    """Return the graph's inputs, with their types.

    They are tensors, or columns: in one matrix where all are numbers and none is asked for by its name.
    """
    if signature.tensors:
        return [(tensor.key, _tensor(tensor, precision)) for tensor in signature.tensors]
    columns = signature.columns
    if all(column.type != "string" for column in columns) and not _selects_by_name(native):
        return [("inputs", _float(precision)([None, len(columns)]))]
    return [(column.name, _column(column, precision)) for column in columns]


def _selects_by_name(native: Estimator) -> bool:
    """Return whether a ColumnTransformer within it asks for columns by their names."""
    selections = [columns for inner in _estimators(native) for _, _, columns in getattr(inner, "transformers_", ())]
    return any(isinstance(name, str) for columns in selections for name in np.atleast_1d(np.asarray(columns, object)))


def _column(column: Column, precision: Precision) -> object:
    kind = _COLUMNS.get(column.type)
    make: InputType = getattr(data_types, kind) if kind else _float(precision)
    return make([None, 1])


def _tensor(tensor: Tensor, precision: Precision) -> object:
    shape = [None if length == -1 else length for length in tensor.shape]
    if tensor.dtype.startswith("float"):
        return _float(precision)(shape)
    if tensor.dtype not in _TENSORS:
        raise ModelRefused(f"a tensor of {tensor.dtype} cannot be converted: expected floats, {', '.join(_TENSORS)}")
    make: InputType = getattr(data_types, _TENSORS[tensor.dtype])
    return make(shape)


def _float(precision: Precision) -> InputType:
    make: InputType = data_types.DoubleTensorType if precision == "double" else data_types.FloatTensorType
    return make


def _convert_booster(original: Original, signature: Signature, opset: int | None) -> ModelProto:
    import onnxmltools
    from onnxmltools.convert.common.data_types import FloatTensorType

    width = len(signature.columns) or signature.tensors[0].shape[-1]
    types = [("inputs", FloatTensorType([None, width]))]
    target = min(opset or OPSET, _BOOSTER_OPSET)
    with _conversion_errors(original.native):
        model: ModelProto
        if original.flavor == "xgboost":
            booster = without_feature_names(cast("xgboost.Booster", original.native))
            model = onnxmltools.convert_xgboost(booster, "model", types, target_opset=target)
        else:
            model = onnxmltools.convert_lightgbm(original.native, "model", types, target_opset=target, zipmap=False)
        return model


@contextmanager
def _conversion_errors(native: object) -> Iterator[None]:
    """Raise what converters raise, which has no base of its own, as ModelRefused that names the culprit."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except ModelRefused:
        raise
    except (MissingConverter, MissingShapeCalculator) as error:
        found = re.search(r"<class '([^']+)'>", str(error))
        name = found[1] if found else first_line(error)
        raise ModelRefused(f"there is no converter to ONNX for {name}: {_ADVICE}") from error
    except Exception as error:
        raise ModelRefused(
            f"{type(native).__name__} cannot be converted to ONNX: {type(error).__name__}: {first_line(error)}"
        ) from error
