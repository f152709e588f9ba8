"""Alarms and the dashboard: what is watched, and who is told."""

import json
from typing import Any

import pytest

from tests.infra.rendered import LEAST, Stack

STACK = Stack(LEAST)
ALARMS = STACK.of_type("AWS::CloudWatch::Alarm")
RECOVER = "arn:aws:automate:us-east-1:ec2:recover"


def watched() -> set[tuple[str, str]]:
    return {(one["Dimensions"][0]["Value"].partition(".")[0], one["MetricName"]) for one in ALARMS.values()}


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
    assert [one["Name"] for one in ALARMS[name]["Dimensions"]] == [dimensions[ALARMS[name]["Namespace"]]]


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
    shown = {(metric[3], metric[1]) for widget in widgets() for metric in widget["properties"]["metrics"]}
    names = {(name.partition(".")[0], metric) for name, metric in shown}
    # Of status checks there is one that takes both together; charged credits were balance before.
    others = {metric for _, metric in watched() if metric.startswith(("StatusCheckFailed_", "CPUSurplus"))}
    assert {(name, metric) for name, metric in watched() if metric not in others} <= names
    assert {("MlflowInstance", "StatusCheckFailed"), ("MlflowInstance", "CPUCreditBalance")} <= names


def test_the_dashboards_widgets_lie_side_by_side() -> None:
    places = [(widget["x"], widget["y"]) for widget in widgets()]
    assert sorted(places) == sorted((x, y) for x in (0, 8, 16) for y in (0, 6, 12, 18, 24))
    assert {(widget["width"], widget["height"]) for widget in widgets()} == {(8, 6)}
    assert {widget["properties"]["region"] for widget in widgets()} == {"us-east-1"}


def test_every_metric_of_the_dashboard_is_one_of_this_stack() -> None:
    for widget in widgets():
        for namespace, _, dimension, name, *_ in widget["properties"]["metrics"]:
            assert namespace.startswith("AWS/")
            assert dimension in {"ApiId", "FunctionName", "QueueName", "DBInstanceIdentifier", "InstanceId"}
            assert name.partition(".")[0] in STACK.resources
