"""JSON as text: read strictly, and written on one line."""

import json
import re
from typing import Any, NoReturn

from offpath.contracts.errors import MalformedEvent

_SURROGATE = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def parse(body: str) -> Any:
    """The value of a JSON text; unlike Python's default, NaN and Infinity are no JSON. Raises MalformedEvent."""
    try:
        return _DECODER.decode(body)
    except (ValueError, RecursionError) as error:
        raise MalformedEvent(f"not JSON: {error}; it begins with {body[:80]!r}") from error


def one_line(body: str) -> str:
    """The body without line breaks, and with half surrogate pairs, which no UTF-8 can hold, replaced by U+FFFD.

    Raises MalformedEvent if it is not JSON.
    """
    if _is_plain(body):
        return body
    return json.dumps(_without_surrogates(parse(body)), separators=(",", ":"), allow_nan=False)


def _is_plain(body: str) -> bool:
    if "\n" in body or "\r" in body or "\\ud" in body or "\\uD" in body:
        return False
    return body.isascii() or not _SURROGATE.search(body)


def _without_surrogates(value: Any) -> Any:
    match value:
        case str():
            return _SURROGATE.sub(_REPLACEMENT, value)
        case list():
            return [_without_surrogates(item) for item in value]
        case dict():
            return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
        case _:
            return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number; OTLP writes it as a string")


_DECODER = json.JSONDecoder(parse_constant=_no_number)
