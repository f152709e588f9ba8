"""Transformers that move, stretch, cut or combine numbers.

Where the original keeps single precision, each of its steps is rounded to it.
"""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement
from typing import Any

import numpy as np
from sklearn.utils import check_array

from training.double_precision.convert import NotWritten, Table, by_name, transforms
from training.double_precision.graph import Value
from training.double_precision.kernels import Kernel
from training.double_precision.neighbours import distances
from training.recipe import Estimator


def _rounded(value: Value, table: Table) -> Value:
    return value.single() if table.single else value


def _row(values: Any) -> Any:
    return by_name(values).reshape(1, -1)


@transforms("StandardScaler")
def _standardized(estimator: Estimator, table: Table) -> Table:
    kind = np.float32 if table.single else np.float64  # what it rounds its own numbers to, too
    found = table.matrix
    if estimator.with_mean:
        found = _rounded(found - _row(np.asarray(estimator.mean_, kind)), table)
    if estimator.scale_ is not None:
        found = _rounded(found / _row(np.asarray(estimator.scale_, kind)), table)
    return table.of(found, table.width)


@transforms("RobustScaler")
def _robust(estimator: Estimator, table: Table) -> Table:
    found = table.matrix
    if estimator.center_ is not None:
        found = _rounded(found - _row(estimator.center_), table)
    if estimator.scale_ is not None:
        found = _rounded(found / _row(estimator.scale_), table)
    return table.of(found, table.width)


@transforms("MinMaxScaler")
def _between(estimator: Estimator, table: Table) -> Table:
    found = _rounded(_rounded(table.matrix * _row(estimator.scale_), table) + _row(estimator.min_), table)
    if estimator.clip:
        low, high = map(float, estimator.feature_range)
        found = table.graph.op("Clip", found, table.graph.constant(low), table.graph.constant(high))
    return table.of(found, table.width)


@transforms("MaxAbsScaler")
def _largest(estimator: Estimator, table: Table) -> Table:
    return table.of(_rounded(table.matrix / _row(estimator.scale_), table), table.width)


@transforms("Normalizer")
def _normalized(estimator: Estimator, table: Table) -> Table:
    """Return rows of the length 1; scikit-learn takes what is nearly 0 for 0, where its rows are not sparse."""
    least = 10 * float(np.finfo(np.float32 if table.single else np.float64).eps)
    length = _lengths(table.matrix, estimator.norm)
    if table.single:  # whose squares may be infinite
        length = length.single() if estimator.norm != "l2" else _squares(table.matrix).single().apply("Sqrt")
    return table.of(_divided(table.matrix, length, least), table.width)


def normalized(matrix: Value, norm: str | None) -> Value:
    """Return rows of the length 1, by that norm; those of the length 0 as they are."""
    return matrix if norm is None else _divided(matrix, _lengths(matrix, norm), 5e-324)


def _lengths(matrix: Value, norm: str) -> Value:
    if norm == "l2":
        return _squares(matrix).apply("Sqrt")
    sizes = matrix.apply("Abs")
    return sizes.sum() if norm == "l1" else sizes.max()


def _squares(matrix: Value) -> Value:
    return (matrix * matrix).sum()


def _divided(matrix: Value, length: Value, least: float) -> Value:
    return matrix / matrix.graph.where(length < least, 1.0, length)


@transforms("Binarizer")
def _binarized(estimator: Estimator, table: Table) -> Table:
    return table.of((table.matrix > float(estimator.threshold)).double(), table.width)


@transforms("PolynomialFeatures")
def _polynomial(estimator: Estimator, table: Table) -> Table:
    choose = combinations if estimator.interaction_only else combinations_with_replacement
    matrix, graph = table.matrix, table.graph
    columns: dict[tuple[int, ...], Value] = {(at,): matrix.column(at) for at in range(table.width)}
    wanted: list[tuple[int, ...]] = []
    for degree in range(estimator._max_degree + 1):
        for chosen in choose(range(table.width), degree):
            if degree > 1:
                columns[chosen] = _rounded(columns[chosen[1:]] * columns[chosen[:1]], table)
            if degree >= max(estimator._min_degree, 1):
                wanted.append(chosen)
    ones = [graph.where(matrix.column(0).equals(matrix.column(0)), 1.0, 1.0)] if estimator.include_bias else []
    return table.of(graph.concat([*ones, *(columns[chosen] for chosen in wanted)]), len(ones) + len(wanted))


@transforms("KBinsDiscretizer")
def _binned(estimator: Estimator, table: Table) -> Table:
    from training.double_precision.convert import transform

    bins = [
        (table.column(at) >= _row(edges[1:-1])).double().sum()
        if len(edges) > 2
        else table.graph.where(table.column(at).equals(table.column(at)), 0.0, 0.0)
        for at, edges in enumerate(estimator.bin_edges_)
    ]
    found = table.of(table.graph.concat(bins), table.width)
    return found if estimator.encode == "ordinal" else transform(estimator._encoder, found)


@transforms(
    "SelectKBest", "SelectPercentile", "SelectFpr", "SelectFdr", "SelectFwe", "GenericUnivariateSelect",
    "VarianceThreshold", "SelectFromModel", "RFE", "RFECV", "SequentialFeatureSelector",
)  # fmt: skip
def _selected(estimator: Estimator, table: Table) -> Table:
    return table.select(np.flatnonzero(estimator.get_support()).tolist())


@transforms("PCA", "IncrementalPCA")
def _components(estimator: Estimator, table: Table) -> Table:
    found = table.matrix @ by_name(estimator.components_).T - _row(estimator.mean_) @ by_name(estimator.components_).T
    if estimator.whiten:
        scale = np.sqrt(by_name(estimator.explained_variance_))
        found /= np.maximum(scale, np.finfo(np.float64).eps)
    return table.of(found, len(estimator.components_))


@transforms("TruncatedSVD", "GaussianRandomProjection", "SparseRandomProjection", "NeighborhoodComponentsAnalysis")
def _projected(estimator: Estimator, table: Table) -> Table:
    components = estimator.components_
    dense = components.toarray() if hasattr(components, "toarray") else components
    return table.of(table.matrix @ by_name(dense).T, len(dense))


@transforms("PowerTransformer")
def _power(estimator: Estimator, table: Table) -> Table:
    from training.double_precision.convert import transform

    one = _box_cox if estimator.method == "box-cox" else _yeo_johnson
    found = [one(table.column(at), float(power)) for at, power in enumerate(estimator.lambdas_)]
    joined = table.of(table.graph.concat(found), table.width)
    return transform(estimator._scaler, joined) if estimator.standardize else joined


def _box_cox(column: Value, power: float) -> Value:
    logs = column.apply("Log")
    return logs if power == 0 else ((logs * power).apply("Exp") - 1.0) / power


def _yeo_johnson(column: Value, power: float) -> Value:
    graph = column.graph
    above, below = graph.op("Max", column, graph.constant(0.0)), -graph.op("Min", column, graph.constant(0.0))
    grown = log1p(above) if abs(power) < np.spacing(1.0) else ((above + 1.0) ** power - 1.0) / power
    other = 2.0 - power
    shrunk = -log1p(below) if abs(power - 2) <= np.spacing(1.0) else -(((below + 1.0) ** other - 1.0) / other)
    found = graph.where(column >= 0.0, grown, shrunk)
    return graph.where(column.apply("IsNaN"), column, found)


def log1p(value: Value) -> Value:
    """Return log(1 + x), of small numbers too."""
    graph, more = value.graph, value + 1.0
    same = more.equals(1.0)
    return graph.where(same, value, more.apply("Log") * value / graph.where(same, 1.0, more - 1.0))


@transforms("FunctionTransformer")
def _function(estimator: Estimator, table: Table) -> Table:
    function = estimator.func
    if function is None or getattr(function, "func", None) is check_array:  # which HistGradientBoosting puts there
        return table
    name = getattr(function, "__name__", repr(function))
    kinds = {
        "log": "Log",
        "exp": "Exp",
        "sqrt": "Sqrt",
        "absolute": "Abs",
        "square": "",
        "log1p": "",
        "negative": "Neg",
    }
    if estimator.kw_args or not isinstance(function, np.ufunc) or name not in kinds:
        raise NotWritten(f"FunctionTransformer with the function {name}")
    matrix = table.matrix
    special = {"square": matrix * matrix, "log1p": log1p(matrix)}
    found = special[name] if name in special else matrix.apply(kinds[name])
    return table.of(_rounded(found, table), table.width)


@transforms("Nystroem")
def _nystroem(estimator: Estimator, table: Table) -> Table:
    gamma = 1.0 / table.width if estimator.gamma is None else float(estimator.gamma)
    degree = 3.0 if estimator.degree is None else float(estimator.degree)
    coef0 = 1.0 if estimator.coef0 is None else float(estimator.coef0)
    if not isinstance(estimator.kernel, str):
        raise NotWritten("Nystroem with a kernel of a function")
    found = Kernel(estimator.kernel, gamma, degree, coef0).values(table.matrix, by_name(estimator.components_))
    return table.of(found @ by_name(estimator.normalization_).T, len(estimator.normalization_))


@transforms("RBFSampler")
def _sampled(estimator: Estimator, table: Table) -> Table:
    angles = table.matrix @ by_name(estimator.random_weights_) + _row(estimator.random_offset_)
    count = estimator.random_weights_.shape[1]
    return table.of(angles.apply("Cos") * float(np.sqrt(2.0 / count)), count)


@transforms("QuantileTransformer")
def _quantiles(estimator: Estimator, table: Table) -> Table:
    if estimator.output_distribution != "uniform":
        raise NotWritten("QuantileTransformer with a normal distribution")
    references = by_name(estimator.references_)
    found = [_ranked(table.column(at), by_name(estimator.quantiles_[:, at]), references) for at in range(table.width)]
    return table.of(table.graph.concat(found), table.width)


def _ranked(column: Value, quantiles: Any, references: Any) -> Value:
    graph = column.graph
    forward = interpolated(column, quantiles, references)
    backward = -interpolated(-column, -quantiles[::-1], -references[::-1])
    found = (forward + backward) * 0.5
    found = graph.where(column.equals(float(quantiles[-1])), 1.0, found)
    return graph.where(column.equals(float(quantiles[0])), 0.0, found)


def interpolated(column: Value, points: Any, values: Any) -> Value:
    """Return the values between points, as numpy.interp does; beyond them the first or the last."""
    graph = column.graph
    at = (column >= np.asarray(points).reshape(1, -1)).double().sum().whole().reshape(-1)
    low = np.r_[points[0], points[:-1], points[-1]]
    slopes = np.diff(values) / np.where(np.diff(points) == 0, 1.0, np.diff(points))
    base, slope = np.r_[values[0], values[:-1], values[-1]], np.r_[0.0, slopes, 0.0]
    held = [graph.op("Gather", graph.constant(one.reshape(-1, 1)), at, axis=0) for one in (low, base, slope)]
    # Beyond the last point its value holds; a number of any size times the slope 0 would do no harm but for infinity.
    return (column - held[0]) * held[2] + held[1]


@transforms("AdditiveChi2Sampler")
def _chi_square(estimator: Estimator, table: Table) -> Table:
    matrix, graph, interval = table.matrix, table.graph, estimator.sample_interval
    interval = {1: 0.8, 2: 0.5, 3: 0.4}[estimator.sample_steps] if interval is None else float(interval)
    is_zero = matrix.equals(0.0)
    kept = graph.where(is_zero, 1.0, matrix)
    parts = [(kept * interval).apply("Sqrt")]
    logs, step = kept.apply("Log") * interval, kept * (2 * interval)
    for at in range(1, estimator.sample_steps):
        factor = (step / float(np.cosh(np.pi * at * interval))).apply("Sqrt")
        parts += [factor * (logs * float(at)).apply("Cos"), factor * (logs * float(at)).apply("Sin")]
    joined = graph.concat([graph.where(is_zero, 0.0, part) for part in parts])
    return table.of(joined, table.width * len(parts))


@transforms("FastICA", "FactorAnalysis")
def _unmixed(estimator: Estimator, table: Table) -> Table:
    components = by_name(estimator.components_)
    mean = getattr(estimator, "mean_", None)
    centred = table.matrix if mean is None else table.matrix - _row(mean)
    if type(estimator).__name__ == "FactorAnalysis":
        scaled = components / by_name(estimator.noise_variance_)
        covariance = np.linalg.inv(np.eye(len(components)) + scaled @ components.T)
        return table.of(centred @ scaled.T @ covariance, len(components))
    return table.of(centred @ components.T, len(components))


@transforms("KMeans", "MiniBatchKMeans", "BisectingKMeans", "Birch")
def _to_centres(estimator: Estimator, table: Table) -> Table:
    name = "subcluster_centers_" if type(estimator).__name__ == "Birch" else "cluster_centers_"
    centres = by_name(getattr(estimator, name))
    return table.of(distances(table.matrix, centres).apply("Sqrt"), len(centres))


@transforms("FeatureAgglomeration")
def _pooled(estimator: Estimator, table: Table) -> Table:
    if estimator.pooling_func is not np.mean:
        raise NotWritten("FeatureAgglomeration with a pooling_func of its own")
    groups = [np.flatnonzero(estimator.labels_ == label).tolist() for label in range(estimator.n_clusters_)]
    means = [table.graph.sum_of([table.column(at) for at in group]) / float(len(group)) for group in groups]
    return table.of(table.graph.concat(means), len(groups))


@transforms("SkewedChi2Sampler")
def _skewed(estimator: Estimator, table: Table) -> Table:
    logs = (table.matrix + float(estimator.skewedness)).apply("Log")
    weights = by_name(estimator.random_weights_)
    angles = logs @ weights + _row(estimator.random_offset_)
    return table.of(angles.apply("Cos") * float(np.sqrt(2) / np.sqrt(weights.shape[1])), weights.shape[1])


@transforms("KernelPCA")
def _kernel_components(estimator: Estimator, table: Table) -> Table:
    if not isinstance(estimator.kernel, str):
        raise NotWritten("KernelPCA with a kernel of a function")
    kernel = Kernel(estimator.kernel, float(estimator.gamma_), estimator.degree, estimator.coef0)
    values, centerer = kernel.values(table.matrix, by_name(estimator.X_fit_)), estimator._centerer
    means = values.sum() / float(len(centerer.K_fit_rows_))
    centred = values - _row(centerer.K_fit_rows_) - means + float(centerer.K_fit_all_)
    kept = estimator.eigenvalues_ != 0
    scaled = np.zeros_like(estimator.eigenvectors_)
    scaled[:, kept] = estimator.eigenvectors_[:, kept] / np.sqrt(estimator.eigenvalues_[kept])
    return table.of(centred @ scaled, scaled.shape[1])
