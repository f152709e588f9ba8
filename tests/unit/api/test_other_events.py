"""Events that invoke the function and are no HTTP requests."""

import json
from typing import Any

import pytest

import events
from prediction_api.other_events import CONSUMED, METRIC, answering_other_events, is_http

OTHERS: dict[str, Any] = {
    "serverless-plugin-warmup": {"source": "serverless-plugin-warmup"},
    "aws.events": {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
    "aws:s3": {"Records": [{"eventSource": "aws:s3", "s3": {}}]},
    "aws:sns": {"Records": [{"EventSource": "aws:sns", "Sns": {}}]},
    "unknown": {"key1": "value1", "key2": "value2"},
}
ODD: list[Any] = [
    {},
    [],
    None,
    "ping",
    5,
    {"Records": []},
    {"Records": [None]},
    {"requestContext": None},
    {"requestContext": {}},
]
HTTP_OF_NOTHING = {"version": "2.0", "requestContext": {"http": None}}
WEBSOCKET = {"requestContext": {"connectionId": "x", "routeKey": "$connect"}, "isBase64Encoded": False}


def unexpected(event: Any, _: Any) -> Any:
    raise AssertionError(f"{event} is no HTTP request")


@pytest.mark.parametrize(("source", "event"), OTHERS.items(), ids=OTHERS)
def test_other_events_are_answered_and_counted(source: str, event: Any, capsys: pytest.CaptureFixture[str]) -> None:
    answer = answering_other_events(unexpected)(event, None)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["event_source"] == source
    counted = json.loads(capsys.readouterr().out)
    assert (counted[METRIC], counted["event_source"]) == (1, source)
    [metrics] = counted["_aws"]["CloudWatchMetrics"]
    assert metrics["Metrics"] == [{"Name": METRIC, "Unit": "Count"}]


@pytest.mark.parametrize("event", [*ODD, HTTP_OF_NOTHING, WEBSOCKET])
def test_odd_events_are_answered(event: Any) -> None:
    assert answering_other_events(unexpected)(event, None)["statusCode"] == 200


@pytest.mark.parametrize("source", CONSUMED)
def test_messages_that_an_answer_would_use_up_are_refused(source: str) -> None:
    with pytest.raises(TypeError, match=f"messages from {source} are not for this function"):
        answering_other_events(unexpected)({"eventSource": source, "Records": [{"eventSource": source}]}, None)


def test_http_events_reach_the_application() -> None:
    rest = {"resource": "/{proxy+}", "httpMethod": "POST", "requestContext": {"stage": "prod"}}
    balancer = {"httpMethod": "GET", "requestContext": {"elb": {"targetGroupArn": "arn"}}}
    for event in (events.load("api_predict_iris"), rest, balancer):
        assert is_http(event)
        assert answering_other_events(lambda given, _: given)(event, None) is event
