"""How callers name their sessions, users and requests: by headers, of a bounded length."""

from collections.abc import Mapping

from offpath.attributes import CALLER_HEADERS, LONGEST_CALLER_HEADER
from prediction_api.errors import FieldError, InvalidInputs

SESSION_HEADER, USER_HEADER, CLIENT_REQUEST_HEADER = CALLER_HEADERS


def check_caller_headers(headers: Mapping[str, str]) -> None:
    """Raise InvalidInputs for a name that is too long: what is cut off may be what tells two callers apart.

    headers: by names in lower case.
    """
    lengths = {name: len(headers.get(name, "")) for name in CALLER_HEADERS}
    errors = [
        FieldError(name, f"expected at most {LONGEST_CALLER_HEADER} characters, got {length}")
        for name, length in lengths.items()
        if length > LONGEST_CALLER_HEADER
    ]
    if errors:
        raise InvalidInputs(f"the header {errors[0].field} is too long", errors)
