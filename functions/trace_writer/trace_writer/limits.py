"""Limit the size of one message, and of the part of a batch that is held at once: both bound the writer's memory."""

import re
import sys
from dataclasses import dataclass

from offpath.contracts.errors import TooLarge
from offpath.contracts.message import Message
from offpath.contracts.trace_event import claim_of

_STRING = r'"(?:[^"\\]++|\\.)*+"'
_SIGNS = r"[\[{,:]"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds in bytes, and in what becomes objects in memory.

    event_bytes: of an event's text in memory, where one character takes 1, 2 or 4 bytes, as the widest of the text
    does. event_spans: of one event. event_values: how often `[`, `{`, `,` and `:` stand outside of its texts.
    part_bytes: of the events that are held at once, as they came and as MLflow takes them.
    """

    event_bytes: int = 32_000_000
    event_spans: int = 10_000
    event_values: int = 500_000
    part_bytes: int = 64_000_000

    def check_text(self, text: str) -> None:
        """Raise TooLarge for a text that would take too much memory to be read."""
        if (size := sys.getsizeof(text)) > self.event_bytes:
            raise TooLarge(f"the event takes {size:,} bytes in memory, of {self.event_bytes:,} at most")
        if self._has_too_many_values(text):
            raise TooLarge(f"the event has more than {self.event_values:,} values and names")

    def check_spans(self, count: int) -> None:
        """Raise TooLarge for too many spans."""
        if count > self.event_spans:
            raise TooLarge(f"the event has {count:,} spans, of {self.event_spans:,} at most")

    def size_of(self, message: Message) -> int:
        """Return the bytes of the event that a message says it stands for; a large one is to stand alone."""
        claim = claim_of(message)
        size = len(message.body) if claim is None else max(0, claim.bytes)
        return size if size <= self.part_bytes // 4 else self.part_bytes

    def _has_too_many_values(self, text: str) -> bool:
        if (
            sum(text.count(sign) for sign in "[{,:") <= self.event_values
        ):  # in texts or not: fast, and true of nearly all
            return False
        beyond = rf'(?:(?:[^"\[{{,:]++|{_STRING})*+{_SIGNS}){{{self.event_values + 1}}}+'
        return re.match(beyond, text, re.DOTALL) is not None


LIMITS = Limits()
