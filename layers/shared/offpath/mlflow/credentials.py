"""Who this process is to MLflow, and which certificates it trusts MLflow by.

Credentials lie in a secret, certificates in the pipeline's bucket. They are fetched when they are needed, and again
when MLflow no longer accepts them. A part that is missing, or that cannot be read, is Transient: somebody can mend it
without the message that waits for it. At the first deployment MLflow's machine stores its certificates only once it is
up.
"""

import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offpath.contracts.errors import ObjectMissing, Transient

REST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Access:
    """What it takes to be let in by MLflow, and to know that it is MLflow.

    username: None where MLflow asks for none. trust: certificates in PEM, as `certificates` returns them, to trust
    instead of the system's.
    """

    username: str | None = None
    password: str = field(default="", repr=False)
    trust: str | None = None


class AccessSource(Protocol):
    """Knows how MLflow is reached."""

    def access(self, refused: Access | None = None) -> Access:
        """The access to use now; another one than the refused, if there is another.

        refused: the access that MLflow has just answered 401 to, or that its certificate cannot be trusted by.
        Raises Transient when there is none yet.
        """


@dataclass(frozen=True, slots=True)
class FixedAccess:
    """The same access as long as the process lives."""

    always: Access = Access()

    def access(self, refused: Access | None = None) -> Access:  # noqa: ARG002
        """That access, refused or not."""
        return self.always


def certificates(content: bytes) -> str:
    """The certificates of a PEM file, for `Access.trust`. Raises ValueError if it has none, or a damaged one."""
    text = content.decode("ascii", "ignore")  # comments may be in any encoding, and ssl takes nothing but ASCII
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as error:
        raise ValueError(f"no usable certificates in PEM in its {len(content)} bytes: {error}") from error
    return text


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


class Secrets(Protocol):
    """Keeps secrets by name."""

    def text(self, name: str) -> str:
        """The secret's current text. Raises ObjectMissing, or Transient."""


class Files(Protocol):
    """Keeps files by key."""

    name: str

    def get(self, key: str) -> bytes:
        """The file's content. Raises ObjectMissing, or Transient."""


class _Credentials(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)
    username: str = Field(min_length=1)
    password: str


@dataclass(frozen=True, slots=True)
class StoredCredentials:
    """The secret of that name, or ARN, whose text is JSON: `{"username": …, "password": …}`."""

    secrets: Secrets
    name: str

    def added_to(self, access: Access) -> Access:
        """The access with the secret's user name and password. Raises Transient."""
        try:
            found = _parsed(self.secrets.text(self.name))
        except ObjectMissing as error:
            raise Transient(
                f"the secret {self.name!r} does not exist, or has no value: create it, or correct "
                f"OFFPATH_MLFLOW_SECRET ({error})"
            ) from error
        except ValueError as error:
            raise Transient(
                f"the secret {self.name!r} does not hold MLflow's credentials: {error}; "
                'expected the JSON text {"username": "…", "password": "…"}'
            ) from error
        return replace(access, username=found.username, password=found.password)


@dataclass(frozen=True, slots=True)
class StoredTrust:
    """The file of certificates under that key."""

    files: Files
    key: str

    def added_to(self, access: Access) -> Access:
        """The access with these certificates to trust. Raises Transient."""
        place = f"s3://{self.files.name}/{self.key}"
        try:
            return replace(access, trust=certificates(self.files.get(self.key)))
        except ObjectMissing as error:
            raise Transient(
                f"{place} does not exist: it holds the certificates to trust MLflow by, and is there once MLflow's "
                f"machine has started; else correct OFFPATH_MLFLOW_CA_KEY ({error})"
            ) from error
        except ValueError as error:
            raise Transient(f"{place} (OFFPATH_MLFLOW_CA_KEY) cannot be used: {error}; put it there anew") from error


def _parsed(text: str) -> _Credentials:
    """Raises ValueError that says what is wrong without a word of the text: it is, or was to be, a secret."""
    try:
        return _Credentials.model_validate_json(text)
    except ValidationError as error:
        complaints = [": ".join([*map(str, detail["loc"]), detail["msg"]]) for detail in error.errors()]
    raise ValueError("; ".join(complaints))  # outside of the handler: pydantic's error knows the text
