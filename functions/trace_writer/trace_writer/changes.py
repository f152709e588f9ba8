"""Note what the writer changes in a trace so that MLflow takes it: for the log, and for whoever looks at the trace."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from offpath.attributes import CHANGED
from trace_writer.json_converters import Fields

_SHOWN_CHARACTERS = 80
_SHOWN_CHANGES = 20


@dataclass(frozen=True, slots=True)
class Change:
    """A field of a span that MLflow gets otherwise than it came. span, field and value are shortened."""

    span: str
    field: str
    what: str
    value: str


@dataclass(slots=True)
class Changes:
    """The changes of one trace, by the span's id in hex; those that belong to no span are under the empty text."""

    by_span: dict[str, list[Change]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Change]:
        for changes in self.by_span.values():
            yield from changes

    def of_span(self, span_id: str, name: object) -> "Place":
        """Return where changes of that span are noted."""
        return Place(self, span_id, name)

    def of_request(self) -> "Place":
        """Return where changes are noted that belong to no span."""
        return Place(self)

    def show(self, spans: list[Fields]) -> None:
        """Add to each span that was changed an attribute that lists how. What belongs to no span goes to the first."""
        by_span = dict(self.by_span)
        first = spans[0]["span_id"].hex()
        by_span[first] = [*by_span.pop("", []), *by_span.get(first, [])]
        for span in spans:
            if texts := _texts(by_span.get(span["span_id"].hex(), [])):
                values = [{"string_value": text} for text in texts]
                attribute = {"key": CHANGED, "value": {"array_value": {"values": values}}}
                span.setdefault("attributes", []).append(attribute)


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a trace, by its path within the span. Whoever changes it says so here."""

    changes: Changes
    span_id: str = ""
    span: object = ""
    path: str = ""

    def at(self, step: str) -> "Place":
        """Return a part of this part: `.name` or `[3]`."""
        return Place(self.changes, self.span_id, self.span, self.path + step)

    def note(self, what: str, value: object) -> None:
        """Say what became of the value that was here."""
        change = Change(shortened(self.span), shortened(self.path.removeprefix(".")), what, shortened(value))
        self.changes.by_span.setdefault(self.span_id, []).append(change)


def shortened(value: Any) -> str:
    """Return the beginning of a value, printable."""
    if isinstance(value, str):
        text = value[: _SHOWN_CHARACTERS + 1]
    else:
        try:
            text = str(value)
        except (ValueError, RecursionError):  # an integer of thousands of digits, lists in lists
            text = f"({type(value).__name__})"
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _texts(changes: list[Change]) -> list[str]:
    texts = [f"{change.field}: {change.what}" for change in changes[:_SHOWN_CHANGES]]
    left = len(changes) - len(texts)
    return [*texts, f"and {left} more"] if left else texts
