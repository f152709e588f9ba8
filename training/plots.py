"""Draw how good a model is on held-out rows, without a display and without pyplot's global state."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix as count_confusions


def confusion_matrix(expected: Any, predicted: Any, labels: Sequence[str]) -> Figure:
    """Draw how many rows of each class were given which label."""
    counts = count_confusions(expected, predicted, labels=range(len(labels)))
    figure = _figure(5.5, 4.5)
    axes = figure.subplots()
    image = axes.imshow(counts, cmap="Blues", vmin=0)
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if count > counts.max() / 2 else "black"
        axes.text(column, row, f"{count}", ha="center", va="center", color=color)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="predicted", ylabel="true", title=f"Confusion matrix of {counts.sum()} held-out rows")
    figure.colorbar(image, label="rows")
    return figure


def residuals(expected: Any, predicted: Any) -> Figure:
    """Draw predicted against true values, and the differences between them."""
    true, given = np.asarray(expected, dtype=float), np.asarray(predicted, dtype=float)
    figure = _figure(10, 4.5)
    left, right = figure.subplots(1, 2)
    ends = [min(true.min(), given.min()), max(true.max(), given.max())]
    left.plot(ends, ends, color="grey", linewidth=1)
    left.scatter(true, given, s=8, alpha=0.4)
    left.set(xlabel="true", ylabel="predicted", title=f"{len(true)} held-out rows")
    right.axhline(0, color="grey", linewidth=1)
    right.scatter(given, true - given, s=8, alpha=0.4)
    right.set(xlabel="predicted", ylabel="true minus predicted", title="Residuals")
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure
