"""Count the events of a replay, and say where to go on."""

from dataclasses import dataclass, field
from typing import Any

_MOST_LEFT = 1_000


@dataclass(slots=True)
class Report:
    """Count events. read: all that were looked at. again: that were there before. chosen: that are wanted.

    handled: of these, what was delivered or left. left: what was not delivered, by trace id or object → reason, of
    which the first thousand are kept; left_count: all. reading: where the reading is. place: from where on everything
    has yet to be delivered.
    """

    read: int = 0
    again: int = 0
    chosen: int = 0
    handled: int = 0
    delivered: int = 0
    left_count: int = 0
    left: dict[str, str] = field(default_factory=dict)
    reading: str = ""
    place: str = ""

    def reach(self, place: str) -> None:
        """Note that the reading has come to a place."""
        self.reading = place
        if self.chosen == self.handled:
            self.place = place

    def leave(self, name: str, reason: str) -> None:
        """Note that something was not delivered."""
        self.left_count += 1
        if len(self.left) < _MOST_LEFT:
            self.left[name] = reason

    def document(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        return {
            "read": self.read,
            "again": self.again,
            "chosen": self.chosen,
            "delivered": self.delivered,
            "left": self.left_count,
            "reasons": self.left,
        }
