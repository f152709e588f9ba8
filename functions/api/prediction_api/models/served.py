"""One version of a model, under one of its aliases."""

from dataclasses import dataclass
from typing import Protocol

from pydantic import JsonValue

from offpath.contracts.model_manifest import ModelVersion
from prediction_api.inputs.batch import Batch, Outputs


class Predictor(Protocol):
    """A model that is loaded, or will be."""

    def prepare(self) -> None:
        """Load the model, if it is not loaded. Raises OffpathError."""

    def run(self, batch: Batch) -> Outputs:
        """Return the model's outputs, by one call. Raises InvalidInputs for inputs that it does not take."""


class InputSchema(Protocol):
    """The inputs that a request may hold for one model."""

    def read(self, body: bytes) -> Batch:
        """Return the inputs in a request body. Raises PredictionApiError."""

    def inputs_schema(self, name: str) -> dict[str, JsonValue]:
        """Return the JSON schema of the field `inputs`, for the model of that name."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A version that answers under an alias. problem: why a newer version is not the one served, or empty."""

    name: str
    alias: str
    version: ModelVersion
    predictor: Predictor
    schema: InputSchema
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FailedModel:
    """A version in the manifest that cannot be served. weight: its share of the traffic, in percent."""

    name: str
    alias: str
    problem: str
    weight: int = 0
