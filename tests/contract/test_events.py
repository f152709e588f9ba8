"""The sample events are what the code writes today, and what each schema version has always been."""

import json

import pytest

import events
from events.samples import SAMPLES
from offpath.aws.s3 import S3Claims
from offpath.contracts.message import Message
from offpath.contracts.trace_event import decode_message
from offpath.testing import InMemoryBucket


@pytest.mark.parametrize("name", SAMPLES)
def test_the_files_are_what_make_events_writes(name: str) -> None:
    assert json.loads(json.dumps(SAMPLES[name]())) == events.load(name)


def test_no_file_is_left_over() -> None:
    assert {path.stem for path in events.FOLDER.glob("*.json")} == set(SAMPLES)


def test_the_queue_record_of_schema_1_is_read() -> None:
    record = events.load("sqs_batch")["Records"][0]
    attributes = {name: value["stringValue"] for name, value in record["messageAttributes"].items()}
    event = decode_message(Message(record["body"], attributes), S3Claims(InMemoryBucket()))
    assert event.experiment == "offpath/iris"
    assert json.loads(event.body) == events.load("trace_event")
