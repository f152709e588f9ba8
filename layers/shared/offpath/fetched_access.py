"""Access to MLflow that is fetched when it is needed, and again when it no longer opens."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from offpath.errors import Transient
from offpath.mlflow_access import Access

REST_SECONDS = 5.0


class Part(Protocol):
    """A part of the access, kept by some service."""

    def added_to(self, access: Access) -> Access:
        """The access with this part of it as the service has it now. Raises Transient."""


class FetchedAccess:
    """Fetches the parts at first use, keeps them, and fetches them anew when they are refused.

    Fetches are at least REST_SECONDS apart, those that fail too: a password that stays wrong, or a service that hangs,
    costs one fetch in that time and not one a request. fixed: what is not fetched. clock: seconds of the wall's time,
    as a monotonic clock may stand still while Lambda has the process frozen. For one thread at a time.
    """

    def __init__(self, fixed: Access, parts: Sequence[Part], clock: Callable[[], float] = time.time) -> None:
        self._fixed = fixed
        self._parts = parts
        self._clock = clock
        self._kept: Access | None = None
        self._trouble = ""
        self._fetched_at = float("-inf")

    def access(self, refused: Access | None = None) -> Access:
        """The access that is kept, unless it is the refused one and it is time to fetch it anew.

        Raises Transient when it cannot be fetched, or could not just now.
        """
        if self._kept is not None and (self._kept != refused or self._rests):
            return self._kept
        if self._rests:
            raise Transient(f"{self._trouble} (asked less than {REST_SECONDS:g} s ago)")
        self._kept = self._fetch()
        return self._kept

    @property
    def _rests(self) -> bool:
        return 0 <= self._clock() - self._fetched_at < REST_SECONDS  # below 0: the clock was set back

    def _fetch(self) -> Access:
        access = self._fixed
        try:
            for part in self._parts:
                access = part.added_to(access)
        except Transient as error:
            self._trouble = f"MLflow's credentials or certificates cannot be fetched: {error}"
            raise Transient(self._trouble) from error
        finally:
            self._fetched_at = self._clock()
        return access
