"""From a model's outputs to the predictions that MLflow's server answers with."""

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import JsonValue

from offpath.contracts.model_manifest import ModelVersion
from prediction_api.format_predictions import format_predictions, label_of
from prediction_api.inputs.batch import Outputs

Scores = Mapping[str, JsonValue] | Sequence[Mapping[str, JsonValue]] | Sequence[str | None]


def format_scores(version: ModelVersion, outputs: Outputs, records: int) -> Scores:
    """Return the field `predictions`.

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


def single_label(version: ModelVersion, outputs: Outputs, records: int) -> str | None:
    """Return the label of a classification's only record; None for several, or for outputs that have none."""
    if records != 1 or version.task != "classification":
        return None
    try:
        return label_of(format_predictions(version, outputs, records)[0])
    except (ValueError, LookupError):
        return None


def _labels(version: ModelVersion, outputs: Outputs, records: int) -> list[str | None]:
    """Return a label a record; None where the model's numbers are not finite, which does not fail the others."""
    floats = [output.reshape(records, -1) for output in outputs.values() if output.dtype.kind == "f"]
    finite = np.isfinite(np.concatenate(floats, axis=1)).all(axis=1) if floats else np.ones(records, np.bool_)
    kept = {name: output[finite] for name, output in outputs.items()}
    predictions = iter(format_predictions(version, kept, int(finite.sum())))
    return [label_of(next(predictions)) if is_finite else None for is_finite in finite.tolist()]


def _rows(columns: Mapping[str, Sequence[JsonValue]]) -> list[dict[str, JsonValue]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
