"""Errors in the form of MLflow's scoring server: `{"error_code", "message"}`."""

from collections.abc import Mapping
from http import HTTPStatus

from pydantic_core import to_json
from starlette.responses import Response

from prediction_api.errors import BAD_REQUEST, PredictionApiError, ScoringError
from prediction_api.http.problems import headers_of, status_of

_CODES: Mapping[HTTPStatus, str] = {
    HTTPStatus.NOT_FOUND: "RESOURCE_DOES_NOT_EXIST",
    HTTPStatus.INTERNAL_SERVER_ERROR: "INTERNAL_ERROR",
    HTTPStatus.SERVICE_UNAVAILABLE: "TEMPORARILY_UNAVAILABLE",
}


def scoring_error_of(error: PredictionApiError) -> Response:
    """Return the response for a domain error: MLflow answers 400 where problem details have 422."""
    found = status_of(error)
    code = error.code if isinstance(error, ScoringError) else _CODES.get(found, BAD_REQUEST)
    status = HTTPStatus.BAD_REQUEST if found is HTTPStatus.UNPROCESSABLE_ENTITY else found
    lines = [error.detail, *(f"{one.field}: {one.message}" for one in error.errors)]
    content = to_json({"error_code": code, "message": "; ".join(lines)})
    return Response(content, status, headers_of(error), media_type="application/json")
