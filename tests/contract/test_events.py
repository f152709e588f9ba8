"""The sample events are what the code writes today. What it once wrote is in golden/, and never written anew."""

import json

import pytest

import events
from events.samples import SAMPLES


@pytest.mark.parametrize("name", SAMPLES)
def test_the_files_are_what_make_events_writes(name: str) -> None:
    assert json.loads(json.dumps(SAMPLES[name]())) == events.load(name)


def test_no_file_is_left_over() -> None:
    assert {path.stem for path in events.FOLDER.glob("*.json")} == set(SAMPLES)


def test_the_batchs_first_message_holds_the_trace_event() -> None:
    record = events.load("sqs_batch")["Records"][0]
    assert json.loads(record["body"]) == events.load("trace_event")
