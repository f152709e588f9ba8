"""Linear models, and those that are linear after a transformation."""

from __future__ import annotations

import numpy as np

from training.double_precision.convert import Classified, NotWritten, Table, by_name, classifies, regresses, two_columns
from training.double_precision.graph import Value
from training.recipe import Estimator


def decision(estimator: Estimator, table: Table) -> Value:
    """Return X coef + intercept, of shape [records, 1] for two classes."""
    coefficients = np.atleast_2d(by_name(estimator.coef_))
    return table.matrix @ coefficients.T + by_name(estimator.intercept_).reshape(1, -1)


def index_of(scores: Value, classes: int) -> Value:
    """Return the class index: of two classes the second for a score over 0, else the largest score's."""
    return (scores > 0.0).whole() if classes == 2 else scores.argmax()


@regresses(
    "LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "LassoLars", "LassoLarsCV", "LassoLarsIC", "Lars",
    "LarsCV", "ElasticNet", "ElasticNetCV", "BayesianRidge", "ARDRegression", "HuberRegressor", "TheilSenRegressor",
    "SGDRegressor", "PassiveAggressiveRegressor", "LinearSVR", "OrthogonalMatchingPursuit",
    "OrthogonalMatchingPursuitCV", "QuantileRegressor", "MultiTaskElasticNet", "MultiTaskElasticNetCV",
    "MultiTaskLasso", "MultiTaskLassoCV",
)  # fmt: skip
def _linear(estimator: Estimator, table: Table) -> Value:
    coefficients = np.atleast_2d(by_name(estimator.coef_))
    return table.matrix @ coefficients.T + by_name(estimator.intercept_).reshape(1, -1)


@regresses("PoissonRegressor", "GammaRegressor", "TweedieRegressor")
def _generalized(estimator: Estimator, table: Table) -> Value:
    linked = _linear(estimator, table)
    link = type(estimator._base_loss.link if hasattr(estimator, "_base_loss") else estimator._get_loss().link).__name__
    if link == "IdentityLink":
        return linked
    if link != "LogLink":
        raise NotWritten(f"{type(estimator).__name__} with {link}")
    return linked.apply("Exp")


@regresses("RANSACRegressor")
def _ransac(estimator: Estimator, table: Table) -> Value:
    from training.double_precision.convert import regress

    return regress(estimator.estimator_, table)


@regresses("PLSRegression", "PLSCanonical", "CCA")
def _partial(estimator: Estimator, table: Table) -> Value:
    centred = table.matrix - by_name(estimator._x_mean).reshape(1, -1)
    return centred @ by_name(estimator.coef_).T + by_name(estimator.intercept_).reshape(1, -1)


@classifies("LogisticRegression", "LogisticRegressionCV", "LinearDiscriminantAnalysis")
def _logistic(estimator: Estimator, table: Table) -> Classified:
    scores = decision(estimator, table)
    if len(estimator.classes_) <= 2:
        return Classified((scores > 0.0).whole(), two_columns(scores.expit()), scores)
    return Classified(scores.argmax(), scores.softmax(), scores)


@classifies("RidgeClassifier", "RidgeClassifierCV", "Perceptron", "PassiveAggressiveClassifier", "LinearSVC")
def _scores_alone(estimator: Estimator, table: Table) -> Classified:
    scores = decision(estimator, table)
    return Classified(index_of(scores, len(estimator.classes_)), None, scores)


@classifies("SGDClassifier")
def _stochastic(estimator: Estimator, table: Table) -> Classified:
    scores, classes = decision(estimator, table), len(estimator.classes_)
    index = index_of(scores, classes)
    if estimator.loss == "log_loss":
        parts = scores.expit()
    elif estimator.loss == "modified_huber":
        graph = table.graph
        parts = (graph.op("Clip", scores, graph.constant(-1.0), graph.constant(1.0)) + 1.0) / 2.0
    else:
        return Classified(index, None, scores)
    return Classified(index, two_columns(parts) if classes == 2 else in_parts(parts, classes), scores)


@classifies("SGDOneClassSVM")
def _one_class(estimator: Estimator, table: Table) -> Classified:
    scores = table.matrix @ by_name(estimator.coef_).reshape(-1, 1) - by_name(estimator.offset_).reshape(1, -1)
    return Classified((scores >= 0.0).whole(), None, scores)


@classifies("QuadraticDiscriminantAnalysis")
def _quadratic(estimator: Estimator, table: Table) -> Classified:
    norms = []
    for rotation, scaling, mean in zip(estimator.rotations_, estimator.scalings_, estimator.means_, strict=True):
        moved = (table.matrix - mean.reshape(1, -1)) @ (rotation * scaling**-0.5)
        norms.append((moved * moved).sum())
    logs = np.array([np.sum(np.log(scaling)) for scaling in estimator.scalings_])
    scores = (table.graph.concat(norms) + logs) * -0.5 + np.log(estimator.priors_)
    return Classified(scores.argmax(), scores.softmax(), scores)


@classifies("EllipticEnvelope")
def _envelope(estimator: Estimator, table: Table) -> Classified:
    moved = table.matrix - by_name(estimator.location_).reshape(1, -1)
    distances = ((moved @ by_name(estimator.get_precision())) * moved).sum()
    scores = -distances - float(estimator.offset_)
    return Classified((scores >= 0.0).whole(), None, scores)


def in_parts(values: Value, classes: int) -> Value:
    """Return values as parts of their sum; equal parts where that is 0."""
    total = values.sum()
    return values.graph.where(
        total.equals(0.0), 1.0 / classes, values / values.graph.where(total.equals(0.0), 1.0, total)
    )
