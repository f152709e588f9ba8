"""Show one dead letter whole: what the queue said of it, why it was given up, and what it holds."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from offpath.contracts import dead_letter
from offpath.contracts.dead_letter import DeadLetter
from offpath.contracts.errors import ObjectMissing
from offpath.contracts.message import TypedAttribute
from offpath.contracts.names import CLAIMS_PREFIX
from offpath.contracts.trace_event import claim_of
from offpath_cli.dead_letters.letters import Letter, LetterBucket
from offpath_cli.dead_letters.table import size_text
from offpath_cli.event_facts import attributes_of, spans_of
from offpath_cli.printable import printable

_SHOWN_CHARACTERS = 2_000
_VALUE_CHARACTERS = 200


def document_of(bucket: LetterBucket, letter: Letter) -> dict[str, Any]:
    """Return the letter as JSON. spans: None if its body cannot be read as spans. Raises an OffpathError."""
    read = dead_letter.load(bucket.get(letter.key))
    body = _body(bucket, read)
    return {
        "id": letter.name,
        "key": letter.key,
        "state": letter.state,
        "error": read.error,
        "reason": read.reason,
        "receives": read.receives,
        "kept_at": read.kept_at.isoformat(),
        "model": letter.model,
        "trace_id": letter.trace_id,
        "size": letter.size,
        "attributes": {name: _value(it) for name, it in read.message.all_attributes.items()},
        "body": body,
        "spans": _spans(body),
    }


def print_letter(console: Console, shown: dict[str, Any]) -> None:
    """Print such a document for people."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for name in ("id", "state", "error", "reason", "receives", "kept_at", "model", "trace_id", "size", "key"):
        value = size_text(shown[name]) if name == "size" else str(shown[name])
        table.add_row(Text(name, style="bold"), Text(printable(value)))
    for name, value in shown["attributes"].items():
        said = printable(f"{value['data_type']} {value['value']}", _VALUE_CHARACTERS)
        table.add_row(Text(printable(f"attribute {name}"), style="bold"), Text(said))
    console.print(table)
    if shown["spans"] is None:
        console.print("\nthe body cannot be read as spans:", style="bold")
        console.print(printable(shown["body"] or "(it is gone)", _SHOWN_CHARACTERS), markup=False)
        return
    for span in shown["spans"]:
        console.print(printable(f"\n{span['name']}"), style="bold", markup=False)
        for name, value in span["attributes"].items():
            console.print(f"  {printable(name)}: {printable(str(value), _VALUE_CHARACTERS)}", markup=False)


def _body(bucket: LetterBucket, letter: DeadLetter) -> str | None:
    """Return the body, or that of the claim which the message stands for; None if that is gone."""
    claim = claim_of(letter.message)
    if claim is None:
        return letter.message.body
    keys = [letter.claim_key] if letter.claim_key else []
    keys += [claim.key] if claim.bucket == bucket.name and claim.key.startswith(CLAIMS_PREFIX) else []
    for key in keys:
        try:
            return bucket.get(key).decode(errors="replace")
        except ObjectMissing:
            continue
    return None


def _spans(body: str | None) -> list[dict[str, Any]] | None:
    try:
        spans = list(spans_of(json.loads(body or "")))
    except (ValueError, RecursionError):
        return None
    return list(_readable(spans)) or None


def _readable(spans: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for span in spans:
        status = span.get("status")
        yield {
            "name": str(span.get("name", "")),
            "span_id": str(span.get("spanId", "")),
            "status": status if isinstance(status, dict) else {},
            "attributes": attributes_of(span),
        }


def _value(attribute: TypedAttribute) -> dict[str, str]:
    value = attribute.value
    return {
        "data_type": attribute.data_type,
        "value": base64.b64encode(value).decode() if isinstance(value, bytes) else value,
    }
