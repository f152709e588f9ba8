"""Find out which values the original refuses: missing ones, unknown categories, numbers that are too large."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from offpath.contracts.model_manifest import ColumnLimits
from training.probes.answers import Ask, Record
from training.probes.fields import Field
from training.probes.structure import Structure

# Texts and numbers that no model of a team has as categories.
UNSEEN_TEXT = "\ufdd1 unseen"
_UNSEEN_TEXTS = (UNSEEN_TEXT, "zzz-unseen-qqq 42")
_UNSEEN_NUMBERS = (1234567.0, -7654321.0)
# The largest number of single precision, and powers of ten.
_SINGLE = 3.4028234663852886e38
_LADDER = (1e300, 1e200, 1e150, 1e100, 1e60, _SINGLE, 1e30, 1e19, 1e18, 1e15, 1e12, 1e9, 1e6)
_SMALLEST = 5e-324
_MOST_VALUES = 5_000
_CODES = range(-10, 200)
# Neighbours of a record so far away are all equally far in double precision: which of them count is chance.
_SPREADS = 1e6
# Of more fields than that, a few are tried, and the others as they are.
_FEW = 30


@dataclass(frozen=True, slots=True)
class LimitFinder:
    """Find limits with the original. bases: records that it answers."""

    ask: Ask
    bases: Sequence[Record]
    structure: Structure

    def limited(self, fields: Sequence[Field]) -> list[Field]:
        """Return the fields with what the original refuses.

        A field that may be left out, and that the original refuses to miss, is so no longer.
        """
        if len(fields) <= _FEW:
            return self._together([self._limited(field) for field in fields])
        step = len(fields) // _FEW
        tried = [self._limited(field) for field in fields[::step]]
        limits = {field.limits for field in tried}
        if len(limits) > 1:
            return self._together([self._limited(field) for field in fields])
        same = limits.pop()
        return self._together(
            [replace(field, is_optional=field.is_optional and same.missing, limits=same) for field in fields]
        )

    def _limited(self, field: Field) -> Field:
        missing = self._takes_missing(field)
        values = self._known_values(field)
        least, most = self._range(field) if field.is_number and values is None else (None, None)
        limits = ColumnLimits(values=values, least=least, most=most, missing=missing)
        return replace(field, is_optional=field.is_optional and missing, limits=limits)

    def _takes_missing(self, field: Field) -> bool:
        without = [{name: value for name, value in base.items() if name != field.name} for base in self.bases]
        return any(answer.refused is None for answer in self.ask(without))

    def _takes(self, field: Field, values: Sequence[JsonValue]) -> list[bool]:
        records = [{**self.bases[0], field.name: value} for value in values]
        return [answer.refused is None for answer in self.ask(records)]

    def _known_values(self, field: Field) -> tuple[str | int | float | bool, ...] | None:
        """Return the values that the original knows, if it refuses others; None if it takes any."""
        numbers: list[JsonValue] = [_as(field, one) for one in _UNSEEN_NUMBERS]
        unseen: list[JsonValue] = [*_UNSEEN_TEXTS] if field.type == "string" else numbers
        if field.type == "boolean" or any(self._takes(field, unseen)):
            return None
        candidates = self._candidates(field)
        if field.type != "string" and not _are_whole(candidates) and not self._is_discrete(field):
            return None
        taken = [value for value, good in zip(candidates, self._takes(field, candidates), strict=True) if good]
        known = [value for value in taken if isinstance(value, str | int | float)]
        return tuple(sorted(known, key=lambda value: (isinstance(value, str), value))) or None

    def _is_discrete(self, field: Field) -> bool:
        """Return whether the original refuses a number next to one that it takes: it knows categories, not a range."""
        value = self.bases[0].get(field.name)
        return isinstance(value, int | float) and not any(self._takes(field, [value + 0.123, value - 0.123]))

    def _candidates(self, field: Field) -> list[JsonValue]:
        if field.type == "string":
            found: list[JsonValue] = [*field.examples, *sorted(self.structure.texts)]
        else:
            found = [*field.examples, *(_as(field, number) for number in sorted(self.structure.categories))]
            if _are_whole(found):
                found += [_as(field, code) for code in _CODES]
        kept: list[JsonValue] = list(dict.fromkeys(value for value in found if isinstance(value, str | int | float)))
        return kept[:_MOST_VALUES]

    def _range(self, field: Field) -> tuple[float | None, float | None]:
        steps = [one for one in _LADDER if one <= _bound(field)]
        if not steps:  # a narrow type, all of whose numbers are near
            return None, None
        most, least = self._first(field, steps), self._first(field, [-one for one in steps])
        if least is None and most is not None:  # no number below zero at all
            least = 0.0 if all(self._takes(field, [_as(field, 0.0)])) else _SMALLEST
        if self.structure.has_neighbours:
            near = _near(field)
            least, most = max(-near, least or -near), min(near, most or near)
        return (None if least == -steps[0] else least), (None if most == steps[0] else most)

    def _first(self, field: Field, steps: Sequence[float]) -> float | None:
        return next((step for step in steps if all(self._takes(field, [_as(field, step)]))), None)

    def _together(self, fields: Sequence[Field]) -> list[Field]:
        """Return limits that hold for all numbers at once, where large ones are refused only together."""
        numbers = [field for field in fields if field.is_number and field.limits.values is None]
        for step in _LADDER:
            answers = self.ask([{**self.bases[0], **_largest(numbers, step, sign)} for sign in (1, -1)])
            if all(answer.refused is None for answer in answers):
                return [_capped(field, step) if field in numbers and step < _LADDER[0] else field for field in fields]
        return list(fields)


def with_limits(ask: Ask, fields: Sequence[Field], bases: Sequence[Record], structure: Structure) -> list[Field]:
    """Return the fields with what the original refuses. ask: the original. bases: records that it answers."""
    return LimitFinder(ask, bases[:3], structure).limited(fields)


def _are_whole(values: Sequence[JsonValue]) -> bool:
    return all(isinstance(value, int | float) and float(value).is_integer() for value in values)


def _as(field: Field, number: float) -> JsonValue:
    """Return a number as the field has it: of a narrow type, the nearest that it holds."""
    if field.type not in {"long", "integer"}:
        return float(number)
    least, most = field.bounds or (number, number)
    return int(max(least, min(number, most)))


def _bound(field: Field) -> float:
    return min(2.0**62, field.largest) if field.type in {"long", "integer"} else float("inf")


def _near(field: Field) -> float:
    numbers = [float(value) for value in field.examples if isinstance(value, int | float)] or [0.0]
    spread = max(numbers) - min(numbers) or 1.0
    return float(f"{max(map(abs, numbers)) + _SPREADS * spread:.1g}")


def _largest(fields: Sequence[Field], step: float, sign: int) -> Record:
    """Return numbers of that size, or the largest that the fields take."""
    found: Record = {}
    for field in fields:
        size = min(step, _bound(field))
        limits = field.limits
        value = min(sign * size, float("inf") if limits.most is None else limits.most)
        found[field.name] = _as(field, max(value, float("-inf") if limits.least is None else limits.least))
    return found


def _capped(field: Field, most: float) -> Field:
    limits = field.limits
    if most >= _bound(field):
        return field
    low = -most if limits.least is None else max(limits.least, -most)
    high = most if limits.most is None else min(limits.most, most)
    return replace(field, limits=limits.model_copy(update={"least": low, "most": high}))
