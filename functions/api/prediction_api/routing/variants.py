"""The aliases of one model, and which of them answers a request."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from offpath.contracts.model_manifest import SERVED_ALIAS
from prediction_api.errors import ModelUnavailable, UnknownVariant
from prediction_api.models.served import FailedModel, ServedModel
from prediction_api.routing.model_selector import ModelSelector
from prediction_api.routing.traffic_split import pick


@dataclass(frozen=True, slots=True)
class Variants:
    """A model's aliases, the champion and those that cannot be served among them.

    weights: alias → share of the traffic, of those that have one. shadows: what predicts behind the response.
    """

    name: str
    by_alias: Mapping[str, ServedModel | FailedModel]
    weights: Mapping[str, int]
    shadows: tuple[ServedModel, ...]

    @property
    def main(self) -> ServedModel | None:
        """The champion, which stands for the model where it is listed, if it can be served."""
        champion = self.by_alias.get(SERVED_ALIAS)
        return champion if isinstance(champion, ServedModel) else None

    @property
    def served(self) -> list[ServedModel]:
        """What can be asked for, by alias."""
        return [variant for _, variant in sorted(self.by_alias.items()) if isinstance(variant, ServedModel)]

    @property
    def problems(self) -> dict[str, str]:
        """Alias → what is wrong with it."""
        return {alias: variant.problem for alias, variant in self.by_alias.items() if variant.problem}

    def select(self, selector: ModelSelector) -> ServedModel:
        """What answers a request. Raises UnknownVariant or ModelUnavailable."""
        if selector.alias is not None:
            return self._asked(self.by_alias.get(selector.alias), f"alias {selector.alias!r}")
        if selector.version is not None:
            return self._asked(self._of_version(selector.version), f"version {selector.version!r}")
        return self._routed(selector.session_id)

    def _routed(self, session_id: str | None) -> ServedModel:
        """By the weights; the champion answers for an alias that cannot be served."""
        drawn = self.by_alias.get(self._drawn(session_id))
        if isinstance(drawn, ServedModel):
            return drawn
        return self._asked(self.by_alias.get(SERVED_ALIAS), f"alias {SERVED_ALIAS!r}")

    def _drawn(self, session_id: str | None) -> str:
        key = session_id or (secrets.token_hex(8) if len(self.weights) > 1 else "")
        return pick(self.weights, key) or SERVED_ALIAS

    def _of_version(self, number: str) -> ServedModel | None:
        return next((variant for variant in self.served if variant.version.number == number), None)

    def _asked(self, variant: ServedModel | FailedModel | None, what: str) -> ServedModel:
        match variant:
            case ServedModel():
                return variant
            case FailedModel(problem=problem):
                raise ModelUnavailable(f"model {self.name!r}, {what}, cannot be served: {problem}")
            case None:
                there_are = ", ".join(map(_named, self.by_alias.values()))
                raise UnknownVariant(f"model {self.name!r} has no {what}; there are: {there_are}")


def variants_of(name: str, by_alias: Mapping[str, ServedModel | FailedModel]) -> Variants:
    """The aliases with what follows from them for every request."""
    weights = {alias: _weight(variant) for alias, variant in by_alias.items() if _weight(variant)}
    shadows = (variant for variant in by_alias.values() if isinstance(variant, ServedModel) and variant.version.shadow)
    return Variants(name, by_alias, weights, tuple(shadows))


def _weight(variant: ServedModel | FailedModel) -> int:
    return variant.version.weight if isinstance(variant, ServedModel) else variant.weight


def _named(variant: ServedModel | FailedModel) -> str:
    number = f"version {variant.version.number}" if isinstance(variant, ServedModel) else "cannot be served"
    return f"{variant.alias} ({number})"
