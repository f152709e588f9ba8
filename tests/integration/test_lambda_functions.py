"""A team's own functions in Lambda's runtime: timed out, nested, not wrapped, and wrapped by an instrumentation."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.built.sdk_wheel import build
from local.sources import ROOT
from local.testbed.lambda_runtime import LambdaRuntime, lambda_runtime
from tests.support import instrumentors
from tests.support.otlp_json import attributes_of
from tests.support.sdk_package import UV, environment
from tests.support.servers.held_sqs import held_sqs
from tests.support.waiting import DEADLINE_SECONDS, wait_for

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

INSTALL = """
import os
import time
import offpath
tracing = offpath.install(os.environ, service_name="team")
tracer = tracing.tracer("team")
"""
TIMES_OUT = """
@tracing.lambda_handler
def handler(event, context):
    with tracer.start_as_current_span("request") as span:
        span.set_attribute("mlflow.spanInputs", '{"a": 1}')
        with tracer.start_as_current_span("step"):
            pass
        for number in range(5):
            with tracer.start_as_current_span(f"record {number}", context={}):
                pass
        time.sleep(event["seconds"])
"""
NESTED = """
@tracing.lambda_handler
def inner(event, context):
    with tracer.start_as_current_span("inner"):
        return event

@tracing.lambda_handler
def handler(event, context):
    with tracer.start_as_current_span("outer"):
        inner(event, context)
        time.sleep(0.3)
    return event
"""
NOT_WRAPPED = """
@offpath.traced
def handler(event, context):
    return event
"""
DECORATED = """
@tracing.lambda_handler
@tracer.start_as_current_span("score")
def handler(event, context):
    with tracer.start_as_current_span("model") as span:
        span.set_attribute("mlflow.spanInputs", event["name"])
    return event
"""
INSTRUMENTED = """
@tracing.lambda_handler
def handler(event, context):
    with tracer.start_as_current_span("predict") as span:
        span.set_attribute("mlflow.spanInputs", '{"a": 1}')
    return event

from opentelemetry.instrumentation.aws_lambda import AwsLambdaInstrumentor
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
AwsLambdaInstrumentor().instrument()
BotocoreInstrumentor().instrument()
"""
SEVERAL = """
import types

@tracing.lambda_handler
def inner(event, context):
    with tracer.start_as_current_span("inner"):
        return event

def handler(event, context):
    others = types.SimpleNamespace(aws_request_id="another")
    for number in range(3):
        inner(event, others if event["others"] else context)
        time.sleep(event["gap"])
    return event
"""
FORKS = """
import multiprocessing

def work(number):
    with tracer.start_as_current_span(f"child {number}"):
        pass

@tracing.lambda_handler
def handler(event, context):
    with tracer.start_as_current_span("request"):
        pass
    children = [multiprocessing.get_context("fork").Process(target=work, args=[number]) for number in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return event
"""
MANAGED = """
@tracing.lambda_handler
def handler(event, context):
    tracer.start_span("predict").end()
    return event
"""

Run = Callable[..., AbstractContextManager[LambdaRuntime]]
Spans = list[dict[str, Any]]


@pytest.fixture
def run(aws_endpoint: str, queue_url: str, bucket_name: str, tmp_path: Path) -> Run:
    """Run a function of such code in Lambda's runtime. more: variables."""
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    slow = {"OFFPATH_PUBLISH_BUDGET_SECONDS": "60"}  # moto on a busy machine is not an SQS that is away
    own = {"OFFPATH_QUEUE_URL": queue_url, "OFFPATH_BUCKET": bucket_name, "_HANDLER": "app.handler"}

    def running(code: str, python: Path = Path(sys.executable), **more: str) -> AbstractContextManager[LambdaRuntime]:
        (tmp_path / "app.py").write_text(INSTALL + code)
        path = {} if python != Path(sys.executable) else {"PYTHONPATH": str(ROOT / "layers" / "shared")}
        environ = aws | slow | own | path | more
        return lambda_runtime("app.handler", environ, tmp_path / "lambda.log", python, tmp_path)

    return running


@pytest.fixture
def queued(sqs: SQSClient, queue_url: str) -> Callable[[], list[Spans]]:
    """Return the traces that are on the queue so far, each message's spans."""
    found: list[Spans] = []

    def look() -> list[Spans]:
        while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                groups = json.loads(message["Body"])["resourceSpans"]
                found.append([span for group in groups for scope in group["scopeSpans"] for span in scope["spans"]])
        return found

    return look


def names(traces: list[Spans]) -> list[list[str]]:
    return [[span["name"] for span in spans] for spans in traces]


def has(queued: Callable[[], list[Spans]], count: int) -> bool:
    return len(queued()) == count


def test_what_had_ended_survives_a_time_out(run: Run, queued: Callable[[], list[Spans]]) -> None:
    with run(TIMES_OUT, AWS_LAMBDA_FUNCTION_TIMEOUT="4") as runtime:
        with suppress(HTTPException, ValueError):
            runtime.invoke({"seconds": 30})
        wait_for(lambda: len(queued()) == 6, lambda: f"there are {names(queued())}")
    traces = queued()
    assert names(traces)[:5] == [[f"record {number}"] for number in range(5)]
    step, request = traces[5]
    assert step["parentSpanId"] == request["spanId"]
    assert attributes_of(request)["mlflow.spanInputs"] == {"stringValue": '{"a": 1}'}
    assert "came close to its time-out" in request["status"]["message"]


def test_a_handler_in_time_after_all_ends_its_trace(run: Run, queued: Callable[[], list[Spans]]) -> None:
    with run(TIMES_OUT, AWS_LAMBDA_FUNCTION_TIMEOUT="6", OFFPATH_FLUSH_MARGIN_SECONDS="5") as runtime:
        runtime.invoke({"seconds": 3})
        wait_for(lambda: len(queued()) == 7, lambda: f"there are {names(queued())}")
    so_far, whole = queued()[5:]
    assert so_far[-1]["spanId"] == whole[-1]["spanId"]
    assert "status" not in whole[-1] or not whole[-1]["status"].get("message")


def test_of_nested_handlers_each_trace_comes_with_its_invocation(run: Run, queued: Callable[[], list[Spans]]) -> None:
    with run(NESTED) as runtime:
        runtime.invoke({"n": 1})
        wait_for(queued, lambda: "no trace came")
        assert names(queued()) == [["inner", "outer"]]


def test_a_forgotten_wrapper_is_told_and_costs_no_trace(
    run: Run, queued: Callable[[], list[Spans]], tmp_path: Path
) -> None:
    with run(NOT_WRAPPED, AWS_LAMBDA_FUNCTION_TIMEOUT="300") as runtime:
        for number in range(3):
            assert runtime.invoke({"n": number}) == {"n": number}
        wait_for(lambda: len(queued()) == 3, lambda: f"there are {names(queued())}")
    log = (tmp_path / "lambda.log").read_text()
    assert log.count("reached no handler that is wrapped") == 1
    assert "@tracing.lambda_handler" in log


def test_each_call_of_a_decorated_handler_is_a_trace(run: Run, queued: Callable[[], list[Spans]]) -> None:
    with run(DECORATED) as runtime:
        for name in ("A", "B"):
            runtime.invoke({"name": name})
        wait_for(lambda: len(queued()) == 2, lambda: f"there are {names(queued())}")
    assert names(queued()) == [["model", "score"]] * 2
    inputs = [attributes_of(spans[0])["mlflow.spanInputs"]["stringValue"] for spans in queued()]
    assert inputs == ["A", "B"]


@pytest.mark.parametrize(
    "event", [{"others": False, "gap": 0}, {"others": False, "gap": 0.3}, {"others": True, "gap": 0}], ids=str
)
def test_handlers_within_one_that_is_not_wrapped_lose_no_trace(
    run: Run, queued: Callable[[], list[Spans]], event: dict[str, Any]
) -> None:
    with run(SEVERAL, AWS_LAMBDA_FUNCTION_TIMEOUT="300") as runtime:
        for number in (1, 2):
            assert runtime.invoke(event) == event
            wait_for(partial(has, queued, 3 * number), lambda: f"there are {names(queued())}")


def test_processes_that_a_handler_forks_send_their_own(run: Run, queued: Callable[[], list[Spans]]) -> None:
    with run(FORKS) as runtime:
        assert runtime.invoke({}) == {}
        wait_for(lambda: len(queued()) == 3, lambda: f"there are {names(queued())}")
    assert sorted(names(queued())) == [["child 0"], ["child 1"], ["request"]]


def test_managed_instances_send_by_a_thread(run: Run, queued: Callable[[], list[Spans]], tmp_path: Path) -> None:
    with run(MANAGED, AWS_LAMBDA_INITIALIZATION_TYPE="lambda-managed-instances") as runtime:
        runtime.invoke({})
        wait_for(queued, lambda: "no trace came")
    assert "a background thread sends the traces" in (tmp_path / "lambda.log").read_text()


@pytest.fixture(scope="module")
def instrumented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the SDK's wheel and the instrumentations."""
    wheel = build(UV, tmp_path_factory.mktemp("wheel"))
    return environment(
        tmp_path_factory.mktemp("instrumented") / "venv", sys.executable, [wheel, *instrumentors.PACKAGES]
    )


@pytest.mark.parametrize("delivery", ["after_response", "before_response"])
def test_an_instrumented_handler_is_one_trace(
    run: Run, queued: Callable[[], list[Spans]], instrumented: Path, delivery: str
) -> None:
    with run(INSTRUMENTED, instrumented, OFFPATH_DELIVERY=delivery) as runtime:
        for number in range(3):
            assert runtime.invoke({"n": number}) == {"n": number}
            if delivery == "before_response":
                assert len(queued()) == number + 1, "the receipt was there before the response"
        wait_for(lambda: len(queued()) >= 3, lambda: f"there are {names(queued())}")
    assert names(queued()) == [["predict", "offpath-test"]] * 3, "and nothing besides"
    root = queued()[0][1]
    assert attributes_of(root)["mlflow.spanInputs"] == {"stringValue": '{"a": 1}'}
    assert queued()[0][0]["parentSpanId"] == root["spanId"]


@pytest.fixture
def held(moto_url: str) -> Iterator[Any]:
    with held_sqs(moto_url) as state:
        yield state


def test_an_instrumentations_flush_holds_up_no_response(run: Run, instrumented: Path, held: Any) -> None:
    with run(INSTRUMENTED, instrumented, **held.environ) as runtime:
        invoked = threading.Thread(target=runtime.invoke, args=[{"n": 1}])
        invoked.start()
        assert held.arrived.wait(DEADLINE_SECONDS), "the flush is under way"
        wait_for(runtime.durations_ms, lambda: "the response waits for SQS")
        held.release()
        invoked.join()


def test_an_instrumented_response_waits_for_its_receipt(run: Run, instrumented: Path, held: Any) -> None:
    with run(INSTRUMENTED, instrumented, OFFPATH_DELIVERY="before_response", **held.environ) as runtime:
        invoked = threading.Thread(target=runtime.invoke, args=[{"n": 1}])
        invoked.start()
        assert held.arrived.wait(DEADLINE_SECONDS)
        assert runtime.durations_ms() == []
        held.release()
        wait_for(runtime.durations_ms, lambda: "the response was not posted")
        invoked.join()
