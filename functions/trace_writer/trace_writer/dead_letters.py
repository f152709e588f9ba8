"""Takes messages that cannot be delivered as they are off the queue, to where a person finds them with the reason.

SQS's own redrive counts receives, whatever the reason: an hour without MLflow would dead-letter good messages. So
poison is moved from here, once there are enough verdicts on it, and what MLflow was only not there for stays on the
queue. A copy with the whole reason is in S3 before the message moves.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from offpath.aws.sqs import SQS_MAX_ATTRIBUTES, SQS_MAX_BYTES
from offpath.contracts import dead_letter
from offpath.contracts.dead_letter import DeadLetter
from offpath.contracts.dead_letter_message import ERROR, MESSAGE_ID, OWN_TYPE, REASON
from offpath.contracts.errors import ObjectMissing, OffpathError, Poison, Rejected, Transient
from offpath.contracts.message import Message, TypedAttribute
from offpath.contracts.names import CLAIMS_PREFIX, dead_letter_claim_key, dead_letter_key
from offpath.contracts.trace_event import claim_of
from trace_writer.archive import utc_now
from trace_writer.decode import Received
from trace_writer.verdicts import VerdictBucket, Verdicts

REASON_CHARACTERS = 500

_log = logging.getLogger(__name__)


class Queue(Protocol):
    """The dead-letter queue."""

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Send the messages; those not taken come back. Raises Transient."""


class LetterBucket(VerdictBucket, Protocol):
    """Keeps copies of dead letters, and counts of verdicts. Each method may raise Transient."""

    name: str

    def copy(self, key: str, target: str) -> None:
        """Copy an object within the bucket. Raises ObjectMissing."""


class DeadLetters:
    """Moves poison to a queue of its own.

    max_verdicts: how often it is refused before, as a verdict may be mistaken. now: the wall clock.
    """

    def __init__(
        self, queue: Queue, bucket: LetterBucket, max_verdicts: int, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._queue = queue
        self._bucket = bucket
        self._verdicts = Verdicts(bucket)
        self._max_verdicts = max_verdicts
        self._now = now

    def take(self, received: Received, error: OffpathError) -> bool:
        """Keep a copy of the message with its reason, and move it. Tell whether it may leave the queue."""
        if not isinstance(error, Poison):
            return False
        try:
            return self._is_final(received, error) and self._move(received, error)
        except Transient as trouble:  # it stays where it is, and is tried again
            _log.warning("message %s could not be dead-lettered, and stays: %s", received.message_id, trouble)
            return False

    def _is_final(self, received: Received, error: Poison) -> bool:
        """Tell whether there are enough verdicts. What cannot be read was found so at each receive."""
        if isinstance(error, Rejected):
            return self._verdicts.add(received.message_id, _shown(str(error))) >= self._max_verdicts
        return received.receives >= self._max_verdicts

    def _move(self, received: Received, error: Poison) -> bool:
        self._keep(received, error)
        explained = _explained(received, error)
        return self._sent(explained) or (explained != received.message and self._sent(received.message))

    def _sent(self, message: Message) -> bool:
        try:
            return not self._queue.send([message])
        except UnicodeEncodeError:  # half a surrogate pair, which no SDK can send
            return False

    def _keep(self, received: Received, error: Poison) -> None:
        sent = received.sent_at or self._now()
        letter = DeadLetter(
            message_id=received.message_id,
            message=received.message,
            error=type(error).__name__,
            reason=str(error),
            receives=received.receives,
            kept_at=self._now(),
            claim_key=self._claim_kept(received, sent),
        )
        self._bucket.put(dead_letter_key(sent, received.message_id), dead_letter.dump(letter))

    def _claim_kept(self, received: Received, sent: datetime) -> str | None:
        """Copy the body that the message stands for, which expires where it lies. Return the key of the copy."""
        claim = claim_of(received.message)
        if claim is None or claim.bucket != self._bucket.name or not claim.key.startswith(CLAIMS_PREFIX):
            return None
        target = dead_letter_claim_key(sent, received.message_id)
        try:
            self._bucket.copy(claim.key, target)
        except ObjectMissing:
            return None
        return target


def _explained(received: Received, error: Poison) -> Message:
    """Add kind and reason of the error, and which copy is this letter's, as far as SQS has room for them."""
    message = received.message
    added = {ERROR: type(error).__name__, REASON: _shown(str(error)), MESSAGE_ID: _shown(received.message_id)}
    for name, value in added.items():
        longer = _with(message, name, value)
        if len(longer.all_attributes) <= SQS_MAX_ATTRIBUTES and longer.size <= SQS_MAX_BYTES:
            message = longer
    return message


def _with(message: Message, name: str, value: str) -> Message:
    there = message.all_attributes.get(name)
    if there is not None and there.data_type != OWN_TYPE:  # a producer's own
        return message
    return replace(
        message,
        attributes={**message.attributes, name: value},
        typed={**message.typed, name: TypedAttribute(OWN_TYPE, value)},
    )


def _shown(text: str) -> str:
    """Return the text in characters that SQS takes in an attribute, at least one of them."""
    shown = text[:REASON_CHARACTERS]
    return "".join(character if " " <= character <= "~" else "?" for character in shown) or "?"
