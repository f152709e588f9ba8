"""Scikit-learn's trees and forests.

They round their numbers to single precision, and compare them with thresholds in double precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.double_precision.convert import (
    Classified,
    NotWritten,
    Table,
    by_name,
    classifies,
    classify,
    regress,
    regresses,
    two_columns,
)
from training.double_precision.graph import Value
from training.double_precision.linear import index_of
from training.double_precision.tree_ensemble import MEMBER, Node, Trees
from training.recipe import Estimator

_EPSILON = float(np.finfo(np.float64).eps)


@regresses("DecisionTreeRegressor", "ExtraTreeRegressor", "RandomForestRegressor", "ExtraTreesRegressor")
def _regressor(estimator: Estimator, table: Table) -> Value:
    members = getattr(estimator, "estimators_", [estimator])
    if estimator.n_outputs_ > 1:
        return _mean_of_leaves(members, table, [member.tree_.value[:, :, 0] for member in members])
    trees = Trees(1)
    for member in members:
        trees.add(nodes_of(member.tree_, member.tree_.value[:, 0, 0]), 0)
    return trees.outputs(table.matrix.single()) / float(len(members))


@classifies("DecisionTreeClassifier", "ExtraTreeClassifier", "RandomForestClassifier", "ExtraTreesClassifier")
def _classifier(estimator: Estimator, table: Table) -> Classified:
    if estimator.n_outputs_ > 1:
        raise NotWritten(f"{type(estimator).__name__} of {estimator.n_outputs_} outputs")
    members = getattr(estimator, "estimators_", [estimator])
    classes = int(estimator.n_classes_)
    parts = _mean_of_leaves(members, table, [member.tree_.value[:, 0, :classes] for member in members])
    return Classified(parts.argmax(), parts, None)


def _mean_of_leaves(members: Sequence[Any], table: Table, values: Sequence[Any]) -> Value:
    """Return the mean of what the leaves hold that a record falls into, several numbers each."""
    trees, start = Trees(len(members)), 0
    for target, (member, held) in enumerate(zip(members, values, strict=True)):
        trees.add(nodes_of(member.tree_, np.arange(start, start + len(held))), target)
        start += len(held)
    leaves = trees.outputs(table.matrix.single()).whole()
    found = table.graph.op("Gather", table.graph.constant(np.concatenate(values)), leaves, axis=0)
    total = table.graph.op("ReduceSum", found, table.graph.indexes(1), keepdims=0)
    return total / float(len(members))


def nodes_of(tree: Any, values: Any, features: Any = None) -> list[Node]:
    """Return the nodes of a tree, whose leaves hold these values. features: of which columns its features are."""
    missing = tree.missing_go_to_left
    return [
        Node(
            feature=int(tree.feature[at] if features is None or left < 0 else features[tree.feature[at]]),
            threshold=float(tree.threshold[at]),
            left=int(left),
            right=int(tree.children_right[at]),
            missing_left=bool(missing[at]),
            value=float(values[at]),
        )
        for at, left in enumerate(tree.children_left)
    ]


@classifies("IsolationForest")
def _isolation(estimator: Estimator, table: Table) -> Classified:
    from sklearn.ensemble._iforest import _average_path_length

    trees = Trees(1)
    for at, (member, features) in enumerate(zip(estimator.estimators_, estimator.estimators_features_, strict=True)):
        depths = estimator._decision_path_lengths[at] + estimator._average_path_length_per_tree[at] - 1.0
        trees.add(nodes_of(member.tree_, depths, features), 0)
    denominator = len(estimator.estimators_) * float(_average_path_length([estimator._max_samples])[0])
    depths = trees.outputs(table.matrix.single())
    shares = depths / denominator if denominator else table.graph.where(depths.equals(np.inf), 1.0, 1.0)
    scores = -table.graph.op("Pow", table.graph.constant(2.0), -shares) - float(estimator.offset_)
    return Classified((scores >= 0.0).whole(), None, scores)


def _boosted(estimator: Estimator, table: Table) -> Value:
    width = estimator.estimators_.shape[1]
    trees = Trees(width)
    for stage in estimator.estimators_:
        for target, member in enumerate(stage):
            trees.add(nodes_of(member.tree_, estimator.learning_rate * member.tree_.value[:, 0, 0]), target)
    return trees.outputs(table.matrix.single())


def _start(estimator: Estimator, table: Table) -> Value:
    """Return what boosting starts from: the raw scores of a first estimator."""
    first = estimator.init_
    if isinstance(first, str):
        return table.graph.constant([[0.0]])
    if not hasattr(estimator, "classes_"):
        return regress(first, table)
    found = classify(first, table).probabilities
    if found is None:
        raise NotWritten(f"{type(estimator).__name__} that starts from a {type(first).__name__}")
    graph = table.graph
    kept = graph.op("Clip", found, graph.constant(_EPSILON), graph.constant(1 - _EPSILON))
    logs = kept.apply("Log")
    if len(estimator.classes_) == 2:
        kept = kept.column(1)
        return (kept / (graph.constant(1.0) - kept)).apply("Log")
    return logs - graph.op("ReduceMean", logs, graph.indexes(1), keepdims=1)


@regresses("GradientBoostingRegressor")
def _gradient_regressor(estimator: Estimator, table: Table) -> Value:
    return _boosted(estimator, table) + _start(estimator, table)


@classifies("GradientBoostingClassifier")
def _gradient_classifier(estimator: Estimator, table: Table) -> Classified:
    raw = _boosted(estimator, table) + _start(estimator, table)
    if len(estimator.classes_) > 2:
        return Classified(raw.argmax(), raw.softmax(), raw)
    scaled = raw * 2.0 if estimator.loss == "exponential" else raw
    return Classified((raw >= 0.0).whole(), two_columns(scaled.expit()), raw)


def _histogram(estimator: Estimator, table: Table) -> Value:
    matrix = _prepared(estimator, table)
    trees = Trees(estimator.n_trees_per_iteration_)
    for iteration in estimator._predictors:
        for target, predictor in enumerate(iteration):
            trees.add([_histogram_node(node, predictor) for node in predictor.nodes], target)
    return trees.outputs(matrix) + by_name(estimator._baseline_prediction).reshape(1, -1)


def _prepared(estimator: Estimator, table: Table) -> Value:
    """Return the columns as the trees number them: categories first, by their codes."""
    from training.double_precision.convert import transform

    if estimator._preprocessor is None:
        return table.matrix
    return transform(estimator._preprocessor, table).matrix


def _histogram_node(node: Any, predictor: Any) -> Node:
    if node["is_leaf"]:
        return Node(value=float(node["value"]))
    found = Node(
        int(node["feature_idx"]), float(node["num_threshold"]), int(node["left"]), int(node["right"]),
        bool(node["missing_go_to_left"]),
    )  # fmt: skip
    if node["is_categorical"]:
        words = predictor.raw_left_cat_bitsets[node["bitset_idx"]]
        members = [32 * at + bit for at, word in enumerate(words) for bit in range(32) if int(word) >> bit & 1]
        found.mode, found.members, found.threshold = MEMBER, members, 0.0
    return found


@regresses("HistGradientBoostingRegressor")
def _histogram_regressor(estimator: Estimator, table: Table) -> Value:
    raw = _histogram(estimator, table)
    return raw.apply("Exp") if type(estimator._loss.link).__name__ == "LogLink" else raw


@classifies("HistGradientBoostingClassifier")
def _histogram_classifier(estimator: Estimator, table: Table) -> Classified:
    raw, classes = _histogram(estimator, table), len(estimator.classes_)
    parts = two_columns(raw.expit()) if classes == 2 else raw.softmax()
    return Classified(index_of(raw, classes), parts, raw)
