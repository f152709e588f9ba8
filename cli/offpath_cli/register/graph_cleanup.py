"""Change a graph so that its outputs are tensors, and mean what the API takes them for."""

from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, helper

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
