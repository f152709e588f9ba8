"""A request's body, within the limit."""

from codecs import BOM_UTF8

from fastapi import Request

from prediction_api.errors import BodyTooLarge
from prediction_api.http.content_encoding import unpacked


async def read_body(request: Request, max_bytes: int, advice: str = "send fewer records at a time") -> bytes:
    """Return the whole body, unpacked, without a byte-order mark.

    Raises BodyTooLarge as soon as it is known to be larger than max_bytes, packed or unpacked,
    UnsupportedContentEncoding, or MalformedBody for one that cannot be unpacked.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise BodyTooLarge(max_bytes, advice)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise BodyTooLarge(max_bytes, advice)
    content = bytes(body)
    if encoding := request.headers.get("content-encoding"):
        content = unpacked(content, encoding, max_bytes)
        if len(content) > max_bytes:
            raise BodyTooLarge(max_bytes, advice)
    return content.removeprefix(BOM_UTF8)
