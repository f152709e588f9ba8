"""AWS Lambda's entry point: the audit of yesterday, which a schedule calls once a day."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from aws_lambda_powertools import Logger

from offpath.aws.clients import s3_client, sqs_client
from offpath.aws.s3 import Bucket
from offpath.aws.sqs import count_messages
from offpath.contracts.errors import OffpathError, Transient
from offpath.contracts.names import AUDIT_STATUS_KEY
from trace_writer.audit.findings import Findings
from trace_writer.audit.ledger import Ledger
from trace_writer.audit.period import Period
from trace_writer.audit.run import Audit
from trace_writer.audit.settings import AuditSettings
from trace_writer.audit.status import AuditStatus, log_audit

# Left of the invocation's time to write what came of it.
_MARGIN_MILLISECONDS = 20_000
_SHOWN_RANGES = 20


class Context(Protocol):
    """The part of Lambda's context that the handler uses."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""


logger = Logger(service="audit")
settings = AuditSettings.load(os.environ)
bucket = Bucket(s3_client(timeout_seconds=20.0), settings.bucket)
queue = sqs_client()


def handler(event: Mapping[str, Any], context: Context) -> dict[str, object]:
    """Audit the day before the event's time, or before today, in UTC, and write the result to `status/audit.json`.

    An audit that came to no end raises the error, once its reason is written, so that Lambda tells.
    """
    period = _yesterday(event)
    try:
        status = AuditStatus(period, _found(period, context))
    except OffpathError as error:
        _write(AuditStatus(period, reason=str(error)))
        raise
    _write(status)
    return {"result": status.result, "missing": status.found.missing_count if status.found else None}


def _yesterday(event: Mapping[str, Any]) -> Period:
    now = datetime.now(UTC)
    asked = datetime.fromisoformat(str(event["time"])).astimezone(UTC) if event.get("time") else now
    today = asked.replace(hour=0, minute=0, second=0, microsecond=0)
    return Period(today - timedelta(days=1), today, max(now, asked))


def _found(period: Period, context: Context) -> Findings:
    on_queue = count_messages(queue, settings.queue_url)  # before the notes of what waits there

    def check_time(doing: str) -> None:
        if context.get_remaining_time_in_millis() < _MARGIN_MILLISECONDS:
            raise Transient(f"there was no time left at {doing}: run `offpath audit` elsewhere")

    found = Audit(Ledger(bucket), period, check_time).run()
    found.on_queue = on_queue
    return found


def _write(status: AuditStatus) -> None:
    """Log the result, whose line a metric is made of (template.yaml), and put it into the bucket."""
    found = status.found
    for one in found.missing[:_SHOWN_RANGES] if found else []:
        logger.error("events are missing", kind=one.kind, instance=one.instance, first=one.first, last=one.last)
    log_audit(logger, status)
    bucket.put(AUDIT_STATUS_KEY, status.dump())
