"""Say which event a line of OTLP/JSON is, without reading all of it.

A line is searched for the few attributes that say so. Within a text of JSON each quotation mark is escaped, so that
nothing that a caller sent is taken for an attribute.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from offpath import attributes
from offpath.contracts.message import Message

_EPOCH = datetime.fromtimestamp(0, UTC)
_MOST_SEQUENCE = 2**63 - 1
# `"key": "…"` is followed by the value, of one type: `{"stringValue": "…"}`.
_VALUE = re.compile(
    rb'\s*,\s*"value"\s*:\s*\{\s*"(?:stringValue|intValue)"\s*:\s*("(?:[^"\\]|\\.)*"|[0-9]{1,19})\s*\}', re.DOTALL
)
_TRACE_ID = re.compile(rb'"traceId"\s*:\s*"([0-9a-fA-F]{32})"')
_END = re.compile(rb'"endTimeUnixNano"\s*:\s*"?([0-9]{1,19})')
_BEGINS = re.compile(r"[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}")
_INSTANCE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class EventSummary:
    """Name an event: its number in its process, its trace, and whose it is. What the event does not say is empty or 0.

    instance: 32 hex digits. sequence: from 1. trace_id: 32 hex digits. ended_at: when its last span ended, in UTC.
    invocation_id: Lambda's, of the request.
    """

    instance: str = ""
    sequence: int = 0
    trace_id: str = ""
    experiment: str = ""
    model: str = ""
    ended_at: datetime | None = None
    invocation_id: str = ""

    @property
    def is_numbered(self) -> bool:
        """Whether the event says which one of its process it is."""
        return bool(self.instance and self.sequence)


# Of what is no event.
NOTHING_SAID = EventSummary()


def numbers_begin(instance: str) -> datetime | None:
    """Return when an instance numbered its first event, if its id says so: a UUID of version 7 does."""
    if not _BEGINS.fullmatch(instance):
        return None
    try:
        return _EPOCH + timedelta(milliseconds=int(instance[:12], 16))
    except OverflowError:
        return None


def summarise_event(line: bytes) -> EventSummary:
    """Return what a line of OTLP/JSON says of its event; of a line that is none, nothing."""
    trace_id = _TRACE_ID.search(line)
    instance, sequence = _text(line, attributes.INSTANCE), _text(line, attributes.SEQUENCE)
    is_numbered = bool(_INSTANCE.fullmatch(instance)) and sequence.isdecimal() and 0 < int(sequence) <= _MOST_SEQUENCE
    return EventSummary(
        instance=instance if is_numbered else "",
        sequence=int(sequence) if is_numbered else 0,
        trace_id=trace_id[1].decode().lower() if trace_id else "",
        experiment=_text(line, attributes.EXPERIMENT),
        model=_text(line, attributes.trace_tag("model")) or _text(line, attributes.MODEL),
        ended_at=_ended_at(line),
        invocation_id=_text(line, attributes.INVOCATION_ID),
    )


def summarise_message(message: Message) -> EventSummary:
    """Return what a message says of its event, whether or not it can be decoded."""
    found = summarise_event(message.body.encode(errors="replace"))
    told: Mapping[str, str] = message.attributes
    return EventSummary(
        found.instance,
        found.sequence,
        told.get("trace_id") or found.trace_id,
        told.get("experiment") or found.experiment,
        found.model,
        found.ended_at,
        found.invocation_id,
    )


def _text(line: bytes, key: str) -> str:
    """Return the text, or the digits, of the attribute's last value; the outermost span comes last."""
    quoted = b'"' + key.encode() + b'"'
    at = line.rfind(quoted)
    while at >= 0:
        if found := _VALUE.match(line, at + len(quoted)):
            return _unescaped(found[1])
        at = line.rfind(quoted, 0, at)
    return ""


def _unescaped(value: bytes) -> str:
    """Return what JSON's text or number says; most of them have no escapes, and are read at once."""
    try:
        if b"\\" not in value and value.isascii():
            return value.strip(b'"').decode()
        return str(json.loads(value))
    except ValueError:
        return ""


def _ended_at(line: bytes) -> datetime | None:
    at = line.rfind(b'"endTimeUnixNano"')
    found = _END.match(line, at) if at >= 0 else None
    return _EPOCH + timedelta(microseconds=int(found[1]) // 1000) if found else None
