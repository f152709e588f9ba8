"""The aliases of one model, and which of them answers a request."""

from collections.abc import Mapping
from dataclasses import dataclass

from offpath.contracts.names import CHAMPION
from prediction_api.errors import ModelUnavailable, UnknownVariant
from prediction_api.models.served import FailedModel, ServedModel
from prediction_api.routing.model_selector import ModelSelector
from prediction_api.routing.traffic_split import pick_for_session


@dataclass(frozen=True, slots=True)
class Variants:
    """A model's aliases, the champion and those that cannot be served among them.

    weights: alias → share of the traffic, of those that have one. shadows: versions that predict in the background.
    """

    name: str
    by_alias: Mapping[str, ServedModel | FailedModel]
    weights: Mapping[str, int]
    shadows: tuple[ServedModel, ...]

    @property
    def champion(self) -> ServedModel | None:
        """The champion, if it can be served."""
        champion = self.by_alias.get(CHAMPION)
        return champion if isinstance(champion, ServedModel) else None

    @property
    def served(self) -> list[ServedModel]:
        """The versions that can be asked for, by alias."""
        return [variant for _, variant in sorted(self.by_alias.items()) if isinstance(variant, ServedModel)]

    @property
    def problems(self) -> dict[str, str]:
        """The problem of each alias that has one."""
        return {alias: variant.problem for alias, variant in self.by_alias.items() if variant.problem}

    def select(self, selector: ModelSelector) -> ServedModel:
        """Return the version that answers a request. Raises UnknownVariant or ModelUnavailable."""
        if selector.alias is not None:
            return self._serving(self.by_alias.get(selector.alias), f"alias {selector.alias!r}")
        if selector.version is not None:
            return self._serving(self._of_version(selector.version), f"version {selector.version!r}")
        return self._by_weight(selector.session_id)

    def _by_weight(self, session_id: str | None) -> ServedModel:
        """Return the traffic split's pick, or the champion in place of an alias that cannot be served."""
        picked = self.by_alias.get(pick_for_session(self.weights, session_id) or CHAMPION)
        if isinstance(picked, ServedModel):
            return picked
        return self._serving(self.by_alias.get(CHAMPION), f"alias {CHAMPION!r}")

    def _of_version(self, number: str) -> ServedModel | None:
        return next((variant for variant in self.served if variant.version.number == number), None)

    def _serving(self, variant: ServedModel | FailedModel | None, asked: str) -> ServedModel:
        match variant:
            case ServedModel():
                return variant
            case FailedModel(problem=problem):
                raise ModelUnavailable(f"model {self.name!r}, {asked}, cannot be served: {problem}")
            case None:
                there_are = ", ".join(map(_describe, self.by_alias.values()))
                raise UnknownVariant(f"model {self.name!r} has no {asked}; there are: {there_are}")


def variants_of(name: str, by_alias: Mapping[str, ServedModel | FailedModel]) -> Variants:
    """Return the aliases, with the weights and shadows that every request needs."""
    weights = {alias: _weight(variant) for alias, variant in by_alias.items() if _weight(variant)}
    shadows = (variant for variant in by_alias.values() if isinstance(variant, ServedModel) and variant.version.shadow)
    return Variants(name, by_alias, weights, tuple(shadows))


def _weight(variant: ServedModel | FailedModel) -> int:
    return variant.version.weight if isinstance(variant, ServedModel) else variant.weight


def _describe(variant: ServedModel | FailedModel) -> str:
    number = f"version {variant.version.number}" if isinstance(variant, ServedModel) else "cannot be served"
    return f"{variant.alias} ({number})"
