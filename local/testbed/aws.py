"""Run SQS and S3 by moto's server, with a queue, and a bucket that holds the iris model."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import boto3

from local.testbed.models import iris_onnx, iris_version, manifest_of
from local.testbed.servers import moto_server
from offpath.aws.s3 import Bucket
from offpath.contracts.names import MANIFEST_KEY


@dataclass(frozen=True, slots=True)
class Aws:
    """Name a bucket and a queue of moto's server. environ: the variables by which a process's clients use them."""

    url: str
    bucket_name: str
    environ: Mapping[str, str] = field(repr=False)

    def bucket(self) -> Bucket:
        """Return the bucket, over a new client of this process."""
        return Bucket(boto3.client("s3", endpoint_url=self.url), self.bucket_name)


@contextmanager
def aws_with_iris(folder: Path) -> Iterator[Aws]:
    """Run SQS and S3, with a queue, and a bucket that holds iris and its manifest. folder: for the server's log."""
    with moto_server(folder) as url:
        name = f"archive-{uuid.uuid4().hex[:12]}"
        put_iris(url, name)
        queue = boto3.client("sqs", endpoint_url=url).create_queue(QueueName="offpath-traces")["QueueUrl"]
        yield Aws(url, name, {"AWS_ENDPOINT_URL": url, "OFFPATH_BUCKET": name, "OFFPATH_QUEUE_URL": queue})


def put_iris(url: str, bucket_name: str) -> None:
    """Make a bucket that holds iris and its manifest."""
    s3, version = boto3.client("s3", endpoint_url=url), iris_version()
    s3.create_bucket(Bucket=bucket_name)
    s3.put_object(Bucket=bucket_name, Key=version.key, Body=iris_onnx())
    s3.put_object(Bucket=bucket_name, Key=MANIFEST_KEY, Body=manifest_of(iris=version).to_json())
