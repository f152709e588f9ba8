"""Join the probabilities of pairs of classes to those of classes, as libsvm does.

The method is algorithm 2 of Wu, Lin and Weng, "Probability Estimates for Multi-class Classification by Pairwise
Coupling". It is repeated until it hardly changes anything more, so that its answer hangs on where it stops: the steps
are those of libsvm.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from onnx import TensorProto, helper

from training.double_precision.graph import Graph, Value

_MOST_STEPS = 100


def coupled(first: Value, classes: int) -> Value:
    """Return probabilities, of shape [records, classes]. first: that of the first class of each pair."""
    graph = first.graph
    matrix = [[_entry(first, row, column, classes) for column in range(classes)] for row in range(classes)]
    start = graph.where(matrix[0][0].equals(matrix[0][0]), 1.0 / classes, 1.0 / classes)
    start = graph.concat([start] * classes)
    steps, going = graph.constant(max(_MOST_STEPS, classes), np.int64), graph.constant(True, np.bool_)
    return graph.op("Loop", steps, going, start, body=_step_graph(matrix, classes))


def _entry(first: Value, row: int, column: int, classes: int) -> Value:
    if row != column:
        return -(_of(first, column, row, classes) * _of(first, row, column, classes))
    others = [_of(first, other, row, classes) for other in range(classes) if other != row]
    return first.graph.sum_of([other * other for other in others])


def _of(first: Value, winner: int, loser: int, classes: int) -> Value:
    """Return the probability of one class against another."""
    pairs = list(combinations(range(classes), 2))
    if winner < loser:
        return first.column(pairs.index((winner, loser)))
    return first.graph.constant(1.0) - first.column(pairs.index((loser, winner)))


def _step_graph(matrix: list[list[Value]], classes: int) -> object:
    """Return one step: each class's probability in turn, unless all of them fit already."""
    body = Graph(prefix="step")
    matrix = [[Value(body, entry.name) for entry in row] for row in matrix]
    given = Value(body, "step given")
    parts = [given.column(at) for at in range(classes)]
    products = [body.sum_of([matrix[row][at] * parts[at] for at in range(classes)]) for row in range(classes)]
    total = body.sum_of([part * product for part, product in zip(parts, products, strict=True)])
    errors = body.concat([(product - total).apply("Abs") for product in products]).max()
    for at in range(classes):
        change = (total - products[at]) / matrix[at][at]
        parts[at] += change
        grown = change + 1.0
        total = (total + change * (change * matrix[at][at] + products[at] * 2.0)) / grown / grown
        products = [(product + change * entry) / grown for product, entry in zip(products, matrix[at], strict=True)]
        parts = [part / grown for part in parts]
    found = body.where(errors < 0.005 / classes, given, body.concat(parts))
    body.nodes.append(helper.make_node("Identity", ["step going"], ["step goes on"]))
    double, shape = TensorProto.DOUBLE, [None, classes]
    return helper.make_graph(
        body.nodes,
        "step",
        [
            helper.make_tensor_value_info("step number", TensorProto.INT64, []),
            helper.make_tensor_value_info("step going", TensorProto.BOOL, []),
            helper.make_tensor_value_info(given.name, double, shape),
        ],
        [
            helper.make_tensor_value_info("step goes on", TensorProto.BOOL, []),
            helper.make_tensor_value_info(found.name, double, shape),
        ],
        list(body.constants.values()),
    )
