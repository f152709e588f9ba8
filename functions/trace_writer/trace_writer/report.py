"""What the function's log says about a batch."""

from aws_lambda_powertools import Logger

from offpath.errors import Poison
from trace_writer.writer import Failure, Written


def log_batch(logger: Logger, written: Written) -> None:
    """One line for each message that stays on the queue, with the reason, and one for the batch."""
    for failure in written.failures:
        _log_failure(logger, failure)
    logger.info(
        "batch written",
        received=written.received,
        delivered=written.received - len(written.failures),
        archive_key=written.archive_key,
    )


def _log_failure(logger: Logger, failure: Failure) -> None:
    poison = isinstance(failure.error, Poison)
    log = logger.error if poison else logger.warning
    log(
        "message cannot be delivered as it is: SQS will dead-letter it"
        if poison
        else "message not delivered: SQS keeps it",
        message_id=failure.message_id,
        trace_id=failure.trace_id,
        error=type(failure.error).__name__,
        reason=str(failure.error),
    )
