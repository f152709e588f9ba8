"""The model manifest: which file serves which alias of which registered model.

`model_sync` writes it, the prediction API reads it. It lies at `models/manifest.json` beside the files it names, and
changes only when something in the registry did.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offpath.errors import ManifestError

KEY = "models/manifest.json"
SCHEMA: Literal["models/1"] = "models/1"

# The alias of the version that answers.
SERVED_ALIAS = "champion"

ColumnType = Literal["double", "float", "long", "integer", "boolean", "string"]
Task = Literal["classification", "regression"]
Weight = Annotated[int, Field(ge=0, le=100)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class Column(_Part):
    """One input or output column of a model's MLflow signature, with MLflow's name for its type."""

    name: str
    type: ColumnType
    required: bool = True


class Signature(_Part):
    """Input and output columns, in the order that the model takes and gives them."""

    inputs: tuple[Column, ...] = Field(min_length=1)
    outputs: tuple[Column, ...] = ()


class ModelVersion(_Part):
    """A registered version and the file that serves it.

    key: S3 key of the ONNX file, in the manifest's own bucket. sha256: of that file. bytes: its size. weight: share of
    the model's traffic, in percent. labels: class names, by class index; empty for a regression. source: where the
    registry says its files come from; it tells this version from one of the same number, made after the registered
    model was deleted and created again.
    """

    version: str
    run_id: str | None = None
    source: str | None = None
    key: str
    sha256: Sha256
    bytes: int
    weight: Weight = 0
    task: Task
    labels: tuple[str, ...] = ()
    signature: Signature
    input_example: dict[str, Any] | None = None


class RegisteredModel(_Part):
    """A registered model: the version that each alias stands for."""

    description: str = ""
    aliases: dict[str, ModelVersion]


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
