"""Who this process is to MLflow, and which certificates it trusts MLflow by."""

import ssl
from dataclasses import dataclass, field
from typing import Protocol


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
