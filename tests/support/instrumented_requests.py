"""Make requests beside real instrumentations: `python instrumented_requests.py PROVIDER SAMPLER URL`.

It prints, as JSON, for each way in which the requests were instrumented the ids of their traces. PROVIDER: none, given
or theirs. SAMPLER: that of a given or another provider. URL: an HTTP server to call. It runs in an environment with the
SDK's wheel and the instrumentations, where nothing else of this project is.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import httpx
import requests
import urllib3
from opentelemetry import trace
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.logging import LoggingInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, TraceIdRatioBased

import offpath

SAMPLERS = {"on": ALWAYS_ON, "off": ALWAYS_OFF, "ratio": ParentBased(TraceIdRatioBased(0.5))}
INSTRUMENTORS: dict[str, list[Any]] = {
    "nothing": [],
    "botocore": [BotocoreInstrumentor()],
    "urllib3": [URLLib3Instrumentor()],
    "requests": [RequestsInstrumentor()],
    "httpx": [HTTPXClientInstrumentor()],
    "logging": [LoggingInstrumentor()],
}
INSTRUMENTORS["all"] = [one for several in INSTRUMENTORS.values() for one in several]
REQUESTS = 3
QUIET_SECONDS = 1.5


def install(provider: str, sampler: str) -> offpath.Tracing:
    """Set the process up as a team would."""
    if provider == "none":
        return offpath.install(os.environ, service_name="instrumented")
    theirs = TracerProvider(sampler=SAMPLERS[sampler], shutdown_on_exit=False)
    trace.set_tracer_provider(theirs)
    given = theirs if provider == "given" else None
    return offpath.install(os.environ, service_name="instrumented", provider=given)


@contextmanager
def instrumented(by: list[Any]) -> Iterator[None]:
    """Instrument the libraries within the block."""
    for one in by:
        one.instrument()
    yield
    for one in by:
        one.uninstrument()


@offpath.traced(capture_outputs=True)
def features(url: str) -> dict[str, Any]:
    """Call what instrumentations trace."""
    s3 = boto3.client("s3")
    s3.put_object(Bucket=os.environ["OFFPATH_BUCKET"], Key="features", Body=b"1")
    logging.getLogger("team").warning("a line")
    answers = [requests.get(url).status_code, httpx.get(url).status_code, urllib3.request("GET", url).status]
    with offpath.traced("inner"):
        return {"answers": answers}


def request(tracing: offpath.Tracing, url: str, by: str) -> str:
    """Make one request, and return its trace's id."""
    with tracing.tracer("team").start_as_current_span("request", attributes={"mlflow.traceTag.by": by}) as span:
        span.set_attribute("mlflow.spanInputs", json.dumps({"by": by}))
        features(url)
    return f"{span.get_span_context().trace_id:032x}"


def around(provider: str, call: Callable[[], str]) -> str:
    """Make the call within a span of the team's own provider, where it has one: of a web framework, say."""
    if provider == "none":
        return call()
    with trace.get_tracer("framework").start_as_current_span("handler", kind=trace.SpanKind.SERVER):
        return call()


def main(provider: str, sampler: str, url: str) -> None:
    """Make all requests, and wait a while: what is sent without end shows."""
    tracing = install(provider, sampler)
    made: dict[str, list[str]] = {}
    for by, instrumentors in INSTRUMENTORS.items():
        with instrumented(instrumentors):
            calls = [lambda by=by: request(tracing, url, by)] * REQUESTS
            made[by] = [around(provider, call) for call in calls]
            time.sleep(QUIET_SECONDS if by == "all" else 0.1)
            tracing.worker.flush(30)
    sys.stdout.write(json.dumps(made))
    tracing.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
