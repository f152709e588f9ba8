"""The requests that have not ended: those that began last are looked at, and those that never end are given up."""

import itertools
import logging
from collections.abc import Callable

from offpath.tracing._otlp import EndedTrace
from offpath.tracing._trace_part import Part

# Beyond it the oldest one is held to be forgotten.
MOST_OPEN = 10_000
_FORGOTTEN = f"the span has not ended, and {MOST_OPEN} later requests have begun"

_log = logging.getLogger(__name__)


class OpenRequests:
    """The parts that are not delivered, the oldest first. The collector's lock is held around each call.

    so_far: returns what has ended of a part, for that reason. forgotten: such events, which are to be delivered.
    """

    def __init__(self, so_far: Callable[[Part, str], EndedTrace | None]) -> None:
        self._so_far = so_far
        self._numbers = itertools.count(1)
        self._parts: dict[int, Part] = {}  # by their objects' ids
        self._roots: dict[int, Part] = {}  # by trace id: those whose trace begins here
        self._forgotten_count = 0
        self.forgotten: list[EndedTrace] = []

    def __len__(self) -> int:
        return len(self._parts)

    def all(self) -> list[Part]:
        """Return each part."""
        return [*self._parts.values()]

    def newest(self) -> int:
        """Return the number of the part that began last, 0 if there is none."""
        newest = next(reversed(self._parts.values()), None)
        return newest.number if newest else 0

    def add(self, part: Part) -> Part:
        """Return the part, which is one of them from now on."""
        part.number = next(self._numbers)
        self._parts[id(part)] = part
        if len(self._parts) > MOST_OPEN:
            self._forget(next(iter(self._parts.values())))
        return part

    def add_root(self, trace_id: int, part: Part) -> Part:
        """Return the part, with which a trace begins."""
        self._roots[trace_id] = part
        return self.add(part)

    def root_of(self, trace_id: int) -> Part | None:
        """Return the part that the trace begins with, if that is one of them."""
        return self._roots.get(trace_id)

    def remove(self, part: Part) -> None:
        """Note that the part is delivered."""
        part.is_delivered = True
        self._parts.pop(id(part), None)
        if self._roots.get(part.trace_id) is part:
            del self._roots[part.trace_id]

    def clear(self) -> list[Part]:
        """Return each part, none of which is one of them any more."""
        parts, self._parts, self._roots, self.forgotten = self.all(), {}, {}, []
        return parts

    def _forget(self, oldest: Part) -> None:
        """Let what there is of a request be delivered, as nobody is likely to end it."""
        if event := self._so_far(oldest, _FORGOTTEN):
            self.forgotten.append(event)
        self.remove(oldest)
        self._forgotten_count += 1
        if str(self._forgotten_count).strip("0") == "1":  # 1, 10, 100 and so on
            _log.warning(
                "%d request(s) have not ended, such as %r, and are sent as they are: end each span that is started",
                self._forgotten_count,
                oldest.outermost.name,
            )
