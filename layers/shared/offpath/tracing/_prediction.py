"""Trace a prediction in the form of the prediction API's own, so that what reads its traces reads these."""

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any, Self

from opentelemetry.trace import NoOpTracer, Span, Tracer

from offpath import attributes
from offpath.attributes import trace_tag
from offpath.tracing._capture import plain, to_json
from offpath.tracing._context import untraced
from offpath.tracing._requests import mlflow_trace_id

NOT_GIVEN: Any = object()


class Prediction:
    """A prediction that is being made, as `tracing.prediction` returns it: a context manager of one block.

    outputs: set them within the block; JSON, or what can be shown as JSON. A label of a single prediction becomes the
    trace's tag `prediction`: a text, or a mapping whose `label` is one.
    """

    def __init__(self, tracer: Tracer, model: str, of_trace: Mapping[str, str], of_model: Mapping[str, str]) -> None:
        self.outputs: Any = NOT_GIVEN
        self._tracer = tracer
        self._model = model
        self._of_trace = of_trace
        self._of_model = of_model
        self._blocks = ExitStack()
        self._root: Span | None = None

    @property
    def trace_id(self) -> str | None:
        """MLflow's id of the trace, None for a model that is not traced. Raises RuntimeError before the block."""
        if self._root is None:
            raise RuntimeError("the trace begins with the block: with tracing.prediction(…) as prediction: …")
        return mlflow_trace_id(self._root)

    def __enter__(self) -> Self:
        """Start the trace, and the model's span in it. Raises RuntimeError for one that was made already."""
        if self._root is not None:
            raise RuntimeError("this prediction is traced already: call tracing.prediction(…) for each")
        if isinstance(self._tracer, NoOpTracer):  # nothing of the model is traced, its inner steps included
            self._blocks.enter_context(untraced())
        start = self._tracer.start_as_current_span
        self._root = self._blocks.enter_context(start(self._model, attributes=self._of_trace))
        described = {attributes.SPAN_TYPE: "TASK", **self._of_model}
        self._blocks.enter_context(start(self._model, attributes=described))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """End the trace, with the outputs or the error."""
        if self._root is not None and error is not None:
            self._root.set_attribute(trace_tag(attributes.OUTCOME), "failed")
        elif self._root is not None and self.outputs is not NOT_GIVEN:
            self._root.set_attribute(attributes.SPAN_OUTPUTS, to_json(self.outputs))
            with suppress(Exception):  # of the outputs' own methods
                if label := label_of(self.outputs):
                    self._root.set_attribute(trace_tag("prediction"), label)
        self._blocks.__exit__(kind, error, where)


def label_of(outputs: Any) -> str | None:
    """Return the label of a single prediction: a text, or a mapping whose `label` is one, alone or in a list."""
    found = plain(outputs)
    one = found[0] if isinstance(found, list | tuple) and len(found) == 1 else found
    found = plain(one.get("label") if isinstance(one, Mapping) else one)
    return found if isinstance(found, str) else None


def describe(experiment: str, model: str, version: str, alias: str, inputs: Any) -> dict[str, str]:
    """Return the attributes of a prediction's root span."""
    described = {
        attributes.SPAN_TYPE: "CHAIN",
        attributes.TRACE_NAME: model,
        attributes.EXPERIMENT: f"{experiment}/{model}",
        trace_tag("model"): model,
        trace_tag("model_version"): version,
    }
    if alias:
        described[trace_tag("alias")] = alias
    if inputs is not NOT_GIVEN:
        described[attributes.SPAN_INPUTS] = to_json(inputs)
    return described
