"""A route whose answers hold the fields that its response model documents, and no others.

Contracts keep fields that only a newer version knows, so that a document is written back whole. Those fields are for
the parts of the pipeline: a caller of the API gets what the API promises.
"""

from collections.abc import Callable
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, create_model


class PublicRoute(APIRoute):
    """Answers by the public form of the response model that the endpoint is annotated with."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Take what APIRoute takes."""
        super().__init__(path, endpoint, **options)  # which finds the response model in the annotation
        documented = public(self.response_model)
        if documented is not self.response_model:
            super().__init__(path, endpoint, **{**options, "response_model": documented})


class _Documented(BaseModel):
    """Base of a public form."""

    model_config = ConfigDict(extra="ignore")


def public(form: Any) -> Any:
    """Return the type with each model in it, at any depth, that keeps unknown fields replaced by one that drops them.

    A type without such a model is returned as it is.
    """
    if isinstance(form, type) and not get_args(form):
        return _public_model(form) if issubclass(form, BaseModel) else form
    arguments = get_args(form)
    replaced = tuple(map(public, arguments))
    return form if replaced == arguments else _with_arguments(form, replaced)


@cache
def _public_model(model: type[BaseModel]) -> type[BaseModel]:
    fields = {name: (public(field.annotation), field) for name, field in model.model_fields.items()}
    changed: dict[str, Any] = {
        name: changed for name, changed in fields.items() if changed[0] is not changed[1].annotation
    }
    if not changed and model.model_config.get("extra") != "allow":
        return model
    bases = (model, _Documented)  # the last one's setting counts
    return create_model(model.__name__, __base__=bases, __module__=model.__module__, __doc__=model.__doc__, **changed)


def _with_arguments(form: Any, arguments: tuple[Any, ...]) -> Any:
    origin = get_origin(form)
    if origin in {Union, UnionType}:
        return reduce(or_, arguments)
    return Annotated[arguments] if origin is Annotated else origin[arguments]
