"""The functions have their settings, their place to run, and what they wait for."""

import json
from typing import Any

import pytest

from model_sync.settings import ModelSyncSettings
from offpath.contracts.spilled import LOG_MARK
from offpath.settings import Settings
from prediction_api.settings import ApiSettings
from tests.infra.rendered import LEAST, Stack
from tests.infra.template import ROOT, written
from trace_writer.settings import WriterSettings

STACK = Stack(LEAST)
FUNCTIONS = written("AWS::Serverless::Function")
OF_TRACING = {"OFFPATH_QUEUE_URL", "OFFPATH_TRACING", "OFFPATH_TRACEPARENT"}
BEHIND = ["ModelSyncFunction", "SpillSweepFunction", "TraceWriterFunction"]


def variables(name: str) -> dict[str, Any]:
    found: dict[str, Any] = STACK[name]["Environment"]["Variables"]
    return found


def needs(name: str) -> set[str]:
    """The resources that one names, and those that these name, and so on."""
    text = json.dumps(STACK.resources[name])
    return {other for other in STACK.resources if f'"{other}"' in text or f'"{other}.' in text} - {name}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_functions_handler_is_in_its_folder(name: str) -> None:
    properties = FUNCTIONS[name]["Properties"]
    module, _, attribute = properties["Handler"].rpartition(".")
    source = ROOT / properties["CodeUri"] / f"{module.replace('.', '/')}.py"
    assert f"{attribute} = " in source.read_text() or f"def {attribute}(" in source.read_text()


@pytest.mark.parametrize(
    ("name", "settings", "others"),
    [
        ("ApiFunction", ApiSettings, OF_TRACING | {"OFFPATH_TRAINING_QUEUE_URL"}),
        ("TraceWriterFunction", WriterSettings, set()),
        ("SpillSweepFunction", WriterSettings, {"OFFPATH_QUEUE_URL"}),
        ("ModelSyncFunction", ModelSyncSettings, set()),
    ],
)
def test_a_function_is_told_what_it_reads(name: str, settings: type[Settings], others: set[str]) -> None:
    read = {f"OFFPATH_{field.upper()}" for field in settings.model_fields}
    required = {f"OFFPATH_{field.upper()}" for field, info in settings.model_fields.items() if info.is_required()}
    assert required | others <= set(variables(name)) <= read | others


def test_the_api_knows_s3_and_sqs_and_never_mlflow() -> None:
    assert "Mlflow" not in json.dumps(STACK.resources["ApiFunction"])
    assert "Mlflow" not in json.dumps(STACK.resources["ApiFunctionRole"])
    assert "VpcConfig" not in STACK["ApiFunction"]


def test_api_is_created_without_waiting_for_mlflow() -> None:
    reached, ahead = set[str](), {"ApiFunction"}
    while ahead:
        reached |= ahead
        ahead = {other for name in ahead for other in needs(name)} - reached
    assert {"TraceQueue", "ArchiveBucket"} <= reached
    assert not [name for name in reached if name.startswith(("Mlflow", "Database", "Vpc"))]


@pytest.mark.parametrize("name", BEHIND)
def test_the_functions_that_know_mlflow_run_beside_it(name: str) -> None:
    config = STACK[name]["VpcConfig"]
    assert config["SubnetIds"] == ["FunctionSubnetA", "FunctionSubnetB"]
    assert config["SecurityGroupIds"] == ["FunctionsSecurityGroup"]


@pytest.mark.parametrize("name", BEHIND)
def test_functions_reach_mlflow_privately_over_verified_tls(name: str) -> None:
    assert variables(name)["OFFPATH_MLFLOW_URL"] == "https://MlflowInstance.PrivateDnsName"
    assert variables(name)["OFFPATH_MLFLOW_CA_KEY"] == "mlflow/ca.pem"
    assert variables(name)["OFFPATH_BUCKET"] == "ArchiveBucket"
    [commands] = STACK["MlflowSetup"]["Parameters"]["commands"]
    assert "OFFPATH_CA_OBJECT=s3://ArchiveBucket/mlflow/ca.pem\n" in commands


@pytest.mark.parametrize("name", BEHIND)
def test_the_functions_come_when_mlflow_is_set_up(name: str) -> None:
    assert {"MlflowSetup", "S3Endpoint"} <= set(STACK.resources[name]["DependsOn"])


def test_api_timeout_leaves_time_to_spill_a_trace() -> None:
    assert STACK["ApiFunction"]["Timeout"] >= 15


def schedule_of(function: str) -> dict[str, Any]:
    found: dict[str, Any]
    [found] = [
        one
        for one in STACK.of_type("AWS::Scheduler::Schedule").values()
        if one["Target"]["Arn"].partition(".")[0] == function
    ]
    return found


def invocations_of(function: str) -> dict[str, Any]:
    found: dict[str, Any]
    [found] = [
        one for one in STACK.of_type("AWS::Lambda::EventInvokeConfig").values() if one["FunctionName"] == function
    ]
    return found


def test_model_sync_runs_every_minute_one_at_a_time() -> None:
    schedule = schedule_of("ModelSyncFunction")
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert STACK["ModelSyncFunction"]["Timeout"] < 60
    for retries in (schedule["Target"]["RetryPolicy"], invocations_of("ModelSyncFunction")):
        assert retries["MaximumRetryAttempts"] == 0


def test_spilled_events_are_taken_up_every_five_minutes() -> None:
    schedule = schedule_of("SpillSweepFunction")
    assert schedule["ScheduleExpression"] == "rate(5 minutes)"
    # One is over before the next begins. A lease keeps others away, too.
    assert STACK["SpillSweepFunction"]["Timeout"] < 300
    assert STACK["SpillSweepFunction"]["Handler"] == "trace_writer.handler.sweep"


def test_lines_of_the_apis_log_come_to_the_sweep() -> None:
    [subscription] = STACK.of_type("AWS::Logs::SubscriptionFilter").values()
    assert (subscription["LogGroupName"], subscription["DestinationArn"]) == ("ApiLogs", "SpillSweepFunction.Arn")
    assert subscription["FilterPattern"] == f'"{LOG_MARK}"'
    # They come once: what S3 does not take then is tried again for hours.
    assert invocations_of("SpillSweepFunction")["MaximumRetryAttempts"] == 2
    assert invocations_of("SpillSweepFunction")["MaximumEventAgeInSeconds"] == 21_600


def test_two_stacks_can_stand_side_by_side() -> None:
    unique_in_account = {
        "AWS::CloudWatch::Dashboard": "DashboardName",
        "AWS::Logs::LogGroup": "LogGroupName",
        "AWS::RDS::DBInstance": "DBInstanceIdentifier",
        "AWS::SSM::Association": "AssociationName",
        "AWS::Scheduler::Schedule": "Name",
    }
    named = [one[key] for kind, key in unique_in_account.items() for one in STACK.of_type(kind).values() if key in one]
    assert len(named) == 7
    assert all("offpath" in name for name in named)


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_functions_run_on_the_processors_that_are_asked_for(architecture: str) -> None:
    stack = Stack({**LEAST, "Architecture": architecture})
    assert [one["Architectures"] for one in stack.of_type("AWS::Lambda::Function").values()] == [[architecture]] * 4
    [shared] = [name for name in stack.resources if name.startswith("SharedLayer")]
    assert architecture in stack[shared]["CompatibleArchitectures"]
