"""The port to where events are delivered again."""

from collections.abc import Sequence
from typing import Protocol

from offpath_cli.replay.event import ReplayEvent


class Target(Protocol):
    """Takes events in batches of bounded size."""

    @property
    def most_events(self) -> int:
        """The most events of a batch."""

    @property
    def most_bytes(self) -> int:
        """The most bytes of a batch, but for a single event that is larger."""

    def deliver(self, events: Sequence[ReplayEvent]) -> dict[int, str]:
        """Deliver a batch; what can never be delivered comes back, by its place in the batch → reason.

        Raises Transient if the others could not be delivered now, however long it was tried.
        """

    def close(self) -> None:
        """Finish, once all events were delivered. Raises Transient."""
