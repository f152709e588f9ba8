"""Models of kernels: support vectors, kernel ridge, Gaussian processes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from training.double_precision.convert import Classified, NotWritten, Table, by_name, classifies, regresses, two_columns
from training.double_precision.coupling import coupled
from training.double_precision.graph import Value
from training.double_precision.neighbours import distances
from training.recipe import Estimator

# From here on the error function is 1 in double precision; the series then needs so many terms.
_ERF_ONE, _ERF_TERMS = 6.0, 120


@dataclass(frozen=True, slots=True)
class Kernel:
    """Hold a kernel by its name, and its parameters."""

    name: str
    gamma: float
    degree: float
    coef0: float

    def values(self, matrix: Value, points: Any) -> Value:
        """Return the kernel's values, of shape [records, points]. Raises NotWritten."""
        if self.name in {"linear", "poly", "polynomial", "sigmoid"}:
            return self._of_product(matrix @ by_name(points).T)
        if self.name in {"rbf", "laplacian"}:
            metric = "euclidean" if self.name == "rbf" else "manhattan"
            return (distances(matrix, points, metric) * -self.gamma).apply("Exp")
        raise NotWritten(f"the kernel {self.name!r}")

    def _of_product(self, product: Value) -> Value:
        if self.name == "linear":
            return product
        moved = product * self.gamma + self.coef0
        return moved.apply("Tanh") if self.name == "sigmoid" else moved ** float(self.degree)


def _kernel_of(estimator: Estimator, table: Table) -> Value:
    if not isinstance(estimator.kernel, str):
        raise NotWritten(f"{type(estimator).__name__} with a kernel of a function")
    kernel = Kernel(estimator.kernel, estimator._gamma, estimator.degree, estimator.coef0)
    return kernel.values(table.matrix, by_name(estimator.support_vectors_))


@regresses("SVR", "NuSVR")
def _support_regressor(estimator: Estimator, table: Table) -> Value:
    return _kernel_of(estimator, table) @ by_name(estimator._dual_coef_).T + by_name(estimator._intercept_)


@classifies("OneClassSVM")
def _one_class(estimator: Estimator, table: Table) -> Classified:
    scores = _kernel_of(estimator, table) @ by_name(estimator._dual_coef_).T + by_name(estimator._intercept_)
    return Classified((scores > 0.0).whole(), None, scores)


@classifies("SVC", "NuSVC")
def _support_classifier(estimator: Estimator, table: Table) -> Classified:
    if estimator.break_ties:
        raise NotWritten(f"{type(estimator).__name__} with break_ties=True")
    pairs = _kernel_of(estimator, table) @ _pair_coefficients(estimator) + by_name(estimator._intercept_)
    classes = len(estimator.classes_)
    votes = _votes((pairs > 0.0).double(), classes)
    probabilities = None
    if estimator._probA.size:
        probabilities = _platt(estimator, pairs, classes)
    scores = -pairs if classes == 2 else one_against_one((pairs <= 0.0).double(), -pairs, classes)
    return Classified(votes.argmax(), probabilities, scores)


def _pair_coefficients(estimator: Estimator) -> Any:
    """Return the coefficient of each support vector for each pair of classes."""
    counts = estimator._n_support
    starts = np.cumsum([0, *counts])
    pairs = list(combinations(range(len(counts)), 2))
    coefficients = np.zeros((starts[-1], len(pairs)))
    for at, (first, second) in enumerate(pairs):
        of_first, of_second = slice(starts[first], starts[first + 1]), slice(starts[second], starts[second + 1])
        coefficients[of_first, at] = estimator._dual_coef_[second - 1, of_first]
        coefficients[of_second, at] = estimator._dual_coef_[first, of_second]
    return coefficients


def _votes(of_first: Value, classes: int) -> Value:
    """Return the votes for each class. of_first: 1 where the first of a pair wins, 0 where the second does."""
    pairs = list(combinations(range(classes), 2))
    wins, base = np.zeros((len(pairs), classes)), np.zeros(classes)
    for at, (first, second) in enumerate(pairs):
        wins[at, first], wins[at, second] = 1.0, -1.0
        base[second] += 1.0
    return of_first @ wins + base


def one_against_one(of_second: Value, confidences: Value, classes: int) -> Value:
    """Return scores of each class from those of pairs, as scikit-learn does. of_second: 1 where the second wins."""
    pairs = list(combinations(range(classes), 2))
    signs, wins, base = np.zeros((len(pairs), classes)), np.zeros((len(pairs), classes)), np.zeros(classes)
    for at, (first, second) in enumerate(pairs):
        signs[at, first], signs[at, second] = -1.0, 1.0
        wins[at, first], wins[at, second] = -1.0, 1.0
        base[first] += 1.0
    total = confidences @ signs
    return of_second @ wins + base + total / ((total.apply("Abs") + 1.0) * 3.0)


def _platt(estimator: Estimator, pairs: Value, classes: int) -> Value:
    """Return the probabilities of classes from those of pairs: https://www.csie.ntu.edu.tw/~cjlin/papers/svmprob/svmprob.pdf"""
    graph = pairs.graph
    first = (-(pairs * by_name(estimator._probA) + by_name(estimator._probB))).expit()
    first = graph.op("Clip", first, graph.constant(1e-7), graph.constant(1 - 1e-7))
    return coupled(first, classes)


@regresses("KernelRidge")
def _ridge(estimator: Estimator, table: Table) -> Value:
    points = by_name(estimator.X_fit_)
    gamma = 1.0 / points.shape[1] if estimator.gamma is None else float(estimator.gamma)
    if not isinstance(estimator.kernel, str):
        raise NotWritten("KernelRidge with a kernel of a function")
    found = Kernel(estimator.kernel, gamma, estimator.degree, estimator.coef0).values(table.matrix, points)
    return found @ by_name(estimator.dual_coef_).reshape(len(points), -1)


@regresses("GaussianProcessRegressor")
def _process(estimator: Estimator, table: Table) -> Value:
    if not hasattr(estimator, "X_train_"):
        raise NotWritten("GaussianProcessRegressor that was not fitted")
    covariance = _covariance(estimator.kernel_, table.matrix, by_name(estimator.X_train_))
    mean = covariance @ by_name(estimator.alpha_).reshape(len(estimator.X_train_), -1)
    return mean * by_name(estimator._y_train_std).reshape(1, -1) + by_name(estimator._y_train_mean).reshape(1, -1)


@classifies("GaussianProcessClassifier")
def _process_classifier(estimator: Estimator, table: Table) -> Classified:
    base = estimator.base_estimator_
    if len(estimator.classes_) > 2:
        if estimator.multi_class != "one_vs_rest":
            raise NotWritten("GaussianProcessClassifier with one_vs_one")
        found = [_laplace(one, table)[1] for one in base.estimators_]
        parts = table.graph.concat(found)
        return Classified(parts.argmax(), parts / parts.sum(), None)
    mean, positive = _laplace(base, table)
    return Classified((mean > 0.0).whole(), two_columns(positive), None)


def _laplace(base: Any, table: Table) -> tuple[Value, Value]:
    """Return the latent mean and the second class's probability: equations 3.10, 3.16 and 3.24 of the book of GPs."""
    from sklearn.gaussian_process._gpc import COEFS, LAMBDAS

    points, graph = by_name(base.X_train_), table.graph
    covariance = _covariance(base.kernel_, table.matrix, points)
    mean = covariance @ (base.y_train_ - base.pi_).reshape(-1, 1)
    solved = covariance @ np.linalg.solve(base.L_, np.diag(base.W_sr_)).T
    own = float(base.kernel_.diag(points[:1])[0])
    if not np.allclose(base.kernel_.diag(points), own):
        raise NotWritten("GaussianProcessClassifier with a kernel that is not stationary")
    variance = graph.constant(own) - (solved * solved).sum()
    alpha = graph.constant(0.5) / variance
    lambdas = by_name(LAMBDAS).reshape(1, -1)
    inner = (mean @ lambdas) * (alpha / (alpha + lambdas**2)).apply("Sqrt")
    integrals = (
        (graph.constant(np.pi) / alpha).apply("Sqrt") * _erf(inner) / ((variance * (2 * np.pi)).apply("Sqrt") * 2.0)
    )
    return mean, integrals @ by_name(COEFS).reshape(-1, 1) + 0.5 * float(COEFS.sum())


def _erf(given: Value) -> Value:
    """Return the error function, by its series of positive terms: ONNX Runtime has it in single precision alone."""
    graph = given.graph
    near = graph.op("Clip", given, graph.constant(-_ERF_ONE), graph.constant(_ERF_ONE))
    doubled = near * near * 2.0
    total: Value = graph.where(near.equals(near), 1.0, 1.0)
    for factor in range(2 * _ERF_TERMS + 1, 1, -2):
        total = doubled / float(factor) * total + 1.0
    found: Value = near * (near * near * -1.0).apply("Exp") * total * (2.0 / float(np.sqrt(np.pi)))
    return found


def _covariance(kernel_: Any, matrix: Value, points: Any) -> Value:
    name = type(kernel_).__name__
    if name in {"Sum", "Product"}:
        first, second = _covariance(kernel_.k1, matrix, points), _covariance(kernel_.k2, matrix, points)
        return first + second if name == "Sum" else first * second
    if name == "ConstantKernel":
        return _flat(matrix, points, float(kernel_.constant_value))
    if name == "WhiteKernel":
        return _flat(matrix, points, 0.0)
    if name == "DotProduct":
        product: Value = matrix @ points.T + float(kernel_.sigma_0) ** 2
        return product
    if name in {"RBF", "Matern", "RationalQuadratic"}:
        scale = np.atleast_1d(by_name(kernel_.length_scale)).reshape(1, -1)
        return _by_distance(kernel_, name, distances(matrix / scale, points / scale), float(scale[0, 0]))
    raise NotWritten(f"a Gaussian process with the kernel {name}")


def _by_distance(kernel_: Any, name: str, squared: Value, scale: float) -> Value:
    if name == "RBF":
        return (squared * -0.5).apply("Exp")
    if name == "RationalQuadratic":
        return (squared / (2.0 * float(kernel_.alpha)) + 1.0) ** -float(kernel_.alpha)
    far = squared.apply("Sqrt")
    if kernel_.nu == 0.5:
        return (-far).apply("Exp")
    if kernel_.nu == 1.5:
        moved = far * float(np.sqrt(3))
        return (moved + 1.0) * (-moved).apply("Exp")
    if kernel_.nu == 2.5:
        moved = far * float(np.sqrt(5))
        return (moved + 1.0 + moved * moved / 3.0) * (-moved).apply("Exp")
    raise NotWritten(f"Matern with nu={kernel_.nu} and length_scale={scale:g}")


def _flat(matrix: Value, points: Any, value: float) -> Value:
    zeros = matrix.column(0) @ np.zeros((1, len(points)))
    return matrix.graph.where(zeros.equals(zeros), value, value)
