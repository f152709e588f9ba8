"""From a trained model to ONNX, in the forms to try, the likeliest first."""

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from skl2onnx import convert_sklearn
from skl2onnx.common import data_types
from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator
from sklearn.pipeline import Pipeline

from offpath.contracts.model_manifest import Column, Signature, Tensor
from offpath_cli.register.converters import mend_histogram_trees, register_converters, unnamed
from offpath_cli.register.errors import Refused, first_line
from offpath_cli.register.original import Original
from offpath_cli.register.precision import exact_form
from training.onnx_artifact.convert import OPSET
from training.recipes.recipe import Onnx

# Operator set 3 of ai.onnx.ml is the last that onnxmltools writes.
_ML_OPSET = 3
# Onnxmltools writes Boosters in no later one.
_BOOSTER_OPSET = 15
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

Conversion = Callable[[], Onnx]


def conversions(original: Original, signature: Signature, opset: int | None) -> Iterator[Conversion]:
    """Ways to convert a model that is not ONNX; each raises Refused where it does not lead to a graph.

    A pipeline is tried first with all but its last step in double precision, anything else in single precision.
    """
    native = original.native
    if not hasattr(native, "get_params"):
        yield lambda: _booster(original, signature, opset)
        return
    _prepare(native)
    if isinstance(native, Pipeline) and len(native.steps) > 1:
        exact = exact_form(native)
        yield lambda: _estimator(native, exact, signature, "double", opset)
        yield lambda: _estimator(native, native, signature, "single", opset)
    else:
        yield lambda: _estimator(native, native, signature, "single", opset)
        yield lambda: _estimator(native, native, signature, "double", opset)


def _prepare(estimator: Any) -> None:
    kinds = [type(part) for part in _parts(estimator)]
    for library in sorted({kind.__module__.partition(".")[0] for kind in kinds} & {"xgboost", "lightgbm"}):
        register_converters(library)
    if any(kind.__name__.startswith("HistGradientBoosting") for kind in kinds):
        mend_histogram_trees()


def _parts(estimator: Any) -> Iterator[Any]:
    """An estimator and those within it."""
    yield estimator
    yield from (value for value in estimator.get_params(deep=True).values() if hasattr(value, "get_params"))


def _estimator(native: Any, form: Any, signature: Signature, precision: str, opset: int | None) -> Onnx:
    with _translated(native):
        return convert_sklearn(
            form, "model", _types(native, signature, precision), target_opset=_opsets(opset), options=_options(native)
        )


def _options(native: Any) -> dict[Any, Any]:
    """Probabilities as a tensor; of a pipeline without any, no option, or skl2onnx takes one that is not for it."""
    if hasattr(native, "predict_proba"):
        return {"zipmap": False}
    return {id(native.steps[-1][1]): {}} if isinstance(native, Pipeline) else {}


def _opsets(opset: int | None) -> dict[str, int]:
    return {"": opset or OPSET, "ai.onnx.ml": _ML_OPSET}


def _types(native: Any, signature: Signature, precision: str) -> list[tuple[str, Any]]:
    """The graph's inputs: tensors, or columns in one matrix where all are numbers and none is asked for by its name."""
    if signature.tensors:
        return [(tensor.key, _tensor(tensor, precision)) for tensor in signature.tensors]
    columns = signature.columns
    if all(column.type != "string" for column in columns) and not _selects_by_name(native):
        return [("inputs", _float(precision)([None, len(columns)]))]
    return [(column.name, _column(column, precision)) for column in columns]


def _selects_by_name(native: Any) -> bool:
    """Whether a ColumnTransformer within it asks for columns by their names."""
    selections = [columns for part in _parts(native) for _, _, columns in getattr(part, "transformers_", ())]
    return any(isinstance(name, str) for columns in selections for name in np.atleast_1d(np.asarray(columns, object)))


def _column(column: Column, precision: str) -> Any:
    kind = _COLUMNS.get(column.type)
    return (getattr(data_types, kind) if kind else _float(precision))([None, 1])


def _tensor(tensor: Tensor, precision: str) -> Any:
    shape = [None if length == -1 else length for length in tensor.shape]
    if tensor.dtype.startswith("float"):
        return _float(precision)(shape)
    if tensor.dtype not in _TENSORS:
        raise Refused(f"a tensor of {tensor.dtype} cannot be converted: expected floats, {', '.join(_TENSORS)}")
    return getattr(data_types, _TENSORS[tensor.dtype])(shape)


def _float(precision: str) -> Any:
    return data_types.DoubleTensorType if precision == "double" else data_types.FloatTensorType


def _booster(original: Original, signature: Signature, opset: int | None) -> Onnx:
    import onnxmltools
    from onnxmltools.convert.common.data_types import FloatTensorType

    width = len(signature.columns) or signature.tensors[0].shape[-1]
    types = [("inputs", FloatTensorType([None, width]))]
    target = min(opset or OPSET, _BOOSTER_OPSET)
    with _translated(original.native):
        if original.flavor == "xgboost":
            return onnxmltools.convert_xgboost(unnamed(original.native), "model", types, target_opset=target)
        return onnxmltools.convert_lightgbm(original.native, "model", types, target_opset=target, zipmap=False)


@contextmanager
def _translated(native: Any) -> Iterator[None]:
    """What converters raise, which have no base of their own, as Refused that names what cannot be converted."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (MissingConverter, MissingShapeCalculator) as error:
        found = re.search(r"<class '([^']+)'>", str(error))
        name = found[1] if found else first_line(error)
        raise Refused(
            f"there is no converter to ONNX for {name}: replace that part, or convert the model with a converter of "
            "your own (skl2onnx.update_registered_converter) and register the .onnx file"
        ) from error
    except Exception as error:
        raise Refused(
            f"{type(native).__name__} cannot be converted to ONNX: {type(error).__name__}: {first_line(error)}"
        ) from error
