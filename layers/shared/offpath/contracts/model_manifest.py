"""The model manifest says which file serves which alias of which registered model.

`model_sync` writes it, the prediction API reads it. It lies at `models/manifest.json` beside the files it names, and
changes only when something in the registry did. An entry that this version cannot read costs that entry alone.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from offpath.contracts.document import Part, check_known, complaint, parse
from offpath.contracts.errors import ManifestError
from offpath.contracts.names import MANIFEST_KEY

Schema = Literal["models/1"]
SCHEMA: Schema = "models/1"
# The schemas that are read: none of them is ever removed.
READABLE: tuple[str, ...] = get_args(Schema)

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


class TextAnalyzer(Part):
    """Say how a text becomes the terms that a graph counts, as scikit-learn's vectorizers do it.

    analyzer: terms are words, characters, or characters within words. token_pattern: a regular expression of Python's,
    for words. ngram_range: the least and the largest length of a term. stop_words: words that are left out.
    """

    analyzer: Literal["word", "char", "char_wb"] = "word"
    lowercase: bool = False
    strip_accents: Literal["ascii", "unicode"] | None = None
    token_pattern: str = ""
    ngram_range: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = (1, 1)
    stop_words: tuple[str, ...] = ()


class ColumnLimits(Part):
    """Say which values of a column the original refuses, and how a graph is told of some.

    values: all that are taken; None for any. least, most: of numbers; None for any. missing: whether a value may be
    missing. absent: the text that the graph gets for a missing one. analyzers: of a text, the terms of each of which
    the graph gets instead of the text itself.
    """

    values: tuple[str | int | float | bool, ...] | None = None
    least: float | None = None
    most: float | None = None
    missing: bool = True
    absent: str = ""
    analyzers: tuple[TextAnalyzer, ...] = ()


class Column(Part):
    """Describe an input or output column of a model's MLflow signature, with MLflow's name for its type."""

    name: str
    type: ColumnType
    required: bool = True
    # Written only where there are some, as `tokenizer` below.
    limits: ColumnLimits | None = Field(default=None, exclude_if=lambda limits: limits is None)


class Tensor(Part):
    """Describe an input or output tensor of a model's MLflow signature.

    shape: -1 stands for a dimension of any length; the first one counts records. name: None in a signature of one
    tensor that has none.
    """

    name: str | None = None
    type: Literal["tensor"] = "tensor"
    dtype: TensorType
    shape: tuple[Annotated[int, Field(ge=-1)], ...] = Field(min_length=1)
    limits: ColumnLimits | None = Field(default=None, exclude_if=lambda limits: limits is None)

    @property
    def key(self) -> str:
        """Return the name that a request has for the tensor."""
        return self.name or "inputs"


Input = Annotated[Column | Tensor, Field(discriminator="type")]


class Signature(Part):
    """List inputs and outputs in the order that the model takes and gives them.

    Inputs are all columns or all tensors.
    """

    inputs: tuple[Input, ...] = Field(min_length=1)
    outputs: tuple[Input, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return the inputs of a signature of columns; of one of tensors, none."""
        return tuple(entry for entry in self.inputs if isinstance(entry, Column))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Return the inputs of a signature of tensors; of one of columns, none."""
        return tuple(entry for entry in self.inputs if isinstance(entry, Tensor))

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if self.columns and self.tensors:
            raise ValueError("the inputs are columns and tensors, but a signature has the one or the other")
        if len(self.tensors) > 1 and not all(tensor.name for tensor in self.tensors):
            raise ValueError("of several tensors each has a name")
        return self


class PublishedFile(Part):
    """Name a file beside a model's graph. key: in the manifest's own bucket. bytes: its size."""

    key: str
    sha256: Sha256
    bytes: int


class ModelVersion(Part):
    """Describe a registered version, and name the files that serve it.

    key: S3 key of the ONNX file, in the manifest's own bucket. sha256: of that file. bytes: its size. tokenizer: of a
    model whose graph takes tokens, what makes them of its only column, a text. weight: share of the model's traffic, in
    percent. shadow: whether it predicts, after the response, what another version answered. labels: class names, by
    class index; empty for a regression. source: where the registry says its files come from; it tells this version from
    one of the same number, made after the registered model was deleted and created again. input_example: a record; of a
    signature of tensors what a request's `inputs` may hold. description: what the registry says of the version. unit:
    of a regression's value.
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
    description: str = Field(default="", exclude_if=lambda description: not description)
    unit: str = Field(default="", exclude_if=lambda unit: not unit)

    @property
    def file_keys(self) -> tuple[str, ...]:
        """Return the keys of all its files."""
        return (self.key, self.tokenizer.key) if self.tokenizer else (self.key,)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Hold the entry of an alias or a model that a newer version wrote.

    reason: why it cannot be read. content: as found.
    """

    reason: str
    content: JsonValue


class RegisteredModel(Part):
    """Describe a registered model, and the version that each alias stands for.

    unreadable: entries that this version cannot read, by alias. They are written back as they were found.
    """

    description: str = ""
    aliases: dict[str, ModelVersion]
    unreadable: dict[str, Unreadable] = Field(default={}, exclude=True)

    @model_serializer(mode="wrap")
    def _with_unreadable(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        return written | {"aliases": _with_kept(written["aliases"], self.unreadable)}


class Manifest(Part):
    """List every model that can be served.

    unreadable: models none of whose entry can be read, by name. They are written back as they were found.
    """

    schema_: Schema = Field(default=SCHEMA, alias="schema")
    models: dict[str, RegisteredModel] = Field({})
    unreadable: dict[str, Unreadable] = Field(default={}, exclude=True)

    @classmethod
    def parse(cls, content: bytes) -> "Manifest":
        """Read a manifest. Fields that it does not know are kept.

        Raises ManifestError for what is no manifest, or UnknownSchema for one that a newer version wrote.
        """
        check_known(f"{MANIFEST_KEY} of the schema", parse(_Head, content, _unusable).schema_, READABLE)
        raw = parse(_RawManifest, content, _unusable)
        models: dict[str, RegisteredModel] = {}
        unreadable: dict[str, Unreadable] = {}
        for name, entry in raw.models.items():
            try:
                models[name] = _read_model(entry)
            except ValidationError as error:
                unreadable[name] = Unreadable(complaint(error), entry)
        return cls.model_validate({**_unknown_fields(raw), "models": models, "unreadable": unreadable})

    @model_serializer(mode="wrap")
    def _with_unreadable(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        return written | {"models": _with_kept(written["models"], self.unreadable)}

    def aliases(self, name: str) -> dict[str, ModelVersion]:
        """Return the version behind each alias of a model; empty for a model that is not in the manifest."""
        model = self.models.get(name)
        return model.aliases if model else {}


class _Head(Part):
    """Hold the field that tells whether this version can read the rest."""

    schema_: str = Field(alias="schema")


class _RawManifest(Part):
    schema_: Schema = Field(alias="schema")
    models: dict[str, JsonValue] = Field({})


class _RawModel(Part):
    """Hold a model whose aliases are not read yet. tensor_aliases: more of them; version 0.1.0 wrote some apart."""

    description: str = ""
    aliases: dict[str, JsonValue]
    tensor_aliases: dict[str, JsonValue] = Field({})


def _read_model(entry: JsonValue) -> RegisteredModel:
    """Read what can be read of a model. Raises ValidationError if none of it can."""
    raw = _RawModel.model_validate(entry)
    aliases: dict[str, ModelVersion] = {}
    unreadable: dict[str, Unreadable] = {}
    for alias, content in {**raw.aliases, **raw.tensor_aliases}.items():
        try:
            aliases[alias] = ModelVersion.model_validate(content)
        except ValidationError as error:
            unreadable[alias] = Unreadable(complaint(error), content)
    fields = {"description": raw.description, "aliases": aliases, "unreadable": unreadable}
    return RegisteredModel.model_validate({**_unknown_fields(raw), **fields})


def _unknown_fields(part: Part) -> dict[str, Any]:
    """Return what a newer version wrote there beside the fields that are known here."""
    return part.model_extra or {}


def _with_kept(written: dict[str, Any], unreadable: dict[str, Unreadable]) -> dict[str, Any]:
    """Return the entries that were read and those that were not, in one order: the same content is the same bytes."""
    kept = {name: entry.content for name, entry in unreadable.items()}
    return dict(sorted((written | kept).items()))


def _unusable(complaint: str) -> ManifestError:
    return ManifestError(f"{MANIFEST_KEY} is not a manifest: {complaint}")
