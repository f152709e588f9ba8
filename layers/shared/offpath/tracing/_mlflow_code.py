"""Let the spans of code that uses MLflow's own tracing leave by offpath, instead of MLflow's exporter."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import Token

from opentelemetry import context as current_context
from opentelemetry.context import Context
from opentelemetry.context.context import _RuntimeContext
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NoOpTracerProvider
from typing_extensions import override

from offpath.tracing._collector import TraceCollector
from offpath.tracing._mlflow_api import CONTEXT, INITIALIZE, MlflowApi, load
from offpath.tracing._mlflow_sampler import MlflowSampler
from offpath.tracing._mlflow_traces import MlflowSpans, MlflowTraces
from offpath.tracing._process_copy import in_each_child
from offpath.tracing._shown_span import with_real

# MLflow's spans have a tracer provider of their own, and what is large in them stays there: MLflow's exporter would
# upload it.
_VARIABLES = {"MLFLOW_USE_DEFAULT_TRACER_PROVIDER": "true", "MLFLOW_TRACE_EXTRACT_ATTACHMENTS": "false"}


def capture(provider: TracerProvider, collector: TraceCollector) -> ExitStack:
    """Give MLflow's spans to the collector until the stack that this returns is closed.

    They have the provider's resource and ids. Raises ImportError without an MLflow that this is known to work with,
    RuntimeError if they are captured already.
    """
    mlflow = load()
    is_captured = isinstance(getattr(mlflow.provider, CONTEXT), SharedContext)
    if is_captured:
        raise RuntimeError("MLflow's spans leave by a tracing of this process already: shut that one down first")
    traces = MlflowTraces(mlflow)
    in_each_child(traces.begin_anew)
    spans = MlflowSpans(traces, collector)
    undo = ExitStack()
    _start_anew(mlflow)  # before the variables change: what MLflow has set up until now is ended as it was begun
    for name, value in _VARIABLES.items():
        undo.callback(_set_variable, name, os.environ.get(name))
        _set_variable(name, value)
    undo.callback(_start_anew, mlflow)
    replaced = {
        INITIALIZE: _initializer(mlflow, lambda: _new_provider(mlflow, provider, spans)),
        CONTEXT: SharedContext(traces),
    }
    for name, own in replaced.items():
        undo.callback(setattr, mlflow.provider, name, getattr(mlflow.provider, name))
        setattr(mlflow.provider, name, own)
    collector.describe_by(traces.describe)
    return undo


class SharedContext(_RuntimeContext):
    """OpenTelemetry's own context, as MLflow is to see it: spans of both are nested in each other."""

    def __init__(self, traces: MlflowTraces) -> None:
        self._traces = traces

    @override
    def attach(self, context: Context) -> Token[Context]:
        """Make the context the current one. A span of MLflow's that is none leaves the current one.

        Below one that MLflow's sampler has left out nothing is traced: what is there would be a trace without its root.
        """
        return current_context._RUNTIME_CONTEXT.attach(with_real(context, current_context.get_current()))

    @override
    def get_current(self) -> Context:
        """Return the current context."""
        return self._traces.shown(current_context.get_current())

    @override
    def detach(self, token: Token[Context]) -> None:
        """Make the context the current one that was so before. Raises ValueError in another task than `attach`."""
        current_context._RUNTIME_CONTEXT.detach(token)


def _initializer(mlflow: MlflowApi, new_provider: Callable[[], TracerProvider]) -> Callable[..., None]:
    """Return what MLflow calls to set up its tracer provider, again after `set_experiment` and the like."""

    def initialize(disabled: bool = False) -> None:
        mlflow.provider.provider.set(NoOpTracerProvider() if disabled else new_provider())

    return initialize


def _new_provider(mlflow: MlflowApi, like: TracerProvider, spans: MlflowSpans) -> TracerProvider:
    sampler = MlflowSampler(mlflow.provider._get_trace_sampler() or ALWAYS_ON)
    provider = TracerProvider(sampler, like.resource, shutdown_on_exit=False, id_generator=like.id_generator)
    provider.add_span_processor(spans)
    return provider


def _start_anew(mlflow: MlflowApi) -> None:
    """Let MLflow set its tracer provider up when it is next used, unless its tracing is disabled."""
    if mlflow.provider.is_tracing_enabled():
        mlflow.provider.provider.reset()


def _set_variable(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
