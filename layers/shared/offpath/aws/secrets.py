"""Read secrets in AWS Secrets Manager."""

from typing import TYPE_CHECKING

from offpath.aws.errors import aws_errors
from offpath.contracts.errors import Transient

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class SecretsManager:
    """Reads secrets by name or ARN."""

    def __init__(self, client: "SecretsManagerClient") -> None:
        self._client = client

    def text(self, name: str) -> str:
        """Return the current text of the secret of that name, or ARN.

        Raises ObjectMissing, also when it has no value yet, or Transient, also when that is binary.
        """
        with aws_errors(f"reading the secret {name!r}"):
            answer = self._client.get_secret_value(SecretId=name)
        if "SecretString" not in answer:
            raise Transient(f"the secret {name!r} is binary: store its value as text")
        return answer["SecretString"]
