"""A route that traces every answer, among them refused requests and defects."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, use_span

from offpath import attributes
from offpath.attributes import CALLER_HEADERS
from offpath.tracing import TRACE_ID_HEADER, awaited_later, caller_attributes, header_text, mlflow_trace_id, note_status
from prediction_api.errors import InternalError, PredictionApiError
from prediction_api.http.endpoint_signature import check_endpoint
from prediction_api.http.problems import problem_of
from prediction_api.http.services import Services, services

Endpoint = Callable[..., Coroutine[Any, Any, Response]]
Handle = Callable[[Request], Coroutine[Any, Any, Response]]

_CALLER_HEADERS = frozenset(name.encode() for name in (*CALLER_HEADERS, "traceparent", "tracestate"))

_log = logging.getLogger(__name__)


class TracedRoute(APIRoute):
    """Opens the request's span, and ends it before the answer leaves, unless the model is not to be traced.

    Where the answer waits for the receipt of its trace, no other request does.

    It calls the endpoint with the path's parameters and the request: no time goes into what FastAPI could find out
    beside these.
    """

    def __init__(self, path: str, endpoint: Endpoint, **options: Any) -> None:
        """Raise TypeError for an endpoint that asks for more than it would be called with, or for dependencies."""
        check_endpoint(path, endpoint)
        super().__init__(path, endpoint, **options)
        if self.dependencies:
            raise TypeError(f"the route {path} has dependencies, which are not called here: call them in the endpoint")

    def get_route_handler(self) -> Handle:
        """Return the endpoint's call within a span."""

        async def handle(request: Request) -> Response:
            response: Response = await self.endpoint(**request.path_params, request=request)
            return response

        async def traced(request: Request) -> Response:
            parts = services(request)
            if not parts.tracing.choices.models.includes(request.path_params.get("name")):
                with use_span(INVALID_SPAN):
                    return await self._answer(handle, request, INVALID_SPAN)
            if parts.tracing.receipts is None:
                return await self._trace(handle, request, parts)
            with awaited_later():
                response = await self._trace(handle, request, parts)
                await parts.tracing.receipts.wait()
                return response

        return traced

    def refuse(self, error: PredictionApiError, trace_id: str | None) -> Response:
        """Return the response for a domain error, InternalError among them."""
        return problem_of(error, trace_id=trace_id)

    async def _trace(self, handle: Handle, request: Request, parts: Services) -> Response:
        headers = _caller_headers(request)
        caller = parts.tracing.read_caller(headers)
        of_trace = parts.flow.trace_attributes(request.path_params.get("name", ""))
        with parts.tracer.start_as_current_span(
            f"{request.method} {self.path_format}",
            caller.context,
            SpanKind.SERVER,
            {**self._attributes(request), **caller_attributes(headers), **caller.attributes, **of_trace},
            caller.links,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            response = await self._answer(handle, request, span)
        if trace_id := mlflow_trace_id(span):
            response.headers[TRACE_ID_HEADER] = trace_id
        return response

    async def _answer(self, handle: Handle, request: Request, span: Span) -> Response:
        """Return the endpoint's response, or that of what it raises, which is noted in the span."""
        refusal: PredictionApiError
        try:
            response = await handle(request)
        except PredictionApiError as error:
            refusal, reason = error, error.detail
        except Exception as error:
            # Whatever a model or a defect raises, the caller gets an answer with a trace id, and the trace tells why.
            _log.exception("a request failed")
            refusal = InternalError("the request failed within the service; the trace tells more to who may read it")
            reason = f"{type(error).__name__}: {error}"
            span.record_exception(error)
        else:
            note_status(span, response.status_code)
            return response
        response = self.refuse(refusal, mlflow_trace_id(span))
        span.set_attribute(attributes.SPAN_OUTPUTS, bytes(response.body).decode())
        note_status(span, response.status_code, reason)
        return response

    def _attributes(self, request: Request) -> dict[str, str]:
        """Return the span's attributes, with OpenTelemetry's names for HTTP.

        https://opentelemetry.io/docs/specs/semconv/http/http-spans/
        """
        return {
            attributes.SPAN_TYPE: "CHAIN",
            attributes.TRACE_NAME: f"{request.method} {self.path_format}",
            "http.request.method": request.method,
            "http.route": self.path_format,
            "url.path": request.scope["path"],
        }


def _caller_headers(request: Request) -> dict[str, str]:
    """Return those headers that say something of the caller; most requests have none of them."""
    given = request.scope["headers"]
    return {name.decode(): header_text(value) for name, value in given if name in _CALLER_HEADERS}
