"""The content types of the protocol."""

from http import HTTPStatus

from prediction_api.scoring.refusal import Refused

JSON = "application/json"
CSV = "text/csv"


def content_type_of(header: str) -> str:
    """JSON or CSV; JSON where nothing is said. Raises Refused (415) for other types, character sets and parameters."""
    mime, *parameters = [part.strip().lower() for part in header.split(";")]
    if mime not in {JSON, CSV, ""}:
        raise _unsupported(f"content type {mime} is not taken here; send {JSON} or {CSV}")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if (name, value.strip('"')) != ("charset", "utf-8"):
            raise _unsupported(f"content type parameter {parameter} is not taken here; send {JSON}, in UTF-8")
    return mime or JSON


def _unsupported(message: str) -> Refused:
    return Refused(message, status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
