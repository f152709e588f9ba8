"""Note in S3 what a batch told of MLflow, for people who ask how the pipeline is."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from offpath.contracts import writer_status
from offpath.contracts.errors import ObjectMissing, Transient
from offpath.contracts.names import WRITER_STATUS_KEY
from offpath.contracts.writer_status import WriterStatus
from trace_writer.tracker import TrackerUnavailable
from trace_writer.writer import Written

# The same is noted again after that time.
EVERY = timedelta(minutes=1)
_REASON_CHARACTERS = 500

_log = logging.getLogger(__name__)


class StatusBucket(Protocol):
    """Keeps the note."""

    def put(self, key: str, content: bytes) -> str:
        """Store an object, and return the name of the bucket. Raises Transient, or ObjectMissing."""


class StatusNote:
    """Writes the note when it changes, and once a minute. Whichever writer wrote last is right. now: the wall clock."""

    def __init__(self, bucket: StatusBucket, now: Callable[[], datetime]) -> None:
        self._bucket = bucket
        self._now = now
        self._last: WriterStatus | None = None

    def note(self, written: Written) -> None:
        """Note what the batch told of MLflow, if it told anything. A note that cannot be written is only logged."""
        status = self._status(written)
        if status is None or not self._is_due(status):
            return
        try:
            self._bucket.put(WRITER_STATUS_KEY, writer_status.dump(status))
        except (Transient, ObjectMissing) as error:
            _log.warning("the writer's status is not noted: %s", error)
            return
        self._last = status

    def _status(self, written: Written) -> WriterStatus | None:
        if written.received > len(written.failures) + len(written.dead_lettered) + written.sampled_out:
            return WriterStatus(self._now(), mlflow_stores=True)
        for failure in written.failures:
            if isinstance(failure.error, TrackerUnavailable):
                return WriterStatus(self._now(), mlflow_stores=False, reason=str(failure.error)[:_REASON_CHARACTERS])
        return None

    def _is_due(self, status: WriterStatus) -> bool:
        last = self._last
        return last is None or last.mlflow_stores != status.mlflow_stores or status.at - last.at >= EVERY
