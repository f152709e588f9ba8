"""A request's body, within the limit."""

from fastapi import Request

from prediction_api.errors import BodyTooLarge


async def read_body(request: Request, max_bytes: int, advice: str = "send fewer records at a time") -> bytes:
    """Return the whole body. Raises BodyTooLarge as soon as it is known to be larger than max_bytes."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise BodyTooLarge(max_bytes, advice)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise BodyTooLarge(max_bytes, advice)
    return bytes(body)
