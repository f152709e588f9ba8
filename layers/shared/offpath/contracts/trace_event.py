"""A trace event holds all ended spans of one request, and travels on SQS.

A message's body is an OTLP/JSON `ExportTraceServiceRequest`, or, when that is too large for SQS, a claim check: where
the body lies in S3. Its attributes say which (`kind`), and which schema, experiment and trace.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from offpath.contracts.document import check_known
from offpath.contracts.errors import ClaimAltered, MalformedEvent
from offpath.contracts.message import Message
from offpath.contracts.names import claim_key

SCHEMA = "otlp-json/1"
INLINE = "inline"
CLAIMED = "claimed"
_TRACE_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """Hold one trace, ready to travel.

    trace_id: 32 lower-case hex digits. experiment: MLflow experiment name. body: OTLP/JSON `ExportTraceServiceRequest`.
    """

    trace_id: str
    experiment: str
    body: str

    @property
    def mlflow_trace_id(self) -> str:
        """Return the id that MLflow's OTLP endpoint gives this trace."""
        return f"tr-{self.trace_id}"


@dataclass(frozen=True, slots=True)
class Claim:
    """Name the S3 object that holds a large body, with its size in bytes and the SHA-256 of its content in hex."""

    bucket: str
    key: str
    sha256: str
    bytes: int


class ClaimStore(Protocol):
    """Keep bodies that are too large for a message."""

    def put(self, key: str, content: bytes) -> str:
        """Store content under the key, and return the bucket's name. Raises Transient."""

    def get(self, bucket: str, key: str) -> bytes:
        """Return the content. Raises ClaimLost, or Transient."""


def encode_message(event: TraceEvent, claims: ClaimStore, max_bytes: int) -> Message:
    """Return the message for an event. Raises Transient.

    A body over max_bytes UTF-8 bytes goes to the claim store first.
    """
    content = event.body.encode()
    if len(content) <= max_bytes:
        return inline_message(event)
    digest = hashlib.sha256(content).hexdigest()
    key = claim_key(event.trace_id, digest)
    bucket = claims.put(key, content)
    check = {"bucket": bucket, "key": key, "sha256": digest, "bytes": len(content)}
    return Message(json.dumps(check), _attributes(CLAIMED, event))


def inline_message(event: TraceEvent) -> Message:
    """Return the message that holds the event itself, whatever its size."""
    return Message(event.body, _attributes(INLINE, event))


def decode_message(message: Message, claims: ClaimStore) -> TraceEvent:
    """Return the event that a message holds or stands for, whichever published schema it is of.

    Raises MalformedEvent, UnknownSchema, ClaimLost, ClaimAltered, or Transient when the claim store does not answer.
    """
    schema = _attribute(message, "schema")
    check_known("a trace event of the schema", schema, READERS)
    return READERS[schema](message, claims)


def _read_1(message: Message, claims: ClaimStore) -> TraceEvent:
    trace_id = _attribute(message, "trace_id")
    if not _TRACE_ID.fullmatch(trace_id):
        raise MalformedEvent(f"attribute trace_id={trace_id!r}: expected 32 lower-case hex digits")
    return TraceEvent(trace_id, _attribute(message, "experiment"), _body(message, claims))


# A reader for each schema that was ever published: the queue keeps messages for 14 days, the archive for good. None of
# them is removed. A new schema gets a reader here, and becomes SCHEMA, the one that is written, a release later.
READERS: Mapping[str, Callable[[Message, ClaimStore], TraceEvent]] = {SCHEMA: _read_1}


def _body(message: Message, claims: ClaimStore) -> str:
    match kind := _attribute(message, "kind"):
        case "inline":
            return message.body
        case "claimed":
            return _redeem(_claim(message.body), claims)
        case _:
            raise MalformedEvent(f"attribute kind={kind!r}: expected {INLINE!r} or {CLAIMED!r}")


def claim_of(message: Message) -> Claim | None:
    """Return the claim that a message stands for, or None if it stands for none that can be read."""
    if message.attributes.get("kind") != CLAIMED:
        return None
    try:
        return _claim(message.body)
    except MalformedEvent:
        return None


def _redeem(claim: Claim, claims: ClaimStore) -> str:
    content = claims.get(claim.bucket, claim.key)
    digest = hashlib.sha256(content).hexdigest()
    if digest != claim.sha256:
        raise ClaimAltered(f"s3://{claim.bucket}/{claim.key} has SHA-256 {digest}, but the message says {claim.sha256}")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise MalformedEvent(f"s3://{claim.bucket}/{claim.key} is not UTF-8: {error}") from error


def _claim(body: str) -> Claim:
    try:
        fields: Any = json.loads(body)
        return Claim(str(fields["bucket"]), str(fields["key"]), str(fields["sha256"]), int(fields["bytes"]))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise MalformedEvent(f"not a claim check: {body[:200]!r}") from error


def _attribute(message: Message, name: str) -> str:
    try:
        return message.attributes[name]
    except KeyError:
        present = ", ".join(sorted(message.attributes)) or "none"
        raise MalformedEvent(f"the message has no attribute {name!r} (it has: {present})") from None


def _attributes(kind: str, event: TraceEvent) -> dict[str, str]:
    return {"kind": kind, "schema": SCHEMA, "experiment": event.experiment, "trace_id": event.trace_id}
