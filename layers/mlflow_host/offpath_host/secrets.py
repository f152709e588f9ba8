"""Read logins from AWS Secrets Manager."""

from collections.abc import Callable
from dataclasses import dataclass, field

import boto3
from pydantic import BaseModel, ValidationError


class SecretError(RuntimeError):
    """A secret does not hold a login."""


@dataclass(frozen=True, slots=True)
class Login:
    """Hold a user name and its password."""

    username: str
    password: str = field(repr=False)


class _Content(BaseModel):
    username: str
    password: str


def secret_reader(region: str) -> Callable[[str], str]:
    """Return a function that reads the text of a secret, by its ARN or name. It raises what the SDK raises."""
    client = boto3.client("secretsmanager", region_name=region)

    def read(secret: str) -> str:
        return client.get_secret_value(SecretId=secret).get("SecretString", "")

    return read


def login(read: Callable[[str], str], secret: str) -> Login:
    """Return the login in a secret whose text is `{"username": …, "password": …}`.

    read: gives a secret's text. Raises SecretError for other content.
    """
    try:
        content = _Content.model_validate_json(read(secret))
    except ValidationError as error:
        fields = ", ".join(sorted({str(detail["loc"][0]) if detail["loc"] else "JSON" for detail in error.errors()}))
        # Without the cause: it would put the secret's text into the journal.
        raise SecretError(f'the secret {secret} must hold {{"username": …, "password": …}}; wrong: {fields}') from None
    return Login(content.username, content.password)
