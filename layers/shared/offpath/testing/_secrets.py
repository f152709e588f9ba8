"""AWS Secrets Manager in memory."""

from offpath.contracts.errors import ObjectMissing, Transient
from offpath.testing._service import InMemoryService


class InMemorySecrets(InMemoryService):
    """Secrets in a dictionary, with the method and errors of `offpath.aws.secrets.SecretsManager`.

    values: by name, a text or, for a binary secret, bytes. fetched: the names that were asked for, in their order.

    >>> secrets = InMemorySecrets(mlflow='{"username": "writer", "password": "s3cret"}')
    >>> secrets.text("mlflow")
    '{"username": "writer", "password": "s3cret"}'
    >>> secrets.text("other")
    Traceback (most recent call last):
    offpath.contracts.errors.ObjectMissing: reading the secret 'other': it does not exist
    """

    def __init__(self, **values: str | bytes) -> None:
        super().__init__()
        self.values: dict[str, str | bytes] = dict(values)
        self.fetched: list[str] = []

    def text(self, name: str) -> str:
        """Return the secret's text. Raises ObjectMissing, or Transient, also when it is binary."""
        self.fetched.append(name)
        self._answer(f"reading the secret {name!r}")
        value = self.values.get(name)
        if value is None:
            raise ObjectMissing(f"reading the secret {name!r}: it does not exist")
        if isinstance(value, bytes):
            raise Transient(f"the secret {name!r} is binary: store its value as text")
        return value
