"""A route that traces every answer, among them refused requests and defects."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from offpath import attributes
from prediction_api.errors import InternalError, PredictionApiError
from prediction_api.http.endpoint_signature import check_endpoint
from prediction_api.http.problems import problem_of
from prediction_api.http.services import services

TRACE_ID_HEADER = "x-trace-id"

Endpoint = Callable[..., Coroutine[Any, Any, Response]]
Handle = Callable[[Request], Coroutine[Any, Any, Response]]

_log = logging.getLogger(__name__)
_propagator = TraceContextTextMapPropagator()


class TracedRoute(APIRoute):
    """Opens the request's span, continues the caller's `traceparent`, and ends the span before the answer leaves.

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
            with parts.tracer.start_as_current_span(
                f"{request.method} {self.path_format}",
                _propagator.extract(request.headers),
                SpanKind.SERVER,
                self._attributes(request, parts.settings.experiment),
                record_exception=False,
                set_status_on_exception=False,
            ) as span:
                response = await self._answer(handle, request, span)
                span.set_attribute("http.response.status_code", response.status_code)
            response.headers[TRACE_ID_HEADER] = mlflow_trace_id(span)
            return response

        return traced

    def refuse(self, error: PredictionApiError, trace_id: str) -> Response:
        """Return the response for a domain error, InternalError among them."""
        return problem_of(error, trace_id=trace_id)

    async def _answer(self, handle: Handle, request: Request, span: Span) -> Response:
        try:
            return await handle(request)
        except PredictionApiError as error:
            response = self.refuse(error, mlflow_trace_id(span))
            span.set_status(Status(StatusCode.ERROR, error.detail))
        except Exception as error:
            # Whatever a model or a defect raises, the caller gets an answer with a trace id, and the trace tells why.
            _log.exception("a request failed")
            detail = "the request failed within the service; the trace tells more to who may read it"
            response = self.refuse(InternalError(detail), mlflow_trace_id(span))
            span.record_exception(error)
            span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        span.set_attribute(attributes.SPAN_OUTPUTS, bytes(response.body).decode())
        return response

    def _attributes(self, request: Request, experiment: str) -> dict[str, str]:
        """Return the span's attributes, with OpenTelemetry's names for HTTP.

        https://opentelemetry.io/docs/specs/semconv/http/http-spans/
        """
        name = f"{request.method} {self.path_format}"
        return {
            attributes.SPAN_TYPE: "CHAIN",
            attributes.TRACE_NAME: name,
            attributes.EXPERIMENT: experiment,
            "http.request.method": request.method,
            "http.route": self.path_format,
            "url.path": request.url.path,
        }


def mlflow_trace_id(span: Span) -> str:
    """Return MLflow's id for the span's trace."""
    return f"tr-{format_trace_id(span.get_span_context().trace_id)}"
