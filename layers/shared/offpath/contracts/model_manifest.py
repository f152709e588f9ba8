"""The model manifest: which file serves which alias of which registered model.

`model_sync` writes it, the prediction API reads it. It lies at `models/manifest.json` beside the files it names, and
changes only when something in the registry did.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from offpath.contracts.errors import ManifestError

KEY = "models/manifest.json"
SCHEMA: Literal["models/1"] = "models/1"

# The alias of the version that answers what no other alias has a share of.
SERVED_ALIAS = "champion"

ColumnType = Literal["double", "float", "long", "integer", "boolean", "string"]
# NumPy's names, as MLflow writes them.
TensorType = Literal[
    "float16", "float32", "float64",
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "bool", "str",
]  # fmt: skip
Task = Literal["classification", "regression"]
Weight = Annotated[int, Field(ge=0, le=100)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

# Where a registered model's versions with tensors stand: a reader that knows no tensors passes over them.
_TENSOR_ALIASES = "tensor_aliases"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class Column(_Part):
    """One input or output column of a model's MLflow signature, with MLflow's name for its type."""

    name: str
    type: ColumnType
    required: bool = True


class Tensor(_Part):
    """One input or output tensor of a model's MLflow signature.

    shape: -1 stands for a dimension of any length; the first one counts records. name: None in a signature of one
    tensor that has none.
    """

    name: str | None = None
    type: Literal["tensor"] = "tensor"
    dtype: TensorType
    shape: tuple[Annotated[int, Field(ge=-1)], ...] = Field(min_length=1)

    @property
    def key(self) -> str:
        """What a request calls the tensor."""
        return self.name or "inputs"


Input = Annotated[Column | Tensor, Field(discriminator="type")]


class Signature(_Part):
    """Inputs and outputs, in the order that the model takes and gives them; inputs are all columns or all tensors."""

    inputs: tuple[Input, ...] = Field(min_length=1)
    outputs: tuple[Input, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The inputs of a signature of columns; of one of tensors, none."""
        return tuple(entry for entry in self.inputs if isinstance(entry, Column))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The inputs of a signature of tensors; of one of columns, none."""
        return tuple(entry for entry in self.inputs if isinstance(entry, Tensor))

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if self.columns and self.tensors:
            raise ValueError("the inputs are columns and tensors, but a signature has the one or the other")
        if len(self.tensors) > 1 and not all(tensor.name for tensor in self.tensors):
            raise ValueError("of several tensors each has a name")
        return self


class PublishedFile(_Part):
    """A file beside a model's graph. key: in the manifest's own bucket. bytes: its size."""

    key: str
    sha256: Sha256
    bytes: int


class ModelVersion(_Part):
    """A registered version and the files that serve it.

    key: S3 key of the ONNX file, in the manifest's own bucket. sha256: of that file. bytes: its size. tokenizer: of a
    model whose graph takes tokens, what makes them of its only column, a text. weight: share of the model's traffic, in
    percent. shadow: whether it predicts, behind the response, what another version answered. labels: class names, by
    class index; empty for a regression. source: where the registry says its files come from; it tells this version from
    one of the same number, made after the registered model was deleted and created again. input_example: a record; of a
    signature of tensors what a request's `inputs` may hold.
    """

    number: str = Field(alias="version")
    run_id: str | None = None
    source: str | None = None
    key: str
    sha256: Sha256
    bytes: int
    # Written only where there is one: the manifest of models without is the same bytes with and without these fields.
    tokenizer: PublishedFile | None = Field(default=None, exclude_if=lambda tokenizer: tokenizer is None)
    weight: Weight = 0
    shadow: bool = Field(default=False, exclude_if=lambda shadow: not shadow)
    task: Task
    labels: tuple[str, ...] = ()
    signature: Signature
    input_example: dict[str, Any] | list[Any] | None = None

    @property
    def file_keys(self) -> tuple[str, ...]:
        """The keys of all its files."""
        return (self.key, self.tokenizer.key) if self.tokenizer else (self.key,)


class RegisteredModel(_Part):
    """A registered model: the version that each alias stands for.

    In the file those with tensors stand apart, under `tensor_aliases`: a reader from before there were any would refuse
    the whole manifest for one type that it does not know, but it passes over a field.
    """

    description: str = ""
    aliases: dict[str, ModelVersion]

    @model_validator(mode="before")
    @classmethod
    def _joined(cls, content: Any) -> Any:
        match content:
            case {"aliases": dict(columns), "tensor_aliases": dict(tensors)}:
                return {**content, "aliases": {**columns, **tensors}}
            case _:
                return content

    @model_serializer(mode="wrap")
    def _apart(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        tensors = [alias for alias, version in self.aliases.items() if version.signature.tensors]
        apart = {alias: written["aliases"].pop(alias) for alias in tensors}
        return written | {_TENSOR_ALIASES: apart} if apart else written


class Manifest(_Part):
    """Every model that can be served."""

    schema_: Literal["models/1"] = Field(default=SCHEMA, alias="schema")
    models: dict[str, RegisteredModel] = {}

    @classmethod
    def parse(cls, content: bytes) -> "Manifest":
        """Read a manifest; fields it does not know are passed over. Raises ManifestError."""
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the whole document"
            raise ManifestError(f"{KEY} is not a manifest: {where}: {first['msg']}") from error

    def aliases(self, name: str) -> dict[str, ModelVersion]:
        """The version behind each alias of a model; empty for a model that is not in the manifest."""
        model = self.models.get(name)
        return model.aliases if model else {}

    def to_json(self) -> bytes:
        """The manifest as it is stored: the same content is the same bytes, so that a comparison tells a change."""
        ordered = self.model_copy(update={"models": {name: _sorted(self.models[name]) for name in sorted(self.models)}})
        return ordered.model_dump_json(by_alias=True, indent=2).encode() + b"\n"


def _sorted(model: RegisteredModel) -> RegisteredModel:
    return model.model_copy(update={"aliases": dict(sorted(model.aliases.items()))})


def model_file_key(sha256: str) -> str:
    """Where an ONNX file of that content is published."""
    return f"models/sha256/{sha256}.onnx"


def tokenizer_file_key(sha256: str) -> str:
    """Where a tokenizer's file of that content is published."""
    return f"models/sha256/{sha256}.json"
