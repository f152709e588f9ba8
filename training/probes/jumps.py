"""Find where a model's answers jump as one number grows: its thresholds, whatever is between it and the input."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.probes.answers import Answer, Ask, Record
from training.probes.fields import Field, allowed, around

_STEPS = 70
_GRID = 25
_LEAST = 1e-9


@dataclass(slots=True)
class _Gap:
    """Hold two values of a field between which the answer changes."""

    field: Field
    base: Record
    low: float
    high: float
    of_low: Answer
    of_high: Answer
    first: float


def jumps(ask: Ask, fields: Sequence[Field], bases: Sequence[Record], most: int) -> list[Record]:
    """Return records at each jump that is found, and beside it, at most so many.

    ask: the original. Between values of a grid it halves the way until the two numbers are neighbours. Where the
    difference shrinks on the way there is no jump.
    """
    gaps = [gap for base in bases for gap in _gaps(ask, [field for field in fields if field.is_number], base)]
    gaps = gaps[: max(1, most // 8)]
    for step in range(_STEPS):
        gaps = _halved(ask, gaps)
        if step == 24:
            gaps = [gap for gap in gaps if _size(gap.of_low, gap.of_high) > 0.02 * gap.first]
    records = [
        {**gap.base, gap.field.name: _typed(gap.field, value)}
        for gap in gaps
        for value in dict.fromkeys([*around(gap.low), *around(gap.high)])
        if allowed(gap.field, _typed(gap.field, value))
    ]
    return records[:most]


def _gaps(ask: Ask, fields: Sequence[Field], base: Record) -> list[_Gap]:
    grid = [(field, value) for field in fields for value in _grid(field)]
    answers = ask([{**base, field.name: _typed(field, value)} for field, value in grid])
    pairs = zip(grid[:-1], grid[1:], answers[:-1], answers[1:], strict=True)
    return [
        _Gap(field, base, low, high, of_low, of_high, size)
        for (field, low), (other, high), of_low, of_high in pairs
        if field is other and (size := _size(of_low, of_high)) > _LEAST
    ]


def _grid(field: Field) -> list[float]:
    numbers = sorted({float(value) for value in field.examples if isinstance(value, int | float)})
    if field.limits.values is not None or not numbers:
        return []
    spread = numbers[-1] - numbers[0] or 1.0
    chosen = [numbers[int(at)] for at in np.linspace(0, len(numbers) - 1, min(_GRID, len(numbers)))]
    wide = [numbers[0] - spread, *chosen, numbers[-1] + spread]
    return sorted({value for value in wide if allowed(field, _typed(field, value))})


def _halved(ask: Ask, gaps: Sequence[_Gap]) -> list[_Gap]:
    middles = [_middle(gap) for gap in gaps]
    open_gaps = [(gap, middle) for gap, middle in zip(gaps, middles, strict=True) if gap.low < middle < gap.high]
    answers = ask([{**gap.base, gap.field.name: _typed(gap.field, middle)} for gap, middle in open_gaps])
    for (gap, middle), answer in zip(open_gaps, answers, strict=True):
        if _size(gap.of_low, answer) >= _size(answer, gap.of_high):
            gap.high, gap.of_high = middle, answer
        else:
            gap.low, gap.of_low = middle, answer
    return list(gaps)


def _middle(gap: _Gap) -> float:
    middle = gap.low + (gap.high - gap.low) / 2
    return float(np.floor(middle)) if gap.field.type in {"long", "integer"} else middle


def _typed(field: Field, value: float) -> int | float:
    return int(value) if field.type in {"long", "integer"} else float(value)


def _size(one: Answer, two: Answer) -> float:
    """Return how much two answers differ; a lot if their labels do."""
    if one.refused or two.refused:
        return 0.0
    first = one.values or one.probabilities or ()
    second = two.values or two.probabilities or ()
    apart = max((abs(a - b) for a, b in zip(first, second, strict=False)), default=0.0)
    return apart if first else float(one.label != two.label)
