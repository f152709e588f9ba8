import json
import time
from pathlib import Path
from typing import Any

import pytest

from local.aws.lambda_event import LocalContext, failed_ids, sqs_event

GOLDEN = json.loads(Path(__file__).with_name("sqs_event.golden.json").read_text())

RECEIVED: dict[str, Any] = {
    "MessageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
    "ReceiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
    "Body": '{"resourceSpans":[]}',
    "MD5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
    "MD5OfMessageAttributes": "7b270e59b47ff90a553787216d55d91d",
    "Attributes": {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1545082649183",
        "SenderId": "AIDAIENQZJOLO23YVJ4VO",
        "ApproximateFirstReceiveTimestamp": "1545082649185",
    },
    "MessageAttributes": {"kind": {"StringValue": "inline", "DataType": "String"}},
}


def test_the_event_has_lambdas_shape() -> None:
    assert sqs_event([RECEIVED], "offpath-traces") == GOLDEN


def test_a_message_without_attributes_has_no_digest_of_them() -> None:
    bare = {name: value for name, value in RECEIVED.items() if "MessageAttributes" not in name}
    (record,) = sqs_event([bare], "offpath-traces")["Records"]
    assert record["messageAttributes"] == {}
    assert "md5OfMessageAttributes" not in record


def test_a_binary_attribute_is_base64_text() -> None:
    attributes = {"photo": {"BinaryValue": b"\x00\x01\x02", "DataType": "Binary"}}
    (record,) = sqs_event([RECEIVED | {"MessageAttributes": attributes}], "offpath-traces")["Records"]
    assert record["messageAttributes"] == {
        "photo": {"binaryValue": "AAEC", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"}
    }


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_an_answer_without_failures_is_a_success(answer: object) -> None:
    assert failed_ids(answer, ["a", "b"]) == set()


def test_a_partial_answer_names_what_failed() -> None:
    assert failed_ids({"batchItemFailures": [{"itemIdentifier": "b"}]}, ["a", "b"]) == {"b"}


@pytest.mark.parametrize(
    "answer",
    [
        "ok",
        ["a"],
        {"batchItemFailure": []},
        {"batchItemFailures": [{"id": "a"}]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"itemIdentifier": "not of this batch"}]},
        {"batchItemFailures": [{"itemIdentifier": ["a"]}]},
    ],
)
def test_an_answer_that_lambda_cannot_use_fails_the_whole_batch(answer: object) -> None:
    assert failed_ids(answer, ["a", "b"]) == {"a", "b"}


def test_the_context_tells_the_time_that_is_left() -> None:
    context = LocalContext("writer", time.monotonic() + 60)
    assert 50_000 < context.get_remaining_time_in_millis() <= 60_000
    assert context.invoked_function_arn == "arn:aws:lambda:us-east-1:123456789012:function:writer"
    assert LocalContext("writer", time.monotonic() - 1).get_remaining_time_in_millis() == 0
