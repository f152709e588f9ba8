"""Answer what invokes the function and is no HTTP request: warm-up plug-ins, schedules, the console's test events."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

Handler = Callable[[Any, Any], Any]

NAMESPACE = "offpath"
METRIC = "OtherEvents"
# In characters, of what is told of an event.
LONGEST_SOURCE = 200
# These sources take a message for done once a function has returned.
CONSUMED = ("aws:sqs", "aws:kinesis", "aws:dynamodb", "aws:kafka", "SelfManagedKafka", "aws:mq", "aws:rmq")


def answering_other_events(handler: Handler) -> Handler:
    """Return the handler of HTTP events with an answer for all others: they are counted, and not traced."""

    def handle(event: Any, context: Any) -> Any:
        return handler(event, context) if is_http(event) else _answer(event)

    return handle


def is_http(event: object) -> bool:
    """Return whether it is a request from API Gateway (HTTP or REST API), a function URL or a load balancer.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    if not isinstance(event, Mapping) or not isinstance(event.get("requestContext"), Mapping):
        return False
    return isinstance(event["requestContext"].get("http"), Mapping) or "httpMethod" in event


def _answer(event: object) -> dict[str, Any]:
    """Return an answer in the form of an HTTP one. Raises TypeError for messages that an answer would use up."""
    source = source_of(event)
    if source in CONSUMED:
        raise TypeError(
            f"messages from {source} are not for this function: it answers HTTP requests; map them elsewhere"
        )
    _count(source)
    message = "offpath's prediction API is up. It answers HTTP requests, and this event is none: nothing was predicted."
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"message": message, "event_source": source}),
    }


def source_of(event: object) -> str:
    """Return the name that an event has for what it comes from, or "unknown"."""
    if not isinstance(event, Mapping):
        return "unknown"
    records = event.get("Records")
    first = records[0] if isinstance(records, list) and records else None
    named = {**event, **first} if isinstance(first, Mapping) else event
    found = next((named[key] for key in ("eventSource", "EventSource", "source") if named.get(key)), "unknown")
    return str(found)[:LONGEST_SOURCE]


def _count(source: str) -> None:
    """Write a line that CloudWatch counts.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    metrics = [{"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": [{"Name": METRIC, "Unit": "Count"}]}]
    about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": metrics}
    print(json.dumps({"_aws": about, METRIC: 1, "event_source": source}), flush=True)  # noqa: T201
