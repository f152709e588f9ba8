"""Tests how far two versions agree."""

from typing import Any

import pytest

from prediction_api.shadow_agreement import Agreement, compare_predictions


def labels(*names: str) -> list[dict[str, Any]]:
    return [{"label": name, "class_index": 0} for name in names]


def values(*numbers: Any) -> list[dict[str, Any]]:
    return [{"value": number} for number in numbers]


def test_labels_agree_where_they_are_the_same() -> None:
    assert compare_predictions(labels("a", "b", "a", "a"), labels("a", "a", "a", "b")) == Agreement(0.5)


def test_values_agree_within_a_hundredth_and_have_a_difference() -> None:
    assert compare_predictions(values(100.0, 100.0), values(100.5, 104.0)) == Agreement(0.5, 2.25)
    assert compare_predictions(values(0.0), values(0.0)) == Agreement(1.0, 0.0)
    assert compare_predictions(values([1.0, 2.0]), values([1.0, 3.0])) == Agreement(0.0, 0.5)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([], []),
        (labels("a"), labels("a", "b")),
        (labels("a"), values(1.0)),
        (values(1.0), values([1.0, 2.0])),
        (values([1.0], [1.0, 2.0]), values([1.0], [1.0, 2.0])),
    ],
)
def test_what_cannot_be_compared_has_none(one: Any, other: Any) -> None:
    assert compare_predictions(one, other) is None
