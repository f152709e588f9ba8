"""MLflow's answers, and its silences, as this project's errors."""

import json
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from urllib3.exceptions import InvalidHeader, ProtocolError, ReadTimeoutError
from urllib3.util import Retry

from offpath.contracts.errors import Rejected, Transient
from offpath.mlflow.http import Answer, MlflowHttp
from trace_writer.tracker import NEVER, Faulted, TrackerUnavailable

MISSING = "RESOURCE_DOES_NOT_EXIST"
EXISTS = "RESOURCE_ALREADY_EXISTS"
_SHOWN_CHARACTERS = 500
# What is mended without the message: credentials and permissions, an overloaded server, a wrong address.
_CREDENTIALS = {401, 403, 407}
_LATER = {408, 425, 429}
_WRONG_PLACE = {301, 302, 303, 307, 308, 404, 405}


@dataclass(frozen=True, slots=True)
class Call:
    """A request to MLflow. harmless: codes of errors that are an outcome, and are not raised."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    harmless: Set[str] = frozenset({MISSING})


@dataclass(frozen=True, slots=True)
class Outcome:
    """A success, or a harmless error. fields: the JSON object of the answer, empty if it is none."""

    error_code: str
    fields: dict[str, Any]
    answer: Answer


class MlflowApi:
    """Requests to MLflow whose every answer is an outcome or an error.

    now: a monotonic clock in seconds. timeout_seconds: the longest wait for an answer.
    """

    def __init__(self, http: MlflowHttp, now: Callable[[], float], timeout_seconds: float) -> None:
        self._http = http
        self._now = now
        self._timeout_seconds = timeout_seconds

    def send(self, call: Call, deadline: float) -> Outcome:
        """One request, answered before the deadline on the clock. Raises Rejected, TrackerUnavailable or Faulted."""
        answer = self._answer(call, deadline)
        outcome = _outcome(answer)
        if answer.status >= 300 and outcome.error_code not in call.harmless:
            raise _error(answer, f"{self._named(call)} was answered {shown(answer)}")
        return outcome

    def _answer(self, call: Call, deadline: float) -> Answer:
        left = deadline - self._now()
        if left <= 0:
            raise TrackerUnavailable(f"there was no time left for {self._named(call)}")
        wait = min(left, self._timeout_seconds)
        try:
            return self._http.request(
                call.method, call.path, headers=call.headers, body=call.body, timeout_seconds=wait
            )
        except Transient as error:
            # A connection made and then no answer may be this request's doing; no connection is nobody's.
            kind = Faulted if isinstance(error.__cause__, ReadTimeoutError | ProtocolError) else TrackerUnavailable
            raise kind(str(error)) from error

    def _named(self, call: Call) -> str:
        return f"{call.method} {self._http.url}{call.path}"


def _error(answer: Answer, said: str) -> TrackerUnavailable | Rejected:
    if answer.status == HTTPStatus.NOT_IMPLEMENTED:
        return TrackerUnavailable(
            f"{said}; this server takes no spans: they need a database (--backend-store-uri)", NEVER
        )
    if answer.status >= 500:
        return Faulted(said, _retry_after(answer))
    if answer.status in _CREDENTIALS:
        return TrackerUnavailable(
            f"{said}; check OFFPATH_MLFLOW_USERNAME and OFFPATH_MLFLOW_PASSWORD, or the secret that "
            "OFFPATH_MLFLOW_SECRET names, and what that user may do"
        )
    if answer.status in _LATER:
        return TrackerUnavailable(said, _retry_after(answer))
    if answer.status in _WRONG_PLACE:
        return TrackerUnavailable(f"{said}; does an MLflow server with OTLP answer there? Check OFFPATH_MLFLOW_URL")
    return Rejected(said)


def _outcome(answer: Answer) -> Outcome:
    try:
        fields = json.loads(answer.body)
    except ValueError:
        fields = {}
    if not isinstance(fields, dict):
        fields = {}
    return Outcome(str(fields.get("error_code", "")) if answer.status >= 400 else "", fields, answer)


def shown(answer: Answer) -> str:
    """Return the status, and how the body begins."""
    text = answer.body.decode(errors="replace").strip()
    shown = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
    return f"HTTP {answer.status} {shown}".rstrip()


def _retry_after(answer: Answer) -> float:
    try:
        return max(0.0, Retry().parse_retry_after(answer.headers.get("Retry-After", "")))
    except InvalidHeader:
        return 0.0
