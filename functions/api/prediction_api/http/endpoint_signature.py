"""Whether an endpoint can be called with a path's parameters and the request alone."""

from collections.abc import Callable, Iterator, Mapping
from inspect import Parameter, iscoroutinefunction, signature

from starlette.convertors import Convertor, PathConvertor, StringConvertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

ALLOWED = (
    "a coroutine function that returns a Response and takes `request: Request` and each parameter of the path as "
    "`name: str`, without defaults, and nothing else"
)


def check_endpoint(path: str, endpoint: Callable[..., object]) -> None:
    """Raise TypeError, naming the endpoint and the parameter, for a signature that a call would not honour."""
    problem = next(_problems(path, endpoint), None)
    if problem:
        name = getattr(endpoint, "__qualname__", repr(endpoint))
        raise TypeError(f"the endpoint {name} of {path}: {problem}; expected {ALLOWED}")


def _problems(path: str, endpoint: Callable[..., object]) -> Iterator[str]:
    if not iscoroutinefunction(endpoint):
        yield "it is no coroutine function"
    _, _, convertors = compile_path(path)
    yield from _path_problems(convertors)
    found = signature(endpoint, eval_str=True)
    expected = dict.fromkeys(convertors, str) | {"request": Request}
    yield from (f"the parameter {name} is missing" for name in expected.keys() - found.parameters.keys())
    for parameter in found.parameters.values():
        yield from _parameter_problems(parameter, expected)
    if not (isinstance(found.return_annotation, type) and issubclass(found.return_annotation, Response)):
        yield "its return annotation is no Response"


def _path_problems(convertors: Mapping[str, Convertor[object]]) -> Iterator[str]:
    for name, convertor in convertors.items():
        if name == "request":
            yield "the path's parameter request has the request's name"
        if not isinstance(convertor, StringConvertor | PathConvertor):
            yield f"the path's parameter {name} is converted, to something else than a str"


def _parameter_problems(parameter: Parameter, expected: Mapping[str, type]) -> Iterator[str]:
    name = parameter.name
    if name not in expected:
        yield f"the parameter {name} is neither the request nor in the path"
    elif parameter.kind not in {Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY}:
        yield f"the parameter {name} cannot be passed by its name"
    elif parameter.default is not Parameter.empty:
        yield f"the parameter {name} has a default"
    elif parameter.annotation is not expected[name]:
        yield f"the parameter {name} is not annotated {expected[name].__name__}"
