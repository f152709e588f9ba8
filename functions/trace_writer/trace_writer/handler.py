"""AWS Lambda's entry points: a batch of SQS messages, and what could not be queued, to the archive and to MLflow."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Protocol

from aws_lambda_powertools import Logger

from offpath.aws.clients import s3_client, sqs_client
from offpath.aws.s3 import Bucket, S3Claims
from offpath.aws.sqs import SqsQueue, SqsVisibility
from offpath.contracts.errors import SettingsError, Transient
from offpath.contracts.names import SWEEP_LEASE_KEY
from offpath.mlflow.connect import connect, longest_fetch_seconds
from offpath.retry import SYSTEM_CLOCK, Clock
from trace_writer.adapters.mlflow import MlflowTracker
from trace_writer.archive import BucketArchive, utc_now
from trace_writer.dead_letters import DeadLetters
from trace_writer.delivery import Delivery
from trace_writer.lease import Lease
from trace_writer.limits import Limits
from trace_writer.log_parts import keep_parts, subscribed_lines
from trace_writer.memory import return_large_blocks
from trace_writer.report import log_batch, log_kept, log_swept
from trace_writer.retry_pauses import RetryPauses
from trace_writer.settings import WriterSettings
from trace_writer.spill_listing import SpillListing
from trace_writer.spill_sweep import SpillSweep
from trace_writer.sqs import batch_response, received
from trace_writer.writer import TraceWriter

# Left of the invocation's time for the archive's second object, the answer and the log.
_MARGIN_SECONDS = 2.0


class Context(Protocol):
    """The part of Lambda's context that the handler uses."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The writer, and what the sweep shares with it. retry_pauses: None if the queue is not known."""

    bucket: Bucket
    delivery: Delivery
    writer: TraceWriter
    retry_pauses: RetryPauses | None


def build(settings: WriterSettings, clock: Clock) -> Parts:
    """The writer with its real services. Raises SettingsError for an MLflow address or CA file that cannot be used."""
    bucket = Bucket(s3_client(), settings.bucket)
    tracker = MlflowTracker(connect(settings), clock.now, settings.mlflow_timeout_seconds)
    delivery = Delivery(tracker, clock, settings.max_post_bytes)
    claims = S3Claims(bucket, settings.max_event_bytes)
    writer = TraceWriter(
        claims, BucketArchive(bucket), delivery, _dead_letters(settings, bucket), limits=_limits(settings)
    )
    return Parts(bucket, delivery, writer, _retry_pauses(settings))


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


def _retry_pauses(settings: WriterSettings) -> RetryPauses | None:
    """It gets little time: what it does is worth less than an answer in time."""
    if settings.queue_url is None:
        return None
    return RetryPauses(SqsVisibility(sqs_client(timeout_seconds=0.5, attempts=1), settings.queue_url))


return_large_blocks()
logger = Logger(service="trace_writer")
settings = WriterSettings.load(os.environ)
parts = build(settings, SYSTEM_CLOCK)
lease = Lease(parts.bucket, SWEEP_LEASE_KEY, utc_now)
# A fetch of MLflow's credentials may begin just before the deadline, and then runs beyond it.
margin_seconds = _MARGIN_SECONDS + longest_fetch_seconds(settings)


def handler(event: Mapping[str, Any], context: Context) -> dict[str, list[dict[str, str]]]:
    """Write a batch; the messages that must stay on the queue come back as `batchItemFailures`."""
    batch = received(event)
    written = parts.writer.write(batch, _deadline(context))
    log_batch(logger, written)
    if parts.retry_pauses:
        try:
            parts.retry_pauses.shorten(batch, written.failures)
        except Transient as error:
            logger.warning("what failed comes again only after the queue's visibility timeout", reason=str(error))
    return batch_response(written.failures)


def sweep(event: Mapping[str, Any], context: Context) -> dict[str, int]:
    """Take up what lies under `spill/`; of an event of a log's subscription, put the lines there first.

    Returns how many events were found or came, and how many are gone from `spill/`. Raises Transient if S3 does not
    answer, so that Lambda, or the next schedule, tries again.
    """
    if "awslogs" in event:
        kept = keep_parts(subscribed_lines(event), parts.bucket)
        log_kept(logger, kept)
        return {"found": kept.parts, "written": 0}
    with lease.held(context.get_remaining_time_in_millis() / 1000 + _MARGIN_SECONDS) as is_held:
        if not is_held:
            logger.info("another sweep is under way")
            return {"found": 0, "written": 0}
        swept = _sweep().run(_deadline(context), partial(log_batch, logger))
    log_swept(logger, swept)
    return {"found": swept.found, "written": swept.written}


def _sweep() -> SpillSweep:
    if settings.queue_url is None:
        raise SettingsError("OFFPATH_QUEUE_URL is not set: the sweep takes up what was spilled of that queue")
    queue_name = settings.queue_url.rsplit("/", 1)[-1]
    listing = SpillListing(parts.bucket, queue_name, Random())  # noqa: S311
    return SpillSweep(listing, parts.bucket, parts.writer, utc_now, parts.delivery.has_time)


def _deadline(context: Context) -> float:
    return SYSTEM_CLOCK.now() + context.get_remaining_time_in_millis() / 1000 - margin_seconds
