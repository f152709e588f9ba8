"""The differences between prediction routes: how a request is read, and how predictions are formatted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from prediction_api.inputs.batch import Batch, Outputs
from prediction_api.models.served import ServedModel


@dataclass(frozen=True, slots=True)
class PredictionRequest:
    """A request for predictions. model: its name. headers: by names in lower case."""

    model: str
    body: bytes
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FormattedPredictions:
    """Predictions, ready to be written as JSON. label: that of a classification's only record."""

    predictions: object
    label: str | None


class PredictionProtocol(Protocol):
    """Reads requests and formats predictions. It keeps nothing of a request."""

    def trace_inputs(self, request: PredictionRequest) -> str:
        """Return the body as the JSON text that the trace shows, or as it is where it is no JSON."""

    def read(self, served: ServedModel, request: PredictionRequest) -> Batch:
        """Return the model's inputs. Raises PredictionApiError."""

    def format(self, served: ServedModel, outputs: Outputs, records: int) -> FormattedPredictions:
        """Return the predictions as the answer has them. Raises ValueError for outputs of another form."""
