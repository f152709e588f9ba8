"""Let messages that failed by an outage come again soon at first, and not only after the queue's visibility timeout.

That timeout must be six times the function's own. Most outages, such as a restart of MLflow, are over long before.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Protocol

from offpath.contracts.errors import Transient
from trace_writer.decode import Received
from trace_writer.writer import Failure

# By receives, in seconds; beyond these, the queue's own timeout holds.
PAUSES = (15.0, 30.0, 60.0, 120.0)
# The share of a pause that chance may take away.
JITTER = 0.5
MOST_AT_ONCE = 10


class Visibility(Protocol):
    """Hides messages that were received."""

    def hide(self, receipts: Sequence[str], seconds: int) -> None:
        """Hide at most ten messages for so long from now. Raises Transient."""


class RetryPauses:
    """Shortens the time until messages that failed are received again. chance: returns a number from 0 to 1."""

    def __init__(self, visibility: Visibility, chance: Callable[[], float] = random.random) -> None:
        self._visibility = visibility
        self._chance = chance

    def shorten(self, batch: Iterable[Received], failures: Iterable[Failure]) -> None:
        """Shorten it for what an outage kept from being delivered. Raises Transient: then the queue's timeout holds."""
        outages = {one.message_id for one in failures if isinstance(one.error, Transient)}
        waiting = [received for received in batch if received.message_id in outages and received.receipt]
        by_receives = sorted(waiting, key=_receives)
        for receives, group in groupby(by_receives, key=_receives):
            if receives <= len(PAUSES):
                self._hide([received.receipt for received in group], PAUSES[receives - 1])

    def _hide(self, receipts: Sequence[str], longest: float) -> None:
        for start in range(0, len(receipts), MOST_AT_ONCE):
            seconds = round(longest * (1 - JITTER * self._chance()))
            self._visibility.hide(receipts[start : start + MOST_AT_ONCE], seconds)


def _receives(received: Received) -> int:
    return received.receives
