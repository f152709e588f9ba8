"""Models that both MLflow's own server and the prediction API can load: the same files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mlflow.models import ModelSignature
from mlflow.onnx import save_model
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from onnx import TensorProto, helper, numpy_helper

from local.testbed.models import Model, graph, iris_graph, model_of
from model_sync.mlmodel import PATH, parse_mlmodel

DOUBLE, FLOAT, LONG, TEXT = TensorProto.DOUBLE, TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING
N: list[int | None] = [None]
MIXED = {"a": ("double", DOUBLE), "f": ("float", FLOAT), "n": ("long", LONG)}
MIXED |= {"i": ("integer", TensorProto.INT32), "b": ("boolean", TensorProto.BOOL)}
WEIGHTS = numpy_helper.from_array(np.array([[1.0], [10.0]], np.float32), "weights")
SPREAD = numpy_helper.from_array(np.array([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]], np.float32), "weights")
LAST = numpy_helper.from_array(np.array([-1]), "last")
SUM = helper.make_node("ReduceSum", ["x", "last"], ["sums"], keepdims=0)


def save_scoring_models(folder: Path) -> None:
    """Log each model below the folder, by its name."""
    columns = [ColSpec(DataType[kind], name, required=name != "a") for name, (kind, _) in MIXED.items()]
    xy = [ColSpec(DataType.double, "x"), ColSpec(DataType.double, "y")]
    _save(folder / "mixed", _mixed(), columns)
    _save(folder / "linear", _linear(), xy)
    _save(folder / "label", _label(), xy, labels=["low", "middle", "high"])
    _save(folder / "text", _same([None, 1]), [ColSpec(DataType.string, "text")])
    _save(folder / "flat", _flat(), [TensorSpec(np.dtype(np.float32), (-1, 4))])
    _save(folder / "cube", _cube(), [TensorSpec(np.dtype(np.float32), (-1, 2, 3), "x")])
    pair = [TensorSpec(np.dtype(np.int64), (-1, 2), "n"), TensorSpec(np.dtype(np.float64), (-1,), "d")]
    _save(folder / "pair", _pair(), pair)
    _save(folder / "words", _same([None, 2]), [TensorSpec(np.dtype(str), (-1, 2), "text")])
    _save(folder / "open", _open(), [TensorSpec(np.dtype(np.float32), (-1, -1))])
    both = [ColSpec(DataType.double, "a"), ColSpec(DataType.string, "text")]
    _save(folder / "text_beside", _text_beside(), both)
    iris = [ColSpec(DataType.double, name) for name in ("sl", "sw", "pl", "pw")]
    _save(folder / "iris", iris_graph(), iris, labels=["setosa", "versicolor", "virginica"])


def served_model(folder: Path) -> Model:
    """A model as model_sync would publish it."""
    described = parse_mlmodel((folder / PATH).read_bytes())
    content = (folder / described.onnx_path).read_bytes()
    fields = {"task": described.task, "labels": described.labels, "signature": described.signature}
    return model_of(folder.name, content, **fields)


def _save(path: Path, onnx: Any, inputs: Sequence[Any], labels: Sequence[str] = ()) -> None:
    mark = {"task": "classification", "labels": list(labels)} if labels else {"task": "regression"}
    save_model(
        onnx,
        path,
        signature=ModelSignature(Schema(list(inputs))),
        metadata={"offpath": mark},
        save_as_external_data=False,
        pip_requirements=["onnx"],
    )


def _mixed() -> Any:
    """Return a graph of the sum of a column of each type."""
    casts = [helper.make_node("Cast", [name], [f"{name}_"], to=DOUBLE) for name in MIXED]
    nodes = [*casts, helper.make_node("Sum", [f"{name}_" for name in MIXED], ["total"])]
    return graph([(name, kind, N) for name, (_, kind) in MIXED.items()], [("total", DOUBLE, N)], nodes)


def _linear() -> Any:
    """Return a graph of `x + 10 y`."""
    nodes = [helper.make_node("MatMul", ["columns", "weights"], ["variable"])]
    return graph([("columns", FLOAT, [None, 2])], [("variable", FLOAT, [None, 1])], nodes, [WEIGHTS])


def _label() -> Any:
    """Return a graph of the class with the largest of three scores."""
    nodes = [helper.make_node("MatMul", ["columns", "weights"], ["scores"])]
    nodes += [helper.make_node("ArgMax", ["scores"], ["label"], axis=1, keepdims=0)]
    return graph([("columns", FLOAT, [None, 2])], [("label", LONG, N)], nodes, [SPREAD])


def _same(shape: list[int | None]) -> Any:
    return graph([("text", TEXT, shape)], [("same", TEXT, shape)], [helper.make_node("Identity", ["text"], ["same"])])


def _flat() -> Any:
    nodes = [SUM, helper.make_node("Add", ["x", "x"], ["doubled"])]
    outputs = [("sums", FLOAT, N), ("doubled", FLOAT, [None, 4])]
    return graph([("x", FLOAT, [None, 4])], outputs, nodes, [LAST])


def _cube() -> Any:
    return graph([("x", FLOAT, [None, 2, 3])], [("sums", FLOAT, [None, 2])], [SUM], [LAST])


def _pair() -> Any:
    nodes = [helper.make_node("ReduceSum", ["n", "last"], ["sums"], keepdims=0)]
    nodes += [helper.make_node("Cast", ["sums"], ["sums_"], to=DOUBLE), helper.make_node("Add", ["sums_", "d"], ["t"])]
    return graph([("n", LONG, [None, 2]), ("d", DOUBLE, N)], [("t", DOUBLE, N)], nodes, [LAST])


def _open() -> Any:
    """The signature leaves the second dimension open, the graph does not."""
    return graph([("x", FLOAT, [None, 4])], [("sums", FLOAT, N)], [SUM], [LAST])


def _text_beside() -> Any:
    nodes = [helper.make_node("Identity", ["text"], ["same"]), helper.make_node("Add", ["a", "a"], ["doubled"])]
    outputs = [("doubled", DOUBLE, [None, 1]), ("same", TEXT, [None, 1])]
    return graph([("a", DOUBLE, [None, 1]), ("text", TEXT, [None, 1])], outputs, nodes)
