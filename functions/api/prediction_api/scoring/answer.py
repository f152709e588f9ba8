"""From a model's outputs to what MLflow's server answers for them."""

from typing import Any

import numpy as np

from offpath.contracts.model_manifest import ModelVersion
from prediction_api.format_predictions import predictions
from prediction_api.inputs.batch import Outputs


def scored(version: ModelVersion, outputs: Outputs, records: int) -> Any:
    """The field `predictions`.

    Of a signature of tensors: `{output: nested lists}`. Of one of columns: `[{output: value, …}, …]`, a row a record.
    Where an output has more than one value a record, MLflow's ONNX flavor has no answer, or one that takes the records
    apart: a classification then gives the list of its labels, as scikit-learn's flavor does, and a regression nested
    lists within the rows. Raises ValueError for outputs that do not count the records.
    """
    if version.signature.tensors:
        return {name: output.tolist() for name, output in outputs.items()}
    if not records:
        return []
    if all(output.size == records for output in outputs.values()):
        return _rows({name: output.reshape(-1).tolist() for name, output in outputs.items()})
    for name, output in outputs.items():
        if output.shape[:1] != (records,):
            given = list(output.shape)
            raise ValueError(f"the output {name} of the shape {given} is not one row for each of {records}")
    if version.task == "classification":
        return _labels(version, outputs, records)
    return _rows({name: output.tolist() for name, output in outputs.items()})


def _labels(version: ModelVersion, outputs: Outputs, records: int) -> list[str | None]:
    """A label a record; None where the model's numbers are not finite, so that one record does not fail the others."""
    floats = [output.reshape(records, -1) for output in outputs.values() if output.dtype.kind == "f"]
    finite = np.isfinite(np.concatenate(floats, axis=1)).all(axis=1) if floats else np.ones(records, np.bool_)
    kept = {name: output[finite] for name, output in outputs.items()}
    labels = iter(predictions(version, kept, int(finite.sum())))
    return [next(labels)["label"] if is_finite else None for is_finite in finite.tolist()]


def _rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
