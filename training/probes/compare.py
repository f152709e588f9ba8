"""Compare two forms of a model on records, and tell of a disagreement by its smallest record."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from training.probes.answers import Answer, Ask, Record, difference, is_by_chance

_MOST_TRIES = 300
_MOST_ALONE = 50
# Parts by which a number changes, far below what single precision would.
_NUDGES = (1e-14, -1e-14, 1e-12, -1e-12)
_MOST_SHOWN = 600
# Of records whose answers differ because the original chose between equals: beyond that it is no edge of its own.
_MOST_BY_CHANCE = 0.05
# So many records are asked for one by one, too, those with the fewest values among them.
_ALONE = 24


@dataclass(frozen=True, slots=True)
class Agreement:
    """Tell of a comparison. compared: the number of records. refused: those that neither answers. largest: difference.

    labels: those that the original gave. seed: of what was drawn. by_chance: records that have two answers because the
    original chose between equals.
    """

    compared: int
    refused: int
    largest: float
    labels: frozenset[str]
    seed: int
    by_chance: int = 0


@dataclass(eq=False)
class Disagreement(Exception):
    """Tell of a record that the two forms answer otherwise. different: how many of those compared. why: if known."""

    record: Record
    expected: Answer
    given: Answer
    different: int
    compared: int
    seed: int
    why: str = ""

    def __str__(self) -> str:
        shown = json.dumps(self.record, ensure_ascii=False)
        shown = shown if len(shown) <= _MOST_SHOWN else shown[: _MOST_SHOWN - 1] + "…"
        return (
            f"the original and its ONNX form answer {self.different} of {self.compared} records otherwise; the "
            f"smallest is {shown}: the original says {self.expected}, ONNX {self.given} (seed {self.seed})"
            f"{'. ' if self.why else ''}{self.why}"
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Hold records with the original's answers.

    example: a record that is answered. seed: of what was drawn. is_smooth: whether the original has no thresholds, so
    that its answers jump only where its own rounding decides. scales: see `difference`.
    """

    original: Ask
    records: Sequence[Record]
    expected: Sequence[Answer]
    example: Record
    seed: int
    is_smooth: bool = False
    scales: Sequence[float] = ()

    def run(self, served: Ask) -> Agreement:
        """Return how nearly the other form agrees. Raises Disagreement."""
        given = served(self.records)
        apart = [self._difference(one, two) for one, two in zip(self.expected, given, strict=True)]
        different = [at for at, size in enumerate(apart) if size is None]
        if different and (settled := self._still_different(served, different)):
            raise self._smallest(served, settled)
        self._check_alone(served)
        return Agreement(
            compared=len(self.records),
            refused=sum(answer.refused is not None for answer in self.expected),
            largest=max((size for size in apart if size is not None), default=0.0),
            labels=frozenset(answer.label for answer in self.expected if answer.label is not None),
            seed=self.seed,
            by_chance=self._checked_chance(given),
        )

    def _difference(self, expected: Answer, given: Answer) -> float | None:
        return difference(expected, given, self.scales)

    def _checked_chance(self, given: Sequence[Answer]) -> int:
        """Return how many records have two answers by chance. Raises Disagreement for more than a few."""
        pairs = enumerate(zip(self.expected, given, strict=True))
        found = [at for at, (one, two) in pairs if is_by_chance(one, two, self.scales)]
        if len(found) <= _MOST_BY_CHANCE * len(self.records):
            return len(found)
        at = self._shortest(found)
        why = (
            "Of these records, learnt ones are equally far away, and which of them count is decided by how the "
            "original searches: values with more digits, or weights by distance, have fewer such ties"
        )
        raise Disagreement(
            self.records[at], self.expected[at], given[at], len(found), len(self.records), self.seed, why
        )

    def _check_alone(self, served: Ask) -> None:
        """Ask for some records one by one. Raises Disagreement if the original then says something else."""
        fewest = sorted(range(len(self.records)), key=lambda at: len(self.records[at]))[: _ALONE // 3]
        for at in [*fewest, *range(0, len(self.records), max(1, len(self.records) * 3 // (2 * _ALONE)))]:
            record = self.records[at]
            [expected], [given] = self.original([record]), served([record])
            if self._difference(expected, given) is None and not self._is_settled(record, served):
                why = "Both were asked for this record alone: the original's answers hang on the records beside it"
                raise Disagreement(record, expected, given, 1, _ALONE, self.seed, why)

    def _shortest(self, indexes: Sequence[int]) -> int:
        return min(indexes, key=lambda at: len(json.dumps(self.records[at])))

    def _still_different(self, served: Ask, different: Sequence[int]) -> Sequence[int]:
        """Return the records that differ when they are asked for alone, too.

        On the edge between two answers, the original's own sums may fall to either side, by how many records are in a
        call.
        """
        if len(different) > _MOST_ALONE:
            return different
        return [at for at in different if not self._is_settled(self.records[at], served)]

    def _is_settled(self, record: Record, served: Ask) -> bool:
        [given] = served([record])
        near = [record, *(_nudged(record, size) for size in _NUDGES)] if self.is_smooth else [record]
        return any(self._difference(answer, given) is not None for answer in self.original(near))

    def _smallest(self, served: Ask, different: Sequence[int]) -> Disagreement:
        shrinking = Shrinking(self.original, served, self.example, self.scales)
        record = shrinking.shrunk(self.records[self._shortest(different)])
        [expected], [given] = self.original([record]), served([record])
        return Disagreement(record, expected, given, len(different), len(self.records), self.seed)


def _nudged(record: Record, size: float) -> Record:
    """Return the record with its numbers changed by that part of them."""
    return {name: value * (1 + size) if isinstance(value, float) else value for name, value in record.items()}


@dataclass(slots=True)
class Shrinking:
    """Make a record smaller that two forms answer otherwise: nearer to the example, with simpler values."""

    original: Ask
    served: Ask
    example: Record
    scales: Sequence[float] = ()
    tries: int = 0

    def shrunk(self, record: Record) -> Record:
        """Return the smallest record found that still has two answers."""
        for name in list(record):
            for value in self._simpler(name, record[name]):
                smaller = {**record, name: value}
                if self._differs(smaller):
                    record = smaller
                    break
            record = self._shorter(record, name)
        return record

    def _simpler(self, name: str, value: JsonValue) -> list[JsonValue]:
        if name in self.example and value == self.example[name]:
            return []
        simple: list[JsonValue] = [self.example[name]] if name in self.example else []
        if isinstance(value, float):
            simple += [0.0, 1.0, float(round(value)) if abs(value) < 1e15 else value, float(f"{value:.3g}")]
        elif isinstance(value, str):
            simple += [""]
        return [one for one in simple if one != value]

    def _shorter(self, record: Record, name: str) -> Record:
        """Cut words, then characters, from a text."""
        text = record[name]
        if not isinstance(text, str):
            return record
        for mark in (" ", ""):
            parts = text.split(mark) if mark else list(text)
            size = max(1, len(parts) // 2)
            while size and self.tries < _MOST_TRIES:
                parts, size = self._cut(record, name, parts, mark, size)
            text = mark.join(parts)
        return {**record, name: text}

    def _cut(self, record: Record, name: str, parts: list[str], mark: str, size: int) -> tuple[list[str], int]:
        for start in range(0, len(parts), size):
            fewer = parts[:start] + parts[start + size :]
            if len(fewer) < len(parts) and self._differs({**record, name: mark.join(fewer)}):
                return fewer, min(size, max(1, len(fewer) // 2))
        return parts, size // 2

    def _differs(self, record: Record) -> bool:
        self.tries += 1
        if self.tries > _MOST_TRIES:
            return False
        [expected], [given] = self.original([record]), self.served([record])
        return difference(expected, given, self.scales) is None
