"""Make a function's calls, or a block of code, spans."""

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
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
    """A span to come: a decorator of functions, or a context manager.

    Several threads and tasks may be in a block of it at once, but none in a block within its own.
    """

    name: str | None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    capture_inputs: bool = False
    capture_outputs: bool = False
    _open: list[AbstractContextManager[Span]] = field(default_factory=list, init=False, repr=False, compare=False)

    def __call__(self, function: F) -> F:
        """Return the function with a span around each of its calls. Raises TypeError for what is no function."""
        _check_function(function)
        return cast("F", wrap_function(function, _Calls(function, self)))

    def __enter__(self) -> Span:
        """Start the span, and make it the current one. Raises RuntimeError without a name, or within its own block."""
        around = _blocks.get()
        if self.name is None or any(by is self and block in self._open for by, block in around):
            raise RuntimeError("a block needs a name, and a `traced` of its own: with traced('name'): …")
        block = current_tracer().start_as_current_span(self.name, attributes=self.attributes)
        span = block.__enter__()
        self._open.append(block)
        _blocks.set((*(other for other in around if other[0] is not self), (self, block)))
        return span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> bool | None:
        """End the span."""
        if not self._open:
            return None
        around = _blocks.get()
        # A block may be left in another context than it was entered in, such as a generator's.
        block = next((block for by, block in around if by is self and block in self._open), self._open[-1])
        self._open.remove(block)
        _blocks.set(tuple(other for other in around if other[1] is not block))
        return block.__exit__(kind, error, where)


# The blocks around, of this thread or task.
_blocks: ContextVar[tuple[tuple[Traced, AbstractContextManager[Span]], ...]] = ContextVar("offpath_blocks", default=())


class _Calls:
    """The spans of one function's calls."""

    def __init__(self, function: Callable[..., Any], how: Traced) -> None:
        self.capture_outputs = how.capture_outputs
        self._name = how.name or function.__name__
        self._attributes = how.attributes
        self._signature = _signature(function) if how.capture_inputs else None

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


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except ValueError:  # of a function that is written in C
        raise TypeError(f"{function!r} tells no signature: leave capture_inputs out") from None


def _check_function(function: object) -> None:
    """Raise TypeError for what a plain function cannot stand for: a class, a partial, or a method's descriptor."""
    if isinstance(function, staticmethod | classmethod):
        raise TypeError(f"traced takes a function, not {function!r}: put it below @{type(function).__name__}")
    if not inspect.isroutine(function):
        raise TypeError(f"traced takes a function or a span's name, not {function!r}: write a function that calls it")
