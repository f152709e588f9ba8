"""A request's body as JSON."""

from http import HTTPStatus
from typing import Any

from pydantic_core import from_json

from prediction_api.http.problems import Problem, refused


def parse_object(body: bytes, inputs: str) -> dict[str, Any]:
    """The JSON object in a body. inputs: what its field of that name is to hold. Raises Problem, 400 or 422."""
    try:
        document = from_json(body)
    except ValueError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise refused(f'the body is not a JSON object; send {{"inputs": {inputs}}}')
    return document
