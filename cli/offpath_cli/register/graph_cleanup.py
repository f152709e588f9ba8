"""What is changed in a graph so that its outputs are tensors, and mean what the API takes them for."""

from collections.abc import Sequence
from typing import Any

from onnx import TensorProto, helper

from training.recipes.recipe import Onnx

_LABELS = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")


def without_zipmap(model: Onnx) -> bool:
    """Give the probabilities as a tensor where ZipMap made dictionaries of them; whether there was one."""
    maps = [node for node in model.graph.node if node.op_type == "ZipMap"]
    for node in maps:
        [name] = [output.name for output in model.graph.output if output.name == node.output[0]] or [""]
        if name:
            _replace_output(model.graph, name, node.input[0])
            model.graph.node.remove(node)
    return bool(maps)


def without_scores(model: Onnx) -> None:
    """Leave the labels alone where scores are beside them, which the API would take for probabilities."""
    del model.graph.output[1:]


def with_open_labels(model: Onnx) -> None:
    """Let the labels' shape say that there is one a record: LightGBM's converter says that there is one."""
    for output in model.graph.output:
        dimensions = output.type.tensor_type.shape.dim
        if len(dimensions) == 1 and dimensions[0].dim_value == 1:
            dimensions[0].Clear()


def class_labels(model: Onnx) -> tuple[Any, ...]:
    """The classes that a classifier's operators have on file; none if there are none, or several lists of them."""
    found = {values for node in model.graph.node for entry in node.attribute if (values := _labels(entry))}
    return next(iter(found)) if len(found) == 1 else ()


def _labels(attribute: Any) -> tuple[Any, ...]:
    if attribute.name not in _LABELS:
        return ()
    values: Sequence[Any] = helper.get_attribute_value(attribute)
    return tuple(value.decode() if isinstance(value, bytes) else value for value in values)


def _replace_output(graph: Any, name: str, by: str) -> None:
    outputs = [
        helper.make_tensor_value_info(by, TensorProto.FLOAT, [None, None]) if output.name == name else output
        for output in graph.output
    ]
    del graph.output[:]
    graph.output.extend(outputs)
