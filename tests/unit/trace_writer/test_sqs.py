"""Lambda's event in, the partial batch response out."""

from datetime import UTC, datetime
from typing import Any

import pytest

from offpath.contracts.errors import Transient
from offpath.contracts.message import TypedAttribute
from trace_writer.sqs import batch_response, received
from trace_writer.writer import Failure

RECORD = {
    "messageId": "059f36b4",
    "receiptHandle": "AQEB",
    "body": "{}",
    "attributes": {"ApproximateReceiveCount": "1"},
    "messageAttributes": {
        "kind": {"stringValue": "inline", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
        "photo": {"binaryValue": "AAEC", "dataType": "Binary"},
    },
    "eventSource": "aws:sqs",
}


def test_a_record_becomes_a_message_with_its_text_attributes() -> None:
    (message,) = received({"Records": [RECORD]})
    assert (message.message_id, message.message.body, message.message.attributes) == (
        "059f36b4",
        "{}",
        {"kind": "inline"},
    )
    assert (message.trace_id, message.receives) == ("", 1)


def test_attributes_keep_their_types() -> None:
    attributes = {
        "count": {"stringValue": "7", "dataType": "Number"},
        "photo": {"binaryValue": "AAEC", "dataType": "Binary.png"},
        "odd": {"dataType": "String"},
    }
    [message] = received({"Records": [RECORD | {"messageAttributes": attributes}]})
    assert message.message.all_attributes == {
        "count": TypedAttribute("Number", "7"),
        "photo": TypedAttribute("Binary.png", b"\x00\x01\x02"),
    }


def test_the_time_of_sending_is_known() -> None:
    [message] = received({"Records": [RECORD | {"attributes": {"SentTimestamp": "1942142700000"}}]})
    assert message.sent_at == datetime(2031, 7, 18, 12, 5, tzinfo=UTC)


def test_a_record_without_attributes_is_a_message_too() -> None:
    [message] = received({"Records": [{"messageId": "1", "body": ""}]})
    assert (message.message.attributes, message.receives) == ({}, 1)


def test_a_redelivery_is_counted() -> None:
    [message] = received({"Records": [RECORD | {"attributes": {"ApproximateReceiveCount": "4"}}]})
    assert message.receives == 4


@pytest.mark.parametrize("event", [{}, {"Records": [{"Sns": {}}]}, {"Records": None}, {"Records": ["text"]}])
def test_an_event_of_another_service_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a batch of SQS messages"):
        received(event)


def test_failures_are_named_in_the_response() -> None:
    error = Transient("later")
    assert batch_response([Failure("1", "", error), Failure("2", "", error)]) == {
        "batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]
    }
    assert batch_response([]) == {"batchItemFailures": []}
