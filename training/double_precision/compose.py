"""Pipelines, and transformers side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from training.double_precision.convert import (
    Classified,
    NotWritten,
    Table,
    classifies,
    classify,
    regress,
    regresses,
    transform,
    transforms,
)
from training.double_precision.graph import Value
from training.recipe import Estimator


def _before_last(estimator: Estimator, table: Table) -> Table:
    for _, step in estimator.steps[:-1]:
        if step is not None and step != "passthrough":
            table = transform(step, table)
    return table


@regresses("Pipeline")
def _regressed(estimator: Estimator, table: Table) -> Value:
    return regress(estimator.steps[-1][1], _before_last(estimator, table))


@classifies("Pipeline")
def _classified(estimator: Estimator, table: Table) -> Classified:
    return classify(estimator.steps[-1][1], _before_last(estimator, table))


@transforms("Pipeline")
def _transformed(estimator: Estimator, table: Table) -> Table:
    last = estimator.steps[-1][1]
    table = _before_last(estimator, table)
    return table if last is None or last == "passthrough" else transform(last, table)


@regresses("FrozenEstimator")
def _frozen_regressor(estimator: Estimator, table: Table) -> Value:
    return regress(estimator.estimator, table)


@classifies("FrozenEstimator")
def _frozen_classifier(estimator: Estimator, table: Table) -> Classified:
    return classify(estimator.estimator, table)


@transforms("FrozenEstimator")
def _frozen_transformer(estimator: Estimator, table: Table) -> Table:
    return transform(estimator.estimator, table)


@transforms("ColumnTransformer")
def _columns(estimator: Estimator, table: Table) -> Table:
    chosen, weights = estimator._transformer_to_input_indices, estimator.transformer_weights or {}
    position = _positions(estimator, table)
    parts = []
    for name, part, _ in estimator.transformers_:
        is_dropped = isinstance(part, str) and part == "drop"
        indexes = [] if is_dropped else [position(at) for at in chosen[name]]
        if not indexes:
            continue
        selected = table.select(indexes)
        found = selected if isinstance(part, str) and part == "passthrough" else transform(part, selected)
        parts.append(_weighted(found, weights.get(name)))
    return side_by_side(parts, table)


def _weighted(table: Table, weight: float | None) -> Table:
    """Return the table times a weight, where there is one."""
    return table if weight is None else table.of(table.matrix * float(weight), table.width)


def _positions(estimator: Estimator, table: Table) -> Callable[[int], int]:
    """Return where the table has a column, by its number in the training: some that no part takes may be gone."""
    names = list(getattr(estimator, "feature_names_in_", ()))
    given = list(table.names)
    if not names or names == given or not set(names) & set(given):
        return int

    def position(at: int) -> int:
        if names[at] not in given:
            raise NotWritten(f"a ColumnTransformer whose column {names[at]!r} is not in the signature")
        return given.index(names[at])

    return position


@transforms("FeatureUnion")
def _union(estimator: Estimator, table: Table) -> Table:
    weights = estimator.transformer_weights or {}
    parts = []
    for name, part in estimator.transformer_list:
        if isinstance(part, str) and part == "drop":
            continue
        found = table if isinstance(part, str) else transform(part, table)
        parts.append(_weighted(found, weights.get(name)))
    return side_by_side(parts, table)


def side_by_side(parts: list[Table], table: Table) -> Table:
    """Return the columns of all the tables, in their order."""
    if not parts:
        raise NotWritten("a ColumnTransformer or FeatureUnion without a part")
    if len(parts) == 1:
        return parts[0]
    if any(part.texts for part in parts):
        pairs = list(_each(parts))
        texts = frozenset(at for at, (_, is_text) in enumerate(pairs) if is_text)
        names = [f"x{at}" for at in range(len(pairs))]
        return Table(table.graph, names, [column for column, _ in pairs], texts)
    width = sum(part.width for part in parts)
    joined = table.graph.concat([part.matrix for part in parts])
    return table.of(joined, width, single=all(part.single for part in parts))


def _each(parts: list[Table]) -> Iterator[tuple[Value, bool]]:
    for part in parts:
        for at in range(part.width):
            yield part.column(at), at in part.texts
