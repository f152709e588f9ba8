"""A request's body as JSON."""

import json
from collections import Counter
from collections.abc import Iterator

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from prediction_api.errors import FieldError, InvalidInputs, MalformedBody
from prediction_api.inputs.field_errors import MAX_ERRORS, MAX_SHOWN


def parse_json(body: bytes) -> JsonValue:
    """Return the JSON value in a body.

    Raises MalformedBody for what is not JSON, InvalidInputs for an object that has a name twice.
    """
    try:
        document: JsonValue = from_json(body)
    except ValueError as error:
        raise MalformedBody(f"the body is not JSON: {error}") from error
    _refuse_repeated(body, document)
    return document


def parse_object(body: bytes, inputs: str) -> dict[str, JsonValue]:
    """Return the JSON object in a body. inputs: an example of its field of that name, for the message.

    Raises MalformedBody for what is not JSON, InvalidInputs for JSON that is no object, or has a name twice.
    """
    document = parse_json(body)
    if not isinstance(document, dict):
        raise InvalidInputs(f'the body is not a JSON object; send {{"inputs": {inputs}}}')
    return document


def as_json_text(text: str) -> str:
    """Return the text if it can be read as JSON, else the JSON string that holds it."""
    try:
        from_json(text)
    except ValueError:
        return to_json(text).decode()
    return text


def _refuse_repeated(body: bytes, document: JsonValue) -> None:
    """Raise InvalidInputs for an object that has a name twice: the parser keeps the last value, without a word.

    Each name has a colon behind it. Where the document has as many names as the body has colons, none was lost, and the
    body need not be read again.
    """
    colons = body.count(b":")
    for found in _sizes(document):
        colons -= found
        if colons <= 0:
            return
    if repeated := _repeated(body):
        errors = [FieldError(name[:MAX_SHOWN], "given more than once in one object") for name in repeated[:MAX_ERRORS]]
        raise InvalidInputs("a name stands more than once in one object", errors)


def _sizes(value: JsonValue) -> Iterator[int]:
    """Yield the number of names in each object."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield len(one)
            waiting += [inner for inner in one.values() if isinstance(inner, dict | list)]
        elif isinstance(one, list):
            waiting += [inner for inner in one if isinstance(inner, dict | list)]


def _repeated(body: bytes) -> list[str]:
    """Return the names that the first such object has more than once."""
    found: list[str] = []

    def pairs(given: list[tuple[str, JsonValue]]) -> None:
        if not found and len({name for name, _ in given}) < len(given):
            found.extend(name for name, count in Counter(name for name, _ in given).items() if count > 1)

    json.loads(body.decode(), object_pairs_hook=pairs)
    return found
