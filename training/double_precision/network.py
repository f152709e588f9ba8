"""Multi-layer perceptrons."""

from __future__ import annotations

from training.double_precision.convert import Classified, NotWritten, Table, by_name, classifies, regresses, two_columns
from training.double_precision.graph import Value
from training.recipe import Estimator

_KINDS = {"relu": "Relu", "tanh": "Tanh"}


def _last_layer(estimator: Estimator, table: Table) -> Value:
    found = table.matrix
    layers = list(zip(estimator.coefs_, estimator.intercepts_, strict=True))
    for at, (weights, bias) in enumerate(layers):
        found = found @ by_name(weights) + by_name(bias)
        if at + 1 < len(layers):
            found = _activated(found, estimator.activation)
    return found


def _activated(values: Value, name: str) -> Value:
    if name in _KINDS:
        return values.apply(_KINDS[name])
    return values.expit() if name == "logistic" else values


@regresses("MLPRegressor")
def _regressor(estimator: Estimator, table: Table) -> Value:
    values = _last_layer(estimator, table)
    return values.apply("Exp") if estimator.out_activation_ == "exp" else values


@classifies("MLPClassifier")
def _classifier(estimator: Estimator, table: Table) -> Classified:
    values = _last_layer(estimator, table)
    if estimator.out_activation_ == "softmax":
        parts = values.softmax()
        return Classified(parts.argmax(), parts, None)
    if len(estimator.classes_) != 2:
        raise NotWritten("MLPClassifier of several labels a record")
    positive = values.expit()
    return Classified((positive > 0.5).whole(), two_columns(positive), None)
