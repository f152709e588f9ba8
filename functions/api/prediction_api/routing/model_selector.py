"""How a request selects the version that answers it."""

from collections.abc import Mapping
from dataclasses import dataclass

from offpath.contracts.names import CHAMPION
from prediction_api.errors import AmbiguousSelection, FieldError, InvalidInputs

SESSION_HEADER = "x-session-id"
ALIAS, VERSION = "alias", "version"
# The most that MLflow takes for a session: it refuses a whole batch of traces for a longer one.
MAX_SESSION_ID = 250


@dataclass(frozen=True, slots=True)
class ModelSelector:
    """One alias, or one version; without either the traffic is split, and a session stays with one version."""

    alias: str | None = None
    version: str | None = None
    session_id: str | None = None


CHAMPION_SELECTOR = ModelSelector(alias=CHAMPION)


def read_selector(query: Mapping[str, str], headers: Mapping[str, str]) -> ModelSelector:
    """Read a request's selector. headers: by names in lower case.

    Raises AmbiguousSelection for an alias and a version, InvalidInputs for a session id that is too long.
    """
    alias, version = query.get(ALIAS), query.get(VERSION)
    if alias is not None and version is not None:
        raise AmbiguousSelection("the query has alias and version: ask for the one or the other")
    session_id = headers.get(SESSION_HEADER)
    if session_id is not None and len(session_id) > MAX_SESSION_ID:
        message = f"expected at most {MAX_SESSION_ID} characters, got {len(session_id)}"
        raise InvalidInputs(f"the header {SESSION_HEADER} is too long", [FieldError(SESSION_HEADER, message)])
    return ModelSelector(alias, version, session_id or None)
