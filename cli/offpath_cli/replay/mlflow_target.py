"""Deliver events to MLflow as the trace writer does: by its own code."""

from collections.abc import Sequence
from typing import Protocol

from offpath.contracts.errors import Poison, Transient
from offpath.contracts.receipt import IN_MLFLOW, Receipt
from offpath.contracts.trace_event import ClaimStore, TraceEvent, inline_message
from offpath.retry import Clock
from offpath_cli.replay.event import ReplayEvent
from trace_writer.decode import Decoded, Received, decode
from trace_writer.delivery import Delivery
from trace_writer.delivery_run import Failures

NO_EXPERIMENT = "it names no experiment: --experiment says which one such events belong to"
# How long one batch may take within the writer's code, and how long MLflow is waited for while it takes nothing.
_BATCH_SECONDS = 60.0
_PATIENCE_SECONDS = 300.0
_PAUSE_SECONDS = 2.0


class Receipts(Protocol):
    """Keeps how events ended."""

    def store(self, receipts: Sequence[Receipt]) -> None:
        """Write the receipts, if there are any. Raises Transient."""


class MlflowTarget:
    """Stores events in MLflow, where the same event is the same rows, and leaves receipts, as the trace writer does.

    claims: where large bodies lie; events come whole, so that none is asked for. patience_seconds: how long MLflow is
    waited for while it takes nothing.
    """

    most_events = 100
    most_bytes = 16_000_000

    def __init__(
        self,
        delivery: Delivery,
        claims: ClaimStore,
        receipts: Receipts,
        clock: Clock,
        *,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self._claims = claims
        self._receipts = receipts
        self._delivery = delivery
        self._clock = clock
        self._patience_seconds = patience_seconds

    def close(self) -> None:
        """Do nothing: all was delivered."""

    def deliver(self, events: Sequence[ReplayEvent]) -> dict[int, str]:
        """Deliver a batch. Raises Transient."""
        left: dict[int, str] = {}
        pending = self._decoded(events, left)
        stalled_at = self._clock.now()
        while pending:
            failures = self._delivery.deliver(pending, self._clock.now() + _BATCH_SECONDS)
            self._receipts.store(_receipts(pending, failures))
            again = [one for one in pending if isinstance(failures.get(one.source.message_id), Transient)]
            left |= {int(name): str(error) for name, error in failures.items() if not isinstance(error, Transient)}
            if len(again) < len(pending):
                stalled_at = self._clock.now()
            elif self._clock.now() - stalled_at >= self._patience_seconds:
                raise Transient(str(failures[again[0].source.message_id]))
            if again:
                self._clock.sleep(_PAUSE_SECONDS)
            pending = again
        return left

    def _decoded(self, events: Sequence[ReplayEvent], left: dict[int, str]) -> list[Decoded]:
        decoded = []
        for index, event in enumerate(events):
            if not event.experiment:
                left[index] = NO_EXPERIMENT
                continue
            message = inline_message(TraceEvent(event.trace_id, event.experiment, event.body))
            try:
                decoded.append(decode(Received(str(index), message), self._claims))
            except Poison as error:
                left[index] = str(error)
        return decoded


def _receipts(events: Sequence[Decoded], failures: Failures) -> list[Receipt]:
    return [Receipt(IN_MLFLOW, event.summary) for event in events if event.source.message_id not in failures]
