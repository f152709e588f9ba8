"""The settings of a process that talks to MLflow."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from offpath.aws.clients import s3_client, secrets_client
from offpath.aws.s3 import Bucket
from offpath.aws.secrets import SecretsManager
from offpath.contracts.errors import SettingsError
from offpath.mlflow.credentials import (
    Access,
    AccessSource,
    FetchedAccess,
    FixedAccess,
    Part,
    StoredCredentials,
    StoredTrust,
    certificates,
)
from offpath.mlflow.http import MlflowHttp
from offpath.settings import Settings, variable

_FETCH_TIMEOUT_SECONDS = 2.0
_FETCH_ATTEMPTS = 2
# What a service that hangs takes: to connect 1 s, to read 2 s, that twice, and the SDK's pause of up to 1 s between.
FETCH_SECONDS = 7.0

# What each of the first stands in for.
_RIVALS = {"mlflow_secret": ("mlflow_username", "mlflow_password"), "mlflow_ca_key": ("mlflow_ca_file",)}


class MlflowSettings(Settings):
    """Read from `OFFPATH_MLFLOW_URL` and so on."""

    bucket: str = Field(min_length=3, description="the name of the pipeline's S3 bucket")
    mlflow_url: str = Field(description="the address of the MLflow server, for example https://mlflow.example.com")
    mlflow_username: str | None = Field(None, description="the user name for MLflow's basic authentication")
    mlflow_password: SecretStr | None = Field(None, description="the password for MLflow's basic authentication")
    mlflow_secret: str | None = Field(
        None, description='the ARN or name of a secret with the text {"username": "…", "password": "…"} for MLflow'
    )
    mlflow_ca_file: str | None = Field(None, description="a PEM file of the certificates to trust MLflow's by")
    mlflow_ca_key: str | None = Field(
        None, description="the key, in the pipeline's S3 bucket, of a PEM file of the certificates to trust MLflow's by"
    )
    mlflow_timeout_seconds: float = Field(30.0, gt=0, description="how long to wait for MLflow, in seconds")

    @model_validator(mode="after")
    def _say_nothing_twice(self) -> Self:
        for name, rivals in _RIVALS.items():
            for rival in rivals:
                if getattr(self, name) and getattr(self, rival):
                    both = f"both {variable(name)} and {variable(rival)} are set"
                    raise PydanticCustomError("rivals", f"{both}: the first stands in for the second, so unset one")
        return self

    @property
    def fetch_seconds(self) -> float:
        """How long a request may be held up by a service that does not hand out credentials or certificates."""
        return FETCH_SECONDS if self.mlflow_secret or self.mlflow_ca_key else 0.0

    def mlflow_http(self) -> MlflowHttp:
        """Requests to that server. Raises SettingsError for an address or a CA file that cannot be used.

        What lies in a secret or in the bucket is fetched by the first request.
        """
        return MlflowHttp(self.mlflow_url, self._source(), self.mlflow_timeout_seconds)

    def _source(self) -> AccessSource:
        password = self.mlflow_password.get_secret_value() if self.mlflow_password else ""
        trust = _trusted(self.mlflow_ca_file) if self.mlflow_ca_file else None
        fixed, parts = Access(self.mlflow_username, password, trust), self._parts()
        return FetchedAccess(fixed, parts) if parts else FixedAccess(fixed)

    def _parts(self) -> list[Part]:
        parts: list[Part] = []
        if self.mlflow_secret:
            secrets = SecretsManager(secrets_client(_FETCH_TIMEOUT_SECONDS, _FETCH_ATTEMPTS))
            parts.append(StoredCredentials(secrets, self.mlflow_secret))
        if self.mlflow_ca_key:
            bucket = Bucket(s3_client(_FETCH_TIMEOUT_SECONDS, _FETCH_ATTEMPTS), self.bucket)
            parts.append(StoredTrust(bucket, self.mlflow_ca_key))
        return parts


def _trusted(ca_file: str) -> str:
    try:
        return certificates(Path(ca_file).read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"the CA file {ca_file!r} cannot be used: {error}; expected certificates in PEM") from error
