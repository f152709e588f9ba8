"""The tracing of a process: what gives it tracers, and takes its traces away."""

import atexit
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler
from opentelemetry.util.types import Attributes

from offpath import attributes
from offpath.tracing import _installed
from offpath.tracing._asgi import App, TracedApp
from offpath.tracing._caller import Caller, read_caller
from offpath.tracing._collector import TraceCollector
from offpath.tracing._experiment_state import ExperimentSampler, state_of
from offpath.tracing._light_span import AnySpan, LightTracer
from offpath.tracing._prediction import NOT_GIVEN, Prediction, describe
from offpath.tracing._receipts import Receipts
from offpath.tracing._settings import TracedModels, TraceParent
from offpath.tracing._workers import BackgroundWorker, Handler

CLOSE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class TracingChoices:
    """What the settings decide. experiment: of traces that name none."""

    experiment: str = "offpath"
    traceparent: TraceParent = "link"
    models: TracedModels = field(default_factory=TracedModels)

    @property
    def continues(self) -> bool:
        """Whether a caller's trace is continued, in its experiment."""
        return self.traceparent == "continue"

    @property
    def sampler(self) -> Sampler:
        """What samples every span, and tells callees the experiment where traces are continued."""
        return ExperimentSampler(self.experiment) if self.continues else ALWAYS_ON

    def wants(self, spans: Sequence[AnySpan]) -> bool:
        """Return whether the trace of these spans is to be sent."""
        return self.models.includes(_model_of(spans) if self.models.named else None)


@dataclass(frozen=True, slots=True)
class Tracing:
    """The tracing of a process, as `install` returns it. Its methods may be called from any thread.

    provider: the OpenTelemetry tracer provider whose spans are sent; instrumentations take it as `tracer_provider`.
    receipts: where the response waits for the receipts of its traces; else None.
    """

    provider: TracerProvider
    worker: BackgroundWorker
    collector: TraceCollector
    choices: TracingChoices = TracingChoices()
    receipts: Receipts | None = None
    _undone_at_end: ExitStack = field(default_factory=ExitStack, init=False, repr=False, compare=False)

    def tracer(self, name: str) -> trace.Tracer:
        """Return a tracer for the instrumentation scope of that name, whose spans cost a request as little as can be.

        It records every span; a sampler of the provider's own concerns the provider's own tracers, whose spans are sent
        in the same way.
        """
        return LightTracer(
            name,
            self.provider.resource,
            self.provider.id_generator,
            self.collector,
            self._new_state if self.choices.continues else None,
        )

    def lambda_handler(self, handler: Handler) -> Handler:
        """Return the Lambda handler with the sending of its traces after each invocation. Required in Lambda.

            @tracing.lambda_handler
            def handler(event, context): ...

        The answer leaves first; with `OFFPATH_DELIVERY=before_response` it waits for SQS's receipt. What had ended is
        sent before an invocation's time-out, too. It stands outermost of a handler's decorators. Of nested wrapped
        handlers the outermost ends the invocation. Outside Lambda it returns what behaves as the handler itself.

        handler: takes the event and the context, and returns the answer.
        """
        return self.worker.wrap(handler)

    def asgi(self, app: App) -> App:
        """Return the ASGI application with a trace for each of its HTTP requests.

            app = tracing.asgi(app)

        The trace's root has the span kind SERVER and is named after method and route; its status is an error for a 5xx
        alone. The answer gets the header `x-trace-id`. What `x-session-id`, `x-user-id` and `x-client-request-id` say
        becomes session, user and a tag of the trace. Connections that are no HTTP requests pass through.
        """
        return app if self.choices.models.none else TracedApp(app, self)

    def prediction(
        self,
        model: str,
        version: str,
        inputs: Any = NOT_GIVEN,
        outputs: Any = NOT_GIVEN,
        *,
        alias: str = "",
    ) -> Prediction:
        """Trace a prediction as the prediction API traces its own, in the experiment `<OFFPATH_EXPERIMENT>/<model>`.

            with tracing.prediction("fraud", "3", inputs=order) as prediction:
                prediction.outputs = model.predict(order)

        With outputs the trace is made at once, and there is no block to enter. Within another span the prediction is a
        part of that one's trace. An exception that leaves the block gives the trace the outcome `failed`.

        model, version: tags of the trace, as registered in MLflow or of your own naming. inputs, outputs: JSON, or what
        can be shown as JSON. alias: a tag of the trace, if the model was chosen by one.
        """
        tracer = self.tracer("offpath.prediction")
        if not self.choices.models.includes(model):
            tracer = trace.NoOpTracer()
        of_model = attributes.of_model(model, version, alias)
        made = Prediction(tracer, model, describe(self.choices.experiment, model, version, alias, inputs), of_model)
        if outputs is not NOT_GIVEN:
            with made:
                made.outputs = outputs
        return made

    def capture_mlflow(self) -> None:
        """Let the spans of `mlflow.trace`, `mlflow.start_span` and MLflow's autologgers leave by this tracing.

        Nothing of them goes to MLflow's own exporter any more, until `shutdown`. Raises ImportError if mlflow is
        missing, too old or too new, RuntimeError if MLflow's spans are captured already.
        """
        from offpath.tracing._mlflow_code import capture

        self._undone_at_end.enter_context(capture(self.provider, self.collector))

    def read_caller(self, headers: Mapping[str, str]) -> Caller:
        """Return how the span of a request begins, as `OFFPATH_TRACEPARENT` says: with a link, as a child, or neither.

            caller = tracing.read_caller(headers)
            with tracer.start_as_current_span("POST /score", caller.context, links=caller.links) as span:
                span.set_attributes(caller.attributes)

        headers: of the request, with names in lower case. A `traceparent` that cannot be read counts as none.
        """
        return read_caller(headers, self.choices.traceparent)

    def add_periodic_task(self, task: Callable[[], None]) -> None:
        """Call this off the request path, again and again, until `shutdown`.

        In Lambda it is called after the traces of each invocation, elsewhere in a thread of its own after each batch of
        traces and every second. An exception of the task is logged, and it is called again.
        """
        self.worker.add_periodic_task(task)

    def flush(self, timeout_seconds: float = CLOSE_SECONDS) -> bool:
        """Send what has ended so far. Return False if that took longer."""
        return self.worker.flush(timeout_seconds)

    def shutdown(self) -> bool:
        """Send what is left, of requests that have not ended, too, and stop. Return False if ten seconds did not do.

        What could not be sent by then is in the log, as is each trace that ends later. It is called as the process
        exits; calling it again does nothing more. A provider that was given to `install` is left as it is.
        """
        atexit.unregister(self.shutdown)
        _installed.remove(self)
        for unfinished in self.collector.unfinished("the process ended before the request did"):
            self.worker.submit(unfinished)
        self._undone_at_end.close()
        return self.worker.close(CLOSE_SECONDS)

    def _new_state(self, given: Attributes) -> trace.TraceState:
        return state_of(given, self.choices.experiment)


def _model_of(spans: Sequence[AnySpan]) -> str | None:
    """Return the model that the outermost span of them names, or the last one that any does."""
    for span in reversed(spans):
        given = span.attributes or {}
        if model := given.get(attributes.trace_tag("model")) or given.get(attributes.MODEL):
            return str(model)
    return None
