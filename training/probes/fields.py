"""The fields of a record, and the values that are tried in each."""

import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from pydantic import JsonValue

from offpath.contracts.model_manifest import ColumnLimits, ColumnType
from training.probes.structure import Structure

_NUMBERS = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1e-300, 5e-324, -1e-9, 1e-9, 3.0, 1e3, -1e3, 1e9, -1e9, 16777217.0, 1e15)
_HUGE = (1e30, -1e30, 3.3e38, -3.3e38, 1e100, -1e100, 1e300, -1e300)
# Capitals that become two marks or another one within a word, marks that are written apart or together, digits of other
# scripts, signs of no language, and texts that look like something else.
_TEXTS = (
    "", " ", "  ", "\t\n", "a", "A", "é", "É", "goodé", "Ünïcödé wörds", "ÜBER straße", "\u0130stanbul \u0131s\u0131",
    "\u03a3\u0399\u03a3\u03a5\u03a6\u039f\u03a3 \u03c2 \u03c3",
    "日本語のテキスト", "привет МИР", "😀 great 😀", "e\u0301 cafe\u0301",
    "\ufb01ne \ufb02ow", "\uff11\uff12\uff13 \uff14", "don't stop", "well-known", "a_b c_d", "word123 123word",
    "12.5%, 3:4!", "end.Start", "a\u00a0b", "x\u200by", "nan", "None", "null", "0", "-1", "true",
)  # fmt: skip
_LONG = 10_000


_NO_LIMITS = ColumnLimits()


@dataclass(frozen=True, slots=True)
class Field:
    """Hold a field of a record: a column, or a number within a tensor.

    examples: values that the example has there. is_optional: whether a record may leave it out. bounds: of the type,
    where it is narrower than the kind of number.
    """

    name: str
    type: ColumnType
    examples: tuple[JsonValue, ...] = ()
    is_optional: bool = False
    limits: ColumnLimits = _NO_LIMITS
    bounds: tuple[int, int] | None = None

    @property
    def largest(self) -> float:
        """Return the largest size that its type has."""
        return float(_bounds(self)[1])

    @property
    def is_number(self) -> bool:
        """Return whether its values are numbers."""
        return self.type not in {"string", "boolean"}


def allowed(field: Field, value: JsonValue) -> bool:
    """Return whether a value is within the field's limits and its type."""
    limits = field.limits
    if limits.values is not None and value not in limits.values:
        return False
    if isinstance(value, bool | str) or not isinstance(value, int | float):
        return True
    least, most = _bounds(field)
    low = limits.least is None or value >= limits.least
    return least <= value <= most and low and (limits.most is None or value <= limits.most)


def _bounds(field: Field) -> tuple[float, float]:
    if field.bounds is not None:
        return field.bounds
    of_kind: dict[ColumnType, tuple[float, float]] = {
        "integer": (-(2**31), 2**31 - 1),
        "long": (-(2**63), 2**63 - 1),
    }
    return of_kind.get(field.type, (-np.inf, np.inf))


def special_values(field: Field, structure: Structure, at: int) -> list[JsonValue]:
    """Return values at the edges of what a field may hold, and of what the model does with it. at: its position."""
    if field.limits.values is not None:
        found: Iterable[JsonValue] = field.limits.values
    elif field.type == "boolean":
        found = (True, False)
    elif field.type == "string":
        found = _texts(structure)
    else:
        found = [_typed(value, field.type) for value in _numbers(structure, at)]
    return list(dict.fromkeys(value for value in found if allowed(field, value)))


def drawn_value(field: Field, structure: Structure, random: Random) -> JsonValue:
    """Return a value that is drawn: of the example, between its values, of the structure, or of any size."""
    if field.limits.values is not None:
        return random.choice(field.limits.values)
    if field.type == "boolean":
        return random.random() < 0.5
    if field.type == "string":
        return _drawn_text(field, structure, random)
    value = _typed(_drawn_number(field, random), field.type)
    return value if allowed(field, value) else field.examples[0]


def around(number: float) -> list[float]:
    """Return a number, its neighbours, and those in single precision."""
    double = np.float64(number)
    with np.errstate(all="ignore"):
        single = np.float32(double)
        near = [double, np.nextafter(double, -np.inf), np.nextafter(double, np.inf)]
        near += [single, np.nextafter(single, np.float32(-np.inf)), np.nextafter(single, np.float32(np.inf))]
    return [float(one) for one in near if np.isfinite(one)]


def _numbers(structure: Structure, at: int) -> list[float]:
    known = sorted(structure.by_feature.get(at, ())) + sorted(structure.numbers) + sorted(structure.categories)
    chosen = _spread(known, 60)
    return [*_NUMBERS, *_HUGE, *(near for number in chosen for near in around(number))]


def _spread(values: Sequence[float], most: int) -> list[float]:
    """Return at most so many of the values, evenly chosen."""
    if len(values) <= most:
        return list(values)
    return [values[int(at)] for at in np.linspace(0, len(values) - 1, most)]


def _typed(value: float, kind: ColumnType) -> JsonValue:
    if kind in {"long", "integer"}:
        return int(max(min(value, 2.0**62), -(2.0**62)))
    return float(value)


def _texts(structure: Structure) -> list[JsonValue]:
    words = sorted(structure.words)[:40]
    joined = (
        [f"{word}é" for word in words[:8]] + [word.upper() for word in words[:8]] + [f"é{word}" for word in words[:8]]
    )
    long = " ".join(words or ["word", "wörd"])
    cases = sorted(structure.texts)[:200]
    altered = [f"{text} " for text in cases[:3]] + [text.upper() for text in cases[:3]]
    return [*_TEXTS, *cases, *altered, *words, *joined, (long + " ") * (_LONG // (len(long) + 1) + 1)]


def _drawn_text(field: Field, structure: Structure, random: Random) -> str:
    examples = [text for text in field.examples if isinstance(text, str)]
    words = sorted(structure.words) or [word for text in examples for word in text.split()] or ["word"]
    if not structure.words or random.random() < 0.2:
        pool = [*examples, *sorted(structure.texts), *_TEXTS]
        return str(random.choice(pool))
    marks = [" ", " ", " ", ", ", ".", "-", "_", "é", "'", "\n", " 7 ", ""]
    parts = []
    for _ in range(random.randint(1, 12)):
        word = random.choice(words)
        parts += [word.upper() if random.random() < 0.1 else word.capitalize() if random.random() < 0.1 else word]
        parts.append(random.choice(marks))
    if random.random() < 0.2:
        parts.append("".join(random.choice(string.ascii_letters + "äöüßñçøé0123456789") for _ in range(8)))
    return "".join(parts)


def _drawn_number(field: Field, random: Random) -> float:
    numbers = [float(value) for value in field.examples if isinstance(value, int | float)] or [0.0, 1.0]
    kind = random.random()
    if kind < 0.35:
        return random.choice(numbers)
    if kind < 0.6:
        low, high = sorted((random.choice(numbers), random.choice(numbers)))
        return random.uniform(low, high)
    if kind < 0.9:
        spread = max(numbers) - min(numbers) or 1.0
        return random.gauss(sum(numbers) / len(numbers), 2 * spread)
    return float(random.choice((-1, 1)) * 10.0 ** random.uniform(-6, 12))
