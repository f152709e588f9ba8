"""Raw outputs become predictions, whichever of them a model gives."""

from typing import Any

import numpy as np
import pytest

from prediction_api.format_predictions import format_classes, format_values

LABELS = ("no", "yes")


def test_probabilities_decide_and_are_named() -> None:
    outputs = [np.array([1, 0]), np.array([[0.25, 0.75], [1.0, 0.0]], np.float32)]
    assert format_classes(outputs, LABELS) == [
        {"label": "yes", "class_index": 1, "probabilities": {"no": 0.25, "yes": 0.75}},
        {"label": "no", "class_index": 0, "probabilities": {"no": 1.0, "yes": 0.0}},
    ]


def test_classes_without_names_are_numbered() -> None:
    [answer] = format_classes([np.array([[0.0, 1.0]], np.float32)], ())
    assert answer == {"label": "1", "class_index": 1, "probabilities": {"0": 0.0, "1": 1.0}}


@pytest.mark.parametrize(
    ("output", "labels", "expected"),
    [
        (np.array([1]), LABELS, {"label": "yes", "class_index": 1}),
        (np.array([[1]]), (), {"label": "1", "class_index": 1}),
        (np.array(["yes"], object), LABELS, {"label": "yes", "class_index": 1}),
        (np.array([b"yes"]), LABELS, {"label": "yes", "class_index": 1}),
        (np.array(["maybe"], object), LABELS, {"label": "maybe", "class_index": None}),
    ],
)
def test_a_model_without_probabilities_gives_the_class(
    output: Any, labels: tuple[str, ...], expected: dict[str, Any]
) -> None:
    assert format_classes([output], labels) == [expected]


def test_a_classification_without_classes_says_so() -> None:
    with pytest.raises(ValueError, match="neither classes nor probabilities"):
        format_classes([np.array([0.5], np.float32)], LABELS)


@pytest.mark.parametrize("output", [np.array([1.5, 2.0]), np.array([[1.5], [2.0]])])
def test_a_regression_gives_values(output: Any) -> None:
    assert format_values([output], 2) == [{"value": 1.5}, {"value": 2.0}]


def test_a_regression_of_several_values_a_record_gives_lists() -> None:
    output = np.array([[1.5, 2.0], [3.0, 4.0]])
    assert format_values([output], 2) == [{"value": [1.5, 2.0]}, {"value": [3.0, 4.0]}]


def test_an_output_that_does_not_count_the_records_is_none() -> None:
    with pytest.raises(ValueError, match=r"shape \[2, 2\] is not one value for each of 3"):
        format_values([np.ones((2, 2))], 3)


@pytest.mark.parametrize(
    ("given", "labels", "are_indexes", "expected"),
    [
        ([1], ("stays", "leaves"), False, "leaves"),  # a threshold of the model's own
        (["leaves"], ("stays", "leaves"), False, "leaves"),
        ([1], ("1", "2"), True, "2"),
        ([1], ("1", "2"), False, "1"),  # the name of the most probable class
        ([0], ("stays", "leaves"), False, "stays"),
    ],
)
def test_the_named_class_wins_over_the_most_probable(
    given: list[int | str], labels: tuple[str, ...], are_indexes: bool, expected: str
) -> None:
    outputs = [np.array(given, object if isinstance(given[0], str) else np.int64), np.array([[0.8, 0.2]])]
    [answer] = format_classes(outputs, labels, are_indexes=are_indexes)
    assert (answer["label"], answer["class_index"]) == (expected, labels.index(expected))


@pytest.mark.parametrize("index", [-1, 2])
def test_a_class_index_that_no_label_has_is_an_error(index: int) -> None:
    for outputs in ([np.array([index])], [np.array([index]), np.array([[0.8, 0.2]])]):
        with pytest.raises(ValueError, match=f"gives the class index {index}; its 2 labels are a, b"):
            format_classes(outputs, ("a", "b"))
