"""XGBoost's and LightGBM's trees, as their own dumps tell of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from training.double_precision.convert import Classified, NotWritten, Table, classifies, regresses, two_columns
from training.double_precision.graph import Value
from training.double_precision.tree_ensemble import AT_MOST, LESS, MEMBER, Node, Trees
from training.recipe import Estimator

_ZERO = float(np.float32(1e-35))  # LightGBM's own: what is nearer to zero is zero


@regresses("XGBRegressor", "XGBRFRegressor")
def _xgboost_regressor(estimator: Estimator, table: Table) -> Value:
    return xgboost_values(_booster(estimator), _with_missing(estimator, table))


@classifies("XGBClassifier", "XGBRFClassifier")
def _xgboost_classifier(estimator: Estimator, table: Table) -> Classified:
    return xgboost_classes(_booster(estimator), _with_missing(estimator, table))


def _with_missing(estimator: Estimator, table: Table) -> Table:
    """Return the numbers with those missing that the estimator takes for that."""
    missing = estimator.missing
    if missing is None or np.isnan(missing):
        return table
    matrix = table.matrix
    return table.of(table.graph.where(matrix.single().equals(float(np.float32(missing))), np.nan, matrix), table.width)


def _booster(estimator: Estimator) -> Any:
    """Return the estimator's Booster as it predicts: up to the best round, where early stopping found one."""
    booster, best = estimator.get_booster(), getattr(estimator, "best_iteration", None)
    return booster if best is None or estimator.booster == "gblinear" else booster[: best + 1]


def xgboost_values(booster: Any, table: Table) -> Value:
    """Return the values of a Booster that regresses, of shape [records, targets]."""
    objective, margins = _margins(booster, table)
    if objective in {"reg:logistic", "binary:logistic"}:
        return margins.single().expit().single()
    if objective in {"count:poisson", "reg:gamma", "reg:tweedie"}:
        return margins.single().apply("Exp")
    if objective.startswith(("reg:squarederror", "reg:squaredlogerror", "reg:absoluteerror", "reg:pseudohubererror",
                             "reg:quantileerror")):  # fmt: skip
        return margins
    raise NotWritten(f"XGBoost with the objective {objective}")


def xgboost_classes(booster: Any, table: Table) -> Classified:
    """Return classes of a Booster that classifies; XGBoost rounds to single precision before it compares."""
    objective, margins = _margins(booster, table)
    if objective == "binary:logistic":
        positive = margins.single().expit().single()
        return Classified((positive > 0.5).whole(), two_columns(positive), margins)
    if objective == "binary:hinge":
        return Classified((margins.single() > 0.0).whole(), None, margins)
    if objective in {"multi:softprob", "multi:softmax"}:
        parts = margins.single().softmax()
        return Classified(margins.single().argmax(), parts, margins)
    raise NotWritten(f"XGBoost with the objective {objective}")


def _margins(booster: Any, table: Table) -> tuple[str, Value]:
    learner = json.loads(booster.save_raw("json"))["learner"]
    objective = learner["objective"]["name"]
    boosted, told = learner["gradient_booster"], learner["learner_model_param"]
    base = np.atleast_1d(np.asarray(json.loads(told["base_score"]), np.float64))
    width = max(int(told["num_class"]), int(told["num_target"]), 1)
    if boosted["name"] == "gblinear":
        weights = np.asarray(boosted["model"]["weights"], np.float64).reshape(-1, width)
        return objective, table.matrix.single() @ weights[:-1] + (weights[-1] + _linked(objective, base)).reshape(1, -1)
    weights = boosted.get("weight_drop")
    model = (boosted["gbtree"] if boosted["name"] == "dart" else boosted)["model"]
    trees = Trees(width)
    for at, (tree, target) in enumerate(zip(model["trees"], model["tree_info"], strict=True)):
        trees.add(_xgboost_nodes(tree, 1.0 if weights is None else float(weights[at])), int(target))
    if not model["trees"]:
        raise NotWritten("XGBoost without a tree")
    return objective, trees.outputs(table.matrix.single()) + _linked(objective, base).reshape(1, -1)


def _linked(objective: str, base: Any) -> Any:
    if objective in {"binary:logistic", "reg:logistic"}:
        return np.log(base / (1 - base))
    return np.log(base) if objective in {"count:poisson", "reg:gamma", "reg:tweedie"} else base


def _xgboost_nodes(tree: Any, weight: float) -> list[Node]:
    if any(tree["split_type"]) or int(tree["tree_param"]["size_leaf_vector"]) > 1:
        raise NotWritten("XGBoost with splits by category, or several values a leaf")
    single = np.asarray(tree["split_conditions"], np.float32).astype(np.float64)
    return [
        Node(int(feature), float(condition), int(left), int(right), bool(missing), float(condition) * weight, LESS)
        for feature, condition, left, right, missing in zip(
            tree["split_indices"],
            single,
            tree["left_children"],
            tree["right_children"],
            tree["default_left"],
            strict=True,
        )
    ]


@regresses("LGBMRegressor")
def _lightgbm_regressor(estimator: Estimator, table: Table) -> Value:
    return lightgbm_values(estimator.booster_, table)


@classifies("LGBMClassifier")
def _lightgbm_classifier(estimator: Estimator, table: Table) -> Classified:
    return lightgbm_classes(estimator.booster_, table)


def lightgbm_values(booster: Any, table: Table) -> Value:
    """Return the values of a Booster that regresses, of shape [records, 1]."""
    (name, *options), raw = _raw(booster, table)
    if name in {"poisson", "gamma", "tweedie"}:
        return raw.apply("Exp")
    if name == "cross_entropy":
        return raw.expit()
    if name == "regression" and "sqrt" in options:
        return raw * raw.apply("Abs")
    if name in {"regression", "regression_l1", "huber", "fair", "quantile", "mape"}:
        return raw
    raise NotWritten(f"LightGBM with the objective {name}")


def lightgbm_classes(booster: Any, table: Table) -> Classified:
    """Return classes of a Booster that classifies."""
    (name, *options), raw = _raw(booster, table)
    told = dict(option.split(":") for option in options if ":" in option)
    scale = float(told.get("sigmoid", 1.0))
    if name == "binary":
        parts = two_columns((raw * scale).expit())
    elif name == "multiclass":
        parts = raw.softmax()
    elif name == "multiclassova":
        parts = (raw * scale).expit()
    else:
        raise NotWritten(f"LightGBM with the objective {name}")
    return Classified(parts.argmax(), parts, raw)


def _raw(booster: Any, table: Table) -> tuple[list[str], Value]:
    dump = booster.dump_model(num_iteration=booster.best_iteration if booster.best_iteration > 0 else None)
    if dump.get("pandas_categorical"):
        raise NotWritten("LightGBM with pandas' categories")
    if any(line.startswith("is_linear=1") for line in booster.model_to_string().splitlines()):
        raise NotWritten("LightGBM with linear_tree=True")
    infos = [_nodes_below(tree["tree_structure"]) for tree in dump["tree_info"]]
    splits = [node for nodes in infos for node in nodes if "split_feature" in node]
    matrix = _categories_cut(_zeros(table.matrix, splits), splits, table)
    width = int(dump["num_tree_per_iteration"])
    trees = Trees(width)
    for at, nodes in enumerate(infos):
        trees.add([_lightgbm_node(node, nodes) for node in nodes], at % width)
    raw = trees.outputs(matrix)
    if dump["average_output"]:
        raw /= float(len(infos) // width)
    return dump["objective"].split(" "), raw


def _nodes_below(root: Any) -> list[Any]:
    found, waiting = [], [root]
    while waiting:
        found.append(node := waiting.pop())
        waiting += [node[side] for side in ("left_child", "right_child") if side in node]
    return found


def _zeros(matrix: Value, splits: list[Any]) -> Value:
    """Return what is as good as zero as zero, or as missing where that was asked for."""
    zero = np.nan if any(node["missing_type"] == "Zero" for node in splits) else 0.0
    return matrix.graph.where(matrix.apply("Abs") <= _ZERO, zero, matrix)


def _categories_cut(matrix: Value, splits: list[Any], table: Table) -> Value:
    """Cut the categories' fractions off, as LightGBM does, and those below zero, which are in no set."""
    categorical = sorted({node["split_feature"] for node in splits if node["decision_type"] == "=="})
    if not categorical:
        return matrix
    mask = np.isin(np.arange(table.width), categorical).reshape(1, -1)
    return matrix.graph.op(
        "Where",
        matrix.graph.constant(mask, np.bool_),
        matrix.graph.where(matrix < 0.0, -1.0, matrix.apply("Floor")),
        matrix,
    )


def _lightgbm_node(node: Any, nodes: list[Any]) -> Node:
    if "split_feature" not in node:
        return Node(value=float(node["leaf_value"]))
    at = {id(one): index for index, one in enumerate(nodes)}
    found = Node(int(node["split_feature"]), left=at[id(node["left_child"])], right=at[id(node["right_child"])])
    if node["decision_type"] == "==":
        found.mode, found.members = MEMBER, [float(one) for one in str(node["threshold"]).split("||")]
        found.threshold = 0.0
        # What is missing, or not in the set, goes right; without missing values in training it is category 0.
        found.missing_left = node["missing_type"] == "None" and 0.0 in found.members
        return found
    found.mode, found.threshold = AT_MOST, float(node["threshold"])
    found.missing_left = found.threshold >= 0.0 if node["missing_type"] == "None" else bool(node["default_left"])
    return found
