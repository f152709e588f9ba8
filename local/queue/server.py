"""Serve SQS by HTTP, on this machine alone."""

import logging
import sqlite3

from ministack.services import sqs
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from local.queue.lasting_sqs import LastingSqs

_log = logging.getLogger("sqs")


def application(lasting: LastingSqs) -> Starlette:
    """Return the ASGI application: `GET /health`, `POST /release`, and anything else is SQS's.

    `/release` lets all that was received be received again, for a start, when nobody who received it is there any more.
    """

    async def act(request: Request) -> Response:
        body, headers = await request.body(), dict(request.headers)
        try:
            status, answered, content = await sqs.handle_request(
                request.method, request.url.path, headers, body, dict(request.query_params)
            )
            lasting.keep_queues()
        except sqlite3.Error as error:  # the disk is full, say: the caller keeps what it has
            _log.error("the queue's file: %s", error)
            return _failure(f"the queue's file: {error}")
        return Response(content, status, answered)

    async def health(request: Request) -> Response:  # noqa: ARG001
        return PlainTextResponse("OK")

    async def release(request: Request) -> Response:  # noqa: ARG001
        return JSONResponse({"released": lasting.release_all()})

    own = [Route("/health", health), Route("/release", release, methods=["POST"])]
    return Starlette(routes=[*own, Route("/{path:path}", act, methods=["GET", "POST"])])


def _failure(text: str) -> Response:
    status, headers, content = sqs._json_err_resp("ServiceUnavailable", text, 503)
    return Response(content, status, headers)
