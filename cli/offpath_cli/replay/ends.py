"""Make the source and the target of a replay for a pipeline."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local.aws.sqs import SqsConsumer
from offpath.aws.s3 import S3Claims
from offpath.aws.sqs import SqsQueue
from offpath.retry import SYSTEM_CLOCK
from offpath_cli.dead_letters.letters import letters
from offpath_cli.dead_letters.resolve import Resolution
from offpath_cli.dead_letters.settle import Settlement
from offpath_cli.errors import CommandError
from offpath_cli.replay.archive_source import ArchiveSource
from offpath_cli.replay.event import Period, ReplayEvent
from offpath_cli.replay.mlflow_target import MlflowTarget
from offpath_cli.replay.options import ReplayOptions, SourceName, TargetName
from offpath_cli.replay.other_sources import MessageSource
from offpath_cli.replay.otlp_target import OtlpTarget
from offpath_cli.replay.queue_target import QueueTarget
from offpath_cli.replay.report import Report
from offpath_cli.replay.target import Target
from trace_writer.adapters.mlflow import MlflowTracker
from trace_writer.delivery import Delivery
from trace_writer.receipts import BucketReceipts

if TYPE_CHECKING:
    from offpath_cli.where import Pipeline

_MAX_POST_BYTES = 8_000_000
_MLFLOW_SECONDS = 30.0
_HIDDEN_SECONDS = 600


@contextmanager
def lines_of(file: str) -> Iterator[Iterable[str]]:
    """Yield the lines of a log, - for standard input; none without a name. Raises CommandError."""
    if file in ("", "-"):
        yield sys.stdin if file else ()
        return
    try:
        with open(file, encoding="utf-8", errors="replace") as lines:  # noqa: PTH123  (a name of the user's)
            yield lines
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error


def source_events(
    name: SourceName, pipeline: "Pipeline", period: Period, lines: Iterable[str], report: Report
) -> Iterator[ReplayEvent]:
    """Return the events of a source. lines: of the log. Raises Transient, as they are read."""
    bucket = pipeline.bucket()
    if name is SourceName.archive:
        now = datetime.now(UTC)
        return ArchiveSource(bucket, period.since or now, period.until or now, report).events()
    source = MessageSource(bucket, report)
    match name:
        case SourceName.spill:
            found = source.spilled(pipeline.queue_url.rpartition("/")[2])
        case SourceName.dead_letters:
            found = source.letters(one.key for one in letters(bucket) if one.is_open)
        case _:
            found = source.log("the log", lines)
    return (event for event in found if period.holds(event.facts.started_at))


def target_of(options: ReplayOptions, pipeline: "Pipeline", url: str) -> Target:
    """Return the target. url: of an OTLP endpoint. Raises CommandError, BadParameter or SettingsError."""
    bucket, patience = pipeline.bucket(), options.patience
    match options.target:
        case TargetName.mlflow:
            tracker = MlflowTracker(pipeline.mlflow(), SYSTEM_CLOCK.now, _MLFLOW_SECONDS)
            delivery = Delivery(tracker, SYSTEM_CLOCK, _MAX_POST_BYTES)
            receipts = BucketReceipts(bucket, _now)
            return MlflowTarget(delivery, S3Claims(bucket), receipts, SYSTEM_CLOCK, patience_seconds=patience)
        case TargetName.otlp:
            return OtlpTarget(url, options.headers(), SYSTEM_CLOCK, patience)
        case _ if options.source is SourceName.dead_letters:
            return LettersAgain(pipeline)
    is_spill = options.source is SourceName.spill
    return QueueTarget(
        producer=SqsQueue(pipeline.sqs(), pipeline.queue_url),
        claims=S3Claims(bucket),
        clock=SYSTEM_CLOCK,
        is_archived=options.source is SourceName.archive,
        done=lambda event: bucket.delete(event.key) if is_spill else None,
        patience_seconds=patience,
    )


class LettersAgain:
    """Redrives dead letters, as `offpath dead-letters redrive` does."""

    most_events = 10
    most_bytes = 1_000_000

    def __init__(self, pipeline: "Pipeline") -> None:
        self._bucket = pipeline.bucket()
        self._queue = SqsConsumer(pipeline.sqs(), pipeline.dead_letter_url, _HIDDEN_SECONDS)
        events = SqsQueue(pipeline.sqs(), pipeline.queue_url)
        self._settlement = Settlement(self._bucket, events, _now)

    def deliver(self, events: Sequence[ReplayEvent]) -> dict[int, str]:
        """Put these back on the queue, and mark their copies. Raises Transient."""
        places = {event.key: index for index, event in enumerate(events)}
        settled = self._settlement.redrive(places)
        return {places[key]: reason for key, reason in settled.left.items()}

    def close(self) -> None:
        """Take what was put back off the dead-letter queue. Raises Transient."""
        resolution = Resolution(self._bucket, self._queue, self._settlement.redrive, _now)
        resolution.run(list(letters(self._bucket)), [], orphans_too=False)


def _now() -> datetime:
    return datetime.now(UTC)
