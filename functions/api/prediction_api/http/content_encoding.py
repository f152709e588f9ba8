"""Unpack a body whose `content-encoding` says that it is packed (RFC 9110, section 8.4)."""

import gzip
import zlib
from collections.abc import Callable, Mapping
from io import BytesIO

from prediction_api.errors import MalformedBody, UnsupportedContentEncoding


def unpacked(body: bytes, header: str, max_bytes: int) -> bytes:
    """Return the body as it was before the encoding that the header names; at most one byte more than max_bytes of it.

    Raises UnsupportedContentEncoding, or MalformedBody for what is not so encoded.
    """
    names = [name.strip().lower() for name in header.split(",")]
    named = [name for name in names if name not in {"", "identity"}]
    if not named:
        return body
    if len(named) > 1 or named[0] not in _DECODERS:
        raise UnsupportedContentEncoding(header)
    try:
        return _DECODERS[named[0]](body, max_bytes + 1)
    except (zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise MalformedBody(f"the body is not {named[0]}, as content-encoding says: {error}") from error


def _gzip(body: bytes, most: int) -> bytes:
    return gzip.GzipFile(fileobj=BytesIO(body)).read(most)


def _deflate(body: bytes, most: int) -> bytes:
    """Unpack with zlib's header, as the standard has it, or without one, as some clients do."""
    try:
        return _inflate(body, zlib.MAX_WBITS, most)
    except zlib.error:
        return _inflate(body, -zlib.MAX_WBITS, most)


def _inflate(body: bytes, wbits: int, most: int) -> bytes:
    decoder = zlib.decompressobj(wbits)
    content = decoder.decompress(body, most)
    if len(content) < most and not decoder.eof:
        raise EOFError("it ends too early")
    return content


_DECODERS: Mapping[str, Callable[[bytes, int], bytes]] = {"deflate": _deflate, "gzip": _gzip, "x-gzip": _gzip}
