"""JSON as text: read strictly, and written on one line."""

import io
import json
import re
from collections.abc import Callable
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
_HIGH, _LOW = "u[dD][89abAB][0-9a-fA-F]{2}", "u[dD][c-fC-F][0-9a-fA-F]{2}"
_OF_A_PAIR = "u[dD][89a-fA-F]"
# Quantifiers are possessive: they keep no way back, which for a text of some megabytes would take gigabytes.
_STRING = r'"(?:[^"\\]++|\\.)*+"'
_SPACE = re.compile(rf'(?P<kept>(?:[^" \t\n\r]++|{_STRING})++)|[ \t\n\r]++', re.DOTALL)
_BRACKET = re.compile(rf"{_STRING}|[][{{}}]", re.DOTALL)
# What stands before the first escape of half a pair: in JSON, and in JSON or JSON within its texts.
_WHOLE = re.compile(rf"(?:[^\\]++|\\[^u]|\\u(?!{_OF_A_PAIR[1:]})|\\{_HIGH}\\{_LOW})*+", re.DOTALL)
_NESTED_WHOLE = re.compile(
    rf"(?:[^\\]++|\\++(?!{_OF_A_PAIR})|(?:\\{{2}})*\\{_HIGH}\\{_LOW}"
    rf"|(?:\\{{4}})*\\{{2}}{_HIGH}\\{{2}}{_LOW}|(?:\\{{8}})*\\{{4}}{_HIGH}\\{{4}}{_LOW})*+",
    re.DOTALL,
)


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
    has_breaks = "\n" in body or "\r" in body
    has_halves = not body.isascii() and _SURROGATE.search(body) is not None
    has_escaped_halves = not _is_all(_WHOLE, body)
    if not (has_breaks or has_halves or has_escaped_halves):
        return body
    _check(body)
    if has_breaks:
        body = _without_space(body)
    if has_halves:
        body = _SURROGATE.sub(r"\\ufffd", body)
    return _without_halves(body, _is_of_json) if has_escaped_halves else body


def storable_escapes(line: str) -> str:
    """The JSON with U+FFFD for NUL and for half surrogate pairs, in its texts and in JSON within them.

    PostgreSQL cannot hold NUL, nor any database half a pair, and MLflow parses the JSON in texts.
    """
    if "\\u" not in line:
        return line
    line = line.replace("\\u0000", "\\ufffd")
    return line if _is_all(_NESTED_WHOLE, line) else _without_halves(line, lambda _: True)


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


def _is_all(pattern: re.Pattern[str], text: str) -> bool:
    if "\\ud" not in text and "\\uD" not in text:
        return True
    match = pattern.match(text)
    return match is not None and match.end() == len(text)


def _check(body: str) -> None:
    """Raise MalformedEvent if the body is not JSON."""
    try:
        parse(body)
    except RecursionError:
        parse(shallow(body))


def _without_space(body: str) -> str:
    written = io.StringIO()
    for token in _SPACE.finditer(body):
        written.write(token["kept"] or "")
    return written.getvalue()


def _without_halves(line: str, is_meant: Callable[[str], bool]) -> str:
    """Return the line with U+FFFD for each escape of half a pair. is_meant: whether to replace it after such a run."""
    written, end = io.StringIO(), 0
    for escape in _SURROGATE_ESCAPE.finditer(line):
        replaced = _replaced(escape, is_meant)
        if replaced != escape.group():
            written.write(line[end : escape.start()])
            written.write(replaced)
            end = escape.end()
    written.write(line[end:])
    return written.getvalue()


def _is_of_json(run: str) -> bool:
    """Tell whether an escape after this run of backslashes is one of JSON itself, not of JSON within its texts."""
    return _backslashes(run) == 1


def _replaced(escape: re.Match[str], is_meant: Callable[[str], bool]) -> str:
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
