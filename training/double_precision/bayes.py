"""Naive Bayes."""

from __future__ import annotations

import numpy as np

from training.double_precision.convert import Classified, Table, by_name, classifies
from training.double_precision.graph import Value
from training.recipe import Estimator


def _of_likelihoods(jointly: Value) -> Classified:
    total = jointly.max()
    logs = jointly - ((jointly - total).apply("Exp").sum().apply("Log") + total)
    return Classified(jointly.argmax(), logs.apply("Exp"), None)


@classifies("GaussianNB")
def _gaussian(estimator: Estimator, table: Table) -> Classified:
    parts = []
    for prior, mean, variance in zip(estimator.class_prior_, estimator.theta_, estimator.var_, strict=True):
        moved = table.matrix - mean.reshape(1, -1)
        constant = float(np.log(prior)) - 0.5 * float(np.sum(np.log(2.0 * np.pi * variance)))
        parts.append((moved * moved / variance.reshape(1, -1)).sum() * -0.5 + constant)
    return _of_likelihoods(table.graph.concat(parts))


@classifies("MultinomialNB")
def _multinomial(estimator: Estimator, table: Table) -> Classified:
    return _of_likelihoods(table.matrix @ by_name(estimator.feature_log_prob_).T + by_name(estimator.class_log_prior_))


@classifies("ComplementNB")
def _complement(estimator: Estimator, table: Table) -> Classified:
    scores = table.matrix @ by_name(estimator.feature_log_prob_).T
    return _of_likelihoods(scores + by_name(estimator.class_log_prior_) if len(estimator.classes_) == 1 else scores)


@classifies("BernoulliNB")
def _bernoulli(estimator: Estimator, table: Table) -> Classified:
    given = table.matrix
    if estimator.binarize is not None:
        given = (given > float(estimator.binarize)).double()
    absent = np.log(1 - np.exp(estimator.feature_log_prob_))
    scores = given @ (estimator.feature_log_prob_ - absent).T
    return _of_likelihoods(scores + by_name(estimator.class_log_prior_ + absent.sum(axis=1)))


@classifies("CategoricalNB")
def _categorical(estimator: Estimator, table: Table) -> Classified:
    parts = []
    for at, logs in enumerate(estimator.feature_log_prob_):
        most = table.graph.constant(float(logs.shape[1] - 1))
        least = table.graph.constant(0.0)
        index = table.graph.op("Clip", table.column(at), least, most).whole().reshape(-1)
        parts.append(table.graph.op("Gather", table.graph.constant(by_name(logs).T), index, axis=0))
    return _of_likelihoods(table.graph.sum_of(parts) + by_name(estimator.class_log_prior_))
