"""List the events that wait under `spill/`: single objects, and those of which the log has handed over the parts.

A folder of parts whose event was written holds an object `done`. It outlives the parts, as a log's subscription may
hand over a line a second time: such a part is known by it, and deleted.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, groupby, takewhile
from random import Random
from typing import Protocol

from offpath.aws.s3 import Listed
from offpath.contracts.names import SPILL_PARTS_PREFIX, spill_done_key, spill_prefix

# CloudWatch Logs tries a delivery again for at most six hours.
DONE_KEPT = timedelta(days=7)


class ListedBucket(Protocol):
    """Lists and empties a bucket. Each method may raise Transient."""

    def listed(self, prefix: str, after: str = "") -> Iterable[Listed]:
        """Return the objects whose keys begin with the prefix and come after that key, in the order of their keys."""

    def delete(self, key: str) -> None:
        """Remove an object."""


@dataclass(frozen=True, slots=True)
class SpilledEvent:
    """An event in S3: the objects that it is in, which are deleted together. name: it stands for them in notes."""

    name: str
    objects: Sequence[Listed]

    @property
    def is_in_parts(self) -> bool:
        """Whether the log has handed it over, in one part or more."""
        return self.name.startswith(SPILL_PARTS_PREFIX)

    @property
    def is_complete(self) -> bool:
        """Whether all parts are there. Their names say how many there are; what is named otherwise stays."""
        names = {part.key.rpartition("/")[2].removesuffix(".json") for part in self.objects}
        totals = {name.partition("-of-")[2] for name in names}
        total = totals.pop() if len(totals) == 1 else ""
        if not total.isdecimal() or int(total) != len(names):
            return False
        return names == {f"{number:05d}-of-{total}" for number in range(1, len(names) + 1)}

    @property
    def size(self) -> int:
        """The bytes of all its objects."""
        return sum(found.size for found in self.objects)

    @property
    def written_at(self) -> datetime:
        """When the first of its objects was written."""
        return min(found.modified for found in self.objects)


class SpillListing:
    """Lists what lies under `spill/<queue name>/` and `spill/parts/`. Each method may raise Transient.

    chance: draws where to begin, so that what cannot be written for now holds up nothing behind it for ever. Names are
    of hex digits mostly.
    """

    def __init__(self, bucket: ListedBucket, queue_name: str, chance: Random) -> None:
        self._bucket = bucket
        self._prefix = spill_prefix(queue_name)
        self._chance = chance

    def waiting(self) -> Iterator[Listed]:
        """Yield each object that waits."""
        return chain(self._listed(self._prefix), *(event.objects for event in self._from_the_log()))

    def events(self) -> Iterator[SpilledEvent]:
        """Yield each event that waits once; of some in parts, not all parts may be there."""
        single = (SpilledEvent(found.key, [found]) for found in self._listed(self._prefix))
        return chain(*self._chance.sample([single, self._from_the_log()], 2))

    def clean(self, now: datetime) -> None:
        """Delete parts that came again after their event was written, and marks of events that are long written."""
        for parts, done in self._folders():
            if not done:
                continue
            for part in parts:
                self._bucket.delete(part.key)
            if not parts and now - done.modified > DONE_KEPT:
                self._bucket.delete(done.key)

    def _from_the_log(self) -> Iterator[SpilledEvent]:
        for parts, done in self._folders():
            if not done:
                yield SpilledEvent(_folder(parts[0]), parts)

    def _folders(self) -> Iterator[tuple[list[Listed], Listed | None]]:
        """Yield the parts of each folder, and the mark that their event is written, if it is there."""
        for folder, found in groupby(self._listed(SPILL_PARTS_PREFIX), _folder):
            objects, mark = list(found), spill_done_key(folder)
            done = next((one for one in objects if one.key == mark), None)
            yield [one for one in objects if one is not done], done

    def _listed(self, prefix: str) -> Iterator[Listed]:
        """Yield each object once, from one that is drawn. No folder is cut in two: its objects come after its name."""
        start = f"{prefix}{self._chance.getrandbits(64):016x}"
        yield from self._bucket.listed(prefix, start)
        yield from takewhile(lambda found: found.key <= start, self._bucket.listed(prefix))


def _folder(found: Listed) -> str:
    return found.key.rpartition("/")[0]
