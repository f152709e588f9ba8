"""Errors as MLflow's scoring server words them: `{"error_code", "message"}`."""

from collections.abc import Mapping
from http import HTTPStatus

from pydantic_core import to_json
from starlette.responses import Response

from prediction_api.http.problems import Problem

# It could not be read as what the form says, or as the type that the signature says.
BAD_REQUEST = "BAD_REQUEST"
# It was read, but is not what the signature asks for.
INVALID_PARAMETER_VALUE = "INVALID_PARAMETER_VALUE"
# A message quotes names that a request made up, of any length.
MAX_MESSAGE = 1_000

_CODES: Mapping[HTTPStatus, str] = {
    HTTPStatus.NOT_FOUND: "RESOURCE_DOES_NOT_EXIST",
    HTTPStatus.INTERNAL_SERVER_ERROR: "INTERNAL_ERROR",
    HTTPStatus.SERVICE_UNAVAILABLE: "TEMPORARILY_UNAVAILABLE",
}


class Refused(Problem):
    """A request that the protocol refuses, with MLflow's code for that."""

    def __init__(self, message: str, code: str = BAD_REQUEST, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(status, message[:MAX_MESSAGE])
        self.code = code


def refusal(problem: Problem) -> Response:
    """The answer for a problem: what elsewhere is 422 is MLflow's 400."""
    code = problem.code if isinstance(problem, Refused) else _CODES.get(problem.status, BAD_REQUEST)
    status = HTTPStatus.BAD_REQUEST if problem.status is HTTPStatus.UNPROCESSABLE_ENTITY else problem.status
    lines = [problem.detail, *(f"{error.field}: {error.message}" for error in problem.errors)]
    content = to_json({"error_code": code, "message": "; ".join(lines)})
    return Response(content, status, problem.headers, media_type="application/json")
