"""An estimator over texts: an embedder makes vectors of them, and a head learns from these."""

from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from training.callbacks import ReportProgress, ignore_progress
from training.recipe import Estimator, Frame


class TextEmbedder(Protocol):
    """Make vectors of texts. network, tokenizer: the parts that the ONNX form is made of."""

    network: Any
    tokenizer: Any

    def embed(self, texts: Any, progress: ReportProgress) -> NDArray[np.float32]:
        """Return a vector for each text."""


class TextClassifier:
    """A classifier with scikit-learn's methods, over a data frame with a column of texts.

    progress: is called whenever texts are embedded.
    """

    def __init__(self, column: str, embedder: TextEmbedder, head: Estimator) -> None:
        self.embedder, self.head = embedder, head
        self.progress: ReportProgress = ignore_progress
        self._column = column

    def fit(self, rows: Frame, target: Any) -> Self:
        """Fit the head."""
        self.head.fit(self._vectors(rows), target)
        return self

    def predict(self, rows: Frame) -> NDArray[np.int64]:
        """Return a class index for each row."""
        labels: NDArray[np.int64] = self.head.predict(self._vectors(rows))
        return labels

    def predict_proba(self, rows: Frame) -> NDArray[np.float64]:
        """Return probabilities, [rows, classes]."""
        probabilities: NDArray[np.float64] = self.head.predict_proba(self._vectors(rows))
        return probabilities

    def _vectors(self, rows: Frame) -> NDArray[np.float32]:
        return self.embedder.embed(rows[self._column], self.progress)
