"""Tell a record that a graph does not take from a graph that fails.

ONNX Runtime raises a dozen types for both. A graph that still answers the example with which it was loaded, and each
half of the request but for some records, does not take these records: a value has no meaning for it, such as a category
that it does not know.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from prediction_api.errors import FieldError, InvalidInputs
from prediction_api.inputs.batch import Batch, Outputs
from prediction_api.inputs.field_errors import MAX_ERRORS, MAX_SHOWN

Run = Callable[[Batch], Outputs]

_LONGEST_REASON = 300


def run_or_refuse(run: Run, batch: Batch, example: Batch) -> Outputs:
    """Return the outputs of a batch. example: a batch that the graph answered before.

    Raises InvalidInputs that names the records, and where one is at fault the column, that the graph does not take;
    raises what ONNX Runtime raised if the graph itself fails.
    """
    try:
        return run(batch)
    except InvalidInputs:
        raise
    except Exception as error:
        refusal = _refusal(run, batch, example, error)
        if refusal is None:
            raise
        raise refusal from error


def _refusal(run: Run, batch: Batch, example: Batch, error: Exception) -> InvalidInputs | None:
    if _failure(run, example):
        return None
    refused = list(islice(_refused(run, batch, 0, error), MAX_ERRORS)) if _is_splittable(batch) else []
    if refused:
        errors = [_field_error(run, batch, example, index, reason) for index, reason in refused]
        return InvalidInputs(f"the model does not take these inputs: {errors[0].field}: {errors[0].message}", errors)
    # The signature leaves open what the graph does not, such as the length of a dimension.
    is_refused = isinstance(error, InvalidArgument)
    return InvalidInputs(f"the model does not take these inputs: {_reason(error)}") if is_refused else None


def _refused(run: Run, batch: Batch, first: int, error: Exception) -> Iterator[tuple[int, Exception]]:
    """Yield index and reason of each record that fails alone. first: index of the batch's first, error: the batch's."""
    if batch.records == 1:
        yield first, error
        return
    middle = batch.records // 2
    for start, half in ((0, _part(batch, 0, middle)), (middle, _part(batch, middle, batch.records))):
        if reason := _failure(run, half):
            yield from _refused(run, half, first + start, reason)


def _field_error(run: Run, batch: Batch, example: Batch, index: int, error: Exception) -> FieldError:
    """Return the error of one record: of the column that makes it fail, if it answers with the example's value."""
    record = _part(batch, index, index + 1)
    for name, values in example.values.items() if example.records == 1 else ():
        if len(record.values) > 1 and not _failure(run, Batch({**record.values, name: values}, 1)):
            shown = repr(record.values[name][0])[:MAX_SHOWN]
            return FieldError(f"inputs[{index}].{name}", f"the model does not take {shown}: {_reason(error)}")
    return FieldError(f"inputs[{index}]", _reason(error))


def _failure(run: Run, batch: Batch) -> Exception | None:
    try:
        run(batch)
    except Exception as error:
        return error
    return None


def _is_splittable(batch: Batch) -> bool:
    return all(len(values) == batch.records for values in batch.values.values())


def _part(batch: Batch, start: int, end: int) -> Batch:
    return Batch({name: values[start:end] for name, values in batch.values.items()}, end - start)


def _reason(error: Exception) -> str:
    """Return what ONNX Runtime says, without its number, its code and the node."""
    text = str(error)
    told = text.partition("Status Message: ")[2] or text.partition(" : ")[2] or text
    return told.strip()[:_LONGEST_REASON]
