"""Note which messages are in the archive already and wait on the queue for MLflow, so that none is archived twice.

A note is one object for the messages of a batch that were sent in the same minute, and lies under that minute: whoever
receives one of them again finds it without a look at all others. A note that cannot be written or read costs a second
copy in the archive, and nothing else: readers of the archive take one of each event. It names the events, too, by
process and number, for who looks for those that have come to no end.
"""

import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from offpath.contracts.errors import ObjectMissing, Transient
from offpath.contracts.event_summary import EventSummary
from offpath.contracts.names import waiting_prefix
from trace_writer.decode import Received

SCHEMA = "waiting/1"
# Of notes in memory, each with the ids of a hundred messages or so.
_MOST_NOTES = 500

_log = logging.getLogger(__name__)


class NoteBucket(Protocol):
    """Keeps the notes. Each method may raise Transient."""

    def get(self, key: str) -> bytes:
        """Return the content of an object. Raises ObjectMissing."""

    def put(self, key: str, content: bytes) -> str:
        """Store an object, and return the name of the bucket."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield every key that begins with the prefix."""


class WaitingNotes:
    """Notes in S3, and those last read or written in memory: a note never changes."""

    def __init__(self, bucket: NoteBucket) -> None:
        self._bucket = bucket
        self._read: OrderedDict[str, frozenset[str]] = OrderedDict()

    def holds(self, batch: Iterable[Received]) -> frozenset[str]:
        """Return the ids of those messages that are in the archive already."""
        again = {received.message_id: waiting_prefix(received.sent_at) for received in batch if received.receives > 1}
        known = again.keys() & frozenset().union(*self._read.values())
        for prefix in sorted({prefix for message_id, prefix in again.items() if message_id not in known}):
            known |= again.keys() & self._ids_under(prefix)
        return frozenset(known)

    def note(self, waiting: Sequence[Received], summaries: Mapping[str, EventSummary] = MappingProxyType({})) -> None:
        """Note that these messages are in the archive, and stay on the queue. summaries: their events, by id."""
        by_minute: dict[str, list[str]] = {}
        for received in waiting:
            by_minute.setdefault(waiting_prefix(received.sent_at), []).append(received.message_id)
        for prefix, ids in by_minute.items():
            events = sorted(_number(summaries[one]) for one in ids if one in summaries and summaries[one].is_numbered)
            content = json.dumps({"schema": SCHEMA, "message_ids": sorted(ids), "events": events}).encode()
            key = f"{prefix}{hashlib.sha256(content).hexdigest()[:32]}.json"
            try:
                self._bucket.put(key, content)
            except (Transient, ObjectMissing) as error:
                _log.warning("%d archived messages are not noted, and will be archived again: %s", len(ids), error)
                continue
            self._keep(key, frozenset(ids))

    def _ids_under(self, prefix: str) -> frozenset[str]:
        try:
            keys = list(self._bucket.keys(prefix))
        except (Transient, ObjectMissing):
            return frozenset()
        return frozenset().union(*(self._ids(key) for key in keys))

    def _ids(self, key: str) -> frozenset[str]:
        if key not in self._read:
            try:
                self._keep(key, frozenset(map(str, json.loads(self._bucket.get(key))["message_ids"])))
            except (Transient, ObjectMissing, ValueError, TypeError, KeyError):
                return frozenset()
        return self._read[key]

    def _keep(self, key: str, ids: frozenset[str]) -> None:
        self._read[key] = ids
        while len(self._read) > _MOST_NOTES:
            self._read.popitem(last=False)


def _number(event: EventSummary) -> tuple[str, int]:
    return event.instance, event.sequence
