"""Log lines about a batch."""

from collections.abc import Callable
from dataclasses import asdict

from aws_lambda_powertools import Logger

from offpath.contracts.errors import Poison, UnknownSchema
from trace_writer.log_parts import Kept
from trace_writer.spill_sweep import Swept
from trace_writer.writer import Changed, Failure, Written

_SHOWN_CHANGES = 10
_SHOWN_LEFT = 20


def log_batch(logger: Logger, written: Written) -> None:
    """Log a line for each message that was not delivered, or not as it came, with the reason, and one for the batch."""
    for failure in written.failures:
        match failure.error:
            case Poison():
                text = "message cannot be delivered as it is: SQS keeps it a few times more"
                _log_failure(logger.error, text, failure)
            case UnknownSchema():
                text = "message is of a newer version: SQS keeps it for a newer trace writer, deploy one"
                _log_failure(logger.warning, text, failure)
            case _:
                _log_failure(logger.warning, "message not delivered: SQS keeps it", failure)
    for failure in written.dead_lettered:
        _log_failure(logger.error, "message cannot be delivered as it is: it is on the dead-letter queue", failure)
    for changed in written.changed:
        _log_changes(logger, changed)
    logger.info(
        "batch written",
        received=written.received,
        delivered=written.received - len(written.failures) - len(written.dead_lettered),
        archive_keys=written.archive_keys,
        values_changed=sum(len(changed.changes) for changed in written.changed),
    )


def log_kept(logger: Logger, kept: Kept) -> None:
    """Log how many lines of a function's log hold events, or parts of events, that no service took."""
    log = logger.error if kept.unreadable else logger.warning if kept.parts else logger.info
    log("parts of events came by the log", parts=kept.parts, unreadable=kept.unreadable)


def log_swept(logger: Logger, swept: Swept) -> None:
    """Log what a sweep found and did: metrics are made of this line's numbers (template.yaml)."""
    for name, reason in list(swept.left.items())[:_SHOWN_LEFT]:
        logger.warning("a spilled event stays where it is", key=name, reason=reason)
    logger.info(
        "spill swept",
        found=swept.found,
        oldest_seconds=round(swept.oldest_seconds),
        written=swept.written,
        left=len(swept.left),
        incomplete=swept.incomplete,
    )


def _log_changes(logger: Logger, changed: Changed) -> None:
    logger.warning(
        "MLflow does not take some values of this trace: they were changed, or dropped alone",
        message_id=changed.message_id,
        trace_id=changed.trace_id,
        values_changed=len(changed.changes),
        changes=[asdict(change) for change in changed.changes[:_SHOWN_CHANGES]],
    )


def _log_failure(log: Callable[..., None], text: str, failure: Failure) -> None:
    log(
        text,
        message_id=failure.message_id,
        trace_id=failure.trace_id,
        error=type(failure.error).__name__,
        reason=str(failure.error),
    )
