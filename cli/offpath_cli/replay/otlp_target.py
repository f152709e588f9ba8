"""Send events to any backend that takes OTLP over HTTP, as they came.

https://opentelemetry.io/docs/specs/otlp/#otlphttp says which answers mean that a request may be sent again.
"""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import replace

import urllib3
from google.protobuf.message import DecodeError, EncodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from urllib3.exceptions import HTTPError, InvalidHeader, LocationParseError
from urllib3.util import Retry, parse_url

from offpath.contracts.errors import MalformedEvent, Poison, Transient
from offpath.retry import Backoff, Clock, attempts
from offpath_cli.errors import CommandError
from offpath_cli.replay.event import ReplayEvent
from trace_writer.changes import Changes
from trace_writer.json_text import one_line, storable_escapes
from trace_writer.otlp_request import read_request

BACKOFF = Backoff(first_seconds=0.5, longest_seconds=30.0, jitter=0.5)
PATIENCE_SECONDS = 300.0
_PATH = "/v1/traces"
_HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
_TIMEOUT_SECONDS = 30.0
_LATER = {429, 502, 503, 504}
# Of what the request holds; anything else is the same for every request.
_OF_THE_CONTENT = {400, 413, 422}
_SHOWN_CHARACTERS = 200


class _Refused(Exception):
    """The endpoint refuses what a request holds: a part of it may pass."""


class OtlpTarget:
    """Posts protobuf to an OTLP endpoint.

    headers: for authentication, mostly. patience_seconds: how long the endpoint is waited for while it takes nothing.
    Raises CommandError for a URL that cannot be used.
    """

    most_events = 100
    most_bytes = 4_000_000

    def __init__(
        self, url: str, headers: Mapping[str, str], clock: Clock, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._url = endpoint(url)
        self._headers = {**_HEADERS, **headers}
        self._clock = clock
        self._backoff = replace(BACKOFF, budget_seconds=patience_seconds)
        self._pool = urllib3.PoolManager(retries=False)

    def close(self) -> None:
        """Do nothing: all was delivered."""

    def deliver(self, events: Sequence[ReplayEvent]) -> dict[int, str]:
        """Send a batch. Raises Transient, or CommandError for an endpoint that does not take what is sent to it."""
        left: dict[int, str] = {}
        payloads: dict[int, bytes] = {}
        for index, event in enumerate(events):
            try:
                payloads[index] = _payload(event)
            except Poison as error:
                left[index] = str(error)
        return left | self._sent(payloads)

    def _sent(self, payloads: dict[int, bytes]) -> dict[int, str]:
        """Send these in one request, or in halves until what is refused stands alone."""
        if not payloads:
            return {}
        try:
            refusal = self._post(b"".join(payloads.values()))
        except _Refused as error:
            if len(payloads) == 1:
                return dict.fromkeys(payloads, str(error))
        else:  # a part of it was taken: OTLP forbids to send that again
            return {min(payloads): refusal} if refusal else {}
        items = list(payloads.items())
        middle = len(items) // 2
        return self._sent(dict(items[:middle])) | self._sent(dict(items[middle:]))

    def _post(self, payload: bytes) -> str:
        """Send serialized requests, which can be joined; return what the endpoint says of a part that it did not take.

        Raises _Refused, Transient or CommandError.
        """
        body, reason = gzip.compress(payload, 1, mtime=0), ""
        for _ in attempts(self._backoff, self._clock):
            try:
                answer = self._pool.request(
                    "POST", self._url, body=body, headers=self._headers, timeout=_TIMEOUT_SECONDS, redirect=False
                )
            except HTTPError as error:
                reason = f"no answer from {self._url}: {error}"
                continue
            if answer.status < 300:
                return _rejected(answer)
            said = answer.data[:_SHOWN_CHARACTERS].decode(errors="replace")
            reason = f"{self._url} answers HTTP {answer.status} {said}"
            if answer.status in _OF_THE_CONTENT:
                raise _Refused(reason)
            if answer.status not in _LATER:
                raise CommandError(f"{reason}; is this the URL of an OTLP endpoint, and are the headers right?")
            self._clock.sleep(_retry_after(answer))
        raise Transient(reason)


def endpoint(url: str) -> str:
    """Return where traces are posted: of a URL without a path, `/v1/traces`. Raises CommandError."""
    try:
        parts = parse_url(url)
    except LocationParseError as error:
        raise CommandError(f"the URL {url!r} cannot be used: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.host:
        raise CommandError(f"the URL {url!r} cannot be used: expected http(s)://host[:port][/path]")
    return url if (parts.path or "/") != "/" else f"{url.rstrip('/')}{_PATH}"


def _payload(event: ReplayEvent) -> bytes:
    try:
        line = storable_escapes(one_line(event.body))
        fields = read_request(line, event.trace_id, Changes())
        return bytes(ExportTraceServiceRequest(**fields).SerializeToString())
    except (ValueError, OverflowError, RecursionError, EncodeError) as error:
        raise MalformedEvent(f"the event cannot be read: {error}") from error


def _rejected(answer: urllib3.BaseHTTPResponse) -> str:
    """Return why some spans were not taken, if the answer says so; not every backend answers in OTLP's own words."""
    if not answer.headers.get("Content-Type", "").startswith("application/x-protobuf"):
        return ""
    try:
        partial = ExportTraceServiceResponse.FromString(answer.data).partial_success
    except DecodeError:
        return ""
    return f"{partial.rejected_spans} span(s) rejected: {partial.error_message}" if partial.rejected_spans else ""


def _retry_after(answer: urllib3.BaseHTTPResponse) -> float:
    try:
        return min(60.0, max(0.0, Retry().parse_retry_after(answer.headers.get("Retry-After", ""))))
    except InvalidHeader:
        return 0.0
