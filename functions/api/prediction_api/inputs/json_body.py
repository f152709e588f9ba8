"""A request's body as JSON."""

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from prediction_api.errors import InvalidInputs, MalformedBody


def parse_object(body: bytes, inputs: str) -> dict[str, JsonValue]:
    """Return the JSON object in a body. inputs: an example of its field of that name, for the message.

    Raises MalformedBody for what is not JSON, InvalidInputs for JSON that is no object.
    """
    try:
        document: JsonValue = from_json(body)
    except ValueError as error:
        raise MalformedBody(f"the body is not JSON: {error}") from error
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
