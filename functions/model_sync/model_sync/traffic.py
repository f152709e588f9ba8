"""Tags of a registered model say which share of its requests each alias answers.

`offpath.weight.<alias>` is a whole number of percent; what the others leave is the champion's, whose own tag may be
left out. `offpath.shadow` names aliases, with commas between them, that predict after the response what others
answered.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from offpath.contracts.errors import OffpathError
from offpath.contracts.model_manifest import ModelVersion, RegisteredModel, Unreadable, Weight
from offpath.contracts.names import CHAMPION

WEIGHT = "offpath.weight."
SHADOW = "offpath.shadow"
WHOLE = 100


class TagUnusable(OffpathError):
    """A tag that says nothing usable of the traffic; the message is for the person who set it."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """weights: alias → percent, together 100. shadows: aliases."""

    weights: Mapping[str, int]
    shadows: Collection[str] = ()

    def among(self, served: Collection[str]) -> "Traffic":
        """The same where only these aliases are served: the champion has the shares of the others."""
        if CHAMPION not in served:
            return self
        weights = {alias: weight for alias, weight in self.weights.items() if alias in served}
        others = sum(weight for alias, weight in weights.items() if alias != CHAMPION)
        return Traffic(weights | {CHAMPION: WHOLE - others}, self.shadows)

    def given_to(self, alias: str, version: ModelVersion) -> ModelVersion:
        """The manifest's entry with this alias' share."""
        return version.model_copy(update={"weight": self.weights.get(alias, 0), "shadow": alias in self.shadows})


def traffic_of(aliases: Collection[str], tags: Mapping[str, str]) -> Traffic:
    """The shares of these aliases. Raises TagUnusable."""
    return Traffic(_weights(aliases, tags), _shadows(aliases, tags))


def previous_traffic(aliases: Collection[str], before: RegisteredModel) -> Traffic:
    """Return the shares that the aliases had; all to the champion, where these are not whole any more.

    An alias whose entry cannot be read has the share that its entry names, or else what the others leave.
    """
    named = {alias: _named(before.unreadable[alias]) for alias in aliases if alias in before.unreadable}
    shares = {alias: _share(before.aliases[alias]) for alias in aliases if alias in before.aliases} | named
    shadows = [alias for alias, share in shares.items() if share.shadow]
    weights = {alias: share.weight or 0 for alias, share in shares.items()}
    if named and sum(weights.values()) != WHOLE:
        unknown = [alias for alias, share in named.items() if share.weight is None]
        weights |= _rest(weights, unknown or [*named])
    return Traffic(weights if sum(weights.values()) == WHOLE else {CHAMPION: WHOLE}, shadows)


class _Share(BaseModel):
    """Hold the fields of an entry that say what its alias answers. weight: None where the entry names none."""

    weight: Weight | None = None
    shadow: bool = False


def _share(version: ModelVersion) -> _Share:
    return _Share(weight=version.weight, shadow=version.shadow)


def _rest(weights: Mapping[str, int], unknown: Sequence[str]) -> dict[str, int]:
    """Return the shares of aliases whose shares are not known: the first one has what the others leave."""
    known = sum(weight for alias, weight in weights.items() if alias not in unknown)
    return dict.fromkeys(unknown, 0) | {unknown[0]: max(0, WHOLE - known)}


def _named(entry: Unreadable) -> _Share:
    """Return the share that an unreadable entry names; none, where that cannot be read either."""
    try:
        return _Share.model_validate(entry.content)
    except ValidationError:
        return _Share()


def _weights(aliases: Collection[str], tags: Mapping[str, str]) -> dict[str, int]:
    weights = dict(_tagged(aliases, tags))
    others = sum(weight for alias, weight in weights.items() if alias != CHAMPION)
    rest = weights.setdefault(CHAMPION, max(0, WHOLE - others))
    if others + rest != WHOLE:
        said = ", ".join(f"{WEIGHT}{alias} {weight}" for alias, weight in sorted(weights.items()))
        raise TagUnusable(
            f"the weights are {others + rest} % together ({said}), expected {WHOLE}: leave out the tag of "
            f"{CHAMPION}, which gets the rest"
        )
    return weights


def _tagged(aliases: Collection[str], tags: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    for key, text in sorted(tags.items()):
        if key.startswith(WEIGHT):
            alias = key.removeprefix(WEIGHT)
            _check_alias(key, alias, aliases)
            yield alias, _percent(key, text)


def _percent(key: str, text: str) -> int:
    number = text.strip().removesuffix("%").strip()
    # Python refuses to read thousands of digits, and a tag has room for them.
    if not number.isdecimal() or len(number) > len(str(WHOLE)) or int(number) > WHOLE:
        raise TagUnusable(f"the tag {key} is {text[:40]!r}, expected a whole number of percent from 0 to {WHOLE}")
    return int(number)


def _shadows(aliases: Collection[str], tags: Mapping[str, str]) -> list[str]:
    names = [name.strip() for name in tags.get(SHADOW, "").split(",") if name.strip()]
    for name in names:
        _check_alias(SHADOW, name, aliases)
    return names


def _check_alias(key: str, alias: str, aliases: Collection[str]) -> None:
    if alias not in aliases:
        raise TagUnusable(f"the tag {key} names the alias {alias!r}; there are: {', '.join(sorted(aliases))}")
