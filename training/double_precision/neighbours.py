"""Models that compare a record with those that they learnt from."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper

from training.double_precision.convert import Classified, NotWritten, Table, by_name, classifies, regresses
from training.double_precision.graph import Value
from training.recipe import Estimator


def distances(matrix: Value, points: Any, metric: str = "euclidean", p: float = 2) -> Value:
    """Return distances to points, of shape [records, points], before the root; added up column by column."""
    steps = {
        "euclidean": ("Mul", "Add"),
        "manhattan": ("Abs", "Add"),
        "chebyshev": ("Abs", "Max"),
        "minkowski": ("Pow", "Add"),
    }
    if metric == "minkowski" and p in {1, 2}:
        metric = "manhattan" if p == 1 else "euclidean"
    if metric not in steps:
        raise NotWritten(f"neighbours by the metric {metric!r}")
    graph, (each, joined) = matrix.graph, steps[metric]
    points = by_name(points)
    start = matrix.column(0) @ np.zeros((1, len(points)))
    start = graph.where(start.equals(start), 0.0, 0.0)
    columns = graph.op("Transpose", matrix, perm=[1, 0])
    body = _column_body(each, joined, float(p), len(points))
    return graph.node("Scan", start, columns, graph.constant(points.T), outputs=1, body=body, num_scan_inputs=2)[0]


def _column_body(each: str, joined: str, p: float, count: int) -> Any:
    """Return what a Scan does with one column: x, double [records], and t, double [points]."""
    nodes = [
        helper.make_node("Unsqueeze", ["x", "one"], ["tall"]),
        helper.make_node("Sub", ["tall", "t"], ["apart"]),
        *{
            "Mul": [helper.make_node("Mul", ["apart", "apart"], ["cost"])],
            "Abs": [helper.make_node("Abs", ["apart"], ["cost"])],
            "Pow": [helper.make_node("Abs", ["apart"], ["far"]), helper.make_node("Pow", ["far", "p"], ["cost"])],
        }[each],
        helper.make_node(joined, ["sum", "cost"], ["total"]),
    ]
    double = TensorProto.DOUBLE
    inputs: list[tuple[str, list[int | None]]] = [("sum", [None, count]), ("x", [None]), ("t", [count])]
    powers = [helper.make_tensor("p", double, [], [p])] if each == "Pow" else []
    return helper.make_graph(
        nodes,
        "column",
        [helper.make_tensor_value_info(name, double, shape) for name, shape in inputs],
        [helper.make_tensor_value_info("total", double, [None, count])],
        [helper.make_tensor("one", TensorProto.INT64, [1], [1]), *powers],
    )


def rooted(found: Value, metric: str, p: float) -> Value:
    """Return the distances themselves."""
    if metric == "euclidean" or (metric == "minkowski" and p == 2):
        return found.apply("Sqrt")
    return found ** (1.0 / p) if metric == "minkowski" and p != 1 else found


def _metric(estimator: Estimator) -> tuple[str, float]:
    told = estimator.effective_metric_params_ or {}
    if told.get("w") is not None:
        raise NotWritten(f"{type(estimator).__name__} with weighted columns")
    return estimator.effective_metric_, float(told.get("p", getattr(estimator, "p", 2) or 2))


def _nearest(estimator: Estimator, table: Table, count: int) -> tuple[Value, Value]:
    """Return distances and indexes of the nearest, each of shape [records, count]."""
    metric, p = _metric(estimator)
    found = distances(table.matrix, estimator._fit_X, metric, p)
    near, index = table.graph.node("TopK", found, table.graph.indexes(count), outputs=2, axis=1, largest=0, sorted=1)
    return rooted(near, metric, p), index


def _weights(estimator: Estimator, far: Value) -> Value:
    """Return how much each neighbour counts, of shape [records, neighbours]."""
    graph = far.graph
    if estimator.weights == "uniform":
        return graph.where(far.equals(far), 1.0, 1.0)
    if estimator.weights != "distance":
        raise NotWritten(f"{type(estimator).__name__} with weights of a function")
    same = far.equals(0.0)
    any_same = same.double().max() > 0.0
    return graph.where(any_same, same.double(), graph.constant(1.0) / graph.where(same, 1.0, far))


def _of_neighbours(held: Any, index: Value, weights: Value) -> Value:
    """Return the weighted sums of what the neighbours hold."""
    graph = weights.graph
    found = graph.op("Gather", graph.constant(held), index, axis=0)
    return graph.op("ReduceSum", found * weights.reshape(0, -1, 1), graph.indexes(1), keepdims=0)


@classifies("KNeighborsClassifier")
def _classifier(estimator: Estimator, table: Table) -> Classified:
    if estimator.outputs_2d_:
        raise NotWritten("KNeighborsClassifier of several outputs")
    far, index = _nearest(estimator, table, estimator.n_neighbors)
    held = np.eye(len(estimator.classes_))[estimator._y]
    counts = _of_neighbours(held, index, _weights(estimator, far))
    return Classified(counts.argmax(), counts / counts.sum(), None)


@regresses("KNeighborsRegressor")
def _regressor(estimator: Estimator, table: Table) -> Value:
    far, index = _nearest(estimator, table, estimator.n_neighbors)
    weights = _weights(estimator, far)
    return _of_neighbours(by_name(estimator._y).reshape(len(estimator._y), -1), index, weights) / weights.sum()


def _within(estimator: Estimator, table: Table) -> Value:
    """Return how much each of all points counts: 0 for those beyond the radius."""
    metric, p = _metric(estimator)
    far = rooted(distances(table.matrix, estimator._fit_X, metric, p), metric, p)
    inside = (far <= float(estimator.radius)).double()
    if estimator.weights == "uniform":
        return inside
    return table.graph.where(inside > 0.0, _weights(estimator, far), 0.0)


@classifies("RadiusNeighborsClassifier")
def _radius_classifier(estimator: Estimator, table: Table) -> Classified:
    if estimator.outputs_2d_ or estimator.outlier_label_ is not None:
        raise NotWritten("RadiusNeighborsClassifier of several outputs, or with an outlier label")
    counts = _within(estimator, table) @ np.eye(len(estimator.classes_))[estimator._y]
    return Classified(counts.argmax(), counts / counts.sum(), None)


@regresses("RadiusNeighborsRegressor")
def _radius_regressor(estimator: Estimator, table: Table) -> Value:
    weights = _within(estimator, table)
    return (weights @ by_name(estimator._y).reshape(len(estimator._y), -1)) / weights.sum()


@classifies("LocalOutlierFactor")
def _local_outliers(estimator: Estimator, table: Table) -> Classified:
    far, index = _nearest(estimator, table, estimator.n_neighbors_)
    graph, count = table.graph, float(estimator.n_neighbors_)
    kth = graph.op("Gather", graph.constant(estimator._distances_fit_X_[:, estimator.n_neighbors_ - 1]), index, axis=0)
    reached = graph.op("Max", far, kth)
    density = graph.constant(1.0) / (reached.sum() / count + 1e-10)
    ratios = graph.op("Gather", graph.constant(by_name(estimator._lrd)), index, axis=0) / density
    scores = -(ratios.sum() / count) - float(estimator.offset_)
    return Classified((scores >= 0.0).whole(), None, scores)


@classifies("NearestCentroid")
def _centroid(estimator: Estimator, table: Table) -> Classified:
    is_even = np.isclose(estimator.class_prior_, 1 / len(estimator.classes_)).all()
    nearest = distances(table.matrix, estimator.centroids_, estimator.metric).argmin()
    if estimator.metric != "euclidean":
        if not is_even:
            raise NotWritten(f"NearestCentroid with priors and the metric {estimator.metric!r}")
        return Classified(nearest, None, None)
    deviation = np.where(estimator.within_class_std_dev_ != 0, estimator.within_class_std_dev_, 1.0)
    squares = distances(table.matrix / deviation.reshape(1, -1), estimator.centroids_ / deviation)
    scores = -squares + 2.0 * np.log(by_name(estimator.class_prior_))
    return Classified(nearest if is_even else scores.argmax(), scores.softmax(), scores)


@classifies("LabelPropagation", "LabelSpreading")
def _propagated(estimator: Estimator, table: Table) -> Classified:
    if estimator.kernel == "rbf":
        weights = (distances(table.matrix, estimator.X_) * -float(estimator.gamma)).apply("Exp")
    elif estimator.kernel == "knn":
        found, graph = distances(table.matrix, estimator.X_), table.graph
        _, index = graph.node(
            "TopK", found, graph.indexes(estimator.n_neighbors), outputs=2, axis=1, largest=0, sorted=1
        )
        ones = graph.where(index.equals(index), 1.0, 1.0)
        sums = _of_neighbours(by_name(estimator.label_distributions_), index, ones)
        return Classified((sums / sums.sum()).argmax(), sums / sums.sum(), None)
    else:
        raise NotWritten(f"{type(estimator).__name__} with a kernel of a function")
    parts = weights @ by_name(estimator.label_distributions_)
    parts /= parts.sum()
    return Classified(parts.argmax(), parts, None)
