"""Ask a model about many records at once, although it may refuse some of them."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from training.probes.answers import Answer, Ask, Record

# Of a message of a library.
_MOST_SHOWN = 200
T = TypeVar("T")


def ask_all(ask: Callable[[Sequence[Record]], list[Answer]], refusals: tuple[type[BaseException], ...]) -> Ask:
    """Return a function that asks for all records in one call, and for fewer where the call raises.

    ask: answers each record, or raises one of these for all. A record alone for which it raises is refused.
    """

    def answers(records: Sequence[Record]) -> list[Answer]:
        if not records:
            return []
        try:
            return ask(records)
        except refusals as error:
            if len(records) == 1:
                return [Answer(refused=f"{type(error).__name__}: {_short(error)}")]
        middle = len(records) // 2
        return answers(records[:middle]) + answers(records[middle:])

    return answers


def in_parts(ask: Ask, size: int) -> Ask:
    """Return a function that asks for so many records at a time."""
    return lambda records: [
        answer for start in range(0, len(records), size) for answer in ask(records[start : start + size])
    ]


def _short(error: BaseException) -> str:
    detail = getattr(error, "errors", None)
    fields = (
        "; ".join(f"{one.field}: {one.message}" for one in list(detail)[:2]) if isinstance(detail, Sequence) else ""
    )
    line = fields or str(error).strip().partition("\n")[0]
    return line if len(line) <= _MOST_SHOWN else line[: _MOST_SHOWN - 1] + "…"
