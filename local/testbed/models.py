"""Make small ONNX models, and their entries in a manifest."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from onnx import TensorProto, helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from offpath.contracts.model_manifest import Column, Manifest, ModelVersion, RegisteredModel, Signature, Tensor
from offpath.contracts.names import model_file_key

IRIS_COLUMNS = ("sepal_length", "sepal_width", "petal_length", "petal_width")
IRIS_LABELS = ("setosa", "versicolor", "virginica")
SETOSA = dict(zip(IRIS_COLUMNS, (5.1, 3.5, 1.4, 0.2), strict=True))
VIRGINICA = dict(zip(IRIS_COLUMNS, (6.9, 3.1, 5.4, 2.1), strict=True))


def iris_graph(regularisation: float = 1.0) -> Any:
    """Return a logistic regression over one tensor of four columns, with labels and probabilities."""
    inputs, targets = load_iris(return_X_y=True)
    model = LogisticRegression(C=regularisation, max_iter=1000).fit(inputs.astype(np.float32), targets)
    columns = [("features", FloatTensorType([None, 4]))]
    return convert_sklearn(model, initial_types=columns, options={"zipmap": False}, target_opset=17)


@cache
def iris_onnx(regularisation: float = 1.0) -> bytes:
    """Return that model's file."""
    content: bytes = iris_graph(regularisation).SerializeToString()
    return content


@cache
def sum_onnx() -> bytes:
    """Return the file of a regression over one tensor a column: the value is `a + b`."""
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in ("a", "b")]
    output = helper.make_tensor_value_info("value", TensorProto.FLOAT, [None, 1])
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["value"])], "sum", inputs, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def iris_version(version: str = "1", content: bytes | None = None, **changes: Any) -> ModelVersion:
    """Return the manifest's entry for an iris model."""
    content = iris_onnx() if content is None else content
    columns = tuple(Column(name=name, type="double") for name in IRIS_COLUMNS)
    fields: dict[str, Any] = {
        "version": version,
        "run_id": "0" * 32,
        "task": "classification",
        "labels": IRIS_LABELS,
        "weight": 100,
        "signature": Signature(inputs=columns),
        "input_example": SETOSA,
    }
    return ModelVersion(**_file(content) | fields | changes)


def sum_version(version: str = "1", **changes: Any) -> ModelVersion:
    """Return the manifest's entry for the regression `a + b`."""
    columns = tuple(Column(name=name, type="double") for name in ("a", "b"))
    fields: dict[str, Any] = {"version": version, "task": "regression", "signature": Signature(inputs=columns)}
    return ModelVersion(**_file(sum_onnx()) | fields | changes)


@dataclass(frozen=True)
class Model:
    """Hold a model's file and its entry in a manifest."""

    name: str
    content: bytes
    version: ModelVersion


def graph(inputs: Sequence[Any], outputs: Sequence[Any], nodes: Sequence[Any], initializers: Sequence[Any] = ()) -> Any:
    """Return an ONNX model of these nodes. inputs, outputs: (name, element type, shape) each."""
    given = [helper.make_tensor_value_info(*entry) for entry in inputs]
    gives = [helper.make_tensor_value_info(*entry) for entry in outputs]
    made = helper.make_graph(nodes, "graph", given, gives, initializers)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def model_of(name: str, onnx: Any, *inputs: Column | Tensor, **fields: Any) -> Model:
    """Return a model of that graph, or file, and those inputs: a regression, unless `fields` say another task."""
    content: bytes = onnx if isinstance(onnx, bytes) else onnx.SerializeToString()
    given: dict[str, Any] = {"version": "1", "task": "regression"}
    if inputs:
        given["signature"] = Signature(inputs=inputs)
    return Model(name, content, ModelVersion(**_file(content) | given | fields))


def manifest_of(**versions: ModelVersion) -> Manifest:
    """Return a manifest in which each of these is its model's champion."""
    models = {name: RegisteredModel(aliases={"champion": version}) for name, version in versions.items()}
    return Manifest(models=models)


def _file(content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    return {"key": model_file_key(digest), "sha256": digest, "bytes": len(content)}
