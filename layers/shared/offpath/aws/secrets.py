"""AWS Secrets Manager."""

from offpath.aws.clients import SecretsClient
from offpath.aws.errors import aws_errors
from offpath.contracts.errors import Transient


class SecretsManager:
    """Secrets, by name or ARN."""

    def __init__(self, client: SecretsClient) -> None:
        self._client = client

    def text(self, name: str) -> str:
        """The current text of the secret of that name, or ARN.

        Raises ObjectMissing, also when it has no value yet, or Transient, also when that is binary.
        """
        with aws_errors(f"reading the secret {name!r}"):
            answer = self._client.get_secret_value(SecretId=name)
        if "SecretString" not in answer:
            raise Transient(f"the secret {name!r} is binary: store its value as text")
        return str(answer["SecretString"])
