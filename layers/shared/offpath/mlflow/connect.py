"""Connect to the MLflow server that the settings name."""

from pathlib import Path

from offpath.aws.clients import s3_client, secrets_client
from offpath.aws.s3 import Bucket
from offpath.aws.secrets import SecretsManager
from offpath.contracts.errors import SettingsError
from offpath.mlflow.credentials import (
    Credentials,
    CredentialsProvider,
    RefreshableCredentials,
    StaticCredentials,
    StoredPart,
)
from offpath.mlflow.http import MlflowHttp
from offpath.mlflow.settings import MlflowSettings
from offpath.mlflow.stored_credentials import StoredCertificates, StoredLogin, read_certificates

_FETCH_TIMEOUT_SECONDS = 2.0
_FETCH_ATTEMPTS = 2
# What a service that hangs takes: to connect 1 s, to read 2 s, that twice, and the SDK's pause of up to 1 s between.
FETCH_SECONDS = 7.0


def connect(settings: MlflowSettings) -> MlflowHttp:
    """Return a client of that server. Raises SettingsError for an address or a CA file that cannot be used.

    No request is made: what lies in a secret or in the bucket is fetched by the first request to MLflow.
    """
    return MlflowHttp(settings.mlflow_url, _provider(settings), settings.mlflow_timeout_seconds)


def longest_fetch_seconds(settings: MlflowSettings) -> float:
    """Return how long a service that hands out no credentials or certificates may hold up a request."""
    return FETCH_SECONDS if settings.mlflow_secret or settings.mlflow_ca_key else 0.0


def _provider(settings: MlflowSettings) -> CredentialsProvider:
    password = settings.mlflow_password.get_secret_value() if settings.mlflow_password else ""
    certificates = _trusted(settings.mlflow_ca_file) if settings.mlflow_ca_file else None
    fixed, parts = Credentials(settings.mlflow_username, password, certificates), _stored_parts(settings)
    return RefreshableCredentials(fixed, parts) if parts else StaticCredentials(fixed)


def _stored_parts(settings: MlflowSettings) -> list[StoredPart]:
    parts: list[StoredPart] = []
    if settings.mlflow_secret:
        secrets = SecretsManager(secrets_client(_FETCH_TIMEOUT_SECONDS, _FETCH_ATTEMPTS))
        parts.append(StoredLogin(secrets, settings.mlflow_secret))
    if settings.mlflow_ca_key:
        bucket = Bucket(s3_client(_FETCH_TIMEOUT_SECONDS, _FETCH_ATTEMPTS), settings.bucket)
        parts.append(StoredCertificates(bucket, settings.mlflow_ca_key))
    return parts


def _trusted(ca_file: str) -> str:
    try:
        return read_certificates(Path(ca_file).read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"the CA file {ca_file!r} cannot be used: {error}; expected certificates in PEM") from error
