"""A model that is loaded when it is needed, and then stays."""

import threading
from collections.abc import Callable
from typing import Protocol

from offpath.errors import OffpathError
from prediction_api.batch import Batch, Outputs
from prediction_api.problems import unavailable


class Runnable(Protocol):
    """A loaded model."""

    def run(self, batch: Batch) -> Outputs:
        """The model's outputs, by one call."""


class OnDemand:
    """A model that nobody may ever ask for: it takes no memory, and no time at the start, until somebody does."""

    def __init__(self, load: Callable[[], Runnable]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._model: Runnable | None = None

    def prepare(self) -> None:
        """Load the model, if it is not loaded. Raises what loading it does, an OffpathError."""
        self._prepared()

    def run(self, batch: Batch) -> Outputs:
        """The model's outputs. Raises Problem, 503 for a model that cannot be loaded."""
        return (self._model or self._prepared_for_request()).run(batch)

    def _prepared_for_request(self) -> Runnable:
        try:
            return self._prepared()
        except OffpathError as error:
            raise unavailable(f"the model cannot be loaded: {error}") from error

    def _prepared(self) -> Runnable:
        with self._lock:
            if self._model is None:
                self._model = self._load()
            return self._model
