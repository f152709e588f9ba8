"""Ask SQS and CloudWatch how long a queue is; no message is received."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from offpath.aws.errors import aws_errors
from offpath.aws.s3 import Bucket
from offpath.contracts.errors import OffpathError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from offpath_cli.where import Pipeline

_WITHIN = timedelta(minutes=10)
# What hangs is told as such, instead of waited for.
_QUICK = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1})


def quick_sqs(pipeline: "Pipeline") -> "SQSClient":
    """Return a client that gives up soon."""
    return pipeline.session.client("sqs", endpoint_url=pipeline.sqs_url, config=_QUICK)


def quick_bucket(pipeline: "Pipeline") -> Bucket:
    """Return the bucket, over a client that gives up soon."""
    client = pipeline.session.client("s3", endpoint_url=pipeline.s3_url, config=_QUICK)
    return Bucket(client, pipeline.bucket_name)


def waiting(client: "SQSClient", url: str) -> dict[str, int]:
    """Return how many messages are `visible`, `in_flight` and `delayed`. Raises Transient."""
    with aws_errors(f"reading the length of {url}"):
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return {
        "visible": int(found["ApproximateNumberOfMessages"]),
        "in_flight": int(found["ApproximateNumberOfMessagesNotVisible"]),
        "delayed": int(found.get("ApproximateNumberOfMessagesDelayed", "0")),
    }


def oldest(session: boto3.Session, url: str) -> timedelta | None:
    """Return the age of the queue's oldest message as CloudWatch has it, or None if it does not say."""
    now = datetime.now(UTC)
    try:
        with aws_errors("reading the age of the oldest message"):
            answer = session.client("cloudwatch", config=_QUICK).get_metric_statistics(
                Namespace="AWS/SQS",
                MetricName="ApproximateAgeOfOldestMessage",
                Dimensions=[{"Name": "QueueName", "Value": url.rpartition("/")[2]}],
                StartTime=now - _WITHIN,
                EndTime=now,
                Period=60,
                Statistics=["Maximum"],
            )
    except OffpathError:
        return None
    points = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
    return timedelta(seconds=points[-1]["Maximum"]) if points else None
