"""The models that this process serves: an immutable snapshot, swapped whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from offpath.contracts.names import CHAMPION
from prediction_api.errors import ModelUnavailable, PredictionApiError, UnknownModel
from prediction_api.models.served import ServedModel
from prediction_api.models.variants import Variants


@dataclass(frozen=True, slots=True)
class Catalog:
    """All models by name. problem: why the manifest could not be read, or empty."""

    models: Mapping[str, Variants] = field(default_factory=dict)
    problem: str = ""

    @property
    def champions(self) -> list[ServedModel]:
        """The champion of each model, if it can be served, by the model's name."""
        found = (variants.champion for _, variants in sorted(self.models.items()))
        return [champion for champion in found if champion]

    def find(self, name: str) -> Variants:
        """Return the model of that name. Raises UnknownModel, or ModelUnavailable while no model is known."""
        variants = self.models.get(name)
        if variants is None:
            raise self._unknown(name)
        return variants

    def _unknown(self, name: str) -> PredictionApiError:
        if not self.models and self.problem:
            return ModelUnavailable(f"no model can be served: {self.problem}")
        names = sorted(self.models)
        there_are = f"there are: {', '.join(names)}" if names else f"none is registered with the alias {CHAMPION} yet"
        return UnknownModel(f"there is no model {name!r}; {there_are}", names)
