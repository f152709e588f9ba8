"""Trace an ASGI application: each HTTP request is one trace."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode, Tracer, get_current_span

from offpath import attributes
from offpath.attributes import trace_tag
from offpath.tracing._asgi_lifespan import Message, Receive, Send, await_requests, serve_lifespan
from offpath.tracing._caller import CHILD, Caller
from offpath.tracing._receipts import Receipts, awaited_later
from offpath.tracing._requests import (
    FAILED,
    TRACE_ID_HEADER,
    caller_attributes,
    header_text,
    mlflow_trace_id,
    note_status,
)

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Receipt = Callable[[], Awaitable[None]]


class Requests(Protocol):
    """What an application needs of a tracing."""

    @property
    def receipts(self) -> Receipts | None:
        """What waits for receipts, where a response does."""

    def tracer(self, name: str) -> Tracer:
        """Return a tracer."""

    def read_caller(self, headers: Mapping[str, str]) -> Caller:
        """Return what the headers say of the caller's trace."""

    def flush(self) -> bool:
        """Send what has ended so far. Return False if that was not in time."""


# FastAPI 0.165 and newer trace each request by the global provider, in a trace of its own whatever span is around it,
# unless the scope has this key: an application around theirs has traced it already, or has left it untraced.
FASTAPIS_OWN = "fastapi.telemetry"


class TracedApp:
    """An ASGI application each of whose HTTP requests is a trace; what it does within one are spans of that trace.

    The span ends as the last part of the answer is sent, and is named after the route, where the framework names one.
    Below an instrumentation's span it is that one's child; with one below it, it is handed over once that has ended.
    FastAPI's own spans are left out. The answer gets the header `x-trace-id`. With `OFFPATH_DELIVERY=before_response`
    its last part waits for the receipt, and no other request does. As the server shuts the application down, what has
    ended is sent.
    """

    def __init__(self, app: App, tracing: Requests) -> None:
        self._app = app
        self._tracing = tracing
        self._tracer = tracing.tracer("offpath.asgi")
        self.in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; one that is neither an HTTP request nor the server's lifespan passes through."""
        if scope["type"] == "lifespan":
            await serve_lifespan(partial(self._app, scope), receive, send, self._at_end)
        elif scope["type"] != "http":
            await self._app(scope, receive, send)
        else:
            self.in_flight += 1
            try:
                await self._serve(scope, receive, send)
            finally:
                self.in_flight -= 1

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._tracing.receipts is None:
            await self._trace(scope, receive, send, _no_receipt)
        else:
            with awaited_later():
                await self._trace(scope, receive, send, self._tracing.receipts.wait)

    async def _at_end(self) -> None:
        await await_requests(self)
        await asyncio.to_thread(self._tracing.flush)

    async def _trace(self, scope: Scope, receive: Receive, send: Send, receipt: Receipt) -> None:
        scope.setdefault(FASTAPIS_OWN, None)
        headers = {name.decode("latin-1"): header_text(value) for name, value in scope["headers"]}
        is_outermost = not get_current_span().get_span_context().is_valid
        caller = self._tracing.read_caller(headers) if is_outermost else CHILD
        to_come = self._tracer.start_as_current_span(
            f"{scope['method']} {scope['path']}",
            caller.context,
            SpanKind.SERVER,
            {**_attributes(scope, headers), **caller.attributes},
            caller.links,
        )
        answer = _Answer(scope, send, receipt)
        try:
            with to_come as span, answer.traced_by(span):
                await self._app(scope, receive, answer)
        except Exception:  # the server around this answers it
            await answer.receipt_if_incomplete()
            raise
        await answer.receipt_if_incomplete()


class _Answer:
    """Sends an answer, and ends its request's span before the last part."""

    def __init__(self, scope: Scope, send: Send, receipt: Receipt) -> None:
        self._scope = scope
        self._span: Span = INVALID_SPAN
        self._send = send
        self._receipt = receipt
        self._end_time: int | None = None
        self._status = 0
        self._is_complete = False
        self._root_path = scope.get("root_path", "")

    @contextmanager
    def traced_by(self, span: Span) -> Iterator[None]:
        """Note in the span what becomes of the request within the block."""
        self._span = span
        try:
            yield
            if not self._status:
                note_status(span, FAILED)
        except BaseException as error:
            if not self._is_complete:
                self._note_failure(error)
            elif (
                self._end_time is not None and self._status >= FAILED
            ):  # a framework answers 500, and raises on what made it do so
                span.record_exception(error)
                span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
            raise
        finally:
            # The answer's last part was sent before the end of the spans around it, or of what failed.
            if self._end_time is not None:
                span.end(self._end_time)

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            note_status(self._span, self._status)
            message = {**message, "headers": self._with_trace_id(message.get("headers", ()))}
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            self._complete()
            await self._receipt()
        await self._send(message)

    async def receipt_if_incomplete(self) -> None:
        """Wait for the receipt where no last part of an answer has done so."""
        if not self._is_complete:
            await self._receipt()

    def _with_trace_id(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Return the headers with that of the trace, once: an application within this one may have named it already."""
        header = (TRACE_ID_HEADER.encode(), (mlflow_trace_id(self._span) or "").encode())
        return [*((name, value) for name, value in headers if (name, value) != header), header]

    def _note_failure(self, error: BaseException) -> None:
        if isinstance(error, Exception):  # the server answers with this status, unless the answer has begun
            note_status(self._span, FAILED)
        else:
            self._span.set_attribute(trace_tag(attributes.OUTCOME), "failed")
            self._span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__} before the answer was complete"))

    def _complete(self) -> None:
        if route := getattr(self._scope.get("route"), "path", None):
            route = self._mounted_at() + route
            self._span.update_name(f"{self._scope['method']} {route}")
            self._span.set_attribute("http.route", route)
        self._is_complete = True
        is_outermost = get_current_span() is self._span and self._status < FAILED
        # An answer that waits for its receipt waits for no other span: those come in a message of their own.
        if is_outermost or self._receipt is not _no_receipt:
            self._span.end()
        else:
            self._end_time = time.time_ns()

    def _mounted_at(self) -> str:
        """Return the path at which the route's application is mounted: mounts add it to the root path."""
        root_path: str = self._scope.get("root_path", "")
        return root_path.removeprefix(self._root_path) if root_path.startswith(self._root_path) else ""


async def _no_receipt() -> None:
    """Wait for nothing."""


def _attributes(scope: Scope, headers: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes of a request's span (https://opentelemetry.io/docs/specs/semconv/http/http-spans/)."""
    return {
        attributes.SPAN_TYPE: "CHAIN",
        "http.request.method": scope["method"],
        "url.path": scope["path"],
        **caller_attributes(headers),
    }
