"""Models run by ONNX Runtime."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import numpy as np
import onnxruntime as ort

from offpath.manifest import Column, ColumnType, ModelVersion
from prediction_api.answers import classified, regressed
from prediction_api.loader import ModelUnusable
from prediction_api.problems import FieldError, Problem
from prediction_api.records import MAX_ERRORS, Record

Tensors = dict[str, np.ndarray[Any, Any]]

_DTYPES: Mapping[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}
_EXAMPLES: Mapping[ColumnType, Any] = {
    "double": 0.0,
    "float": 0.0,
    "long": 0,
    "integer": 0,
    "boolean": False,
    "string": "",
}


class OnnxModel:
    """One ONNX graph, called as the model's signature says.

    The graph takes either one tensor of shape [records, columns], in the signature's order, or one tensor of shape
    [records, 1] for each column, by its name.
    """

    def __init__(self, content: bytes, version: ModelVersion) -> None:
        """Load the graph and run it once. Raises ModelUnusable."""
        self._version = version
        self._columns = version.signature.inputs
        try:
            self._session = ort.InferenceSession(content, _options(), providers=["CPUExecutionProvider"])
            self._feed = self._feeder()
            self._outputs = [output.name for output in self._session.get_outputs()]
            self.predict([version.input_example or _example(self._columns)])
        except ModelUnusable:
            raise
        except Exception as error:
            # ONNX Runtime raises a dozen types with no common base of their own, and a warm-up may fail in any way.
            raise ModelUnusable(f"{version.key} does not run in ONNX Runtime {ort.__version__}: {error}") from error

    def predict(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        """One prediction a record, by one call of the graph."""
        outputs = self._session.run(self._outputs, self._feed(records))
        if self._version.task == "classification":
            return classified(outputs, self._version.labels)
        return regressed(outputs)

    def _feeder(self) -> Callable[[Sequence[Record]], Tensors]:
        inputs = {entry.name: _dtype(entry.type) for entry in self._session.get_inputs()}
        names = [column.name for column in self._columns]
        if set(inputs) == set(names):
            return lambda records: {name: _column(records, name, inputs[name]).reshape(-1, 1) for name in names}
        if len(inputs) == 1:
            [(entry, dtype)] = inputs.items()
            return lambda records: {entry: np.stack([_column(records, name, dtype) for name in names], axis=1)}
        raise ModelUnusable(
            f"{self._version.key} takes the inputs {sorted(inputs)}, but the signature has the columns {names}"
        )


def _column(records: Sequence[Record], name: str, dtype: Any) -> np.ndarray[Any, Any]:
    missing = "" if dtype is np.object_ else np.nan
    values = [record.get(name, missing) for record in records]
    try:
        with np.errstate(over="raise"):
            return np.array(values, dtype=np.float64).astype(dtype) if dtype is np.float32 else np.array(values, dtype)
    except (OverflowError, FloatingPointError):
        raise _too_large(values, name, dtype) from None


def _too_large(values: Sequence[Any], name: str, dtype: Any) -> Problem:
    limits = np.iinfo(dtype) if np.issubdtype(dtype, np.integer) else np.finfo(dtype)
    kind = int if np.issubdtype(dtype, np.integer) else float
    least, most = kind(limits.min), kind(limits.max)
    errors = [
        FieldError(f"inputs[{index}].{name}", f"too large for the model's {np.dtype(dtype).name}; got {value}")
        for index, value in enumerate(values)
        if not least <= value <= most
    ]
    detail = f"{len(errors)} field(s) are too large for the model"
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors[:MAX_ERRORS])


def _dtype(onnx_type: str) -> Any:
    try:
        return _DTYPES[onnx_type]
    except KeyError:
        raise ModelUnusable(f"inputs of the type {onnx_type} are not supported; {', '.join(_DTYPES)} are") from None


def _example(columns: Sequence[Column]) -> Record:
    return {column.name: _EXAMPLES[column.type] for column in columns}


def _options() -> ort.SessionOptions:
    """One thread: a Lambda function has a share of one core, and a server runs more than one request."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options
