"""What SQS takes at once."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
SQS_MAX_BATCH = 10
SQS_MAX_BYTES = 1024 * 1024

T = TypeVar("T")


def batches(items: Iterable[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """The items in order, at most ten and at most 1 MiB together; one that is larger stands alone."""
    batch: list[T] = []
    size = 0
    for item in items:
        weight = size_of(item)
        if batch and (len(batch) == SQS_MAX_BATCH or size + weight > SQS_MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += weight
    if batch:
        yield batch
