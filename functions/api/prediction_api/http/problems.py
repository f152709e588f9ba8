"""Errors as problem details (RFC 9457): the one place where domain errors become HTTP statuses."""

from collections.abc import Mapping
from http import HTTPStatus

from pydantic import JsonValue
from pydantic_core import to_json
from starlette.responses import Response

from prediction_api.errors import (
    AmbiguousSelection,
    BodyTooLarge,
    InvalidInputs,
    MalformedBody,
    NotJson,
    PredictionApiError,
    ScoringError,
    TrainingNotConfigured,
    Unavailable,
    UnknownJob,
    UnknownModel,
    UnknownRecipe,
    UnknownVariant,
    UnsupportedContentEncoding,
    UnsupportedContentType,
)

MEDIA_TYPE = "application/problem+json"

_STATUS: Mapping[type[PredictionApiError], HTTPStatus] = {
    MalformedBody: HTTPStatus.BAD_REQUEST,
    AmbiguousSelection: HTTPStatus.BAD_REQUEST,
    ScoringError: HTTPStatus.BAD_REQUEST,
    UnknownModel: HTTPStatus.NOT_FOUND,
    UnknownVariant: HTTPStatus.NOT_FOUND,
    UnknownRecipe: HTTPStatus.NOT_FOUND,
    UnknownJob: HTTPStatus.NOT_FOUND,
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    NotJson: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    UnsupportedContentEncoding: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    UnsupportedContentType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    InvalidInputs: HTTPStatus.UNPROCESSABLE_ENTITY,
    TrainingNotConfigured: HTTPStatus.NOT_IMPLEMENTED,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_of(error: PredictionApiError) -> HTTPStatus:
    """Return the status of the nearest class in the table; 500 for one that is not in it."""
    found = (_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    return next(found, HTTPStatus.INTERNAL_SERVER_ERROR)


def headers_of(error: PredictionApiError) -> dict[str, str]:
    """Return the headers that the error adds to its response."""
    match error:
        case Unavailable(retry_after_seconds=seconds):
            return {"retry-after": str(seconds)}
        case UnsupportedContentEncoding():
            return {"accept-encoding": "gzip, deflate"}  # RFC 9110, section 12.5.3
        case _:
            return {}


def problem(
    status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None, **members: JsonValue
) -> Response:
    """Return the response of one problem. members: what its document has beside RFC 9457's own members."""
    document: dict[str, JsonValue] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
    }
    return Response(to_json(document | members), status, headers, media_type=MEDIA_TYPE)


def problem_of(error: PredictionApiError, **members: JsonValue) -> Response:
    """Return the response for a domain error, with its own members before the ones given."""
    return problem(status_of(error), error.detail, headers_of(error), **_members(error), **members)


def _members(error: PredictionApiError) -> dict[str, JsonValue]:
    match error:
        case InvalidInputs(errors=[_, *_] as errors):
            return {"errors": [{"field": one.field, "message": one.message} for one in errors]}
        case UnknownModel(models=models):
            return {"models": [*models]}
        case UnknownRecipe(recipes=recipes):
            return {"recipes": [*recipes]}
        case BodyTooLarge(max_bytes=max_bytes):
            return {"max_bytes": max_bytes}
        case _:
            return {}
