"""How a manifest was read before there were tensors in it: an API that is not yet deployed anew still reads it so."""

from typing import Any, Literal

from pydantic import BaseModel, Field


class Column(BaseModel):
    name: str
    type: Literal["double", "float", "long", "integer", "boolean", "string"]
    required: bool = True


class Signature(BaseModel):
    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...] = ()


class ModelVersion(BaseModel):
    version: str
    run_id: str | None = None
    source: str | None = None
    key: str
    sha256: str
    bytes: int
    weight: int = 0
    task: Literal["classification", "regression"]
    labels: tuple[str, ...] = ()
    signature: Signature
    input_example: dict[str, Any] | None = None


class RegisteredModel(BaseModel):
    description: str = ""
    aliases: dict[str, ModelVersion]


class Manifest(BaseModel):
    schema_: Literal["models/1"] = Field(alias="schema")
    models: dict[str, RegisteredModel] = {}
