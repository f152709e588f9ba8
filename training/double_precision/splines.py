"""B-splines, as polynomials between their knots."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from training.double_precision.convert import NotWritten, Table, by_name, transforms
from training.double_precision.graph import Value
from training.recipe import Estimator

interpolate: Any = import_module("scipy.interpolate")  # it is not typed


@transforms("SplineTransformer")
def _splines(estimator: Estimator, table: Table) -> Table:
    if estimator.extrapolation != "constant":
        raise NotWritten(f"SplineTransformer with extrapolation={estimator.extrapolation!r}")
    parts, width = [], 0
    for at, spline in enumerate(estimator.bsplines_):
        starts, factors = _pieces(spline, estimator.degree)
        count = factors.shape[2] - (0 if estimator.include_bias else 1)
        parts.append(_values(table.column(at), spline, starts, factors[:, :, :count]))
        width += count
    return table.of(table.graph.concat(parts), width)


def _pieces(spline: Any, degree: int) -> tuple[Any, Any]:
    """Return where the pieces start, and their factors, [degree + 1, pieces, splines], the highest power first."""
    knots = by_name(spline.t)
    low, high = knots[degree], knots[-degree - 1]
    bases = [
        interpolate.PPoly.from_spline(interpolate.BSpline(spline.t, weights, degree))
        for weights in np.eye(len(knots) - degree - 1) @ by_name(spline.c)
    ]
    points = bases[0].x
    inside = [at for at in range(len(points) - 1) if low <= points[at] < high and points[at + 1] > points[at]]
    return points[inside], np.stack([base.c[:, inside] for base in bases], axis=2)


def _values(column: Value, spline: Any, starts: Any, factors: Any) -> Value:
    graph, knots, degree = column.graph, by_name(spline.t), len(factors) - 1
    low, high = graph.constant(float(knots[degree])), graph.constant(float(knots[-degree - 1]))
    kept = graph.op("Clip", column, low, high)
    index = (kept >= np.r_[starts[1:], np.inf].reshape(1, -1)).double().sum().whole().reshape(-1)
    along = kept - graph.op("Gather", graph.constant(starts.reshape(-1, 1)), index, axis=0)
    total = graph.op("Gather", graph.constant(factors[0]), index, axis=0)
    for factor in factors[1:]:
        total = total * along + graph.op("Gather", graph.constant(factor), index, axis=0)
    return total
