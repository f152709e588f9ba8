"""Compare a model's answers to a record: tell when two of its forms say the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TypeAlias

from pydantic import JsonValue

# A value of JSON by column; a column that is missing is not there.
Record: TypeAlias = dict[str, JsonValue]

# Of probabilities, and of values relative to their size. Both forms compute in double precision where they can.
# XGBoost, and a graph in single precision, are right to some 1e-7 of the largest of what they add up.
TOLERANCE = 1e-5
# Two labels that the original itself finds equally likely to so many digits are a tie. Which of them it names is
# decided by the order in which it adds numbers up, and differs between one record and a batch of them, too.
TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold an answer to one record: a label or values, or why there is none.

    probabilities: by class index. values: of a regression. refused: the reason, if the record is not answered. lead: by
    how much the label is ahead of the next one, where the model tells; None where it does not.
    is_tied: whether the original chose between equals, by no rule that holds.
    """

    label: str | None = None
    probabilities: tuple[float, ...] | None = None
    values: tuple[float, ...] | None = None
    refused: str | None = None
    lead: float | None = None
    is_tied: bool = False

    def __str__(self) -> str:
        if self.refused is not None:
            return f"no answer ({self.refused})"
        if self.values is not None:
            return ", ".join(f"{value:.10g}" for value in self.values)
        parts = ", ".join(f"{part:.6g}" for part in self.probabilities or ())
        return f"{self.label!r} (probabilities {parts})" if parts else repr(self.label)


Ask: TypeAlias = Callable[[Sequence[Record]], list[Answer]]


def difference(expected: Answer, given: Answer, scales: Sequence[float] = ()) -> float | None:
    """Return by how much an answer differs from the original's; None where it is another one.

    scales: of each of a regression's values, the size below which a difference is not relative to the value; 1 by
    default.
    """
    if expected.refused is not None or given.refused is not None:
        return 0.0 if expected.refused is not None and given.refused is not None else None
    if expected.is_tied and (expected.values is None) == (given.values is None):
        return 0.0
    if expected.label != given.label and not _is_tie(expected):
        return None
    found = _largest(expected, given, scales)
    return found if found is not None and found <= TOLERANCE else None


def is_by_chance(expected: Answer, given: Answer, scales: Sequence[float] = ()) -> bool:
    """Return whether the answers differ where the original chose between equals."""
    return expected.is_tied and difference(replace(expected, is_tied=False), given, scales) is None


def scales_of(answers: Sequence[Answer]) -> tuple[float, ...]:
    """Return the usual size of each of a regression's values, where that is below 1.

    Values of 1e-9 that differ by 1e-9 are other values. answers: to ordinary records.
    """
    rows = [answer.values for answer in answers if answer.values is not None]
    return tuple(min(1.0, _usual_size(column)) for column in zip(*rows, strict=True))


def _usual_size(values: Sequence[float]) -> float:
    return median([abs(value) for value in values if value] or [1.0])


def _is_tie(expected: Answer) -> bool:
    return expected.lead is not None and expected.lead <= TIE


def _largest(expected: Answer, given: Answer, scales: Sequence[float]) -> float | None:
    if expected.values is not None:
        values = _paired(expected.values, given.values)
        if values is None:
            return None
        least = scales if len(scales) == len(values) else [1.0] * len(values)
        return max(abs(one - two) / max(size, abs(one)) for (one, two), size in zip(values, least, strict=True))
    if expected.probabilities is None:
        return 0.0
    parts = _paired(expected.probabilities, given.probabilities)
    return None if parts is None else max(abs(one - two) for one, two in parts)


def _paired(expected: Sequence[float], given: Sequence[float] | None) -> list[tuple[float, float]] | None:
    return None if given is None or len(given) != len(expected) else list(zip(expected, given, strict=True))
