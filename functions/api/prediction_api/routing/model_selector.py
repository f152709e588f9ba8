"""How a request selects the version that answers it."""

from collections.abc import Mapping
from dataclasses import dataclass

from offpath.contracts.names import CHAMPION
from prediction_api.errors import AmbiguousSelection
from prediction_api.routing.caller_headers import SESSION_HEADER

ALIAS, VERSION = "alias", "version"


@dataclass(frozen=True, slots=True)
class ModelSelector:
    """One alias, or one version; without either the traffic is split, and a session stays with one version."""

    alias: str | None = None
    version: str | None = None
    session_id: str | None = None


CHAMPION_SELECTOR = ModelSelector(alias=CHAMPION)


def read_selector(query: Mapping[str, str], headers: Mapping[str, str]) -> ModelSelector:
    """Read a request's selector. headers: by names in lower case.

    Raises AmbiguousSelection for an alias and a version.
    """
    alias, version = query.get(ALIAS), query.get(VERSION)
    if alias is not None and version is not None:
        raise AmbiguousSelection("the query has alias and version: ask for the one or the other")
    return ModelSelector(alias, version, headers.get(SESSION_HEADER) or None)
