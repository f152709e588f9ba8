"""Make the sample events: envelopes as API Gateway, SQS and EventBridge send them, filled by offpath's own code."""

import hashlib
import json
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import SpanKind, set_span_in_context

from offpath import attributes
from offpath.attributes import trace_tag
from offpath.contracts.trace_event import TraceEvent, inline_message
from offpath.testing import event_of

IRIS = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
INSTANCE = "0ffba7400000000000000000000000aa"
START_NS = 1_790_000_000_000_000_000  # a moment in September 2026
MILLISECOND_NS = 1_000_000


class _Ids(IdGenerator):
    """Give ids that are the same every time."""

    def __init__(self, trace_id: int) -> None:
        self._trace_id = trace_id
        self._spans = count(trace_id % 2**32 * 16 + 1)

    def generate_span_id(self) -> int:
        return next(self._spans)

    def generate_trace_id(self) -> int:
        return self._trace_id


def trace_event(number: int = 1) -> TraceEvent:
    """Return the event of one iris prediction, as the API emits it: three spans."""
    return event_of(_spans(number), instance=INSTANCE, sequence=number)


def _spans(number: int) -> list[ReadableSpan]:
    memory = InMemorySpanExporter()
    resource = Resource({SERVICE_NAME: "offpath-api"})
    provider = TracerProvider(resource=resource, id_generator=_Ids(0x0FF << 116 | number), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("offpath.prediction_api")
    start = START_NS + number * 1000 * MILLISECOND_NS
    root = tracer.start_span(
        "POST /models/{name}/predict", kind=SpanKind.SERVER, attributes=_root_attributes(), start_time=start
    )
    inside = set_span_in_context(root)
    for index, (name, span_type) in enumerate((("validate", "PARSER"), ("iris", "TASK"))):
        begin = start + (index * 2 + 1) * MILLISECOND_NS // 10
        span = tracer.start_span(name, inside, attributes={attributes.SPAN_TYPE: span_type}, start_time=begin)
        span.end(begin + MILLISECOND_NS // 10)
    root.end(start + MILLISECOND_NS)
    return list(memory.get_finished_spans())


def _root_attributes() -> dict[str, str | int]:
    prediction = {"label": "setosa", "class_index": 0, "probabilities": {"setosa": 0.98, "versicolor": 0.02}}
    return {
        attributes.SPAN_TYPE: "CHAIN",
        attributes.TRACE_NAME: "iris",
        attributes.EXPERIMENT: "offpath/iris",
        attributes.SPAN_INPUTS: json.dumps({"inputs": [IRIS]}),
        attributes.SPAN_OUTPUTS: json.dumps([prediction]),
        "http.request.method": "POST",
        "http.route": "/models/{name}/predict",
        "url.path": "/models/iris/predict",
        "http.response.status_code": 200,
        trace_tag("model"): "iris",
        trace_tag("model_version"): "1",
        trace_tag("alias"): "champion",
        trace_tag("prediction"): "setosa",
    }


def api_request(method: str, path: str, body: Any = None) -> dict[str, Any]:
    """Return an HTTP API request, payload format 2.0
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
    """
    host = "abcdefghij.execute-api.us-east-1.amazonaws.com"
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "content-type": "application/json",
            "host": host,
            "user-agent": "curl/8.9.1",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdefghij",
            "domainName": host,
            "domainPrefix": "abcdefghij",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "curl/8.9.1",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "21/Sep/2026:13:33:20 +0000",
            "timeEpoch": START_NS // MILLISECOND_NS,
        },
        "isBase64Encoded": False,
    }
    return event if body is None else event | {"body": json.dumps(body)}


def sqs_record(number: int, event: TraceEvent) -> dict[str, Any]:
    """Return a message as Lambda hands it on (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html)."""
    message = inline_message(event)
    return {
        "messageId": f"00000000-0000-4000-8000-{number:012d}",
        "receiptHandle": f"receipt-{number}",
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(START_NS // MILLISECOND_NS),
            "SenderId": "AROAEXAMPLE:offpath-api",
            "ApproximateFirstReceiveTimestamp": str(START_NS // MILLISECOND_NS + 12),
        },
        "messageAttributes": {
            name: {"stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "String"}
            for name, value in message.attributes.items()
        },
        "md5OfBody": hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:offpath-traces",
        "awsRegion": "us-east-1",
    }


def _schedule() -> dict[str, Any]:
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "123456789012",
        "time": "2026-09-21T13:33:20Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {},
    }


SAMPLES: Mapping[str, Callable[[], dict[str, Any]]] = {
    "api_predict_iris": lambda: api_request("POST", "/models/iris/predict", {"inputs": [IRIS]}),
    "api_predict_refused": lambda: api_request("POST", "/models/iris/predict", {"inputs": [{"sepal_length": "long"}]}),
    "api_invocations_iris": lambda: api_request(
        "POST", "/models/iris/invocations", {"dataframe_split": {"columns": list(IRIS), "data": [list(IRIS.values())]}}
    ),
    "api_health": lambda: api_request("GET", "/health"),
    "sqs_batch": lambda: {"Records": [sqs_record(number, trace_event(number)) for number in (1, 2, 3)]},
    "schedule": _schedule,
    "trace_event": lambda: json.loads(trace_event().body),
}
