"""One record to try a model with, from the input example that was logged with it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from offpath.contracts.model_manifest import Tensor

# The manifest is read by every instance of the API at its start: an image as an example would be all of it.
MAX_TENSOR_BYTES = 20_000


def first_record(content: bytes, columns: Iterable[str]) -> dict[str, Any] | None:
    """The first record of an input example of MLflow's, if it is one record of exactly these columns; else None."""
    try:
        record = _first(json.loads(content))
    except (ValueError, LookupError, TypeError):
        return None
    return record if isinstance(record, dict) and record.keys() == set(columns) else None


def first_tensors(content: bytes, tensors: Sequence[Tensor]) -> dict[str, Any] | list[Any] | None:
    """The first record of an example of tensors, as a request's `inputs` may hold it; None if it is large, or none.

    By the tensors' names, or for a tensor without one its nested lists.
    """
    try:
        given = json.loads(content)["inputs"]  # how MLflow keeps arrays
        named = given if isinstance(given, dict) else {tensors[0].key: given}
        first = {tensor.key: _one(named[tensor.key], tensor) for tensor in tensors}
    except (ValueError, LookupError, TypeError):
        return None
    if len(json.dumps(first)) > MAX_TENSOR_BYTES:
        return None
    return first if tensors[0].name else _unnamed(first)


def _one(values: Any, tensor: Tensor) -> list[Any]:
    if not isinstance(values, list):
        raise TypeError("a tensor is nested lists")
    return values[:1] if tensor.shape[0] == -1 else values


def _unnamed(first: Mapping[str, Any]) -> list[Any]:
    [values] = first.values()
    return list(values)


def _first(example: Any) -> Any:
    match example:
        case {"columns": columns, "data": [row, *_]}:  # how MLflow keeps a data frame
            return dict(zip(columns, row, strict=True))
        case [record, *_]:
            return record
        case _:
            return example
