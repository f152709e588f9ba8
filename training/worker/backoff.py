"""Define how the worker pauses while a service fails."""

from offpath.retry import Backoff, every

# A write that has to succeed before anything goes on.
WRITE = Backoff(first_seconds=0.5, longest_seconds=5.0, tries=5)
# The queue and the bucket, without which there is nothing to do.
OUTAGE = every(5.0)
