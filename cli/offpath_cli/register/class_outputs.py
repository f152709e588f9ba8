"""Bring a graph's outputs into the forms that the API reads as classes, or refuse them by name."""

import numpy as np
from onnx import ModelProto, TensorProto, ValueInfoProto, helper

from offpath_cli.errors import ModelRefused
from offpath_cli.register.graph_steps import Step, add_steps

_FLOATS = {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16}
_PARTS = "both_probabilities"
_NUMBERS = "class_numbers"


def check_outputs(model: ModelProto) -> None:
    """Raise ModelRefused for an output that is no tensor, or for none at all."""
    if not model.graph.output:
        raise ModelRefused("its graph has no output")
    for output in model.graph.output:
        kind = output.type.WhichOneof("value")
        if kind in {"sequence_type", "map_type"}:
            raise ModelRefused(
                f"its output {output.name!r} is a {kind.removesuffix('_type')}, and not a tensor: export the model "
                "with tensors as outputs (skl2onnx: options={'zipmap': False})"
            )


def complete_two_classes(model: ModelProto) -> None:
    """Give the probabilities of both classes where the graph gives that of the second alone, as one sigmoid does."""
    floats = [output for output in model.graph.output if output.type.tensor_type.elem_type in _FLOATS]
    if len(floats) != 1 or not _is_one_a_record(floats[0]):
        return
    [output] = floats
    element = output.type.tensor_type.elem_type
    one = np.ones(1, helper.tensor_dtype_to_np_dtype(element))
    steps: list[Step] = [
        ("Reshape", [output.name, "tall"], "second", {}),
        ("Sub", ["one", "second"], "first", {}),
        ("Concat", ["first", "second"], _PARTS, {"axis": 1}),
    ]
    add_steps(model, _PARTS, {"tall": np.array([-1, 1]), "one": one}, steps, given={output.name})
    _replace(model, output, helper.make_tensor_value_info(_PARTS, element, [None, 2]))


def number_booleans(model: ModelProto) -> None:
    """Give class indexes where the graph's only output is true or false."""
    if len(model.graph.output) != 1:
        return
    [output] = model.graph.output
    if output.type.tensor_type.elem_type == TensorProto.BOOL:
        add_steps(model, _NUMBERS, {}, [("Cast", [output.name], _NUMBERS, {"to": TensorProto.INT64})], {output.name})
        shape = [None] * len(output.type.tensor_type.shape.dim)
        _replace(model, output, helper.make_tensor_value_info(_NUMBERS, TensorProto.INT64, shape))


def keep_labels_alone(model: ModelProto) -> bool:
    """Leave out outputs of floats where there is one of labels, and return whether there is."""
    labels = [output for output in model.graph.output if output.type.tensor_type.elem_type not in _FLOATS]
    if not labels or len(labels) == len(model.graph.output):
        return False
    del model.graph.output[:]
    model.graph.output.extend(labels)
    return True


def _is_one_a_record(output: ValueInfoProto) -> bool:
    dimensions = output.type.tensor_type.shape.dim
    return len(dimensions) == 1 or (len(dimensions) == 2 and dimensions[1].dim_value == 1)


def _replace(model: ModelProto, output: ValueInfoProto, by: ValueInfoProto) -> None:
    outputs = [by if one.name == output.name else one for one in model.graph.output]
    del model.graph.output[:]
    model.graph.output.extend(outputs)
