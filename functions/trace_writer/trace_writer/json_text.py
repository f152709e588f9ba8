"""JSON as text: read strictly, and written on one line."""

import json
import re
from typing import Any, NoReturn

from offpath.contracts.errors import MalformedEvent

# Python's parser, and recursive functions over what it gives, take a few hundred levels.
MAX_LEVELS = 240
_SURROGATE = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# The escape of a high half with that of a low one right behind, or the escape of either.
_SURROGATE_ESCAPE = re.compile(
    r"(?P<high>\\+)u[dD][89abAB][0-9a-fA-F]{2}(?P<low>\\+)u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(?P<half>\\+)u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_HALF_ESCAPE = re.compile(r"(?P<half>\\+)u[dD][89a-fA-F][0-9a-fA-F]{2}")
_SPACE = re.compile(r'"(?:[^"\\]|\\.)*"|[ \t\n\r]+', re.DOTALL)
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]', re.DOTALL)


def parse(body: str) -> Any:
    """The value of a JSON text; unlike Python's default, NaN and Infinity are no JSON.

    An integer of more digits than Python reads comes as a text. Raises MalformedEvent, or RecursionError.
    """
    try:
        return _DECODER.decode(body)
    except ValueError:
        pass
    try:
        return _LONG_INTEGERS_DECODER.decode(body)
    except ValueError as error:
        raise MalformedEvent(f"not JSON: {error}; it begins with {body[:80]!r}") from error


def one_line(body: str) -> str:
    """The body without line breaks, and with half surrogate pairs, which no UTF-8 can hold, replaced by U+FFFD.

    Raises MalformedEvent if it is not JSON.
    """
    if _is_plain(body):
        return body
    try:
        parse(body)
    except RecursionError:
        parse(shallow(body))
    line = _SURROGATE.sub(r"\\ufffd", _SPACE.sub(_without_space, body))
    return _SURROGATE_ESCAPE.sub(_without_halves, line)


def storable_escapes(line: str) -> str:
    """The JSON with U+FFFD for NUL and for half surrogate pairs, in its texts and in JSON within them.

    PostgreSQL cannot hold NUL, nor any database half a pair, and MLflow parses the JSON in texts.
    """
    if "\\u" not in line:
        return line
    line = line.replace("\\u0000", "\\ufffd")
    if "\\ud" in line or "\\uD" in line:
        return _SURROGATE_ESCAPE.sub(_without_nested_halves, line)
    return line


def shallow(body: str) -> str:
    """The JSON with null for each list and object that is nested deeper than MAX_LEVELS."""
    kept: list[str] = []
    level = end = 0
    for token in _BRACKET.finditer(body):
        if token.group() in {"[", "{"}:
            level += 1
            if level == MAX_LEVELS + 1:
                kept += [body[end : token.start()], "null"]
        elif token.group() in {"]", "}"}:
            if level == MAX_LEVELS + 1:
                end = token.end()
            level -= 1
    return "".join([*kept, body[end:] if level <= MAX_LEVELS else ""])


def without_surrogates(text: str) -> str:
    """The text with U+FFFD for each half surrogate pair."""
    return _SURROGATE.sub(_REPLACEMENT, text)


def _is_plain(body: str) -> bool:
    if "\n" in body or "\r" in body or ("\\u" in body and ("\\ud" in body or "\\uD" in body)):
        return False
    return body.isascii() or not _SURROGATE.search(body)


def _without_space(token: re.Match[str]) -> str:
    return "" if token.group().isspace() else token.group()


def _without_halves(escape: re.Match[str]) -> str:
    return _replaced(escape, lambda run: _backslashes(run) == 1)


def _without_nested_halves(escape: re.Match[str]) -> str:
    return _replaced(escape, lambda _: True)


def _replaced(escape: re.Match[str], is_meant: Any) -> str:
    high, low = escape["high"], escape["low"]
    if high and len(low) == _backslashes(high):
        return escape.group()
    return _HALF_ESCAPE.sub(
        lambda half: f"{half['half']}ufffd" if is_meant(half["half"]) else half.group(), escape.group()
    )


def _backslashes(run: str) -> int:
    """How many backslashes of a run belong to the escape: one in JSON, two in JSON within a text, four within that.

    Those before are the text's own, in twos, fours or eights: the lowest bit in the run's length tells.
    """
    return len(run) & -len(run)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number; OTLP writes it as a string")


def _integer(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:
        return digits


_DECODER = json.JSONDecoder(parse_constant=_no_number)
_LONG_INTEGERS_DECODER = json.JSONDecoder(parse_constant=_no_number, parse_int=_integer)
