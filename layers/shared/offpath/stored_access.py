"""Where the parts of the access to MLflow lie: credentials in a secret, certificates in the pipeline's bucket.

What is missing there or cannot be read is Transient: it is mended without the message that waits for it, and at the
first deployment MLflow's machine puts its certificates there only once it is up.
"""

from dataclasses import dataclass, replace
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offpath.errors import ObjectMissing, Transient
from offpath.mlflow_access import Access, certificates


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
