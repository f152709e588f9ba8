"""Look at a deployed stack: its outputs, its resources, its logins."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3

from local.deployed.home import Deployment
from local.deployed.settings import ACCOUNT, REGION, SECRET_KEY, STACK

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient


@dataclass
class DeployedStack:
    """The stack, seen by whoever deployed it."""

    deployment: Deployment

    @cached_property
    def s3(self) -> "S3Client":
        """A client of S3."""
        return self._session.client("s3", endpoint_url=self.deployment.endpoint)

    @cached_property
    def sqs(self) -> "SQSClient":
        """A client of SQS."""
        return self._session.client("sqs", endpoint_url=self.deployment.endpoint)

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        """A client of Secrets Manager."""
        return self._session.client("secretsmanager", endpoint_url=self.deployment.endpoint)

    def client(self, service: str) -> Any:
        """Return a client of another service."""
        return self._session.client(service, endpoint_url=self.deployment.endpoint)  # type: ignore[call-overload]

    @property
    def status(self) -> str:
        """The stack's status, such as UPDATE_COMPLETE."""
        return str(self._description["StackStatus"])

    def outputs(self) -> dict[str, str]:
        """Return the stack's outputs by their names."""
        return {output["OutputKey"]: output["OutputValue"] for output in self._description["Outputs"]}

    def physical_id(self, logical_id: str) -> str:
        """Return the physical id of a resource."""
        found = self.client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId=logical_id)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def login(self, logical_id: str) -> tuple[str, str]:
        """Return user name and password of a secret."""
        text = self.secrets.get_secret_value(SecretId=self.physical_id(logical_id))["SecretString"]
        content = json.loads(text)
        return content["username"], content["password"]

    @property
    def api_url(self) -> str:
        """The API's address. Its own name is known to no resolver; the emulator takes its id in the path, too."""
        return f"{self.deployment.endpoint}/_aws/execute-api/{self.physical_id('HttpApi')}"

    @property
    def _description(self) -> Any:
        return self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(ACCOUNT, SECRET_KEY, region_name=REGION)
