"""Put a span around each call of a function: plain, async, a generator or an async generator.

The whole life of a generator is one span. It is the current one while the generator's own code runs, and not while its
consumer's does.
"""

import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any, Protocol

from opentelemetry import context as current_context
from opentelemetry.trace import Span, Status, StatusCode
from typing_extensions import override

from offpath.tracing._context import with_current


class Calls(Protocol):
    """Makes a span for each call of a function."""

    @property
    def capture_outputs(self) -> bool:
        """Whether results are noted."""

    def current(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> AbstractContextManager[Span]:
        """Return the context manager of a span that is the current one within its block."""

    def start(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Span:
        """Return a span that is not the current one, and that its user ends."""

    def note_result(self, span: Span, result: object) -> None:
        """Set the span's outputs, if they are asked for."""


def wrap_function(function: Callable[..., Any], calls: Calls) -> Callable[..., Any]:
    """Return the function, of whichever kind, with a span around each of its calls."""
    if inspect.isasyncgenfunction(function):
        return _trace_async_generator(function, calls)
    if inspect.isgeneratorfunction(function):
        return _trace_generator(function, calls)
    if inspect.iscoroutinefunction(function):
        return _trace_coroutine(function, calls)
    return _trace_function(function, calls)


def _trace_function(function: Callable[..., Any], calls: Calls) -> Callable[..., Any]:
    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with calls.current(args, kwargs) as span:
            result = function(*args, **kwargs)
            calls.note_result(span, result)
            return result

    return call


def _trace_coroutine(function: Callable[..., Any], calls: Calls) -> Callable[..., Any]:
    @wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        with calls.current(args, kwargs) as span:
            result = await function(*args, **kwargs)
            calls.note_result(span, result)
            return result

    return call


def _trace_generator(function: Callable[..., Any], calls: Calls) -> Callable[..., Any]:
    """Return the generator function with a span around each generator's life."""

    @wraps(function)
    def generate(*args: Any, **kwargs: Any) -> Any:
        items: list[Any] | None = [] if calls.capture_outputs else None
        with _whole(calls.start(args, kwargs)) as span:
            try:
                return (yield from _Steps(function(*args, **kwargs), span, items))
            finally:
                calls.note_result(span, items)

    return generate


class _Steps(Generator[Any, Any, Any]):
    """A generator each of whose steps has the span as the current one. items: takes what it yields."""

    def __init__(self, generator: Generator[Any, Any, Any], span: Span, items: list[Any] | None) -> None:
        self._generator = generator
        self._span = span
        self._items = items

    @override
    def send(self, value: Any) -> Any:
        """Resume the generator with a value."""
        return self._step(self._generator.send, value)

    @override
    def throw(self, typ: Any, val: Any = None, tb: Any = None) -> Any:
        """Resume the generator with an exception."""
        return self._step(self._generator.throw, typ if val is None else val)

    def _step(self, resume: Callable[[Any], Any], given: Any) -> Any:
        with _part(self._span):
            item = resume(given)
        if self._items is not None:
            self._items.append(item)
        return item


def _trace_async_generator(function: Callable[..., Any], calls: Calls) -> Callable[..., Any]:
    """Return the async generator function with a span around each generator's life."""

    @wraps(function)
    async def generate(*args: Any, **kwargs: Any) -> Any:
        items: list[Any] | None = [] if calls.capture_outputs else None
        with _whole(calls.start(args, kwargs)) as span:
            generator: AsyncGenerator[Any, Any] = function(*args, **kwargs)
            step = generator.asend(None)
            try:
                while True:
                    with _part(span):
                        item = await step
                    if items is not None:
                        items.append(item)
                    try:
                        step = generator.asend((yield item))
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        step = generator.athrow(error)
            except StopAsyncIteration:
                return
            finally:
                with _part(span):
                    await generator.aclose()
                calls.note_result(span, items)

    return generate


def error_status(error: BaseException) -> Status:
    """Return the status of a span that an exception left, in the SDK's words. Does not raise."""
    return Status(StatusCode.ERROR, f"{type(error).__name__}: {message_of(error)}")


def message_of(error: BaseException) -> str:
    """Return the exception's message. Does not raise."""
    try:
        return str(error)
    except Exception:  # whatever the exception's own method raises
        return "no message can be shown"


@contextmanager
def _whole(span: Span) -> Iterator[Span]:
    """End the span after the block, and note an exception that leaves it."""
    try:
        yield span
    except Exception as error:
        span.record_exception(error)
        span.set_status(error_status(error))
        raise
    finally:
        span.end()


@contextmanager
def _part(span: Span) -> Iterator[None]:
    """Make the span the current one within the block."""
    token = current_context.attach(with_current(span))
    try:
        yield
    finally:
        current_context.detach(token)
