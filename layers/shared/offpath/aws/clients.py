"""Make clients of S3, SQS and Secrets Manager: endpoint, region and credentials are the environment's."""

from typing import TYPE_CHECKING

import boto3
from boto3.session import Session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient


def s3_client(timeout_seconds: float = 5.0, attempts: int = 3, session: Session | None = None) -> "S3Client":
    """Return an S3 client; endpoint, region and credentials are the environment's (`AWS_ENDPOINT_URL_S3` and so on).

    session: that the client is made by; without one it is boto3's default session.
    """
    return (session or boto3).client("s3", config=_config(timeout_seconds, attempts))


def sqs_client(timeout_seconds: float = 5.0, attempts: int = 3, session: Session | None = None) -> "SQSClient":
    """Return an SQS client; endpoint, region and credentials are the environment's (`AWS_ENDPOINT_URL_SQS`, …).

    session: as above.
    """
    return (session or boto3).client("sqs", config=_config(timeout_seconds, attempts))


def new_session() -> Session:
    """Return a session like boto3's default one that shares nothing with it.

    In a forked child a lock of the default session may be held for ever.
    """
    default = boto3.DEFAULT_SESSION
    if default is None:
        return Session()
    known = default.get_credentials()
    if known is None or known.method != "explicit":
        return Session(profile_name=_profile_of(default), region_name=default.region_name)
    return Session(known.access_key, known.secret_key, known.token, default.region_name)


def _profile_of(session: Session) -> str | None:
    """Return the profile that the session was made with, if that is not the default one."""
    return session.profile_name if session.profile_name in session.available_profiles else None


def secrets_client(timeout_seconds: float = 5.0, attempts: int = 3) -> "SecretsManagerClient":
    """Return a client of Secrets Manager; endpoint (`AWS_ENDPOINT_URL_SECRETS_MANAGER`) and so on as above."""
    return boto3.client("secretsmanager", config=_config(timeout_seconds, attempts))


def _config(timeout_seconds: float, attempts: int) -> Config:
    return Config(
        connect_timeout=min(1.0, timeout_seconds),
        read_timeout=timeout_seconds,
        retries={"mode": "standard", "total_max_attempts": attempts},
        tcp_keepalive=True,
    )
