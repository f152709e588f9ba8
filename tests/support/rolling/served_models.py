"""Models of each kind of input, as somebody registers them, and what a caller asks of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.testbed.models import SETOSA, iris_onnx
from tests.support.builders.model_files import mlmodel
from tests.support.builders.text_models import sum_of_tokens, tokenizer_file
from tests.support.servers.mlflow_rest import Mlflow

FLOWERS = [5.1, 3.5, 1.4, 0.2]


@dataclass(frozen=True)
class Call:
    """A request for predictions."""

    model: str
    body: Any


# The second is too large for a message, and travels as a claim (max_message_bytes is that small in tests of this kind).
MAX_MESSAGE_BYTES = 12_000
CALLS = (
    Call("iris", {"inputs": [SETOSA]}),
    Call("iris", {"inputs": [SETOSA] * 60}),
    Call("flowers", {"inputs": [FLOWERS]}),
    Call("worth", {"inputs": [{"text": "great film"}]}),
)
MODELS = tuple(dict.fromkeys(call.model for call in CALLS))


def iris_files(regularisation: float = 1.0) -> Mapping[str, bytes]:
    """Every file of a model of columns; another regularisation makes another version."""
    return {"MLmodel": mlmodel(saved_input_example_info=None), "model.onnx": iris_onnx(regularisation)}


def flowers_files(dtype: str = "float32") -> Mapping[str, bytes]:
    """Every file of a model of one tensor."""
    spec = {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": [-1, 4]}}
    signature = {"inputs": json.dumps([spec])}
    return {"MLmodel": mlmodel(saved_input_example_info=None, signature=signature), "model.onnx": iris_onnx()}


def worth_files() -> Mapping[str, bytes]:
    """Every file of a model that reads texts by a tokenizer."""
    signature = {"inputs": json.dumps([{"type": "string", "name": "text", "required": True}])}
    metadata = {"offpath": {"task": "regression", "tokenizer": "tokenizer.json"}}
    described = mlmodel(saved_input_example_info=None, signature=signature, metadata=metadata)
    return {
        "MLmodel": described,
        "model.onnx": sum_of_tokens().SerializeToString(),
        "tokenizer.json": tokenizer_file(),
    }


def register_all(mlflow: Mlflow) -> None:
    """Register each model that CALLS asks for."""
    for name, files in (("iris", iris_files()), ("flowers", flowers_files()), ("worth", worth_files())):
        mlflow.point(name, "champion", mlflow.register(name, files))
