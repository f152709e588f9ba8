"""From pydantic's errors to those of a request's fields."""

from collections.abc import Sequence

from pydantic_core import ErrorDetails

from prediction_api.errors import FieldError

# An answer lists so many errors at most, and quotes so many characters of what a request made up.
MAX_ERRORS = 20
MAX_SHOWN = 200


def field_errors(
    found: Sequence[ErrorDetails], prefix: str = "", *, whole: str, unknown: str = "not known here"
) -> list[FieldError]:
    """Return an error for each of pydantic's. prefix: of their paths.

    whole: the name of what has no path. unknown: the message for a field that is not known.
    """
    return [FieldError(field_path(prefix, detail["loc"], whole), _message(detail, unknown)) for detail in found]


def field_path(prefix: str, location: Sequence[int | str], whole: str) -> str:
    """Return the path of a field, as `inputs[0].petal_length`; whole where there is none."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return (prefix + steps).lstrip(".")[:MAX_SHOWN] or whole


def _message(detail: ErrorDetails, unknown: str) -> str:
    if detail["type"] == "extra_forbidden":
        return unknown
    if detail["type"] == "missing":
        return "required, but not there"
    message = detail["msg"][:1].lower() + detail["msg"][1:]
    return f"{message}; got {repr(detail['input'])[:80]}"
