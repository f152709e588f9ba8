"""Settle dead letters by their copies in S3: put the message back on the queue of events, or give it up.

A message is on the queue before its copy says so. Whoever is killed between the two sends it once more the next time,
which changes nothing in MLflow: nothing is lost.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from offpath.aws.sqs import SQS_MAX_BYTES, batches
from offpath.contracts import dead_letter
from offpath.contracts.dead_letter import DeadLetter
from offpath.contracts.dead_letter_message import original
from offpath.contracts.errors import ClaimLost, ObjectChanged, ObjectMissing, OffpathError, TooLarge, Transient
from offpath.contracts.message import Message
from offpath.contracts.names import CLAIMS_PREFIX
from offpath.contracts.trace_event import claim_of
from offpath_cli.dead_letters.letters import LetterBucket


class Producer(Protocol):
    """Sends to the queue of events."""

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Send at most ten messages of together at most 1 MiB, and return those not taken. Raises Transient."""


@dataclass(slots=True)
class Settled:
    """Tell what became of the letters, by the keys of their copies. before: settled already. left: with the reason."""

    done: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)

    def add(self, more: "Settled") -> None:
        """Add what became of others."""
        self.done += more.done
        self.before += more.before
        self.left |= more.left


@dataclass(frozen=True, slots=True)
class _Open:
    key: str
    content: bytes
    etag: str
    message: Message


class Settlement:
    """Redrives and drops letters by their copies. now: the wall clock. tell: is told how many more are dealt with."""

    def __init__(
        self,
        bucket: LetterBucket,
        events: Producer,
        now: Callable[[], datetime],
        tell: Callable[[int], None] | None = None,
    ) -> None:
        self._bucket = bucket
        self._events = events
        self._now = now
        self._tell = tell or _tell_nobody

    def redrive(self, keys: Iterable[str]) -> Settled:
        """Put these on the queue of events again. Raises Transient when a service does not answer."""
        settled = Settled()
        for batch in batches(self._opened(keys, settled), lambda found: found.message.size):
            refused = {id(message) for message in self._sent([found.message for found in batch])}
            for found in batch:
                if id(found.message) in refused:
                    settled.left[found.key] = "SQS does not take it"
                else:
                    self._mark(found, dead_letter.redriven)
                    settled.done.append(found.key)
            self._tell(len(batch))
        return settled

    def drop(self, keys: Iterable[str]) -> Settled:
        """Give these up: the copies stay, and say so. Raises Transient."""
        settled = Settled()
        for key in keys:
            if found := self._open(key, settled):
                self._mark(found, dead_letter.dropped)
                settled.done.append(key)
            self._tell(1)
        return settled

    def _opened(self, keys: Iterable[str], settled: Settled) -> Iterator[_Open]:
        for key in keys:
            found = self._open(key, settled)
            if found is None:
                continue
            try:
                self._prepare(dead_letter.load(found.content))
            except Transient:
                raise
            except OffpathError as error:
                settled.left[key] = str(error)
                continue
            yield found

    def _open(self, key: str, settled: Settled) -> _Open | None:
        try:
            fetched = self._bucket.get_if_changed(key, None)
            letter = dead_letter.load(fetched.content) if fetched else None
        except Transient:
            raise
        except OffpathError as error:
            settled.left[key] = str(error)
            return None
        if fetched is None or letter is None or not letter.is_open:
            settled.before.append(key)
            return None
        return _Open(key, fetched.content, fetched.etag, original(letter.message))

    def _prepare(self, letter: DeadLetter) -> None:
        """Bring the body back that a message stands for. Raises ClaimLost, TooLarge, or Transient."""
        message = original(letter.message)
        if message.size > SQS_MAX_BYTES:
            raise TooLarge(f"it has {message.size:,} bytes, and SQS takes {SQS_MAX_BYTES:,}")
        claim = claim_of(message)
        if claim is None or claim.bucket != self._bucket.name or not claim.key.startswith(CLAIMS_PREFIX):
            return
        if letter.claim_key and (content := self._kept(letter.claim_key, claim.sha256)):
            self._bucket.put(claim.key, content)  # the same again, which expires later
        elif not self._bucket.exists(claim.key):
            raise ClaimLost(
                f"the body that it stands for, s3://{claim.bucket}/{claim.key}, is gone, and no copy is left"
            )

    def _kept(self, key: str, sha256: str) -> bytes | None:
        """Return the copy of a body, if it is the one that the message was sent with."""
        try:
            content = self._bucket.get(key)
        except ObjectMissing:
            return None
        return content if hashlib.sha256(content).hexdigest() == sha256 else None

    def _sent(self, messages: Sequence[Message]) -> list[Message]:
        """Send the messages, and return those not taken."""
        try:
            return self._events.send(messages)
        except UnicodeEncodeError:  # half a surrogate pair in one of them, which no SDK can send
            if len(messages) == 1:
                return list(messages)
        return [refused for message in messages for refused in self._sent([message])]

    def _mark(self, found: _Open, mark: Callable[[bytes, datetime], bytes]) -> None:
        try:
            self._bucket.put_if_unchanged(found.key, mark(found.content, self._now()), found.etag)
        except ObjectChanged:  # the writer dead-lettered it once more, or another person settled it: that stands
            return


def _tell_nobody(count: int) -> None:
    del count
