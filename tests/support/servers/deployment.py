"""A deployment whose functions fetch MLflow's credentials and certificates: a secret and a bucket in moto's server."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import boto3

from tests.support.servers.guarded_mlflow import USER, GuardedMlflow

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CA_KEY = "mlflow/ca.pem"


@dataclass(frozen=True)
class Deployment:
    """Gives the functions their settings, and puts in place what these name."""

    mlflow: GuardedMlflow
    s3: S3Client
    bucket: str
    secret: str = field(default_factory=lambda: f"mlflow-{uuid.uuid4().hex[:8]}")

    @property
    def settings(self) -> dict[str, str]:
        """The functions' settings, without `OFFPATH_` before their names."""
        mlflow = {"mlflow_url": self.mlflow.url, "mlflow_secret": self.secret, "mlflow_ca_key": CA_KEY}
        return {"bucket": self.bucket} | mlflow

    def make_secret(self) -> None:
        """Make the secret, as CloudFormation does before the functions are there."""
        text = json.dumps({"username": USER, "password": self.mlflow.password})
        boto3.client("secretsmanager").create_secret(Name=self.secret, SecretString=text)

    def publish_ca(self) -> None:
        """Publish the CA certificate, as MLflow's machine does when it starts."""
        self.s3.put_object(Bucket=self.bucket, Key=CA_KEY, Body=self.mlflow.authority.pem)

    def rotate(self) -> None:
        """Change the password, in MLflow and in the secret."""
        self.mlflow.password = uuid.uuid4().hex
        text = json.dumps({"username": USER, "password": self.mlflow.password})
        boto3.client("secretsmanager").put_secret_value(SecretId=self.secret, SecretString=text)
