"""Errors as problem details (RFC 9457)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field. field: its path in the request body, as `inputs[0].petal_length`."""

    field: str
    message: str


class Problem(Exception):
    """A request that is not answered as it hoped."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})
        self.members = members

    def response(self, **members: Any) -> Response:
        """The HTTP answer; members are added to the document."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = [{"field": error.field, "message": error.message} for error in self.errors]
        content = to_json(document | self.members | members)
        return Response(content, self.status, self.headers, media_type=MEDIA_TYPE)


def refused(detail: str, errors: Sequence[FieldError] = ()) -> Problem:
    """What is JSON, but not what the model takes."""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors)


def unavailable(detail: str) -> Problem:
    """What cannot be answered now, and may be in a minute."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"retry-after": "60"})
