"""Models that are made of other models."""

from __future__ import annotations

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
    transform,
    two_columns,
)
from training.double_precision.graph import Value
from training.double_precision.kernels import one_against_one
from training.double_precision.linear import in_parts
from training.double_precision.neighbours import distances
from training.double_precision.scale import interpolated
from training.recipe import Estimator


def _is_regressor(estimator: Estimator) -> bool:
    from sklearn.base import is_regressor

    return bool(is_regressor(estimator))


def _probabilities(estimator: Estimator, table: Table) -> Value:
    found = classify(estimator, table).probabilities
    if found is None:
        raise NotWritten(f"the probabilities of {type(estimator).__name__}")
    return found


def _scores(estimator: Estimator, table: Table) -> Value:
    found = classify(estimator, table).scores
    if found is None:
        raise NotWritten(f"the decision function of {type(estimator).__name__}")
    return found


def _hot(index: Value, classes: int) -> Value:
    """Return 1 in the column of each class index, 0 elsewhere."""
    return index.equals(index.graph.indexes(*range(classes))).double()


def _sub(table: Table, features: Any) -> Table:
    return table.select(list(map(int, features)))


@regresses("BaggingRegressor")
def _bagged_values(estimator: Estimator, table: Table) -> Value:
    pairs = zip(estimator.estimators_, estimator.estimators_features_, strict=True)
    found = [regress(member, _sub(table, features)) for member, features in pairs]
    return table.graph.sum_of(found) / float(len(found))


@classifies("BaggingClassifier")
def _bagged_classes(estimator: Estimator, table: Table) -> Classified:
    classes = int(estimator.n_classes_)
    found = []
    for member, features in zip(estimator.estimators_, estimator.estimators_features_, strict=True):
        one = classify(member, _sub(table, features))
        spread = np.eye(classes)[np.asarray(member.classes_, int)]
        if hasattr(member, "predict_proba"):
            if one.probabilities is None:
                raise NotWritten(f"the probabilities of {type(member).__name__}")
            found.append(one.probabilities if len(spread) == classes else one.probabilities @ spread)
        else:
            found.append(_hot(one.index, len(spread)) @ spread)
    parts = table.graph.sum_of(found) / float(len(found))
    return Classified(parts.argmax(), parts, None)


@regresses("VotingRegressor")
def _voted_values(estimator: Estimator, table: Table) -> Value:
    weights = estimator._weights_not_none or [1.0] * len(estimator.estimators_)
    found = [regress(one, table) * float(weight) for one, weight in zip(estimator.estimators_, weights, strict=True)]
    return table.graph.sum_of(found) / float(np.sum(weights))


@classifies("VotingClassifier")
def _voted_classes(estimator: Estimator, table: Table) -> Classified:
    weights = estimator._weights_not_none or [1.0] * len(estimator.estimators_)
    pairs = list(zip(estimator.estimators_, weights, strict=True))
    if estimator.voting == "soft":
        found = [_probabilities(one, table) * float(weight) for one, weight in pairs]
        parts = table.graph.sum_of(found) / float(np.sum(weights))
        return Classified(parts.argmax(), parts, None)
    classes = len(estimator.classes_)
    votes = [_hot(classify(one, table).index, classes) * float(weight) for one, weight in pairs]
    return Classified(table.graph.sum_of(votes).argmax(), None, None)


@regresses("StackingRegressor")
def _stacked_values(estimator: Estimator, table: Table) -> Value:
    return regress(estimator.final_estimator_, _stack(estimator, table))


@classifies("StackingClassifier")
def _stacked_classes(estimator: Estimator, table: Table) -> Classified:
    return classify(estimator.final_estimator_, _stack(estimator, table))


def _stack(estimator: Estimator, table: Table) -> Table:
    columns, width = [], 0
    for member, method in zip(estimator.estimators_, estimator.stack_method_, strict=True):
        count = len(getattr(estimator, "classes_", ())) or 1
        if method == "predict_proba":
            found = _probabilities(member, table)
            found, count = (found.column(1), 1) if count == 2 else (found, count)
        elif method == "decision_function":
            found, count = _scores(member, table), 1 if count == 2 else count
        elif _is_regressor(member):
            found, count = regress(member, table), 1
        else:
            found, count = classify(member, table).index.double(), 1
        columns.append(found)
        width += count
    if estimator.passthrough:
        columns.append(table.matrix)
        width += table.width
    return table.of(table.graph.concat(columns), width)


@classifies("OneVsRestClassifier")
def _one_against_rest(estimator: Estimator, table: Table) -> Classified:
    if estimator.multilabel_:
        raise NotWritten("OneVsRestClassifier of several labels a record")
    members = estimator.estimators_
    scores = table.graph.concat([_binary_score(member, table) for member in members])
    least = 0.5 if _needs_half(members[0]) else 0.0
    index = (scores > least).whole() if len(members) == 1 else scores.argmax()
    if not hasattr(estimator, "predict_proba"):
        return Classified(index, None, None)
    positive = table.graph.concat([_probabilities(member, table).column(1) for member in members])
    parts = two_columns(positive) if len(members) == 1 else positive
    total = parts.sum()
    return Classified(index, parts / table.graph.where(total.equals(0.0), 1.0, total), None)


def _needs_half(member: Estimator) -> bool:
    return not hasattr(member, "decision_function") or _is_regressor(member)


def _binary_score(member: Estimator, table: Table) -> Value:
    if type(member).__name__ == "_ConstantPredictor":
        return _repeated(table, by_name(member.y_).reshape(1, -1))
    if _is_regressor(member):
        return regress(member, table)
    if hasattr(member, "decision_function"):
        return _scores(member, table)
    return _probabilities(member, table).column(1)


@classifies("OneVsOneClassifier")
def _one_against_one(estimator: Estimator, table: Table) -> Classified:
    if estimator.pairwise_indices_ is not None:
        raise NotWritten("OneVsOneClassifier of precomputed kernels")
    members, classes = estimator.estimators_, len(estimator.classes_)
    wins = table.graph.concat([classify(member, table).index.double() for member in members])
    scores = table.graph.concat([_binary_score(member, table) for member in members])
    found = one_against_one(wins, scores, classes)
    if classes == 2:
        index = (found.column(1) > (0.5 if _needs_half(members[0]) else 0.0)).whole()
        return Classified(index, None, found.column(1))
    return Classified(found.argmax(), None, found)


@classifies("OutputCodeClassifier")
def _output_code(estimator: Estimator, table: Table) -> Classified:
    scores = table.graph.concat([_binary_score(member, table) for member in estimator.estimators_])
    return Classified(distances(scores, estimator.code_book_).argmin(), None, None)


@classifies("CalibratedClassifierCV")
def _calibrated(estimator: Estimator, table: Table) -> Classified:
    found = [_one_calibrated(one, table) for one in estimator.calibrated_classifiers_]
    parts = table.graph.sum_of(found) / float(len(found))
    return Classified(parts.argmax(), parts, None)


def _one_calibrated(calibrated: Any, table: Table) -> Value:
    classes, member = len(calibrated.classes), calibrated.estimator
    if len(member.classes_) != classes:
        raise NotWritten("CalibratedClassifierCV with a part that knows fewer classes")
    has_scores = hasattr(member, "decision_function")
    scores = _scores(member, table) if has_scores else _probabilities(member, table)
    if calibrated.method == "temperature":
        return _by_temperature(calibrated, scores, classes, has_scores=has_scores)
    if classes == 2 and not has_scores:
        scores = scores.column(1)
    columns = [
        _calibrate(calibrator, scores if classes == 2 else scores.column(at))
        for at, calibrator in enumerate(calibrated.calibrators)
    ]
    if classes == 2:
        return two_columns(columns[0])
    return in_parts(table.graph.concat(columns), classes)


def _by_temperature(calibrated: Any, scores: Value, classes: int, *, has_scores: bool) -> Value:
    if not has_scores:
        scores = (scores + float(np.finfo(np.float64).eps)).apply("Log")
    elif classes == 2:
        scores = scores.graph.concat([-scores, scores])
    return (scores * float(calibrated.calibrators[0].beta_)).softmax()


def _calibrate(calibrator: Any, scores: Value) -> Value:
    if type(calibrator).__name__ == "IsotonicRegression":
        return _isotonic(calibrator, scores)
    return (-(scores * float(calibrator.a_) + float(calibrator.b_))).expit()


def _isotonic(calibrator: Any, column: Value) -> Value:
    if calibrator.out_of_bounds != "clip":
        raise NotWritten(f"IsotonicRegression with out_of_bounds={calibrator.out_of_bounds!r}")
    points, values = by_name(calibrator.X_thresholds_), by_name(calibrator.y_thresholds_)
    if len(points) == 1:
        return column.graph.where(column.equals(column), float(values[0]), float(values[0]))
    return interpolated(column, points, values)


@regresses("IsotonicRegression")
def _isotonic_values(estimator: Estimator, table: Table) -> Value:
    return _isotonic(estimator, table.matrix)


@classifies("FixedThresholdClassifier", "TunedThresholdClassifierCV")
def _threshold(estimator: Estimator, table: Table) -> Classified:
    member = getattr(estimator, "estimator_", estimator.estimator)
    found = classify(member, table)
    by_probability = _uses_probabilities(estimator, member)
    threshold: Any = getattr(estimator, "best_threshold_", getattr(estimator, "threshold", None))
    if threshold == "auto":
        threshold = 0.5 if by_probability else 0.0
    label = estimator._curve_scorer._get_pos_label() if hasattr(estimator, "_curve_scorer") else estimator.pos_label
    classes = list(estimator.classes_)
    positive = 1 if label is None else classes.index(label)
    if by_probability:
        score = _probabilities(member, table).column(positive)
    else:
        score = _scores(member, table) if positive == 1 else -_scores(member, table)
    index = (score >= float(threshold)).whole()
    return Classified(
        index if positive == 1 else table.graph.constant(1, np.int64) - index, found.probabilities, found.scores
    )


def _uses_probabilities(estimator: Estimator, member: Estimator) -> bool:
    wanted = estimator._get_response_method()
    methods = [wanted] if isinstance(wanted, str) else list(wanted)
    return next(method for method in methods if hasattr(member, method)) == "predict_proba"


@regresses("AdaBoostRegressor")
def _median(estimator: Estimator, table: Table) -> Value:
    graph, members = table.graph, estimator.estimators_
    values = graph.concat([regress(member, table) for member in members])
    ordered, index = graph.node("TopK", values, graph.indexes(len(members)), outputs=2, axis=1, largest=0, sorted=1)
    weights = graph.op("Gather", graph.constant(by_name(estimator.estimator_weights_)[: len(members)]), index, axis=0)
    sums = graph.op("CumSum", weights, graph.constant(1, np.int64))
    reached = (sums >= sums.column(len(members) - 1) * 0.5).double()
    return graph.op("GatherElements", ordered, reached.argmax(), axis=1)


@classifies("AdaBoostClassifier")
def _boosted_classes(estimator: Estimator, table: Table) -> Classified:
    classes = int(estimator.n_classes_)
    weights = by_name(estimator.estimator_weights_)[: len(estimator.estimators_)]
    parts = []
    for member, weight in zip(estimator.estimators_, weights, strict=True):
        hot = _hot(classify(member, table).index, len(member.classes_))
        spread = np.eye(classes)[[list(estimator.classes_).index(one) for one in member.classes_]]
        chosen = hot @ spread
        parts.append(table.graph.where(chosen > 0.5, float(weight), float(-1 / (classes - 1) * weight)))
    scores = table.graph.sum_of(parts) / float(estimator.estimator_weights_.sum())
    if classes == 2:
        decided = scores.column(1) - scores.column(0)
        return Classified(
            (decided > 0.0).whole(), table.graph.concat([-decided, decided]).__truediv__(2.0).softmax(), decided
        )
    return Classified(scores.argmax(), (scores / float(classes - 1)).softmax(), scores)


@regresses("TransformedTargetRegressor")
def _target(estimator: Estimator, table: Table) -> Value:
    found = regress(estimator.regressor_, table)
    transformer = estimator.transformer_
    name = type(transformer).__name__
    if name == "FunctionTransformer":
        return _inverse(transformer, found, table)
    if name == "StandardScaler":
        scaled = found if transformer.scale_ is None else found * by_name(transformer.scale_).reshape(1, -1)
        return scaled if transformer.mean_ is None else scaled + by_name(transformer.mean_).reshape(1, -1)
    if name == "MinMaxScaler":
        return (found - by_name(transformer.min_).reshape(1, -1)) / by_name(transformer.scale_).reshape(1, -1)
    raise NotWritten(f"TransformedTargetRegressor with {name}")


def _inverse(transformer: Any, found: Value, table: Table) -> Value:
    from sklearn.preprocessing import FunctionTransformer

    if transformer.inverse_func is None:
        return found
    if getattr(transformer.inverse_func, "__name__", "") == "expm1":
        return found.apply("Exp") - 1.0
    return transform(FunctionTransformer(transformer.inverse_func), table.of(found, 1)).matrix


@regresses("MultiOutputRegressor")
def _several(estimator: Estimator, table: Table) -> Value:
    return table.graph.concat([regress(member, table) for member in estimator.estimators_])


@regresses("RegressorChain")
def _chain(estimator: Estimator, table: Table) -> Value:
    given, found = table.matrix, []
    for at, member in enumerate(estimator.estimators_):
        found.append(regress(member, table.of(given, table.width + at)))
        given = table.graph.concat([given, found[-1]])
    order = np.argsort(estimator.order_)
    return table.graph.concat([found[at] for at in order])


@regresses("RFE", "RFECV")
def _chosen_values(estimator: Estimator, table: Table) -> Value:
    return regress(estimator.estimator_, _sub(table, np.flatnonzero(estimator.support_)))


@classifies("RFE", "RFECV")
def _chosen_classes(estimator: Estimator, table: Table) -> Classified:
    return classify(estimator.estimator_, _sub(table, np.flatnonzero(estimator.support_)))


@classifies("SelfTrainingClassifier")
def _self_trained(estimator: Estimator, table: Table) -> Classified:
    return classify(estimator.estimator_, table)


@classifies("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")
def _best_classes(estimator: Estimator, table: Table) -> Classified:
    return classify(estimator.best_estimator_, table)


@regresses("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")
def _best_values(estimator: Estimator, table: Table) -> Value:
    return regress(estimator.best_estimator_, table)


@regresses("DummyRegressor")
def _always_value(estimator: Estimator, table: Table) -> Value:
    return _repeated(table, by_name(estimator.constant_).reshape(1, -1))


@classifies("DummyClassifier")
def _always_class(estimator: Estimator, table: Table) -> Classified:
    if estimator.strategy not in {"prior", "most_frequent", "constant"} or estimator.n_outputs_ > 1:
        raise NotWritten(f"DummyClassifier with strategy={estimator.strategy!r}, which answers by chance")
    parts = _dummy_parts(estimator)
    index = int(np.argmax(parts)) if estimator.strategy == "constant" else int(np.argmax(estimator.class_prior_))
    repeated = _repeated(table, parts.reshape(1, -1))
    return Classified(_repeated(table, np.array([[float(index)]])).whole(), repeated, None)


def _dummy_parts(estimator: Estimator) -> Any:
    if estimator.strategy == "prior":
        return by_name(estimator.class_prior_)
    if estimator.strategy == "most_frequent":
        return np.eye(len(estimator.classes_))[int(np.argmax(estimator.class_prior_))]
    return np.eye(len(estimator.classes_))[list(estimator.classes_).index(np.ravel(estimator.constant)[0])]


def _repeated(table: Table, row: Any) -> Value:
    """Return the same numbers for each record."""
    graph, first = table.graph, table.column(0)
    known = first.equals(first)
    if 0 not in table.texts:
        known = graph.op("Or", known, first.apply("IsNaN"))
    return graph.op("Where", known, graph.constant(row), graph.constant(np.zeros_like(row)))
