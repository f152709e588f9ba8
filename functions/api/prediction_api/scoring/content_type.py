"""The content types of the protocol."""

from prediction_api.errors import UnsupportedContentType

JSON = "application/json"
CSV = "text/csv"


def content_type_of(header: str) -> str:
    """Return JSON or CSV; JSON for an empty header.

    Raises UnsupportedContentType for other types, character sets and parameters.
    """
    mime, *parameters = [part.strip().lower() for part in header.split(";")]
    if mime not in {JSON, CSV, ""}:
        raise UnsupportedContentType(f"content type {mime} is not taken here; send {JSON} or {CSV}")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if (name, value.strip('"')) != ("charset", "utf-8"):
            raise UnsupportedContentType(f"content type parameter {parameter} is not taken here; send {JSON}, in UTF-8")
    return mime or JSON
