"""A span that is the current one within a block, or within each call of a function."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, TypeVar, cast

from opentelemetry import context as current_context
from opentelemetry.trace import Span

from offpath.tracing._context import with_current
from offpath.tracing._function_spans import error_status, wrap_function

F = TypeVar("F", bound=Callable[..., Any])


class CurrentSpan(AbstractContextManager[Span]):
    """Starts a span on entry, and ends it on exit. As a decorator it does so for each call.

    start: starts the span. end_on_exit: whether to end it. record_exception, set_status_on_exception: whether an
    exception that leaves the block is noted in the span; one that is no Exception, such as GeneratorExit, is no error.
    """

    __slots__ = ("_end_on_exit", "_record_exception", "_set_status_on_exception", "_span", "_start", "_token")

    def __init__(
        self, start: Callable[[], Span], end_on_exit: bool, record_exception: bool, set_status_on_exception: bool
    ) -> None:
        self._start = start
        self._end_on_exit = end_on_exit
        self._record_exception = record_exception
        self._set_status_on_exception = set_status_on_exception

    def __enter__(self) -> Span:
        """Start the span, and make it the current one."""
        self._span = self._start()
        self._token = current_context.attach(with_current(self._span))
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Note an exception, and end the span."""
        current_context.detach(self._token)
        if isinstance(error, Exception) and self._span.is_recording():
            if self._record_exception:
                self._span.record_exception(error)
            if self._set_status_on_exception:
                self._span.set_status(error_status(error))
        if self._end_on_exit:
            self._span.end()

    def __call__(self, function: F) -> F:
        """Return the function with a span around each of its calls."""
        return cast("F", wrap_function(function, _EachCall(self._again, self._start)))

    def _again(self) -> "CurrentSpan":
        return CurrentSpan(self._start, self._end_on_exit, self._record_exception, self._set_status_on_exception)


class _EachCall:
    """The spans of a decorated function's calls."""

    capture_outputs = False

    def __init__(self, current: Callable[[], CurrentSpan], start: Callable[[], Span]) -> None:
        self._current = current
        self._start = start

    def current(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> AbstractContextManager[Span]:  # noqa: ARG002
        return self._current()

    def start(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Span:  # noqa: ARG002
        return self._start()

    def note_result(self, span: Span, result: object) -> None:
        """Note nothing: OpenTelemetry's decorator captures no results."""
