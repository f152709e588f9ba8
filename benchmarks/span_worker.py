"""Make traces on demand, in a process of its own: `python -m benchmarks.span_worker TRACER`.

TRACER: offpath, sdk or mlflow. Each line on the input is the JSON of a `TraceShape`; the answer is the milliseconds for
which the request waited.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

ATTRIBUTES = {"model": "iris", "version": "3", "items": 7, "share": 0.5, "cached": False}


@dataclass(frozen=True, slots=True)
class TraceShape:
    """Describe a trace. spans: its root included. inputs: what the root's inputs are: text, list or dict. size: bytes
    of a text, items of the others.
    """

    spans: int
    inputs: str
    size: int

    def value(self) -> Any:
        """Return the inputs."""
        match self.inputs:
            case "text":
                return "x" * self.size
            case "list":
                return [number / 7 for number in range(self.size)]
            case _:
                return {f"key {number}": number / 7 for number in range(self.size)}


StartSpan = Callable[[str], AbstractContextManager[Any]]


def offpath_spans() -> StartSpan:
    """Return how spans are made with offpath."""
    import offpath

    return offpath.install(os.environ, service_name="bench").tracer("bench").start_as_current_span


def sdk_spans() -> StartSpan:
    """Return how spans are made with OpenTelemetry's SDK and its batch processor, which sends them nowhere."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Discard(SpanExporter):
        """Take spans, and do nothing with them: no exporter costs less."""

        def export(self, spans: object) -> SpanExportResult:  # noqa: ARG002 - the protocol's
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Discard()))
    return provider.get_tracer("bench").start_as_current_span


def mlflow_spans() -> StartSpan:
    """Return how spans are made with MLflow, its export asynchronous."""
    import mlflow

    return mlflow.start_span


TRACERS = {"offpath": offpath_spans, "sdk": sdk_spans, "mlflow": mlflow_spans}


def trace(start: StartSpan, shape: TraceShape, inputs: Any) -> float:
    """Make one trace, and return the milliseconds that took."""
    begin = time.perf_counter()
    with start("root") as root:
        root.set_attribute("mlflow.spanInputs", inputs)
        for _ in range(shape.spans - 1):
            with start("step") as span:
                for key, value in ATTRIBUTES.items():
                    span.set_attribute(key, value)
    return (time.perf_counter() - begin) * 1000


def main(tracer: str) -> None:
    """Serve until the input ends."""
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    start = TRACERS[tracer]()
    for line in sys.stdin:
        shape = TraceShape(**json.loads(line))
        print(trace(start, shape, shape.value()), file=results, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
