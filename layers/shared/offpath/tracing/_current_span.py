"""A span that is the current one within a block, or within each call of a function."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol, TypeVar, cast

from opentelemetry import context as current_context
from opentelemetry.context import Context
from opentelemetry.trace import Span

from offpath.tracing._context import with_current
from offpath.tracing._function_spans import error_status, wrap_function

F = TypeVar("F", bound=Callable[..., Any])


class Starter(Protocol):
    """Starts spans."""

    def start_in(self, context: Context, how: Any) -> Span:
        """Start a span in the context."""


class CurrentSpan(AbstractContextManager[Span]):
    """Starts a span on entry, and ends it on exit. As a decorator it does so for each call.

    context: that the span is started in; None: the current one. how: what else `start_in` takes. at_end: whether to end
    the span, to note an exception that leaves the block, and to set the status then; an exception that is no Exception,
    such as GeneratorExit, is no error.
    """

    __slots__ = ("_at_end", "_context", "_how", "_span", "_starter", "_token")

    def __init__(
        self, starter: Starter, context: Context | None, how: tuple[Any, ...], at_end: tuple[bool, bool, bool]
    ) -> None:
        self._starter = starter
        self._context = context
        self._how = how
        self._at_end = at_end

    def __enter__(self) -> Span:
        """Start the span, and make it the current one."""
        current = current_context.get_current()
        self._span = self._starter.start_in(current if self._context is None else self._context, self._how)
        self._token = current_context.attach(with_current(self._span, current))
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Note an exception, and end the span."""
        current_context.detach(self._token)
        ends, notes_exception, sets_status = self._at_end
        if isinstance(error, Exception) and self._span.is_recording():
            if notes_exception:
                self._span.record_exception(error)
            if sets_status:
                self._span.set_status(error_status(error))
        if ends:
            self._span.end()

    def __call__(self, function: F) -> F:
        """Return the function with a span around each of its calls."""
        return cast("F", wrap_function(function, _EachCall(self)))

    def again(self) -> "CurrentSpan":
        """Return another one like this."""
        return CurrentSpan(self._starter, self._context, self._how, self._at_end)

    def start(self) -> Span:
        """Start the span, without making it the current one."""
        context = current_context.get_current() if self._context is None else self._context
        return self._starter.start_in(context, self._how)


class _EachCall:
    """The spans of a decorated function's calls."""

    capture_outputs = False

    def __init__(self, like: CurrentSpan) -> None:
        self._like = like

    def current(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> AbstractContextManager[Span]:  # noqa: ARG002
        return self._like.again()

    def start(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Span:  # noqa: ARG002
        return self._like.start()

    def note_result(self, span: Span, result: object) -> None:
        """Note nothing: OpenTelemetry's decorator captures no results."""
