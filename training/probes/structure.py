"""Find in a fitted model what its answers turn on: thresholds, categories, words.

It is looked for in all that the estimator holds, whatever it is called there, and used as values of any column: a value
that means nothing to a column is a probe, too.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_MOST_OBJECTS = 20_000
_DEPTH = 12


@dataclass(slots=True)
class Structure:
    """Hold what was found.

    numbers: thresholds, bins. by_feature: thresholds of trees, by the number of their feature. texts: categories.
    words: parts of texts. categories: those that are numbers. missing: the kinds of missing text that encoders learnt,
    None or NaN. filled: those that imputers fill. has_neighbours: whether it compares records with those that it learnt
    from, by their distance.
    """

    numbers: set[float] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    categories: set[float] = field(default_factory=set)
    missing: list[float | None] = field(default_factory=list)
    filled: list[float | None] = field(default_factory=list)
    by_feature: dict[int, set[float]] = field(default_factory=dict)
    has_neighbours: bool = False

    @property
    def is_smooth(self) -> bool:
        """Return whether no thresholds were found."""
        return not self.by_feature and not self.numbers


def structure_of(model: Any) -> Structure:
    """Return what an estimator, or a Booster, turns on."""
    found = Structure()
    for one in _inner(model):
        _read_trees(one, found)
        found.has_neighbours |= hasattr(one, "kneighbors") or hasattr(one, "centroids_")
        _read_imputer(one, found)
        for categories in _lists(getattr(one, "categories_", None)):
            _read_categories(categories, found)
        vocabulary = getattr(one, "vocabulary_", None)
        if isinstance(vocabulary, Mapping):
            found.words.update(str(word) for word in list(vocabulary)[:_MOST_OBJECTS])
        for edges in _lists(getattr(one, "bin_edges_", None)):
            found.numbers.update(_finite(edges))
    _read_booster(model, found)
    return found


def _inner(model: Any) -> Iterator[Any]:
    """Yield the model and the estimators within it, fitted ones above all."""
    waiting, seen = [(model, 0)], {id(model)}
    while waiting and len(seen) < _MOST_OBJECTS:
        one, depth = waiting.pop()
        yield one
        if depth < _DEPTH:
            for inner in _children(one):
                if id(inner) not in seen:
                    seen.add(id(inner))
                    waiting.append((inner, depth + 1))


def _children(one: Any) -> Iterator[Any]:
    values: Iterable[Any] = vars(one).values() if hasattr(one, "__dict__") else ()
    for value in values:
        yield from _estimators(value, 0)


def _estimators(value: Any, depth: int) -> Iterator[Any]:
    if hasattr(value, "get_params") or (type(value).__module__.startswith("sklearn.") and hasattr(value, "__dict__")):
        yield value
    elif isinstance(value, list | tuple | np.ndarray) and depth < 3 and not _is_plain(value):
        for inner in value:
            yield from _estimators(inner, depth + 1)
    elif isinstance(value, Mapping) and depth < 3:
        for inner in value.values():
            yield from _estimators(inner, depth + 1)


def _is_plain(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype != np.object_


def _read_trees(one: Any, found: Structure) -> None:
    tree: Any = getattr(one, "tree_", None)
    if hasattr(tree, "threshold") and hasattr(tree, "feature"):
        for feature, threshold in zip(tree.feature, tree.threshold, strict=True):
            if feature >= 0 and np.isfinite(threshold):
                found.by_feature.setdefault(int(feature), set()).add(float(threshold))
    for node in _histogram_nodes(one):
        if not node["is_leaf"] and np.isfinite(node["num_threshold"]):
            found.by_feature.setdefault(int(node["feature_idx"]), set()).add(float(node["num_threshold"]))


def _histogram_nodes(one: Any) -> Iterator[Any]:
    for iteration in getattr(one, "_predictors", None) or ():
        for predictor in iteration:
            yield from predictor.nodes


def _read_imputer(one: Any, found: Structure) -> None:
    """Read what an imputer of texts takes for missing, where no encoder learnt it."""
    statistics, missing = getattr(one, "statistics_", None), getattr(one, "missing_values", "")
    if statistics is not None and any(isinstance(value, str) for value in statistics):
        found.filled.append(None if missing is None else float("nan"))


def _read_categories(categories: Any, found: Structure) -> None:
    for value in list(categories)[:_MOST_OBJECTS]:
        if value is None or (isinstance(value, float) and np.isnan(value)):
            found.missing.append(None if value is None else float("nan"))
        elif isinstance(value, str):
            found.texts.add(value)
        elif isinstance(value, bool | int | float | np.number | np.bool_):
            found.categories.add(float(value))


def _read_booster(model: Any, found: Structure) -> None:
    """Read the thresholds of XGBoost and LightGBM from what they write as text."""
    for one in [model, *(step for _, step in getattr(model, "steps", ()))]:
        module = type(one).__module__.partition(".")[0]
        if module == "xgboost":
            booster = one.get_booster() if hasattr(one, "get_booster") else one
            for tree in booster.get_dump():
                for number in re.findall(r"<([-+\d.eE]+)\]", tree):
                    found.numbers.add(float(number))
        elif module == "lightgbm":
            booster = getattr(one, "booster_", one)
            for line in re.findall(r"^threshold=(.*)$", booster.model_to_string(), re.MULTILINE):
                found.numbers.update(_finite(map(float, line.split())))


def _lists(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple | np.ndarray) else ()


def _finite(values: Iterable[Any]) -> list[float]:
    return [float(value) for value in values if np.isfinite(value)]
