"""The log says what became of every message that stays on the queue."""

import io
import json
from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools import Logger

from offpath.contracts.errors import ClaimLost, OffpathError, Transient, UnknownSchema
from trace_writer.changes import Change
from trace_writer.report import log_batch
from trace_writer.writer import Changed, Failure, Written


def logged(
    *failures: Failure, received: int, dead_lettered: Sequence[Failure] = (), changed: Sequence[Changed] = ()
) -> list[dict[str, Any]]:
    stream = io.StringIO()
    logger = Logger(service=f"test-{received}-{len(failures)}-{len(dead_lettered)}-{len(changed)}", stream=stream)
    log_batch(logger, Written(received, ["archive/v1/a"], failures, dead_lettered, changed))
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def failure(message_id: str, error: OffpathError) -> Failure:
    return Failure(message_id, "ab" * 16, error)


def test_each_failure_is_logged_with_its_reason() -> None:
    lines = logged(failure("1", ClaimLost("the claim is gone")), failure("2", Transient("S3 is away")), received=5)

    poison, transient, batch = lines
    told = ("message_id", "trace_id", "error", "reason", "level")
    assert [poison[key] for key in told] == ["1", "ab" * 16, "ClaimLost", "the claim is gone", "ERROR"]
    assert [transient[key] for key in told] == ["2", "ab" * 16, "Transient", "S3 is away", "WARNING"]
    assert "SQS keeps it" in poison["message"]
    assert (batch["received"], batch["delivered"], batch["archive_keys"]) == (5, 3, ["archive/v1/a"])


def test_newer_message_is_logged_with_what_to_do() -> None:
    newer, batch = logged(failure("1", UnknownSchema("a trace event of the schema 'otlp-json/2'")), received=2)
    assert (newer["message_id"], newer["error"], newer["level"]) == ("1", "UnknownSchema", "WARNING")
    assert "SQS keeps it for a newer trace writer, deploy one" in newer["message"]
    assert newer["reason"] == "a trace event of the schema 'otlp-json/2'"
    assert batch["delivered"] == 1


def test_what_was_dead_lettered_is_not_counted_as_delivered() -> None:
    dead, batch = logged(received=5, dead_lettered=[failure("1", ClaimLost("the claim is gone"))])
    assert (dead["level"], dead["reason"]) == ("ERROR", "the claim is gone")
    assert "dead-letter queue" in dead["message"]
    assert batch["delivered"] == 4


def test_a_batch_without_failures_is_one_line() -> None:
    (batch,) = logged(received=5)
    assert (batch["message"], batch["delivered"], batch["level"]) == ("batch written", 5, "INFO")


def test_changed_values_are_named_and_counted() -> None:
    changes = [Change("POST /predict", f"attributes.a{index}", "dropped: it is no text", "5") for index in range(30)]

    warning, batch = logged(received=1, changed=[Changed("1", "ab" * 16, changes)])

    assert (warning["level"], warning["message_id"], warning["trace_id"]) == ("WARNING", "1", "ab" * 16)
    assert (warning["values_changed"], len(warning["changes"])) == (30, 10)
    assert warning["changes"][0] == {
        "span": "POST /predict",
        "field": "attributes.a0",
        "what": "dropped: it is no text",
        "value": "5",
    }
    assert (batch["delivered"], batch["values_changed"]) == (1, 30)
