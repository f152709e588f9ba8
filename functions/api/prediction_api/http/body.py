"""A request's body, within the limit."""

from http import HTTPStatus

from fastapi import Request

from prediction_api.http.problems import Problem


async def read_body(request: Request, max_bytes: int, advice: str = "send fewer records at a time") -> bytes:
    """The whole body. Raises Problem (413) as soon as it is known to be larger than max_bytes."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise _too_large(max_bytes, advice)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise _too_large(max_bytes, advice)
    return bytes(body)


def _too_large(max_bytes: int, advice: str) -> Problem:
    detail = f"the body is larger than {max_bytes} bytes, the most that is taken; {advice}"
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, max_bytes=max_bytes)
