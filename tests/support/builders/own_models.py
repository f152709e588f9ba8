"""Models as a team would bring them: scikit-learn's, XGBoost's, LightGBM's, and ONNX graphs of no library's making."""

from __future__ import annotations

import warnings
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import xgboost
from onnx import TensorProto, helper
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from offpath_cli.register.examples import Records
from offpath_cli.register.original import Original

try:
    import lightgbm
except OSError as error:
    pytest.skip(f"LightGBM needs the system's OpenMP (Debian: apt install libgomp1): {error}", allow_module_level=True)

pd: Any = import_module("pandas")  # it is not typed

PLANS, COUNTRIES = ("basic", "pro"), ("de", "fr", "us")


@cache
def customers() -> Any:
    """A hundred customers: texts, whole numbers, fractions and booleans, on a grid as data of that kind are."""
    random = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "plan": pd.Series(random.choice(PLANS, 100), dtype=object),
            "country": pd.Series(random.choice(COUNTRIES, 100), dtype=object),
            "months": random.integers(1, 30, 100),
            "spend": random.integers(100, 900, 100) / 10,
            "invoiced": random.random(100) < 0.5,
        }
    )


@cache
def leaving() -> Any:
    """Return which of them leave."""
    frame = customers()
    return np.where(frame.spend - 2 * frame.months > 20, "leaves", "stays")


def numbers() -> Any:
    """Return their columns that are numbers."""
    return customers()[["months", "spend"]].astype(float)


def flowers() -> tuple[Any, Any]:
    """Iris: measures, and class indexes."""
    measures, species = load_iris(return_X_y=True, as_frame=True)
    return measures.set_axis(["sepal_length", "sepal_width", "petal_length", "petal_width"], axis="columns"), species


def mixed(last: Any) -> Pipeline:
    """A pipeline over texts and numbers, before it is fitted."""
    columns = [
        ("texts", OneHotEncoder(handle_unknown="ignore"), ["plan", "country"]),
        ("numbers", StandardScaler(), ["months", "spend"]),
    ]
    return make_pipeline(ColumnTransformer(columns), last)


@cache
def churn() -> Pipeline:
    """Return a random forest that tells whether a customer leaves, with labels that are texts."""
    return mixed(RandomForestClassifier(10, random_state=1)).fit(customers(), leaving())


@cache
def boosted_churn() -> Pipeline:
    """The same by XGBoost within a pipeline of scikit-learn's."""
    return mixed(xgboost.XGBClassifier(n_estimators=8)).fit(customers(), leaving() == "leaves")


@cache
def estimators() -> dict[str, tuple[str, Any, Any]]:
    """Return flavor, model and rows to predict for, by name. All of them agree in ONNX."""
    measures, species = flowers()
    names = species.map({0: "setosa", 1: "versicolor", 2: "virginica"})
    rows, spend = numbers(), customers().spend
    scaled = make_pipeline(StandardScaler(), RandomForestClassifier(10, random_state=1)).fit(measures, names)
    search = GridSearchCV(LogisticRegression(max_iter=500), {"C": [1, 2]}, cv=2).fit(measures, names)
    gaps = rows.mask(rows == rows.max())
    return {
        "scaled forest": ("sklearn", scaled, measures),
        "mixed columns": ("sklearn", churn(), customers()),
        "mixed columns, XGBoost": ("sklearn", boosted_churn(), customers()),
        "mixed columns, LightGBM": ("sklearn", _quiet_churn(), customers()),
        "no names": ("sklearn", RandomForestRegressor(5, random_state=1).fit(rows.to_numpy(), spend), rows),
        "a search's winner": ("sklearn", search.best_estimator_, measures),
        "no probabilities": ("sklearn", make_pipeline(StandardScaler(), LinearSVC()).fit(measures, names), measures),
        "gaps": ("sklearn", make_pipeline(SimpleImputer(), LinearRegression()).fit(gaps, spend), rows),
        "histogram trees": ("sklearn", HistGradientBoostingRegressor(max_iter=8).fit(gaps, spend), rows),
        "two values": ("sklearn", LinearRegression().fit(rows, np.stack([spend, -spend], 1)), rows),
        "XGBClassifier": ("xgboost", xgboost.XGBClassifier(n_estimators=5).fit(measures, species), measures),
        "XGBRegressor": ("xgboost", xgboost.XGBRegressor(n_estimators=5).fit(gaps, spend), rows),
        "LGBMClassifier": (
            "lightgbm",
            lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(measures, names),
            measures,
        ),
        "LGBMRegressor": ("lightgbm", lightgbm.LGBMRegressor(n_estimators=5, verbose=-1).fit(rows, spend), rows),
        "xgboost binary:logistic": ("xgboost", xgboost_booster("binary:logistic", species > 0), measures),
        "xgboost multi:softprob": ("xgboost", xgboost_booster("multi:softprob", species, num_class=3), measures),
        "xgboost multi:softmax": ("xgboost", xgboost_booster("multi:softmax", species, num_class=3), measures),
        "xgboost count:poisson": ("xgboost", xgboost_booster("count:poisson", species), measures),
        "lightgbm binary": ("lightgbm", lightgbm_booster("binary", species > 0), measures),
        "lightgbm multiclass": ("lightgbm", lightgbm_booster("multiclass", species, num_class=3), measures),
        "lightgbm regression": ("lightgbm", lightgbm_booster("regression", species), measures),
    }


def xgboost_booster(objective: str, target: Any, **parameters: Any) -> Any:
    """A Booster of iris's measures."""
    data = xgboost.DMatrix(flowers()[0], label=target)
    return xgboost.train({"objective": objective, **parameters}, data, 5)


def lightgbm_booster(objective: str, target: Any, **parameters: Any) -> Any:
    """A Booster of iris's measures."""
    data = lightgbm.Dataset(flowers()[0], label=target)
    return lightgbm.train({"objective": objective, "verbose": -1, **parameters}, data, 5)


def unwritten() -> Pipeline:
    """A model with a part that nothing here converts."""
    return make_pipeline(BernoulliRBM(2, n_iter=2), LinearRegression()).fit(numbers(), customers().spend)


def _quiet_churn() -> Pipeline:
    return mixed(lightgbm.LGBMClassifier(n_estimators=8, verbose=-1)).fit(customers(), leaving())


def records(frame: Any) -> Records:
    """A data frame as an example."""
    return Records(frame.to_dict("records"))


def original(flavor: str, native: Any, frame: Any) -> Original:
    """A model as if it had been logged with these rows and their signature."""
    from mlflow.models import infer_signature

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of whole numbers, which cannot be missing later
        return Original(flavor, native, infer_signature(frame), records(frame))


def graph(*nodes: Any, opset: int = 17, domains: tuple[str, ...] = (), **sizes: int | None) -> Any:
    """An ONNX model (`onnx.ModelProto`) from inputs of these widths, floats, to the output `value`."""
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width]) for name, width in sizes.items()]
    output = helper.make_tensor_value_info("value", TensorProto.FLOAT, [None, None])
    sets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(helper.make_graph(nodes, "graph", inputs, [output]), opset_imports=sets, ir_version=8)
