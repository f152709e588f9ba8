"""Domain errors, and the responses that both kinds of route make of them."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from starlette.responses import Response

from prediction_api import errors
from prediction_api.errors import FieldError, PredictionApiError
from prediction_api.http.problems import problem_of
from prediction_api.http.scoring_errors import scoring_error_of

FIELDS = [FieldError("inputs[0].x", "required, but not there"), FieldError("inputs[1]", "has 99 fields")]
# Each error, its status among problem details, the members of its document, its status and code in MLflow's form.
TRANSLATED: list[tuple[PredictionApiError, int, dict[str, Any], int, str]] = [
    (errors.MalformedBody("no"), 400, {}, 400, "BAD_REQUEST"),
    (errors.NotJson("no"), 415, {}, 415, "BAD_REQUEST"),
    (errors.UnsupportedContentEncoding("br"), 415, {}, 415, "BAD_REQUEST"),
    (errors.AmbiguousSelection("no"), 400, {}, 400, "BAD_REQUEST"),
    (errors.ScoringError("no"), 400, {}, 400, "BAD_REQUEST"),
    (errors.ScoringError("no", "INVALID_PARAMETER_VALUE"), 400, {}, 400, "INVALID_PARAMETER_VALUE"),
    (errors.UnsupportedContentType("no"), 415, {}, 415, "BAD_REQUEST"),
    (errors.BodyTooLarge(7, "send less"), 413, {"max_bytes": 7}, 413, "BAD_REQUEST"),
    (errors.InvalidInputs("no"), 422, {}, 400, "BAD_REQUEST"),
    (errors.UnknownModel("no", ["a", "b"]), 404, {"models": ["a", "b"]}, 404, "RESOURCE_DOES_NOT_EXIST"),
    (errors.UnknownVariant("no"), 404, {}, 404, "RESOURCE_DOES_NOT_EXIST"),
    (errors.UnknownRecipe("no", []), 404, {"recipes": []}, 404, "RESOURCE_DOES_NOT_EXIST"),
    (errors.UnknownJob("no"), 404, {}, 404, "RESOURCE_DOES_NOT_EXIST"),
    (errors.TrainingNotConfigured("no"), 501, {}, 501, "BAD_REQUEST"),
    (errors.ModelUnavailable("no"), 503, {}, 503, "TEMPORARILY_UNAVAILABLE"),
    (errors.TrainingUnavailable("no"), 503, {}, 503, "TEMPORARILY_UNAVAILABLE"),
    (errors.InternalError("no"), 500, {}, 500, "INTERNAL_ERROR"),
]


def kinds(kind: type[PredictionApiError]) -> Iterator[type[PredictionApiError]]:
    for below in kind.__subclasses__():
        yield below
        yield from kinds(below)


def document(response: Response) -> Any:
    return json.loads(bytes(response.body))


@pytest.mark.parametrize(("error", "status", "members", "_", "__"), TRANSLATED)
def test_a_problem_has_status_title_detail_and_members(
    error: PredictionApiError, status: int, members: dict[str, Any], _: int, __: str
) -> None:
    response = problem_of(error, trace_id="tr-1")
    assert (response.status_code, response.media_type) == (status, "application/problem+json")
    assert document(response) == {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.detail,
        "trace_id": "tr-1",
        **members,
    }


@pytest.mark.parametrize(("error", "_", "__", "status", "code"), TRANSLATED)
def test_a_scoring_error_has_status_code_and_message(
    error: PredictionApiError, _: int, __: dict[str, Any], status: int, code: str
) -> None:
    response = scoring_error_of(error)
    assert (response.status_code, response.media_type) == (status, "application/json")
    assert document(response) == {"error_code": code, "message": error.detail}


def test_every_kind_of_error_is_translated_on_purpose() -> None:
    translated = {type(error) for error, *_ in TRANSLATED}
    assert {kind for kind in kinds(PredictionApiError) if kind is not errors.Unavailable} == translated


def test_the_fields_are_listed_in_both_forms() -> None:
    error = errors.InvalidInputs("2 field(s) are wrong", FIELDS)
    assert document(problem_of(error))["errors"] == [
        {"field": "inputs[0].x", "message": "required, but not there"},
        {"field": "inputs[1]", "message": "has 99 fields"},
    ]
    message = "2 field(s) are wrong; inputs[0].x: required, but not there; inputs[1]: has 99 fields"
    assert document(scoring_error_of(error))["message"] == message


@pytest.mark.parametrize(
    ("error", "seconds"), [(errors.ModelUnavailable("no"), "60"), (errors.TrainingUnavailable("no"), "30")]
)
def test_what_is_unavailable_says_when_to_retry(error: PredictionApiError, seconds: str) -> None:
    assert problem_of(error).headers["retry-after"] == scoring_error_of(error).headers["retry-after"] == seconds


def test_a_scoring_errors_message_is_cut() -> None:
    assert len(errors.ScoringError("x" * 5_000).detail) == 1_000
