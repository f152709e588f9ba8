"""Take off the dead-letter queue what belongs to copies that are settled, and leave the rest as it was."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Protocol

from offpath.contracts import dead_letter
from offpath.contracts.dead_letter import DeadLetter
from offpath.contracts.dead_letter_message import ERROR, MESSAGE_ID, REASON, content_digest, original, received_message
from offpath.contracts.names import dead_letter_key
from offpath_cli.dead_letters.letters import Letter, LetterBucket, letters, name_of

# A message as SQS's ReceiveMessage gives it.
Received = Mapping[str, Any]

_WAIT_SECONDS = 1
_BATCH = 10
_NO_REASON = "it came to the dead-letter queue without a reason, as SQS moves what was received too often"


class LetterQueue(Protocol):
    """The dead-letter queue. Each method may raise Transient."""

    def receive(self, limit: int, wait_seconds: int) -> Sequence[Received]:
        """Return at most `limit` messages, which then are hidden for a while."""

    def delete(self, messages: Sequence[Received]) -> None:
        """Take these off the queue."""

    def release(self, messages: Sequence[Received]) -> None:
        """Let these be received again at once."""

    def waiting(self) -> tuple[int, int]:
        """Return how many can be received, and how many are hidden."""


class Twin(Enum):
    """Tell what a message on the dead-letter queue is the twin of: a copy that is open, a settled one, or none."""

    OPEN = "open"
    SETTLED = "settled"
    ORPHAN = "orphan"


class Twins:
    """Recognizes messages by the copies, as far as those are known.

    A message names its copy. One that had no room for that is recognized by its content; as many are taken for twins
    of open copies as there are such copies, and the others, which hold the same, for those of settled ones.
    """

    def __init__(self, known: Iterable[Letter]) -> None:
        self._is_open: dict[str, bool] = {}
        self._open: Counter[str] = Counter()
        self._known: set[str] = set()
        self._keys: set[str] = set()
        self._add(known)

    def learn_of(self, batch: Iterable[Received], bucket: LetterBucket) -> None:
        """Read the copies that are new, if a message names none that is known. Raises Transient.

        The writer may have dead-lettered it meanwhile. It writes the copy before the message is on the queue.
        """
        if not all(copy_name(received) in self._is_open for received in batch):
            self._add(letters(bucket, self._keys))

    def _add(self, found: Iterable[Letter]) -> None:
        for letter in found:
            is_open = letter.state in {"open", "unreadable"}
            self._is_open[letter.name] = is_open
            self._keys.add(letter.key)
            if letter.receives:  # a copy that `adopt` made is always recognized by its name
                self._known.add(letter.digest)
                self._open[letter.digest] += is_open

    def of(self, received: Received) -> Twin:
        """Return what this message is the twin of."""
        is_open = self._is_open.get(copy_name(received))
        if is_open is None:
            is_open = self._by_content(content_digest(received_message(received)))
        if is_open is None:
            return Twin.ORPHAN
        return Twin.OPEN if is_open else Twin.SETTLED

    def _by_content(self, digest: str) -> bool | None:
        if digest not in self._known:
            return None
        self._open[digest] -= 1
        return self._open[digest] >= 0


@dataclass(slots=True)
class Cleared:
    """Count the messages that were taken off the queue, and those that stay."""

    removed: int = 0
    kept: int = 0


def clear(
    queue: LetterQueue,
    bucket: LetterBucket,
    twins: Twins,
    settle_orphans: Callable[[Sequence[Received]], Sequence[Received]],
) -> Cleared:
    """Look at every message of the queue once, and remove those whose copies are settled.

    settle_orphans: is given messages without a copy, and returns those of them that are settled. Raises Transient.
    """
    cleared = Cleared()
    kept: list[Received] = []
    try:
        for batch in _all(queue):
            twins.learn_of(batch, bucket)
            places = [(twins.of(received), received) for received in batch]
            orphans = [received for twin, received in places if twin is Twin.ORPHAN]
            gone = [received for twin, received in places if twin is Twin.SETTLED]
            gone += settle_orphans(orphans) if orphans else []
            if gone:
                queue.delete(gone)
            ids = {received["MessageId"] for received in gone}
            kept += [received for received in batch if received["MessageId"] not in ids]
            cleared.removed += len(gone)
    finally:
        if kept:
            queue.release(kept)
    cleared.kept = len(kept)
    return cleared


def adopt(bucket: LetterBucket, received: Received, now: datetime) -> str:
    """Keep a copy of a dead letter that has none, as SQS itself or an older writer made it. Return the copy's key."""
    message = received_message(received)
    about = received.get("Attributes", {})
    sent = datetime.fromtimestamp(int(about["SentTimestamp"]) / 1000, UTC) if "SentTimestamp" in about else now
    copy_id = _copy_id(received)
    letter = DeadLetter(
        message_id=copy_id,
        message=original(message),
        error=message.attributes.get(ERROR, "Unknown"),
        reason=message.attributes.get(REASON, _NO_REASON),
        receives=0,
        kept_at=now,
    )
    key = dead_letter_key(sent, copy_id)
    bucket.put(key, dead_letter.dump(letter))
    return key


def copy_name(received: Received) -> str:
    """Return the name that the copy of this message has, if there is one."""
    return name_of(dead_letter_key(datetime.now(UTC), _copy_id(received)))


def _copy_id(received: Received) -> str:
    return received_message(received).attributes.get(MESSAGE_ID) or str(received["MessageId"])


def _all(queue: LetterQueue) -> Iterator[Sequence[Received]]:
    """Yield each message once: what was received stays hidden meanwhile."""
    seen: set[str] = set()
    while new := [one for one in queue.receive(_BATCH, _WAIT_SECONDS) if one["MessageId"] not in seen]:
        seen.update(one["MessageId"] for one in new)
        yield new
