"""Credentials that services keep: the login lies in a secret, the certificates in the pipeline's bucket.

A part that is missing, or that cannot be read, is Transient: somebody can mend it without the message that waits for
it. At the first deployment MLflow's machine stores its certificates only once it is up.
"""

import ssl
from dataclasses import dataclass, replace
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offpath.contracts.errors import ObjectMissing, Transient
from offpath.mlflow.credentials import Credentials


class Secrets(Protocol):
    """Keeps secrets by name."""

    def text(self, name: str) -> str:
        """Return the secret's current text. Raises ObjectMissing, or Transient."""


class Files(Protocol):
    """Keeps files by key."""

    name: str

    def get(self, key: str) -> bytes:
        """Return the file's content. Raises ObjectMissing, or Transient."""


def read_certificates(content: bytes) -> str:
    """Return the certificates of a PEM file. Raises ValueError if it has none, or a damaged one."""
    text = content.decode("ascii", "ignore")  # comments may be in any encoding, and ssl takes nothing but ASCII
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as error:
        raise ValueError(f"no usable certificates in PEM in its {len(content)} bytes: {error}") from error
    return text


class _Login(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)
    username: str = Field(min_length=1)
    password: str


@dataclass(frozen=True, slots=True)
class StoredLogin:
    """The secret of that name, or ARN, whose text is JSON: `{"username": …, "password": …}`."""

    secrets: Secrets
    name: str

    def added_to(self, credentials: Credentials) -> Credentials:
        """Return the credentials with the secret's user name and password. Raises Transient."""
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
        return replace(credentials, username=found.username, password=found.password)


@dataclass(frozen=True, slots=True)
class StoredCertificates:
    """The file of certificates under that key."""

    files: Files
    key: str

    def added_to(self, credentials: Credentials) -> Credentials:
        """Return the credentials with these certificates to trust. Raises Transient."""
        place = f"s3://{self.files.name}/{self.key}"
        try:
            return replace(credentials, ca_certificates=read_certificates(self.files.get(self.key)))
        except ObjectMissing as error:
            raise Transient(
                f"{place} does not exist: it holds the certificates to trust MLflow by, and is there once MLflow's "
                f"machine has started; else correct OFFPATH_MLFLOW_CA_KEY ({error})"
            ) from error
        except ValueError as error:
            raise Transient(f"{place} (OFFPATH_MLFLOW_CA_KEY) cannot be used: {error}; put it there anew") from error


def _parsed(text: str) -> _Login:
    """Return the login that the text holds.

    Raises ValueError that says what is wrong without a word of the text: it is, or was to be, a secret.
    """
    try:
        return _Login.model_validate_json(text)
    except ValidationError as error:
        complaints = [": ".join([*map(str, detail["loc"]), detail["msg"]]) for detail in error.errors()]
    raise ValueError("; ".join(complaints))  # outside of the handler: pydantic's error knows the text
