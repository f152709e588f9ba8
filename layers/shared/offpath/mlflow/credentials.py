"""Who this process is to MLflow, and which certificates it trusts MLflow by.

A provider hands credentials out. They are the same for as long as the process lives, or kept by services
(`stored_credentials`) and fetched when they are needed, and again when MLflow no longer accepts them.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from offpath.contracts.errors import Transient

FETCH_INTERVAL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """The login that MLflow asks for, and the certificates that tell that it is MLflow.

    username: None where MLflow asks for none. ca_certificates: in PEM, as `read_certificates` returns them, to trust
    instead of the system's.
    """

    username: str | None = None
    password: str = field(default="", repr=False)
    ca_certificates: str | None = None


class CredentialsProvider(Protocol):
    """Hands out the credentials for MLflow."""

    def credentials(self, refused: Credentials | None = None) -> Credentials:
        """Return the credentials to use now; others than the refused ones, if there are others.

        refused: credentials that MLflow has just answered 401 to, or that its certificate cannot be trusted by.
        Raises Transient when there are none yet.
        """


@dataclass(frozen=True, slots=True)
class StaticCredentials:
    """Hands out the same credentials as long as the process lives."""

    always: Credentials = Credentials()

    def credentials(self, refused: Credentials | None = None) -> Credentials:  # noqa: ARG002
        """Return those credentials, refused or not."""
        return self.always


class StoredPart(Protocol):
    """A part of the credentials, kept by some service."""

    def added_to(self, credentials: Credentials) -> Credentials:
        """Return the credentials with this part of them as the service has it now. Raises Transient."""


class RefreshableCredentials:
    """Fetches the parts at first use, keeps them, and fetches them anew when they are refused.

    Fetches are at least FETCH_INTERVAL_SECONDS apart, those that fail too: a password that stays wrong, or a service
    that hangs, costs one fetch in that time and not one a request. fixed: the parts that are not fetched. now: seconds
    of the wall's time, as a monotonic clock may stand still while Lambda has the process frozen. For one thread at a
    time.
    """

    def __init__(self, fixed: Credentials, parts: Sequence[StoredPart], now: Callable[[], float] = time.time) -> None:
        self._fixed = fixed
        self._parts = parts
        self._now = now
        self._fetched_at: float | None = None
        self._kept: Credentials | None = None
        self._trouble = ""

    def credentials(self, refused: Credentials | None = None) -> Credentials:
        """Return the credentials that are kept, unless they are the refused ones and it is time to fetch them anew.

        Raises Transient when they cannot be fetched, or could not just now.
        """
        if self._kept is not None and self._kept != refused:
            return self._kept
        if self._may_fetch():
            self._kept = self._fetch()
        if self._kept is None:
            raise Transient(f"{self._trouble} (asked less than {FETCH_INTERVAL_SECONDS:g} s ago)")
        return self._kept

    def _may_fetch(self) -> bool:
        """Return whether the last fetch is long enough ago; a clock that was set back holds no fetch up."""
        return self._fetched_at is None or not 0 <= self._now() - self._fetched_at < FETCH_INTERVAL_SECONDS

    def _fetch(self) -> Credentials:
        credentials = self._fixed
        try:
            for part in self._parts:
                credentials = part.added_to(credentials)
        except Transient as error:
            self._trouble = f"MLflow's credentials or certificates cannot be fetched: {error}"
            raise Transient(self._trouble) from error
        finally:
            self._fetched_at = self._now()  # whether it succeeded or not: what was fetched may be refused, too
        return credentials
