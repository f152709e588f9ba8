"""Make clients of S3, SQS and Secrets Manager: endpoint, region and credentials are the environment's."""

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient


def s3_client(timeout_seconds: float = 5.0, attempts: int = 3) -> "S3Client":
    """Return an S3 client; endpoint, region and credentials are the environment's (`AWS_ENDPOINT_URL_S3` and so on)."""
    return boto3.client("s3", config=_config(timeout_seconds, attempts))


def sqs_client(timeout_seconds: float = 5.0, attempts: int = 3) -> "SQSClient":
    """Return an SQS client; endpoint, region and credentials are the environment's (`AWS_ENDPOINT_URL_SQS`, …)."""
    return boto3.client("sqs", config=_config(timeout_seconds, attempts))


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
