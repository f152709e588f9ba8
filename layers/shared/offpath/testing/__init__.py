"""Stand-ins for what a traced function talks to, for tests without AWS and without waiting.

They behave as the real things do: one contract test holds each of them and its real counterpart to the same behaviour.
"""

from offpath.testing._bucket import InMemoryBucket
from offpath.testing._clock import ManualClock
from offpath.testing._queue import InMemoryQueue, InMemoryReceiver
from offpath.testing._secrets import InMemorySecrets
from offpath.testing._tracing import RecordedTrace, RecordingTracing, event_of

__all__ = [
    "InMemoryBucket",
    "InMemoryQueue",
    "InMemoryReceiver",
    "InMemorySecrets",
    "ManualClock",
    "RecordedTrace",
    "RecordingTracing",
    "event_of",
]
