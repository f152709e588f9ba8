"""Make a model that takes some milliseconds a record, whatever the machine's libraries."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

WIDTH = 1_024
LAYERS = 40


def slow_onnx() -> bytes:
    """Return an ONNX file of four features and three probabilities, with a chain of matrices between them."""
    chance = np.random.default_rng(0)
    weights = {
        "first": chance.normal(size=(4, WIDTH)),
        "middle": chance.normal(scale=WIDTH**-0.5, size=(WIDTH, WIDTH)),
        "last": chance.normal(size=(WIDTH, 3)),
    }
    nodes = [helper.make_node("MatMul", ["features", "first"], ["h0"])]
    for layer in range(LAYERS):
        nodes.append(helper.make_node("MatMul", [f"h{layer}", "middle"], [f"m{layer}"]))
        nodes.append(helper.make_node("Tanh", [f"m{layer}"], [f"h{layer + 1}"]))
    nodes.append(helper.make_node("MatMul", [f"h{LAYERS}", "last"], ["scores"]))
    nodes.append(helper.make_node("Softmax", ["scores"], ["probabilities"]))
    graph = helper.make_graph(
        nodes,
        "slow",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, 4])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 3])],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()],
    )
    content: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    return content
