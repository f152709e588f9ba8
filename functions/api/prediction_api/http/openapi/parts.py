"""Parts of an OpenAPI document (https://spec.openapis.org/oas/v3.1.0), as far as the document for a model has them."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from pydantic import BaseModel, JsonValue

from offpath.attributes import LONGEST_CALLER_HEADER
from prediction_api.routing.caller_headers import CLIENT_REQUEST_HEADER, SESSION_HEADER, USER_HEADER
from prediction_api.routing.model_selector import ALIAS, VERSION

JsonSchema = dict[str, JsonValue]

# `in` is no name for an attribute.
Parameter = TypedDict("Parameter", {"in": str, "name": str, "description": str, "schema": JsonSchema})


class MediaType(TypedDict):
    """The content of one media type."""

    schema: JsonSchema
    example: NotRequired[JsonValue]


Content = Mapping[str, MediaType]


class RequestBody(TypedDict):
    """The body that a request has."""

    required: bool
    content: Content


class Response(TypedDict):
    """One answer of an operation."""

    description: str
    content: Content


class Operation(TypedDict):
    """One method of a path."""

    tags: Sequence[str]
    operationId: str
    summary: str
    description: str
    parameters: Sequence[Parameter]
    requestBody: RequestBody
    responses: Mapping[str, Response]


_CALLER: JsonSchema = {"type": "string", "maxLength": LONGEST_CALLER_HEADER}
# How a request selects the version that answers it, and what its caller says of it.
REQUEST_PARAMETERS: Sequence[Parameter] = (
    {
        "in": "query",
        "name": ALIAS,
        "description": "answer by this alias, whatever its share of the traffic",
        "schema": {"type": "string"},
    },
    {
        "in": "query",
        "name": VERSION,
        "description": "answer by this version, if an alias stands for it",
        "schema": {"type": "string"},
    },
    {
        "in": "header",
        "name": SESSION_HEADER,
        "description": "requests of one session are answered by the same alias, and traced as one session",
        "schema": _CALLER,
    },
    {
        "in": "header",
        "name": USER_HEADER,
        "description": "who asks: the trace is one of this user's",
        "schema": _CALLER,
    },
    {
        "in": "header",
        "name": CLIENT_REQUEST_HEADER,
        "description": "the caller's own name for the request: a tag by which its trace is found",
        "schema": _CALLER,
    },
    {
        "in": "header",
        "name": "traceparent",
        "description": "the caller's W3C trace context: the trace links to it",
        "schema": {"type": "string"},
    },
)


def json_content(schema: JsonSchema, example: JsonValue = None) -> dict[str, MediaType]:
    """Return the content of a JSON document."""
    media_type: MediaType = {"schema": schema}
    if example is not None:
        media_type["example"] = example
    return {"application/json": media_type}


def schema_of(model: type[BaseModel]) -> JsonSchema:
    """Return the model's JSON schema without references: a route's own part of the document has no place for them."""
    schema: JsonSchema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    assert isinstance(definitions, dict)
    return {name: _inlined(part, definitions) for name, part in schema.items()}


def _inlined(part: JsonValue, definitions: Mapping[str, JsonValue]) -> JsonValue:
    match part:
        case {"$ref": str(reference)}:
            return _inlined(definitions[reference.rsplit("/", 1)[-1]], definitions)
        case dict():
            return {name: _inlined(value, definitions) for name, value in part.items()}
        case list():
            return [_inlined(value, definitions) for value in part]
        case _:
            return part
