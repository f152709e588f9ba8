"""AWS Lambda's entry point: a batch of SQS messages to the archive and to MLflow."""

import os
from collections.abc import Mapping
from typing import Any, Protocol

from aws_lambda_powertools import Logger

from offpath.aws.clients import s3_client, sqs_client
from offpath.aws.s3 import Bucket, S3Claims
from offpath.aws.sqs import SqsQueue
from offpath.mlflow.connect import connect, longest_fetch_seconds
from offpath.retry import SYSTEM_CLOCK, Clock
from trace_writer.adapters.mlflow import MlflowTracker
from trace_writer.archive import BucketArchive
from trace_writer.dead_letters import DeadLetters
from trace_writer.delivery import Delivery
from trace_writer.limits import Limits
from trace_writer.memory import return_large_blocks
from trace_writer.report import log_batch
from trace_writer.settings import WriterSettings
from trace_writer.sqs import batch_response, received
from trace_writer.writer import TraceWriter

# Left of the invocation's time for the archive's second object, the answer and the log.
_MARGIN_SECONDS = 2.0


class Context(Protocol):
    """The part of Lambda's context that the handler uses."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""


def build(settings: WriterSettings, clock: Clock) -> TraceWriter:
    """The writer with its real services. Raises SettingsError for an MLflow address or CA file that cannot be used."""
    bucket = Bucket(s3_client(), settings.bucket)
    tracker = MlflowTracker(connect(settings), clock.now, settings.mlflow_timeout_seconds)
    delivery = Delivery(tracker, clock, settings.max_post_bytes)
    return TraceWriter(
        S3Claims(bucket, settings.max_event_bytes),
        BucketArchive(bucket),
        delivery,
        _dead_letters(settings, bucket),
        _limits(settings),
    )


def _limits(settings: WriterSettings) -> Limits:
    return Limits(
        event_bytes=settings.max_event_bytes,
        event_spans=settings.max_event_spans,
        event_values=settings.max_event_values,
        part_bytes=settings.max_part_bytes,
    )


def _dead_letters(settings: WriterSettings, bucket: Bucket) -> DeadLetters | None:
    if settings.dead_letter_url is None:
        return None
    return DeadLetters(SqsQueue(sqs_client(), settings.dead_letter_url), bucket, settings.max_receives)


return_large_blocks()
logger = Logger(service="trace_writer")
settings = WriterSettings.load(os.environ)
writer = build(settings, SYSTEM_CLOCK)
# A fetch of MLflow's credentials may begin just before the deadline, and then runs beyond it.
margin_seconds = _MARGIN_SECONDS + longest_fetch_seconds(settings)


def handler(event: Mapping[str, Any], context: Context) -> dict[str, list[dict[str, str]]]:
    """Write a batch; the messages that must stay on the queue come back as `batchItemFailures`."""
    deadline = SYSTEM_CLOCK.now() + context.get_remaining_time_in_millis() / 1000 - margin_seconds
    written = writer.write(received(event), deadline)
    log_batch(logger, written)
    return batch_response(written.failures)
