"""Types of JSON objects whose fields are known only when the process runs."""

from collections.abc import Mapping
from types import new_class

from pydantic import ConfigDict
from typing_extensions import TypedDict


def object_type(name: str, fields: Mapping[str, object]) -> type:
    """Return a TypedDict that pydantic reads strictly. fields: the type of each, Required or NotRequired."""
    namespace = {"__annotations__": dict(fields), "__pydantic_config__": ConfigDict(strict=True, extra="forbid")}
    return new_class(name, (TypedDict,), exec_body=lambda body: body.update(namespace))
