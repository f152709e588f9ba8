"""Alarms and the dashboard: what is watched, and who is told."""

import io
import json
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from tests.infra.rendered import LEAST, Stack
from trace_writer.log_parts import Kept
from trace_writer.report import log_kept, log_swept
from trace_writer.spill_sweep import Swept

STACK = Stack(LEAST)
ALARMS = STACK.of_type("AWS::CloudWatch::Alarm")
RECOVER = "arn:aws:automate:us-east-1:ec2:recover"


# Of the stack's own metrics, which its logs are made into, the namespace says whose they are.
OWN = "offpath/offpath"


def watched() -> set[tuple[str, str]]:
    return {
        (OWN if one["Namespace"] == OWN else one["Dimensions"][0]["Value"].partition(".")[0], one["MetricName"])
        for one in ALARMS.values()
    }


def shown() -> set[tuple[str, str]]:
    """Return whose metrics the dashboard shows, and their names."""
    metrics = [metric for widget in widgets() for metric in widget["properties"]["metrics"]]
    return {(metric[0] if metric[0] == OWN else metric[3], metric[1]) for metric in metrics}


def widgets() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(STACK["Dashboard"]["DashboardBody"])["widgets"]
    return found


def test_what_is_watched() -> None:
    assert watched() == {
        ("DeadLetterQueue", "ApproximateNumberOfMessagesVisible"),
        ("TraceQueue", "ApproximateAgeOfOldestMessage"),
        ("TrainingDeadLetterQueue", "ApproximateNumberOfMessagesVisible"),
        ("TrainingQueue", "ApproximateAgeOfOldestMessage"),
        ("TraceWriterFunction", "Errors"),
        ("TraceWriterFunction", "Throttles"),
        ("SpillSweepFunction", "Errors"),
        (OWN, "OldestSpillSeconds"),
        (OWN, "LastResortLines"),
        ("ModelSyncFunction", "Errors"),
        ("ApiFunction", "Throttles"),
        ("HttpApi", "5xx"),
        ("HttpApi", "Latency"),
        ("Database", "CPUUtilization"),
        ("Database", "FreeStorageSpace"),
        ("Database", "FreeableMemory"),
        ("Database", "DatabaseConnections"),
        ("MlflowInstance", "StatusCheckFailed_Instance"),
        ("MlflowInstance", "StatusCheckFailed_System"),
        ("MlflowInstance", "CPUSurplusCreditsCharged"),
    }


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_somebody_what_it_means(name: str) -> None:
    alarm = ALARMS[name]
    assert "Alarms" in alarm["AlarmActions"]
    assert len(alarm["AlarmDescription"]) > 30
    # Nothing that happened is nothing wrong, but a machine of which nothing is heard is down.
    assert alarm["TreatMissingData"] == ("breaching" if name == "MlflowInstanceAlarm" else "notBreaching")


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_watches_what_its_namespace_has(name: str) -> None:
    dimensions = {
        "AWS/SQS": "QueueName",
        "AWS/Lambda": "FunctionName",
        "AWS/ApiGateway": "ApiId",
        "AWS/RDS": "DBInstanceIdentifier",
        "AWS/EC2": "InstanceId",
    }
    if (alarm := ALARMS[name])["Namespace"] == OWN:
        assert alarm["MetricName"] in own_metrics()
        assert "Dimensions" not in alarm
    else:
        assert [one["Name"] for one in alarm["Dimensions"]] == [dimensions[alarm["Namespace"]]]


def own_metrics() -> dict[str, tuple[str, str]]:
    """Return for each metric that is made of a log the field that it counts, and the message of the line."""
    found = {}
    for one in STACK.of_type("AWS::Logs::MetricFilter").values():
        [metric] = one["MetricTransformations"]
        assert (one["LogGroupName"], metric["MetricNamespace"]) == ("SpillSweepLogs", OWN)
        found[metric["MetricName"]] = (metric["MetricValue"], one["FilterPattern"])
    return found


def test_own_metrics_are_made_of_what_the_sweep_logs() -> None:
    logger, lines = Logger(service="trace_writer", stream=(stream := io.StringIO())), {}
    log_swept(logger, Swept(found=7, oldest_seconds=1801.4))
    log_kept(logger, Kept(3, 0))
    for line in map(json.loads, stream.getvalue().splitlines()):
        lines[line["message"]] = line
    values = {}
    for name, (field, pattern) in own_metrics().items():
        [line] = [line for message, line in lines.items() if pattern == f'{{ $.message = "{message}" }}']
        values[name] = line[field.removeprefix("$.")]
    assert values == {"OldestSpillSeconds": 1801, "SpilledEvents": 7, "LastResortLines": 3}


def test_what_runs_out_is_watched_from_above() -> None:
    below = {name for name, alarm in ALARMS.items() if alarm["ComparisonOperator"] == "LessThanThreshold"}
    assert below == {"DatabaseStorageAlarm", "DatabaseMemoryAlarm"}


def test_a_machine_on_broken_hardware_is_recovered() -> None:
    acting = {name: alarm["AlarmActions"] for name, alarm in ALARMS.items() if RECOVER in alarm["AlarmActions"]}
    assert acting == {"MlflowSystemAlarm": ["Alarms", RECOVER]}


def test_somebody_is_told_by_mail_if_an_address_is_given() -> None:
    assert "Subscription" not in STACK["Alarms"]
    subscription = Stack({**LEAST, "AlarmEmail": "a@example.com"})["Alarms"]["Subscription"]
    assert subscription == [{"Protocol": "email", "Endpoint": "a@example.com"}]


def test_the_dashboard_shows_what_the_alarms_watch() -> None:
    names = {(name.partition(".")[0], metric) for name, metric in shown()}
    # Of status checks there is one that takes both together; charged credits were balance before.
    others = {metric for _, metric in watched() if metric.startswith(("StatusCheckFailed_", "CPUSurplus"))}
    assert {(name, metric) for name, metric in watched() if metric not in others} <= names
    assert {("MlflowInstance", "StatusCheckFailed"), ("MlflowInstance", "CPUCreditBalance")} <= names


def test_the_dashboards_widgets_lie_side_by_side() -> None:
    places = [(widget["x"], widget["y"]) for widget in widgets()]
    assert sorted(places) == sorted((x, y) for x in (0, 8, 16) for y in (0, 6, 12, 18, 24, 30))
    assert {(widget["width"], widget["height"]) for widget in widgets()} == {(8, 6)}
    assert {widget["properties"]["region"] for widget in widgets()} == {"us-east-1"}


def test_every_metric_of_the_dashboard_is_one_of_this_stack() -> None:
    for widget in widgets():
        for namespace, metric, *of in widget["properties"]["metrics"]:
            if namespace == OWN:
                assert metric in own_metrics()
                continue
            dimension, name, *_ = of
            assert namespace.startswith("AWS/")
            assert dimension in {"ApiId", "FunctionName", "QueueName", "DBInstanceIdentifier", "InstanceId"}
            assert name.partition(".")[0] in STACK.resources
