"""Name what is used of MLflow. It is imported when it is first asked for: it takes seconds, and need not be there."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from mlflow.entities import LiveSpan, TraceInfo

LOWEST = (3, 17)
# Of the module `mlflow.tracing.provider`: what sets a tracer provider up, and the context that MLflow's spans are in.
INITIALIZE = "_initialize_tracer_provider"
CONTEXT = "mlflow_runtime_context"
REPLACED = (INITIALIZE, CONTEXT)


class OpenTrace(Protocol):
    """A trace under way."""

    info: "TraceInfo"
    span_dict: dict[str, "LiveSpan"]


class OpenTraces(Protocol):
    """MLflow's traces under way (`mlflow.tracing.trace_manager.InMemoryTraceManager`)."""

    def register_trace(self, otel_trace_id: int, trace_info: "TraceInfo") -> None:
        """Add a trace."""

    def register_span(self, span: object) -> None:
        """Add a span to its trace."""

    def get_trace(self, trace_id: str) -> AbstractContextManager[OpenTrace | None]:
        """Return the context manager of a trace, which nobody else changes within the block."""

    def get_span_from_id(self, trace_id: str, span_id: str) -> "LiveSpan | None":
        """Return a span."""

    def get_mlflow_trace_id_from_otel_id(self, otel_trace_id: int) -> str | None:
        """Return MLflow's id of a trace that it knows."""

    def pop_trace(self, otel_trace_id: int) -> object:
        """Remove a trace."""


@dataclass(frozen=True, slots=True)
class MlflowApi:
    """MLflow's functions.

    provider: the module `mlflow.tracing.provider`, which decides where MLflow's spans go, and what is around them.
    new_trace: takes MLflow's id and the start in nanoseconds.
    """

    provider: Any
    traces: OpenTraces
    new_span: Callable[[Any, str], object]
    new_trace: Callable[[str, int], "TraceInfo"]
    experiment_name: Callable[[], str | None]
    set_last_active_trace_id: Callable[[str], None]


def load() -> MlflowApi:
    """Import MLflow. Raises ImportError if it is missing, too old, or not made as this package knows it."""
    try:
        import mlflow
    except ImportError as error:
        raise ImportError("mlflow is not installed: install mlflow-tracing, or mlflow itself") from error
    check_version(mlflow.__version__)
    try:
        return _load()
    except (ImportError, AttributeError) as error:
        raise ImportError(
            f"mlflow {mlflow.__version__} cannot be captured, it is made in another way: {error}"
        ) from error


def check_version(version: str) -> None:
    """Raise ImportError for an MLflow that is too old."""
    if tuple(int(part) for part in version.split(".")[:2]) < LOWEST:
        lowest = ".".join(map(str, LOWEST))
        raise ImportError(f"mlflow {version} is too old: its spans can be captured from {lowest} on")


def _load() -> MlflowApi:
    from mlflow import environment_variables
    from mlflow.entities import TraceInfo, TraceLocation, TraceState
    from mlflow.entities.span import create_mlflow_span
    from mlflow.tracing import fluent, provider
    from mlflow.tracing.context import get_configured_trace_metadata, get_configured_trace_tags
    from mlflow.tracing.trace_manager import InMemoryTraceManager

    for name in REPLACED:
        getattr(provider, name)

    manager: Any = InMemoryTraceManager  # its methods have no types

    def new_trace(trace_id: str, start_time: int) -> TraceInfo:
        return TraceInfo(
            trace_id,
            TraceLocation.from_experiment_id("0"),
            start_time // 1_000_000,
            TraceState.IN_PROGRESS,
            trace_metadata=dict(get_configured_trace_metadata() or {}),
            tags=dict(get_configured_trace_tags() or {}),
        )

    return MlflowApi(
        provider,
        manager.get_instance(),
        create_mlflow_span,
        new_trace,
        environment_variables.MLFLOW_EXPERIMENT_NAME.get,
        fluent._set_last_active_trace_id,
    )
