"""Write a whole model: from the inputs of its signature to its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from offpath.contracts.model_manifest import Column, ColumnLimits, Signature, Tensor
from offpath.contracts.names import ABSENT_TEXT, CLASS_INDEX, prepared_input

# Each of them adds to what can be written.
from training.double_precision import (  # noqa: F401
    bayes,
    boosted,
    compose,
    encode,
    ensembles,
    impute,
    kernels,
    linear,
    neighbours,
    network,
    scale,
    splines,
    text,
    trees,
)
from training.double_precision.boosted import lightgbm_classes, lightgbm_values, xgboost_classes, xgboost_values
from training.double_precision.convert import Classified, NotWritten, Table, classify, regress
from training.double_precision.graph import DOMAINS, Graph, Value
from training.recipe import Estimator, Onnx

_IR_VERSION = 10  # of onnx 1.16, which brought operator set 21
_TENSORS = {
    "float16": TensorProto.FLOAT16, "float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE,
    "int8": TensorProto.INT8, "int16": TensorProto.INT16, "int32": TensorProto.INT32, "int64": TensorProto.INT64,
    "uint8": TensorProto.UINT8, "uint16": TensorProto.UINT16, "uint32": TensorProto.UINT32,
    "uint64": TensorProto.UINT64,
    "bool": TensorProto.BOOL,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Written:
    """Hold a model that was written.

    limits: by text column, how a text is prepared before the graph gets it, under the name of `prepared_input`.
    """

    onnx: Onnx
    limits: Mapping[str, ColumnLimits]


def write(estimator: Estimator, signature: Signature, labels: Sequence[str] = ()) -> Written:
    """Return a fitted estimator, or a Booster, in ONNX.

    labels: of a classification, by class index; empty for a regression. Outputs: of a classification the class index,
    int64 [records], and probabilities, double [records, classes]; without probabilities the label itself where the
    classes are texts. Of a regression the values, double [records, targets]. Raises NotWritten.
    """
    graph = Graph()
    table, inputs = _inputs(graph, signature)
    taken = {entry.name for entry in inputs} | {column.name for column in signature.columns}
    if labels:
        outputs = _class_outputs(graph, _classified(estimator, table), estimator, labels)
    else:
        outputs = [("variable", _regressed(estimator, table), TensorProto.DOUBLE, [None, None])]
    limits = _limits(graph, signature)
    _name_texts(graph, inputs, limits)
    return Written(_model(graph, inputs, [(_free(name, taken), *rest) for name, *rest in outputs]), limits)


def _limits(graph: Graph, signature: Signature) -> dict[str, ColumnLimits]:
    """Return how each text is prepared, of the columns where it is.

    Raises NotWritten for one that is wanted as it is, too.
    """
    found = {}
    for column in signature.columns:
        analyzers = tuple(graph.text_inputs.get(prepared_input(column.name), ()))
        if analyzers:
            _check_only_terms(graph, column.name)
            found[column.name] = ColumnLimits(analyzers=analyzers)
        elif column.type == "string" and not column.required:
            found[column.name] = ColumnLimits(absent=ABSENT_TEXT)
    return found


def _check_only_terms(graph: Graph, name: str) -> None:
    for node in graph.nodes:
        if prepared_input(name) in node.input and node.op_type not in {"Reshape", "Shape"}:
            raise NotWritten(f"the column {name!r}, of which one part takes the words and another the whole text")


def _name_texts(graph: Graph, inputs: list[Any], limits: Mapping[str, ColumnLimits]) -> None:
    """Give the inputs of texts that are not prepared the names of their columns."""
    plain = {prepared_input(name): name for name in _texts_of(graph) - limits.keys()}
    for node in graph.nodes:
        node.input[:] = [plain.get(name, name) for name in node.input]
    for entry in inputs:
        entry.name = plain.get(entry.name, entry.name)


def _texts_of(graph: Graph) -> set[str]:
    return {name.removesuffix(prepared_input("")) for name in graph.text_inputs}


def _classified(estimator: Estimator, table: Table) -> Classified:
    if _library(estimator) == "xgboost" and not hasattr(estimator, "get_params"):
        return xgboost_classes(estimator, table)
    if _library(estimator) == "lightgbm" and not hasattr(estimator, "get_params"):
        return lightgbm_classes(estimator, table)
    return classify(estimator, table)


def _regressed(estimator: Estimator, table: Table) -> Value:
    if _library(estimator) == "xgboost" and not hasattr(estimator, "get_params"):
        return xgboost_values(estimator, table)
    if _library(estimator) == "lightgbm" and not hasattr(estimator, "get_params"):
        return lightgbm_values(estimator, table)
    return regress(estimator, table)


def _library(estimator: Estimator) -> str:
    return type(estimator).__module__.partition(".")[0]


def _class_outputs(graph: Graph, found: Classified, estimator: Estimator, labels: Sequence[str]) -> list[Any]:
    index = found.index.reshape(-1)
    if found.probabilities is not None:
        return [
            (CLASS_INDEX, index, TensorProto.INT64, [None]),
            ("probabilities", found.probabilities, TensorProto.DOUBLE, [None, len(labels)]),
        ]
    if np.asarray(getattr(estimator, "classes_", [0])).dtype.kind not in "OUS":
        return [("label", index, TensorProto.INT64, [None])]
    names = graph.op("Gather", graph.constant(list(labels), np.object_), index, axis=0)
    return [("label", names, TensorProto.STRING, [None])]


def _inputs(graph: Graph, signature: Signature) -> tuple[Table, list[Any]]:
    if signature.tensors:
        return _tensor_input(graph, signature.tensors)
    columns = signature.columns
    names = [column.name for column in columns]
    single = frozenset(at for at, column in enumerate(columns) if column.type == "float")
    texts = frozenset(at for at, column in enumerate(columns) if column.type == "string")
    if not texts:
        [entry] = [helper.make_tensor_value_info("inputs", TensorProto.DOUBLE, [None, len(columns)])]
        return Table(graph, names, joined=_rounded(Value(graph, "inputs"), single, len(columns)), singles=single), [
            entry
        ]
    graph.text_inputs.update({prepared_input(names[at]): [] for at in texts})
    inputs = [prepared_input(name) if at in texts else name for at, name in enumerate(names)]
    entries = [
        helper.make_tensor_value_info(name, _element(column), [None, 1])
        for name, column in zip(inputs, columns, strict=True)
    ]
    values = [Value(graph, name) for name in inputs]
    return Table(
        graph, names, [_rounded(value, single & {at}, 1) for at, value in enumerate(values)], texts, single
    ), entries


def _rounded(matrix: Value, singles: Set[int], width: int) -> Value:
    """Return the numbers, those in single precision that the original has so."""
    if not singles:
        return matrix
    if len(singles) == width:
        return matrix.single()
    mask = matrix.graph.constant([[at in singles for at in range(width)]], np.bool_)
    return matrix.graph.where(mask, matrix.single(), matrix)


def _element(column: Column) -> int:
    return int(TensorProto.STRING if column.type == "string" else TensorProto.DOUBLE)


def _tensor_input(graph: Graph, tensors: Sequence[Tensor]) -> tuple[Table, list[Any]]:
    [tensor, *others] = tensors
    if others or len(tensor.shape) != 2 or tensor.shape[1] < 1 or tensor.dtype not in _TENSORS:
        raise NotWritten("a model of anything but columns, or one tensor of numbers of the shape [records, columns]")
    entry = helper.make_tensor_value_info(tensor.key, _TENSORS[tensor.dtype], [None, tensor.shape[1]])
    given = Value(graph, tensor.key)
    matrix = given if tensor.dtype == "float64" else given.double()
    width = tensor.shape[1]
    single = frozenset(range(width)) if tensor.dtype in {"float16", "float32"} else frozenset()
    return Table(graph, [f"x{at}" for at in range(width)], joined=matrix, singles=single), [entry]


def _free(name: str, taken: set[str]) -> str:
    """Return a name for an output, which no input has."""
    return next(found for found in (name, *(f"{name}_{at}" for at in range(1, len(taken) + 2))) if found not in taken)


def _model(graph: Graph, inputs: list[Any], outputs: list[Any]) -> Onnx:
    entries = []
    for name, value, element, shape in outputs:
        graph.nodes.append(helper.make_node("Identity", [value.name], [name]))
        entries.append(helper.make_tensor_value_info(name, element, shape))
    constants = list(graph.constants.values())
    made = helper.make_graph(graph.nodes, "model", inputs, entries, constants)
    used = {node.domain for node in graph.nodes} | {""}
    domains = [helper.make_opsetid(domain, version) for domain, version in DOMAINS.items() if domain in used]
    model = helper.make_model(made, opset_imports=domains, producer_name="offpath", ir_version=_IR_VERSION)
    if model.ByteSize() < onnx.checker.MAXIMUM_PROTOBUF:
        onnx.checker.check_model(model)
    return model
