"""A model that is loaded when it is first needed, and stays loaded."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from offpath.contracts.errors import OffpathError
from offpath.retry import CircuitBreaker, CircuitOpen
from prediction_api.errors import ModelUnavailable
from prediction_api.inputs.batch import Batch, Outputs

# What cannot be loaded is not fetched again for every request that asks for it.
CIRCUIT_SECONDS = 5.0


class Runnable(Protocol):
    """A loaded model."""

    def run(self, batch: Batch) -> Outputs:
        """Return the model's outputs, by one call."""


class OnDemand:
    """A model that is loaded by the first request for it: until then it takes no memory, and no time at the start."""

    def __init__(self, load: Callable[[], Runnable], clock: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._problem = "the model cannot be loaded"
        self._circuit = CircuitBreaker(clock, CIRCUIT_SECONDS)
        self._lock = threading.Lock()
        self._model: Runnable | None = None

    def prepare(self) -> None:
        """Load the model, if it is not loaded. Raises OffpathError."""
        self._prepared()

    def run(self, batch: Batch) -> Outputs:
        """Return the model's outputs. Raises ModelUnavailable where it cannot be loaded."""
        return (self._model or self._prepared_for_request()).run(batch)

    def _prepared_for_request(self) -> Runnable:
        try:
            return self._circuit.call(self._prepared)
        except CircuitOpen as error:
            raise ModelUnavailable(self._problem) from error
        except OffpathError as error:
            self._problem = f"the model cannot be loaded: {error}"
            raise ModelUnavailable(self._problem) from error

    def _prepared(self) -> Runnable:
        with self._lock:
            if self._model is None:
                self._model = self._load()
            return self._model
