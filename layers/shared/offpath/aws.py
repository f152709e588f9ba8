"""S3, SQS and Secrets Manager: the only module of this package that knows their SDK."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from offpath.errors import ClaimLost, ObjectChanged, ObjectMissing, Transient
from offpath.event import Message

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef, SendMessageBatchRequestEntryTypeDef

_MISSING = {"NoSuchKey", "404", "ResourceNotFoundException"}
# S3 answers the second to one of two who write at the same moment.
_CHANGED = {"PreconditionFailed", "412", "ConditionalRequestConflict"}


@contextmanager
def aws_errors(doing: str) -> Iterator[None]:
    """Raise the SDK's errors as ObjectMissing, for a key or a secret, or Transient.

    A permission or a bucket that is missing is Transient, too: it is mended without the message.
    """
    try:
        yield
    except ClientError as error:
        kind = ObjectMissing if _code(error) in _MISSING else Transient
        raise kind(f"{doing}: {error}") from error
    except BotoCoreError as error:
        raise Transient(f"{doing}: {error}") from error


def s3_client(timeout_seconds: float = 5.0, attempts: int = 3) -> "S3Client":
    """An S3 client; endpoint, region and credentials are the environment's (`AWS_ENDPOINT_URL_S3` and so on)."""
    return boto3.client("s3", config=_config(timeout_seconds, attempts))


def sqs_client(timeout_seconds: float = 5.0, attempts: int = 3) -> "SQSClient":
    """An SQS client; endpoint, region and credentials are the environment's (`AWS_ENDPOINT_URL_SQS` and so on)."""
    return boto3.client("sqs", config=_config(timeout_seconds, attempts))


class SecretsClient(Protocol):
    """What is used of the SDK's client for Secrets Manager."""

    def get_secret_value(self, *, SecretId: str) -> Mapping[str, Any]:  # noqa: N803
        """The secret's current version."""


def secrets_client(timeout_seconds: float = 5.0, attempts: int = 3) -> SecretsClient:
    """A client for Secrets Manager; endpoint (`AWS_ENDPOINT_URL_SECRETS_MANAGER`) and so on are the environment's."""
    client: SecretsClient = boto3.client("secretsmanager", config=_config(timeout_seconds, attempts))
    return client


def _config(timeout_seconds: float, attempts: int) -> Config:
    return Config(
        connect_timeout=min(1.0, timeout_seconds),
        read_timeout=timeout_seconds,
        retries={"mode": "standard", "total_max_attempts": attempts},
        tcp_keepalive=True,
    )


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object's content and the entity tag that a conditional read compares."""

    content: bytes
    etag: str


class Bucket:
    """An S3 bucket. Every method raises Transient when S3 does not answer or refuses."""

    def __init__(self, client: "S3Client", name: str) -> None:
        self._client = client
        self.name = name

    def put(self, key: str, content: bytes, content_type: str = "application/json") -> str:
        """Store content under the key; the bucket's name comes back."""
        with aws_errors(f"writing {self._uri(key)}"):
            self._client.put_object(Bucket=self.name, Key=key, Body=content, ContentType=content_type)
        return self.name

    def get(self, key: str) -> bytes:
        """The object's content. Raises ObjectMissing."""
        with aws_errors(f"reading {self._uri(key)}"):
            return self._client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def get_if_changed(self, key: str, etag: str | None) -> Fetched | None:
        """The object, or None if its entity tag is still that one. Raises ObjectMissing."""
        condition = {"IfNoneMatch": etag} if etag else {}
        try:
            with aws_errors(f"reading {self._uri(key)}"):
                answer = self._client.get_object(Bucket=self.name, Key=key, **condition)  # type: ignore[arg-type]
                return Fetched(answer["Body"].read(), answer["ETag"])
        except Transient as error:
            if _code(error.__cause__) in {"304", "NotModified"}:
                return None
            raise

    def put_if_unchanged(self, key: str, content: bytes, etag: str | None) -> str:
        """Replace the object that has that entity tag, None for one that is not there; the new object's tag.

        Raises ObjectChanged if there is another one, or none any more.
        """
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        given: Any = {"Bucket": self.name, "Key": key, "Body": content, "ContentType": "application/json", **condition}
        try:
            with aws_errors(f"writing {self._uri(key)}"):
                return self._client.put_object(**given)["ETag"]
        except (ObjectMissing, Transient) as error:
            if isinstance(error, ObjectMissing) or _code(error.__cause__) in _CHANGED:
                raise ObjectChanged(f"{self._uri(key)} is not the object that was read") from error
            raise

    def exists(self, key: str) -> bool:
        """Whether there is an object under the key."""
        try:
            with aws_errors(f"looking for {self._uri(key)}"):
                self._client.head_object(Bucket=self.name, Key=key)
        except ObjectMissing:
            return False
        return True

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key that begins with the prefix, in S3's order."""
        with aws_errors(f"listing {self._uri(prefix)}"):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
                for item in page.get("Contents", []):
                    yield item["Key"]

    def delete(self, key: str) -> None:
        """Remove the object, if it is there."""
        with aws_errors(f"deleting {self._uri(key)}"):
            self._client.delete_object(Bucket=self.name, Key=key)

    def _uri(self, key: str) -> str:
        return f"s3://{self.name}/{key}"


def _code(cause: BaseException | None) -> str:
    return cause.response.get("Error", {}).get("Code", "") if isinstance(cause, ClientError) else ""


class S3Claims:
    """Large bodies, in the pipeline's own bucket: a message that names another one is not followed there."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def put(self, key: str, content: bytes) -> str:
        """Store content under the key; the bucket's name comes back. Raises Transient."""
        return self._bucket.put(key, content)

    def get(self, bucket: str, key: str) -> bytes:
        """The content. Raises ClaimLost, or Transient."""
        if bucket != self._bucket.name or not key.startswith("claims/"):
            raise ClaimLost(f"s3://{bucket}/{key} is no claim of this pipeline: s3://{self._bucket.name}/claims/ is")
        try:
            return self._bucket.get(key)
        except ObjectMissing as error:
            raise ClaimLost(f"the claim s3://{bucket}/{key} does not exist (expired, or deleted)") from error


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


class SqsQueue:
    """An SQS queue, as a producer sees it."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Send at most ten messages of together at most 1 MiB; those SQS did not take come back. Raises Transient."""
        entries = [_entry(str(index), message) for index, message in enumerate(messages)]
        with aws_errors(f"sending {len(messages)} message(s) to {self._url}"):
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        return [messages[int(failed["Id"])] for failed in answer.get("Failed", [])]


def _entry(entry_id: str, message: Message) -> "SendMessageBatchRequestEntryTypeDef":
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()
    }
    return {"Id": entry_id, "MessageBody": message.body, "MessageAttributes": attributes}
