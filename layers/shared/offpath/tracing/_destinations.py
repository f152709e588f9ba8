"""Where a trace can go."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from offpath.contracts.message import Message
from offpath.contracts.trace_event import ClaimStore
from offpath.retry import CircuitBreaker


class Queue(Protocol):
    """Takes messages."""

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Send at most ten messages of together at most 1 MiB; those not taken come back. Raises Transient."""


class Store(Protocol):
    """Keeps content by key."""

    def put(self, key: str, content: bytes) -> str:
        """Store content under the key, and return the bucket's name. Raises Transient."""


@dataclass(frozen=True, slots=True)
class Destinations:
    """The services that a trace is sent to, and the last resort.

    claims: takes bodies that are too large for the queue. spill_store: takes messages that the queue did not take. log:
    takes, line by line, what no service took.
    """

    queue: Queue
    claims: ClaimStore
    spill_store: Store
    log: Callable[[str], None] = print


class GuardedClaims:
    """A claim store behind a circuit breaker: an open one makes `put` raise CircuitOpen."""

    def __init__(self, claims: ClaimStore, circuit: CircuitBreaker) -> None:
        self._claims = claims
        self._circuit = circuit

    def put(self, key: str, content: bytes) -> str:
        """Store content under the key, and return the bucket's name. Raises Transient."""
        return self._circuit.call(partial(self._claims.put, key, content))

    def get(self, bucket: str, key: str) -> bytes:
        """Return the content. Raises ClaimLost, or Transient."""
        return self._claims.get(bucket, key)
