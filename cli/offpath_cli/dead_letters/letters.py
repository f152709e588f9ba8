"""Read the copies of dead letters in S3: a look at them disturbs nothing on their queue."""

import re
from collections.abc import Container, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Protocol

from offpath.aws.s3 import Fetched, Listed
from offpath.contracts import dead_letter
from offpath.contracts.dead_letter import DeadLetter
from offpath.contracts.dead_letter_message import content_digest
from offpath.contracts.errors import MalformedEvent, ObjectMissing, OffpathError, Poison, UnknownSchema
from offpath.contracts.names import DEAD_LETTERS_PREFIX
from offpath.contracts.trace_event import claim_of
from offpath_cli.event_facts import EventFacts, event_facts

_CLAIM_SUFFIX = ".claim.json"
# Each of them is a request of some 20 ms to S3, and a body of up to 1 MiB.
_READERS = 8
_AT_ONCE = 64
_MODEL_OF_EXPERIMENT = re.compile(r"/(?P<model>[^/]+)(?:/shadow)?$")


class LetterBucket(Protocol):
    """Reads and marks copies. Each method may raise Transient."""

    name: str

    def listed(self, prefix: str) -> Iterable[Listed]:
        """Return the objects whose keys begin with the prefix."""

    def get(self, key: str) -> bytes:
        """Return the content of an object. Raises ObjectMissing."""

    def get_if_changed(self, key: str, etag: str | None) -> Fetched | None:
        """Return the object. Raises ObjectMissing."""

    def put(self, key: str, content: bytes) -> str:
        """Store an object, and return the name of the bucket."""

    def put_if_unchanged(self, key: str, content: bytes, etag: str | None) -> str:
        """Replace the object that has that entity tag. Raises ObjectChanged."""

    def exists(self, key: str) -> bool:
        """Return whether there is an object under the key."""


@dataclass(frozen=True, slots=True)
class Letter:
    """Hold what a list shows of a dead letter, without its body.

    name: the id in its key. size: of the event in bytes. state: `open`, `redriven`, `dropped`, or `unreadable`, whose
    reason says why. digest: of its content, by which a letter on the queue is recognized.
    """

    key: str
    name: str
    state: str
    error: str
    reason: str
    model: str
    trace_id: str
    size: int
    receives: int
    kept_at: datetime
    digest: str

    @property
    def is_open(self) -> bool:
        """Return whether somebody has yet to decide what becomes of it."""
        return self.state == "open"


def letters(bucket: LetterBucket, known: Container[str] = ()) -> Iterator[Letter]:
    """Yield every copy, the oldest day first. known: keys of those that are left out. Raises Transient."""
    listed = (found for found in bucket.listed(DEAD_LETTERS_PREFIX) if not found.key.endswith(_CLAIM_SUFFIX))
    wanted = (found for found in listed if found.key not in known)
    with ThreadPoolExecutor(_READERS) as pool:
        while some := list(islice(wanted, _AT_ONCE)):
            read = pool.map(lambda found: _read(bucket, found), some)
            yield from (letter for letter in read if letter is not None)


def name_of(key: str) -> str:
    """Return the id in the key of a copy."""
    return key.rpartition("/")[2].removesuffix(".json")


def facts_of(letter: DeadLetter) -> EventFacts:
    """Return what the event says of itself, or its message where the event cannot be read or lies elsewhere."""
    given = letter.message.attributes
    trace_id, experiment = given.get("trace_id", ""), given.get("experiment", "")
    try:
        facts = event_facts(letter.message.body) if claim_of(letter.message) is None else EventFacts()
    except Poison:
        facts = EventFacts()
    found = _MODEL_OF_EXPERIMENT.search(experiment)
    return EventFacts(
        trace_id=trace_id or facts.trace_id,
        experiment=experiment or facts.experiment,
        model=facts.model or (found["model"] if found else ""),
        outcome=facts.outcome,
        number=facts.number,
        started_at=facts.started_at,
    )


def size_of(letter: DeadLetter) -> int:
    """Return the bytes of the event, wherever its body lies."""
    claim = claim_of(letter.message)
    return claim.bytes if claim else letter.message.size


def _read(bucket: LetterBucket, found: Listed) -> Letter | None:
    try:
        return _letter(found, bucket.get(found.key))
    except ObjectMissing:  # removed meanwhile
        return None


def _letter(found: Listed, content: bytes) -> Letter:
    try:
        read = dead_letter.load(content)
    except (MalformedEvent, UnknownSchema) as error:
        return _unreadable(found, error)
    facts = facts_of(read)
    return Letter(
        key=found.key,
        name=name_of(found.key),
        state=_state(read),
        error=read.error,
        reason=read.reason,
        model=facts.model,
        trace_id=facts.trace_id,
        size=size_of(read),
        receives=read.receives,
        kept_at=read.kept_at,
        digest=content_digest(read.message),
    )


def _state(letter: DeadLetter) -> str:
    if letter.is_open:
        return "open"
    return "redriven" if letter.redriven_at else "dropped"


def _unreadable(found: Listed, error: OffpathError) -> Letter:
    name = name_of(found.key)
    return Letter(
        found.key, name, "unreadable", type(error).__name__, str(error), "", "", found.size, 0, found.modified, ""
    )
