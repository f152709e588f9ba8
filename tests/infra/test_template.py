"""What the template promises, one promise a test."""

import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import load

ROOT = Path(__file__).parents[2]
TEMPLATE: dict[str, Any] = load(str(ROOT / "template.yaml"))
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, Any]:
    """The properties of every resource of a type, by name."""
    found = {name: found["Properties"] for name, found in RESOURCES.items() if found["Type"] == kind}
    assert found, f"the template has no {kind}"
    return found


FUNCTIONS = of_type("AWS::Serverless::Function")
QUEUES = of_type("AWS::SQS::Queue")


def statements(function: str) -> list[dict[str, Any]]:
    return [found for policy in FUNCTIONS[function]["Policies"] for found in policy["Statement"]]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_functions_handler_is_in_its_folder(name: str) -> None:
    module, _, attribute = FUNCTIONS[name]["Handler"].rpartition(".")
    source = ROOT / FUNCTIONS[name]["CodeUri"] / f"{module.replace('.', '/')}.py"
    assert f"{attribute} = " in source.read_text() or f"def {attribute}(" in source.read_text()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_function_may_do_or_touch_everything(name: str) -> None:
    for statement in statements(name):
        text = json.dumps([statement["Action"], statement["Resource"]])
        assert statement["Effect"] == "Allow"
        assert '"*"' not in text
        assert ':*"' not in text


def test_the_api_knows_s3_and_sqs_and_never_mlflow() -> None:
    assert "Mlflow" not in json.dumps(FUNCTIONS["ApiFunction"])


def test_predictions_want_a_key() -> None:
    assert "Default" not in TEMPLATE["Parameters"]["ApiKeyDigests"]
    variables = FUNCTIONS["ApiFunction"]["Environment"]["Variables"]
    assert variables["OFFPATH_API_KEY_DIGESTS"] == {"Ref": "ApiKeyDigests"}


def test_the_api_has_time_to_keep_a_trace_behind_its_response() -> None:
    assert FUNCTIONS["ApiFunction"]["Timeout"] >= 15


def test_the_writer_reports_single_messages_and_is_bounded() -> None:
    source = FUNCTIONS["TraceWriterFunction"]["Events"]["Traces"]["Properties"]
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["BatchSize"] == 100
    assert source["ScalingConfig"]["MaximumConcurrency"] == {"Ref": "WriterConcurrency"}


def test_a_message_is_hidden_for_six_times_the_writers_timeout() -> None:
    assert QUEUES["TraceQueue"]["VisibilityTimeout"] >= 6 * FUNCTIONS["TraceWriterFunction"]["Timeout"]


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_keeps_messages_for_14_days_encrypted(name: str) -> None:
    assert QUEUES[name]["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert QUEUES[name]["SqsManagedSseEnabled"] is True


def test_outages_of_mlflow_do_not_dead_letter_good_messages() -> None:
    assert QUEUES["TraceQueue"]["RedrivePolicy"]["maxReceiveCount"] == 1000
    variables = FUNCTIONS["TraceWriterFunction"]["Environment"]["Variables"]
    assert variables["OFFPATH_DEAD_LETTER_URL"] == {"Ref": "DeadLetterQueue"}


@pytest.mark.parametrize(("kind", "action"), [("AWS::SQS::QueuePolicy", "sqs:*"), ("AWS::S3::BucketPolicy", "s3:*")])
def test_queues_and_buckets_take_tls_only(kind: str, action: str) -> None:
    for policy in of_type(kind).values():
        [statement] = policy["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Action"], statement["Principal"]) == ("Deny", action, "*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_every_queue_and_bucket_has_such_a_policy() -> None:
    queues = [found["Ref"] for policy in of_type("AWS::SQS::QueuePolicy").values() for found in policy["Queues"]]
    buckets = [policy["Bucket"]["Ref"] for policy in of_type("AWS::S3::BucketPolicy").values()]
    assert sorted(queues) == sorted(QUEUES)
    assert sorted(buckets) == sorted(of_type("AWS::S3::Bucket"))


@pytest.mark.parametrize("name", of_type("AWS::S3::Bucket"))
def test_a_bucket_is_private_encrypted_versioned_and_outlives_the_stack(name: str) -> None:
    bucket = RESOURCES[name]
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["Properties"]["BucketEncryption"]
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


@pytest.mark.parametrize("name", of_type("AWS::Logs::LogGroup"))
def test_logs_do_not_stay_for_ever(name: str) -> None:
    assert of_type("AWS::Logs::LogGroup")[name]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_functions_log_group_is_one_of_these(name: str) -> None:
    assert FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"] in of_type("AWS::Logs::LogGroup")


@pytest.mark.parametrize("name", of_type("AWS::CloudWatch::Alarm"))
def test_an_alarm_tells_somebody_what_it_means(name: str) -> None:
    alarm = of_type("AWS::CloudWatch::Alarm")[name]
    assert alarm["AlarmActions"] == [{"Ref": "Alarms"}]
    assert len(alarm["AlarmDescription"]) > 30
    assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize("name", TEMPLATE["Parameters"])
def test_a_parameter_is_described_and_grouped(name: str) -> None:
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert TEMPLATE["Parameters"][name]["Description"].endswith(".")
    assert [name in group["Parameters"] for group in groups].count(True) == 1
