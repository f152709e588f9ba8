"""The zoo's models: scikit-learn's estimators, fitted alone and in pipelines."""

import inspect
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_outlier_detector, is_regressor
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import all_estimators, get_tags

from local.zoo.data import Data, mixed, numbers, texts

_SEED = 11
_POSITIVE = ("NB", "GammaRegressor", "PoissonRegressor", "TweedieRegressor")
_PARAMETERS: dict[str, dict[str, Any]] = {
    "CCA": {"n_components": 1},
    "IsotonicRegression": {"out_of_bounds": "clip"},
    "LocalOutlierFactor": {"novelty": True},
    "NuSVC": {"nu": 0.2},
    "GaussianRandomProjection": {"n_components": 3},
    "QuadraticDiscriminantAnalysis": {"reg_param": 0.1},
    "SparseRandomProjection": {"n_components": 3},
    "PLSCanonical": {"n_components": 1},
    "RadiusNeighborsClassifier": {"radius": 50.0},
    "RadiusNeighborsRegressor": {"radius": 50.0},
    "RANSACRegressor": {"random_state": 0},
    "SelfTrainingClassifier": {"estimator": LogisticRegression()},
}
_OF_MODELS = ("StackingClassifier", "StackingRegressor", "VotingClassifier", "VotingRegressor")


@dataclass(frozen=True, slots=True)
class Case:
    """Hold a model that is fitted when it is asked for. name: its class. kind: what is around it, or in its data."""

    name: str
    kind: str
    make: Callable[[], tuple[Any, Data]]


def cases() -> Iterator[Case]:
    """Yield every case, by name: those that cannot be fitted say so when they are made."""
    for name, kind in all_estimators():
        if name == "FrozenEstimator":  # it is fitted before
            continue
        if _predicts(kind):
            yield Case(name, "numbers", _maker(name, kind, "numbers"))
            if _takes_missing(name, kind):
                yield Case(name, "missing values", _maker(name, kind, "missing"))
            if not name.startswith(("Isotonic", "CategoricalNB")):
                yield Case(name, "pipeline", _maker(name, kind, "pipeline"))
        elif hasattr(kind, "transform") and name not in _NO_TRANSFORMERS:
            yield Case(name, "before a model", _maker(name, kind, "transformer"))
    yield from _text_cases()


# They transform targets, or are themselves made of transformers.
_NO_TRANSFORMERS = {
    "LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer", "ColumnTransformer", "FeatureUnion", "Pipeline",
    "DictVectorizer", "KernelCenterer", "FrozenEstimator", "FeatureHasher", "PatchExtractor", "PLSSVD", "SparseCoder",
    "TfidfTransformer",
    "CountVectorizer", "TfidfVectorizer", "HashingVectorizer",
}  # fmt: skip


def _predicts(kind: Any) -> bool:
    try:
        model = _instance(kind.__name__, kind)
        return bool(is_classifier(model) or is_regressor(model) or is_outlier_detector(model)) and hasattr(kind, "fit")
    except (TypeError, ValueError, AttributeError):
        return False


def _takes_missing(name: str, kind: Any) -> bool:
    if name in _OF_MODELS:
        return False
    return bool(get_tags(_instance(name, kind)).input_tags.allow_nan)


def _instance(name: str, kind: Any) -> Any:
    known = inspect.signature(kind.__init__).parameters
    given = dict(_PARAMETERS.get(name, {}))
    if name in _OF_MODELS:
        classes = name.endswith("Classifier")
        parts = (LogisticRegression(), DecisionTreeClassifier(max_depth=3)) if classes else (
            LinearRegression(), DecisionTreeRegressor(max_depth=3))  # fmt: skip
        return kind(list(zip("ab", parts, strict=True)))
    for parameter in ("estimator", "base_estimator"):
        if parameter in known and known[parameter].default is inspect.Parameter.empty:
            is_class = "Classifier" in name or name == "ClassifierChain"
            given.setdefault(parameter, LogisticRegression() if is_class else LinearRegression())
    if "param_grid" in known or "param_distributions" in known:
        parameter = "param_grid" if "param_grid" in known else "param_distributions"
        given |= {"estimator": LogisticRegression(), parameter: {"C": [0.5, 1.0]}}
    if "n_iter" in known and name.startswith("RandomizedSearch"):
        given |= {"n_iter": 2}
    if "n_estimators" in known:
        given.setdefault("n_estimators", 12)
    if "random_state" in known and name != "KernelCenterer":
        given.setdefault("random_state", 0)
    return kind(**given)


def _maker(name: str, kind: Any, form: str) -> Callable[[], tuple[Any, Data]]:
    def make() -> tuple[Any, Data]:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return _FORMS[form](name, _instance(name, kind))

    return make


def _alone(name: str, model: Any) -> tuple[Any, Data]:
    data = numbers(_SEED, positive=name.endswith(_POSITIVE))
    if name == "CategoricalNB":
        data = Data(data.rows[["d"]].assign(e=(data.rows.a * 2 % 3).round()), data.classes, data.two, data.values)
    if name == "IsotonicRegression":
        data = Data(data.rows[["a"]], data.classes, data.two, data.values)
    return model.fit(data.rows, _target(name, model, data)), data


def _with_missing(name: str, model: Any) -> tuple[Any, Data]:
    data = numbers(_SEED, missing=True)
    return model.fit(data.rows, _target(name, model, data)), data


def _in_pipeline(name: str, model: Any) -> tuple[Any, Data]:
    data = mixed(_SEED)
    pipeline = make_pipeline(_columns(name), model)
    return pipeline.fit(data.rows, _target(name, model, data)), data


def _columns(name: str) -> ColumnTransformer:
    """Return what a team's columns go through: imputers, a scaler, encoders of either kind."""
    numbers_of = make_pipeline(SimpleImputer(), StandardScaler())
    if name.endswith(_POSITIVE):
        numbers_of = make_pipeline(SimpleImputer(add_indicator=True))
    kept = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(sparse_output=False))
    return ColumnTransformer(
        [
            ("numbers", numbers_of, ["sepal length (cm)", "home-dest"]),
            ("kept", kept, ["Größe"]),
            ("known", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=2), ["label"]),
        ]
    )


def _before_model(name: str, transformer: Any) -> tuple[Any, Data]:
    if name in {"OneHotEncoder", "OrdinalEncoder", "TargetEncoder"}:
        data = mixed(_SEED)
        if name == "OrdinalEncoder":
            transformer.set_params(encoded_missing_value=-1)
        data = Data(data.rows[["Größe", "label"]], data.classes, data.two, data.values)
        return make_pipeline(transformer, LogisticRegression()).fit(data.rows, data.two), data
    data = numbers(
        _SEED, positive=True, missing=name in {"MissingIndicator", "SimpleImputer", "KNNImputer", "IterativeImputer"}
    )
    return make_pipeline(transformer, LogisticRegression()).fit(data.rows, data.two), data


_FORMS: dict[str, Callable[[str, Any], tuple[Any, Data]]] = {
    "numbers": _alone,
    "missing": _with_missing,
    "pipeline": _in_pipeline,
    "transformer": _before_model,
}


def _target(name: str, model: Any, data: Data) -> Any:
    if name in {"FixedThresholdClassifier", "TunedThresholdClassifierCV"}:
        return data.two
    if name.startswith("MultiTask") or name in {"MultiOutputRegressor", "RegressorChain"}:
        return np.stack([data.values, -data.values], axis=1)
    if is_regressor(model):
        positive = name.endswith(_POSITIVE)
        return np.abs(data.values) + 0.1 if positive else data.values
    if name in {"ClassifierChain", "MultiOutputClassifier"}:
        return np.stack([data.two, 3 - data.two], axis=1) - 1
    return data.two if len(name) % 2 else data.classes


def _text_cases() -> Iterator[Case]:
    vectorizers: dict[str, Any] = {
        "CountVectorizer": CountVectorizer(),
        "TfidfVectorizer, pairs of words": TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, stop_words=["the"]),
        "TfidfVectorizer, characters": TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), strip_accents="unicode"),
        "HashingVectorizer": HashingVectorizer(n_features=256),
    }
    for name, vectorizer in vectorizers.items():
        yield Case(name, "texts", _text_maker(vectorizer))


def _text_maker(vectorizer: Any) -> Callable[[], tuple[Any, Data]]:
    def make() -> tuple[Any, Data]:
        data = texts(_SEED)
        columns = make_column_transformer((vectorizer, "text"))
        return make_pipeline(columns, LogisticRegression()).fit(data.rows, data.two), data

    return make
