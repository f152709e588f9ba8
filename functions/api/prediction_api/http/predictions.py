"""Both ends of every prediction route: from an HTTP request to the core's, and from its result to a response."""

from collections.abc import Callable

from fastapi import Request, Response
from starlette.background import BackgroundTask

from offpath.tracing import header_text
from prediction_api.http.body import read_body
from prediction_api.prediction_protocol import PredictionRequest


async def read_prediction_request(name: str, request: Request, max_body_bytes: int) -> PredictionRequest:
    """Read a request to the model of that name. Raises BodyTooLarge."""
    body = await read_body(request, max_body_bytes)
    headers = {key.decode("latin-1"): header_text(value) for key, value in request.scope["headers"]}
    return PredictionRequest(name, body, request.query_params, headers)


def json_response(content: bytes, background: Callable[[], None] | None) -> Response:
    """Return a response of JSON. background: called once it is sent, within the event loop: it must not block."""
    return Response(content, media_type="application/json", background=_task(background))


def _task(background: Callable[[], None] | None) -> BackgroundTask | None:
    if background is None:
        return None

    async def run() -> None:  # a plain function would be run by a thread
        background()

    return BackgroundTask(run)
