"""Converters from JSON values to what a protobuf message's constructor takes, each of which says what did not fit.

A table names the JSON fields of one message, the protobuf field of each, and its converter. The converters build plain
dictionaries, which one constructor call at the end turns into messages: faster than a message a part.
"""

import binascii
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

Fields = dict[str, Any]
Convert = Callable[[Any], Any]
Table = Mapping[str, tuple[str, Convert]]

_SHOWN_CHARACTERS = 80


class Misfit(ValueError):
    """A value that does not fit its field. path: field names and indexes, the innermost first."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.path: list[str] = []

    def __str__(self) -> str:
        return f"{''.join(reversed(self.path)).removeprefix('.')}: {self.args[0]}".removeprefix(": ")


def message(value: Any, table: Table) -> Fields:
    if type(value) is not dict:
        expected("an object", value)
    fields: Fields = {}
    key = ""
    try:
        for key, item in value.items():
            entry = table.get(key)
            if entry is not None and item is not None:
                fields[entry[0]] = entry[1](item)
    except Misfit as misfit:
        misfit.path.append(f".{key}")
        raise
    return fields


def of(table: Table) -> Convert:
    return lambda value: message(value, table)


def list_of(convert: Convert) -> Convert:
    def converted(values: Any) -> list[Any]:
        if type(values) is not list:
            expected("a list", values)
        items: list[Any] = []
        try:
            for value in values:
                items.append(convert(value))  # noqa: PERF401 - the length tells which item failed
        except Misfit as misfit:
            misfit.path.append(f"[{len(items)}]")
            raise
        return items

    return converted


def text(value: Any) -> str:
    if type(value) is not str:
        expected("a string", value)
    return value


def boolean(value: Any) -> bool:
    if type(value) is not bool:
        expected("true or false", value)
    return value


def number(value: Any) -> float:
    if type(value) is float:
        return value
    try:
        return float(value if type(value) in {int, str} else "")
    except (ValueError, OverflowError):
        expected('a number, "NaN", "Infinity" or "-Infinity"', value)


def integer(low: int, high: int) -> Convert:
    def converted(value: Any) -> int:
        try:
            whole = int(value) if type(value) is str else value
        except ValueError:
            whole = None
        if type(whole) is int and low <= whole <= high:
            return whole
        expected(f"an integer from {low} to {high}, or a string of its digits", value)

    return converted


def enum(numbers: Mapping[str, int]) -> Convert:
    by_number = integer(-(2**31), 2**31 - 1)
    return lambda value: numbers[value] if type(value) is str and value in numbers else by_number(value)


def hex_digits(size: int) -> Convert:
    def converted(value: Any) -> bytes:
        try:
            identifier = binascii.unhexlify(value) if type(value) is str else b""
        except ValueError:
            identifier = b""
        if len(identifier) == size or value == "":
            return identifier
        expected(f"{2 * size} hex digits", value)

    return converted


def base64(value: Any) -> bytes:
    try:
        standard = text(value).replace("-", "+").replace("_", "/")
        return binascii.a2b_base64(standard + "=" * (-len(standard) % 4), strict_mode=True)
    except ValueError:
        expected("base64", value)


def expected(what: str, value: Any) -> NoReturn:
    raise Misfit(f"expected {what}, not {shown(value)}")


def shown(value: Any) -> str:
    whole = repr(value)
    return whole if len(whole) <= _SHOWN_CHARACTERS else f"{whole[:_SHOWN_CHARACTERS]}…"
