"""The MLmodel file: what MLflow, and the recipe that logged the model, say about one version.

Which keys count is in https://mlflow.org/docs/latest/ml/model/ ; `metadata.offpath` is ours:
`{"task": "classification" | "regression", "labels": ["setosa", …], "tokenizer": "extra_files/tokenizer.json",
"limits": {input: {…}}}`. `tokenizer` is for a graph that takes tokens: the path, among the model's files, of its
tokenizer's. `limits` say what the original refuses, by input.
"""

from dataclasses import dataclass
from typing import get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, Json, ValidationError

from model_sync.ports import Unservable
from model_sync.signature import Entries, signature_of, with_limits
from offpath.contracts.model_manifest import ColumnLimits, Signature, Task

PATH = "MLmodel"
_TASKS = get_args(Task)


class _Onnx(BaseModel):
    data: str


class _Flavors(BaseModel):
    model_config = ConfigDict(extra="allow")
    onnx: _Onnx | None = None


class _Signature(BaseModel):
    inputs: Json[Entries] | None = None
    outputs: Json[Entries] | None = None


class _Example(BaseModel):
    artifact_path: str


class _Mark(BaseModel):
    task: str | None = None
    labels: list[str | int | float | bool] = []
    tokenizer: str | None = None
    limits: dict[str, ColumnLimits] = {}
    unit: str = ""


class _Metadata(BaseModel):
    offpath: _Mark = _Mark()


class _File(BaseModel):
    flavors: _Flavors
    signature: _Signature | None = None
    metadata: _Metadata | None = None
    saved_input_example_info: _Example | None = None
    model_size_bytes: int = Field(0, ge=0)


@dataclass(frozen=True, slots=True)
class Description:
    """The part of an MLmodel file that serving needs.

    onnx_path, tokenizer_path, example_path: among the version's files. bytes: of all of these files.
    """

    onnx_path: str
    tokenizer_path: str | None
    example_path: str | None
    bytes: int
    task: Task
    labels: tuple[str, ...]
    signature: Signature
    unit: str = ""


def parse_mlmodel(content: bytes) -> Description:
    """Read an MLmodel file. Raises Unservable with what is missing and how the model has to be logged."""
    file = _parse(content)
    onnx_path, signature = _onnx_path(file.flavors), _signature(file.signature)
    mark = (file.metadata or _Metadata()).offpath
    task, labels = _task(mark)
    return Description(
        onnx_path=onnx_path,
        tokenizer_path=_tokenizer(mark, signature),
        example_path=file.saved_input_example_info.artifact_path if file.saved_input_example_info else None,
        bytes=file.model_size_bytes,
        task=task,
        labels=labels,
        signature=with_limits(signature, mark.limits),
        unit=mark.unit,
    )


def _parse(content: bytes) -> _File:
    try:
        return _File.model_validate(yaml.safe_load(content))
    except yaml.YAMLError as error:
        raise Unservable(f"its {PATH} file is not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole document"
        raise Unservable(f"its {PATH} file cannot be read: {where}: {first['msg']}") from error


def _onnx_path(flavors: _Flavors) -> str:
    if flavors.onnx is None:
        others = ", ".join(sorted(flavors.model_extra or {})) or "none"
        raise Unservable(f"it has no onnx flavor (its flavors: {others}): log it with mlflow.onnx.log_model")
    return flavors.onnx.data


def _task(mark: _Mark) -> tuple[Task, tuple[str, ...]]:
    labels = tuple(str(label) for label in mark.labels)
    match mark.task or ("classification" if labels else None):
        case "classification" if labels:
            return "classification", labels
        case "classification":
            raise Unservable('it is a classification without labels: log it with metadata={"offpath": {"labels": […]}}')
        case "regression":
            return "regression", ()
        case None:
            raise Unservable(
                'nothing says its task: log it with metadata={"offpath": {"task": "regression"}}, or labels'
            )
        case other:
            raise Unservable(f"its task {other!r} is not known here: expected one of {', '.join(_TASKS)}")


def _tokenizer(mark: _Mark, signature: Signature) -> str | None:
    if mark.tokenizer and [entry.type for entry in signature.inputs] != ["string"]:
        names = [entry.name for entry in signature.inputs]
        raise Unservable(f"it has a tokenizer, but its inputs are {names}: a tokenizer reads one column, a string")
    return mark.tokenizer


def _signature(signature: _Signature | None) -> Signature:
    if signature is None or not signature.inputs:
        raise Unservable("it has no signature of its inputs: log it with signature=mlflow.models.infer_signature(…)")
    return signature_of(signature.inputs, signature.outputs or [])
