"""Make whatever is set on a span something that OTLP can carry.

`snapshot` runs within the call that sets a value: it costs nothing for text, bytes and numbers, which cannot change,
and copies what can. `clean` runs off the request path, when the value is encoded.
"""

from collections.abc import Mapping, Sequence, Set
from enum import Enum
from typing import Any

# Of a kvlist within a kvlist: each is three protobuf messages deep, and protobuf reads a hundred.
DEEPEST = 16
MOST_ITEMS = 1_000_000
_INT64_LIMIT = 2**63


class NoValue(ValueError):
    """There is no way to show the value."""


class Unshown:
    """Stands for a value that cannot be shown. kind: its type's name."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind


IMMUTABLE = frozenset({str, bool, int, float, bytes, type(None), Unshown})


def snapshot(value: Any) -> Any:
    """Return the value as it is now, whatever becomes of the object. Does not raise.

    Text, bytes and numbers are kept by reference. Sequences and sets become tuples, mappings dicts, arrays their items,
    members of an Enum their values, and other objects their text.
    """
    if type(value) in IMMUTABLE:
        return value
    try:
        return _Copy().of(value, DEEPEST)
    except Exception:  # whatever the object's own methods raise
        return Unshown(type(value).__qualname__)


class _Copy:
    """One value's copy, of a bounded size."""

    def __init__(self) -> None:
        self._items_left = MOST_ITEMS
        self._around: set[int] = set()

    def of(self, value: Any, depth: int) -> Any:
        if type(value) in IMMUTABLE:
            return value
        plain = _plain(value)
        if isinstance(plain, str | int | float | bytes):  # of a class of their own, too
            return plain
        if isinstance(plain, Mapping | Sequence | Set) and depth:
            return self._of_items(plain, depth - 1)
        return None if plain is None else _text_of(plain)

    def _of_items(self, value: Any, depth: int) -> Any:
        self._items_left -= len(value)
        if self._items_left < 0 or id(value) in self._around:
            raise NoValue(f"it has more than {MOST_ITEMS} items, or contains itself")
        self._around.add(id(value))
        if isinstance(value, Mapping):
            copy: Any = {key: self.of(item, depth) for key, item in value.items()}
        else:
            copy = tuple(self.of(item, depth) for item in value)
        self._around.discard(id(value))
        return copy


def _plain(value: Any) -> Any:
    """Return the value of an Enum's member, the bytes of a buffer, or the items of an array."""
    while isinstance(value, Enum):
        value = value.value
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if hasattr(value, "dtype") and hasattr(value, "tolist"):  # numpy's arrays and numbers, and others like them
        return value.tolist()
    return value


def _text_of(value: Any) -> Any:
    """Return the object's text, if its class gives it one: the default shows an address."""
    shown: Any = type(value)
    if shown.__str__ is object.__str__ and shown.__repr__ is object.__repr__:
        return Unshown(shown.__qualname__)
    return str(value)


def clean(value: Any) -> Any:
    """Return a snapshot's value as OTLP's JSON takes it: text is Unicode, an integer has 64 bits or is decimal text.

    The rule for integers is OpenTelemetry's
    (https://opentelemetry.io/docs/specs/otel/common/attribute-type-mapping/#integer-values). Raises NoValue.
    """
    if isinstance(value, str):
        return text(value)
    if value is None or isinstance(value, bool | bytes):
        return value
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, dict):
        return {text(key): clean(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(clean(item) for item in value)
    raise NoValue(f"a {value.kind if isinstance(value, Unshown) else type(value).__qualname__} cannot be shown")


def text(value: Any) -> str:
    """Return the value as text that has a UTF-8 form: a lone surrogate becomes U+FFFD. Raises NoValue."""
    if type(value) is not str:
        value = _plain_text(value)
    if value.isascii():
        return value  # type: ignore[no-any-return]
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")  # type: ignore[no-any-return]


def nanoseconds(value: Any) -> int | None:
    """Return a time since the epoch in whole nanoseconds, or None for what is no time between 1970 and 2262."""
    try:
        whole = int(value) if isinstance(value, int | float) else -1
    except (ValueError, OverflowError):  # not finite
        return None
    return whole if 0 < whole < _INT64_LIMIT else None


def _plain_text(value: Any) -> str:
    if isinstance(value, Enum):
        return _plain_text(value.value)
    if isinstance(value, str):
        return "".join(value)  # str() would ask a subclass
    try:
        shown = _text_of(value)
    except Exception as error:
        raise NoValue(f"a {type(value).__qualname__} cannot be shown") from error
    if isinstance(shown, Unshown):
        raise NoValue(f"a {shown.kind} cannot be shown")
    return _plain_text(shown)


def _number(value: float) -> float | str:
    if isinstance(value, float):
        return float(value)
    if -_INT64_LIMIT <= value < _INT64_LIMIT:
        return int(value)
    try:
        return str(int(value))
    except ValueError:  # more digits than Python writes (sys.get_int_max_str_digits)
        return hex(value)
