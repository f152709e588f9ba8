"""The port to MLflow.

Transient
└── TrackerUnavailable     MLflow is not available, or not to us: the same request may pass later
    ├── Faulted            it took the request and failed on it: a part of it may pass
    └── InDoubt            it refuses what the request holds, but nothing tells that it takes anything else
Rejected                   it refuses what the request holds: a part of it may pass
└── ExperimentRefused      it refuses the experiment: no part of it can pass
"""

import math
from typing import Protocol

from offpath.contracts.errors import Rejected, Transient

# The `retry_after` of trouble that no waiting mends.
NEVER = math.inf


class TrackerUnavailable(Transient):
    """MLflow is not available. retry_after: seconds that it asked to be left alone, 0 or NEVER."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Faulted(TrackerUnavailable):
    """MLflow took the request and then failed, or gave no answer: the data may be why."""


class InDoubt(TrackerUnavailable):
    """MLflow refuses these spans, and a probe too, or nobody could ask: they are not known to be why."""


class ExperimentRefused(Rejected):
    """MLflow will not have an experiment of that name."""


class Tracker(Protocol):
    """Takes spans into an experiment."""

    def log(self, experiment: str, payload: bytes, timeout_seconds: float) -> None:
        """Store all spans of a serialized OTLP request, or none, in the experiment of that name.

        timeout_seconds: for all of it, however many requests it takes.
        Raises Rejected, ExperimentRefused, TrackerUnavailable or Faulted.
        """
