"""Change a graph so that its outputs are tensors, and mean what the API takes them for."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, helper

from offpath.contracts.names import CLASS_INDEX
from offpath_cli.register.graph_steps import Step, add_steps

_LABELS = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")


def remove_zipmap(model: ModelProto) -> None:
    """Give the probabilities as a tensor where ZipMap made dictionaries of them."""
    for node in [node for node in model.graph.node if node.op_type == "ZipMap"]:
        name = node.output[0]
        if name in {output.name for output in model.graph.output}:
            _replace_output(model.graph, name, node.input[0])
            model.graph.node.remove(node)


def remove_scores(model: ModelProto) -> None:
    """Leave the labels alone where scores are beside them, which the API would take for probabilities."""
    del model.graph.output[1:]


def open_label_shape(model: ModelProto) -> None:
    """Let the labels' shape say that there is one a record: LightGBM's converter says that there is one in all."""
    for output in model.graph.output:
        dimensions = output.type.tensor_type.shape.dim
        if len(dimensions) == 1 and dimensions[0].dim_value == 1:
            dimensions[0].Clear()


def index_labels(model: ModelProto, classes: Sequence[object] | None = None) -> None:
    """Give the class index, under its name, where labels are other numbers: of the classes 1 and 2, or -1 and 1.

    classes: as the original has them; those of the graph's classifiers by default.
    """
    numbers = list(class_labels(model) if classes is None else classes)
    if not numbers or numbers == list(range(len(numbers))) or not all(_is_whole(one) for one in numbers):
        return
    for output in model.graph.output:
        if output.type.tensor_type.elem_type == TensorProto.INT64 and len(output.type.tensor_type.shape.dim) == 1:
            name, output.name = output.name, CLASS_INDEX
            _map_numbers(model, name, [int(str(one).removesuffix(".0")) for one in numbers])


def _is_whole(value: object) -> bool:
    return isinstance(value, int | float) and float(value).is_integer()


def _map_numbers(model: ModelProto, name: str, numbers: Sequence[int]) -> None:
    """Add the class index of each number, and -1 for one that is no class, which no label has.

    The operators are there in each operator set that can be met: LabelEncoder maps numbers only in newer ones.
    """
    constants: dict[str, NDArray[np.generic]] = {
        "numbers": np.array([numbers], np.int64),
        "ranks": np.arange(1, len(numbers) + 1, dtype=np.float32).reshape(-1, 1),
        "one": np.array([1], np.int64),
        "tall": np.array([-1, 1], np.int64),
        "flat": np.array([-1], np.int64),
    }
    steps: list[Step] = [
        ("Reshape", [name, "tall"], "column", {}),
        ("Equal", ["column", "numbers"], "same", {}),
        ("Cast", ["same"], "same_single", {"to": TensorProto.FLOAT}),
        ("MatMul", ["same_single", "ranks"], "rank", {}),
        ("Cast", ["rank"], "rank_whole", {"to": TensorProto.INT64}),
        ("Sub", ["rank_whole", "one"], "index", {}),
        ("Reshape", ["index", "flat"], CLASS_INDEX, {}),
    ]
    add_steps(model, CLASS_INDEX, constants, steps, given={name})


def class_labels(model: ModelProto) -> tuple[str | int, ...]:
    """Return the classes that a classifier's operators hold; none if there are none, or several lists of them."""
    attributes = [entry for node in model.graph.node for entry in node.attribute if entry.name in _LABELS]
    found = {_values(entry) for entry in attributes} - {()}
    return found.pop() if len(found) == 1 else ()


def _values(attribute: AttributeProto) -> tuple[str | int, ...]:
    values = helper.get_attribute_value(attribute)
    return tuple(value.decode() if isinstance(value, bytes) else value for value in values)


def _replace_output(graph: GraphProto, name: str, by: str) -> None:
    outputs = [
        helper.make_tensor_value_info(by, TensorProto.FLOAT, [None, None]) if output.name == name else output
        for output in graph.output
    ]
    del graph.output[:]
    graph.output.extend(outputs)
