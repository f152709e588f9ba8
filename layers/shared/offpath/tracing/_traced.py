"""Make a function's calls, or a block of code, spans."""

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeVar, cast, overload

from opentelemetry.trace import Span
from opentelemetry.util.types import AttributeValue

from offpath.attributes import SPAN_INPUTS, SPAN_OUTPUTS
from offpath.tracing._capture import arguments_json, to_json
from offpath.tracing._function_spans import wrap_function
from offpath.tracing._installed import current_tracer

F = TypeVar("F", bound=Callable[..., Any])


@overload
def traced(name: F, /) -> F: ...


@overload
def traced(
    name: str | None = None,
    *,
    attributes: Mapping[str, AttributeValue] | None = None,
    capture_inputs: bool = False,
    capture_outputs: bool = False,
) -> "Traced": ...


def traced(
    name: F | str | None = None,
    *,
    attributes: Mapping[str, AttributeValue] | None = None,
    capture_inputs: bool = False,
    capture_outputs: bool = False,
) -> "F | Traced":
    """Make each call of a function a span, as a decorator, or a block of code, as a context manager.

        @offpath.traced
        def features(order): ...

        @offpath.traced("price", attributes={"currency": "EUR"}, capture_inputs=True, capture_outputs=True)
        async def price(order): ...

        with offpath.traced("lookup") as span:
            span.set_attribute("cache", "miss")

    Functions may be plain, async, generators or async generators; a generator's span lasts from its first item to its
    end. Spans are made by the tracing that `install` set up last, or by OpenTelemetry's global tracer where there is
    none. An exception is noted in the span and raised on.

    name: of the span; without one it is the function's. attributes: of the span. capture_inputs, capture_outputs:
    whether the arguments and the result become MLflow's inputs and outputs of the span, as JSON; this takes its time
    within the call. What JSON does not have is shown as `repr` shows it; a generator's outputs are a list of its items.
    Raises TypeError for anything but a function or a name, such as a class or a classmethod object.
    """
    if not isinstance(name, str | None):
        return Traced(None)(name)
    return Traced(name, attributes or {}, capture_inputs, capture_outputs)


@dataclass(slots=True)
class Traced:
    """A span to come: a decorator of functions, or a context manager of one block at a time."""

    name: str | None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    capture_inputs: bool = False
    capture_outputs: bool = False
    _block: AbstractContextManager[Span] | None = field(default=None, init=False)

    def __call__(self, function: F) -> F:
        """Return the function with a span around each of its calls. Raises TypeError for what is no function."""
        _check_function(function)
        return cast("F", wrap_function(function, _Calls(function, self)))

    def __enter__(self) -> Span:
        """Start the span, and make it the current one. Raises RuntimeError without a name, or within its own block."""
        if self.name is None or self._block is not None:
            raise RuntimeError("a block needs a name, and a `traced` of its own: with traced('name'): …")
        self._block = current_tracer().start_as_current_span(self.name, attributes=self.attributes)
        return self._block.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> bool | None:
        """End the span."""
        block, self._block = self._block, None
        return block.__exit__(kind, error, where) if block else None


class _Calls:
    """The spans of one function's calls."""

    def __init__(self, function: Callable[..., Any], how: Traced) -> None:
        self.capture_outputs = how.capture_outputs
        self._name = how.name or function.__name__
        self._attributes = how.attributes
        self._signature = inspect.signature(function) if how.capture_inputs else None

    def current(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> AbstractContextManager[Span]:
        """Return the context manager of a span that is the current one within its block."""
        return current_tracer().start_as_current_span(self._name, attributes=self._of(args, kwargs))

    def start(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Span:
        """Return a span that is not the current one, and that its user ends."""
        return current_tracer().start_span(self._name, attributes=self._of(args, kwargs))

    def note_result(self, span: Span, result: object) -> None:
        """Set the span's outputs, if they are asked for."""
        if self.capture_outputs:
            span.set_attribute(SPAN_OUTPUTS, to_json(result))

    def _of(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Mapping[str, AttributeValue]:
        if self._signature is None:
            return self._attributes
        return {**self._attributes, SPAN_INPUTS: arguments_json(self._signature, args, kwargs)}


def _check_function(function: object) -> None:
    """Raise TypeError for what a plain function cannot stand for: a class, a partial, or a method's descriptor."""
    if isinstance(function, staticmethod | classmethod):
        raise TypeError(f"traced takes a function, not {function!r}: put it below @{type(function).__name__}")
    if not inspect.isroutine(function):
        raise TypeError(f"traced takes a function or a span's name, not {function!r}: write a function that calls it")
