"""A traced route takes some endpoints and refuses others, and calls them with the request and its path."""

import re
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, Signature
from itertools import count
from keyword import iskeyword
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from prediction_api.http.traced_route import TracedRoute
from tests.support.builders.api import Api

API = Api()
untimed = settings(deadline=None)
NUMBERS = count()


class Flower(BaseModel):
    """A body, as FastAPI's own routes have them."""

    petals: int


def endpoint_of(parameters: Sequence[Parameter], returns: object = Response) -> Callable[..., Any]:
    """An endpoint with that signature; its answer is what it is called with."""

    async def endpoint(**arguments: Any) -> Response:
        assert isinstance(arguments.pop("request"), Request)
        return Response(repr(sorted(arguments.items())))

    endpoint.__signature__ = Signature(parameters, return_annotation=returns)  # type: ignore[attr-defined]
    return endpoint


def parameter(name: str, annotation: object = str, default: object = Parameter.empty) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def routed(path: str, endpoint: Callable[..., Any], **options: Any) -> APIRouter:
    router = APIRouter(route_class=TracedRoute)
    router.add_api_route(path, endpoint, **options)
    return router


def refusal(path: str, endpoint: Callable[..., Any], **options: Any) -> str:
    """Return why the route is not built."""
    with pytest.raises(TypeError) as error:
        routed(path, endpoint, **options)
    return str(error.value)


REQUEST = parameter("request", Request)
NAME = st.from_regex(r"[a-z]{1,8}", fullmatch=True).filter(lambda name: name != "request" and not iskeyword(name))
TEXT = st.from_regex(r"[a-zA-Z0-9.~-]{1,9}", fullmatch=True).filter(lambda text: text.strip("."))


@untimed
@given(st.dictionaries(NAME, TEXT, max_size=5), st.data())
def test_an_allowed_signature_is_called_with_texts_and_request(values: Mapping[str, str], data: st.DataObject) -> None:
    order = data.draw(st.permutations([REQUEST, *map(parameter, values)]))
    folder = f"/drawn/{next(NUMBERS)}"
    API.app.include_router(routed(folder + "".join(f"/{{{name}}}" for name in values), endpoint_of(order)))
    answer = TestClient(API.app).get(folder + "".join(f"/{value}" for value in values.values()))
    assert (answer.status_code, answer.text) == (200, repr(sorted(values.items())))


OTHER_ANNOTATIONS = [int, float, bool, bytes, object, str | None, Flower, Annotated[str, Path()], Parameter.empty]
DEFAULTS = ["", None, 5, Path(), Query(5), Depends(lambda: 5)]


@untimed
@given(NAME, st.sampled_from(OTHER_ANNOTATIONS), st.booleans())
def test_another_annotation_is_refused(name: str, annotation: object, of_request: bool) -> None:
    changed = parameter("request" if of_request else name, annotation)
    parameters = [parameter(name), changed] if of_request else [changed, REQUEST]
    said = refusal(f"/{{{name}}}", endpoint_of(parameters))
    assert f"the parameter {changed.name} is not annotated {'Request' if of_request else 'str'}" in said
    assert "endpoint_of.<locals>.endpoint" in said
    assert "`request: Request` and each parameter of the path as `name: str`" in said


@untimed
@given(NAME, st.sampled_from(DEFAULTS), st.booleans())
def test_a_default_is_refused(name: str, default: object, of_request: bool) -> None:
    both = {name: parameter(name), "request": REQUEST}
    changed = "request" if of_request else name
    both[changed] = both[changed].replace(default=default)
    assert f"the parameter {changed} has a default" in refusal(f"/{{{name}}}", endpoint_of([*both.values()]))


@untimed
@given(NAME, st.sampled_from([str, int, Flower, Response]), st.sampled_from([Parameter.empty, *DEFAULTS]))
def test_a_parameter_beside_the_paths_is_refused(name: str, annotation: object, default: object) -> None:
    said = refusal("/none", endpoint_of([REQUEST, parameter(name, annotation, default)]))
    assert f"the parameter {name} is neither the request nor in the path" in said


@untimed
@given(NAME, st.sampled_from([Parameter.POSITIONAL_ONLY, Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD]))
def test_a_parameter_that_has_no_name_is_refused(name: str, kind: Any) -> None:
    unnamed = Parameter(name, kind, annotation=str)
    order = sorted([unnamed, REQUEST], key=lambda one: one.kind)
    assert f"the parameter {name} cannot be passed by its name" in refusal(f"/{{{name}}}", endpoint_of(order))


@untimed
@given(NAME, st.booleans())
def test_a_missing_parameter_is_refused(name: str, of_request: bool) -> None:
    there, missing = (parameter(name), "request") if of_request else (REQUEST, name)
    assert f"the parameter {missing} is missing" in refusal(f"/{{{name}}}", endpoint_of([there]))


@untimed
@given(NAME, st.sampled_from(["int", "float", "uuid"]))
def test_a_path_that_converts_is_refused(name: str, convertor: str) -> None:
    said = refusal(f"/{{{name}:{convertor}}}", endpoint_of([parameter(name), REQUEST]))
    assert re.search(rf"the path's parameter {name} is converted", said)


def test_a_path_that_names_the_request_is_refused() -> None:
    assert "has the request's name" in refusal("/{request}", endpoint_of([REQUEST]))


@pytest.mark.parametrize("returns", [dict, Flower, str, None, list[Response], Signature.empty])
def test_an_answer_that_is_no_response_is_refused(returns: object) -> None:
    assert "its return annotation is no Response" in refusal("/", endpoint_of([REQUEST], returns))


def test_a_function_that_is_no_coroutine_is_refused() -> None:
    def endpoint(request: Request) -> Response:
        return Response()

    assert "it is no coroutine function" in refusal("/", endpoint)


def test_dependencies_are_refused() -> None:
    said = refusal("/", endpoint_of([REQUEST]), dependencies=[Depends(lambda: None)])
    assert "the route / has dependencies" in said
