"""The files that a logged model is made of."""

from __future__ import annotations

import json
from typing import Any

import onnx
import yaml
from onnx import TensorProto, helper

IRIS_COLUMNS = ("sepal_length", "sepal_width", "petal_length", "petal_width")
IRIS_EXAMPLE = dict.fromkeys(IRIS_COLUMNS, 1.5)
IRIS_LABELS = ["setosa", "versicolor", "virginica"]


def onnx_file(name: str = "iris", *, external: bool = False) -> bytes:
    """A small ONNX model; another name makes other content. external: its weights are in a file of their own."""
    weights = helper.make_tensor("weights", TensorProto.FLOAT, [4], [1.0, 2.0, 3.0, 4.0])
    if external:
        weights = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
        weights.external_data.add(key="location", value="weights.bin")
    inputs = [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, [None, 4])]
    outputs = [helper.make_tensor_value_info("variable", TensorProto.FLOAT, [None, 4])]
    nodes = [helper.make_node("Mul", ["inputs", "weights"], ["variable"])]
    model: onnx.ModelProto = helper.make_model(helper.make_graph(nodes, name, inputs, outputs, [weights]))
    content: bytes = model.SerializeToString()
    return content


def mlmodel(**changes: Any) -> bytes:
    """The MLmodel file of an iris model; a change replaces a top-level key, or with None takes it away."""
    inputs = [{"type": "double", "name": name, "required": True} for name in IRIS_COLUMNS]
    outputs = [
        {"type": "long", "name": "label"},
        {"type": "array", "items": {"type": "float"}, "name": "probabilities"},
    ]
    document = {
        "flavors": {"onnx": {"data": "model.onnx"}, "python_function": {"loader_module": "mlflow.onnx"}},
        "metadata": {"offpath": {"task": "classification", "labels": IRIS_LABELS}},
        "model_size_bytes": 823,
        "saved_input_example_info": {"artifact_path": "input_example.json", "type": "json_object"},
        "signature": {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs), "params": None},
        "utc_time_created": "2026-01-02 03:04:05.678901",
    }
    return yaml.safe_dump({key: value for key, value in (document | changes).items() if value is not None}).encode()


def model_files(name: str = "iris", **changes: Any) -> dict[str, bytes]:
    """Every file of a version that can be served."""
    example = json.dumps(IRIS_EXAMPLE).encode()
    return {"MLmodel": mlmodel(**changes), "model.onnx": onnx_file(name), "input_example.json": example}


TOKENIZER = b'{"version": "1.0", "model": {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"}}'


def text_model_files(tokenizer: bytes = TOKENIZER) -> dict[str, bytes]:
    """Every file of a version whose graph takes the tokens of a text."""
    signature = {"inputs": json.dumps([{"type": "string", "name": "text", "required": True}])}
    mark = {"offpath": {"task": "regression", "tokenizer": "tokenizer.json"}}
    example = json.dumps({"text": "a great film"}).encode()
    described = mlmodel(metadata=mark, signature=signature)
    files = {"MLmodel": described, "model.onnx": onnx_file("text"), "input_example.json": example}
    return files | {"tokenizer.json": tokenizer}
