"""Say why a body is not JSON, and what to send instead."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE

from prediction_api.errors import MAX_QUOTED, MalformedBody, NotJson, PredictionApiError

_JSON = "application/json"
_UTF16 = (BOM_UTF16_BE, BOM_UTF16_LE)


def not_json(reason: PredictionApiError, body: bytes, content_type: str, example: str) -> PredictionApiError:
    """Return the error for a body that could not be read as JSON.

    reason: what the parser says. content_type: the request's header. example: a body that would be right.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if not body.strip():
        return MalformedBody(f"the body is not JSON: it is empty; send {example}")
    if body.startswith(_UTF16):
        return MalformedBody(f"the body is not JSON in UTF-8: it is UTF-16; send {example}")
    if media_type and not _is_json(media_type):
        return NotJson(f"expected JSON, got {media_type[:MAX_QUOTED]}; send {example} as {_JSON} ({reason.detail})")
    return reason


def _is_json(media_type: str) -> bool:
    return media_type == _JSON or media_type.endswith("+json")
