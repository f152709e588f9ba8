"""Settle the letters that were chosen, then take off the dead-letter queue what belongs to settled ones."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from offpath_cli.dead_letters.letters import Letter, LetterBucket
from offpath_cli.dead_letters.settle import Settled
from offpath_cli.dead_letters.twins import Cleared, LetterQueue, Received, Twins, adopt, clear


@dataclass(frozen=True, slots=True)
class Resolved:
    """Tell what became of the letters, and of the messages on the dead-letter queue."""

    settled: Settled
    cleared: Cleared


@dataclass(frozen=True, slots=True)
class Resolution:
    """Redrive or drop letters. settle: does so with the copies of these keys. now: the wall clock."""

    bucket: LetterBucket
    queue: LetterQueue
    settle: Callable[[Iterable[str]], Settled]
    now: Callable[[], datetime]

    def run(self, known: Sequence[Letter], chosen: Sequence[Letter], *, orphans_too: bool) -> Resolved:
        """Settle those chosen of all that are known. Raises Transient when a service does not answer.

        orphans_too: whether to settle what lies on the dead-letter queue without a copy, too. It gets one first.
        """
        settled = self.settle([letter.key for letter in chosen])
        gone = {*settled.done, *settled.before}
        now_known = [replace(letter, state="settled") if letter.key in gone else letter for letter in known]

        def settle_orphans(orphans: Sequence[Received]) -> list[Received]:
            if not orphans_too:
                return []
            by_key = {adopt(self.bucket, orphan, self.now()): orphan for orphan in orphans}
            more = self.settle(by_key)
            settled.add(more)
            return [by_key[key] for key in (*more.done, *more.before)]

        return Resolved(settled, clear(self.queue, self.bucket, Twins(now_known), settle_orphans))
