"""Pictures of how good a model is."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from training.plots import confusion_matrix, residuals


def drawn(figure: Figure) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    sink = io.BytesIO()
    figure.savefig(sink, format="png")
    sink.seek(0)
    picture: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = imread(sink)
    return picture


def test_a_confusion_matrix_tells_rows_by_true_and_predicted_label() -> None:
    figure = confusion_matrix([0, 0, 0, 1, 1], [0, 0, 1, 1, 1], ["bad", "good"])
    axes = figure.axes[0]
    assert {(text.get_position(), text.get_text()) for text in axes.texts} == {
        ((0, 0), "2"),
        ((1, 0), "1"),
        ((0, 1), "0"),
        ((1, 1), "2"),
    }
    assert [label.get_text() for label in axes.get_yticklabels()] == ["bad", "good"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    assert drawn(figure).std() > 0.1


def test_residuals_are_true_minus_predicted_values() -> None:
    figure = residuals([1, 2, 4], [1.5, 2.0, 3.0])
    left, right = figure.axes
    assert np.asarray(left.collections[0].get_offsets()).tolist() == [[1, 1.5], [2, 2], [4, 3]]
    assert np.asarray(right.collections[0].get_offsets()).tolist() == [[1.5, -0.5], [2, 0], [3, 1]]
    assert drawn(figure).shape[:2] == pytest.approx((540, 1200))
