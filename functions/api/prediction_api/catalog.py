"""The models that this process serves: an immutable snapshot, swapped whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol

from offpath.manifest import SERVED_ALIAS, ModelVersion
from prediction_api.batch import Batch, Outputs
from prediction_api.problems import Problem


class Predictor(Protocol):
    """A loaded model."""

    def run(self, batch: Batch) -> Outputs:
        """The model's outputs, by one call. Raises Problem for inputs that it does not take."""


class InputSchema(Protocol):
    """What a prediction request may hold for one model."""

    def read(self, body: bytes) -> Batch:
        """The inputs in a request body. Raises Problem, naming what is off."""

    def inputs_schema(self, name: str) -> dict[str, Any]:
        """The JSON schema of the field `inputs`, for the model of that name."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model that answers. problem: why a newer version is not the one that is served, or empty."""

    name: str
    alias: str
    version: ModelVersion
    predictor: Predictor
    schema: InputSchema
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FailedModel:
    """A model that is in the manifest and cannot be served."""

    name: str
    problem: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """All models by name. problem: why the manifest could not be read, or empty."""

    models: Mapping[str, ServedModel | FailedModel] = field(default_factory=dict)
    problem: str = ""

    @property
    def served(self) -> list[ServedModel]:
        """The models that answer, by name."""
        return [model for _, model in sorted(self.models.items()) if isinstance(model, ServedModel)]

    def find(self, name: str) -> ServedModel:
        """The model of that name. Raises Problem: 404 for an unknown name, 503 for one that cannot be served now."""
        match self.models.get(name):
            case ServedModel() as model:
                return model
            case FailedModel(problem=problem):
                raise _unavailable(f"model {name!r} cannot be served: {problem}")
            case None:
                raise self._unknown(name)

    def _unknown(self, name: str) -> Problem:
        if not self.models and self.problem:
            return _unavailable(f"no model can be served: {self.problem}")
        names = sorted(self.models)
        there_are = (
            f"there are: {', '.join(names)}" if names else f"none is registered with the alias {SERVED_ALIAS} yet"
        )
        return Problem(HTTPStatus.NOT_FOUND, f"there is no model {name!r}; {there_are}", models=names)


def _unavailable(detail: str) -> Problem:
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"retry-after": "60"})
