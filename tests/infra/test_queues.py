"""The queues, their readers and their dead letters."""

import pytest

from tests.infra.rendered import LEAST, Stack

STACK = Stack(LEAST)
QUEUES = STACK.of_type("AWS::SQS::Queue")


def test_the_writer_reports_single_messages_and_is_bounded() -> None:
    [source] = Stack({**LEAST, "WriterConcurrency": "5"}).of_type("AWS::Lambda::EventSourceMapping").values()
    assert source["EventSourceArn"] == "TraceQueue.Arn"
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["BatchSize"] == 100
    assert source["ScalingConfig"]["MaximumConcurrency"] == "5"


def test_a_message_is_hidden_for_six_times_the_writers_timeout() -> None:
    assert QUEUES["TraceQueue"]["VisibilityTimeout"] >= 6 * STACK["TraceWriterFunction"]["Timeout"]


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_keeps_messages_for_14_days_encrypted(name: str) -> None:
    assert QUEUES[name]["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert QUEUES[name]["SqsManagedSseEnabled"] is True


def test_outages_of_mlflow_do_not_dead_letter_good_messages() -> None:
    redrive = QUEUES["TraceQueue"]["RedrivePolicy"]
    assert redrive == {"deadLetterTargetArn": "DeadLetterQueue.Arn", "maxReceiveCount": 1000}
    variables = STACK["TraceWriterFunction"]["Environment"]["Variables"]
    assert variables["OFFPATH_DEAD_LETTER_URL"] == "DeadLetterQueue"


def test_trace_message_can_wait_for_a_newer_writer_for_days() -> None:
    queue = QUEUES["TraceQueue"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] * queue["VisibilityTimeout"] >= 4 * 24 * 3600


def test_alarm_rings_while_a_message_waits_for_its_third_receive() -> None:
    # CloudWatch counts a message's age only until it was received three times.
    threshold = STACK["OldestMessageAlarm"]["Threshold"]
    assert QUEUES["TraceQueue"]["VisibilityTimeout"] < threshold < 2 * QUEUES["TraceQueue"]["VisibilityTimeout"]


def test_every_queue_takes_tls_only() -> None:
    [policy] = STACK.of_type("AWS::SQS::QueuePolicy").values()
    [statement] = policy["PolicyDocument"]["Statement"]
    assert sorted(policy["Queues"]) == sorted(QUEUES)
    assert (statement["Effect"], statement["Action"], statement["Principal"]) == ("Deny", "sqs:*", "*")
    assert sorted(statement["Resource"]) == sorted(f"{name}.Arn" for name in QUEUES)
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
