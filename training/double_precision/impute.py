"""Imputers that learn a value from the other columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.double_precision.convert import NotWritten, Table, by_name, regress, transform, transforms
from training.double_precision.graph import Value
from training.recipe import Estimator


@transforms("IterativeImputer")
def _iterative(estimator: Estimator, table: Table) -> Table:
    if estimator.sample_posterior or estimator.add_indicator or table.texts:
        raise NotWritten("IterativeImputer that draws, or adds indicators")
    if not (isinstance(estimator.missing_values, float) and np.isnan(estimator.missing_values)):
        raise NotWritten(f"IterativeImputer with missing_values={estimator.missing_values!r}")
    graph, filled = table.graph, transform(estimator.initial_imputer_, table)
    if filled.width != table.width:
        raise NotWritten("IterativeImputer of a column without a value")
    columns = [filled.column(at) for at in range(table.width)]
    missing = [table.column(at).apply("IsNaN") for at in range(table.width)]
    for step in estimator.imputation_sequence_:
        at, others = int(step.feat_idx), list(map(int, step.neighbor_feat_idx))
        given = table.of(graph.concat([columns[other] for other in others]), len(others))
        found = regress(step.estimator, given)
        low, high = float(estimator._min_value[at]), float(estimator._max_value[at])
        found = graph.op("Clip", found, graph.constant(low), graph.constant(high))
        columns[at] = graph.where(missing[at], found, columns[at])
    # The original does not begin with a call that holds no value at all.
    gone = table.matrix.apply("IsNaN").whole().double()
    is_empty = graph.op("ReduceMin", gone, keepdims=1).equals(1.0)
    return table.of(graph.where(is_empty, filled.matrix, graph.concat(columns)), table.width)


@transforms("KNNImputer")
def _by_neighbours(estimator: Estimator, table: Table) -> Table:
    if estimator.metric != "nan_euclidean" or estimator.weights != "uniform" or estimator.add_indicator or table.texts:
        raise NotWritten("KNNImputer with a metric, weights or indicators of its own")
    if not estimator._valid_mask.all():
        raise NotWritten("KNNImputer of a column without a value")
    points, mask = by_name(estimator._fit_X), estimator._mask_fit_X
    graph, matrix = table.graph, table.matrix
    gone = matrix.apply("IsNaN")
    far = _nan_distances(graph.where(gone, 0.0, matrix), gone, np.where(mask, 0.0, points), mask)
    columns = [
        graph.where(gone.column(at), _mean(estimator, far, points[:, at], mask[:, at]), matrix.column(at))
        for at in range(table.width)
    ]
    return table.of(graph.concat(columns), table.width)


def _nan_distances(matrix: Value, gone: Value, points: Any, mask: Any) -> Value:
    """Return squared distances over the columns that both have, in proportion to how many these are."""
    graph = matrix.graph
    there, width = graph.where(gone, 0.0, 1.0), points.shape[1]
    total = None
    for at in range(width):
        apart = matrix.column(at) - points[:, at].reshape(1, -1)
        cost = apart * apart * there.column(at) * (~mask[:, at]).astype(float).reshape(1, -1)
        total = cost if total is None else total + cost
    assert total is not None
    shared = there @ (~mask).T.astype(float)
    return graph.where(shared.equals(0.0), np.inf, total / graph.where(shared.equals(0.0), 1.0, shared) * float(width))


def _mean(estimator: Estimator, far: Value, values: Any, mask: Any) -> Value:
    """Return the mean of the nearest that have a value in a column; of all of them if none is near."""
    graph, donors = far.graph, np.flatnonzero(~mask)
    count = min(int(estimator.n_neighbors), len(donors))
    near, index = graph.node("TopK", far.take(donors), graph.indexes(count), outputs=2, axis=1, largest=0, sorted=1)
    found = graph.op("Gather", graph.constant(values[donors]), index, axis=0)
    is_alone = near.column(0).apply("IsInf")
    return graph.where(is_alone, float(np.mean(values[donors])), found.sum() / float(count))
