"""A request's body, within the limit."""

from http import HTTPStatus

from fastapi import Request

from prediction_api.problems import Problem


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body. Raises Problem (413) as soon as it is known to be larger than max_bytes."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise _too_large(max_bytes)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
    return bytes(body)


def _too_large(max_bytes: int) -> Problem:
    detail = f"the body is larger than {max_bytes} bytes, the most that is taken; send fewer records at a time"
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, max_bytes=max_bytes)
