"""Draw the records that two forms of a model are compared on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from random import Random

from pydantic import JsonValue

from training.probes.answers import Ask, Record
from training.probes.fields import Field, drawn_value, special_values
from training.probes.jumps import jumps
from training.probes.structure import Structure

# So many records are compared where the original is quick enough.
RECORDS = 3_000
_LONG_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class ProbeMaker:
    """Make records of fields.

    examples: records that the original answers. ask: the original. seed: of what is drawn. count: about so many.
    """

    fields: Sequence[Field]
    examples: Sequence[Record]
    structure: Structure
    ask: Ask
    seed: int
    count: int = RECORDS

    def records(self) -> list[Record]:
        """Return about `count` records: examples, edges, gaps, jumps, rows that are mixed, and drawn ones."""
        random = Random(self.seed)  # noqa: S311 - it draws records
        found = list(islice(self.examples, self.count // 10))
        found += self._without()
        edges = self._edges(random)
        found += random.sample(edges, min(len(edges), self.count * 4 // 10))
        bases = [random.choice(self.examples) for _ in range(3)]
        found += jumps(self.ask, self.fields, bases, self.count // 5)
        found += [self._mixed(random) for _ in range(self.count // 10)]
        found += [self._drawn(random) for _ in range(max(0, self.count - len(found)))]
        return found

    def _without(self) -> list[Record]:
        """Return records that lack each optional field, each two, and all of them."""
        names = [field.name for field in self.fields if field.is_optional]
        gone = [*((name,) for name in names), *islice(combinations(names, 2), 60), *([tuple(names)] if names else [])]
        return [
            {name: value for name, value in base.items() if name not in missing}
            for missing in gone
            for base in islice(self.examples, 3)
        ]

    def _edges(self, random: Random) -> list[Record]:
        return [{**random.choice(self.examples), name: value} for name, value in self._special()]

    def _special(self) -> Iterator[tuple[str, JsonValue]]:
        for at, field in enumerate(self.fields):
            for value in special_values(field, self.structure, at):
                yield field.name, value

    def _mixed(self, random: Random) -> Record:
        found: Record = {}
        for field in self.fields:
            row = random.choice(self.examples)
            if field.name in row:
                found[field.name] = row[field.name]
            elif not field.is_optional:
                found[field.name] = self._own(field, random)
        return found

    def _drawn(self, random: Random) -> Record:
        record = self._mixed(random) if random.random() < 0.5 else dict(random.choice(self.examples))
        share = random.choice((0.3, 0.6, 1.0))
        for at, field in enumerate(self.fields):
            if random.random() >= share:
                continue
            if field.is_optional and random.random() < 0.1:
                record.pop(field.name, None)
            elif random.random() < 0.1:
                record[field.name] = self._edge(field, at, random)
            else:
                record[field.name] = drawn_value(field, self.structure, random)
        return record

    def _edge(self, field: Field, at: int, random: Random) -> JsonValue:
        values = [value for value in special_values(field, self.structure, at) if len(str(value)) < _LONG_TEXT]
        return random.choice(values) if values else self._own(field, random)

    def _own(self, field: Field, random: Random) -> JsonValue:
        return random.choice(field.examples) if field.examples else drawn_value(field, self.structure, random)
