"""An estimator over texts: their vectors, and a head that learns from these."""

from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from training.recipes.recipe import Estimator, Frame, Progress


class Vectors(Protocol):
    """Texts to vectors. network, tokenizer: what makes them, for another form of it."""

    network: Any
    tokenizer: Any

    def embed(self, texts: Any, progress: Progress) -> NDArray[np.float32]:
        """A vector a text."""


class TextClassifier:
    """Scikit-learn's verbs over a data frame with a column of texts. progress: of whatever runs texts through."""

    def __init__(self, column: str, embedder: Vectors, head: Estimator) -> None:
        self.embedder, self.head = embedder, head
        self.progress: Progress = lambda _done, _total: None
        self._column = column

    def fit(self, rows: Frame, target: Any) -> Self:
        """Fit the head."""
        self.head.fit(self._vectors(rows), target)
        return self

    def predict(self, rows: Frame) -> NDArray[np.int64]:
        """A class index a row."""
        labels: NDArray[np.int64] = self.head.predict(self._vectors(rows))
        return labels

    def predict_proba(self, rows: Frame) -> NDArray[np.float64]:
        """Probabilities, [rows, classes]."""
        probabilities: NDArray[np.float64] = self.head.predict_proba(self._vectors(rows))
        return probabilities

    def _vectors(self, rows: Frame) -> NDArray[np.float32]:
        return self.embedder.embed(rows[self._column], self.progress)
