"""A trace event travels within its message, or beside it in the claim store."""

import json
from dataclasses import replace

import pytest

from offpath.aws.s3 import S3Claims
from offpath.contracts.errors import ClaimAltered, ClaimLost, MalformedEvent, OffpathError, Transient, UnknownSchema
from offpath.contracts.message import Message
from offpath.contracts.trace_event import TraceEvent, decode_message, encode_message, inline_message
from offpath.testing import InMemoryBucket

EVENT = TraceEvent("4bf92f3577b34da6a3ce929d0e0e4736", "offpath/iris", '{"resourceSpans":[{"é":1}]}')
SIZE = len(EVENT.body.encode())


@pytest.fixture
def bucket() -> InMemoryBucket:
    return InMemoryBucket()


@pytest.fixture
def claims(bucket: InMemoryBucket) -> S3Claims:
    return S3Claims(bucket)


def test_a_small_event_travels_in_the_message(claims: S3Claims, bucket: InMemoryBucket) -> None:
    message = encode_message(EVENT, claims, max_bytes=SIZE)
    assert message.body == EVENT.body
    assert message.attributes == {
        "kind": "inline",
        "schema": "otlp-json/1",
        "experiment": "offpath/iris",
        "trace_id": EVENT.trace_id,
    }
    assert bucket.objects == {}
    assert decode_message(message, claims) == EVENT


def test_a_large_event_travels_as_a_claim(claims: S3Claims, bucket: InMemoryBucket) -> None:
    message = encode_message(EVENT, claims, max_bytes=SIZE - 1)
    check = json.loads(message.body)
    assert message.attributes["kind"] == "claimed"
    assert bucket.objects[check["key"]] == EVENT.body.encode()
    assert check["bytes"] == SIZE
    assert decode_message(message, claims) == EVENT


def test_the_same_event_makes_the_same_claim(claims: S3Claims, bucket: InMemoryBucket) -> None:
    assert encode_message(EVENT, claims, 1) == encode_message(EVENT, claims, 1)
    assert len(bucket.objects) == 1


def test_mlflow_knows_the_trace_by_its_prefixed_id() -> None:
    assert EVENT.mlflow_trace_id == "tr-4bf92f3577b34da6a3ce929d0e0e4736"


def test_size_counts_what_sqs_counts() -> None:
    assert Message("é", {"kind": "inline"}).size == len("é".encode()) + len("kind" + "String" + "inline")


def altered(message: Message, **attributes: str) -> Message:
    return replace(message, attributes={**message.attributes, **attributes})


def without(message: Message, name: str) -> Message:
    return replace(message, attributes={key: value for key, value in message.attributes.items() if key != name})


GOOD = inline_message(EVENT)
BAD = {
    "an unknown schema": (altered(GOOD, schema="otlp-json/9"), UnknownSchema, "'otlp-json/9'"),
    "an unknown kind": (altered(GOOD, kind="pigeon"), MalformedEvent, "'pigeon'"),
    "a trace id of another form": (altered(GOOD, trace_id="tr-1"), MalformedEvent, "32 lower-case hex"),
    "no schema": (without(GOOD, "schema"), MalformedEvent, "no attribute 'schema'"),
    "no experiment": (without(GOOD, "experiment"), MalformedEvent, "it has: kind, schema, trace_id"),
    "no attributes": (Message("{}", {}), MalformedEvent, "it has: none"),
    "a claim that is not JSON": (altered(GOOD, kind="claimed"), MalformedEvent, "not a claim check"),
    "a claim that lacks a field": (
        Message('{"bucket": "archive"}', {**GOOD.attributes, "kind": "claimed"}),
        MalformedEvent,
        "not a claim check",
    ),
    "a claim that is gone": (
        Message('{"bucket":"archive","key":"claims/x","sha256":"0","bytes":1}', {**GOOD.attributes, "kind": "claimed"}),
        ClaimLost,
        "claims/x",
    ),
}


@pytest.mark.parametrize(("message", "kind", "text"), BAD.values(), ids=BAD)
def test_what_is_no_event_says_why(message: Message, kind: type[OffpathError], text: str, claims: S3Claims) -> None:
    with pytest.raises(kind, match=text):
        decode_message(message, claims)


def test_a_claim_whose_content_changed_is_not_taken(claims: S3Claims, bucket: InMemoryBucket) -> None:
    message = encode_message(EVENT, claims, 1)
    [key] = bucket.objects
    bucket.objects[key] = b"{}"
    with pytest.raises(ClaimAltered, match="SHA-256"):
        decode_message(message, claims)


def test_a_store_that_is_down_is_worth_another_try(claims: S3Claims, bucket: InMemoryBucket) -> None:
    message = encode_message(EVENT, claims, 1)
    bucket.down = True
    with pytest.raises(Transient):
        decode_message(message, claims)
